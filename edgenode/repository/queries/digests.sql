-- replace --
UPDATE instance SET owner_id = ?, digest = ?, bucket = ? WHERE id = ?;

-- add_classification --
INSERT INTO owned_classification (instance_id, owner_id, name_id, digest, bucket)
VALUES (?, ?, ?, ?, ?);

-- remove_classifications --
DELETE FROM owned_classification WHERE instance_id = ?;

-- unfilled --
-- Current states by the id of their instance, a portion at a time.
SELECT i.id, i.kind, v.document
  FROM instance i JOIN version v ON v.seq = i.seq
 WHERE i.id > ?
 ORDER BY i.id
 LIMIT ?;

-- group_sums --
SELECT n.text, s.number, s.total
  FROM (SELECT type_id, count(*) AS number, sum(digest) AS total
          FROM instance
         WHERE owner_id = (SELECT id FROM name WHERE text = :owner) AND kind IN (1, 3)
         GROUP BY type_id) s
  JOIN name n ON n.id = s.type_id
 UNION ALL
SELECT '#' || n.text, s.number, s.total
  FROM (SELECT name_id, count(*) AS number, sum(digest) AS total
          FROM owned_classification
         WHERE owner_id = (SELECT id FROM name WHERE text = :owner)
         GROUP BY name_id) s
  JOIN name n ON n.id = s.name_id;

-- bucket_sums --
SELECT bucket, count(*), sum(digest)
  FROM instance
 WHERE owner_id = (SELECT id FROM name WHERE text = :owner)
   AND type_id = (SELECT id FROM name WHERE text = :name) AND kind IN (1, 3)
 GROUP BY bucket;

-- bucket_sums_of_classifications --
SELECT bucket, count(*), sum(digest)
  FROM owned_classification
 WHERE owner_id = (SELECT id FROM name WHERE text = :owner)
   AND name_id = (SELECT id FROM name WHERE text = :name)
 GROUP BY bucket;

-- bucket_items --
SELECT guid, digest
  FROM instance
 WHERE owner_id = (SELECT id FROM name WHERE text = :owner)
   AND type_id = (SELECT id FROM name WHERE text = :name) AND kind IN (1, 3)
   AND bucket IN (SELECT value FROM json_each(:buckets));

-- bucket_items_of_classifications --
SELECT i.guid, c.digest
  FROM owned_classification c JOIN instance i ON i.id = c.instance_id
 WHERE c.owner_id = (SELECT id FROM name WHERE text = :owner)
   AND c.name_id = (SELECT id FROM name WHERE text = :name)
   AND c.bucket IN (SELECT value FROM json_each(:buckets));

-- owners --
SELECT text FROM name
 WHERE id IN (SELECT owner_id FROM instance WHERE kind IN (1, 3)
               UNION
              SELECT owner_id FROM owned_classification);

-- documents --
SELECT i.guid, i.kind, v.document
  FROM instance i JOIN version v ON v.seq = i.seq
 WHERE i.guid IN (SELECT value FROM json_each(?));
