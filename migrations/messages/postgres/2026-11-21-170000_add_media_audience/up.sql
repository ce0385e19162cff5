-- Who sees it: `all`, `group` (the members of `room_id`), `own` (whoever uploaded it).
ALTER TABLE media_items ADD COLUMN audience TEXT NOT NULL DEFAULT 'all';
ALTER TABLE media_items ADD COLUMN room_id BIGINT;
