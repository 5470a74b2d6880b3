-- What a member of a cohort over Kafka needs, and what a bridge between two cohorts does.

-- Whose event it is: NULL for this member's own, else that of the member of one cohort
-- whose event is passed on to the other one.
ALTER TABLE outbox ADD COLUMN origin TEXT;

-- How this server is in a cohort over Kafka: the cohort's name, the id by which topics
-- know the server, when it registered (NULL before that), and the place up to which its
-- events are on the topics (incarnation NULL where none is).
CREATE TABLE kafka_cohort (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    server_id TEXT NOT NULL,
    registration_time INTEGER,
    incarnation TEXT,
    sequence INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The other members as they registered themselves.
CREATE TABLE kafka_member (
    collection_id TEXT PRIMARY KEY,
    document BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The members of another cohort of whom all that is stored was told on the topics.
CREATE TABLE kafka_told (
    collection_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The offset of the next record that is to be applied. topic_id tells the topic from a
-- later one of its name, and is empty where the broker doesn't tell it.
CREATE TABLE kafka_position (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    topic_id TEXT NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;
