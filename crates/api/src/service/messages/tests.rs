//! Messages on the real store: repeats, whispers, changes, and catching up.

use super::*;
use crate::stage::{Heard, Stage};
use futures_util::future::join_all;
use natter_shared::frame::{Cursors, ServerFrame};
use natter_shared::limits;
use natter_shared::page::{EntriesQuery, MessagesQuery, SearchQuery};
use natter_shared::room::Visibility;

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

/// Ann's public room with bob and cleo in it: the head is 3. Cleo is an administrator from seq 4 on.
async fn garden(stage: &Stage) -> ([Caller; 3], RoomId) {
    let (ann, bob, cleo) = (stage.person("ann").await, stage.person("bob").await, stage.person("cleo").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    for who in [&bob, &cleo] {
        stage.rooms.join(who, room).await.unwrap();
    }
    stage.rooms.set_role(&ann, room, cleo.user, Role::Admin).await.unwrap();
    ([ann, bob, cleo], room)
}

fn edit(stage: &Stage, body: &str) -> EditForm {
    EditForm { client_id: ClientId::from_random_bytes(stage.bytes()), body: body.to_owned() }
}

#[tokio::test]
async fn one_client_id_is_one_message_whatever_comes_with_it() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    let form = stage.form("first");
    let sends = (0..20).map(|n| {
        let body = if n == 0 { "first".to_owned() } else { format!("copy {n}") };
        stage.messages.send(&ann, room, MessageForm { body, ..form.clone() })
    });
    let sent: Vec<Sent> = join_all(sends).await.into_iter().map(Result::unwrap).collect();
    assert!(sent.iter().all(|one| one.entry == sent[0].entry));
    assert_eq!(sent.iter().filter(|one| !one.again).count(), 1);
    let theirs = stage.messages.send(&bob, room, form).await.unwrap();
    assert!(!theirs.again, "another author's id is another id");
    let told = stage.heard.until(|all| Some(Heard::entries(all, room).concat()).filter(|told| told.len() == 6)).await;
    assert!(told.iter().map(|entry| entry.seq.get()).eq(1..=6));
}

#[tokio::test]
async fn what_is_said_one_after_the_other_stands_so_replies_among_it() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    let question = stage.says(&bob, room, "well?").await.seq;
    let reply = |n: u64| n.is_multiple_of(2).then_some(question);
    let sends = (0..30).map(|n| MessageForm { reply_to: reply(n), ..stage.form(&n.to_string()) });
    let sent = join_all(sends.map(|form| stage.messages.send(&ann, room, form))).await;
    let seqs = sent.into_iter().map(|sent| sent.unwrap().entry.seq.get());
    assert!(seqs.eq(question.get() + 1..question.get() + 31));
    let form = MessageForm { reply_to: Some(seq(1)), to: Some(bob.user), ..stage.form("to a line that is no message") };
    let refused = stage.messages.send(&ann, room, form).await;
    assert!(matches!(&refused, Err(MessageError::Invalid(fields)) if fields.contains_key("reply_to")), "{refused:?}");
}

#[tokio::test]
async fn a_whisper_is_seen_by_two() {
    let stage = Stage::new();
    let ([ann, bob, cleo], room) = garden(&stage).await;
    let form = MessageForm { to: Some(bob.user), ..stage.form("psst cake") };
    let said = stage.messages.send(&ann, room, form).await.unwrap().entry;
    for (who, sees) in [(&ann, true), (&bob, true), (&cleo, false)] {
        let page = stage.messages.page(who, room, MessagesQuery::default()).await.unwrap();
        assert_eq!(page.messages.len(), usize::from(sees));
        let log = stage.messages.entries(who, room, EntriesQuery::default()).await.unwrap();
        assert_eq!(log.entries.len(), 5, "nobody's log has a gap");
        assert_eq!(log.entries[4].what == EntryKind::Withheld, !sees);
        let resumed = stage.messages.resume(who.user, &[(room, said.seq)], &Cursors::from([(room, seq(4))])).await;
        let resumed = format!("{:?}", resumed.unwrap());
        assert_eq!((resumed.contains("cake"), resumed.contains("Withheld")), (sees, !sees));
        let query = SearchQuery { q: Some("cake".into()), ..SearchQuery::default() };
        assert_eq!(stage.messages.search(who, query).await.unwrap().items.len(), usize::from(sees));
        let overview = stage.rooms.mine(who).await.unwrap().remove(0);
        assert_eq!(overview.last_message.is_some(), sees);
        assert_eq!(overview.unread, u32::from(who.user == bob.user));
    }
    // An administrator who does not see it can do nothing with it, and is told what is told of no message.
    let reply = MessageForm { reply_to: Some(said.seq), ..stage.form("what?") };
    assert!(matches!(stage.messages.send(&cleo, room, reply).await, Err(MessageError::Invalid(_))));
    assert!(matches!(stage.messages.delete(&cleo, room, said.seq).await, Err(MessageError::Unknown)));
    assert!(matches!(stage.messages.react(&cleo, room, said.seq, "👍").await, Err(MessageError::Unknown)));
    assert!(matches!(stage.messages.edit(&cleo, room, said.seq, edit(&stage, "x")).await, Err(MessageError::Unknown)));
    // Those who see it can delete what is theirs; an edit or a reaction would be in everybody's log.
    assert!(matches!(
        stage.messages.edit(&ann, room, said.seq, edit(&stage, "x")).await,
        Err(MessageError::Forbidden(_))
    ));
    assert!(matches!(stage.messages.react(&bob, room, said.seq, "👍").await, Err(MessageError::Forbidden(_))));
    assert!(matches!(stage.messages.delete(&bob, room, said.seq).await, Err(MessageError::Forbidden(_))));
    stage.messages.delete(&ann, room, said.seq).await.unwrap();
    let everything = format!("{:?}", stage.parts.store.entries_after(room, Seq::ZERO, 100).await.unwrap());
    assert!(!everything.contains("cake"), "{everything}");
    // A whisper is for somebody else, and for somebody in the room.
    let dora = stage.person("dora").await;
    for nobody in [ann.user, dora.user] {
        let refused = stage.messages.send(&ann, room, MessageForm { to: Some(nobody), ..stage.form("x") }).await;
        assert!(matches!(&refused, Err(MessageError::Invalid(fields)) if fields.contains_key("to")), "{refused:?}");
    }
}

#[tokio::test]
async fn what_a_client_calls_its_message_is_its_own_affair() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    let said = stage.says(&ann, room, "hello").await;
    assert!(said.client_id.is_some());
    for (who, sees) in [(&ann, true), (&bob, false)] {
        let page = stage.messages.page(who, room, MessagesQuery::default()).await.unwrap();
        assert_eq!(page.messages[0].client_id.is_some(), sees);
        let log = stage.messages.entries(who, room, EntriesQuery::default()).await.unwrap();
        assert_eq!(log.entries[4].client_id.is_some(), sees);
        let query = SearchQuery { q: Some("hello".into()), ..SearchQuery::default() };
        assert_eq!(stage.messages.search(who, query).await.unwrap().items[0].client_id.is_some(), sees);
        let last = stage.rooms.mine(who).await.unwrap().remove(0).last_message.unwrap();
        assert_eq!(last.client_id.is_some(), sees);
    }
}

#[tokio::test]
async fn changes_of_a_message_end_with_its_deletion() {
    let stage = Stage::new();
    let ([ann, bob, cleo], room) = garden(&stage).await;
    let said = stage.says(&bob, room, "tomatos").await.seq;
    let correction = edit(&stage, "tomatoes");
    let edited = stage.messages.edit(&bob, room, said, correction.clone()).await.unwrap();
    let again = stage.messages.edit(&bob, room, said, correction).await.unwrap();
    assert_eq!((again.again, again.entry), (true, edited.entry));
    assert!(matches!(stage.messages.edit(&ann, room, said, edit(&stage, "x")).await, Err(MessageError::Forbidden(_))));
    assert!(matches!(stage.messages.react(&ann, room, said, "nice").await, Err(MessageError::Invalid(_))));
    let reacted = stage.messages.react(&ann, room, said, "👍").await.unwrap();
    assert_eq!(stage.messages.react(&ann, room, said, "👍").await.unwrap(), Sent { again: true, ..reacted });
    assert!(matches!(stage.messages.unreact(&bob, room, said, "👍").await, Err(MessageError::Unknown)));
    let gone = stage.messages.delete(&cleo, room, said).await.unwrap();
    let again = stage.messages.delete(&bob, room, said).await.unwrap();
    assert_eq!((again.again, again.entry.seq, again.entry.author.id), (true, gone.entry.seq, cleo.user));
    assert!(matches!(stage.messages.edit(&bob, room, said, edit(&stage, "x")).await, Err(MessageError::Unknown)));
    assert!(matches!(stage.messages.react(&ann, room, said, "🎉").await, Err(MessageError::Unknown)));
    let page = stage.messages.page(&ann, room, MessagesQuery::default()).await.unwrap();
    let message = &page.messages[0];
    assert!(message.deleted && message.content.body.as_str().is_empty() && message.reactions.is_empty());
}

#[tokio::test]
async fn an_archived_room_is_read_and_not_written() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    let said = stage.says(&ann, room, "hello").await.seq;
    let archive = natter_shared::room::RoomPatch { archived: Some(true), ..Default::default() };
    stage.rooms.change(&ann, room, archive).await.unwrap();
    let outcomes = [
        stage.messages.send(&bob, room, stage.form("late")).await,
        stage.messages.edit(&ann, room, said, edit(&stage, "late")).await,
        stage.messages.delete(&ann, room, said).await,
        stage.messages.react(&bob, room, said, "👍").await,
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(MessageError::Archived)), "{outcome:?}");
    }
    assert_eq!(stage.messages.page(&bob, room, MessagesQuery::default()).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn each_cursor_is_answered_in_full_or_with_a_reason() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    let quiet = stage.room(&bob, "quiet", Visibility::Private).await.id;
    let (future, gone, busy) = (
        stage.room(&bob, "future", Visibility::Private).await.id,
        stage.room(&ann, "gone", Visibility::Private).await.id,
        stage.room(&bob, "busy", Visibility::Private).await.id,
    );
    join_all((0..limits::RESUME_MAX).map(|_| stage.says(&bob, busy, "x"))).await;
    stage.says(&ann, room, "one").await;
    stage.says(&ann, room, "two").await;
    let overviews = stage.rooms.mine(&bob).await.unwrap();
    let heads: Vec<(RoomId, Seq)> = overviews.iter().map(|it| (it.room.id, it.head)).collect();
    let at = |n| Cursors::from([(room, seq(4)), (quiet, seq(1)), (future, seq(2)), (gone, seq(1)), (busy, seq(n))]);

    let frames = stage.messages.resume(bob.user, &heads, &at(0)).await.unwrap();
    assert_eq!(frames.len(), 4, "who is at the head misses nothing");
    assert!(frames.contains(&ServerFrame::Resync { room: future, head: seq(1) }));
    assert!(frames.contains(&ServerFrame::RoomGone { room: gone }));
    assert!(frames.contains(&ServerFrame::Resync { room: busy, head: seq(limits::RESUME_MAX + 1) }));
    let entries = |frames: &[ServerFrame], of: RoomId| {
        frames.iter().find_map(|frame| match frame {
            ServerFrame::Entries { room, entries } if *room == of => Some(entries.clone()),
            _ => None,
        })
    };
    let missed = entries(&frames, room).unwrap();
    assert_eq!(missed.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>(), [5, 6]);
    assert!(missed.iter().all(|entry| entry.client_id.is_none()));

    let frames = stage.messages.resume(bob.user, &heads, &at(1)).await.unwrap();
    assert_eq!(entries(&frames, busy).unwrap().len() as u64, limits::RESUME_MAX, "at the limit all of it comes");
    stage.says(&bob, busy, "meanwhile").await;
    let frames = stage.messages.resume(bob.user, &heads, &at(1)).await.unwrap();
    assert!(frames.contains(&ServerFrame::Resync { room: busy, head: seq(limits::RESUME_MAX + 2) }));

    let many = (0..=limits::CURSORS_MAX).map(|_| (RoomId::from_random_bytes(stage.bytes()), seq(1))).collect();
    assert!(matches!(stage.messages.resume(bob.user, &heads, &many).await, Err(MessageError::Invalid(_))));
    let beyond = EntriesQuery { after: seq(99), limit: None };
    assert!(matches!(stage.messages.entries(&bob, room, beyond).await, Err(MessageError::Invalid(_))));
}

#[tokio::test]
async fn search_goes_on_where_it_stopped() {
    let stage = Stage::new();
    let ([ann, bob, _], room) = garden(&stage).await;
    for n in 0..7 {
        stage.says(&ann, room, &format!("beans {n}")).await;
    }
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let query = SearchQuery { q: Some("beans".into()), room: Some(room), limit: Some(3), cursor };
        let page = stage.messages.search(&bob, query).await.unwrap();
        found.extend(page.items.into_iter().map(|message| message.seq.get()));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [11, 10, 9, 8, 7, 6, 5], "newest first, each once");
}

fn texts(frames: &[ServerFrame]) -> Vec<String> {
    let entries = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Entries { entries, .. } => Some(entries),
        _ => None,
    });
    let text = |entry: &Entry| match &entry.what {
        EntryKind::Message(content) => content.body.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    entries.flatten().map(text).collect()
}

#[tokio::test]
async fn who_catches_up_with_the_same_at_the_same_time_shares_one_read() {
    let stage = Stage::new();
    let ([ann, bob, cleo], room) = garden(&stage).await;
    let other = stage.room(&bob, "shed", Visibility::Public).await.id;
    let whisper = MessageForm { to: Some(cleo.user), ..stage.form("cake") };
    stage.tries_to_say(&ann, room, whisper).await.unwrap();
    let head = stage.says(&ann, room, "two").await.seq;
    let behind = stage.says(&bob, other, "three").await.seq;
    let reads = || stage.messages.stretches.reads.swap(0, std::sync::atomic::Ordering::SeqCst);

    let heads = [(room, head), (other, behind)];
    let cursors = Cursors::from([(room, seq(4))]);
    let both = Cursors::from([(room, seq(4)), (other, seq(1))]);
    let many = (0..100).map(|n| {
        let reader = if n % 2 == 0 { bob.user } else { cleo.user };
        stage.messages.resume(reader, &heads, if n < 90 { &cursors } else { &both })
    });
    for (n, frames) in join_all(many).await.into_iter().enumerate() {
        let first = if n % 2 == 0 { "Withheld" } else { "cake" };
        let mut expected = vec![first, "two"];
        expected.extend((n >= 90).then_some("three"));
        let mut found = texts(&frames.unwrap());
        found.sort_by_key(|text| expected.iter().position(|it| it == text));
        assert_eq!(found, expected, "each sees what is for them");
    }
    // Two if no read is done before the last one has asked; a hundred if nothing were shared.
    let found = reads();
    assert!((2..50).contains(&found), "{found} reads");

    // Somebody who knows of more than a read under way will show reads again.
    let more = [(room, head.next())];
    let old = [(room, head)];
    let (early, late) =
        tokio::join!(stage.messages.resume(bob.user, &old, &cursors), stage.messages.resume(bob.user, &more, &cursors));
    assert_eq!(texts(&early.unwrap()), texts(&late.unwrap()));
    assert_eq!(reads(), 2);

    // A reader that gives up leaves nobody waiting.
    let resume = || stage.messages.resume(bob.user, &heads, &cursors);
    let mut gone = Box::pin(resume());
    while futures_util::poll!(&mut gone).is_ready() {
        gone = Box::pin(resume());
    }
    let mut waiting = Box::pin(resume());
    assert!(futures_util::poll!(&mut waiting).is_pending(), "it shares a read that nobody goes on with");
    drop(gone);
    assert_eq!(texts(&waiting.await.unwrap()), ["Withheld", "two"]);
    assert!(stage.messages.stretches.is_idle());
}
