-- In which cohort the members that are stored are members; NULL where nothing is known of
-- that: in a new file, and in one that was put back, maybe on another machine.
ALTER TABLE store ADD COLUMN cohort TEXT;
