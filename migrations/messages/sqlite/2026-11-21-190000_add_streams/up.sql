-- Live streams. What is sent into them is kept in memory alone.
CREATE TABLE streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  -- Empty for the name itself.
  title TEXT NOT NULL,
  -- Everybody may watch it, signed in or not.
  public BOOLEAN NOT NULL,
  -- Who made it; nobody where that was the shell.
  user_id BIGINT,
  -- SHA-256, as hexadecimal digits, of the key that its source has.
  key_hash TEXT NOT NULL,
  -- The same of the token for players.
  token_hash TEXT,
  -- What is declared of its readings, as JSON.
  fields TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX streams_by_user ON streams (user_id);
