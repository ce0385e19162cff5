-- Postgres keeps figures of its own.
SELECT 1;
