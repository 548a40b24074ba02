-- The archive that this store was filled from, if it was: at most one row. `chunks` of its chunks are in.
CREATE TABLE imports (
    archive  TEXT    NOT NULL PRIMARY KEY,
    chunks   INTEGER NOT NULL,
    finished INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
