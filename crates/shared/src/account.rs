//! People and their logins: profiles, forms and what they parse to.

use crate::error::{FieldErrors, Fields};
use crate::id::{SessionId, UserId};
use crate::text::{DisplayName, Email, JoinCode, Password, Username};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Picks the drawn picture of somebody without an own one, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    Female,
    Male,
    Other,
}

/// A person as everybody may see them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub display_name: DisplayName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Came by a room's code, without an account.
    #[serde(default)]
    pub guest: bool,
    /// The account was deleted: nothing says any more who this was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// A program that takes part in a room: see [`crate::integration`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

impl User {
    /// What everybody sees of a person whose account was deleted. Nobody can have that username, for it is reserved.
    #[must_use]
    pub fn erased(id: UserId) -> Self {
        Self {
            id,
            username: Username::from_stored("deleted".to_owned()),
            display_name: DisplayName::from_stored("Deleted user".to_owned()),
            gender: None,
            avatar_url: None,
            guest: false,
            deleted: true,
            bot: false,
        }
    }
}

/// A person as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    #[serde(flatten)]
    pub user: User,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    pub created_at: Timestamp,
    /// An administrator of the server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

/// The answer to register, login and refresh. The refresh token itself is a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub access_token: String,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    pub user: User,
    /// An administrator of the server, as far as this login knows: what it decides is what is shown, not what is allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

/// One of one's own logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionInfo {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    /// The browser as it names itself, shortened.
    pub user_agent: String,
    /// Whether this is the login that asks.
    pub current: bool,
}

/// POST /auth/register as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterForm {
    pub username: String,
    pub email: String,
    pub password: Password,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
}

/// A registration whose fields are all well formed.
#[derive(Debug, Clone)]
pub struct Registration {
    pub username: Username,
    pub email: Email,
    pub password: Password,
    /// The username if none was given.
    pub display_name: DisplayName,
    pub gender: Option<Gender>,
}

impl RegisterForm {
    /// Checks all fields at once; `password_min` counts code points.
    pub fn parse(self, password_min: usize) -> Result<Registration, Fields> {
        let mut errors = FieldErrors::default();
        let username = errors.check("username", Username::parse(&self.username));
        let email = errors.check("email", Email::parse(&self.email));
        let password = errors.check("password", Password::parse(self.password.expose(), password_min));
        let shown = self.display_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&self.username);
        // A display name that was not typed follows the username and has no errors of its own.
        let display_name = if errors.is_empty() || self.display_name.is_some() {
            errors.check("display_name", DisplayName::parse(shown))
        } else {
            None
        };
        let gender = self.gender;
        let parsed = (|| {
            Some(Registration {
                username: username?,
                email: email?,
                password: password?,
                display_name: display_name?,
                gender,
            })
        })();
        errors.finish(parsed)
    }
}

/// POST /auth/guest: in by a room's code, without an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuestForm {
    pub display_name: String,
    pub code: String,
}

impl GuestForm {
    pub fn parse(&self) -> Result<(DisplayName, JoinCode), Fields> {
        let mut errors = FieldErrors::default();
        let display_name = errors.check("display_name", DisplayName::parse(&self.display_name));
        let code = errors.check("code", JoinCode::parse(&self.code));
        errors.finish(display_name.zip(code))
    }
}

/// POST /auth/login. The username is not parsed: a name nobody can have is just a wrong one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginForm {
    pub username: String,
    pub password: Password,
}

/// POST /auth/password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    pub current: Password,
    pub new: Password,
}

/// DELETE /me.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountDeletion {
    /// The current password; guests have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// POST /auth/check: what a form wants to know while it is filled in. Every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// The answer: what is wrong so far, and how well the password resists guessing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckAnswer {
    pub fields: Fields,
    /// Free usernames near a taken one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<Username>,
    /// zxcvbn's score, 0 to 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_score: Option<u8>,
    /// How to make the password better, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_advice: Option<String>,
}

/// PATCH /me. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfilePatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
}

/// A profile change whose fields are all well formed.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    pub display_name: Option<DisplayName>,
    pub email: Option<Email>,
    pub gender: Option<Gender>,
}

impl ProfilePatch {
    pub fn parse(self) -> Result<ProfileChange, Fields> {
        let mut errors = FieldErrors::default();
        let display_name = errors.check_optional("display_name", self.display_name, |name| DisplayName::parse(&name));
        let email = errors.check_optional("email", self.email, |email| Email::parse(&email));
        errors.finish(Some(ProfileChange { display_name, email, gender: self.gender }))
    }
}

/// The `{}` that refresh and logout take: a body that a cross-site form cannot send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Empty {}
