-- With the author, so that calls are counted from the index alone: one's own are none.
DROP INDEX messages_to_all;
CREATE INDEX messages_to_all ON messages (room_id, seq, author_id) WHERE to_all;
