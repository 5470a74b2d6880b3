-- position --
SELECT incarnation, sequence FROM position WHERE origin = ?;

-- positions --
SELECT origin, incarnation, sequence FROM position;

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

-- forget_position --
DELETE FROM position WHERE origin = ?;

-- all --
SELECT collection_id, node_id, revision, is_registered, document FROM member;

-- save_local_registration --
INSERT INTO registration (id, document) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET document = excluded.document;

-- local_registration --
SELECT document FROM registration;
