-- standing --
SELECT name, server_id, registration_time, incarnation, sequence FROM kafka_cohort;

-- enter --
INSERT INTO kafka_cohort (id, name, server_id) VALUES (1, ?, ?);

-- rename --
UPDATE kafka_cohort SET server_id = ?;

-- leave --
DELETE FROM kafka_cohort;

-- registered --
UPDATE kafka_cohort SET registration_time = ?;

-- sent --
UPDATE kafka_cohort SET incarnation = ?, sequence = ?;

-- members --
SELECT collection_id, document FROM kafka_member ORDER BY collection_id;

-- save_member --
INSERT INTO kafka_member (collection_id, document) VALUES (?, ?)
    ON CONFLICT (collection_id) DO UPDATE SET document = excluded.document;

-- remove_member --
DELETE FROM kafka_member WHERE collection_id = ?;

-- told --
SELECT collection_id FROM kafka_told;

-- save_told --
INSERT OR IGNORE INTO kafka_told (collection_id) VALUES (?);

-- remove_told --
DELETE FROM kafka_told WHERE collection_id = ?;

-- forget_told --
DELETE FROM kafka_told;

-- positions --
SELECT topic, partition, next_offset, topic_id FROM kafka_position;

-- save_position --
INSERT INTO kafka_position (topic, partition, next_offset, topic_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (topic, partition) DO UPDATE
   SET next_offset = excluded.next_offset, topic_id = excluded.topic_id;

-- forget_positions --
DELETE FROM kafka_position;
