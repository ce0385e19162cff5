-- The rules that raise alarms, one a line.
ALTER TABLE streams ADD COLUMN alarms TEXT NOT NULL DEFAULT '';
-- A sample has come since they were set: silence is counted after a restart too.
ALTER TABLE streams ADD COLUMN sampled BOOLEAN NOT NULL DEFAULT FALSE;

-- Alarms that were raised. What is said of each in the stream's talk is found by its number.
CREATE TABLE alarms (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  stream_id BIGINT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  -- As it stood among the stream's rules then.
  rule TEXT NOT NULL,
  -- Whose number raised it, and that number with its unit; empty where none did.
  reading TEXT NOT NULL,
  value TEXT NOT NULL,
  raised_at BIGINT NOT NULL,
  over_at BIGINT,
  -- It is over because its rule was taken away.
  retired BOOLEAN NOT NULL DEFAULT FALSE,
  acknowledged_at BIGINT,
  acknowledged_by BIGINT,
  -- Their display name then.
  acknowledged_name TEXT
);
CREATE INDEX alarms_by_stream ON alarms (stream_id, id);
