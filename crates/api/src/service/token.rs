//! The keys of this system, and the tokens that they sign: access tokens (JWT) and refresh tokens. Knows no store.

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

/// HMAC-SHA-256 over the parts, one after the other.
fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
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
            key.iter().for_each(|byte| seen[usize::from(*byte)] = true);
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
