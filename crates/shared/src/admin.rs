//! What administrators of the server see and may change: accounts, rooms, the log of events, and figures over time.

use crate::account::User;
use crate::error::{FieldErrors, Fields};
use crate::event::{Event, EventKind};
use crate::id::{EventId, RoomId, Seq};
use crate::limits;
use crate::page::parse_limit;
use crate::room::Room;
use crate::text::{RoomName, Username};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A person as administrators see them. The e-mail address is its owner's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    #[serde(flatten)]
    pub user: User,
    pub created_at: Timestamp,
    /// When their newest login began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<Timestamp>,
    pub disabled: bool,
    pub admin: bool,
}

/// PATCH /admin/users/{user}.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// Whether this person is kept out; with `true` all their logins end.
    pub disabled: bool,
}

/// A room as the log of events names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedRoom {
    pub id: RoomId,
    pub name: RoomName,
}

/// A room as administrators see it, whoever is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminRoom {
    #[serde(flatten)]
    pub room: Room,
    /// The seq of its newest entry.
    pub head: Seq,
}

/// `?kind=&person=&from=&to=&limit=&cursor=` of the log of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// One kind, or several between commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The username of who did it, or to whom it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Not before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A question for events that is well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsAsked {
    /// Any if there is none.
    pub kinds: Vec<EventKind>,
    pub person: Option<Username>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub limit: u32,
    /// Those behind this one.
    pub after: Option<(Timestamp, EventId)>,
}

impl EventsQuery {
    pub fn parse(self) -> Result<EventsAsked, Fields> {
        let mut errors = FieldErrors::default();
        let kinds = errors.check("kind", self.kind.as_deref().map_or(Ok(Vec::new()), parse_kinds));
        let person = errors.check_optional("person", self.person, |name| Username::parse(&name));
        let after = errors.check_optional("cursor", self.cursor, |cursor| read_cursor(&cursor));
        let limit = errors.check("limit", parse_limit(self.limit, limits::PAGE_MAX, limits::PAGE_DEFAULT));
        let (from, to) = (self.from, self.to);
        errors.finish(kinds.zip(limit).map(|(kinds, limit)| EventsAsked { kinds, person, from, to, limit, after }))
    }
}

fn parse_kinds(words: &str) -> Result<Vec<EventKind>, &'static str> {
    let kinds = words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(|word| match EventKind::of(word) {
        EventKind::Other => Err("not a kind of event"),
        kind => Ok(kind),
    });
    let mut kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// The cursor of a page that ends with this event.
pub fn cursor_after(event: &Event) -> String {
    format!("{}.{}", event.at.millis(), event.id)
}

fn read_cursor(cursor: &str) -> Result<(Timestamp, EventId), &'static str> {
    let read = || {
        let (at, id) = cursor.split_once('.')?;
        Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or("not a cursor of this list")
}

/// A part of the log of events, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventPage {
    pub items: Vec<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The people whom these events name, as far as they exist, in no order.
    pub people: Vec<User>,
    /// The rooms that they name, but for direct conversations, in no order.
    #[serde(default)]
    pub rooms: Vec<NamedRoom>,
}

/// How long the stretches of time are that are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Minute,
    #[default]
    Hour,
    /// In UTC.
    Day,
}

impl Step {
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// How many of them are shown where nobody says from when on.
    const fn usual(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 30,
        }
    }
}

/// `?from=&to=&step=minute|hour|day` of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct FiguresQuery {
    /// The last hour, day or 30 days if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this; now if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    #[serde(default)]
    pub step: Step,
}

impl FiguresQuery {
    /// The beginning of the first stretch and the end of the last one.
    pub fn parse(self, now: Timestamp) -> Result<(Timestamp, Timestamp), Fields> {
        let step = self.step.millis();
        let end = self.to.unwrap_or_else(|| now.plus_millis(1)).millis();
        let end = (end + step - 1) / step * step;
        let begin = self.from.map_or(end - step * self.step.usual(), |from| from.millis() / step * step);
        let mut errors = FieldErrors::default();
        if begin >= end {
            errors.add("from", "not before the end");
        } else if (end - begin) / step > limits::FIGURES_MAX {
            errors.add("from", format!("at most {} steps at once", limits::FIGURES_MAX));
        }
        errors.finish(Some((Timestamp::from_millis(begin), Timestamp::from_millis(end))))
    }
}

/// What happened in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figure {
    /// The stretch's beginning.
    pub at: Timestamp,
    /// The most people who were online in a minute, each once, however many nodes they are connected to.
    pub online: u64,
    pub messages_sent: u64,
    /// Entries that went out to connections: a message in a room counts once for each that heard it.
    pub entries_delivered: u64,
    pub logins: u64,
    pub logins_failed: u64,
    /// Accounts and guests that were made.
    pub registrations: u64,
    /// Calls and frames that were refused or failed.
    pub errors: u64,
}

/// What a node is asked for, and how long that took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// `GET`, `POST`, …, or `frame` for what comes over a socket.
    pub method: String,
    /// The template of the path, never a path itself; for a frame its name.
    pub route: String,
    pub count: u64,
    /// Microseconds that half of them, and 19 of 20, took at most; right within a sixteenth.
    pub p50_us: u64,
    pub p95_us: u64,
    pub max_us: u64,
}

/// What the node that answers was asked for in the last hour, the slowest (by 19 of 20) first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operations {
    /// From when on was counted: an hour ago, or when the node started.
    pub since: Timestamp,
    pub items: Vec<Operation>,
}

/// Figures over time, oldest first, without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    pub step: Step,
    pub items: Vec<Figure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).expect("a time")
    }

    #[test]
    fn stretches_are_whole_and_not_too_many() {
        let now = at("2026-11-21T09:03:00.042Z");
        let asked = |query: FiguresQuery| query.parse(now).map(|(from, to)| (from.to_string(), to.to_string()));
        let day = ("2026-11-20T10:00:00.000Z".to_owned(), "2026-11-21T10:00:00.000Z".to_owned());
        assert_eq!(asked(FiguresQuery::default()), Ok(day));
        let from = Some(at("2026-11-20T23:59:00.000Z"));
        let days = ("2026-11-20T00:00:00.000Z".to_owned(), "2026-11-22T00:00:00.000Z".to_owned());
        assert_eq!(asked(FiguresQuery { from, to: None, step: Step::Day }), Ok(days));
        assert!(asked(FiguresQuery { from, to: from, step: Step::Minute }).is_err());
        let from = Some(at("2025-11-20T23:59:00.000Z"));
        assert!(asked(FiguresQuery { from, to: None, step: Step::Minute }).is_err());
    }

    #[test]
    fn kinds_and_cursors_are_read() {
        let asked = |kind: &str, cursor: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            EventsQuery { kind: text(kind), cursor: text(cursor), ..EventsQuery::default() }.parse()
        };
        let kinds = asked("login_failed, login,login", "").map(|asked| asked.kinds);
        assert_eq!(kinds, Ok(vec![EventKind::Login, EventKind::LoginFailed]));
        for (kind, cursor) in [("dinner", ""), ("other", ""), ("", "x"), ("", "1."), ("", "x.y")] {
            assert!(asked(kind, cursor).is_err(), "{kind} {cursor}");
        }
        let cursor = "1795000000000.0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";
        assert!(asked("", cursor).is_ok_and(|asked| asked.after.is_some()));
    }
}
