//! What judging a batch asks, read before it is judged, and kept up to date while its entries get their seqs.
//!
//! What is known of a room is true at its head. That makes it safe to keep between batches, and to read it while other nodes
//! write: an entry judged by what was true at seq n is inserted as n + 1, and the unique index lets it in only if nothing
//! has happened since.

use super::document::{EntryDoc, Id, MEMBER, MESSAGE, MemberDoc, Word, int, seq};
use super::{Shared, messages};
use crate::store::judge::{Facts, Place, RoomFacts, Target};
use crate::store::{NewEntry, Standing, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use natter_shared::entry::{Author, EntryKind};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Role, RoomKind};
use natter_shared::text::{Emoji, RoomName};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the writer knows of a room, at its head.
#[derive(Debug, Clone)]
pub(super) struct RoomState {
    pub head: Seq,
    pub members: usize,
    pub archived: bool,
    pub direct: bool,
    /// How people stand to it, as far as it was asked.
    pub places: HashMap<UserId, Place>,
}

pub(super) type Rooms = HashMap<RoomId, RoomState>;

/// A message that entries name, and what was done to it.
#[derive(Debug, Clone, Default)]
struct Named {
    author_and_to: Option<(UserId, Option<UserId>)>,
    /// Whether it mentions anybody.
    mentions: bool,
    deleted: Option<Seq>,
    pinned: Option<Seq>,
    unpinned: Option<Seq>,
    reactions: Vec<(Emoji, UserId, Seq)>,
    unreacted: HashMap<(Emoji, UserId), Seq>,
}

pub(super) struct Known {
    pub rooms: Rooms,
    pub people: HashMap<UserId, Author>,
    messages: HashMap<(RoomId, Seq), Named>,
    /// In how many rooms those are who want to join one.
    rooms_of: HashMap<UserId, usize>,
    /// The owners of the rooms that somebody leaves.
    owners: HashMap<RoomId, HashSet<UserId>>,
    names: HashMap<String, RoomId>,
    /// How many messages are pinned in the rooms where somebody pins one.
    pins: HashMap<RoomId, usize>,
}

impl Known {
    /// Reads what is not known yet of what these entries ask for. A room's head is read before the rest of it.
    pub async fn load(shared: &Shared, rooms: Rooms, entries: &[&NewEntry]) -> Stored<Self> {
        let people = shared.authors(entries.iter().map(|entry| entry.author)).await?;
        let mut known = Self {
            rooms,
            people,
            messages: HashMap::new(),
            rooms_of: HashMap::new(),
            owners: HashMap::new(),
            names: HashMap::new(),
            pins: HashMap::new(),
        };
        known.load_rooms(shared, entries).await?;
        known.load_places(shared, entries).await?;
        known.load_messages(shared, entries).await?;
        known.load_rare(shared, entries).await?;
        Ok(known)
    }

    async fn load_rooms(&mut self, shared: &Shared, entries: &[&NewEntry]) -> Stored<()> {
        let wanted: BTreeSet<RoomId> =
            entries.iter().map(|entry| entry.room).filter(|room| !self.rooms.contains_key(room)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let wanted: Vec<RoomId> = wanted.into_iter().collect();
        let heads = shared.heads(&wanted).await?;
        let ids: Vec<_> = wanted.iter().map(|room| room.stored()).collect();
        let mut found = shared.rooms.find(doc! { "_id": { "$in": ids } }).await?;
        while let Some(room) = found.try_next().await? {
            let id = RoomId::of(room.id);
            let state = RoomState {
                head: heads.get(&id).copied().unwrap_or_default(),
                members: usize::try_from(room.member_count).unwrap_or(0),
                archived: room.archived,
                direct: RoomKind::of(&room.kind)? == RoomKind::Direct,
                places: HashMap::new(),
            };
            self.rooms.insert(id, state);
        }
        Ok(())
    }

    async fn load_places(&mut self, shared: &Shared, entries: &[&NewEntry]) -> Stored<()> {
        let mut wanted: HashMap<RoomId, HashSet<UserId>> = HashMap::new();
        for entry in entries {
            let Some(room) = self.rooms.get(&entry.room) else { continue };
            let other = match &entry.what {
                EntryKind::Message(content) => content.to,
                EntryKind::Removed { user, .. } | EntryKind::Unbanned { user } | EntryKind::Role { user, .. } => {
                    Some(*user)
                }
                _ => None,
            };
            let unknown = [Some(entry.author), other].into_iter().flatten().filter(|it| !room.places.contains_key(it));
            wanted.entry(entry.room).or_default().extend(unknown);
        }
        wanted.retain(|_, people| !people.is_empty());
        if wanted.is_empty() {
            return Ok(());
        }
        let of_room = |(room, people): (&RoomId, &HashSet<UserId>)| {
            let people: Vec<_> = people.iter().map(|user| user.stored()).collect();
            doc! { "room": room.stored(), "user": { "$in": people } }
        };
        let which: Vec<Document> = wanted.iter().map(of_room).collect();
        for (room, people) in &wanted {
            if let Some(state) = self.rooms.get_mut(room) {
                state.places.extend(people.iter().map(|user| (*user, Place::STRANGER)));
            }
        }
        let mut found = shared.members.find(doc! { "$or": which }).await?;
        while let Some(member) = found.try_next().await? {
            if let Some(state) = self.rooms.get_mut(&RoomId::of(member.room)) {
                state.places.insert(UserId::of(member.user), place(&member)?);
            }
        }
        Ok(())
    }

    async fn load_messages(&mut self, shared: &Shared, entries: &[&NewEntry]) -> Stored<()> {
        let mut wanted: BTreeSet<(RoomId, Seq)> = BTreeSet::new();
        for entry in entries {
            wanted.extend(entry.what.target().map(|target| (entry.room, target)));
            if let EntryKind::Message(content) = &entry.what {
                wanted.extend(content.reply_to.map(|target| (entry.room, target)));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let by_room = wanted.iter().fold(HashMap::<RoomId, Vec<i64>>::new(), |mut rooms, (room, seq)| {
            rooms.entry(*room).or_default().push(int(*seq));
            rooms
        });
        let themselves: Vec<Document> = by_room
            .iter()
            .map(|(room, seqs)| doc! { "room": room.stored(), "seq": { "$in": seqs }, "kind": MESSAGE })
            .collect();
        let changes: Vec<Document> =
            by_room.iter().map(|(room, seqs)| doc! { "room": room.stored(), "target": { "$in": seqs } }).collect();
        let mut found = shared.entries.find(doc! { "$or": themselves }).await?;
        while let Some(doc) = found.try_next().await? {
            let to = doc.other.map(UserId::of);
            let named = self.named(doc.room_id(), seq(doc.seq)?);
            named.author_and_to = Some((doc.author_id(), to));
            named.mentions = !doc.mentioned.is_empty();
        }
        let found = shared.entries.find(doc! { "$or": changes }).sort(doc! { "room": 1, "seq": 1 }).await?;
        let changes: Vec<EntryDoc> = found.try_collect().await?;
        for change in changes {
            self.apply_change(change.room_id(), change.author_id(), &change.what()?, seq(change.seq)?);
        }
        Ok(())
    }

    /// What few entries ask for: how many rooms somebody is in, who owns a room, who has a name, how much is pinned.
    async fn load_rare(&mut self, shared: &Shared, entries: &[&NewEntry]) -> Stored<()> {
        let (mut joining, mut going, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            match &entry.what {
                EntryKind::Pinned { .. } if !self.pins.contains_key(&entry.room) => {
                    let pins = shared.entries.count_documents(messages::pinned(entry.room)).await?;
                    self.pins.insert(entry.room, usize::try_from(pins).unwrap_or(usize::MAX));
                }
                EntryKind::Joined => joining.push(entry.author.stored()),
                EntryKind::Left | EntryKind::Removed { .. } | EntryKind::Role { .. } => going.push(entry.room.stored()),
                EntryKind::Renamed { name } => names.push(name.key()),
                _ => {}
            }
        }
        if !joining.is_empty() {
            let counted = [
                doc! { "$match": { "user": { "$in": joining }, "state": MEMBER } },
                doc! { "$group": { "_id": "$user", "rooms": { "$sum": 1 } } },
            ];
            let mut found = shared.members.aggregate(counted).await?;
            while let Some(of) = found.try_next().await? {
                if let (Some(Bson::Binary(user)), Ok(rooms)) = (of.get("_id"), of.get_i32("rooms"))
                    && let Ok(user) = user.to_uuid()
                {
                    self.rooms_of.insert(UserId::of(user), usize::try_from(rooms).unwrap_or(0));
                }
            }
        }
        if !going.is_empty() {
            self.owners.extend(going.iter().map(|room| (RoomId::of(*room), HashSet::new())));
            let which = doc! { "room": { "$in": going }, "state": MEMBER, "role": Role::Owner.word() };
            let mut found = shared.members.find(which).await?;
            while let Some(owner) = found.try_next().await? {
                self.owners.entry(RoomId::of(owner.room)).or_default().insert(UserId::of(owner.user));
            }
        }
        if !names.is_empty() {
            let mut found = shared.rooms.find(doc! { "name_key": { "$in": names } }).await?;
            while let Some(room) = found.try_next().await? {
                self.names.extend(room.name_key.map(|key| (key, RoomId::of(room.id))));
            }
        }
        Ok(())
    }

    /// Whether an edit changes whom its message mentions. What is known of that is true at the head, as all of it is.
    pub fn changes_mentions(&self, what: &EntryKind, room: RoomId) -> bool {
        let EntryKind::Edited { target, mentions, .. } = what else { return false };
        !mentions.is_empty() || self.messages.get(&(room, *target)).is_some_and(|message| message.mentions)
    }

    fn named(&mut self, room: RoomId, seq: Seq) -> &mut Named {
        self.messages.entry((room, seq)).or_default()
    }

    /// The entry stands in its log at `seq`, the one after the head.
    pub fn apply(&mut self, entry: &NewEntry, seq: Seq) {
        let (room, author) = (entry.room, entry.author);
        if let Some(state) = self.rooms.get_mut(&room) {
            state.head = seq;
        }
        match &entry.what {
            EntryKind::Message(content) => {
                let named = self.named(room, seq);
                named.author_and_to = Some((author, content.to));
                named.mentions = !content.mentions.is_empty();
            }
            EntryKind::Joined => {
                let place = Place { standing: Standing::Member(Role::Member), joined: Some(seq) };
                self.moves(room, author, place, 1);
                *self.rooms_of.entry(author).or_default() += 1;
            }
            EntryKind::Left => {
                self.goes(room, author, Standing::Former);
            }
            EntryKind::Removed { user, banned } => {
                self.goes(room, *user, if *banned { Standing::Banned } else { Standing::Former });
            }
            EntryKind::Unbanned { user } => {
                if let Some(place) = self.rooms.get_mut(&room).and_then(|state| state.places.get_mut(user)) {
                    place.standing = Standing::Former;
                }
            }
            EntryKind::Role { user, role } => {
                let owners = self.owners.entry(room).or_default();
                if *role == Role::Owner {
                    owners.insert(*user);
                } else {
                    owners.remove(user);
                }
                if let Some(place) = self.rooms.get_mut(&room).and_then(|state| state.places.get_mut(user)) {
                    place.standing = Standing::Member(*role);
                }
            }
            EntryKind::Renamed { name } => {
                self.names.retain(|_, named| *named != room);
                self.names.insert(name.key(), room);
            }
            EntryKind::Archived { archived } => {
                if let Some(state) = self.rooms.get_mut(&room) {
                    state.archived = *archived;
                }
            }
            what => self.apply_change(room, author, what, seq),
        }
    }

    fn moves(&mut self, room: RoomId, user: UserId, place: Place, by: isize) {
        if let Some(state) = self.rooms.get_mut(&room) {
            state.places.insert(user, place);
            state.members = state.members.saturating_add_signed(by);
        }
    }

    fn goes(&mut self, room: RoomId, user: UserId, standing: Standing) {
        let joined = self.rooms.get(&room).and_then(|state| state.places.get(&user)?.joined);
        self.moves(room, user, Place { standing, joined }, -1);
        if let Some(rooms) = self.rooms_of.get_mut(&user) {
            *rooms = rooms.saturating_sub(1);
        }
        if let Some(owners) = self.owners.get_mut(&room) {
            owners.remove(&user);
        }
    }

    /// What an entry does to the message that it targets.
    fn apply_change(&mut self, room: RoomId, author: UserId, what: &EntryKind, at: Seq) {
        let Some(target) = what.target() else { return };
        let message = self.messages.entry((room, target)).or_default();
        let was_pinned = message.pinned.is_some();
        match what {
            EntryKind::Edited { mentions, .. } => message.mentions |= !mentions.is_empty(),
            EntryKind::Deleted { .. } => {
                message.deleted = Some(at);
                message.pinned = None;
                message.reactions.clear();
            }
            EntryKind::Pinned { .. } => message.pinned = Some(at),
            EntryKind::Unpinned { .. } => {
                message.pinned = None;
                message.unpinned = Some(at);
            }
            EntryKind::Reacted { emoji, .. } => message.reactions.push((emoji.clone(), author, at)),
            EntryKind::Unreacted { emoji, .. } => {
                message.reactions.retain(|(its, user, _)| !(its == emoji && *user == author));
                message.unreacted.insert((emoji.clone(), author), at);
            }
            _ => {}
        }
        let is_pinned = message.pinned.is_some();
        if let Some(pins) = self.pins.get_mut(&room) {
            *pins = pins.saturating_add_signed(isize::from(is_pinned) - isize::from(was_pinned));
        }
    }
}

/// How a member document says that somebody stands.
pub(super) fn place(member: &MemberDoc) -> Stored<Place> {
    Ok(Place { standing: member.standing()?, joined: member.joined.map(seq).transpose()? })
}

impl Facts for Known {
    fn room(&mut self, room: RoomId) -> Stored<Option<RoomFacts>> {
        let facts = |it: &RoomState| RoomFacts { members: it.members, archived: it.archived, direct: it.direct };
        Ok(self.rooms.get(&room).map(facts))
    }

    fn place(&mut self, room: RoomId, user: UserId) -> Stored<Place> {
        let place = self.rooms.get(&room).and_then(|state| state.places.get(&user));
        Ok(place.copied().unwrap_or(Place::STRANGER))
    }

    fn exists(&mut self, user: UserId) -> Stored<bool> {
        Ok(self.people.get(&user).is_some_and(|author| !author.deleted))
    }

    fn rooms_of(&mut self, user: UserId) -> Stored<usize> {
        Ok(self.rooms_of.get(&user).copied().unwrap_or(0))
    }

    fn target(&mut self, room: RoomId, seq: Seq) -> Stored<Option<Target>> {
        let Some(message) = self.messages.get(&(room, seq)) else { return Ok(None) };
        let target = |(author, to)| Target { author, to, deleted: message.deleted, pinned: message.pinned };
        Ok(message.author_and_to.map(target))
    }

    fn reaction(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>> {
        let reactions = self.messages.get(&(room, target)).map_or(&[][..], |message| &message.reactions);
        Ok(reactions.iter().find(|(its, by, _)| its == emoji && *by == user).map(|(_, _, seq)| *seq))
    }

    fn emoji(&mut self, room: RoomId, target: Seq, emoji: &Emoji) -> Stored<(usize, bool)> {
        let reactions = self.messages.get(&(room, target)).map_or(&[][..], |message| &message.reactions);
        let different: HashSet<&str> = reactions.iter().map(|(its, _, _)| its.as_str()).collect();
        Ok((different.len(), different.contains(emoji.as_str())))
    }

    fn unreacted(&mut self, room: RoomId, target: Seq, emoji: &Emoji, user: UserId) -> Stored<Option<Seq>> {
        let message = self.messages.get(&(room, target));
        Ok(message.and_then(|message| message.unreacted.get(&(emoji.clone(), user)).copied()))
    }

    fn unpinned(&mut self, room: RoomId, target: Seq) -> Stored<Option<Seq>> {
        Ok(self.messages.get(&(room, target)).and_then(|message| message.unpinned))
    }

    fn pins(&mut self, room: RoomId) -> Stored<usize> {
        Ok(self.pins.get(&room).copied().unwrap_or(0))
    }

    fn highest_other(&mut self, room: RoomId, user: UserId) -> Stored<Option<Role>> {
        if self.owners.get(&room).is_some_and(|owners| owners.iter().any(|owner| *owner != user)) {
            return Ok(Some(Role::Owner));
        }
        // It is asked only about members. Whether somebody is an admin makes no difference to a missing owner.
        let others = self.rooms.get(&room).is_some_and(|state| state.members > 1);
        Ok(others.then_some(Role::Member))
    }

    fn name_taken(&mut self, name: &RoomName, room: RoomId) -> Stored<bool> {
        Ok(self.names.get(&name.key()).is_some_and(|named| *named != room))
    }
}
