DROP INDEX blobs_by_age;
DROP INDEX attachments_unsent;
