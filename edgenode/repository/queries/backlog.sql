-- behind_mark --
-- States whose index rows are missing.
SELECT seq, instance_id, kind, from_time, document
  FROM version
 WHERE seq > (SELECT indexed_through FROM store)
 ORDER BY seq
 LIMIT ?;

-- before --
-- The state before another one, if that was of the same kind: a proxy has no index rows.
SELECT v.document
  FROM version v
 WHERE v.seq = (SELECT s.seq FROM superseded s
                 WHERE s.instance_id = ?1 AND s.seq < ?2
                 ORDER BY s.from_time DESC, s.seq DESC LIMIT 1)
   AND v.kind = ?3;

-- set_mark --
UPDATE store SET indexed_through = ?;

-- is_complete --
-- Whether the snapshot that a connection reads has all index rows.
SELECT coalesce((SELECT max(seq) FROM version), 0) <= (SELECT indexed_through FROM store);

-- count --
SELECT (SELECT count(*) FROM version WHERE seq > (SELECT indexed_through FROM store)),
       (SELECT count(*) FROM purged);

-- purge --
INSERT INTO purged (instance_id, seq) VALUES (?, ?);

-- purged --
SELECT instance_id FROM purged;

-- remove_states --
DELETE FROM version
 WHERE seq IN (SELECT s.seq FROM purged p
                CROSS JOIN superseded s ON s.instance_id = p.instance_id
               UNION ALL
               SELECT seq FROM purged);

-- remove_superseded --
DELETE FROM superseded WHERE instance_id IN (SELECT instance_id FROM purged);

-- forget_purged --
DELETE FROM purged;

-- last_name --
SELECT max(id) FROM name;
