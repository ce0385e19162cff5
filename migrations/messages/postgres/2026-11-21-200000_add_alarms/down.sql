DROP TABLE alarms;
ALTER TABLE streams DROP COLUMN sampled;
ALTER TABLE streams DROP COLUMN alarms;
