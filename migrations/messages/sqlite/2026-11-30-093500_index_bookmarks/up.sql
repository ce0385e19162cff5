-- What goes with a deleted room is found by the room: without it, every piece of that room walks through everybody's.
CREATE INDEX bookmarks_by_message ON bookmarks (room_id, seq);
