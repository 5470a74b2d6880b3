-- save --
INSERT INTO type_definition (guid, is_attribute_type, document) VALUES (?, ?, ?)
ON CONFLICT (guid) DO UPDATE
   SET is_attribute_type = excluded.is_attribute_type, document = excluded.document;

-- remove --
DELETE FROM type_definition WHERE guid = ?;

-- bytes --
SELECT coalesce(sum(length(document)), 0) FROM type_definition;

-- all --
SELECT is_attribute_type, document FROM type_definition ORDER BY rowid;
