DROP TABLE tokens;
DROP INDEX users_by_private_key;
ALTER TABLE users DROP COLUMN last_seen_at;
ALTER TABLE users DROP COLUMN direct_only_by_key;
ALTER TABLE users DROP COLUMN private_key_hash;
