-- Whom a message mentions, as it stands in its entry (16 bytes each), and beside it where somebody is mentioned now: what
-- counting reads. 16 zero bytes stand for everybody. A message that is edited or deleted takes its rows along.
ALTER TABLE entries ADD COLUMN mentions BLOB;
CREATE TABLE mentions (
    user   BLOB    NOT NULL,
    room   BLOB    NOT NULL,
    seq    INTEGER NOT NULL,
    author BLOB    NOT NULL,
    PRIMARY KEY (user, room, seq)
) STRICT, WITHOUT ROWID;

-- What of a room calls for somebody's attention: 0 everything, 1 mentions, 2 nothing.
ALTER TABLE members ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;
