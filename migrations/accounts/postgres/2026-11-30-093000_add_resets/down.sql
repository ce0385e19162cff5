DROP TABLE resets;
