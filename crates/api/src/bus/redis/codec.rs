//! A notice as it travels: `natter/1 <node> <the notice as JSON>`. The version and the sender are read before the rest, so
//! that a node's own echo costs next to nothing and a newer version's notices are passed over.

use crate::bus::Notice;

const VERSION: &str = "natter/1";

/// What a message is to the node that hears it.
#[derive(Debug)]
pub enum Heard {
    /// This node's own echo.
    Own,
    Notice(Box<Notice>),
    /// Another version, or nothing of ours.
    Foreign(String),
}

pub fn encode(node: &str, notice: &Notice) -> Result<Vec<u8>, serde_json::Error> {
    let mut payload = Vec::with_capacity(512);
    for part in [VERSION, " ", node, " "] {
        payload.extend_from_slice(part.as_bytes());
    }
    serde_json::to_writer(&mut payload, notice)?;
    Ok(payload)
}

pub fn decode(node: &str, payload: &[u8]) -> Heard {
    let mut parts = payload.splitn(3, |byte| *byte == b' ');
    let (version, from, notice) = (parts.next(), parts.next(), parts.next());
    if version != Some(VERSION.as_bytes()) {
        return Heard::Foreign(format!("it does not begin with {VERSION}"));
    }
    if from == Some(node.as_bytes()) {
        return Heard::Own;
    }
    match serde_json::from_slice(notice.unwrap_or_default()) {
        Ok(notice) => Heard::Notice(Box::new(notice)),
        Err(why) => Heard::Foreign(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::entry::{Author, Entry, EntryKind, MessageContent};
    use natter_shared::id::{ClientId, RoomId, Seq, SessionId, UserId};
    use natter_shared::text::{DisplayName, MessageBody, Username};
    use natter_shared::timestamp::Timestamp;
    use std::sync::Arc;

    fn whisper() -> Notice {
        let author = Author {
            id: UserId::from_bytes([1; 16]),
            username: Username::parse("ann").unwrap(),
            display_name: DisplayName::parse("Ann").unwrap(),
            avatar_url: None,
            gender: None,
            guest: false,
            deleted: false,
            bot: false,
        };
        let body = MessageBody::parse("psst").unwrap();
        let to = Some(UserId::from_bytes([3; 16]));
        let content = MessageContent { body, reply_to: None, attachments: Vec::new(), to, mentions: Vec::new() };
        let room = RoomId::from_bytes([2; 16]);
        let entry = Entry {
            room,
            seq: Seq::new(7).unwrap(),
            at: Timestamp::from_millis(0),
            author,
            client_id: Some(ClientId::from_bytes([4; 16])),
            what: EntryKind::Message(content),
        };
        Notice::Entries { room, entries: Arc::new(vec![entry]) }
    }

    #[test]
    fn another_node_reads_what_was_written_and_the_writer_knows_its_own() {
        for notice in [whisper(), Notice::SessionsEnded { sessions: vec![SessionId::from_bytes([9; 16])] }] {
            let payload = encode("a", &notice).unwrap();
            let Heard::Notice(heard) = decode("b", &payload) else { panic!("{payload:?}") };
            assert_eq!(format!("{heard:?}"), format!("{notice:?}"));
            assert!(matches!(decode("a", &payload), Heard::Own));
        }
    }

    #[test]
    fn what_is_not_understood_is_foreign() {
        for payload in ["", "natter/2 b {}", "natter/1 b {\"Unheard\":1}", "natter/1 b", "PING", "\u{0} \u{0} \u{0}"] {
            assert!(matches!(decode("a", payload.as_bytes()), Heard::Foreign(_)), "{payload}");
        }
    }
}
