-- Ids are their 16 bytes, times are milliseconds since 1970, small enums are the numbers of column.rs and kind.rs.

CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY,
    username      TEXT    NOT NULL UNIQUE,
    display_name  TEXT    NOT NULL,
    email         TEXT,
    gender        INTEGER,
    avatar_url    TEXT,
    guest         INTEGER NOT NULL,
    password_hash TEXT,
    created_at    INTEGER NOT NULL,
    disabled      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY,
    user         BLOB    NOT NULL REFERENCES users (id),
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    user_agent   TEXT    NOT NULL,
    generation   INTEGER NOT NULL,
    current      BLOB    NOT NULL,
    previous     BLOB,
    rotated_at   INTEGER,
    revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user);

CREATE TABLE rooms (
    id           BLOB    NOT NULL PRIMARY KEY,
    head         INTEGER NOT NULL,
    member_count INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    visibility   INTEGER NOT NULL,
    archived     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    name_key     TEXT    UNIQUE,     -- NULL for direct conversations
    topic        TEXT    NOT NULL,
    owner        BLOB    REFERENCES users (id),
    code         TEXT    UNIQUE,
    peer_a       BLOB    REFERENCES users (id),
    peer_b       BLOB    REFERENCES users (id),
    UNIQUE (peer_a, peer_b)
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_in_directory ON rooms (name_key) WHERE kind = 0 AND visibility = 0 AND archived = 0;

-- A row stays when somebody goes: state 0 is a member, 1 a former one, 2 a banned one.
CREATE TABLE members (
    room      BLOB    NOT NULL REFERENCES rooms (id),
    user      BLOB    NOT NULL REFERENCES users (id),
    state     INTEGER NOT NULL,
    role      INTEGER NOT NULL,
    joined    INTEGER,              -- the seq of the entry that made the member; NULL in direct conversations
    delivered INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_user ON members (user, room) WHERE state = 0;

-- The log. The row of a message also holds how the message stands now: its text is that of the entry `edit` if there is
-- one. An id is the time of the entry, shifted, plus a number, so that ids run in the order of time (search pages by it).
-- author and room need no foreign key: an author is a member.
CREATE TABLE entries (
    id        INTEGER NOT NULL PRIMARY KEY,
    room      BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    author    BLOB    NOT NULL,
    client_id BLOB,
    target    INTEGER,              -- the seq of the message that this entry changes
    reply_to  INTEGER,
    other     BLOB,                 -- the person spoken to, removed, or given a role
    flag      INTEGER,              -- banned, archived, visibility or role
    edit      INTEGER,              -- of a message: the seq of its newest edit
    edited_at INTEGER,
    deleted   INTEGER,              -- of a message: the seq of its deletion
    pinned    INTEGER,              -- of a message: the seq of what pinned it
    files     BLOB,                 -- attachments, 16 bytes each
    text      TEXT,                 -- body, emoji, name or topic
    UNIQUE (room, seq)
) STRICT;
CREATE UNIQUE INDEX entries_once ON entries (room, author, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX entries_on_target ON entries (room, target, kind, seq) WHERE target IS NOT NULL;
CREATE INDEX events_in_room ON entries (room, seq) WHERE kind BETWEEN 5 AND 12;
-- Holds all that decides who sees a message, so that counting unread ones reads nothing else.
CREATE INDEX messages_in_room ON entries (room, seq, author, other, deleted) WHERE kind = 0;

-- `place` is the first seq from which on the emoji was there without a break: the order of emoji on a message.
CREATE TABLE reactions (
    room   BLOB    NOT NULL,
    target INTEGER NOT NULL,
    emoji  TEXT    NOT NULL,
    user   BLOB    NOT NULL,
    seq    INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (room, target, emoji, user)
) STRICT, WITHOUT ROWID;

-- The words of messages that are not deleted, by entries.id; `place` holds one word for the room. Nothing but the index is
-- kept, and what is taken out of it is overwritten.
CREATE VIRTUAL TABLE words USING fts5 (
    body, place, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);

-- One row that a health check writes to after a write has failed.
CREATE TABLE probe (n INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (0);
