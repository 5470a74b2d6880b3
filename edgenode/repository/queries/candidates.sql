-- with_value --
-- The instances with such a value now, in their order where the test is for one content.
SELECT p.instance_id AS id FROM property p
 WHERE p.scope_id = {scope} AND p.key_id = {key} AND {test} AND p.until = 0;

-- with_value_then --
SELECT p.instance_id AS id FROM property p
 WHERE p.scope_id = {scope} AND p.key_id = {key} AND {test}
   AND p.from_time <= :time AND (p.until = 0 OR p.until > :time);

-- with_text --
-- The instances in whose texts, of now or of the past, all these letters occur.
SELECT rowid AS id FROM property_text WHERE property_text MATCH {query};

-- of_type --
SELECT instance_id AS id FROM type_member WHERE type_id = {types};

-- of_types --
SELECT DISTINCT instance_id AS id FROM type_member WHERE type_id IN ({types});

-- first --
-- As many as matter.
SELECT id FROM ({candidates}) LIMIT {limit};

-- listed --
SELECT value AS id FROM json_each({ids});
