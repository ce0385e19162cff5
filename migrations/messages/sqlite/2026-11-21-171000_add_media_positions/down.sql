DROP TABLE media_positions;
