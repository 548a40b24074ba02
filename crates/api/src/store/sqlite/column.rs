//! How ids, seqs, times and small enums are spelled in columns, and read back.

use natter_shared::account::Gender;
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, EventId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::room::{Notify, Role, RoomKind, Visibility};
use natter_shared::timestamp::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{Error, Result, Row};

/// An id that is stored as its 16 bytes.
pub(super) trait Id: Sized {
    fn from_stored(bytes: [u8; 16]) -> Self;
}

macro_rules! ids {
    ($($name:ident),*) => {
        $(impl Id for $name {
            fn from_stored(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        })*
    };
}
ids!(ClientId, EventId, FileId, RoomId, SessionId, UserId);

pub(super) fn id<T: Id>(row: &Row<'_>, at: usize) -> Result<T> {
    row.get(at).map(T::from_stored)
}

pub(super) fn id_or_none<T: Id>(row: &Row<'_>, at: usize) -> Result<Option<T>> {
    Ok(row.get::<_, Option<[u8; 16]>>(at)?.map(T::from_stored))
}

/// A seq as SQLite's integer; every seq fits.
pub(super) const fn int(seq: Seq) -> i64 {
    seq.get().cast_signed()
}

fn to_seq(at: usize, number: i64) -> Result<Seq> {
    u64::try_from(number).ok().and_then(Seq::new).ok_or(Error::IntegralValueOutOfRange(at, number))
}

pub(super) fn seq(row: &Row<'_>, at: usize) -> Result<Seq> {
    to_seq(at, row.get(at)?)
}

pub(super) fn seq_or_none(row: &Row<'_>, at: usize) -> Result<Option<Seq>> {
    row.get::<_, Option<i64>>(at)?.map(|number| to_seq(at, number)).transpose()
}

pub(super) fn time(row: &Row<'_>, at: usize) -> Result<Timestamp> {
    row.get(at).map(Timestamp::from_millis)
}

pub(super) fn time_or_none(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis))
}

/// A text that was parsed before it was stored.
pub(super) fn text<T>(row: &Row<'_>, at: usize, of: impl FnOnce(String) -> T) -> Result<T> {
    row.get(at).map(of)
}

pub(super) fn text_or_none<T>(row: &Row<'_>, at: usize, of: impl FnOnce(String) -> T) -> Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(at)?.map(of))
}

/// A small enum that is stored as a number.
pub(super) trait Code: Copy + Sized + 'static {
    const ALL: &'static [Self];
    fn code(self) -> i64;
    fn of(code: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.code() == code)
    }
}

impl Code for Gender {
    const ALL: &'static [Self] = &[Self::Female, Self::Male, Self::Other];
    fn code(self) -> i64 {
        match self {
            Self::Female => 0,
            Self::Male => 1,
            Self::Other => 2,
        }
    }
}

impl Code for ImageKind {
    const ALL: &'static [Self] = &[Self::Png, Self::Jpeg, Self::Gif];
    fn code(self) -> i64 {
        match self {
            Self::Png => 0,
            Self::Jpeg => 1,
            Self::Gif => 2,
        }
    }
}

impl Code for RoomKind {
    const ALL: &'static [Self] = &[Self::Room, Self::Direct];
    fn code(self) -> i64 {
        match self {
            Self::Room => 0,
            Self::Direct => 1,
        }
    }
}

impl Code for Visibility {
    const ALL: &'static [Self] = &[Self::Public, Self::Private];
    fn code(self) -> i64 {
        match self {
            Self::Public => 0,
            Self::Private => 1,
        }
    }
}

impl Code for Role {
    const ALL: &'static [Self] = &[Self::Member, Self::Admin, Self::Owner];
    fn code(self) -> i64 {
        match self {
            Self::Member => 0,
            Self::Admin => 1,
            Self::Owner => 2,
        }
    }
}

impl Code for Notify {
    const ALL: &'static [Self] = &[Self::Everything, Self::Mentions, Self::Nothing];
    fn code(self) -> i64 {
        match self {
            Self::Everything => 0,
            Self::Mentions => 1,
            Self::Nothing => 2,
        }
    }
}

pub(super) fn code<T: Code>(row: &Row<'_>, at: usize) -> Result<T> {
    let number = row.get(at)?;
    T::of(number).ok_or(Error::IntegralValueOutOfRange(at, number))
}

pub(super) fn code_or_none<T: Code>(row: &Row<'_>, at: usize) -> Result<Option<T>> {
    let number: Option<i64> = row.get(at)?;
    number.map(|number| T::of(number).ok_or(Error::IntegralValueOutOfRange(at, number))).transpose()
}

/// Ids in a blob of 16 bytes each; none at all is no blob.
pub(super) fn blob<'a>(ids: impl Iterator<Item = &'a [u8; 16]>) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = ids.flatten().copied().collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// The ids in such a blob, in their order.
pub(super) fn id_list<T: Id>(row: &Row<'_>, at: usize) -> Result<Vec<T>> {
    let bytes: Option<Vec<u8>> = row.get(at)?;
    Ok(bytes.unwrap_or_default().as_chunks::<16>().0.iter().map(|chunk| T::from_stored(*chunk)).collect())
}

/// A number of things.
pub(super) fn count(row: &Row<'_>, at: usize) -> Result<usize> {
    let number: i64 = row.get(at)?;
    usize::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(at, number))
}

/// A column of any type that SQLite knows.
pub(super) fn plain<T: FromSql>(row: &Row<'_>) -> Result<T> {
    row.get(0)
}
