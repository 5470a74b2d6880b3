-- collection_id --
-- The id of the metadata collection; NULL in a new file.
SELECT metadata_collection_id FROM store;

-- set_collection_id --
UPDATE store SET metadata_collection_id = ?;
