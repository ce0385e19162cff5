-- Those that a keeper wrote down, JSON as in `chapters`, whose place they take; empty without any.
ALTER TABLE media_items ADD COLUMN own_chapters TEXT NOT NULL DEFAULT '';
