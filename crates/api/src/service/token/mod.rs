//! The keys of this system, and the tokens that they sign: access tokens (JWT) and refresh tokens. Knows no store.

pub mod access;
pub mod refresh;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt;

/// A secret of 32 bytes and the name by which tokens call it. Every use has its own key, derived by a label, so that no
/// token of one kind can ever pass for another.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: [u8; 32],
}

impl SigningKey {
    fn new(secret: [u8; 32]) -> Self {
        let digest = Sha256::digest(secret);
        let id = digest[..4].iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
        Self { id, secret }
    }

    /// The first eight hex digits of the secret's SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key for one purpose.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        hmac_sha256(&self.secret, &[label.as_bytes()])
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// HMAC-SHA-256 over the parts, one after the other; still to be finished or compared.
fn mac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    mac_sha256(key, parts).finalize().into_bytes().into()
}

/// What is wrong with a key file, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error("it holds no key; a key is a line of 64 hexadecimal characters, such as `openssl rand -hex 32` prints")]
    Empty,
    #[error("line {0} is not a key of 64 hexadecimal characters, such as `openssl rand -hex 32` prints")]
    NotHex(usize),
    #[error("line {0} is no secret but a pattern; make one with `openssl rand -hex 32`")]
    Pattern(usize),
}

/// The key that signs, and older ones that are still accepted.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    current: SigningKey,
    older: Vec<SigningKey>,
}

impl SigningKeys {
    pub fn new(current: [u8; 32], older: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self { current: SigningKey::new(current), older: older.into_iter().map(SigningKey::new).collect() }
    }

    /// Reads a key file: the first line signs, further ones are accepted. Empty lines and lines with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        let mut keys = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let key = unhex(text).ok_or(BadKeys::NotHex(line + 1))?;
            // Sixteen different bytes are certain in a random key and rare in one that somebody typed.
            let mut seen = [false; 256];
            for byte in key {
                seen[usize::from(byte)] = true;
            }
            let even_steps = key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == key[1].wrapping_sub(key[0]));
            if even_steps || seen.iter().filter(|seen| **seen).count() < 16 {
                return Err(BadKeys::Pattern(line + 1));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(BadKeys::Empty)?;
        Ok(Self::new(current, keys))
    }

    /// The key that signs.
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// The key of that id, if it is accepted.
    pub fn find(&self, id: &str) -> Option<&SigningKey> {
        self.all().find(|key| key.id == id)
    }

    /// All accepted keys, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "8f1c5e02a94b7d36e0c1f2587ab3946dd12e7f08b5a3c6914e2d7f60813bca59";
    const OLDER: &str = "03A7D5E8C1B94F62807EADC3519B26F4E78D0C3A5B9162F48D7E30CA5B16F294";

    #[test]
    fn a_key_file_is_read_line_by_line() {
        let keys = SigningKeys::parse(&format!("# the newest first\n{KEY}\r\n\n  {OLDER}\n")).unwrap();
        assert_eq!(keys.all().count(), 2);
        let id = keys.current().id();
        assert_eq!(id.len(), 8);
        assert_eq!(keys.find(id).unwrap().id(), id);
        assert!(keys.find("../../dev/null").is_none());
        assert_ne!(keys.current().derive("a"), keys.current().derive("b"));
        assert!(!format!("{keys:?}").contains(&KEY[..16]));
    }

    #[test]
    fn a_key_file_without_a_secret_is_refused() {
        let counting = (0..32).fold(String::new(), |key, byte| format!("{key}{byte:02x}"));
        for (text, why) in [
            (String::new(), BadKeys::Empty),
            ("# nothing\n\n".to_owned(), BadKeys::Empty),
            (format!("{KEY}\n{}", &OLDER[1..]), BadKeys::NotHex(2)),
            (format!("{KEY}00"), BadKeys::NotHex(1)),
            ("change me".to_owned(), BadKeys::NotHex(1)),
            ("é".repeat(32), BadKeys::NotHex(1)),
            ("0".repeat(64), BadKeys::Pattern(1)),
            ("0123456789abcdef".repeat(4), BadKeys::Pattern(1)),
            ("deadbeef".repeat(8), BadKeys::Pattern(1)),
            (counting, BadKeys::Pattern(1)),
        ] {
            assert_eq!(SigningKeys::parse(&text).unwrap_err(), why, "{text}");
        }
    }
}
