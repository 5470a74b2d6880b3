-- shape --
SELECT id FROM shape WHERE key_id = ? AND identity = ?;

-- add_shape --
-- The lowest three bits are the kind of content.
INSERT INTO shape (id, key_id, identity, ordinal)
VALUES (((SELECT coalesce(max(id), 0) FROM shape) / 8 + 1) * 8 + ?, ?, ?, ?);

-- origin --
SELECT id FROM origin WHERE identity = ?;

-- add_origin --
INSERT INTO origin (identity, type_name, type_guid, metadata_collection_id,
                    metadata_collection_name, created_by, updated_by)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- void --
-- A value that lasted less than a millisecond was never there.
DELETE FROM property
 WHERE from_time = ?1 AND instance_id = ?2 AND until = 0 AND scope_id = ?3 AND key_id = ?4;

-- end --
UPDATE property SET until = ?1
 WHERE instance_id = ?2 AND until = 0 AND scope_id = ?3 AND key_id = ?4;

-- add --
INSERT INTO property (instance_id, until, scope_id, key_id, from_time, shape_id, head,
                      digest, tail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- add_member --
INSERT OR IGNORE INTO type_member (type_id, instance_id) VALUES (?, ?);

-- add_text --
INSERT INTO property_text (rowid, text) VALUES (?, ?);

-- contents --
-- Of all properties that an instance has or had.
SELECT shape_id & 7, head, tail FROM property
 WHERE instance_id = ? AND shape_id <> 0;

-- remove_text --
INSERT INTO property_text (property_text, rowid, text) VALUES ('delete', ?, ?);

-- remove_members --
-- Of the types that it has or had.
DELETE FROM type_member
 WHERE instance_id = :id
   AND type_id IN (SELECT n.id
                     FROM property p JOIN origin o ON o.id = p.head
                                     JOIN name n ON n.text = o.type_name
                    WHERE p.instance_id = :id AND p.scope_id = -1 AND p.key_id = 1);

-- remove --
DELETE FROM property WHERE instance_id = ?;

-- is_classification_used --
-- Rows of purged instances may still be there.
SELECT EXISTS (SELECT 1 FROM property p JOIN instance i ON i.id = p.instance_id
                WHERE p.scope_id = ? AND p.key_id = 0 AND p.head IS NULL AND p.digest = 0
                  AND p.until = 0);
