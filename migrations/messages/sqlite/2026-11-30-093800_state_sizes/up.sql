-- Without figures SQLite takes a room for ten messages, and walks through it where an index would find what is pinned or
-- belongs to a thread. These are the proportions of a large place; in a small one any way is quick.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('messages', 'messages', '5000000 2000 1'),
  ('messages', 'messages_by_rev', '5000000 2000 1'),
  ('messages', 'messages_by_nonce', '5000000 500 1'),
  ('messages', 'messages_by_thread', '500000 200 5 1'),
  ('messages', 'messages_pinned', '2000 10 1'),
  ('messages', 'messages_to_all', '5000 10 1 1');
ANALYZE sqlite_schema;
