DROP INDEX media_items_by_title;
CREATE INDEX media_items_by_title ON media_items (folded, id);
