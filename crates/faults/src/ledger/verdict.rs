//! The comparison of a ledger with the histories of all nodes.

use super::{Ack, Attempt, Book, Print, Reader, client_id_in, text_of};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{ClientId, RoomId};
use std::collections::{HashMap, HashSet};

/// What one node tells: every room's log from its first entry to its head.
pub type History = HashMap<RoomId, Vec<Entry>>;

/// Sentences of each kind that are kept; the rest is only counted.
const SENTENCES: usize = 5;

/// What was found wrong, of one kind.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    pub count: u64,
    pub sentences: Vec<String>,
}

impl Findings {
    pub fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.count += 1;
        if self.sentences.len() < SENTENCES {
            self.sentences.push(sentence());
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub attempted: u64,
    pub acked: u64,
    /// Neither acknowledged nor refused: may be in the history once, or not.
    pub unknown: u64,
    /// Of the unknown ones those that are in the history.
    pub unknown_stored: u64,
    pub refused: u64,
    /// Acknowledged, and not in a history or not seen by a reader who stayed.
    pub lost: Findings,
    /// Twice in a history, or twice on one connection.
    pub doubled: Findings,
    /// Not where the acknowledgement, another node or seq say.
    pub reordered: Findings,
    /// Seqs that a history does not have, messages that nobody sent, refused ones that are there.
    pub wrong: Findings,
    /// Seqs that connections jumped over and readers filled from the log: no failure.
    pub filled: u64,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        [&self.lost, &self.doubled, &self.reordered, &self.wrong].iter().all(|found| found.count == 0)
    }

    pub fn sentences(&self) -> impl Iterator<Item = &String> {
        [&self.lost, &self.doubled, &self.reordered, &self.wrong].into_iter().flat_map(|found| &found.sentences)
    }
}

pub(super) fn judge(book: &Book, histories: &[(String, History)]) -> Verdict {
    let mut verdict = Verdict::default();
    for attempt in book.attempts.values() {
        verdict.attempted += 1;
        match (&attempt.acks[..], &attempt.refused) {
            ([], None) => verdict.unknown += 1,
            ([], Some(_)) => verdict.refused += 1,
            ([first, rest @ ..], _) => {
                verdict.acked += 1;
                for other in rest.iter().filter(|other| *other != first) {
                    verdict
                        .reordered
                        .add(|| format!("{} was acknowledged as {first:?} and as {other:?}", attempt.intent.client_id));
                }
            }
        }
    }
    for (node, history) in histories {
        let places = places(book, node, history, &mut verdict);
        for attempt in book.attempts.values() {
            compare(attempt, node, history, &places, &mut verdict);
        }
    }
    if let Some(((first, truth), others)) = histories.split_first() {
        for (node, history) in others {
            same(first, truth, node, history, &mut verdict);
        }
        verdict.unknown_stored = stored_unknowns(book, truth);
        for reader in &book.readers {
            read(reader, truth, &mut verdict);
        }
    }
    verdict
}

/// Where each message stands, and what is wrong with the log itself.
fn places(book: &Book, node: &str, history: &History, verdict: &mut Verdict) -> HashMap<ClientId, (RoomId, u64)> {
    let mut places = HashMap::new();
    let erased = erased(book, history);
    for (room, log) in history {
        for (expected, entry) in (1..).zip(log) {
            let seq = entry.seq.get();
            if seq != expected {
                verdict.wrong.add(|| format!("{node}: room {room} has seq {seq} where {expected} belongs"));
            }
            let Some(client_id) = client_id_in(entry).or_else(|| erased.get(&(*room, seq)).copied()) else { continue };
            if !book.attempts.contains_key(&client_id) {
                verdict.wrong.add(|| format!("{node}: seq {seq} of room {room} was sent by nobody"));
            }
            if let Some((_, before)) = places.insert(client_id, (*room, seq)) {
                verdict.doubled.add(|| format!("{node}: {client_id} is seq {before} and seq {seq} of room {room}"));
            }
        }
    }
    places
}

/// Messages whose text a later entry deleted: they are known by the seq that they were acknowledged with.
fn erased(book: &Book, history: &History) -> HashMap<(RoomId, u64), ClientId> {
    let deletions = history.iter().flat_map(|(room, log)| {
        log.iter().filter_map(|entry| match entry.what {
            EntryKind::Deleted { target } => Some((*room, target.get())),
            _ => None,
        })
    });
    let deleted: HashSet<(RoomId, u64)> = deletions.collect();
    if deleted.is_empty() {
        return HashMap::new();
    }
    let acked = book.attempts.values().filter_map(|attempt| {
        let place = (attempt.intent.room, attempt.acks.first()?.seq);
        deleted.contains(&place).then_some((place, attempt.intent.client_id))
    });
    acked.collect()
}

fn compare(
    attempt: &Attempt,
    node: &str,
    history: &History,
    places: &HashMap<ClientId, (RoomId, u64)>,
    verdict: &mut Verdict,
) {
    let intent = &attempt.intent;
    let id = intent.client_id;
    let place = places.get(&id);
    let Some(Ack { seq, at }) = attempt.acks.first().copied() else {
        if let (Some(why), Some(_)) = (&attempt.refused, place) {
            verdict.wrong.add(|| format!("{node}: {id} was refused ({why}) and is in the history"));
        }
        return;
    };
    let Some((room, stored)) = place else {
        verdict.lost.add(|| format!("{node}: {id} was acknowledged as seq {seq} and is not in the history"));
        return;
    };
    if (*room, *stored) != (intent.room, seq) {
        verdict.reordered.add(|| format!("{node}: {id} was acknowledged as seq {seq} and is seq {stored}"));
        return;
    }
    let entry = history.get(room).and_then(|log| log.iter().find(|entry| entry.seq.get() == *stored));
    let same = entry.is_some_and(|entry| {
        let text = text_of(entry);
        let text_holds = text == intent.body || (text.is_empty() && client_id_in(entry).is_none());
        entry.author.id == intent.author && text_holds && entry.at.millis() == at
    });
    if !same {
        verdict.reordered.add(|| format!("{node}: seq {seq} of room {room} is not what was acknowledged for {id}"));
    }
}

fn same(first: &str, truth: &History, node: &str, history: &History, verdict: &mut Verdict) {
    for (room, log) in truth {
        let other = history.get(room).map_or(&[][..], Vec::as_slice);
        if log.len() != other.len() {
            verdict
                .reordered
                .add(|| format!("room {room} has {} entries on {first} and {} on {node}", log.len(), other.len()));
        }
        for (a, b) in log.iter().zip(other) {
            if a.seq != b.seq || Print::of(a) != Print::of(b) {
                verdict.reordered.add(|| format!("seq {} of room {room} differs between {first} and {node}", a.seq));
            }
        }
    }
}

fn stored_unknowns(book: &Book, truth: &History) -> u64 {
    let ids = truth.values().flatten().filter_map(client_id_in);
    let unknown = |id: &ClientId| {
        book.attempts.get(id).is_some_and(|attempt| attempt.acks.is_empty() && attempt.refused.is_none())
    };
    u64::try_from(ids.filter(unknown).count()).unwrap_or(u64::MAX)
}

/// What a reader has must be the log, from its first entry on; one who stayed must have all of it.
fn read(reader: &Reader, truth: &History, verdict: &mut Verdict) {
    verdict.filled += reader.gaps;
    for sentence in &reader.doubled {
        verdict.doubled.add(|| sentence.clone());
    }
    for sentence in &reader.reordered {
        verdict.reordered.add(|| sentence.clone());
    }
    let name = &reader.name;
    for (room, seen) in &reader.seen {
        let Some(log) = truth.get(room) else { continue };
        for (place, seen) in seen.iter().enumerate() {
            let seq = seen.seq;
            let entry = log.get(usize::try_from(seq).unwrap_or(usize::MAX).wrapping_sub(1));
            let same = entry.is_some_and(|entry| {
                let print = Print::of(entry);
                // What was deleted meanwhile has lost its text.
                entry.seq.get() == seq
                    && print.frame == seen.print.frame
                    && (print.text == seen.print.text || text_of(entry).is_empty())
            });
            if !same {
                verdict.reordered.add(|| format!("{name} saw another seq {seq} of room {room} than the history has"));
            } else if u64::try_from(place + 1).ok() != Some(seq) {
                verdict.reordered.add(|| format!("{name} took seq {seq} of room {room} as its {}th", place + 1));
                break;
            }
        }
        let missing = log.len().saturating_sub(seen.len());
        if missing > 0 && !reader.left {
            verdict.lost.add(|| format!("{name} never got the last {missing} entries of room {room}"));
        }
    }
}
