-- state --
-- The current state, and whether an end of a relationship was stored after it.
SELECT i.id, i.seq, i.kind, i.type_id, i.status, i.version, i.home_id, i.from_time,
       i.end1_id, i.end2_id, coalesce(max(e1.seq, e2.seq) > i.seq, 0), v.document
  FROM instance i JOIN version v ON v.seq = i.seq
  LEFT JOIN instance e1 ON e1.id = i.end1_id
  LEFT JOIN instance e2 ON e2.id = i.end2_id
 WHERE i.guid = ?;

-- state_as_of --
-- What was in force at a time: the current state, or the newest superseded one.
SELECT v.instance_id, v.seq, v.kind, v.type_id, v.status, v.version, v.home_id,
       v.from_time, NULL, NULL, 0, v.document
  FROM instance i JOIN version v
    ON v.seq = CASE WHEN i.from_time <= :time THEN i.seq
                    ELSE (SELECT s.seq FROM superseded s
                           WHERE s.instance_id = i.id AND s.from_time <= :time
                           ORDER BY s.from_time DESC, s.seq DESC LIMIT 1) END
 WHERE i.guid = :guid;

-- id --
SELECT id FROM instance WHERE guid = ?;

-- last_id --
-- The newest instances may have been purged with rows left behind.
SELECT max(coalesce((SELECT max(id) FROM instance), 0),
           coalesce((SELECT max(instance_id) FROM purged), 0));

-- last_seq --
-- The newest states may have been purged after they were indexed.
SELECT max(coalesce((SELECT max(seq) FROM version), 0),
           (SELECT indexed_through FROM store));

-- add_known --
INSERT INTO instance (id, guid, kind, type_id, status, version, home_id, from_time, seq)
VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0);

-- add --
INSERT INTO instance (kind, type_id, status, version, home_id, end1_id, end2_id,
                      create_time, update_time, from_time, seq, owner_id, digest, bucket,
                      guid, id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- replace --
UPDATE instance
   SET kind = ?, type_id = ?, status = ?, version = ?, home_id = ?, end1_id = ?,
       end2_id = ?, create_time = ?, update_time = ?, from_time = ?, seq = ?,
       owner_id = ?, digest = ?, bucket = ?
 WHERE id = ?;

-- add_version --
INSERT INTO version (seq, instance_id, kind, type_id, status, version, home_id, from_time,
                     document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- supersede --
INSERT INTO superseded (instance_id, from_time, seq) VALUES (?, ?, ?);

-- previous --
-- The newest state of a lower version; states as a proxy don't count.
SELECT v.document
  FROM superseded s JOIN version v ON v.seq = s.seq
 WHERE s.instance_id = :id AND v.version < :version AND v.kind = :kind
 ORDER BY s.from_time DESC, s.seq DESC
 LIMIT 1;

-- documents --
SELECT v.document
  FROM superseded s JOIN version v ON v.seq = s.seq
 WHERE s.instance_id = ?;

-- documents_behind_mark --
-- Current states of entities that aren't in the index yet.
SELECT v.document
  FROM version v JOIN instance i ON i.seq = v.seq
 WHERE v.seq > (SELECT indexed_through FROM store) AND v.kind = 1;

-- purge_instance --
DELETE FROM instance WHERE id = ?;

-- is_type_used --
SELECT EXISTS (SELECT 1 FROM instance WHERE type_id = ?);

-- counted --
-- The type of each instance that counts. Grouping them would take SQLite a sorter of
-- megabytes, which the process keeps.
SELECT type_id FROM instance WHERE kind IN (1, 3) AND status <> ?;
