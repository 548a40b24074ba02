//! Frames as they leave: encoded once, then shared by every connection that gets them.

use bytes::{BufMut, Bytes, BytesMut};
use natter_shared::entry::Entry;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, Seq, UserId};
use std::ops::Range;
use std::sync::OnceLock;

/// Text frames from the server carry no mask, so their header is the same for every reader (RFC 6455, 5.2).
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
/// The longest header of an unmasked frame.
const HEAD_MAX: usize = 10;

/// One frame: the bytes of a WebSocket text frame, of which the JSON is a part.
#[derive(Debug, Clone)]
pub struct Outgoing {
    wire: Bytes,
    json: u8,
    kind: &'static str,
    /// For entries: the room and the seqs in it, so that an event stream can say where its reader stands.
    pub span: Option<(RoomId, Seq, Seq)>,
}

impl Outgoing {
    pub fn new(frame: &ServerFrame) -> Self {
        let span = match frame {
            ServerFrame::Entries { room, entries } => {
                entries.first().zip(entries.last()).map(|(first, last)| (*room, first.seq, last.seq))
            }
            ServerFrame::Resync { room, head } => Some((*room, *head, *head)),
            _ => None,
        };
        let mut json = vec![0; HEAD_MAX];
        // Writing plain data to memory cannot fail; an empty frame would be a defect that tests see at once.
        let _ = serde_json::to_writer(&mut json, frame);
        Self { span, ..Self::framed(json, TEXT, frame.kind()) }
    }

    /// Puts a header right before the payload, which stands after [`HEAD_MAX`] free bytes.
    fn framed(mut buffer: Vec<u8>, opcode: u8, kind: &'static str) -> Self {
        let length = buffer.len() - HEAD_MAX;
        let mut head = [0; HEAD_MAX];
        let size = header(opcode, length, &mut head);
        let start = HEAD_MAX - size;
        buffer[start..HEAD_MAX].copy_from_slice(&head[..size]);
        let wire = Bytes::from(buffer).slice(start..);
        Self { wire, json: u8::try_from(size).unwrap_or(0), kind, span: None }
    }

    fn control(opcode: u8, payload: &[u8], kind: &'static str) -> Self {
        let mut buffer = vec![0; HEAD_MAX];
        // A control frame holds at most 125 bytes.
        buffer.extend_from_slice(&payload[..payload.len().min(125)]);
        Self::framed(buffer, opcode, kind)
    }

    pub fn ping() -> Self {
        Self::control(PING, b"", "ping")
    }

    pub fn pong(payload: &[u8]) -> Self {
        Self::control(PONG, payload, "pong")
    }

    pub fn close(code: u16, reason: &str) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Self::control(CLOSE, &payload, "close")
    }

    /// The bytes of the WebSocket frame.
    pub fn websocket(&self) -> Bytes {
        self.wire.clone()
    }

    /// The JSON alone; empty for what is no frame of the contract.
    pub fn json(&self) -> &[u8] {
        match self.kind {
            "ping" | "pong" | "close" => &[],
            _ => &self.wire[usize::from(self.json)..],
        }
    }

    /// The frame's type.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Bytes on the wire.
    pub fn len(&self) -> usize {
        self.wire.len()
    }

    /// Whether a reader that is behind can do without it.
    pub fn is_minor(&self) -> bool {
        matches!(self.kind, "typing" | "presence")
    }
}

/// Writes the header of an unmasked, whole frame; returns its length.
fn header(opcode: u8, length: usize, head: &mut [u8; HEAD_MAX]) -> usize {
    let mut out = &mut head[..];
    out.put_u8(opcode);
    if let Some(short) = u8::try_from(length).ok().filter(|n| *n < 126) {
        out.put_u8(short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.put_u8(126);
        out.put_u16(medium);
    } else {
        out.put_u8(127);
        out.put_u64(length as u64);
    }
    HEAD_MAX - out.len()
}

/// An `entries` frame holds at most so many entries and about so many bytes.
const ENTRIES_A_FRAME: usize = 64;
const BYTES_A_FRAME: usize = 64 * 1024;

/// Consecutive entries of one room as frames. What everybody may see is encoded once; whoever is concerned otherwise (an
/// author sees the client id, the two of a whisper see its text) gets frames of their own, made when first asked for.
#[derive(Debug)]
pub struct Batch {
    room: RoomId,
    entries: Vec<Entry>,
    /// What everybody may see of each entry.
    public: Vec<Vec<u8>>,
    /// Which entries go into which frame.
    chunks: Vec<Range<usize>>,
    frames: Vec<Outgoing>,
    /// By id.
    concerned: Vec<(UserId, OnceLock<Vec<Outgoing>>)>,
}

impl Batch {
    /// `entries` are consecutive and not empty.
    pub fn new(room: RoomId, entries: Vec<Entry>) -> Self {
        let mut concerned: Vec<UserId> = entries.iter().flat_map(concerns).flatten().collect();
        concerned.sort_unstable();
        concerned.dedup();
        let concerned = concerned.into_iter().map(|user| (user, OnceLock::new())).collect();
        let public: Vec<Vec<u8>> = entries.iter().map(|entry| json(&entry.seen_by(NOBODY))).collect();
        let mut chunks: Vec<Range<usize>> = Vec::new();
        let mut bytes = 0;
        for (i, entry) in public.iter().enumerate() {
            match chunks.last_mut() {
                Some(chunk) if chunk.len() < ENTRIES_A_FRAME && bytes + entry.len() <= BYTES_A_FRAME => {
                    chunk.end = i + 1;
                    bytes += entry.len();
                }
                _ => {
                    chunks.push(i..i + 1);
                    bytes = entry.len();
                }
            }
        }
        let mut batch = Self { room, entries, public, chunks, frames: Vec::new(), concerned };
        batch.frames = batch.chunks.iter().map(|chunk| batch.frame(chunk.clone(), None)).collect();
        batch
    }

    pub const fn room(&self) -> RoomId {
        self.room
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn first(&self) -> Seq {
        self.entries.first().map_or(Seq::ZERO, |entry| entry.seq)
    }

    pub fn last(&self) -> Seq {
        self.entries.last().map_or(Seq::ZERO, |entry| entry.seq)
    }

    /// All entries as this reader sees them.
    pub fn frames_for(&self, reader: UserId) -> &[Outgoing] {
        let Ok(at) = self.concerned.binary_search_by_key(&reader, |(user, _)| *user) else { return &self.frames };
        self.concerned[at].1.get_or_init(|| {
            let frames = self.chunks.iter().zip(&self.frames).map(|(chunk, shared)| {
                let touched = self.entries[chunk.clone()].iter().any(|e| concerns(e).contains(&Some(reader)));
                if touched { self.frame(chunk.clone(), Some(reader)) } else { shared.clone() }
            });
            frames.collect()
        })
    }

    /// The entries from `first` to `last` as this reader sees them, for the few who get only a part.
    pub fn part_for(&self, reader: UserId, first: Seq, last: Seq) -> Vec<Outgoing> {
        let start = self.entries.partition_point(|entry| entry.seq < first);
        let end = self.entries.partition_point(|entry| entry.seq <= last);
        if start >= end { Vec::new() } else { vec![self.frame(start..end, Some(reader))] }
    }

    fn frame(&self, range: Range<usize>, reader: Option<UserId>) -> Outgoing {
        let length: usize = self.public[range.clone()].iter().map(|entry| entry.len() + 60).sum();
        let mut buffer = Vec::with_capacity(HEAD_MAX + 100 + length);
        buffer.resize(HEAD_MAX, 0);
        buffer.extend_from_slice(format!("{{\"type\":\"entries\",\"room\":\"{}\",\"entries\":[", self.room).as_bytes());
        for i in range.clone() {
            if i > range.start {
                buffer.push(b',');
            }
            match reader.filter(|reader| concerns(&self.entries[i]).contains(&Some(*reader))) {
                Some(reader) => buffer.extend_from_slice(&json(&self.entries[i].seen_by(reader))),
                None => buffer.extend_from_slice(&self.public[i]),
            }
        }
        buffer.extend_from_slice(b"]}");
        let span = (self.room, self.entries[range.start].seq, self.entries[range.end - 1].seq);
        Outgoing { span: Some(span), ..Outgoing::framed(buffer, TEXT, "entries") }
    }
}

/// An id that no person has (ids are random): what this reader sees is what everybody may see.
const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// Who sees more of an entry than everybody: its author if there is a client id, and the two of a whisper.
fn concerns(entry: &Entry) -> [Option<UserId>; 2] {
    let to = match &entry.what {
        natter_shared::entry::EntryKind::Message(content) => content.to,
        _ => None,
    };
    let author = (entry.client_id.is_some() || to.is_some()).then_some(entry.author.id);
    [author, to]
}

fn json(entry: &Entry) -> Vec<u8> {
    serde_json::to_vec(entry).unwrap_or_default()
}

/// Several frames as one piece of bytes, for one write.
pub fn joined(frames: &[Outgoing]) -> Bytes {
    match frames {
        [one] => one.websocket(),
        frames => {
            let mut out = BytesMut::with_capacity(frames.iter().map(Outgoing::len).sum());
            for frame in frames {
                out.extend_from_slice(&frame.wire);
            }
            out.freeze()
        }
    }
}
