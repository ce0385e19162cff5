-- The whole of it would be too much for an index: a row of Postgres's takes 2,700 bytes, and a description has up to
-- 16,000. What lies beyond 200 characters is put in order without one.
DROP INDEX media_items_by_title;
CREATE INDEX media_items_by_title ON media_items (substr(folded, 1, 200), id);
