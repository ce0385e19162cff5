DROP INDEX messages_to_all;
CREATE INDEX messages_to_all ON messages (room_id, seq) WHERE to_all;
