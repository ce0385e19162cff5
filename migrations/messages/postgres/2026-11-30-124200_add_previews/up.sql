-- What the page that the message leads to says of itself, as JSON; `false` where somebody took that off.
ALTER TABLE messages ADD COLUMN preview TEXT;
