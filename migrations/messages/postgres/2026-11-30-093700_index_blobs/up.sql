-- The sweep asks how old each is. In the row that stands behind the content: all that was ever attached would be read for it.
CREATE INDEX blobs_by_age ON blobs (stored_at, hash);
-- What somebody has uploaded and not sent yet is counted before each upload, whatever everybody else has waiting.
CREATE INDEX attachments_unsent ON attachments (user_id) WHERE seq IS NULL;
