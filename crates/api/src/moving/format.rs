//! The file of an archive: gzip members, one after the other, of JSON lines. The first is a [`Header`], the last a
//! [`Footer`], each between them a chunk: a line with its number and how many pieces it has, and a piece a line. Every member
//! has its own check sum, so that a file that was cut short is good up to there; the footer has one over all before it.

use crate::store::archive::{Census, Piece};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use natter_shared::entry::EntryKind;
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, BufRead, ErrorKind, Read, Write};

/// The version of the format. A reader knows its own and all before it. 2: the log of events goes along, and readers before it,
/// which would have dropped mentions and what was muted, refuse the file.
pub const VERSION: u32 = 2;
/// A chunk is closed at so many pieces, or at so many bytes.
const PIECES: u64 = 500;
const BYTES: usize = 1024 * 1024;
/// The largest member that is read. The cut of the largest room, or 500 of the longest messages, are far below.
const MEMBER_MAX: u64 = 256 * 1024 * 1024;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub natter_archive: u32,
    /// Random: by it a store remembers which archive it is being filled from.
    pub id: String,
    pub made_at: Timestamp,
    /// The version of the program.
    pub natter: String,
    /// Which store it is from, as a hash of its address: an export that goes on must go on with the same.
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ChunkHead {
    chunk: u64,
    pieces: u64,
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    pub chunks: u64,
    pub people: u64,
    pub logins: u64,
    pub rooms: u64,
    pub entries: u64,
    /// SHA-256 of all bytes before this member, in hexadecimal digits.
    pub sha256: String,
}

impl Footer {
    pub const fn census(&self) -> Census {
        Census { people: self.people, logins: self.logins, rooms: self.rooms, entries: self.entries }
    }
}

/// What is wrong with a file, as the end of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("is no archive of Natter")]
    Foreign,
    #[error("was written by a newer Natter (its format is {found}, this one knows {VERSION}); run that one")]
    Newer { found: u32 },
    #[error("is cut short: its end is missing; copy it again, or start `natter export` again")]
    Cut,
    #[error("is damaged ({0}); copy it again, and compare its size and check sum with where it is from")]
    Damaged(String),
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

fn damaged(what: impl Into<String>) -> Damage {
    Damage::Damaged(what.into())
}

pub(crate) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A hash of a store's address.
pub fn source(address: &str) -> String {
    hex(&Sha256::digest(address)[..16])
}

/// Counts and hashes what passes.
struct Hashing<R> {
    input: R,
    hash: Sha256,
    position: u64,
}

impl<R: BufRead> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        // What is consumed was filled before, and filling again gives the same bytes.
        if let Ok(bytes) = self.input.fill_buf() {
            self.hash.update(&bytes[..n.min(bytes.len())]);
        }
        self.position += u64::try_from(n).unwrap_or(0);
        self.input.consume(n);
    }
}

/// What comes next in a file.
pub enum Member {
    Chunk(Chunk),
    End(Footer),
}

/// Pieces, still as text.
pub struct Chunk {
    pub number: u64,
    lines: Vec<u8>,
}

impl Chunk {
    pub fn pieces(&self) -> Result<Vec<Piece>, Damage> {
        let lines = self.lines.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
        lines.map(|line| piece(line, self.number)).collect()
    }
}

fn piece(line: &[u8], chunk: u64) -> Result<Piece, Damage> {
    let piece = serde_json::from_slice(line).map_err(|error| damaged(format!("chunk {chunk}: {error}")))?;
    match &piece {
        Piece::Entry(entry) if matches!(entry.what, EntryKind::Unknown | EntryKind::Withheld) => {
            Err(damaged(format!("chunk {chunk} has an entry of a kind that is not known")))
        }
        _ => Ok(piece),
    }
}

/// Reads an archive member by member.
pub struct Reader<R> {
    input: Hashing<R>,
    /// The hash of all before the member that was read last.
    before: Sha256,
    chunks: u64,
    pub header: Header,
}

impl<R: BufRead> Reader<R> {
    pub fn open(input: R) -> Result<Self, Damage> {
        let mut input = Hashing { input, hash: Sha256::new(), position: 0 };
        let first = member(&mut input).map_err(|damage| match damage {
            Damage::Damaged(_) => Damage::Foreign,
            other => other,
        })?;
        let first = first.ok_or(Damage::Foreign)?;
        // A newer header may have fields that this one cannot know.
        let found: serde_json::Value = serde_json::from_slice(&first).map_err(|_| Damage::Foreign)?;
        let version = found.get("natter_archive").and_then(serde_json::Value::as_u64).ok_or(Damage::Foreign)?;
        let version = u32::try_from(version).unwrap_or(u32::MAX);
        if version > VERSION {
            return Err(Damage::Newer { found: version });
        }
        let header = serde_json::from_value(found).map_err(|error| damaged(format!("its header: {error}")))?;
        Ok(Self { before: input.hash.clone(), input, chunks: 0, header })
    }

    /// The next chunk, or the end, behind which nothing may come. A file without its end is [`Damage::Cut`].
    pub fn next(&mut self) -> Result<Member, Damage> {
        self.before = self.input.hash.clone();
        let lines = member(&mut self.input)?.ok_or(Damage::Cut)?;
        let head = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if let Ok(ChunkHead { chunk, pieces }) = serde_json::from_slice(head) {
            // Besides the first line, and what follows on the last line's end.
            let there = lines.split(|byte| *byte == b'\n').count().saturating_sub(2);
            if chunk != self.chunks + 1 || u64::try_from(there) != Ok(pieces) {
                return Err(damaged(format!(
                    "chunk {chunk} follows on {}, with {there} of {pieces} pieces",
                    self.chunks
                )));
            }
            self.chunks = chunk;
            return Ok(Member::Chunk(Chunk { number: chunk, lines }));
        }
        let footer: Footer = serde_json::from_slice(head).map_err(|error| damaged(error.to_string()))?;
        if footer.chunks != self.chunks {
            return Err(damaged(format!("it should have {} chunks and has {}", footer.chunks, self.chunks)));
        }
        if footer.sha256 != hex(self.before.clone().finalize()) {
            return Err(damaged("its SHA-256 is another one"));
        }
        match member(&mut self.input) {
            Ok(None) => Ok(Member::End(footer)),
            _ => Err(damaged("something comes after its end")),
        }
    }

    /// How many bytes were read, and their hash.
    pub fn so_far(&self) -> (u64, Sha256) {
        (self.input.position, self.input.hash.clone())
    }
}

/// The next member, without its compression; `None` at the end of the file.
fn member(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Damage> {
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => Damage::Cut,
        ErrorKind::InvalidData | ErrorKind::InvalidInput => damaged(error.to_string()),
        _ => Damage::Unreadable(error.to_string()),
    };
    if input.fill_buf().map_err(unreadable)?.is_empty() {
        return Ok(None);
    }
    let mut lines = Vec::new();
    let mut decoder = GzDecoder::new(input).take(MEMBER_MAX);
    decoder.read_to_end(&mut lines).map_err(unreadable)?;
    if decoder.limit() == 0 {
        return Err(damaged("a part of it is larger than any that Natter writes"));
    }
    Ok(Some(lines))
}

/// Writes an archive, chunk by chunk.
pub struct Writer<W> {
    output: W,
    hash: Sha256,
    chunks: u64,
    lines: Vec<u8>,
    pieces: u64,
}

impl<W: Write> Writer<W> {
    pub fn begin(output: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self::go_on(output, Sha256::new(), 0);
        writer.member(header, &[])?;
        Ok(writer)
    }

    /// Goes on behind so many chunks; `hash` is of all bytes before.
    pub const fn go_on(output: W, hash: Sha256, chunks: u64) -> Self {
        Self { output, hash, chunks, lines: Vec::new(), pieces: 0 }
    }

    /// Adds a piece; `true` if a chunk was written with it.
    pub fn put(&mut self, piece: &Piece) -> io::Result<bool> {
        serde_json::to_writer(&mut self.lines, piece)?;
        self.lines.push(b'\n');
        self.pieces += 1;
        let full = self.pieces >= PIECES || self.lines.len() >= BYTES;
        if full {
            self.flush()?;
        }
        Ok(full)
    }

    /// Writes what was put since the last chunk as one.
    fn flush(&mut self) -> io::Result<()> {
        if self.pieces > 0 {
            let head = ChunkHead { chunk: self.chunks + 1, pieces: self.pieces };
            let lines = std::mem::take(&mut self.lines);
            self.member(&head, &lines)?;
            self.chunks += 1;
            self.pieces = 0;
        }
        Ok(())
    }

    /// Closes the archive and gives back what it was written to.
    pub fn finish(mut self, census: Census) -> io::Result<W> {
        self.flush()?;
        let Census { people, logins, rooms, entries } = census;
        let sha256 = hex(self.hash.clone().finalize());
        self.member(&Footer { chunks: self.chunks, people, logins, rooms, entries, sha256 }, &[])?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn member(&mut self, head: &impl Serialize, lines: &[u8]) -> io::Result<()> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 4 + 64), Compression::default());
        serde_json::to_writer(&mut encoder, head)?;
        encoder.write_all(b"\n")?;
        encoder.write_all(lines)?;
        let bytes = encoder.finish()?;
        self.hash.update(&bytes);
        self.output.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests;
