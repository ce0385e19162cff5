-- Who has switched recording on; nobody while it is off.
ALTER TABLE streams ADD COLUMN recorder BIGINT;
-- Whom the item that comes of it is for.
ALTER TABLE media_uploads ADD COLUMN audience TEXT NOT NULL DEFAULT 'all';
-- What was recorded of live streams. The files are in DATA/recordings, by the id: the readings, and the film until it
-- is in the library.
CREATE TABLE recordings (
  -- 32 hexadecimal digits.
  id TEXT PRIMARY KEY NOT NULL,
  stream_id BIGINT NOT NULL,
  -- Whose it is.
  user_id BIGINT NOT NULL,
  -- What the film is called.
  title TEXT NOT NULL,
  -- Everybody could watch the stream.
  public BOOLEAN NOT NULL,
  started_at BIGINT NOT NULL,
  -- Nothing while it is written, and after a kill until it was looked at.
  ended_at BIGINT,
  -- Milliseconds of film; nothing where there is none.
  duration BIGINT,
  -- Readings that were written.
  samples BIGINT NOT NULL,
  -- Of its files, without a film that is in the library.
  bytes BIGINT NOT NULL,
  -- The item of the library.
  media_id BIGINT,
  -- Nothing is left to be done.
  settled BOOLEAN NOT NULL,
  -- Why it ended before the source did.
  trouble TEXT,
  -- Why the film isn't in the library.
  refused TEXT
);
CREATE INDEX recordings_by_stream ON recordings (stream_id, started_at);
CREATE INDEX recordings_by_user ON recordings (user_id);
