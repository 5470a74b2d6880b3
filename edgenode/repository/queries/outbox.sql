-- add --
INSERT INTO outbox (sequence, at, is_type_event, seq, original_seq, detail)
VALUES (?, ?, ?, ?, ?, ?);

-- span --
SELECT min(sequence), max(sequence) FROM outbox;

-- after --
SELECT o.sequence, o.at, o.is_type_event, v.kind, v.document, w.kind, w.document, o.detail
  FROM outbox o
  LEFT JOIN version v ON v.seq = o.seq
  LEFT JOIN version w ON w.seq = o.original_seq
 WHERE o.sequence > ?
 ORDER BY o.sequence
 LIMIT ?;

-- forget --
-- The newest row stays, so that numbering goes on behind it after a restart.
DELETE FROM outbox
 WHERE sequence < ? AND sequence < (SELECT max(sequence) FROM outbox);

-- referring --
-- Events that refer to states of an instance which is about to be purged.
SELECT sequence FROM outbox
 WHERE seq IN (SELECT value FROM json_each(:seqs))
    OR original_seq IN (SELECT value FROM json_each(:seqs));

-- embed --
UPDATE outbox SET seq = NULL, original_seq = NULL, detail = ? WHERE sequence = ?;

-- one --
SELECT o.sequence, o.at, o.is_type_event, v.kind, v.document, w.kind, w.document, o.detail
  FROM outbox o
  LEFT JOIN version v ON v.seq = o.seq
  LEFT JOIN version w ON w.seq = o.original_seq
 WHERE o.sequence = ?;
