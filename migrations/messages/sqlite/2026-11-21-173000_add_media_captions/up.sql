-- What is said in an item, to be read while it plays; one for each language.
CREATE TABLE media_captions (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  media_id BIGINT NOT NULL REFERENCES media_items (id) ON DELETE CASCADE,
  -- BCP 47.
  language TEXT NOT NULL,
  -- As its readers call the language.
  label TEXT NOT NULL,
  -- Shown unless somebody chose otherwise.
  usual BOOLEAN NOT NULL,
  -- WebVTT, written anew from what was understood.
  vtt TEXT NOT NULL,
  added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX media_captions_by_language ON media_captions (media_id, language);

-- Each caption, to be found by its words.
CREATE TABLE media_cues (
  caption_id BIGINT NOT NULL REFERENCES media_captions (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  media_id BIGINT NOT NULL,
  -- Milliseconds from the beginning.
  start BIGINT NOT NULL,
  text TEXT NOT NULL,
  folded TEXT NOT NULL,
  PRIMARY KEY (caption_id, number)
) WITHOUT ROWID;
CREATE INDEX media_cues_by_item ON media_cues (media_id, start);

-- Title, description and tags, folded, a line for each: to be found by, and in the order of titles. Empty until somebody
-- looks: the program folds better than a database does.
ALTER TABLE media_items ADD COLUMN folded TEXT NOT NULL DEFAULT '';
CREATE INDEX media_items_by_title ON media_items (folded, id);
