//! The tables, version by version. A file is brought forward to the newest version; a newer file is refused.

use rusqlite::{Connection, Result};

/// Marks a SQLite file as Natter's (`PRAGMA application_id`): "Natt".
const APPLICATION: i64 = 0x4e61_7474;

/// What brings a file from each version to the next. A step that was released is never changed; a change is a new step.
const STEPS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
];

/// Why a file is not used.
#[derive(Debug)]
pub(super) enum Unfit {
    /// Another program's database.
    Foreign,
    /// Written by a newer version of the program.
    Newer {
        file: i64,
        known: i64,
    },
    /// Written by an older version, and not to be changed.
    Older,
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Brings the file to the newest version, in one transaction.
pub(super) fn migrate(conn: &Connection) -> Result<(), Unfit> {
    advance(conn, STEPS)
}

/// Whether a file that is only read has the tables of this version.
pub(super) fn check(conn: &Connection) -> Result<(), Unfit> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if pragma(conn, "application_id")? != APPLICATION {
        return Err(Unfit::Foreign);
    }
    match pragma(conn, "user_version")? {
        file if file > known => Err(Unfit::Newer { file, known }),
        file if file < known => Err(Unfit::Older),
        _ => Ok(()),
    }
}

fn pragma(conn: &Connection, name: &str) -> Result<i64> {
    conn.pragma_query_value(None, name, |row| row.get(0))
}

fn advance(conn: &Connection, steps: &[&str]) -> Result<(), Unfit> {
    let version = pragma(conn, "user_version")?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let empty: bool = conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if !(empty && version == 0) && pragma(conn, "application_id")? != APPLICATION {
        return Err(Unfit::Foreign);
    }
    if version > known {
        return Err(Unfit::Newer { file: version, known });
    }
    let done = usize::try_from(version).unwrap_or(0);
    if done == steps.len() {
        return Ok(());
    }
    conn.execute_batch("BEGIN EXCLUSIVE")?;
    let moved = (|| {
        for step in &steps[done..] {
            conn.execute_batch(step)?;
        }
        conn.pragma_update(None, "application_id", APPLICATION)?;
        conn.pragma_update(None, "user_version", known)?;
        conn.execute_batch("COMMIT")
    })();
    if moved.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    Ok(moved?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE things (name TEXT NOT NULL) STRICT; INSERT INTO things VALUES ('kept');";
    const SECOND: &str = "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7;";

    #[test]
    fn a_file_goes_forward_step_by_step_and_keeps_what_it_has() {
        let conn = Connection::open_in_memory().unwrap();
        advance(&conn, &[FIRST]).unwrap();
        assert_eq!(pragma(&conn, "user_version").unwrap(), 1);
        advance(&conn, &[FIRST, SECOND]).unwrap();
        advance(&conn, &[FIRST, SECOND]).unwrap();
        let row: (String, i64) =
            conn.query_row("SELECT name, size FROM things", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, ("kept".to_owned(), 7));
        assert!(matches!(advance(&conn, &[FIRST]), Err(Unfit::Newer { file: 2, known: 1 })));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let conn = Connection::open_in_memory().unwrap();
        advance(&conn, &[FIRST]).unwrap();
        assert!(matches!(advance(&conn, &[FIRST, SECOND, "CREATE TABLE things (x)"]), Err(Unfit::Sql(_))));
        assert_eq!(pragma(&conn, "user_version").unwrap(), 1);
        assert!(conn.prepare("SELECT size FROM things").is_err());
        advance(&conn, &[FIRST, SECOND]).unwrap();
    }

    #[test]
    fn another_programs_file_is_left_alone() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE albums (title)").unwrap();
        assert!(matches!(migrate(&conn), Err(Unfit::Foreign)));
    }
}
