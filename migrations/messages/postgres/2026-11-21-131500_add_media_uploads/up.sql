-- Who put it into the library; nobody where the file was dropped into the folder.
ALTER TABLE media_items ADD COLUMN user_id BIGINT;
-- SHA-256 of the content in hexadecimal, where it was needed so far.
ALTER TABLE media_items ADD COLUMN hash TEXT;
CREATE INDEX media_items_by_user ON media_items (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX media_items_by_size ON media_items (size);

-- Files on their way into the library. How much of one has arrived is the length of its part file alone.
CREATE TABLE media_uploads (
  -- 128 random bits; also the name of the part file.
  id TEXT PRIMARY KEY NOT NULL,
  user_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  length BIGINT NOT NULL,
  -- Where the whole file is about to stand, written before it is moved there: after a crash the move is finished.
  path TEXT,
  hash TEXT,
  -- What became of it.
  media_id BIGINT,
  started_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL
);
CREATE INDEX media_uploads_by_user ON media_uploads (user_id);
