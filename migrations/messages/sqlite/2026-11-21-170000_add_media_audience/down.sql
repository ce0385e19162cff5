ALTER TABLE media_items DROP COLUMN room_id;
ALTER TABLE media_items DROP COLUMN audience;
