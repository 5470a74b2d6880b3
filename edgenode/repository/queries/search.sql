-- present --
-- Each instance in its current state.
instance;

-- past --
-- Each instance in the state that was in force at a time.
(SELECT i.id, i.guid, coalesce(v.kind, i.kind) AS kind,
        coalesce(v.type_id, i.type_id) AS type_id, coalesce(v.status, i.status) AS status,
        coalesce(v.seq, i.seq) AS seq
   FROM instance i
   LEFT JOIN version v
     ON i.from_time > :time
    AND v.seq = (SELECT s.seq FROM superseded s
                  WHERE s.instance_id = i.id AND s.from_time <= :time
                  ORDER BY s.from_time DESC, s.seq DESC LIMIT 1)
  WHERE i.from_time <= :time OR v.seq IS NOT NULL);

-- documents --
SELECT (SELECT v.document FROM version v WHERE v.seq = found.seq) FROM (:page) AS found;

-- documents_and_ends --
-- And whether an end of the relationship was stored after it.
SELECT (SELECT v.document FROM version v WHERE v.seq = found.seq),
       (SELECT max(e1.seq, e2.seq) > found.seq FROM instance e1, instance e2
         WHERE e1.id = found.end1_id AND e2.id = found.end2_id)
  FROM (:page) AS found;

-- documents_and_no_ends --
-- A former state shows its ends as they were.
SELECT (SELECT v.document FROM version v WHERE v.seq = found.seq), 0 FROM (:page) AS found;
