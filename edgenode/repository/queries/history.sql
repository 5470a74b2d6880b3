-- versions --
-- The last state of each version, among the states in force between two times. A state
-- ends when the next begins.
WITH state AS (
    SELECT s.seq, s.from_time FROM superseded s
     WHERE s.instance_id = (SELECT id FROM instance WHERE guid = :guid)
     UNION ALL
    SELECT i.seq, i.from_time FROM instance i WHERE i.guid = :guid
), span AS (
    SELECT seq, from_time, lead(from_time) OVER (ORDER BY seq) AS until FROM state
), page AS (
    SELECT max(v.seq) AS seq
      FROM span JOIN version v ON v.seq = span.seq
     WHERE v.kind = :kind
       AND (:to_time IS NULL OR span.from_time <= :to_time)
       AND (:from_time IS NULL OR span.until IS NULL OR span.until > :from_time)
     GROUP BY v.version
     ORDER BY CASE WHEN :backwards THEN -max(v.seq) ELSE max(v.seq) END
     LIMIT :page_size OFFSET :offset
)
SELECT v.document FROM page JOIN version v ON v.seq = page.seq
 ORDER BY CASE WHEN :backwards THEN -v.seq ELSE v.seq END;

-- count --
-- How many states an instance went through, as far as that matters.
SELECT count(*) FROM (SELECT 1 FROM superseded
                       WHERE instance_id = (SELECT id FROM instance WHERE guid = ?)
                       LIMIT ?);
