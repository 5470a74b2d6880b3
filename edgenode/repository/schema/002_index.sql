-- What searches look at instead of documents. Written later than the states, many
-- changes at a time, because each value's place in an index is another page.

-- What a value is apart from its content: class, type, category. The lowest three bits
-- of the id say how its content is kept (Content in values.py). identity is JSON.
CREATE TABLE shape (
    id INTEGER PRIMARY KEY,
    key_id INTEGER NOT NULL,
    identity TEXT NOT NULL,
    ordinal INTEGER,
    UNIQUE (key_id, identity)
) STRICT;

-- What headers share: type, home, users. Few for very many instances.
CREATE TABLE origin (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    type_name TEXT,
    type_guid TEXT,
    metadata_collection_id TEXT,
    metadata_collection_name TEXT,
    created_by TEXT,
    updated_by TEXT
) STRICT;

-- One row a value, for as long as it stays: from from_time until just before until,
-- which is 0 while it lasts; so the current values of an instance stand together, and
-- searches for what is now don't meet the past.
-- scope_id: whose property it is: 0 the instance's own, the name of the classification
-- that has it, -1 a field of the header; key_id is the property's name, or Field.
-- A classification itself is its row with key_id 0.
-- head is the content or the first characters of a longer text, tail the rest; digest
-- tells contents apart that head doesn't, else it is 0.
CREATE TABLE property (
    instance_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    scope_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    from_time INTEGER NOT NULL,
    shape_id INTEGER NOT NULL,
    head ANY,
    digest INTEGER NOT NULL,
    tail TEXT,
    PRIMARY KEY (instance_id, until, scope_id, key_id)
) STRICT, WITHOUT ROWID;

-- Among equal contents the current ones come first, in the order of the instances.
CREATE INDEX property_content
    ON property (scope_id, key_id, head, digest, until, instance_id);

-- The instances that are, or once were, of a type.
CREATE TABLE type_member (
    type_id INTEGER NOT NULL,
    instance_id INTEGER NOT NULL,
    PRIMARY KEY (type_id, instance_id)
) STRICT, WITHOUT ROWID;

-- Which three letters occur in some text that an instance has or had; rowid is the
-- instance's id, so that matches come in the order of results. It only narrows down:
-- what really matches is told by the property rows.
CREATE VIRTUAL TABLE property_text USING fts5 (
    text, content='', columnsize=0, detail=none, tokenize='trigram'
);

-- Instances that are gone, but whose states and rows in these tables are still to be
-- removed, many at a time, because they stand on pages all over the file. Nobody sees
-- them: everything is reached through instance. seq is the last state.
CREATE TABLE purged (
    instance_id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
