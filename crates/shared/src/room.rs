//! Rooms and direct conversations, their members, and the forms that change them.

use crate::account::User;
use crate::entry::Message;
use crate::error::{FieldErrors, Fields};
use crate::id::{RoomId, Seq, UserId};
use crate::text::{JoinCode, RoomName, Topic};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    Room,
    /// Between two people; made on first use, never left.
    Direct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// In the directory; everybody may join.
    Public,
    /// Known to members only; joined by its code.
    Private,
}

/// What a member may do; a later one may do all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Member,
    Admin,
    Owner,
}

/// What of a room shall call for its reader's attention. It changes nothing about what is unread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    #[default]
    Everything,
    Mentions,
    Nothing,
}

impl Notify {
    pub const fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }
}

/// A room as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Room {
    pub id: RoomId,
    pub kind: RoomKind,
    /// For a direct conversation the other one's display name.
    pub name: RoomName,
    pub topic: Topic,
    pub visibility: Visibility,
    pub archived: bool,
    pub created_at: Timestamp,
    /// Who made it; nobody for a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    pub member_count: u32,
    /// The viewer's own role; none if they are not in the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The other one of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<User>,
}

/// A room that one is in, with where one stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomOverview {
    pub room: Room,
    pub head: Seq,
    pub read: Seq,
    pub delivered: Seq,
    /// Messages of others above `read`, counted up to 999.
    pub unread: u32,
    /// Those of them that mention the reader.
    #[serde(default)]
    pub mentions: u32,
    #[serde(default, skip_serializing_if = "Notify::is_everything")]
    pub notify: Notify,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    pub user: User,
    pub role: Role,
    pub online: bool,
    pub delivered: Seq,
    pub read: Seq,
}

/// POST /rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoomForm {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub visibility: Visibility,
}

/// A new room whose fields are all well formed.
#[derive(Debug, Clone)]
pub struct NewRoom {
    pub name: RoomName,
    pub topic: Topic,
    pub visibility: Visibility,
}

impl RoomForm {
    pub fn parse(self) -> Result<NewRoom, Fields> {
        let mut errors = FieldErrors::default();
        let name = errors.check("name", RoomName::parse(&self.name));
        let topic = errors.check("topic", Topic::parse(self.topic.as_deref().unwrap_or("")));
        let visibility = self.visibility;
        errors.finish(name.zip(topic).map(|(name, topic)| NewRoom { name, topic, visibility }))
    }
}

/// PATCH /rooms/{id}. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoomPatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// A room change whose fields are all well formed.
#[derive(Debug, Clone, Default)]
pub struct RoomChange {
    pub name: Option<RoomName>,
    pub topic: Option<Topic>,
    pub visibility: Option<Visibility>,
    pub archived: Option<bool>,
}

impl RoomPatch {
    pub fn parse(self) -> Result<RoomChange, Fields> {
        let mut errors = FieldErrors::default();
        let name = errors.check_optional("name", self.name, |name| RoomName::parse(&name));
        let topic = errors.check_optional("topic", self.topic, |topic| Topic::parse(&topic));
        let change = RoomChange { name, topic, visibility: self.visibility, archived: self.archived };
        errors.finish(Some(change))
    }
}

/// POST /rooms/join, and the answer of /rooms/{id}/code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CodeForm {
    pub code: String,
}

impl CodeForm {
    pub fn parse(&self) -> Result<JoinCode, Fields> {
        let mut errors = FieldErrors::default();
        let code = errors.check("code", JoinCode::parse(&self.code));
        errors.finish(code)
    }
}

/// `PUT /rooms/{id}/members/{user_id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleForm {
    pub role: Role,
}

/// PUT /rooms/{id}/notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NotifyForm {
    pub notify: Notify,
}

/// `?ban=true` of `DELETE /rooms/{id}/members/{user_id}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct RemoveQuery {
    #[serde(default)]
    pub ban: bool,
}

/// PUT /rooms/{id}/read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadForm {
    pub seq: Seq,
}
