//! Every text that a person types, parsed once for the form and for the server. An error is a sentence for that person.
//!
//! Requests carry plain strings and are parsed here. Deserialising one of these types parses nothing: only what the
//! server sends carries them, and a message that was deleted has an empty text. What each takes is in `names`, `messages`
//! and `keys`.

mod keys;
mod messages;
mod names;

pub use keys::{CODE_ALPHABET, Password};
pub use messages::parse_query;

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is refused, in words that can stand beside its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError(String);

impl TextError {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TextError {}

fn err<T>(why: impl Into<String>) -> Result<T, TextError> {
    Err(TextError::new(why))
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text that was parsed before it was stored; it is not looked at again.
            pub const fn from_stored(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// The unique name of a person: lower case ASCII `[a-z0-9_.-]{3,32}`, none of the reserved names.
    Username
);
text!(
    /// What a person is called on the screen: at most 64 code points, without control, bidi or zero-width characters.
    DisplayName
);
text!(
    /// A room's name: like a display name. Two names that differ in case only are the same ([`RoomName::key`]).
    RoomName
);
text!(
    /// What a room is about: at most 250 code points, may be empty.
    Topic
);
text!(
    /// The text of a message: 1 to 4 000 code points, at most 16 KiB, not only white space.
    MessageBody
);
text!(
    /// An e-mail address: something, `@`, a host with a dot.
    Email
);
text!(
    /// A room's join code, `XXXX-XXXX`.
    JoinCode
);
text!(
    /// One reaction: an emoji.
    Emoji
);

#[cfg(test)]
mod tests;
