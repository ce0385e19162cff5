DROP TRIGGER audit_is_kept;
DROP TRIGGER audit_stays;
DROP TABLE audit;
ALTER TABLE users DROP COLUMN silenced_until;
