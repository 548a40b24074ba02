//! Refresh tokens: opaque, used once. A store keeps nothing but their SHA-256.
//!
//! A token is the login's id, the generation, and an HMAC over both under a key of this system: 256 bits that nobody
//! else can guess. Being derived, the successor of a token can be given out a second time (two tabs that refresh at
//! once, an answer that was lost) without being kept anywhere, and a token that was good long ago is recognised.

use super::{SigningKeys, hmac_sha256};
use crate::store::TokenHash;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use natter_shared::id::SessionId;
use sha2::{Digest, Sha256};

const LABEL: &str = "natter refresh token 1";
const BYTES: usize = 16 + 4 + 32;
/// 52 bytes in base64.
const CHARACTERS: usize = 70;

/// A refresh token that was presented, taken apart. Nothing in it is to be believed but `was_ours` and what a store says
/// to the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    pub session: SessionId,
    pub generation: u32,
    pub hash: TokenHash,
    /// Whether this system made it, under a key that is still accepted.
    pub was_ours: bool,
}

/// Makes and reads refresh tokens.
pub struct RefreshTokens {
    /// The first one derives new tokens.
    keys: Vec<[u8; 32]>,
}

impl RefreshTokens {
    pub fn new(keys: &SigningKeys) -> Self {
        Self { keys: keys.all().map(|key| key.derive(LABEL)).collect() }
    }

    /// The token of a login at a generation.
    pub fn derive(&self, session: SessionId, generation: u32) -> String {
        token(&self.keys[0], session, generation)
    }

    /// The token of a login at a generation whose hash is `hash`: by the current key, or by an older one if keys changed
    /// since it was made.
    pub fn find(&self, session: SessionId, generation: u32, hash: TokenHash) -> Option<String> {
        self.keys.iter().map(|key| token(key, session, generation)).find(|token| hash_of(token) == hash)
    }

    /// Takes a token apart; `None` if it has not the form of one.
    pub fn read(&self, token: &str) -> Option<Presented> {
        if token.len() != CHARACTERS {
            return None;
        }
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<4>()?;
        let was_ours = self.keys.iter().any(|key| {
            let check = super::mac_sha256(key, &[session, generation]);
            check.verify_slice(mac).is_ok()
        });
        Some(Presented {
            session: SessionId::from_bytes(*session),
            generation: u32::from_be_bytes(*generation),
            hash: hash_of(token),
            was_ours,
        })
    }
}

/// What a store keeps of a token.
pub fn hash_of(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

fn token(key: &[u8; 32], session: SessionId, generation: u32) -> String {
    let generation = generation.to_be_bytes();
    let mac = hmac_sha256(key, &[session.as_bytes(), &generation]);
    URL_SAFE_NO_PAD.encode([&session.as_bytes()[..], &generation, &mac].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId::from_bytes(*b"one login's  id.")
    }

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let tokens = RefreshTokens::new(&SigningKeys::new([1; 32], []));
        let token = tokens.derive(session(), 7);
        let hash = hash_of(&token);
        assert_eq!(tokens.read(&token), Some(Presented { session: session(), generation: 7, hash, was_ours: true }));
        assert_eq!(tokens.find(session(), 7, hash).as_deref(), Some(&*token));
        assert_eq!(tokens.find(session(), 8, hash), None);
    }

    #[test]
    fn older_keys_are_recognised_and_foreign_ones_are_not() {
        let before = RefreshTokens::new(&SigningKeys::new([1; 32], []));
        let after = RefreshTokens::new(&SigningKeys::new([2; 32], [[1; 32]]));
        let other = RefreshTokens::new(&SigningKeys::new([3; 32], []));
        let token = before.derive(session(), 0);
        assert!(after.read(&token).unwrap().was_ours);
        assert!(!other.read(&token).unwrap().was_ours);
        assert_ne!(after.derive(session(), 1), before.derive(session(), 1));
        let successor = before.derive(session(), 1);
        assert_eq!(after.find(session(), 1, hash_of(&successor)), Some(successor));
    }

    #[test]
    fn a_token_has_one_spelling() {
        let tokens = RefreshTokens::new(&SigningKeys::new([1; 32], []));
        let token = tokens.derive(session(), 0);
        for bad in ["", "x", &format!("{token}="), &format!("{token}A"), &token[1..], &"é".repeat(35), &" ".repeat(70)]
        {
            assert_eq!(tokens.read(bad), None, "{bad}");
        }
        // Each changed character is either no token at all or none of ours.
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(tokens.read(&changed).is_none_or(|read| !read.was_ours), "{at}");
        }
    }
}
