-- Images: whose they are, and the message of their owner to which they belong.
CREATE TABLE uploads (
    id         BLOB    NOT NULL PRIMARY KEY,
    owner      BLOB    NOT NULL,
    kind       INTEGER NOT NULL,
    preview    INTEGER,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    avatar     INTEGER NOT NULL,
    room       BLOB,               -- NULL until it is sent, as is client_id
    client_id  BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_of_owner ON uploads (owner, bytes);
CREATE INDEX uploads_idle ON uploads (created_at) WHERE room IS NULL AND avatar = 0;
