//! The WebSocket: signing in, live messages, resuming, and what ends a connection.

use crate::support::{Server, Socket, also_on_a_cluster, client_id, eventually};
use futures_util::{SinkExt, StreamExt};
use natter_shared::entry::Entry;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{ClientFrame, Cursors, ServerFrame};
use natter_shared::id::Seq;
use natter_shared::path;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

also_on_a_cluster! {
    frames_are_counted_for_a_person_however_many_sockets_they_open,
    two_people_chat,
    sends_of_one_socket_keep_their_order_and_each_is_seen_once,
    who_resumes_gets_what_was_missed_once,
    joining_while_others_write_loses_and_doubles_nothing,
    who_is_too_far_behind_is_told_to_load_afresh,
    a_mistake_is_answered_and_the_connection_goes_on,
    a_socket_says_hello_first_and_from_our_own_page,
    a_socket_ends_with_its_token_unless_it_gets_a_fresh_one,
    frames_that_no_client_sends_close_the_socket,
    a_declared_gigabyte_is_refused_from_its_header,
    presence_and_typing_reach_those_who_share_a_room,
    watermarks_reach_the_room,
    heads_come_by_themselves,
    one_person_has_ten_connections_at_most,
    shadows_of_lost_connections_keep_nobody_out,
    who_never_reads_is_let_go_and_the_others_go_on,
    the_server_says_that_it_stops,
    half_a_request_does_not_hold_the_server,
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

#[tokio::test]
async fn two_people_chat() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let (mut a, mut b) = (ann.connects().await, bob.connects().await);
    let id = client_id();
    a.sends(room.id, id, "hello bob").await;
    let acked = a
        .until(|frame| match frame {
            ServerFrame::Ack { client_id, seq, .. } if *client_id == id => Some(*seq),
            _ => None,
        })
        .await;
    assert_eq!(acked, seq(3));
    if !a.seen.iter().any(|f| crate::support::texts(f).contains(&"hello bob".to_owned())) {
        a.sees("hello bob").await;
    }
    b.sees("hello bob").await;
    b.sends(room.id, client_id(), "hello ann").await;
    a.sees("hello ann").await;
}

#[tokio::test]
async fn sends_of_one_socket_keep_their_order_and_each_is_seen_once() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let (mut a, mut b) = (ann.connects().await, bob.connects().await);
    for n in 0..100 {
        a.sends(room.id, client_id(), &n.to_string()).await;
    }
    b.sees("99").await;
    let entries: Vec<Entry> = entries_of(&b);
    let texts: Vec<String> = b.seen.iter().flat_map(crate::support::texts).collect();
    assert_eq!(texts, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(entries.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()), "consecutive");
    assert!(entries.iter().all(|e| e.client_id.is_none()), "another's client id is nobody's business");
}

fn entries_of(socket: &Socket) -> Vec<Entry> {
    let entries = socket.seen.iter().filter_map(|frame| match frame {
        ServerFrame::Entries { entries, .. } => Some(entries.clone()),
        _ => None,
    });
    entries.flatten().collect()
}

#[tokio::test]
async fn who_resumes_gets_what_was_missed_once() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let said = ann.says(room.id, "before").await;
    for n in 0..20 {
        ann.says(room.id, &format!("missed {n}")).await;
    }
    ann.delete(&path::message(room.id, said.seq)).await.expect(200);
    let cursors: Cursors = [(room.id, said.seq)].into();
    let mut socket = Socket::open(&bob, Some(cursors)).await;
    ann.says(room.id, "after").await;
    socket.sees("after").await;
    let seqs: Vec<u64> = entries_of(&socket).iter().map(|e| e.seq.get()).collect();
    assert_eq!(seqs, (said.seq.get() + 1..=said.seq.get() + 22).collect::<Vec<_>>());
}

#[tokio::test]
async fn joining_while_others_write_loses_and_doubles_nothing() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let writer = async {
        for n in 0..200 {
            ann.says(room.id, &n.to_string()).await;
        }
    };
    let reader = async {
        let mut views = Vec::new();
        for _ in 0..8 {
            let head = bob.log(room.id, Seq::ZERO).await.head;
            let mut socket = Socket::open(&bob, Some([(room.id, head)].into())).await;
            socket.until(|f| matches!(f, ServerFrame::Entries { .. }).then_some(())).await;
            views.push((head, socket));
        }
        views
    };
    let ((), views) = futures_util::join!(writer, reader);
    for (head, mut socket) in views {
        if !entries_of(&socket).iter().any(|e| e.seq == seq(202)) {
            socket.sees("199").await;
        }
        let seqs: Vec<u64> = entries_of(&socket).iter().map(|e| e.seq.get()).collect();
        assert_eq!(seqs, (head.get() + 1..=202).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_to_load_afresh() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await;
    let mut writer = ann.connects().await;
    for n in 0..520 {
        writer.sends(room.id, client_id(), &n.to_string()).await;
    }
    writer.sees("519").await;
    let elsewhere: natter_shared::id::RoomId = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".parse().unwrap();
    for cursor in [1, 9_000] {
        let cursors = [(room.id, seq(cursor)), (elsewhere, seq(1))].into();
        let mut socket = Socket::open(&ann, Some(cursors)).await;
        let resync = ServerFrame::Resync { room: room.id, head: seq(521) };
        socket.until(|frame| (*frame == resync).then_some(())).await;
        assert!(entries_of(&socket).is_empty());
    }
}

#[tokio::test]
async fn a_mistake_is_answered_and_the_connection_goes_on() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("secret", "private").await;
    let mut socket = bob.connects().await;
    let id = client_id();
    socket.sends(room.id, id, "let me in").await;
    let (code, retry) = socket
        .until(|frame| match frame {
            ServerFrame::Error { code, client_id: Some(c), retry, .. } if *c == id => Some((*code, *retry)),
            _ => None,
        })
        .await;
    assert_eq!((code, retry), (ErrorCode::NotFound, false));
    let hostile = [
        "{".to_owned(),
        "[]".to_owned(),
        "\u{feff}{}".to_owned(),
        r#"{"type":"teleport"}"#.to_owned(),
        format!(r#"{{"type":"typing","room":"{}","room":"{}"}}"#, room.id, room.id),
        "[".repeat(10_000),
    ];
    for text in hostile {
        socket.says_text(&text).await;
        let code = socket
            .until(|frame| match frame {
                ServerFrame::Error { code, .. } => Some(*code),
                _ => None,
            })
            .await;
        assert_eq!(code, ErrorCode::BadRequest, "{}", &text[..text.len().min(80)]);
    }
    let own = bob.makes_room("own", "private").await;
    socket.sends(own.id, client_id(), "still here").await;
    socket.sees("still here").await;
}

#[tokio::test]
async fn a_socket_says_hello_first_and_from_our_own_page() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let own = format!("http://{}", server.address);
    for origin in
        ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:1", &format!("{own}.evil.example")]
    {
        assert_eq!(Socket::raw(&ann, &[("origin", origin)]).await.err(), Some(403), "{origin}");
    }
    assert!(Socket::raw(&ann, &[("origin", &own), ("origin", "https://evil.example")]).await.is_err());
    let mut silent = Socket::raw(&ann, &[("origin", &own)]).await.expect("our own page may connect");
    silent.says(&ClientFrame::Typing { room: ann.makes_room("x", "public").await.id }).await;
    assert!([4401, 1008].contains(&silent.close_code().await));
    let mut wrong = Socket::raw(&ann, &[]).await.unwrap();
    wrong.says(&ClientFrame::Hello { token: "nonsense".to_owned(), cursors: None }).await;
    assert_eq!(wrong.close_code().await, 4401);
    let waiting = Socket::raw(&ann, &[]).await.unwrap();
    assert!([4401, 1008].contains(&waiting.close_code().await), "nobody waits for a hello for ever");
}

#[tokio::test]
async fn a_socket_ends_with_its_token_unless_it_gets_a_fresh_one() {
    let server = Server::start();
    let mut ann = server.person("ann").await;
    let stale = ann.connects().await;
    let mut fresh = ann.connects().await;
    let room = ann.makes_room("garden", "public").await;
    server.clock.advance_millis(600_000);
    ann.refresh().await.expect(200);
    fresh.says(&ClientFrame::Token { token: ann.token.clone() }).await;
    fresh.sends(room.id, client_id(), "between").await;
    fresh.sees("between").await;
    server.clock.advance_millis(310_000);
    assert_eq!(stale.close_code().await, 4401);
    fresh.sends(room.id, client_id(), "after").await;
    fresh.sees("after").await;
}

#[tokio::test]
async fn frames_that_no_client_sends_close_the_socket() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let mut binary = ann.connects().await;
    binary.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!([1002, 1003, 1007, 1008].contains(&binary.close_code().await));
    let mut large = ann.connects().await;
    large.stream.send(Message::text("x".repeat(65 * 1024))).await.unwrap();
    assert_eq!(large.close_code().await, 1009);

    // Header, then whatever follows: unmasked text, reserved bits, an unknown opcode, a 2^63 byte frame, a stray continuation.
    let hostile: [(&[u8], &[u16]); 6] = [
        (&[0x81, 0x02, b'h', b'i'], &[1002]),
        (&[0xC1, 0x80, 0, 0, 0, 0], &[1002]),
        (&[0x83, 0x80, 0, 0, 0, 0], &[1002]),
        (&[0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], &[1009, 1002]),
        (&[0x80, 0x80, 0, 0, 0, 0], &[1002, 1008]),
        (&[0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], &[1007]),
    ];
    for (bytes, codes) in hostile {
        let mut socket = Socket::raw(&ann, &[]).await.unwrap();
        socket.says(&ClientFrame::Hello { token: ann.token.clone(), cursors: None }).await;
        socket.next().await;
        socket.stream.get_mut().write_all(bytes).await.unwrap();
        let code = socket.close_code().await;
        assert!(codes.contains(&code), "{bytes:?}: {code}");
    }
}

#[tokio::test]
async fn a_declared_gigabyte_is_refused_from_its_header() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let mut socket = ann.connects().await;
    let stream = socket.stream.get_mut();
    stream.write_all(&[0x82, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
    // The server must hang up long before a megabyte of it has gone over.
    let block = [0_u8; 16 * 1024];
    let mut sent = 0;
    while sent < 64 * 1024 * 1024 && stream.write_all(&block).await.is_ok() {
        sent += block.len();
        let mut byte = [0; 512];
        if matches!(stream.try_read(&mut byte), Ok(0)) {
            break;
        }
    }
    assert!(sent < 16 * 1024 * 1024, "the server took {sent} bytes of a frame that it should refuse");
}

#[tokio::test]
async fn presence_and_typing_reach_those_who_share_a_room() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let other = cleo.makes_room("elsewhere", "public").await;
    let (mut a, mut c) = (ann.connects().await, cleo.connects().await);
    let mut b = bob.connects().await;
    let came = ServerFrame::Presence { user: bob.id(), online: true };
    a.until(|frame| (*frame == came).then_some(())).await;
    b.says(&ClientFrame::Typing { room: room.id }).await;
    let typing = ServerFrame::Typing { room: room.id, user: bob.id() };
    a.until(|frame| (*frame == typing).then_some(())).await;
    bob.post(path::LOGOUT, &json!({})).await.expect(204);
    let went = ServerFrame::Presence { user: bob.id(), online: false };
    a.until(|frame| (*frame == went).then_some(())).await;
    cleo.says(other.id, "alone").await;
    c.sees("alone").await;
    let leaked = c.seen.iter().any(|f| matches!(f, ServerFrame::Presence { .. } | ServerFrame::Typing { .. }));
    assert!(!leaked, "{:#?}", c.seen);
}

#[tokio::test]
async fn watermarks_reach_the_room() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let (mut a, mut b) = (ann.connects().await, bob.connects().await);
    let said = ann.says(room.id, "hello").await;
    b.sees("hello").await;
    b.says(&ClientFrame::Received { room: room.id, seq: said.seq }).await;
    let marks = |delivered: Seq, read_at_least: bool| {
        let bob = bob.id();
        move |frame: &ServerFrame| match frame {
            ServerFrame::Marks { user, delivered: d, read, .. } if *user == bob && *d == delivered => {
                (!read_at_least || *read == delivered).then_some(())
            }
            _ => None,
        }
    };
    a.until(marks(said.seq, false)).await;
    b.says(&ClientFrame::Read { room: room.id, seq: said.seq }).await;
    a.until(marks(said.seq, true)).await;
}

#[tokio::test]
async fn heads_come_by_themselves() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("garden", "public").await;
    let mut socket = ann.connects().await;
    ann.says(room.id, "hello").await;
    socket
        .until(|frame| match frame {
            ServerFrame::Heads { heads } => (heads.get(&room.id) == Some(&seq(2))).then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn one_person_has_ten_connections_at_most() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut socket = ann.connects().await;
        // Whoever reads answers pings.
        sockets.push(tokio::spawn(async move { while socket.stream.next().await.is_some() {} }));
    }
    let mut one_more = Socket::raw(&ann, &[]).await.unwrap();
    one_more.says(&ClientFrame::Hello { token: ann.token.clone(), cursors: None }).await;
    assert_eq!(one_more.close_code().await, 4403);
    sockets.pop().unwrap().abort();
    eventually("a place is free again", async || {
        let mut socket = Socket::raw(&ann, &[]).await.unwrap();
        socket.says(&ClientFrame::Hello { token: ann.token.clone(), cursors: None }).await;
        matches!(socket.stream.next().await, Some(Ok(Message::Text(_))))
    })
    .await;
}

#[tokio::test]
async fn shadows_of_lost_connections_keep_nobody_out() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let mut lost = Vec::new();
    for _ in 0..9 {
        lost.push(ann.connects().await);
    }
    let mut alive = ann.connects().await;
    let alive = tokio::spawn(async move { while let Some(Ok(_)) = alive.stream.next().await {} });
    ann.connects().await;
    assert!(!alive.is_finished(), "whoever answers keeps their place");
    alive.abort();
}

#[tokio::test]
async fn who_never_reads_is_let_go_and_the_others_go_on() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let room = ann.makes_room("garden", "public").await;
    for person in [&bob, &cleo] {
        person.joins(room.id).await;
    }
    let deaf = Socket::deaf(&bob).await;
    let (mut writer, mut reader) = (ann.connects().await, cleo.connects().await);
    let text = "x".repeat(3_900);
    // What the kernel's buffers and the outbox hold together is some megabytes.
    for n in 0..2_000 {
        writer.sends(room.id, client_id(), &text).await;
        if n % 50 == 49 {
            let id = client_id();
            writer.sends(room.id, id, &n.to_string()).await;
            writer.until(|f| matches!(f, ServerFrame::Ack { client_id, .. } if *client_id == id).then_some(())).await;
            reader.sees(&n.to_string()).await;
            writer.seen.clear();
            reader.seen.clear();
        }
    }
    let code = deaf.close_code().await;
    assert!([1013, 1006, 1005].contains(&code), "{code}");
}

#[tokio::test]
async fn the_server_says_that_it_stops() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let socket = ann.connects().await;
    let stopping = tokio::task::spawn_blocking(move || drop(server));
    assert!([1012, 1001].contains(&socket.close_code().await));
    stopping.await.unwrap();
}

#[tokio::test]
async fn half_a_request_does_not_hold_the_server() {
    let server = Server::start();
    let mut half = tokio::net::TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(crate::support::PATIENCE, half.read_to_end(&mut answer)).await.expect("it is cut").unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn frames_are_counted_for_a_person_however_many_sockets_they_open() {
    let server = Server::with(&[("NATTER_RATE_LIMITS", "on")]);
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let frame = ClientFrame::Received { room: room.id, seq: seq(1) };
    let refused = async |socket: &mut Socket| {
        // Frames are answered in their order, so the answer to this one comes after every refusal.
        let last = client_id();
        socket.sends(room.id, last, "that was all").await;
        let acked = |frame: &ServerFrame| matches!(frame, ServerFrame::Ack { client_id, .. } if *client_id == last);
        socket.until(|frame| acked(frame).then_some(())).await;
        let limited = socket.seen.iter().filter(|frame| {
            matches!(
                frame,
                ServerFrame::Error { code: ErrorCode::RateLimited, retry: true, retry_after_ms: Some(1..), .. }
            )
        });
        limited.count()
    };
    let mut sockets = [ann.connects().await, ann.connects().await];
    for _ in 0..80 {
        for socket in &mut sockets {
            socket.says(&frame).await;
        }
    }
    let mut both = 0;
    for socket in &mut sockets {
        both += refused(socket).await;
    }
    assert_eq!(both, 160 - 120);
    let mut other = bob.connects().await;
    other.says(&frame).await;
    assert_eq!(refused(&mut other).await, 0, "somebody else is not held up");

    for _ in 0..=240 {
        sockets[0].says(&frame).await;
    }
    let [abusive, mut decent] = sockets;
    assert_eq!(abusive.close_code().await, 1008, "three times as many end the socket");
    decent.says(&ClientFrame::Typing { room: room.id }).await;
    refused(&mut decent).await;
}
