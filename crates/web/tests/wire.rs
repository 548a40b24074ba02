//! The page reads JSON in its own way (src/json.rs, src/live/frame.rs): what comes of it must be what `serde_json` makes of it.
//! Whatever the protocol's own tests hold is read here as well.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test may fail that way, and clippy sees that in #[test] functions only")]

use natter_shared::account::{CheckAnswer, Me, Session, SessionInfo, User};
use natter_shared::entry::{Entry, Message};
use natter_shared::error::ErrorBody;
use natter_shared::frame::ServerFrame;
use natter_shared::page::{EntryPage, MessagePage, Page};
use natter_shared::room::{Member, Room, RoomOverview};
use natter_web::json::{self, Json, Unlike};
use natter_web::live::frame;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

/// Name and JSON of each snapshot of an answer or frame whose name begins so.
fn snapshots(beginning: &str) -> Vec<(String, String)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/tests/snapshots"));
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().trim_start_matches("wire__").to_owned();
        if name.starts_with(beginning) && !name.ends_with("_query") && !name.ends_with("_form") {
            let text = fs::read_to_string(&path).unwrap();
            let (_, json) = text.trim_start_matches("---").split_once("\n---\n").unwrap();
            found.push((name, json.to_owned()));
        }
    }
    assert!(!found.is_empty(), "no snapshot begins with {beginning}");
    found
}

fn same<T: DeserializeOwned + PartialEq + Debug>(beginning: &str) {
    for (name, json) in snapshots(beginning) {
        let expected: T = serde_json::from_str(&json).unwrap();
        assert_eq!(json::read::<T>(&json).as_ref(), Ok(&expected), "{name}");
    }
}

#[test]
fn every_frame_of_the_server_is_read() {
    for (name, json) in snapshots("server_") {
        let expected: ServerFrame = serde_json::from_str(&json).unwrap();
        assert_eq!(frame::read(&json), Some(expected), "{name}");
    }
}

#[test]
fn every_answer_is_read() {
    same::<User>("account_user");
    same::<Me>("account_me");
    same::<SessionInfo>("account_session_info");
    same::<CheckAnswer>("account_check_answer");
    same::<Room>("room_room");
    same::<Room>("room_direct");
    same::<RoomOverview>("room_overview");
    same::<Member>("room_member");
    same::<Message>("entry_message_applied");
    same::<Page<User>>("page_list");
    same::<EntryPage>("page_entries");
    same::<ErrorBody>("error_body");
    let session = r#"{"access_token":"a.b.c","expires_in":900,"user":{"id":"0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22",
        "username":"ann","display_name":"Ann","guest":false,"unknown":[1,{"x":null}]}}"#;
    assert_eq!(json::read::<Session>(session).unwrap(), serde_json::from_str(session).unwrap());
    for name in ["entry_e", "entry_p", "entry_r", "entry_w", "entry_joined", "entry_topic", "entry_visibility"] {
        same::<Entry>(name);
    }
    same::<MessagePage>("page_messages");
}

#[test]
fn what_does_not_fit_is_an_error_and_nothing_worse() {
    for bad in ["", "{", "null", "[]", r#"{"id":1}"#, r#"{"id":"x","username":"ann"}"#, r#"{"a":1,"a":1}"#] {
        assert_eq!(json::read::<User>(bad), Err(Unlike), "{bad}");
    }
    assert_eq!(json::read::<()>("null"), Ok(()));
    assert_eq!(json::read::<Option<u32>>("null"), Ok(None));
    assert_eq!(json::read::<u32>("-1"), Err(Unlike));
    assert_eq!(json::read::<u8>("256"), Err(Unlike));
    assert_eq!(Json::parse("9007199254740991"), Ok(Json::Unsigned(9_007_199_254_740_991)));
    for unknown in [r#"{"type":"something_new","x":1}"#, r#"{"room":"x"}"#, r#"{"type":7}"#, "7"] {
        assert_eq!(frame::read(unknown), None, "{unknown}");
    }
}
