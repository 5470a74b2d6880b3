-- id --
SELECT id FROM instance WHERE guid = :guid;

-- linked --
l.until IS NULL;

-- linked_then --
l.from_time <= :time AND (l.until IS NULL OR l.until > :time);

-- at --
-- The relationships with an entity at either end.
SELECT i.*
  FROM (SELECT DISTINCT relationship_id FROM link l
         WHERE l.entity_id = (SELECT id FROM instance WHERE guid = :guid)
           AND {linked}) l
 CROSS JOIN {states} i ON i.id = l.relationship_id
 WHERE {usable}
 ORDER BY {order} {page};

-- hops --
-- Where one more relationship leads from some entities.
SELECT l.entity_id, l.relationship_id, l.other_id
  FROM json_each(:near) f
 CROSS JOIN link l ON l.entity_id = f.value AND {linked}
 CROSS JOIN {states} i ON i.id = l.relationship_id
 WHERE {usable} AND {far};

-- far --
-- What a filter says of the entity at the other end.
EXISTS (SELECT 1 FROM {states} i WHERE i.id = l.other_id AND {passing});

-- carries --
-- A proxy's classifications are only in its document.
(i.kind = 1 AND {indexed}
 OR i.kind = 2 AND EXISTS
    (SELECT 1 FROM version d, json_each(CAST(d.document AS TEXT), '$.classifications') given
      WHERE d.seq = i.seq
        AND json_extract(given.value, '$.name') IN (SELECT value FROM json_each({names}))));

-- entities --
SELECT i.* FROM json_each(:ids) f
 CROSS JOIN {states} i ON i.id = f.value
 WHERE i.kind = 1 AND {passing}
 ORDER BY {order} {page};

-- these --
SELECT i.* FROM json_each(:ids) f
 CROSS JOIN {states} i ON i.id = f.value
 ORDER BY {order} {page};
