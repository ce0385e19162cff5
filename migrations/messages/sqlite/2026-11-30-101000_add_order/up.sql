-- Seconds between two messages of one person; 0 for no slow mode.
ALTER TABLE rooms ADD COLUMN slow_seconds INTEGER NOT NULL DEFAULT 0;

-- When somebody wrote last in a room in slow mode; other rooms have no rows.
CREATE TABLE paces (
  room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL,
  posted_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;

CREATE TABLE filter_words (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  word TEXT NOT NULL,
  -- The folded word.
  word_key TEXT NOT NULL UNIQUE,
  effect TEXT NOT NULL CHECK (effect IN ('refuse', 'report')),
  added_at BIGINT NOT NULL
);

-- Taking down what one person wrote, and bringing it back.
CREATE TABLE takedowns (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  user_id BIGINT NOT NULL,
  ordered_by BIGINT NOT NULL,
  ordered_at BIGINT NOT NULL,
  -- What was written before stays; ms.
  since BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('taking', 'taken', 'returning', 'returned', 'gone')),
  -- The last nonce that was looked at.
  reached TEXT NOT NULL DEFAULT '',
  messages BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX takedowns_by_user ON takedowns (user_id, id);
CREATE INDEX takedowns_by_state ON takedowns (state, ordered_at);

-- Messages that are taken down, as they were.
CREATE TABLE taken_down (
  takedown_id BIGINT NOT NULL REFERENCES takedowns (id) ON DELETE CASCADE,
  room_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  title TEXT,
  text TEXT NOT NULL,
  html TEXT,
  edited_at BIGINT,
  pinned BOOLEAN NOT NULL,
  to_all BOOLEAN NOT NULL,
  reactions TEXT,
  attachments TEXT,
  -- Whom it called by name: a JSON array of ids.
  mentions TEXT NOT NULL,
  PRIMARY KEY (takedown_id, room_id, seq)
) WITHOUT ROWID;
CREATE INDEX taken_down_by_room ON taken_down (room_id, seq);

-- The desk shows the open ones, or the others, the latest first.
CREATE INDEX reports_open ON reports (id) WHERE resolved_at IS NULL;
CREATE INDEX reports_done ON reports (id) WHERE resolved_at IS NOT NULL;
