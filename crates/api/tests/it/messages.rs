//! Saying things over REST: repeats, order, edits, deletion, reactions, whispers, history, search.

use crate::support::{Person, Server, also_on_a_cluster, client_id};
use futures_util::future::join_all;
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{RoomId, Seq};
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::text::Emoji;
use serde_json::json;

also_on_a_cluster! {
    a_repeat_gets_the_first_answer_whatever_it_says,
    a_repeat_after_a_restart_gets_the_first_answer,
    twenty_at_once_with_one_id_are_one_message,
    many_writers_give_one_order_without_gaps,
    who_wrote_it_is_not_what_the_client_says,
    text_is_kept_as_it_was_sent,
    only_the_author_edits_and_everybody_catches_up,
    a_deleted_text_is_gone_everywhere,
    an_owner_may_delete_what_others_wrote,
    a_reaction_counts_once_and_can_be_taken_back,
    what_is_pinned_is_listed_for_all_in_the_room,
    a_reply_names_a_message_of_the_same_room,
    a_whisper_reaches_one_and_leaves_no_gap,
    history_comes_in_pages,
    search_finds_words_in_ones_own_rooms_only,
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|m| m.content.body.as_str()).collect()
}

async fn ann_and_bob(server: &Server) -> (Person, Person, RoomId) {
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    (ann, bob, room.id)
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_whatever_it_says() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let id = client_id();
    let first: Entry = ann.tries_to_say(room, id, "once").await.expect(201).read();
    server.clock.advance_millis(5_000);
    let again: Entry = ann.tries_to_say(room, id, "something else").await.expect(200).read();
    assert_eq!(first, again);
    let other: Entry = bob.tries_to_say(room, id, "mine").await.expect(201).read();
    assert_ne!(first.seq, other.seq, "another author's id is another id");
    let elsewhere = ann.makes_room("shed", "public").await;
    ann.tries_to_say(elsewhere.id, id, "there").await.expect(201);
    assert_eq!(bodies(&ann.history(room, "").await.messages), ["once", "mine"]);
}

#[tokio::test]
async fn a_repeat_after_a_restart_gets_the_first_answer() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let id = client_id();
    let first: Entry = ann.tries_to_say(room, id, "once").await.expect(201).read();
    let server = server.restart();
    ann.address = server.address;
    let again: Entry = ann.tries_to_say(room, id, "once").await.expect(200).read();
    assert_eq!(first, again);
}

#[tokio::test]
async fn twenty_at_once_with_one_id_are_one_message() {
    let server = Server::start();
    let (ann, _, room) = ann_and_bob(&server).await;
    let id = client_id();
    let answers = join_all((0..20).map(|_| ann.tries_to_say(room, id, "once"))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    let entries: Vec<Entry> = answers.iter().map(crate::support::Answer::read).collect();
    assert!(entries.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(ann.history(room, "").await.messages.len(), 1);
}

#[tokio::test]
async fn many_writers_give_one_order_without_gaps() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let says = |n: usize| {
        let who = if n.is_multiple_of(2) { &ann } else { &bob };
        async move { who.says(room, &n.to_string()).await.seq.get() }
    };
    let mut seqs = join_all((0..100).map(says)).await;
    seqs.sort_unstable();
    assert_eq!(seqs, (3..=102).collect::<Vec<_>>());
    let log = bob.log(room, Seq::ZERO).await;
    assert!(log.complete);
    assert_eq!(log.entries.iter().map(|e| e.seq.get()).collect::<Vec<_>>(), (1..=102).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_wrote_it_is_not_what_the_client_says() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    for field in ["author", "sender", "sender_name", "user", "seq", "at", "id", "_id", "kind", "role"] {
        let form = json!({"client_id": client_id(), "body": "x", field: ann.id()});
        bob.post(&path::messages(room), &form).await.refused(400, "bad_request");
    }
    assert_eq!(bob.says(room, "me").await.author.username.as_str(), "bob");
}

#[tokio::test]
async fn text_is_kept_as_it_was_sent() {
    let server = Server::start();
    let (ann, _, room) = ann_and_bob(&server).await;
    let texts = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "  leading and trailing  ",
        "line one\nline two\ttab",
        "👩‍👩‍👧‍👦 Z̸̢͇a̷l̶g̵o",
        "\u{202E}gnp.exe",
        "'; DROP TABLE entries; --",
        "\\ \" { $ne: null }",
    ];
    for text in texts {
        ann.says(room, text).await;
    }
    assert_eq!(bodies(&ann.history(room, "").await.messages), texts);
    ann.says(room, &"x".repeat(4_000)).await;
    for bad in ["", "   ", "\u{200B}", &"x".repeat(4_001), &"👍".repeat(4_097)] {
        let answer = ann.tries_to_say(room, client_id(), bad).await.refused(400, "invalid");
        assert!(answer.json()["error"]["fields"]["body"].is_string());
    }
}

#[tokio::test]
async fn only_the_author_edits_and_everybody_catches_up() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let said = ann.says(room, "helo").await;
    let edit = |body: &str| json!({"client_id": client_id(), "body": body});
    bob.patch(&path::message(room, said.seq), &edit("hacked")).await.refused(403, "forbidden");
    let form = edit("hello");
    let entry: Entry = ann.patch(&path::message(room, said.seq), &form).await.expect(200).read();
    let again: Entry = ann.patch(&path::message(room, said.seq), &form).await.expect(200).read();
    assert_eq!(entry, again);
    let page = bob.history(room, "").await;
    assert_eq!(bodies(&page.messages), ["hello"]);
    assert!(page.messages[0].edited_at.is_some());
    let caught_up = bob.log(room, said.seq).await;
    assert_eq!(caught_up.entries.len(), 1);
    assert_eq!(caught_up.entries[0].what.target(), Some(said.seq));
    ann.patch(&path::message(room, seq(99)), &edit("x")).await.refused(404, "not_found");
    ann.patch(&path::message(room, seq(1)), &edit("x")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_deleted_text_is_gone_everywhere() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let said = ann.says(room, "xylophone secret").await;
    ann.patch(&path::message(room, said.seq), &json!({"client_id": client_id(), "body": "xylophone edited"})).await;
    bob.delete(&path::message(room, said.seq)).await.refused(403, "forbidden");
    let first: Entry = ann.delete(&path::message(room, said.seq)).await.expect(200).read();
    let second: Entry = ann.delete(&path::message(room, said.seq)).await.expect(200).read();
    assert_eq!(first, second, "deleting twice is deleting once");
    for path in [path::messages(room), path::entries(room), format!("{}?q=xylophone", path::SEARCH)] {
        let answer = bob.get(&path).await.expect(200);
        assert!(!answer.text.contains("xylophone"), "{path}: {}", answer.text);
    }
    let edit = json!({"client_id": client_id(), "body": "back"});
    ann.patch(&path::message(room, said.seq), &edit).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_owner_may_delete_what_others_wrote() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let said = bob.says(room, "rude").await;
    ann.delete(&path::message(room, said.seq)).await.expect(200);
    assert!(bob.history(room, "").await.messages[0].deleted);
}

#[tokio::test]
async fn a_reaction_counts_once_and_can_be_taken_back() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let said = ann.says(room, "hello").await;
    let thumb = Emoji::parse("👍").unwrap();
    let path = path::reaction(room, said.seq, &thumb);
    for person in [&ann, &bob] {
        let first: Entry = person.put(&path, &json!({})).await.expect(200).read();
        let second: Entry = person.put(&path, &json!({})).await.expect(200).read();
        assert_eq!(first, second);
    }
    let message = &bob.history(room, "").await.messages[0];
    assert_eq!(message.reactions.len(), 1);
    assert_eq!(message.reactions[0].users, [ann.id(), bob.id()]);
    ann.delete(&path).await.expect(200);
    bob.delete(&path).await.expect(200);
    assert!(bob.history(room, "").await.messages[0].reactions.is_empty());
    for bad in ["a", "%3Cb%3E", "%20"] {
        let answer = ann.put(&format!("{}/reactions/{bad}", path::message(room, said.seq)), &json!({})).await;
        assert!(answer.status.is_client_error(), "{bad}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_reply_names_a_message_of_the_same_room() {
    let server = Server::start();
    let (ann, _, room) = ann_and_bob(&server).await;
    let said = ann.says(room, "question").await;
    let reply = |to: u64| json!({"client_id": client_id(), "body": "answer", "reply_to": to});
    let answer = ann.post(&path::messages(room), &reply(said.seq.get())).await.expect(201);
    assert_eq!(answer.json()["reply_to"], said.seq.get());
    for wrong in [1, 99] {
        let answer = ann.post(&path::messages(room), &reply(wrong)).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_whisper_reaches_one_and_leaves_no_gap() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let cleo = server.person("cleo").await;
    cleo.joins(room).await;
    let whisper = json!({"client_id": client_id(), "body": "psst cake", "to": bob.id()});
    let said: Entry = ann.post(&path::messages(room), &whisper).await.expect(201).read();
    ann.says(room, "aloud").await;
    assert_eq!(bodies(&bob.history(room, "").await.messages), ["psst cake", "aloud"]);
    assert_eq!(bodies(&cleo.history(room, "").await.messages), ["aloud"]);
    let log = cleo.log(room, Seq::ZERO).await;
    assert_eq!(log.entries.iter().map(|e| e.seq.get()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(log.entries[3].what, EntryKind::Withheld);
    let found: Page<Message> = cleo.get(&format!("{}?q=cake", path::SEARCH)).await.expect(200).read();
    assert!(found.items.is_empty());
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE] {
        let path = path::reaction(room, said.seq, &Emoji::parse("👍").unwrap());
        let answer = cleo.call(method, &path, Some(&json!({}))).await;
        assert_eq!(answer.status.as_u16(), 404, "{}", answer.text);
    }
    let reply = json!({"client_id": client_id(), "body": "what?", "reply_to": said.seq});
    assert!(cleo.post(&path::messages(room), &reply).await.status.is_client_error());
    let stranger = server.person("dora").await;
    let wrong = json!({"client_id": client_id(), "body": "psst", "to": stranger.id()});
    assert!(ann.post(&path::messages(room), &wrong).await.status.is_client_error());
}

#[tokio::test]
async fn history_comes_in_pages() {
    let server = Server::start();
    let (ann, _, room) = ann_and_bob(&server).await;
    for n in 1..=70 {
        ann.says(room, &n.to_string()).await;
    }
    let latest = ann.history(room, "").await;
    assert_eq!((latest.messages.len(), latest.has_more, latest.head.get()), (30, true, 72));
    assert_eq!(latest.messages[29].content.body.as_str(), "70");
    let first = latest.messages[0].seq;
    let older = ann.history(room, &format!("?before={first}&limit=100")).await;
    assert_eq!((older.messages.len(), older.has_more), (40, false));
    assert_eq!(older.events.len(), 2, "who joined belongs to the beginning");
    let newer = ann.history(room, &format!("?after={}&limit=5", older.messages[0].seq)).await;
    assert_eq!(bodies(&newer.messages), ["2", "3", "4", "5", "6"]);
    assert!(newer.has_more);
    let around = ann.history(room, "?around=40&limit=10").await;
    assert!(around.messages.iter().any(|m| m.seq == seq(40)) && around.messages.len() == 10);
    for bad in ["?limit=0", "?limit=101", "?before=-1", "?before=1&after=1", "?before=9007199254740992", "?x=1"] {
        let answer = ann.get(&format!("{}{bad}", path::messages(room))).await.expect(400);
        assert!(["bad_request", "invalid"].contains(&answer.code().as_str()), "{bad}");
    }
    let entries = ann.get(&format!("{}?after=70&limit=1", path::entries(room))).await.expect(200).json();
    assert_eq!((entries["entries"].as_array().unwrap().len(), entries["complete"].as_bool()), (1, Some(false)));
}

#[tokio::test]
async fn search_finds_words_in_ones_own_rooms_only() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let secret = ann.makes_room("secret", "private").await;
    ann.says(secret.id, "the tomato plan").await;
    ann.says(room, "Tomatoes and peppers").await;
    ann.says(room, "grüne Äpfel").await;
    let find = async |person: &Person, q: &str| -> Vec<String> {
        let path = path::with_query(path::SEARCH, &[("q", Some(q.to_owned()))]);
        let page: Page<Message> = person.get(&path).await.expect(200).read();
        bodies(&page.items).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(find(&bob, "tomato").await, ["Tomatoes and peppers"]);
    assert_eq!(find(&ann, "tomato").await.len(), 2);
    assert_eq!(find(&bob, "äpfel").await, ["grüne Äpfel"]);
    for hostile in ["\"", "*", "(a+)+$", ".*", "\\", "AND", "NEAR(a b)", "body:tomato", "{$regex:1}", "tomato OR plan"]
    {
        let found = find(&bob, hostile).await;
        assert!(found.iter().all(|text| !text.contains("plan")), "{hostile}: {found:?}");
    }
    let path = path::with_query(path::SEARCH, &[("q", Some("x".repeat(65)))]);
    bob.get(&path).await.refused(400, "invalid");
    bob.get(path::SEARCH).await.refused(400, "invalid");
    let foreign = path::with_query(path::SEARCH, &[("q", Some("plan".into())), ("room", Some(secret.id.to_string()))]);
    let answer = bob.get(&foreign).await;
    assert!(!answer.text.contains("the tomato plan"), "{}", answer.text);
}

/// On SQLite only: Redis counts by its own clock, which a test cannot stop.
#[tokio::test]
async fn too_fast_is_told_when_to_come_back() {
    let server = Server::with(&[("NATTER_RATE_LIMITS", "on")]);
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let mut refused = None;
    for n in 0..30 {
        let answer = ann.tries_to_say(room, client_id(), &n.to_string()).await;
        if answer.status != 201 {
            refused = Some((n, answer));
            break;
        }
    }
    let (n, answer) = refused.expect("twenty at once, then ten a second");
    assert!(n >= 20, "a burst of twenty is let through: {n}");
    let answer = answer.refused(429, "rate_limited");
    assert!(answer.headers.contains_key("retry-after"));
    server.clock.advance_millis(2_000);
    ann.says(room, "calmer").await;
}

#[tokio::test]
async fn what_is_pinned_is_listed_for_all_in_the_room() {
    let server = Server::start();
    let (ann, bob, room) = ann_and_bob(&server).await;
    let listed = async |who: &Person| {
        let page: Page<Message> = who.get(&path::pins(room)).await.expect(200).read();
        page.items.iter().map(|pin| pin.content.body.as_str().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = (ann.says(room, "the rules").await.seq, bob.says(room, "the plan").await.seq);
    let pin = async |who: &Person, seq: Seq| who.put(&path::pin(room, seq), &json!({})).await;
    pin(&bob, second).await.refused(403, "forbidden");
    let entry: Entry = pin(&ann, first).await.expect(200).read();
    assert_eq!(entry.what, EntryKind::Pinned { target: first });
    let again: Entry = pin(&ann, first).await.expect(200).read();
    assert_eq!(entry, again);
    pin(&ann, second).await.expect(200);
    assert_eq!(listed(&bob).await, ["the plan", "the rules"]);
    // It stands in the log and in the timeline.
    let page = bob.history(room, "").await;
    assert!(page.messages.iter().all(|message| message.pinned));
    assert_eq!(page.events.iter().filter(|entry| matches!(entry.what, EntryKind::Pinned { .. })).count(), 2);
    bob.delete(&path::pin(room, first)).await.refused(403, "forbidden");
    ann.delete(&path::pin(room, first)).await.expect(200);
    assert_eq!(listed(&bob).await, ["the plan"]);
    // What is not there, or is for one person alone, is not pinned.
    for nowhere in [seq(1), seq(999), Seq::MAX] {
        pin(&ann, nowhere).await.refused(404, "not_found");
    }
    let form = json!({"client_id": client_id(), "body": "psst", "to": bob.id()});
    let psst: Entry = ann.post(&path::messages(room), &form).await.expect(201).read();
    pin(&ann, psst.seq).await.refused(403, "forbidden");
    // Who goes reads nothing any more.
    bob.leaves(room).await;
    bob.get(&path::pins(room)).await.refused(403, "forbidden");
    // Of a conversation of two both decide.
    let direct = bob.direct(&ann).await;
    let said = ann.says(direct.id, "remember this").await.seq;
    for who in [&bob, &ann] {
        who.put(&path::pin(direct.id, said), &json!({})).await.expect(200);
        who.delete(&path::pin(direct.id, said)).await.expect(200);
    }
}
