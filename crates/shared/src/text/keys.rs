//! What lets people in: e-mail addresses, passwords and join codes.

use super::{Email, JoinCode, TextError, err};
use crate::limits;
use serde::{Deserialize, Serialize};
use std::fmt;

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
