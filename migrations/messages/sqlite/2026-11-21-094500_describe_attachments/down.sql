ALTER TABLE blobs DROP COLUMN animated;
ALTER TABLE attachments DROP COLUMN description;
