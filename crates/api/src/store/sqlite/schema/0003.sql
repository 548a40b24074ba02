-- Administrators of the server, when people signed in last, and the log of events: what operators look at.
ALTER TABLE users ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN last_login_at INTEGER;
CREATE INDEX administrators ON users (username) WHERE admin = 1;

-- Ids are random: events are in the order of their time, and of their ids within a millisecond.
CREATE TABLE events (
    at      INTEGER NOT NULL,
    id      BLOB    NOT NULL,
    kind    TEXT    NOT NULL,      -- the word that the wire uses
    user    BLOB,
    other   BLOB,
    room    BLOB,
    session BLOB,
    ip      TEXT,
    what    TEXT,
    count   INTEGER NOT NULL,
    PRIMARY KEY (at, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_of_kind ON events (kind, at, id, count);
CREATE INDEX events_of_user ON events (user, at, id) WHERE user IS NOT NULL;
CREATE INDEX events_of_other ON events (other, at, id) WHERE other IS NOT NULL;
