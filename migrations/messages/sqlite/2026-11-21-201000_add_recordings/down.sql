DROP TABLE recordings;
ALTER TABLE media_uploads DROP COLUMN audience;
ALTER TABLE streams DROP COLUMN recorder;
