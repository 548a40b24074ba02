//! How passwords are kept and compared: bcrypt over a keyed hash, off the async workers and never more of them at once than
//! there are cores. What makes a good password is `strength`'s to say.
//!
//! A password is brought to NFKC, so that it is the same from every keyboard; then HMAC-SHA-384 under a pepper, in base64:
//! 64 ASCII characters, which bcrypt takes whole, whatever the length and whatever bytes the password has. The pepper is
//! derived from the signing key, so a stolen database alone cannot be guessed at. What is kept names the scheme, the
//! pepper and (inside bcrypt's own form) the cost: `natter1$<pepper id>$2b$12$…`. A hash under an older pepper or another
//! cost is replaced when its owner signs in; a key must stay in the key file as long as hashes under its pepper are left.

use super::Parts;
use super::work::{Busy, Pool};
use crate::clock::{Entropy, random};
use crate::metrics::{Bcrypt, Registry};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, Mac};
use natter_shared::text::Password;
use sha2::Sha384;
use std::sync::Arc;
use tokio::time::Instant;
use unicode_normalization::UnicodeNormalization;

const SCHEME: &str = "natter1$";
const LABEL: &str = "natter password pepper 1";

/// Why a password could not be hashed or compared. It says nothing of the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("bcrypt failed: {0}")]
    Broken(String),
}

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    Wrong,
    Right,
    /// Right, but kept under an older pepper or at another cost: hash it again.
    Outdated,
}

struct Pepper {
    id: String,
    key: [u8; 32],
}

/// Hashes and compares.
pub struct Passwords {
    /// The first one is for new hashes.
    peppers: Vec<Pepper>,
    cost: u32,
    entropy: Arc<dyn Entropy>,
    pool: Arc<Pool>,
    numbers: Bcrypt,
    /// The cost of every time that bcrypt has worked, in their order.
    #[cfg(test)]
    worked: Arc<std::sync::Mutex<Vec<u32>>>,
    /// Held while a hash is read and replaced, so that a hash made again at login never undoes a change of the password.
    pub(super) replacing: tokio::sync::Mutex<()>,
}

impl Passwords {
    pub fn new(parts: &Parts, pool: Arc<Pool>) -> Self {
        let peppers = parts.settings.keys.all();
        let peppers = peppers.map(|key| Pepper { id: key.id().to_owned(), key: key.derive(LABEL) }).collect();
        Self {
            peppers,
            cost: parts.settings.bcrypt_cost,
            entropy: parts.entropy.clone(),
            pool,
            numbers: Bcrypt::default(),
            #[cfg(test)]
            worked: Arc::default(),
            replacing: tokio::sync::Mutex::new(()),
        }
    }

    /// Puts its numbers among those that are exposed.
    pub fn register(&self, to: &mut Registry) {
        self.numbers.register(to);
    }

    /// What is to be kept of a password.
    pub async fn hash(&self, password: &Password) -> Result<String, PasswordError> {
        let pepper = &self.peppers[0];
        let digest = digest(password, &pepper.key);
        let (cost, salt) = (self.cost, random(&*self.entropy));
        let hash = self.work(cost, move || bcrypt::hash_with_salt(digest, cost, salt)).await?;
        Ok(format!("{SCHEME}{}{hash}", pepper.id))
    }

    /// Compares a password with what was kept. Where nothing was (nobody has that name), and where it cannot be compared,
    /// the answer is `Wrong` after the same work.
    pub async fn verify(&self, password: &Password, kept: Option<&str>) -> Result<Verified, PasswordError> {
        let known = kept.and_then(|kept| self.take_apart(kept));
        if kept.is_some() && known.is_none() {
            tracing::warn!("a password is kept under a pepper that no key in the key file gives");
        }
        let (pepper, hash) = match known {
            Some((pepper, hash)) => (pepper, hash.to_owned()),
            None => (&self.peppers[0], nobodys_hash(self.cost)),
        };
        let cost = cost_of(&hash);
        let outdated = pepper.id != self.peppers[0].id || cost != Some(self.cost);
        let digest = digest(password, &pepper.key);
        let right = self.work(cost.unwrap_or(0), move || bcrypt::verify(digest, &hash)).await?;
        Ok(match (right && known.is_some(), outdated) {
            (false, _) => Verified::Wrong,
            (true, false) => Verified::Right,
            (true, true) => Verified::Outdated,
        })
    }

    /// The one place where bcrypt works.
    #[cfg_attr(not(test), expect(unused_variables, reason = "tests look at what was done, not at how long it took"))]
    async fn work<T: Send + 'static>(
        &self,
        cost: u32,
        bcrypt: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T, PasswordError> {
        #[cfg(test)]
        let bcrypt = {
            let worked = Arc::clone(&self.worked);
            move || {
                worked.lock().unwrap().push(cost);
                bcrypt()
            }
        };
        let (asked, Bcrypt { wait, work, refused }) = (Instant::now(), self.numbers.clone());
        let timed = move || {
            wait.took(asked.elapsed());
            let begun = Instant::now();
            let result = bcrypt();
            work.took(begun.elapsed());
            result
        };
        let done = self.pool.run(timed).await.inspect_err(|_| {
            refused.inc();
        })?;
        done.map_err(|error| PasswordError::Broken(error.to_string()))
    }

    /// The cost of every time that bcrypt has worked since this was asked last.
    #[cfg(test)]
    pub(super) fn worked(&self) -> Vec<u32> {
        std::mem::take(&mut self.worked.lock().unwrap())
    }

    /// The pepper and bcrypt's own form; `None` if the scheme or the pepper is not known.
    fn take_apart<'a>(&'a self, kept: &'a str) -> Option<(&'a Pepper, &'a str)> {
        let rest = kept.strip_prefix(SCHEME)?;
        let (id, hash) = rest.split_at(rest.find('$')?);
        Some((self.peppers.iter().find(|pepper| pepper.id == id)?, hash))
    }
}

/// The 64 characters that bcrypt gets in place of a password.
fn digest(password: &Password, pepper: &[u8; 32]) -> String {
    let text: String = password.expose().nfkc().collect();
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha384>::new_from_slice(pepper).expect("a key of any length");
    mac.update(text.as_bytes());
    STANDARD_NO_PAD.encode(mac.finalize().into_bytes())
}

/// A hash in bcrypt's form that takes as long as any other of this cost. A password whose hash is all zeros is not known,
/// and the answer would still be `Wrong`.
fn nobodys_hash(cost: u32) -> String {
    format!("$2b${cost:02}${}", ".".repeat(53))
}

fn cost_of(hash: &str) -> Option<u32> {
    hash.split('$').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests;
