DROP TABLE server;
DROP TABLE media_items;
DROP TABLE messages;
DROP TABLE memberships;
DROP TABLE rooms;
