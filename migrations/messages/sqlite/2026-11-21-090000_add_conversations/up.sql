-- Two people have one direct room: `peers` is their ids, the smaller first, as `3-7`.
ALTER TABLE rooms ADD COLUMN peers TEXT;
-- A deleted room is gone for everybody at once; its messages are removed a few at a time.
ALTER TABLE rooms ADD COLUMN deleted_at BIGINT;
CREATE UNIQUE INDEX rooms_by_peers ON rooms (peers);
CREATE INDEX rooms_deleted ON rooms (deleted_at) WHERE deleted_at IS NOT NULL;

-- What the person wants to hear of the room.
ALTER TABLE memberships ADD COLUMN level TEXT NOT NULL DEFAULT 'all' CHECK (level IN ('all', 'mentions', 'none'));

-- `text` as sanitised HTML, when Markdown changes something.
ALTER TABLE messages ADD COLUMN html TEXT;
ALTER TABLE messages ADD COLUMN edited_at BIGINT;
ALTER TABLE messages ADD COLUMN deleted_at BIGINT;
-- What it said at first, as a digest, once it says something else: a repeated nonce is compared with that.
ALTER TABLE messages ADD COLUMN first_digest TEXT;
-- The message that began the thread which this one replies in.
ALTER TABLE messages ADD COLUMN thread BIGINT;
ALTER TABLE messages ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;
-- It calls everybody in the room (`@all`, `@here`).
ALTER TABLE messages ADD COLUMN to_all BOOLEAN NOT NULL DEFAULT FALSE;
-- Both as JSON in the form that clients get, so that a page of messages is one query.
ALTER TABLE messages ADD COLUMN reactions TEXT;
ALTER TABLE messages ADD COLUMN attachments TEXT;
CREATE INDEX messages_by_thread ON messages (room_id, thread, seq) WHERE thread IS NOT NULL;
CREATE INDEX messages_pinned ON messages (room_id, seq) WHERE pinned;
CREATE INDEX messages_to_all ON messages (room_id, seq) WHERE to_all;

-- Who reacted with what; `messages.reactions` is the summary.
CREATE TABLE reactions (
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  emoji TEXT NOT NULL,
  user_id BIGINT NOT NULL,
  reacted_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, seq, emoji, user_id)
) WITHOUT ROWID;

-- Who is called by name in which message.
CREATE TABLE mentions (
  user_id BIGINT NOT NULL,
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  PRIMARY KEY (user_id, room_id, seq)
) WITHOUT ROWID;
CREATE INDEX mentions_by_message ON mentions (room_id, seq);

CREATE TABLE bookmarks (
  user_id BIGINT NOT NULL,
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  kept_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, room_id, seq)
) WITHOUT ROWID;
CREATE INDEX bookmarks_by_time ON bookmarks (user_id, kept_at);

CREATE TABLE blocks (
  user_id BIGINT NOT NULL,
  blocked_id BIGINT NOT NULL,
  blocked_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, blocked_id)
) WITHOUT ROWID;

-- A message as it was when somebody reported it. It outlives the message and the room.
CREATE TABLE reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  room_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  reporter_id BIGINT NOT NULL,
  reason TEXT NOT NULL,
  author_id BIGINT NOT NULL,
  author_name TEXT NOT NULL,
  title TEXT,
  text TEXT NOT NULL,
  reported_at BIGINT NOT NULL,
  resolved_at BIGINT,
  resolved_by BIGINT
);
CREATE UNIQUE INDEX reports_by_reporter ON reports (room_id, seq, reporter_id);

-- The bytes of what was attached, once for each content.
CREATE TABLE blobs (
  -- SHA-256 of what was sent, in hexadecimal.
  hash TEXT PRIMARY KEY NOT NULL,
  mime TEXT NOT NULL,
  size BIGINT NOT NULL,
  width INTEGER,
  height INTEGER,
  content BLOB NOT NULL,
  thumbnail BLOB,
  thumbnail_mime TEXT,
  stored_at BIGINT NOT NULL
);

CREATE TABLE attachments (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL,
  hash TEXT NOT NULL REFERENCES blobs (hash),
  name TEXT NOT NULL,
  attached_at BIGINT NOT NULL,
  -- The message that carries it; none while it is only uploaded.
  seq BIGINT
);
CREATE INDEX attachments_by_message ON attachments (room_id, seq);
CREATE INDEX attachments_by_blob ON attachments (hash);
CREATE INDEX attachments_unused ON attachments (attached_at) WHERE seq IS NULL;
