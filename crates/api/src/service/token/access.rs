//! Access tokens: JWTs of a few minutes that say which login asks. One algorithm (HS256), one header, one spelling;
//! everything else is refused. Whether the login still lives is not theirs to know.

use super::SigningKeys;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest life of an access token, in seconds.
pub const MAX_TTL_S: u64 = 3_600;
/// How far another node's clock may run ahead, in seconds. The end of a token has no leeway.
const LEEWAY_S: u64 = 5;
/// Nothing that this server made is longer.
const MAX_BYTES: usize = 4 * 1024;
const AUDIENCE: &str = "natter";
const LABEL: &str = "natter access token 1";

/// What a good token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub user: UserId,
    pub session: SessionId,
    pub expires_at: Timestamp,
    /// Of somebody without an account.
    pub guest: bool,
}

/// Why a token is refused. For the log; who shows one is told nothing but to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    #[error("not a token of this server's form")]
    Malformed,
    #[error("signed by no key that is accepted")]
    UnknownKey,
    #[error("signature, issuer, audience or claims are wrong")]
    Forged,
    #[error("expired")]
    Expired,
    #[error("not valid yet, or for longer than any token is")]
    OutOfTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    jti: String,
    typ: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    guest: bool,
    iat: u64,
    nbf: u64,
    exp: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Access,
}

struct Key {
    header: Header,
    sign: EncodingKey,
    verify: DecodingKey,
}

/// Makes and reads access tokens.
pub struct AccessTokens {
    /// The first one signs.
    keys: Vec<Key>,
    issuer: String,
    validation: Validation,
}

impl AccessTokens {
    /// `issuer` is the public URL.
    pub fn new(keys: &SigningKeys, issuer: &str) -> Self {
        let keys = keys
            .all()
            .map(|key| {
                let secret = key.derive(LABEL);
                Key {
                    header: Header { kid: Some(key.id().to_owned()), ..Header::new(Algorithm::HS256) },
                    sign: EncodingKey::from_secret(&secret),
                    verify: DecodingKey::from_secret(&secret),
                }
            })
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub"]);
        // The times are checked below, against the clock that was handed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keys, issuer: issuer.to_owned(), validation }
    }

    /// A token that ends at `expires_at`, which is cut to whole seconds. `unique` makes its id.
    pub fn sign(
        &self,
        access: Access,
        now: Timestamp,
        unique: [u8; 16],
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let now = seconds(now);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: access.user,
            sid: access.session,
            jti: uuid::Builder::from_random_bytes(unique).into_uuid().to_string(),
            typ: Kind::Access,
            guest: access.guest,
            iat: now,
            nbf: now,
            exp: seconds(access.expires_at),
        };
        let Key { header, sign, .. } = &self.keys[0];
        encode(header, &claims, sign)
    }

    /// Reads a token that is good at `now`.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Access, BadToken> {
        if token.len() > MAX_BYTES {
            return Err(BadToken::Malformed);
        }
        let header = decode_header(token).map_err(|_| BadToken::Malformed)?;
        // The whole header must be the one that this server writes for a key it holds: so neither `alg`, `jwk`, `jku`,
        // `crit` nor a clever `kid` gets any say.
        let key = self.keys.iter().find(|key| key.header == header).ok_or(BadToken::UnknownKey)?;
        let claims = decode::<Claims>(token, &key.verify, &self.validation).map_err(|_| BadToken::Forged)?.claims;
        let now = seconds(now);
        if claims.exp <= now {
            return Err(BadToken::Expired);
        }
        let latest_start = now + LEEWAY_S;
        if claims.nbf > latest_start || claims.iat > latest_start || claims.exp > latest_start + MAX_TTL_S {
            return Err(BadToken::OutOfTime);
        }
        let expires_at = i64::try_from(claims.exp).ok().and_then(|s| s.checked_mul(1_000));
        let expires_at = Timestamp::from_millis(expires_at.ok_or(BadToken::OutOfTime)?);
        Ok(Access { user: claims.sub, session: claims.sid, expires_at, guest: claims.guest })
    }
}

fn seconds(time: Timestamp) -> u64 {
    // Timestamps begin with 1970.
    u64::try_from(time.millis() / 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests;
