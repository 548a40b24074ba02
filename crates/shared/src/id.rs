//! Newtypes for every id. On the wire an id is an opaque string; here it is a UUID that cannot be mixed up with another.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A string that is not an id in its one accepted form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid id")
    }
}

impl std::error::Error for BadId {}

/// The UUID crate also reads braces, URNs and bare hex; one id has one spelling here (but for upper case).
fn parse_hyphenated(text: &str) -> Result<Uuid, BadId> {
    if text.len() != 36 {
        return Err(BadId);
    }
    Uuid::try_parse(text).map_err(|_| BadId)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that was made from the caller's own randomness.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A version 4 id out of 16 random bytes.
            pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// An id out of its 16 stored bytes, unchanged.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of the id, as stores keep it.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                parse_hyphenated(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(
    /// A person with an account, or a guest.
    UserId
);
impl UserId {
    /// Nobody's id: whoever reads it. `@all` mentions this one.
    pub const EVERYBODY: Self = Self(Uuid::nil());
}

id!(
    /// A room or a direct conversation.
    RoomId
);
id!(
    /// One login (a family of refresh tokens).
    SessionId
);
id!(
    /// One open socket or event stream.
    ConnectionId
);
id!(
    /// Made by the client for each thing that it sends, and kept until it is acknowledged: what makes a repeat harmless.
    ClientId
);
id!(
    /// An uploaded file.
    FileId
);
id!(
    /// An event of the log for administrators.
    EventId
);

/// The bytes of a [`FileId`] that hold a picture's width and height.
const WIDTH_AT: usize = 12;
const HEIGHT_AT: usize = 14;

impl FileId {
    /// An id for a picture of that size in pixels, out of 16 random bytes. Whoever has the id can keep its place free
    /// before the picture is there (docs/adr/0014); 90 bits of it stay random.
    pub fn of_picture(bytes: [u8; 16], (width, height): (u16, u16)) -> Self {
        let mut bytes = *Self::from_random_bytes(bytes).as_bytes();
        bytes[WIDTH_AT..HEIGHT_AT].copy_from_slice(&width.to_be_bytes());
        bytes[HEIGHT_AT..].copy_from_slice(&height.to_be_bytes());
        Self::from_bytes(bytes)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u16, u16) {
        let bytes = self.as_bytes();
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        (number(WIDTH_AT), number(HEIGHT_AT))
    }
}

/// The place of an entry in its room's log: 1, 2, 3, … without gaps. 0 stands for "before the first".
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "u64", into = "u64")]
#[cfg_attr(feature = "openapi", schema(value_type = u64))]
pub struct Seq(u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);
    /// The largest integer that JSON readers in browsers keep exactly (2^53 - 1).
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Wraps a number; `None` past [`Seq::MAX`].
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    /// The seq after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The seq `n` before this one, or zero.
    #[must_use]
    pub const fn back(self, n: u64) -> Self {
        Self(self.0.saturating_sub(n))
    }

    /// The seq `n` after this one, at most [`Seq::MAX`].
    #[must_use]
    pub const fn forward(self, n: u64) -> Self {
        match Self::new(self.0.saturating_add(n)) {
            Some(seq) => seq,
            None => Self::MAX,
        }
    }
}

impl TryFrom<u64> for Seq {
    type Error = &'static str;
    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("a seq is at most 9007199254740991")
    }
}

impl From<Seq> for u64 {
    fn from(seq: Seq) -> Self {
        seq.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seq {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u64 = text.parse().map_err(|_| "a seq is a whole number from 0 to 9007199254740991")?;
        Self::try_from(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";
        assert_eq!(text.parse::<RoomId>().unwrap().to_string(), text);
        for bad in [
            "",
            "null",
            "../",
            "0b8e1a5c7d3f4a619d7e2f6f0a9c1b22",
            "{0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22}",
            "urn:uuid:0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22",
            "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b2٢",
        ] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_id_of_a_picture_says_its_size() {
        let id = FileId::of_picture([0xFF; 16], (4_096, 17));
        assert_eq!(id.size(), (4_096, 17));
        assert_eq!(id.to_string().parse::<FileId>().unwrap().size(), (4_096, 17));
        assert_ne!(id, FileId::of_picture([0xFE; 16], (4_096, 17)));
    }

    #[test]
    fn a_seq_stays_within_what_browsers_count() {
        assert_eq!(serde_json::from_str::<Seq>("9007199254740991").unwrap(), Seq::MAX);
        for bad in ["9007199254740992", "-1", "1.5", "\"1\"", "1e400", "null"] {
            assert!(serde_json::from_str::<Seq>(bad).is_err(), "{bad}");
        }
        assert_eq!(Seq::ZERO.back(3), Seq::ZERO);
        assert_eq!(Seq::MAX.forward(1), Seq::MAX);
    }
}
