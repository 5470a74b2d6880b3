-- What a repository is: one row an instance, one row a state it ever was in.
-- No page is written that a change doesn't need: measured on an SD card's terms,
-- every further index costs a single change some 5 KB.

-- indexed_through: every state up to this one is in the deferred index tables.
-- metadata_collection_id: under which id everybody knows what was created here. It goes
-- with the file, so that a backup restored on another machine is the same collection.
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    indexed_through INTEGER NOT NULL,
    metadata_collection_id TEXT
) STRICT;
INSERT INTO store (id, indexed_through) VALUES (1, 0);

-- Texts that occur in very many rows: type and property names, collection ids.
CREATE TABLE name (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- The current header of everything that has a GUID, and which state is current.
-- kind: 0 known by its GUID only (seq is 0), 1 entity, 2 proxy, 3 relationship.
-- Times are epoch milliseconds; from_time is when the current state came into force.
-- A relationship has its ends.
CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    guid TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    version INTEGER NOT NULL,
    home_id INTEGER NOT NULL,
    end1_id INTEGER,
    end2_id INTEGER,
    create_time INTEGER,
    update_time INTEGER,
    from_time INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;

-- Every state, in the order of storing. The document comes last: a reader of the
-- other columns doesn't touch its overflow pages.
CREATE TABLE version (
    seq INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    version INTEGER NOT NULL,
    home_id INTEGER NOT NULL,
    from_time INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT;

-- The states that are current no more. Most instances never have one; an index over
-- all states would cost each new instance a page.
CREATE TABLE superseded (
    instance_id INTEGER NOT NULL,
    from_time INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (instance_id, from_time, seq)
) STRICT, WITHOUT ROWID;

-- Two rows a relationship, one from each end, so that a hop is one range scan.
-- position: the end (1 or 2) at which entity_id stands. until is NULL while it does;
-- a relationship that was re-pointed keeps the row of its former end.
CREATE TABLE link (
    entity_id INTEGER NOT NULL,
    relationship_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    from_time INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (entity_id, relationship_id, position, from_time)
) STRICT, WITHOUT ROWID;

-- Type definitions beyond the shipped set.
CREATE TABLE type_definition (
    guid TEXT PRIMARY KEY,
    is_attribute_type INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT;

-- Events that wait to be sent. What they carry is mostly a stored state already and
-- is only referred to; detail holds the rest of the event.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    is_type_event INTEGER NOT NULL,
    seq INTEGER,
    original_seq INTEGER,
    detail BLOB NOT NULL
) STRICT;
