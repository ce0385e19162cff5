-- How far somebody has got in an item.
CREATE TABLE media_positions (
  user_id BIGINT NOT NULL,
  media_id BIGINT NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  -- Milliseconds from the beginning.
  position BIGINT NOT NULL,
  -- How long the item is by the player's own count, ms; 0 where it didn't say.
  length BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, media_id)
) WITHOUT ROWID;
CREATE INDEX media_positions_by_item ON media_positions (media_id);
