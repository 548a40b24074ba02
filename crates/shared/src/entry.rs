//! The room log: everything that happens in a room is an entry with the next seq. A message as the page shows it is an
//! entry with all later entries that target it applied.

use crate::account::{Gender, User};
use crate::error::{FieldErrors, Fields};
use crate::id::{ClientId, FileId, RoomId, Seq, UserId};
use crate::limits;
use crate::room::{Role, Visibility};
use crate::text::{DisplayName, Emoji, MessageBody, RoomName, Topic, Username};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Who made an entry, as they were called when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Author {
    pub id: UserId,
    pub username: Username,
    pub display_name: DisplayName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Without an account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// The account was deleted: nothing says any more who this was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// A program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
}

impl From<User> for Author {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            gender: user.gender,
            guest: user.guest,
            deleted: user.deleted,
            bot: user.bot,
        }
    }
}

/// One thing that happened in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Entry {
    pub room: RoomId,
    pub seq: Seq,
    pub at: Timestamp,
    pub author: Author,
    /// What the author's client called it; shown to the author only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(flatten)]
    pub what: EntryKind,
}

/// What happened. `target` is the seq of the message that an entry changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    Message(MessageContent),
    Edited {
        target: Seq,
        body: MessageBody,
        /// Whom the new text mentions; see [`MessageContent::mentions`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<UserId>,
    },
    /// The target's text is blanked in the log as well.
    Deleted {
        target: Seq,
    },
    Reacted {
        target: Seq,
        emoji: Emoji,
    },
    Unreacted {
        target: Seq,
        emoji: Emoji,
    },
    /// The author came in.
    Joined,
    /// The author went out.
    Left,
    /// The author removed somebody.
    Removed {
        user: UserId,
        banned: bool,
    },
    /// The author lets somebody who was banned come back.
    Unbanned {
        user: UserId,
    },
    Renamed {
        name: RoomName,
    },
    Topic {
        topic: Topic,
    },
    Visibility {
        visibility: Visibility,
    },
    Archived {
        archived: bool,
    },
    Role {
        user: UserId,
        role: Role,
    },
    Pinned {
        target: Seq,
    },
    Unpinned {
        target: Seq,
    },
    /// Somebody wrote to somebody else only: the seq is taken, the rest is not for this reader.
    Withheld,
    /// A kind that this build does not know; its seq counts.
    #[serde(other)]
    Unknown,
}

impl EntryKind {
    /// A changed text of a message, before it is known whom it mentions.
    pub const fn edited(target: Seq, body: MessageBody) -> Self {
        Self::Edited { target, body, mentions: Vec::new() }
    }

    /// The seq of the message that this entry changes.
    pub const fn target(&self) -> Option<Seq> {
        match self {
            Self::Edited { target, .. }
            | Self::Deleted { target }
            | Self::Reacted { target, .. }
            | Self::Unreacted { target, .. }
            | Self::Pinned { target }
            | Self::Unpinned { target } => Some(*target),
            Self::Message(_)
            | Self::Joined
            | Self::Left
            | Self::Removed { .. }
            | Self::Unbanned { .. }
            | Self::Renamed { .. }
            | Self::Topic { .. }
            | Self::Visibility { .. }
            | Self::Archived { .. }
            | Self::Role { .. }
            | Self::Withheld
            | Self::Unknown => None,
        }
    }

    /// Whether a timeline shows this entry as a line of its own beside the messages.
    pub const fn is_event(&self) -> bool {
        matches!(
            self,
            Self::Joined
                | Self::Left
                | Self::Removed { .. }
                | Self::Unbanned { .. }
                | Self::Renamed { .. }
                | Self::Topic { .. }
                | Self::Visibility { .. }
                | Self::Archived { .. }
                | Self::Role { .. }
                | Self::Pinned { .. }
        )
    }
}

impl Entry {
    /// This entry as `reader` may see it: a whisper between others keeps its seq and time and loses the rest, and only
    /// the author sees the client id.
    #[must_use]
    pub fn seen_by(&self, reader: UserId) -> Self {
        let own = self.author.id == reader;
        match &self.what {
            EntryKind::Message(MessageContent { to: Some(to), .. }) if !own && *to != reader => {
                Self { client_id: None, what: EntryKind::Withheld, ..self.clone() }
            }
            _ if own => self.clone(),
            _ => Self { client_id: None, ..self.clone() },
        }
    }
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageContent {
    /// Empty in the log once the message is deleted.
    pub body: MessageBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<FileId>,
    /// The only other person who sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
    /// Whom the text mentions, as the server found when it was written: members at that time, never its author. It is
    /// [`UserId::EVERYBODY`] alone for all who read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

impl MessageContent {
    /// Whether the text calls this person, who has not written it.
    pub fn mentions(&self, user: UserId) -> bool {
        self.mentions.iter().any(|it| *it == user || *it == UserId::EVERYBODY)
    }
}

/// A message as it stands now: edits, deletion, reactions and pins applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    pub room: RoomId,
    pub seq: Seq,
    pub at: Timestamp,
    pub author: Author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(flatten)]
    pub content: MessageContent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub pinned: bool,
    /// In the order in which each emoji was first used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reaction {
    pub emoji: Emoji,
    /// In the order in which they reacted.
    pub users: Vec<UserId>,
}

impl Message {
    /// The message that an entry of kind `message` starts; `None` for any other kind.
    pub fn from_entry(entry: &Entry) -> Option<Self> {
        let EntryKind::Message(content) = &entry.what else {
            return None;
        };
        Some(Self {
            room: entry.room,
            seq: entry.seq,
            at: entry.at,
            author: entry.author.clone(),
            client_id: entry.client_id,
            content: content.clone(),
            edited_at: None,
            deleted: false,
            pinned: false,
            reactions: Vec::new(),
        })
    }

    /// Applies an entry that targets this message; any other entry changes nothing. Applying an entry twice changes
    /// nothing either.
    pub fn apply(&mut self, entry: &Entry) {
        if entry.what.target() != Some(self.seq) || entry.room != self.room {
            return;
        }
        match &entry.what {
            EntryKind::Edited { body, mentions, .. } if !self.deleted => {
                // A deletion blanks the text of edits in the log as well; an empty one says nothing.
                if !body.as_str().is_empty() {
                    self.content.body = body.clone();
                    self.content.mentions.clone_from(mentions);
                }
                self.edited_at = Some(entry.at);
            }
            EntryKind::Deleted { .. } => {
                self.content.body = MessageBody::from_stored(String::new());
                self.content.attachments.clear();
                self.content.mentions.clear();
                self.deleted = true;
                self.pinned = false;
                self.reactions.clear();
            }
            EntryKind::Reacted { emoji, .. } if !self.deleted => {
                let at = self.reactions.iter().position(|r| r.emoji == *emoji);
                let at = at.unwrap_or_else(|| {
                    self.reactions.push(Reaction { emoji: emoji.clone(), users: Vec::new() });
                    self.reactions.len() - 1
                });
                let users = &mut self.reactions[at].users;
                if !users.contains(&entry.author.id) {
                    users.push(entry.author.id);
                }
            }
            EntryKind::Unreacted { emoji, .. } => {
                for reaction in self.reactions.iter_mut().filter(|r| r.emoji == *emoji) {
                    reaction.users.retain(|user| *user != entry.author.id);
                }
                self.reactions.retain(|r| !r.users.is_empty());
            }
            EntryKind::Pinned { .. } if !self.deleted => self.pinned = true,
            EntryKind::Unpinned { .. } => self.pinned = false,
            _ => {}
        }
    }
}

/// POST /rooms/{id}/messages, and what `send` carries on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MessageForm {
    pub client_id: ClientId,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<FileId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UserId>,
}

impl MessageForm {
    pub fn parse(self) -> Result<(ClientId, MessageContent), Fields> {
        let mut errors = FieldErrors::default();
        let parse = if self.attachments.is_empty() { MessageBody::parse } else { MessageBody::parse_caption };
        let body = errors.check("body", parse(&self.body));
        if self.attachments.len() > limits::ATTACHMENTS_MAX {
            errors.add("attachments", format!("At most {} images", limits::ATTACHMENTS_MAX));
        } else if self.attachments.iter().enumerate().any(|(at, id)| self.attachments[..at].contains(id)) {
            errors.add("attachments", "An image is there twice");
        }
        let parsed = body.map(|body| {
            // Whom it mentions is for the server to find.
            let content = MessageContent {
                body,
                reply_to: self.reply_to,
                attachments: self.attachments,
                to: self.to,
                mentions: Vec::new(),
            };
            (self.client_id, content)
        });
        errors.finish(parsed)
    }
}

/// PATCH /rooms/{id}/messages/{seq}.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EditForm {
    pub client_id: ClientId,
    pub body: String,
}

impl EditForm {
    pub fn parse(self) -> Result<(ClientId, MessageBody), Fields> {
        let mut errors = FieldErrors::default();
        let body = errors.check("body", MessageBody::parse(&self.body));
        errors.finish(body.map(|body| (self.client_id, body)))
    }
}
