-- Items in an order that somebody chose.
CREATE TABLE media_lists (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  -- Who made it, and alone may change it.
  user_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- Everybody sees it.
  public BOOLEAN NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE INDEX media_lists_by_user ON media_lists (user_id);

CREATE TABLE media_list_items (
  list_id BIGINT NOT NULL REFERENCES media_lists (id) ON DELETE CASCADE,
  media_id BIGINT NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  -- What comes first has the least.
  position BIGINT NOT NULL,
  PRIMARY KEY (list_id, media_id)
) WITHOUT ROWID;
CREATE INDEX media_list_items_by_item ON media_list_items (media_id);
