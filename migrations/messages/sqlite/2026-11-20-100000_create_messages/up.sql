CREATE TABLE rooms (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('board', 'channel', 'group', 'direct', 'talk')),
  name TEXT NOT NULL,
  -- The folded name, set for channels alone: theirs are unique regardless of case.
  name_key TEXT,
  topic TEXT NOT NULL DEFAULT '',
  owner_id BIGINT,
  members BIGINT NOT NULL DEFAULT 0,
  last_seq BIGINT NOT NULL DEFAULT 0,
  rev BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  active_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX rooms_by_name ON rooms (name_key);
INSERT INTO rooms (id, kind, name, created_at, active_at) VALUES (1, 'board', 'Board', 0, 0);

CREATE TABLE memberships (
  user_id BIGINT NOT NULL,
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  joined_at BIGINT NOT NULL,
  read_seq BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_by_room ON memberships (room_id, user_id);

-- One row a message, changed in place. `first_rev` is what a repeated nonce is answered with.
CREATE TABLE messages (
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  first_rev BIGINT NOT NULL,
  author_id BIGINT NOT NULL,
  author_name TEXT NOT NULL,
  author_guest BOOLEAN NOT NULL,
  nonce TEXT NOT NULL,
  posted_at BIGINT NOT NULL,
  title TEXT,
  text TEXT NOT NULL,
  reply_to BIGINT,
  PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_rev ON messages (room_id, rev);
CREATE UNIQUE INDEX messages_by_nonce ON messages (author_id, nonce);

CREATE TABLE media_items (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  -- Relative to the media folder, with forward slashes.
  path TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('audio', 'video')),
  mime TEXT NOT NULL,
  size BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  added_at BIGINT NOT NULL,
  -- The file has left the folder; the row stays, so that its address works again when it returns.
  gone BOOLEAN NOT NULL DEFAULT FALSE
);

-- Facts about the whole server, such as its epoch.
CREATE TABLE server (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
);
