-- Until when the person may only read; ms.
ALTER TABLE users ADD COLUMN silenced_until BIGINT;

-- What those who look after the place have done. Names are copied: the log outlives the accounts.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  at BIGINT NOT NULL,
  deed TEXT NOT NULL,
  -- Nobody for what was done at the shell.
  actor_id BIGINT,
  actor_username TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  -- Nobody for what concerns the place.
  target_id BIGINT,
  target_username TEXT NOT NULL,
  target_name TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_by_target ON audit (target_id, id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
