-- add --
INSERT INTO outbox (sequence, at, is_type_event, seq, original_seq, detail, origin)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- mark --
-- Which life it is, and how much there is in the outbox.
SELECT incarnation, forgotten_through, settled_through, settled_count,
       coalesce((SELECT max(sequence) FROM outbox), 0)
  FROM store;

-- begin_life --
-- What was stored before has no events: whoever asks for them from the beginning is told
-- that something is missing there.
UPDATE store
   SET incarnation = ?,
       forgotten_through = max(forgotten_through,
                               coalesce((SELECT max(sequence) FROM outbox), 0))
                           + EXISTS (SELECT 1 FROM instance);

-- end_life --
UPDATE store SET incarnation = NULL WHERE incarnation IS NOT NULL;

-- after --
-- Events behind a number until they are too many or too large, but one at least.
  WITH portion AS (
           SELECT o.sequence,
                  sum(length(o.detail) + coalesce(length(v.document), 0)
                      + coalesce(length(w.document), 0))
                      OVER (ORDER BY o.sequence ROWS BETWEEN UNBOUNDED PRECEDING
                                                         AND 1 PRECEDING) AS before
             FROM (SELECT * FROM outbox
                    WHERE sequence > :sequence ORDER BY sequence LIMIT :limit) o
             LEFT JOIN version v ON v.seq = o.seq
             LEFT JOIN version w ON w.seq = o.original_seq)
SELECT o.sequence, o.at, o.is_type_event, v.kind, v.document, w.kind, w.document, o.detail,
       o.origin
  FROM portion p JOIN outbox o ON o.sequence = p.sequence
  LEFT JOIN version v ON v.seq = o.seq
  LEFT JOIN version w ON w.seq = o.original_seq
 WHERE coalesce(p.before, 0) < :bytes
 ORDER BY o.sequence;

-- before --
-- The number of the event before another one, where that is no longer known the number
-- up to which events were forgotten.
SELECT max(forgotten_through,
           coalesce((SELECT max(sequence) FROM outbox WHERE sequence < ?), 0))
  FROM store;

-- referring --
-- Events that refer to states which are about to be removed.
SELECT sequence FROM outbox
 WHERE seq IN (SELECT s.seq FROM purged p
                CROSS JOIN superseded s ON s.instance_id = p.instance_id
               UNION ALL
               SELECT seq FROM purged)
    OR original_seq IN (SELECT s.seq FROM purged p
                         CROSS JOIN superseded s ON s.instance_id = p.instance_id
                        UNION ALL
                        SELECT seq FROM purged);

-- embed --
UPDATE outbox SET seq = NULL, original_seq = NULL, detail = ? WHERE sequence = ?;

-- one --
SELECT o.sequence, o.at, o.is_type_event, v.kind, v.document, w.kind, w.document, o.detail,
       o.origin
  FROM outbox o
  LEFT JOIN version v ON v.seq = o.seq
  LEFT JOIN version w ON w.seq = o.original_seq
 WHERE o.sequence = ?;

-- told --
-- What the events up to a number are about, the newest first.
SELECT sequence, json_extract(text, '$.eventType'),
       json_extract(text, '$.instanceGUID'), json_extract(text, '$.originalInstanceGUID'),
       coalesce(json_extract(text, '$.classification.name'),
                json_extract(text, '$.originalClassification.name')),
       origin, length
  FROM (SELECT sequence, CAST(detail AS TEXT) AS text, origin, length(detail) AS length
          FROM outbox
         WHERE sequence <= ?
         ORDER BY sequence DESC
         LIMIT ?);

-- leave_out --
DELETE FROM outbox WHERE sequence = ?;

-- forget --
-- The oldest, some at a time.
DELETE FROM outbox
 WHERE sequence IN (SELECT sequence FROM outbox WHERE sequence <= ?
                     ORDER BY sequence LIMIT ?);

-- is_left --
SELECT EXISTS (SELECT 1 FROM outbox WHERE sequence <= ?);

-- forgotten --
UPDATE store SET forgotten_through = max(forgotten_through, ?);

-- settled --
UPDATE store SET settled_through = ?, settled_count = ?;
