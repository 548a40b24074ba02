//! What the two kinds of servers say: Natter's own protocol (docs/protocol.md), and Socket.IO 5 over Engine.IO 4 as its
//! documents describe them. A frame is judged by how it begins; only now and then one is read whole.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use natter_shared::entry::EntryKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::ClientId;

use crate::machine;

/// A message's text. Both servers store and send it whole.
pub const BODY: &str =
    "The tide turns at ten past four, so we should be off the sandbank by three and back in time for tea.";
/// Stands once in every message that Natter delivers. No text can hold it, for in a text its quotes would be escaped.
const MESSAGE: &[u8] = br#""kind":"message""#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Natter,
    SocketIo,
}

/// What a text frame from the server means to a benchmark.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// So many messages.
    Messages(u64),
    /// One message of this connection's is stored durably.
    Ack,
    /// To be answered with this text.
    Ping(&'static str),
    /// Something went wrong; nothing that is measured may be refused.
    Refused(String),
    /// Anything else that belongs to the protocol.
    Aside,
}

/// Where a sign-in stands after a frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Now say who you are.
    Speak,
    /// To be answered with this text.
    Ping(&'static str),
    Welcome,
    Aside,
}

impl Dialect {
    /// The path and query of the WebSocket.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Natter => natter_shared::path::WEBSOCKET,
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// Whether the client speaks first.
    pub const fn client_opens(self) -> bool {
        matches!(self, Self::Natter)
    }

    /// What a frame of the sign-in means. An error if the server refuses.
    pub fn greet(self, text: &[u8]) -> Result<Greeting> {
        match self {
            Self::Natter if text.starts_with(br#"{"type":"welcome""#) => Ok(Greeting::Welcome),
            Self::SocketIo if text.starts_with(b"0{") => Ok(Greeting::Speak),
            Self::SocketIo if text.starts_with(b"40{") => Ok(Greeting::Welcome),
            _ => match self.hear(text) {
                Said::Refused(why) => bail!("refused: {why}"),
                Said::Ping(answer) => Ok(Greeting::Ping(answer)),
                _ => Ok(Greeting::Aside),
            },
        }
    }

    /// What a frame after the sign-in means.
    pub fn hear(self, text: &[u8]) -> Said {
        match self {
            Self::Natter if text.starts_with(br#"{"type":"entries""#) => Said::Messages(messages_in(text)),
            Self::Natter if text.starts_with(br#"{"type":"ack""#) => Said::Ack,
            Self::Natter if text.starts_with(br#"{"type":"error""#) => refused(text),
            Self::Natter if text.starts_with(br#"{"type":"resync""#) => refused(text),
            Self::SocketIo if text.starts_with(br#"42["message""#) => Said::Messages(1),
            Self::SocketIo if text.starts_with(b"43") => {
                if memmem::find(text, br#""status":"ok""#).is_some() {
                    Said::Ack
                } else {
                    refused(text)
                }
            }
            Self::SocketIo if text == b"2" => Said::Ping("3"),
            // Goodbyes of the two layers, and the refusal of a handshake.
            Self::SocketIo if text == b"1" || text.starts_with(b"41") || text.starts_with(b"44") => refused(text),
            Self::Natter | Self::SocketIo => Said::Aside,
        }
    }

    /// Reads a frame whole and checks that it holds as many messages as were counted.
    pub fn check(self, text: &[u8], counted: u64) -> Result<()> {
        let held = match self {
            Self::Natter => match serde_json::from_slice(text).context("a frame that is not of the protocol")? {
                ServerFrame::Entries { entries, .. } => {
                    entries.iter().filter(|entry| matches!(entry.what, EntryKind::Message(_))).count()
                }
                _ => 0,
            },
            Self::SocketIo => {
                let event: serde_json::Value =
                    serde_json::from_slice(&text[2..]).context("a frame that is no event")?;
                usize::from(event[0] == "message" && event[1]["body"] == BODY)
            }
        };
        ensure!(held as u64 == counted, "{counted} messages were counted in a frame that holds {held}");
        Ok(())
    }

    /// The text of a message to `room`, each with an id of its own.
    pub fn write_message(self, room: &str) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = client_id(number);
        match self {
            Self::Natter => format!(r#"{{"type":"send","client_id":"{id}","room":"{room}","body":"{BODY}"}}"#),
            Self::SocketIo => format!(r#"42{number}["send",{{"clientId":"{id}","body":"{BODY}"}}]"#),
        }
    }
}

/// How often the marker of a message stands in a frame of entries.
fn messages_in(text: &[u8]) -> u64 {
    memmem::find_iter(text, MESSAGE).count() as u64
}

fn refused(text: &[u8]) -> Said {
    Said::Refused(String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned())
}

/// Differs from those of every other run as well, for a store may outlive one.
fn client_id(number: u64) -> ClientId {
    static RUN: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let run = *RUN.get_or_init(machine::run_number);
    let mut bytes = [0; 16];
    // A version 4 id keeps all but six bits, which are in the middle: neither number loses anything that changes.
    bytes[..6].copy_from_slice(&run.to_be_bytes()[2..]);
    bytes[9..].copy_from_slice(&number.to_be_bytes()[1..]);
    ClientId::from_random_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use natter_shared::frame::ClientFrame;

    use super::*;
    use crate::floor::broadcast::entries;

    #[test]
    fn messages_are_counted_and_other_entries_are_not() {
        for count in [1, 2, 64] {
            let frame = entries(count);
            assert_eq!(Dialect::Natter.hear(&frame), Said::Messages(count as u64));
            Dialect::Natter.check(&frame, count as u64).unwrap();
            assert!(Dialect::Natter.check(&frame, count as u64 + 1).is_err());
        }
        let joined = br#"{"type":"entries","room":"r","entries":[{"kind":"joined"},{"kind":"message"}]}"#;
        assert_eq!(Dialect::Natter.hear(joined), Said::Messages(1));
    }

    #[test]
    fn a_text_that_looks_like_the_marker_is_not_counted() {
        let text = serde_json::to_string(r#""kind":"message""#).unwrap();
        let frame = format!(r#"{{"type":"entries","room":"r","entries":[{{"kind":"message","body":{text}}}]}}"#);
        assert_eq!(Dialect::Natter.hear(frame.as_bytes()), Said::Messages(1));
    }

    #[test]
    fn each_frame_of_natter_is_known_by_its_beginning() {
        for (frame, said) in [
            (r#"{"type":"ack","client_id":"c","room":"r","seq":1,"at":"t"}"#, Said::Ack),
            (r#"{"type":"heads","heads":{}}"#, Said::Aside),
            (r#"{"type":"presence","user":"u","online":true}"#, Said::Aside),
        ] {
            assert_eq!(Dialect::Natter.hear(frame.as_bytes()), said);
        }
        let error = br#"{"type":"error","code":"retry","message":"busy","retry":true}"#;
        assert!(matches!(Dialect::Natter.hear(error), Said::Refused(why) if why.contains("busy")));
        assert!(Dialect::Natter.greet(error).is_err());
        assert_eq!(Dialect::Natter.greet(br#"{"type":"welcome","rooms":[]}"#).unwrap(), Greeting::Welcome);
    }

    #[test]
    fn each_frame_of_socket_io_is_known_by_its_beginning() {
        let event = format!(r#"42["message",{{"id":"1","body":"{BODY}"}}]"#);
        assert_eq!(Dialect::SocketIo.hear(event.as_bytes()), Said::Messages(1));
        Dialect::SocketIo.check(event.as_bytes(), 1).unwrap();
        assert!(Dialect::SocketIo.check(br#"42["message",{"body":"another"}]"#, 1).is_err());
        assert_eq!(Dialect::SocketIo.hear(br#"437[{"status":"ok","id":"1"}]"#), Said::Ack);
        assert!(matches!(Dialect::SocketIo.hear(br#"437[{"status":"error"}]"#), Said::Refused(_)));
        assert_eq!(Dialect::SocketIo.hear(b"2"), Said::Ping("3"));
        assert!(matches!(Dialect::SocketIo.hear(b"41"), Said::Refused(_)));
        assert_eq!(Dialect::SocketIo.greet(br#"0{"sid":"x"}"#).unwrap(), Greeting::Speak);
        assert_eq!(Dialect::SocketIo.greet(br#"40{"sid":"x"}"#).unwrap(), Greeting::Welcome);
        assert!(Dialect::SocketIo.greet(br#"44{"message":"no"}"#).is_err());
    }

    #[test]
    fn what_is_sent_is_what_the_server_reads_and_never_the_same_twice() {
        let room = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";
        let read = |text: String| match serde_json::from_str(&text).unwrap() {
            ClientFrame::Send(frame) => frame,
            other => panic!("{other:?}"),
        };
        let first = read(Dialect::Natter.write_message(room));
        let second = read(Dialect::Natter.write_message(room));
        assert_eq!((first.room.to_string().as_str(), first.body.as_str()), (room, BODY));
        assert_ne!(first.client_id, second.client_id);
        let ids: std::collections::BTreeSet<ClientId> = (0..10_000).map(client_id).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
