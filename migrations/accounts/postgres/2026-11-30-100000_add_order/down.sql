DROP TABLE audit;
DROP FUNCTION audit_stays();
ALTER TABLE users DROP COLUMN silenced_until;
