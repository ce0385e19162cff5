DROP INDEX bookmarks_by_message;
