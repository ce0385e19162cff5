ALTER TABLE media_items DROP COLUMN trashed_at;
ALTER TABLE media_items DROP COLUMN licence;
ALTER TABLE media_items DROP COLUMN tags;
ALTER TABLE media_items DROP COLUMN description;
