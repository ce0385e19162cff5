-- Work that is done in the background and survives the program. What is done leaves no row.
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  kind TEXT NOT NULL,
  -- What it is about: at most one job of a kind for each.
  subject BIGINT NOT NULL,
  -- What the kind's own code reads, JSON.
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'failed')),
  -- How often it was begun.
  attempts INTEGER NOT NULL,
  -- Percent.
  progress INTEGER NOT NULL,
  error TEXT,
  queued_at BIGINT NOT NULL,
  -- Waiting: not begun before. Running: whoever has it must have said by then that they still live.
  due_at BIGINT NOT NULL,
  -- 128 random bits of whoever runs it.
  lease TEXT
);
CREATE UNIQUE INDEX jobs_by_subject ON jobs (kind, subject);
CREATE INDEX jobs_by_due ON jobs (state, due_at);

-- How its preparation stands; nothing before anybody looked.
ALTER TABLE media_items ADD COLUMN state TEXT CHECK (state IN ('waiting', 'preparing', 'ready', 'failed'));
-- Percent.
ALTER TABLE media_items ADD COLUMN progress INTEGER NOT NULL DEFAULT 0;
-- Why it failed, one sentence.
ALTER TABLE media_items ADD COLUMN error TEXT;
-- Milliseconds.
ALTER TABLE media_items ADD COLUMN duration BIGINT;
-- Pixels as shown: turned and stretched as the file says.
ALTER TABLE media_items ADD COLUMN width INTEGER;
ALTER TABLE media_items ADD COLUMN height INTEGER;
-- Those of the file, JSON: [{"start": ms, "title": text}].
ALTER TABLE media_items ADD COLUMN chapters TEXT;
-- What was found in the file and made of it, JSON; it names the files in the folder of products.
ALTER TABLE media_items ADD COLUMN prepared TEXT;
-- When its file left the folder, ms.
ALTER TABLE media_items ADD COLUMN gone_at BIGINT;
