ALTER TABLE media_items ADD COLUMN description TEXT NOT NULL DEFAULT '';
-- Each between line ends, folded, so that one is found by LIKE; empty without any.
ALTER TABLE media_items ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE media_items ADD COLUMN licence TEXT NOT NULL DEFAULT '';
-- Out of sight, its file still in its place.
ALTER TABLE media_items ADD COLUMN trashed_at BIGINT;
