//! What an archive holds so far, as far as what comes next depends on it. Noted piece by piece, while writing and also when
//! an export that was interrupted is read again: both know the same then. Knows no store and no file.

use crate::store::archive::{ArchivedEntry, Census, Piece, RoomCut};
use natter_shared::entry::EntryKind;
use natter_shared::id::{EventId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::room::RoomKind;
use natter_shared::timestamp::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// A room whose cut is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    pub room: RoomId,
    /// The last entry of it that is in.
    pub at: Seq,
    /// Messages without text whose deletion is not in yet. A deletion blanks what was before it: a cut between the two would
    /// show an empty message.
    blank: BTreeSet<Seq>,
}

impl UnderWay {
    const fn new(room: RoomId, at: Seq) -> Self {
        Self { room, at, blank: BTreeSet::new() }
    }

    pub fn can_be_cut(&self) -> bool {
        self.blank.is_empty()
    }

    fn note(&mut self, entry: &ArchivedEntry) {
        self.at = entry.seq;
        match &entry.what {
            EntryKind::Message(content) if content.body.as_str().is_empty() && content.attachments.is_empty() => {
                self.blank.insert(entry.seq);
            }
            EntryKind::Edited { target, body, .. } if body.as_str().is_empty() => drop(self.blank.insert(*target)),
            EntryKind::Deleted { target } => drop(self.blank.remove(target)),
            _ => {}
        }
    }
}

/// The images that an archive names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// Whether there is a smaller one of it too.
    pub all: Vec<(FileId, bool)>,
    /// Of all, with the smaller ones.
    pub bytes: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    people: HashSet<UserId>,
    /// Which room has a name, and where it was cut.
    names: HashMap<String, (RoomId, Seq)>,
    /// Rooms whose name another one has by now, and where they were cut. They have another one themselves, or had no choice
    /// but to get one before: they are cut again, until every name has one room.
    robbed: VecDeque<(RoomId, Seq)>,
    under_way: Option<UnderWay>,
    last_room: Option<RoomId>,
    /// Whether all rooms are cut.
    pub everybody: bool,
    pub last_person: Option<UserId>,
    pub last_login: Option<SessionId>,
    pub last_upload: Option<FileId>,
    /// They come from the newest back.
    pub last_event: Option<(Timestamp, EventId)>,
    pub images: Images,
    pub census: Census,
}

impl Ledger {
    pub fn note(&mut self, piece: &Piece) {
        match piece {
            Piece::Person(person) => {
                self.people.insert(person.user.id);
                if self.everybody {
                    self.last_person = Some(person.user.id);
                    self.census.people += 1;
                }
            }
            Piece::Room(room) => {
                self.under_way = Some(UnderWay::new(room.id, Seq::ZERO));
                self.last_room = self.last_room.max(Some(room.id));
                self.census.rooms += 1;
            }
            Piece::Entry(entry) => {
                self.go_on(entry.room).note(entry);
                self.census.entries += 1;
            }
            Piece::Cut(cut) => self.cut(cut),
            Piece::Everybody => self.everybody = true,
            Piece::Login(login) => {
                self.last_login = Some(login.session.id);
                self.census.logins += 1;
            }
            Piece::Upload(upload) => {
                self.last_upload = Some(upload.id);
                self.images.all.push((upload.id, upload.preview.is_some()));
                self.images.bytes += upload.bytes;
            }
            Piece::Event(event) => self.last_event = Some((event.at, event.id)),
        }
    }

    fn cut(&mut self, RoomCut { room, .. }: &RoomCut) {
        self.under_way = None;
        self.robbed.retain(|(robbed, _)| *robbed != room.id);
        if room.kind == RoomKind::Room {
            let had = self.names.insert(room.name.key(), (room.id, room.head));
            self.robbed.extend(had.filter(|(had, _)| *had != room.id));
        }
    }

    /// The room as it is under way; where it was cut before, from there on.
    pub fn go_on(&mut self, room: RoomId) -> &mut UnderWay {
        let cut = self.robbed.iter().find(|(robbed, _)| *robbed == room).map_or(Seq::ZERO, |(_, at)| *at);
        let under_way = self.under_way.take().filter(|it| it.room == room).unwrap_or(UnderWay::new(room, cut));
        self.under_way.insert(under_way)
    }

    /// A room that was begun, or is to be cut again.
    pub fn open_room(&self) -> Option<RoomId> {
        self.under_way.as_ref().map(|it| it.room)
    }

    /// A room that must be cut again.
    pub fn robbed_room(&self) -> Option<RoomId> {
        self.robbed.front().map(|(room, _)| *room)
    }

    /// The last of the rooms that were begun, which come in the order of their ids.
    pub const fn last_room(&self) -> Option<RoomId> {
        self.last_room
    }

    pub fn knows(&self, user: UserId) -> bool {
        self.people.contains(&user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RoomRecord;
    use natter_shared::entry::MessageContent;
    use natter_shared::room::Visibility;
    use natter_shared::text::{MessageBody, RoomName, Topic};

    fn room(id: u8, name: &str, head: u64) -> RoomRecord {
        RoomRecord {
            id: RoomId::from_bytes([id; 16]),
            kind: RoomKind::Room,
            name: RoomName::parse(name).unwrap(),
            topic: Topic::parse("").unwrap(),
            visibility: Visibility::Public,
            archived: false,
            created_at: Timestamp::from_millis(0),
            owner: None,
            member_count: 0,
            code: None,
            head: Seq::new(head).unwrap(),
            peers: None,
        }
    }

    fn cut(id: u8, name: &str, head: u64) -> Piece {
        Piece::Cut(RoomCut { room: room(id, name, head), members: Vec::new() })
    }

    fn entry(id: u8, seq: u64, what: EntryKind) -> Piece {
        Piece::Entry(ArchivedEntry {
            room: RoomId::from_bytes([id; 16]),
            seq: Seq::new(seq).unwrap(),
            at: Timestamp::from_millis(0),
            author: UserId::from_bytes([1; 16]),
            client_id: None,
            what,
        })
    }

    fn message(text: &str) -> EntryKind {
        let body = MessageBody::from_stored(text.to_owned());
        EntryKind::Message(MessageContent {
            body,
            reply_to: None,
            attachments: Vec::new(),
            to: None,
            mentions: Vec::new(),
        })
    }

    fn seq(n: u64) -> Seq {
        Seq::new(n).unwrap()
    }

    #[test]
    fn a_room_is_not_cut_between_a_blank_message_and_its_deletion() {
        let mut ledger = Ledger::default();
        let id = RoomId::from_bytes([1; 16]);
        let mut can_be_cut = |piece: &Piece| {
            ledger.note(piece);
            ledger.go_on(id).can_be_cut()
        };
        assert!(can_be_cut(&Piece::Room(room(1, "one", 5))));
        assert!(can_be_cut(&entry(1, 1, message("text"))));
        assert!(!can_be_cut(&entry(1, 2, message(""))));
        assert!(!can_be_cut(&entry(1, 3, EntryKind::edited(seq(1), MessageBody::from_stored(String::new())))));
        assert!(!can_be_cut(&entry(1, 4, EntryKind::Deleted { target: seq(2) })));
        assert!(can_be_cut(&entry(1, 5, EntryKind::Deleted { target: seq(1) })));
        assert_eq!(ledger.go_on(id).at, seq(5));
    }

    #[test]
    fn whose_name_another_room_has_is_cut_again() {
        let mut ledger = Ledger::default();
        let one = RoomId::from_bytes([1; 16]);
        for piece in [Piece::Room(room(1, "Lobby", 3)), cut(1, "Lobby", 3), Piece::Room(room(2, "lobby", 7))] {
            ledger.note(&piece);
        }
        assert_eq!(ledger.robbed_room(), None);
        ledger.note(&cut(2, "lobby", 7));
        assert_eq!(ledger.robbed_room(), Some(one));
        assert_eq!(ledger.go_on(one).at, seq(3), "from where it was cut");
        ledger.note(&entry(1, 4, EntryKind::Renamed { name: RoomName::parse("Hall").unwrap() }));
        assert_eq!((ledger.open_room(), ledger.go_on(one).at), (Some(one), seq(4)));
        ledger.note(&cut(1, "Hall", 4));
        assert_eq!((ledger.open_room(), ledger.robbed_room()), (None, None));
        assert_eq!(ledger.last_room(), Some(RoomId::from_bytes([2; 16])));
    }
}
