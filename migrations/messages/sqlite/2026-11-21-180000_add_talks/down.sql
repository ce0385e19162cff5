DROP INDEX rooms_by_about;
ALTER TABLE rooms DROP COLUMN about_id;
ALTER TABLE rooms DROP COLUMN about_kind;
