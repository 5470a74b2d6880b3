-- contents --
-- Of the current properties of some instances.
SELECT p.shape_id & 7, p.head, p.tail
  FROM json_each(?) s CROSS JOIN property p ON p.instance_id = s.value
 WHERE p.until = 0 AND p.shape_id <> 0;
