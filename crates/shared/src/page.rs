//! Lists in pages: what a client asks for and what comes back.

use crate::entry::{Entry, Message};
use crate::error::{FieldErrors, Fields};
use crate::id::Seq;
use crate::limits;
use serde::{Deserialize, Serialize};

/// A part of a list; `cursor` asks for the next part and is opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `?q=&limit=&cursor=` of the directory, the people search and the message search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `?q=&room=&limit=&cursor=` of the message search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<crate::id::RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `?before=seq|after=seq|around=seq&limit=` of a room's messages: at most one of the three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct MessagesQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Where a page of messages lies in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The newest messages.
    Latest,
    /// The newest with a seq below.
    Before(Seq),
    /// The oldest with a seq above.
    After(Seq),
    /// Half of them up to and including this seq, half after it.
    Around(Seq),
}

impl MessagesQuery {
    /// The window and the number of messages asked for.
    pub fn parse(self) -> Result<(Window, u32), Fields> {
        let mut errors = FieldErrors::default();
        let limit = errors.check("limit", parse_limit(self.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT));
        let window = match (self.before, self.after, self.around) {
            (None, None, None) => Some(Window::Latest),
            (Some(seq), None, None) => Some(Window::Before(seq)),
            (None, Some(seq), None) => Some(Window::After(seq)),
            (None, None, Some(seq)) => Some(Window::Around(seq)),
            _ => {
                errors.add("before", "give one of before, after and around");
                None
            }
        };
        errors.finish(window.zip(limit))
    }
}

/// `?after=seq&limit=` of a room's raw log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EntriesQuery {
    #[serde(default)]
    pub after: Seq,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl EntriesQuery {
    /// The cursor and the number of entries asked for.
    pub fn parse(self) -> Result<(Seq, u32), Fields> {
        let mut errors = FieldErrors::default();
        let limit = errors.check("limit", parse_limit(self.limit, limits::ENTRIES_MAX, limits::ENTRIES_MAX));
        errors.finish(limit.map(|limit| (self.after, limit)))
    }
}

/// A page's length: `default` if none is asked for, an error outside 1 to `max`.
pub fn parse_limit(limit: Option<u32>, max: u32, default: u32) -> Result<u32, String> {
    match limit {
        None => Ok(default),
        Some(n) if (1..=max).contains(&n) => Ok(n),
        Some(_) => Err(format!("from 1 to {max}")),
    }
}

/// A part of a room's history, oldest first, with edits, deletions and reactions applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagePage {
    pub messages: Vec<Message>,
    /// What else happened in the same stretch of the log (joined, left, renamed, …), oldest first.
    pub events: Vec<Entry>,
    pub head: Seq,
    /// Whether there are more messages in the direction that was asked for (older, unless `after`).
    pub has_more: bool,
}

/// A part of a room's raw log, for catching up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryPage {
    pub entries: Vec<Entry>,
    pub head: Seq,
    /// Whether the last entry of this page was the room's newest.
    pub complete: bool,
}
