-- id --
SELECT id FROM name WHERE text = ?;

-- text --
SELECT text FROM name WHERE id = ?;

-- add --
INSERT INTO name (text) VALUES (?);
