-- position --
SELECT incarnation, sequence FROM position WHERE origin = ? AND incarnation <> '';

-- positions --
SELECT origin, incarnation, sequence FROM position WHERE incarnation <> '';

-- move_to --
INSERT INTO position (origin, incarnation, sequence) VALUES (?, ?, ?)
    ON CONFLICT (origin) DO UPDATE
   SET incarnation = excluded.incarnation, sequence = excluded.sequence;

-- save --
INSERT INTO member (collection_id, node_id, revision, is_registered, document)
VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (collection_id) DO UPDATE
   SET node_id = excluded.node_id, revision = excluded.revision,
       is_registered = excluded.is_registered, document = excluded.document;

-- remove --
DELETE FROM member WHERE collection_id = ?;

-- forget_members --
DELETE FROM member;

-- awaits_others --
-- Whether there are others to be asked for what a store lacks that was put back: how far
-- it got with itself tells in which life it was complete.
SELECT EXISTS (SELECT 1 FROM member WHERE is_registered)
       AND NOT EXISTS (SELECT 1 FROM position, store
                        WHERE origin = metadata_collection_id
                          AND position.incarnation = store.incarnation);

-- forget_position --
DELETE FROM position WHERE origin = ?;

-- remember_origin --
INSERT INTO position (origin, incarnation, sequence)
SELECT text, '', 0 FROM name WHERE text = ?
    ON CONFLICT (origin) DO NOTHING;

-- was_member --
SELECT EXISTS (SELECT 1 FROM member WHERE collection_id = :id)
    OR EXISTS (SELECT 1 FROM kafka_member WHERE collection_id = :id)
    OR EXISTS (SELECT 1 FROM position WHERE origin = :id);

-- all --
SELECT collection_id, node_id, revision, is_registered, document FROM member;

-- cohort --
SELECT cohort FROM store;

-- set_cohort --
UPDATE store SET cohort = ?;

-- forget_registration --
DELETE FROM registration;

-- save_local_registration --
INSERT INTO registration (id, document) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET document = excluded.document;

-- local_registration --
SELECT document FROM registration;
