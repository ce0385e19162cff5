ALTER TABLE media_items DROP COLUMN own_chapters;
