//! Every text that a person types, parsed once for the form and for the server. An error is a sentence for that person.
//!
//! Requests carry plain strings and are parsed here. Deserialising one of these types parses nothing: only what the
//! server sends carries them, and a message that was deleted has an empty text.

use crate::limits;
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

/// Names nobody can register, for they mean something or somebody else.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "all",
    "api",
    "channel",
    "deleted",
    "everyone",
    "guest",
    "here",
    "me",
    "moderator",
    "natter",
    "null",
    "official",
    "operator",
    "owner",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "undefined",
];

impl Username {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return err("Choose a username");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b)) {
            return err("Only lower case letters a-z, digits and _ . - are possible");
        }
        if text.len() < limits::USERNAME_MIN {
            return err(format!("At least {} characters", limits::USERNAME_MIN));
        }
        if text.len() > limits::USERNAME_MAX {
            return err(format!("At most {} characters", limits::USERNAME_MAX));
        }
        if !text.bytes().any(|b| b.is_ascii_alphanumeric()) {
            return err("At least one letter or digit");
        }
        if RESERVED.contains(&text) {
            return err("This name is reserved. Choose another one");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a character steers text instead of showing: bidi controls, zero-width characters, byte order marks, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Drops what steers text, folds white space to single blanks, trims.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = !out.is_empty();
        } else if !is_invisible(c) {
            if blank {
                out.push(' ');
                blank = false;
            }
            out.push(c);
        }
    }
    out
}

fn name(text: &str, empty: &str) -> Result<String, TextError> {
    // Far above the limit nothing is worth cleaning first.
    if text.len() > 16 * limits::NAME_MAX {
        return err(format!("At most {} characters", limits::NAME_MAX));
    }
    let name = one_line(text);
    if name.is_empty() {
        return err(empty);
    }
    if name.chars().count() > limits::NAME_MAX {
        return err(format!("At most {} characters", limits::NAME_MAX));
    }
    Ok(name)
}

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        name(text, "Say what others shall call you").map(Self)
    }
}

impl RoomName {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        name(text, "Give the room a name").map(Self)
    }

    /// What is unique among rooms: the name without case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl Topic {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > 16 * limits::TOPIC_MAX {
            return err(format!("At most {} characters", limits::TOPIC_MAX));
        }
        let topic = one_line(text);
        if topic.chars().count() > limits::TOPIC_MAX {
            return err(format!("At most {} characters", limits::TOPIC_MAX));
        }
        Ok(Self(topic))
    }
}

impl MessageBody {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > limits::BODY_MAX_BYTES {
            return err(format!("Too long: at most {} KiB", limits::BODY_MAX_BYTES / 1024));
        }
        let body: String = text.chars().filter(|c| !(c.is_control() && *c != '\n' && *c != '\t')).collect();
        let length = body.chars().count();
        if length > limits::BODY_MAX {
            return err(format!("Too long: {length} characters, at most {}", limits::BODY_MAX));
        }
        if body.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
            return err("There is nothing in this message");
        }
        Ok(Self(body))
    }
}

impl Email {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return err("Enter your e-mail address");
        }
        if text.len() > limits::EMAIL_MAX {
            return err(format!("At most {} characters", limits::EMAIL_MAX));
        }
        let wrong = || TextError::new("This is not an e-mail address, such as name@example.org");
        let (local, host) = text.rsplit_once('@').ok_or_else(wrong)?;
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "!#$%&'*+-/=?^_`{|}~.".contains(c)
                    || (!c.is_ascii() && c.is_alphanumeric())
            });
        let host_ok = host.contains('.')
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            })
            && host.rsplit('.').next().is_some_and(|top| top.chars().count() >= 2);
        if local_ok && host_ok { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }
}

/// The letters and digits of join codes: none that look alike (0 O, 1 I L).
pub const CODE_ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

impl JoinCode {
    /// Reads a code as people type it: any case, with or without the hyphen and blanks.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::new("A code has eight letters and digits, such as K7QP-4TMD");
        if text.len() > 64 {
            return Err(wrong());
        }
        let plain: String =
            text.chars().filter(|c| *c != '-' && !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        if plain.len() != 8 || !plain.bytes().all(|b| CODE_ALPHABET.contains(&b)) {
            return Err(wrong());
        }
        Ok(Self(format!("{}-{}", &plain[..4], &plain[4..])))
    }

    /// A code out of eight random numbers.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let mut text = String::with_capacity(9);
        for (i, byte) in bytes.into_iter().enumerate() {
            if i == 4 {
                text.push('-');
            }
            text.push(char::from(CODE_ALPHABET[usize::from(byte) % CODE_ALPHABET.len()]));
        }
        Self(text)
    }
}

impl Emoji {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::new("A reaction is one emoji");
        if text.is_empty() || text.len() > limits::EMOJI_MAX_BYTES {
            return Err(wrong());
        }
        let keycap = text.ends_with('\u{20E3}');
        let part = |c: char| {
            matches!(c, '\u{200D}' | '\u{FE0F}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}')
                || (keycap && matches!(c, '0'..='9' | '#' | '*'))
        };
        let symbol = |c: char| {
            matches!(c, '\u{00A9}' | '\u{00AE}' | '\u{203C}' | '\u{2049}' | '\u{2100}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}'
                | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
        };
        if text.chars().all(|c| part(c) || symbol(c)) && (keycap || text.chars().any(symbol)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

/// A password as typed. It is neither trimmed nor shown, not even to a debugger's print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Password(String);

impl Password {
    /// A password for a new login. `minimum` counts code points and is at least [`limits::PASSWORD_MIN`] by default.
    pub fn parse(text: &str, minimum: usize) -> Result<Self, TextError> {
        let length = text.chars().count();
        if length == 0 {
            return err("Choose a password");
        }
        if length < minimum {
            return err(format!("At least {minimum} characters"));
        }
        if length > limits::PASSWORD_MAX || text.len() > limits::PASSWORD_MAX_BYTES {
            return err(format!("At most {} characters", limits::PASSWORD_MAX));
        }
        Ok(Self(text.to_owned()))
    }

    /// A password that is only compared: `None` if it is too long for any stored one.
    pub fn to_compare(text: &str) -> Option<Self> {
        let fits = text.len() <= limits::PASSWORD_MAX_BYTES && text.chars().count() <= limits::PASSWORD_MAX;
        fits.then(|| Self(text.to_owned()))
    }

    /// A password as somebody typed it into a form, not looked at yet.
    pub const fn from_typed(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for hashing and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A search text: trimmed, 1 to 64 code points.
pub fn parse_query(text: &str) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return err("Say what to search for");
    }
    if text.len() > 4 * limits::QUERY_MAX || text.chars().count() > limits::QUERY_MAX {
        return err(format!("At most {} characters", limits::QUERY_MAX));
    }
    Ok(text.chars().filter(|c| !c.is_control()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["ann", "a_b", "x.y-z", "a23", &"a".repeat(32)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "an", "Ann", "ann ", "аnn", "ann\n", "...", "admin", "null", "%00", &"a".repeat(33)] {
            assert!(Username::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_names_lose_what_steers_text() {
        assert_eq!(DisplayName::parse(" Ann\u{202E}\t\u{200B} Okafor\r\n").unwrap().as_str(), "Ann Okafor");
        for bad in ["", "  ", "\u{200B}\u{FEFF}", &"x".repeat(65)] {
            assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(DisplayName::parse(&"ü".repeat(64)).is_ok());
    }

    #[test]
    fn messages_are_kept_as_sent_but_for_control_characters() {
        assert_eq!(MessageBody::parse(" a\r\nb\t\u{0}c ").unwrap().as_str(), " a\nb\tc ");
        assert!(MessageBody::parse(&"x".repeat(4_000)).is_ok());
        assert!(MessageBody::parse(&"👍".repeat(4_000)).is_ok());
        for bad in ["", " \n\t", "\u{200B}\u{200D}", &"x".repeat(4_001), &"👍".repeat(4_097)] {
            assert!(MessageBody::parse(bad).is_err(), "{}", bad.len());
        }
    }

    #[test]
    fn emails() {
        for good in ["ann@example.org", " a.b+c@mail.example.co.uk ", "jörg@müller.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "ann", "ann@", "@b.cd", "a@b", "a b@c.de", "a@b..de", "a@-b.de", "a..b@c.de", "a@b.c", "<a>@b.de"]
        {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(JoinCode::parse(" k7qp 4tmd").unwrap().as_str(), "K7QP-4TMD");
        let made = JoinCode::from_random([0, 30, 31, 255, 7, 8, 9, 10]);
        assert_eq!(JoinCode::parse(made.as_str()).unwrap(), made);
        for bad in ["", "K7Q-4TM", "K7QP-4TM0", "ﾊﾊﾊﾊ-4TMD"] {
            assert!(JoinCode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reactions_are_emoji() {
        for good in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇸🇪", "1️⃣", "👍🏽", "☕"] {
            assert!(Emoji::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1", "<b>", "..", "👍a", "\u{200D}", &"👍".repeat(17)] {
            assert!(Emoji::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_show_themselves_to_nobody() {
        let password = Password::parse("correct horse battery", limits::PASSWORD_MIN).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert!(Password::parse("short", limits::PASSWORD_MIN).is_err());
        assert!(Password::parse(&"x".repeat(257), limits::PASSWORD_MIN).is_err());
        assert!(Password::to_compare(&"x".repeat(257)).is_none());
    }
}
