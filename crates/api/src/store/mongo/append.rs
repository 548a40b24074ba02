//! Appending to logs, without an owner of a room and with any number of nodes: entries are judged by what is true at the
//! head and inserted as the next seqs under a unique index, in their order. If another node was there first, the index says
//! so, and what is left is judged anew. Seq n + 1 is never tried before n stands.

use super::Shared;
use super::document::{EntryDoc, Id, int, seq};
use super::effects::{Failed, has_effect, take_effect};
use super::facts::{Known, Rooms};
use super::fault::{Duplicate, duplicate};
use super::indexes::{ID, NAME_KEY, ONCE, ROOM_SEQ, ROOM_USER};
use super::transaction::{Pauses, Transaction, is_transient};
use crate::store::judge::{Verdict, judge};
use crate::store::{Appended, NewEntry, Refused, StoreError, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use natter_shared::entry::Entry;
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use std::collections::{BTreeSet, HashMap};

/// What makes a repeat a repeat.
type Once = (RoomId, UserId, ClientId);

/// What became of an entry.
#[expect(clippy::large_enum_variant, reason = "nearly all are new entries")]
enum Outcome {
    New(Entry),
    /// The entry that is there already.
    Again(Seq),
    Refused(Refused),
}

/// Entries on their way into their logs, in their order.
pub(super) struct Job<'a> {
    shared: &'a Shared,
    entries: Vec<NewEntry>,
    outcomes: Vec<Option<Outcome>>,
}

/// What is to be done with those entries that have no outcome yet, if no other node comes in between.
#[derive(Default)]
struct Plan {
    /// Which entries are inserted, and as which seq.
    put: Vec<(usize, Seq)>,
    docs: Vec<EntryDoc>,
    /// Whether any of them changes more than the log.
    effects: bool,
    /// Which are not, and why.
    decided: Vec<(usize, Verdict)>,
    /// The rooms whose state kept somebody out. The index does not see to it that this state is still the newest.
    unsure: BTreeSet<RoomId>,
}

/// How inserting a plan went.
enum Written {
    All,
    /// So many of its entries are in; the next one met what was there.
    Part(usize, Duplicate),
    /// None is in; a transaction met another one.
    Nothing,
}

impl<'a> Job<'a> {
    pub fn new(shared: &'a Shared, entries: Vec<NewEntry>) -> Self {
        Self { shared, outcomes: entries.iter().map(|_| None).collect(), entries }
    }

    /// Gives every entry its outcome. Returns the rooms as they are then.
    pub async fn run(&mut self, mut rooms: Rooms) -> Stored<Rooms> {
        let mut pauses = Pauses::new();
        let mut fresh: BTreeSet<RoomId> = BTreeSet::new();
        loop {
            let open: Vec<usize> = (0..self.entries.len()).filter(|at| self.outcomes[*at].is_none()).collect();
            if open.is_empty() {
                return Ok(rooms);
            }
            let entries: Vec<&NewEntry> = open.iter().map(|at| &self.entries[*at]).collect();
            let mut known = Known::load(self.shared, rooms, &entries).await?;
            let plan = self.plan(&open, &mut known)?;
            if !plan.unsure.is_subset(&fresh) {
                // What was kept in mind may be what another node has changed since: the answer must be of now.
                plan.put.iter().for_each(|(at, _)| drop(known.rooms.remove(&self.entries[*at].room)));
                plan.unsure.iter().for_each(|room| drop(known.rooms.remove(room)));
                fresh.extend(plan.unsure);
                rooms = known.rooms;
                continue;
            }
            match self.write(&plan, &known.rooms).await? {
                Written::All => {
                    self.keep(&plan.put, &known)?;
                    self.decide(&plan.decided).await?;
                    return Ok(known.rooms);
                }
                Written::Part(inserted, met) => {
                    self.keep(&plan.put[..inserted], &known)?;
                    // One that was sent before seldom comes alone.
                    let found = met.index == ONCE && self.find_repeats().await?;
                    if inserted == 0 && !found {
                        pauses.pause().await;
                    }
                }
                Written::Nothing => pauses.pause().await,
            }
            for (at, _) in &plan.put {
                known.rooms.remove(&self.entries[*at].room);
            }
            rooms = known.rooms;
        }
    }

    /// Judges the open entries in their order, each with all before it in place.
    fn plan(&self, open: &[usize], known: &mut Known) -> Stored<Plan> {
        let mut plan = Plan::default();
        let mut once: HashMap<Once, Seq> = HashMap::new();
        for &at in open {
            let entry = &self.entries[at];
            let Some(head) = known.rooms.get(&entry.room).map(|room| room.head) else {
                plan.decided.push((at, Verdict::Refuse(Refused::NoRoom)));
                continue;
            };
            let name = once_of(entry);
            if let Some(first) = name.and_then(|name| once.get(&name)) {
                plan.decided.push((at, Verdict::Holds(*first)));
                continue;
            }
            match judge(known, entry)? {
                Verdict::Append => {
                    let seq = head.next();
                    plan.docs.push(EntryDoc::at(entry, seq)?);
                    plan.put.push((at, seq));
                    plan.effects |= has_effect(&entry.what) || known.changes_mentions(&entry.what, entry.room);
                    once.extend(name.map(|name| (name, seq)));
                    known.apply(entry, seq);
                }
                verdict => {
                    plan.unsure.insert(entry.room);
                    plan.decided.push((at, verdict));
                }
            }
        }
        Ok(plan)
    }

    async fn write(&self, plan: &Plan, rooms: &Rooms) -> Stored<Written> {
        if plan.docs.is_empty() {
            return Ok(Written::All);
        }
        if plan.effects {
            return self.write_with_effects(plan, rooms).await;
        }
        match self.shared.entries.insert_many(&plan.docs).ordered(true).await {
            Ok(_) => Ok(Written::All),
            Err(error) => match met(&error) {
                Some(duplicate) => Ok(Written::Part(duplicate.at, duplicate)),
                None => Err(error.into()),
            },
        }
    }

    async fn write_with_effects(&self, plan: &Plan, rooms: &Rooms) -> Stored<Written> {
        let mut transaction = Transaction::begin(self.shared).await?;
        let placed: Vec<(&NewEntry, Seq)> = plan.put.iter().map(|(at, seq)| (&self.entries[*at], *seq)).collect();
        let session = &mut transaction.session;
        let inserted = self.shared.entries.insert_many(&plan.docs).ordered(true).session(&mut *session).await;
        let done = match inserted {
            Ok(_) => take_effect(self.shared, session, &placed, rooms).await,
            Err(error) => Err(met(&error).map_or(Failed::Driver(error), Failed::Met)),
        };
        if let Err(failed) = done {
            transaction.abort().await;
            return match failed {
                Failed::Met(duplicate) => Ok(Written::Part(0, duplicate)),
                Failed::Driver(error) if is_transient(&error) => Ok(Written::Nothing),
                Failed::Driver(error) => Err(error.into()),
                Failed::Code(code) => Err(StoreError::Broken(format!("an effect failed with MongoDB's code {code}"))),
            };
        }
        match transaction.commit().await {
            Ok(()) => Ok(Written::All),
            Err(error) if is_transient(&error) => Ok(Written::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// These entries stand in the log.
    fn keep(&mut self, put: &[(usize, Seq)], known: &Known) -> Stored<()> {
        for (at, seq) in put {
            let entry = &self.entries[*at];
            let author = super::authors::author_of(&known.people, entry.author)?;
            let (room, client_id, what) = (entry.room, entry.client_id, entry.what.clone());
            let entry = Entry { room, seq: *seq, at: entry.at, author, client_id, what };
            self.outcomes[*at] = Some(Outcome::New(entry));
        }
        Ok(())
    }

    /// These entries have no place. A repeat gets the first entry nevertheless, whatever else it holds and whatever is
    /// forbidden by now.
    async fn decide(&mut self, decided: &[(usize, Verdict)]) -> Stored<()> {
        let named = decided.iter().filter_map(|(at, _)| once_of(&self.entries[*at])).collect();
        let first = self.repeated(named).await?;
        for (at, verdict) in decided {
            let repeat = once_of(&self.entries[*at]).and_then(|name| first.get(&name));
            self.outcomes[*at] = Some(match (repeat, verdict) {
                (Some(seq), _) | (None, Verdict::Holds(seq)) => Outcome::Again(*seq),
                (None, Verdict::Refuse(why)) => Outcome::Refused(*why),
                (None, Verdict::Append) => return Err(StoreError::Broken("an entry was judged twice".into())),
            });
        }
        Ok(())
    }

    /// Gives those open entries their outcome that were sent before; `true` if there are any.
    async fn find_repeats(&mut self) -> Stored<bool> {
        let open = (0..self.entries.len()).filter(|at| self.outcomes[*at].is_none());
        let named: Vec<(usize, Once)> = open.filter_map(|at| Some((at, once_of(&self.entries[at])?))).collect();
        let first = self.repeated(named.iter().map(|(_, name)| *name).collect()).await?;
        for (at, name) in named {
            self.outcomes[at] = first.get(&name).map(|seq| Outcome::Again(*seq));
        }
        Ok(!first.is_empty())
    }

    /// Where these stand, as far as they do.
    async fn repeated(&self, named: Vec<Once>) -> Stored<HashMap<Once, Seq>> {
        let mut of: HashMap<(RoomId, UserId), Vec<_>> = HashMap::new();
        for (room, author, client_id) in named {
            of.entry((room, author)).or_default().push(client_id.stored());
        }
        let which: Vec<Document> = of
            .into_iter()
            .map(|((room, author), ids)| {
                doc! { "room": room.stored(), "author": author.stored(), "client_id": { "$in": ids } }
            })
            .collect();
        let mut first = HashMap::new();
        if which.is_empty() {
            return Ok(first);
        }
        let mut found = self.shared.entries.find(doc! { "$or": which }).await?;
        while let Some(doc) = found.try_next().await? {
            if let Some(client_id) = doc.client_id {
                first.insert((doc.room_id(), doc.author_id(), ClientId::of(client_id)), seq(doc.seq)?);
            }
        }
        Ok(first)
    }

    /// What is answered: entries that were there before are read for it.
    pub async fn answers(self) -> Stored<Vec<Appended>> {
        let mut wanted: HashMap<RoomId, Vec<i64>> = HashMap::new();
        let mut rooms = Vec::new();
        for (entry, outcome) in self.entries.iter().zip(&self.outcomes) {
            match outcome {
                Some(Outcome::Again(seq)) => wanted.entry(entry.room).or_default().push(int(*seq)),
                Some(Outcome::New(_)) if !rooms.contains(&entry.room) => rooms.push(entry.room),
                _ => {}
            }
        }
        self.shared.indexer.touched(rooms);
        let mut there: HashMap<(RoomId, Seq), Entry> = HashMap::new();
        if !wanted.is_empty() {
            let which: Vec<Document> =
                wanted.iter().map(|(room, seqs)| doc! { "room": room.stored(), "seq": { "$in": seqs } }).collect();
            let docs: Vec<EntryDoc> = self.shared.entries.find(doc! { "$or": which }).await?.try_collect().await?;
            let entries = self.shared.entries_of(&docs).await?;
            there.extend(entries.into_iter().map(|entry| ((entry.room, entry.seq), entry)));
        }
        let answer = |(entry, outcome): (&NewEntry, Option<Outcome>)| match outcome {
            Some(Outcome::New(entry)) => Ok(Appended::New(entry)),
            Some(Outcome::Refused(why)) => Ok(Appended::Refused(why)),
            Some(Outcome::Again(seq)) => {
                let first = there.get(&(entry.room, seq)).cloned();
                let missing = || StoreError::Broken(format!("entry {seq} of room {} is missing", entry.room));
                first.map(Appended::Again).ok_or_else(missing)
            }
            None => Err(StoreError::Broken("an entry got no outcome".into())),
        };
        self.entries.iter().zip(self.outcomes).map(answer).collect()
    }
}

fn once_of(entry: &NewEntry) -> Option<Once> {
    entry.client_id.map(|client_id| (entry.room, entry.author, client_id))
}

/// The unique key that an entry, or what it does, met. `None` if that is not all that went wrong.
fn met(error: &Error) -> Option<Duplicate> {
    if let ErrorKind::InsertMany(many) = error.kind.as_ref()
        && many.write_concern_error.is_some()
    {
        return None;
    }
    duplicate(error).filter(|met| [ID, ROOM_SEQ, ONCE, NAME_KEY, ROOM_USER].contains(&met.index.as_str()))
}
