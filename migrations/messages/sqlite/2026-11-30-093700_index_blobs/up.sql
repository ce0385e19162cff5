-- The sweep asks how old each is. In the row that stands behind the content: all that was ever attached would be read for it.
CREATE INDEX blobs_by_age ON blobs (stored_at, hash);
