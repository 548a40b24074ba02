//! Integrations: programs that take part in one room. A webhook only writes, by a secret address; a bot also reads, by a
//! token and within its scopes. Each speaks as an account of its own kind, that nobody signs in to.

use crate::account::User;
use crate::error::{FieldErrors, Fields};
use crate::id::{ClientId, UserId};
use crate::text::DisplayName;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What every secret of a webhook begins with, and every token of a bot: scanners for secrets know them by it.
pub const WEBHOOK_PREFIX: &str = "natter_hook_";
pub const BOT_PREFIX: &str = "natter_bot_";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntegrationKind {
    /// Posts to a secret address.
    Webhook,
    /// Calls with a token.
    Bot,
}

/// What a bot may do in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// History and the raw log.
    #[serde(rename = "messages:read")]
    MessagesRead,
    /// Say something, change or delete what it said, react.
    #[serde(rename = "messages:write")]
    MessagesWrite,
    /// Who is in the room.
    #[serde(rename = "members:read")]
    MembersRead,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::MessagesRead, Self::MessagesWrite, Self::MembersRead];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes; a list on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Vec<Scope>))]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(u8);

impl Scopes {
    /// What a webhook may.
    pub const WRITING: Self = Self(Scope::MessagesWrite.bit());

    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        Scope::ALL.into_iter().filter(|scope| scopes.has(*scope)).collect()
    }
}

/// An integration as the administrators of its room see it. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Integration {
    /// As whom it speaks.
    pub user: User,
    pub kind: IntegrationKind,
    pub scopes: Scopes,
    pub made_by: UserId,
    /// How they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<DisplayName>,
    pub created_at: Timestamp,
    /// To the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// POST /rooms/{room}/integrations as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntegrationForm {
    pub name: String,
    pub kind: IntegrationKind,
    /// For a bot at least one; a webhook has none to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
}

impl IntegrationForm {
    pub fn parse(self) -> Result<(DisplayName, IntegrationKind, Scopes), Fields> {
        let mut errors = FieldErrors::default();
        let name = errors.check("name", DisplayName::parse(&self.name));
        let scopes = match (self.kind, Scopes::from(self.scopes)) {
            (IntegrationKind::Webhook, scopes) if scopes.is_empty() => Ok(Scopes::WRITING),
            (IntegrationKind::Webhook, _) => Err("A webhook only writes: it has no scopes to choose"),
            (IntegrationKind::Bot, scopes) if scopes.is_empty() => Err("Choose what the bot may do"),
            (IntegrationKind::Bot, scopes) => Ok(scopes),
        };
        let scopes = errors.check("scopes", scopes);
        errors.finish(name.zip(scopes).map(|(name, scopes)| (name, self.kind, scopes)))
    }
}

/// An integration that was made, with its secret: nobody can show it again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeIntegration {
    pub integration: Integration,
    pub secret: String,
}

/// Without the secret: what is printed may be kept.
impl std::fmt::Debug for MadeIntegration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeIntegration").field("integration", &self.integration).finish_non_exhaustive()
    }
}

/// POST /hooks/{secret}. What senders of such hooks add besides to say how a message shall look is taken and left aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookForm {
    pub text: String,
    /// Makes a repeat harmless, like the header `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: IntegrationKind, scopes: &[Scope]) -> IntegrationForm {
        IntegrationForm { name: "Build".to_owned(), kind, scopes: scopes.to_vec() }
    }

    #[test]
    fn a_bot_has_scopes_and_a_webhook_has_its_own() {
        let (_, _, scopes) = form(IntegrationKind::Webhook, &[]).parse().unwrap();
        assert_eq!(Vec::from(scopes), [Scope::MessagesWrite]);
        assert!(form(IntegrationKind::Webhook, &[Scope::MembersRead]).parse().unwrap_err().contains_key("scopes"));
        assert!(form(IntegrationKind::Bot, &[]).parse().unwrap_err().contains_key("scopes"));
        let twice = [Scope::MembersRead, Scope::MessagesRead, Scope::MembersRead];
        let (_, _, scopes) = form(IntegrationKind::Bot, &twice).parse().unwrap();
        assert_eq!(Vec::from(scopes), [Scope::MessagesRead, Scope::MembersRead]);
        assert!(!scopes.has(Scope::MessagesWrite));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let user = User {
            id: UserId::from_bytes([1; 16]),
            username: crate::text::Username::from_stored("bot-1".to_owned()),
            display_name: DisplayName::from_stored("Build".to_owned()),
            gender: None,
            avatar_url: None,
            guest: false,
            deleted: false,
            bot: true,
        };
        let integration = Integration {
            user,
            kind: IntegrationKind::Bot,
            scopes: Scopes::WRITING,
            made_by: UserId::from_bytes([2; 16]),
            maker: None,
            created_at: Timestamp::from_millis(0),
            last_used_at: None,
            revoked_at: None,
        };
        let made = MadeIntegration { integration, secret: "natter_bot_x".to_owned() };
        assert!(!format!("{made:?}").contains("natter_bot_x"));
    }
}
