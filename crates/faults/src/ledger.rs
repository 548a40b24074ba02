//! What was tried, what was promised and what was seen, kept apart from the server; and the verdict: whether the history
//! that the server tells in the end keeps every promise. It knows nothing of how the messages travelled.
//!
//! A message is known by its text, which begins with its client id. So a server that forgets client ids, or stores one
//! twice under different ones, is still found out.

#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::{Findings, History, Verdict};

use anyhow::{Context, Result};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{ClientId, RoomId, UserId};
use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A message before it is sent for the first time.
#[derive(Debug, Clone)]
pub struct Intent {
    pub room: RoomId,
    pub author: UserId,
    pub client_id: ClientId,
    pub body: String,
}

/// What the server promised for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// What has become of a message so far.
struct Attempt {
    intent: Intent,
    since: Instant,
    acks: Vec<Ack>,
    refused: Option<String>,
}

/// An entry as a reader took it over, in the order of its taking.
#[derive(Debug, Clone, Copy)]
struct Seen {
    seq: u64,
    print: Print,
}

/// What makes an entry the same entry: author, time, kind; and its text apart, for a deletion blanks it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    frame: u64,
    text: u64,
}

/// Somebody who reads, by its number in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReaderId(usize);

#[derive(Default)]
struct Reader {
    name: String,
    seen: HashMap<RoomId, Vec<Seen>>,
    doubled: Vec<String>,
    reordered: Vec<String>,
    /// Seqs that a connection jumped over; each was read from the log.
    gaps: u64,
    /// Has gone for good, and so need not have everything.
    left: bool,
}

#[derive(Default)]
struct Book {
    attempts: HashMap<ClientId, Attempt>,
    readers: Vec<Reader>,
    /// Acknowledgements, repeated ones included.
    acks: u64,
    file: Option<BufWriter<File>>,
}

/// Clones write into the same book.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    /// A ledger that also writes every line into a file, for whoever looks for the cause of a failure.
    pub fn with_file(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let book = Book { file: Some(BufWriter::new(file)), ..Book::default() };
        Ok(Self(Arc::new(Mutex::new(book))))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before the first byte of the message leaves.
    pub fn intent(&self, intent: Intent) {
        let mut book = self.book();
        book.note(format_args!("INTENT {} {} {}", intent.client_id, intent.room, intent.author));
        let client_id = intent.client_id;
        let attempt = Attempt { intent, since: Instant::now(), acks: Vec::new(), refused: None };
        // What is sent by several ways is one message.
        book.attempts.entry(client_id).or_insert(attempt);
    }

    /// To be called for every acknowledgement, also repeated ones.
    pub fn ack(&self, client_id: ClientId, ack: Ack) {
        let mut book = self.book();
        book.note(format_args!("ACK {client_id} {} {}", ack.seq, ack.at));
        if let Some(attempt) = book.attempts.get_mut(&client_id) {
            attempt.acks.push(ack);
        }
        book.acks += 1;
    }

    /// The server said that the message is not accepted and never will be.
    pub fn refused(&self, client_id: ClientId, why: &str) {
        let mut book = self.book();
        book.note(format_args!("REFUSED {client_id} {why}"));
        if let Some(attempt) = book.attempts.get_mut(&client_id) {
            attempt.refused = Some(why.to_owned());
        }
    }

    /// How often a message has been acknowledged.
    pub fn acks_of(&self, client_id: ClientId) -> usize {
        self.book().attempts.get(&client_id).map_or(0, |attempt| attempt.acks.len())
    }

    /// How many acknowledgements have come so far.
    pub fn acks(&self) -> u64 {
        self.book().acks
    }

    pub fn reader(&self, name: &str) -> ReaderId {
        let mut book = self.book();
        book.readers.push(Reader { name: name.to_owned(), ..Reader::default() });
        ReaderId(book.readers.len() - 1)
    }

    /// A reader took an entry over. Returns how long the message was on its way, if it is one of ours.
    pub fn observed(&self, reader: ReaderId, entry: &Entry) -> Option<Duration> {
        let mut book = self.book();
        let seen = Seen { seq: entry.seq.get(), print: Print::of(entry) };
        book.note(format_args!("SEEN {} {} {}", reader.0, entry.room, entry.seq));
        book.readers[reader.0].seen.entry(entry.room).or_default().push(seen);
        let client_id = client_id_in(entry)?;
        Some(book.attempts.get(&client_id)?.since.elapsed())
    }

    /// One connection brought a reader an entry a second time.
    pub fn doubled(&self, reader: ReaderId, room: RoomId, seq: u64) {
        let mut book = self.book();
        book.note(format_args!("DOUBLED {} {room} {seq}", reader.0));
        let reader = &mut book.readers[reader.0];
        let sentence = format!("{} was sent seq {seq} of room {room} twice on one connection", reader.name);
        reader.doubled.push(sentence);
    }

    /// One connection brought a reader an entry after a later one.
    pub fn reordered(&self, reader: ReaderId, room: RoomId, seq: u64) {
        let mut book = self.book();
        book.note(format_args!("REORDERED {} {room} {seq}", reader.0));
        let reader = &mut book.readers[reader.0];
        let sentence = format!("{} was sent seq {seq} of room {room} after a later one", reader.name);
        reader.reordered.push(sentence);
    }

    /// One connection jumped over entries, which the reader then read from the log.
    pub fn gap(&self, reader: ReaderId, room: RoomId, missing: u64) {
        let mut book = self.book();
        book.note(format_args!("GAP {} {room} {missing}", reader.0));
        book.readers[reader.0].gaps += missing;
    }

    /// The reader has gone for good: what it has must be right, but need not be all.
    pub fn leaves(&self, reader: ReaderId) {
        self.book().readers[reader.0].left = true;
    }

    /// Compares everything with what each node tells in the end.
    pub fn verdict(&self, histories: &[(String, History)]) -> Verdict {
        let mut book = self.book();
        if let Some(file) = &mut book.file {
            // A ledger that cannot be kept on disk is still complete in memory.
            let _ = file.flush();
        }
        verdict::judge(&book, histories)
    }
}

impl Book {
    fn note(&mut self, line: std::fmt::Arguments<'_>) {
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{line}");
        }
    }
}

impl Print {
    fn of(entry: &Entry) -> Self {
        let (mut frame, mut text) = (DefaultHasher::new(), DefaultHasher::new());
        (entry.author.id, entry.at.millis(), std::mem::discriminant(&entry.what)).hash(&mut frame);
        text_of(entry).hash(&mut text);
        Self { frame: frame.finish(), text: text.finish() }
    }
}

/// What somebody typed; empty for entries without text and for what was deleted.
fn text_of(entry: &Entry) -> &str {
    match &entry.what {
        EntryKind::Message(content) => content.body.as_str(),
        EntryKind::Edited { body, .. } => body.as_str(),
        _ => "",
    }
}

/// The client id at the beginning of one of our messages.
pub fn client_id_in(entry: &Entry) -> Option<ClientId> {
    let EntryKind::Message(content) = &entry.what else { return None };
    content.body.as_str().get(..36)?.parse().ok()
}
