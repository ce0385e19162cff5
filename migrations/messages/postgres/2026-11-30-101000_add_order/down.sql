DROP INDEX reports_done;
DROP INDEX reports_open;
DROP TABLE taken_down;
DROP TABLE takedowns;
DROP TABLE filter_words;
DROP TABLE paces;
ALTER TABLE rooms DROP COLUMN slow_seconds;
