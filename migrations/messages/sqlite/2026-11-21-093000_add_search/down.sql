DROP TABLE search_documents;
DROP TABLE search_words;
DROP TABLE search_segments;
DROP INDEX rooms_unindexed;
DROP INDEX rooms_by_kind;
ALTER TABLE rooms DROP COLUMN indexed_rev;
