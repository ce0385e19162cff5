DROP INDEX media_items_by_title;
ALTER TABLE media_items DROP COLUMN folded;
DROP TABLE media_cues;
DROP TABLE media_captions;
