DROP TABLE media_uploads;
DROP INDEX media_items_by_size;
DROP INDEX media_items_by_user;
ALTER TABLE media_items DROP COLUMN hash;
ALTER TABLE media_items DROP COLUMN user_id;
