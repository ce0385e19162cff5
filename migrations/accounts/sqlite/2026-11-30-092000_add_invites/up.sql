CREATE TABLE invites (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  code_hash TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  made_by BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  uses BIGINT NOT NULL,
  used BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX invites_by_maker ON invites (made_by);

CREATE TABLE arrivals (
  user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  invite_id BIGINT NOT NULL REFERENCES invites (id) ON DELETE CASCADE,
  arrived_at BIGINT NOT NULL
);
CREATE INDEX arrivals_by_invite ON arrivals (invite_id, user_id);
