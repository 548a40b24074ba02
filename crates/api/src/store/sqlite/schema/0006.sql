-- Programs that take part in a room: what makes a bot of a person.
ALTER TABLE users ADD COLUMN bot INTEGER NOT NULL DEFAULT 0;

CREATE TABLE integrations (
    user         BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    room         BLOB    NOT NULL,
    kind         INTEGER NOT NULL,
    scopes       INTEGER NOT NULL,   -- a bit for each
    secret       BLOB    NOT NULL UNIQUE,
    made_by      BLOB    NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX integrations_of_room ON integrations (room);
