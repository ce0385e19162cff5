-- What is to be seen, in its sender's words, for those who can't see it.
ALTER TABLE attachments ADD COLUMN description TEXT NOT NULL DEFAULT '';
-- A picture that moves is shown still until somebody wants to see it move.
ALTER TABLE blobs ADD COLUMN animated BOOLEAN NOT NULL DEFAULT FALSE;
