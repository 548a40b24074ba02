-- Accounts that were deleted: 0 is none, 1 one whose deletion is under way, 2 one that is gone. The row keeps the username.
ALTER TABLE users ADD COLUMN deletion INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deletions_under_way ON users (id) WHERE deletion = 1;
