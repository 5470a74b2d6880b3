-- at --
SELECT DISTINCT i.guid
  FROM link l JOIN instance i ON i.id = l.relationship_id
 WHERE l.entity_id = (SELECT id FROM instance WHERE guid = ?)
   AND l.until IS NULL
 ORDER BY l.relationship_id;

-- add --
-- One that was re-pointed twice in a millisecond is only there as it was at the end.
INSERT OR REPLACE INTO link (entity_id, relationship_id, position, from_time, other_id)
VALUES (?, ?, ?, ?, ?);

-- end --
UPDATE link SET until = ?
 WHERE entity_id = ? AND relationship_id = ? AND position = ? AND until IS NULL;

-- remove --
DELETE FROM link WHERE entity_id = ? AND relationship_id = ?;

-- forget_end --
-- A GUID that only relationships mentioned goes with the last of them.
DELETE FROM instance
 WHERE id = :id AND kind = 0
   AND NOT EXISTS (SELECT 1 FROM link WHERE entity_id = :id);

-- remove_others --
DELETE FROM link
 WHERE other_id = :id
   AND (entity_id, relationship_id) IN
       (SELECT other_id, relationship_id FROM link WHERE entity_id = :id);

-- remove_own --
DELETE FROM link WHERE entity_id = ?;
