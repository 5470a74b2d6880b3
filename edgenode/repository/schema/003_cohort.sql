-- What a member of a cohort needs: how far it followed the others, who they are, and
-- sums by which it finds where two stores differ.

-- incarnation: which life of the store this is; NULL where none began yet: in a file that
-- was put back to an earlier state, or whose changes left no events for a while.
-- forgotten_through: events up to this number were forgotten without others that make
-- them needless. settled_through, settled_count: how many of the events up to that number
-- the outbox had when it was gone through the last time.
ALTER TABLE store ADD COLUMN incarnation TEXT;
ALTER TABLE store ADD COLUMN forgotten_through INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN settled_through INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN settled_count INTEGER NOT NULL DEFAULT 0;
UPDATE store
   SET forgotten_through = coalesce((SELECT min(sequence) - 1 FROM outbox), 0),
       settled_through = coalesce((SELECT min(sequence) - 1 FROM outbox), 0);

-- What an instance counts for when members compare what they hold (instances/digests.py);
-- nothing for a proxy or what is known by its GUID only. What is there already gets its
-- values right behind this script.
ALTER TABLE instance ADD COLUMN owner_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0;

-- The same for classifications that somebody else answers for than for their entity.
CREATE TABLE owned_classification (
    instance_id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    name_id INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    PRIMARY KEY (instance_id, owner_id, name_id)
) STRICT, WITHOUT ROWID;

-- How far the events of each origin are applied here. The incarnation is empty where a
-- member was forgotten whose instances may still be stored.
CREATE TABLE position (
    origin TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The members of the cohort as they announced themselves.
CREATE TABLE member (
    collection_id TEXT PRIMARY KEY,
    node_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    is_registered INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What this server itself is registered as.
CREATE TABLE registration (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    document BLOB NOT NULL
) STRICT;
