ALTER TABLE users ADD COLUMN picture TEXT;
CREATE INDEX users_with_picture ON users (id) WHERE picture IS NOT NULL;

CREATE TABLE pictures (
  user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  mime TEXT NOT NULL,
  content BYTEA NOT NULL,
  chosen_at BIGINT NOT NULL
);
