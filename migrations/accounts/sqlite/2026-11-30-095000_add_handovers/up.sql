CREATE TABLE handovers (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  number INTEGER,
  claim_hash TEXT,
  device TEXT NOT NULL DEFAULT '',
  allowed BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX handovers_by_user ON handovers (user_id);
CREATE INDEX handovers_by_expiry ON handovers (expires_at);
