-- A talk belongs to one thing, and a thing has one talk.
ALTER TABLE rooms ADD COLUMN about_kind TEXT;
ALTER TABLE rooms ADD COLUMN about_id BIGINT;
CREATE UNIQUE INDEX rooms_by_about ON rooms (about_kind, about_id);
