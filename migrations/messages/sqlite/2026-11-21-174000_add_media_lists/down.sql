DROP TABLE media_list_items;
DROP TABLE media_lists;
