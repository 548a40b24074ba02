//! What a timeline shows, as a flat list: day separators, messages, events, the new-messages line. Each row has a key
//! that stays the same while the row lives, also when an unsent message becomes a stored one.

use natter_shared::entry::{Entry, Message};
use natter_shared::id::{ClientId, Seq, UserId};
use natter_shared::timestamp::Timestamp;
use time::{Date, OffsetDateTime, UtcOffset};

/// Messages of one author stand in one group while each follows the last within this time, in milliseconds.
pub const GROUP_MS: i64 = 5 * 60 * 1_000;

/// A calendar day where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Day {
    /// The day of a moment, at so many minutes ahead of UTC.
    pub fn of(at: Timestamp, offset_min: i32) -> Self {
        let offset = UtcOffset::from_whole_seconds(offset_min.clamp(-24 * 60, 24 * 60) * 60).unwrap_or(UtcOffset::UTC);
        let at = OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1_000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .checked_to_offset(offset)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self::from_date(at.date())
    }

    fn from_date(date: Date) -> Self {
        Self { year: date.year(), month: u8::from(date.month()), day: date.day() }
    }

    /// Whole days from `earlier` to this one.
    pub fn days_since(self, earlier: Self) -> i64 {
        let julian = |day: Self| {
            let month = time::Month::try_from(day.month).unwrap_or(time::Month::January);
            Date::from_calendar_date(day.year, month, day.day).map_or(0, |date| i64::from(date.to_julian_day()))
        };
        julian(self) - julian(earlier)
    }
}

/// What makes a row the same row when the list is drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKey {
    Day(Day),
    New,
    /// A message, by its place in the log.
    Message(Seq),
    /// A message of one's own, by what one's client called it: the same before and after it is stored.
    Own(ClientId),
    Event(Seq),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Day(Day),
    /// The line above the first new message.
    New,
    /// [`RowKey::Message`] or [`RowKey::Own`].
    Message(RowKey),
    /// Somebody joined, the room was renamed, ….
    Event(Seq),
}

impl Row {
    pub const fn key(&self) -> RowKey {
        match self {
            Self::Day(day) => RowKey::Day(*day),
            Self::New => RowKey::New,
            Self::Message(key) => *key,
            Self::Event(seq) => RowKey::Event(*seq),
        }
    }
}

/// The key of a stored message.
pub fn key_of(message: &Message) -> RowKey {
    message.client_id.map_or(RowKey::Message(message.seq), RowKey::Own)
}

/// Something with a place in the log that gets a row.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    Message(&'a Message),
    Event(&'a Entry),
}

impl Item<'_> {
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.at,
            Self::Event(entry) => entry.at,
        }
    }
}

/// What decides whether two neighbouring messages stand in one group.
#[derive(Clone, Copy)]
pub struct Neighbour {
    pub author: UserId,
    pub to: Option<UserId>,
    pub at: Timestamp,
}

impl Neighbour {
    pub fn of(message: &Message) -> Self {
        Self { author: message.author.id, to: message.content.to, at: message.at }
    }

    /// Whether `next`, right below, belongs to the same group.
    pub fn groups_with(self, next: Self, offset_min: i32) -> bool {
        self.author == next.author
            && self.to == next.to
            && (next.at.millis() - self.at.millis()).abs() <= GROUP_MS
            && Day::of(self.at, offset_min) == Day::of(next.at, offset_min)
    }
}

/// Builds the list row by row, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    list: Vec<Row>,
    last_day: Option<Day>,
    line_drawn: bool,
}

impl Rows {
    /// Adds what comes next. `new_above` says where the line stands: above the first message of others past that seq.
    pub fn push(&mut self, item: Item<'_>, me: UserId, new_above: Option<Seq>, offset_min: i32) {
        self.day(item.at(), offset_min);
        match item {
            Item::Message(message) => {
                let new = new_above.is_some_and(|read| message.seq > read) && message.author.id != me;
                if new && !self.line_drawn {
                    self.list.push(Row::New);
                    self.line_drawn = true;
                }
                self.list.push(Row::Message(key_of(message)));
            }
            Item::Event(entry) => self.list.push(Row::Event(entry.seq)),
        }
    }

    /// Adds a message that the server does not have yet.
    pub fn push_unsent(&mut self, client_id: ClientId, at: Timestamp, offset_min: i32) {
        self.day(at, offset_min);
        self.list.push(Row::Message(RowKey::Own(client_id)));
    }

    fn day(&mut self, at: Timestamp, offset_min: i32) {
        let day = Day::of(at, offset_min);
        // Clocks of several servers differ: a step back over midnight must not repeat a day's separator.
        if self.last_day.is_none_or(|last| day > last) {
            self.list.push(Row::Day(day));
            self.last_day = Some(day);
        }
    }

    pub fn rows(&self) -> &[Row] {
        &self.list
    }

    pub fn into_rows(self) -> Vec<Row> {
        self.list
    }
}
