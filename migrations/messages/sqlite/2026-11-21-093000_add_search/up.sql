-- Up to which change the search index knows the room. Those that it lags behind in are found without looking at all.
ALTER TABLE rooms ADD COLUMN indexed_rev BIGINT NOT NULL DEFAULT 0;
CREATE INDEX rooms_unindexed ON rooms (id) WHERE rev > indexed_rev;

-- What everybody may read is found without looking at what is private.
CREATE INDEX rooms_by_kind ON rooms (kind);

-- The search index is made of segments that are written once, and merged into larger ones.
CREATE TABLE search_segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  -- Half written, in use, or waiting to be removed.
  state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'retired')),
  documents BIGINT NOT NULL,
  -- When its first and its last message were posted, ms.
  oldest BIGINT NOT NULL,
  newest BIGINT NOT NULL
);

-- In which documents of a segment a word stands, room by room.
CREATE TABLE search_words (
  segment BIGINT NOT NULL,
  word TEXT NOT NULL,
  part BIGINT NOT NULL,
  postings BLOB NOT NULL,
  PRIMARY KEY (segment, word, part)
) WITHOUT ROWID;

-- Which messages the documents of a segment are, in the order of time.
CREATE TABLE search_documents (
  segment BIGINT NOT NULL,
  part BIGINT NOT NULL,
  documents BLOB NOT NULL,
  PRIMARY KEY (segment, part)
) WITHOUT ROWID;
