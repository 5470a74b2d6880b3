-- newest_state --
SELECT coalesce(max(seq), 0) FROM version;

-- states_until --
-- The states of a kind that were current when :newest was the newest of all.
SELECT v.document, coalesce(max(e1.seq, e2.seq) > v.seq, 0)
  FROM instance i JOIN version v
    ON v.seq = CASE WHEN i.seq <= :newest THEN i.seq
                    ELSE (SELECT max(s.seq) FROM superseded s
                           WHERE s.instance_id = i.id AND s.seq <= :newest) END
  LEFT JOIN instance e1 ON e1.id = i.end1_id
  LEFT JOIN instance e2 ON e2.id = i.end2_id
 WHERE i.guid > :after_guid
   AND (i.kind = :relationship) = (:kind = :relationship)
   AND v.kind = :kind
 ORDER BY i.guid
 LIMIT :limit;
