//! One JSON snapshot for each type that crosses the wire, each read back to what it was: a change here is a change of the
//! contract. Requests are also shown to refuse what they do not know.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use insta::assert_json_snapshot;
use natter_shared::account::{
    AccountDeletion, CheckAnswer, CheckForm, Empty, Gender, LoginForm, Me, PasswordChange, ProfilePatch, RegisterForm,
    Session, SessionInfo, User,
};
use natter_shared::admin::{
    Account, AccountPatch, AdminRoom, EventPage, EventsQuery, Figure, Figures, FiguresQuery, NamedRoom, Operation,
    Operations, Step,
};
use natter_shared::entry::{Author, EditForm, Entry, EntryKind, Message, MessageContent, MessageForm, Reaction};
use natter_shared::error::{ErrorBody, ErrorCode, ErrorDetail};
use natter_shared::event::{Event, EventKind};
use natter_shared::frame::{ClientFrame, SendFrame, ServerFrame};
use natter_shared::id::{ClientId, ConnectionId, RoomId, Seq, SessionId, UserId};
use natter_shared::integration::{
    HookForm, Integration, IntegrationForm, IntegrationKind, MadeIntegration, Scope, Scopes,
};
use natter_shared::page::{EntriesQuery, EntryPage, ListQuery, MessagePage, MessagesQuery, Page, SearchQuery};
use natter_shared::room::{
    CodeForm, Member, Notify, NotifyForm, ReadForm, RemoveQuery, Role, RoleForm, Room, RoomForm, RoomKind,
    RoomOverview, RoomPatch, Visibility,
};
use natter_shared::text::{DisplayName, Email, Emoji, MessageBody, Password, RoomName, Topic, Username};
use natter_shared::timestamp::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Spells a value as JSON and reads it back.
fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> serde_json::Value {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    serde_json::from_str(&text).unwrap()
}

macro_rules! snapshots {
    ($($name:ident: $value:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_json_snapshot!(stringify!($name), there_and_back(&$value));
        }
    )*};
}

fn room_id() -> RoomId {
    "11111111-1111-4111-8111-111111111111".parse().unwrap()
}

fn user_id() -> UserId {
    "22222222-2222-4222-8222-222222222222".parse().unwrap()
}

fn client_id() -> ClientId {
    "33333333-3333-4333-8333-333333333333".parse().unwrap()
}

fn session_id() -> SessionId {
    "44444444-4444-4444-8444-444444444444".parse().unwrap()
}

fn connection_id() -> ConnectionId {
    "55555555-5555-4555-8555-555555555555".parse().unwrap()
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn at() -> Timestamp {
    Timestamp::try_from("2026-11-21T09:03:00.042Z".to_owned()).unwrap()
}

fn user() -> User {
    User {
        id: user_id(),
        username: Username::parse("ann").unwrap(),
        display_name: DisplayName::parse("Ann").unwrap(),
        gender: Some(Gender::Female),
        avatar_url: None,
        guest: false,
        deleted: false,
        bot: false,
    }
}

fn integration() -> Integration {
    Integration {
        user: User { bot: true, gender: None, ..user() },
        kind: IntegrationKind::Bot,
        scopes: Scopes::from(Scope::ALL.to_vec()),
        made_by: user_id(),
        maker: Some(DisplayName::parse("Ann").unwrap()),
        created_at: at(),
        last_used_at: Some(at()),
        revoked_at: Some(at()),
    }
}

fn body(text: &str) -> MessageBody {
    MessageBody::parse(text).unwrap()
}

fn content() -> MessageContent {
    MessageContent { body: body("hello"), reply_to: Some(seq(3)), attachments: vec![], to: None, mentions: vec![] }
}

fn entry(what: EntryKind) -> Entry {
    Entry { room: room_id(), seq: seq(7), at: at(), author: Author::from(user()), client_id: Some(client_id()), what }
}

fn message() -> Message {
    Message {
        edited_at: Some(at()),
        pinned: true,
        reactions: vec![Reaction { emoji: Emoji::parse("👍").unwrap(), users: vec![user_id()] }],
        ..Message::from_entry(&entry(EntryKind::Message(content()))).unwrap()
    }
}

fn room() -> Room {
    Room {
        id: room_id(),
        kind: RoomKind::Room,
        name: RoomName::parse("garden").unwrap(),
        topic: Topic::parse("Beds and seeds").unwrap(),
        visibility: Visibility::Public,
        archived: false,
        created_at: at(),
        owner: Some(user_id()),
        member_count: 2,
        role: Some(Role::Owner),
        peer: None,
    }
}

fn direct() -> Room {
    Room {
        kind: RoomKind::Direct,
        visibility: Visibility::Private,
        owner: None,
        role: Some(Role::Member),
        peer: Some(user()),
        topic: Topic::parse("").unwrap(),
        name: RoomName::parse("Ann").unwrap(),
        ..room()
    }
}

fn overview() -> RoomOverview {
    RoomOverview {
        room: room(),
        head: seq(9),
        read: seq(7),
        delivered: seq(8),
        unread: 2,
        mentions: 1,
        notify: Notify::Mentions,
        last_message: Some(message()),
    }
}

fn password() -> Password {
    Password::parse("correct horse battery", 10).unwrap()
}

fn error_detail() -> ErrorDetail {
    ErrorDetail {
        code: ErrorCode::UsernameTaken,
        message: "This username is taken.".to_owned(),
        request_id: "r1".to_owned(),
        retry_after_ms: Some(1234),
        fields: Some([("username".to_owned(), "ann is taken".to_owned())].into()),
    }
}

fn plain_event() -> Event {
    Event {
        id: "66666666-6666-4666-8666-666666666666".parse().unwrap(),
        at: at(),
        kind: EventKind::MessagesSent,
        user: None,
        other: None,
        room: None,
        session: None,
        ip: None,
        what: None,
        count: 12,
    }
}

fn event() -> Event {
    Event {
        kind: EventKind::MemberBanned,
        user: Some(user_id()),
        other: Some(user_id()),
        room: Some(room_id()),
        session: Some(session_id()),
        ip: Some("203.0.113.7".to_owned()),
        what: Some("more".to_owned()),
        count: 1,
        ..plain_event()
    }
}

fn send() -> SendFrame {
    SendFrame {
        client_id: client_id(),
        room: room_id(),
        body: "hello".to_owned(),
        reply_to: Some(seq(3)),
        attachments: vec![],
        to: Some(user_id()),
    }
}

snapshots! {
    account_user: user();
    account_me: Me { user: user(), email: Some(Email::parse("ann@example.org").unwrap()), created_at: at(), admin: false };
    account_session: Session { access_token: "a.b.c".to_owned(), expires_in: 900, user: user(), admin: true };
    account_deletion: AccountDeletion { password: Some(Password::from_typed("violet kettle orbit 93".to_owned())) };
    account_user_erased: User::erased(user_id());
    account_session_info: SessionInfo {
        id: session_id(), created_at: at(), last_used_at: at(), expires_at: at(),
        user_agent: "Firefox".to_owned(), current: true,
    };
    account_register_form: RegisterForm {
        username: "ann".to_owned(), email: "ann@example.org".to_owned(), password: password(),
        display_name: Some("Ann".to_owned()), gender: Some(Gender::Other),
    };
    account_login_form: LoginForm { username: "ann".to_owned(), password: password() };
    account_password_change: PasswordChange { current: password(), new: password() };
    account_check_form: CheckForm {
        username: Some("ann".to_owned()), email: Some("a@b".to_owned()), password: Some(password()),
    };
    account_check_answer: CheckAnswer {
        fields: [("username".to_owned(), "ann is taken".to_owned())].into(),
        suggestions: vec![Username::parse("ann.o").unwrap()],
        password_score: Some(3), password_advice: Some("Add another word".to_owned()),
    };
    account_profile_patch: ProfilePatch {
        display_name: Some("Ann".to_owned()), email: None, gender: Some(Gender::Male),
    };
    account_empty: Empty {};

    room_room: room();
    room_direct: direct();
    room_overview: overview();
    room_member: Member { user: user(), role: Role::Admin, online: true, delivered: seq(9), read: seq(8) };
    room_form: RoomForm { name: "garden".to_owned(), topic: None, visibility: Visibility::Private };
    room_patch: RoomPatch {
        name: Some("garden".to_owned()), topic: None, visibility: Some(Visibility::Public), archived: Some(true),
    };
    room_code_form: CodeForm { code: "K7QP-4TMD".to_owned() };
    room_role_form: RoleForm { role: Role::Admin };
    room_remove_query: RemoveQuery { ban: true };
    room_read_form: ReadForm { seq: seq(9) };
    room_notify_form: NotifyForm { notify: Notify::Nothing };

    entry_message: entry(EntryKind::Message(content()));
    entry_whisper: entry(EntryKind::Message(MessageContent { to: Some(user_id()), reply_to: None, ..content() }));
    entry_edited: entry(EntryKind::edited(seq(3), body("hello again")));
    entry_mentions: entry(EntryKind::Message(MessageContent { mentions: vec![user_id()], ..content() }));
    entry_edited_mentions: entry(EntryKind::Edited {
        target: seq(3), body: body("@all"), mentions: vec![UserId::EVERYBODY],
    });
    entry_deleted: entry(EntryKind::Deleted { target: seq(3) });
    entry_reacted: entry(EntryKind::Reacted { target: seq(3), emoji: Emoji::parse("👍").unwrap() });
    entry_unreacted: entry(EntryKind::Unreacted { target: seq(3), emoji: Emoji::parse("👍").unwrap() });
    entry_joined: entry(EntryKind::Joined);
    entry_left: entry(EntryKind::Left);
    entry_removed: entry(EntryKind::Removed { user: user_id(), banned: true });
    entry_unbanned: entry(EntryKind::Unbanned { user: user_id() });
    entry_renamed: entry(EntryKind::Renamed { name: RoomName::parse("shed").unwrap() });
    entry_topic: entry(EntryKind::Topic { topic: Topic::parse("").unwrap() });
    entry_visibility: entry(EntryKind::Visibility { visibility: Visibility::Private });
    entry_archived: entry(EntryKind::Archived { archived: true });
    entry_role: entry(EntryKind::Role { user: user_id(), role: Role::Admin });
    entry_pinned: entry(EntryKind::Pinned { target: seq(3) });
    entry_unpinned: entry(EntryKind::Unpinned { target: seq(3) });
    entry_withheld: entry(EntryKind::Withheld);
    entry_message_applied: message();
    entry_message_form: MessageForm {
        client_id: client_id(), body: "hello".to_owned(), reply_to: None, attachments: vec![], to: None,
    };
    entry_edit_form: EditForm { client_id: client_id(), body: "hello again".to_owned() };

    admin_account: Account {
        user: user(), created_at: at(), last_login_at: Some(at()), disabled: false, admin: true,
    };
    admin_account_patch: AccountPatch { disabled: true };
    admin_room: AdminRoom { room: room(), head: seq(9) };
    admin_events: EventPage { items: vec![event(), plain_event()], cursor: Some("next".to_owned()), people: vec![user()], rooms: vec![NamedRoom { id: room_id(), name: RoomName::parse("Lobby").unwrap() }] };
    admin_operations: Operations {
        since: at(),
        items: vec![Operation {
            method: "GET".to_owned(), route: "/api/v1/me".to_owned(), count: 1, p50_us: 2, p95_us: 3, max_us: 4,
        }],
    };
    admin_events_query: EventsQuery {
        kind: Some("login,logout".to_owned()), person: Some("ann".to_owned()), from: Some(at()), to: Some(at()),
        limit: Some(20), cursor: None,
    };
    admin_figures: Figures {
        step: Step::Hour,
        items: vec![Figure {
            at: at(), online: 1, messages_sent: 2, entries_delivered: 3, logins: 4, logins_failed: 5, registrations: 6, errors: 7,
        }],
    };
    admin_figures_query: FiguresQuery { from: Some(at()), to: None, step: Step::Day };

    page_list: Page { items: vec![user()], cursor: Some("next".to_owned()) };
    page_list_query: ListQuery { q: Some("an".to_owned()), limit: Some(20), cursor: None };
    page_search_query: SearchQuery { q: Some("hello".to_owned()), room: Some(room_id()), limit: None, cursor: None };
    page_messages_query: MessagesQuery { before: Some(seq(9)), limit: Some(30), ..MessagesQuery::default() };
    page_messages: MessagePage {
        messages: vec![message()], events: vec![entry(EntryKind::Joined)], head: seq(9), has_more: true,
    };
    page_entries_query: EntriesQuery { after: seq(5), limit: Some(500) };
    page_entries: EntryPage { entries: vec![entry(EntryKind::Joined)], head: seq(9), complete: false };

    integration_bot: integration();
    integration_form: IntegrationForm {
        name: "Clerk".to_owned(), kind: IntegrationKind::Bot, scopes: vec![Scope::MessagesRead, Scope::MembersRead],
    };
    integration_made: MadeIntegration { integration: integration(), secret: "natter_bot_secret".to_owned() };
    integration_hook_form: HookForm { text: "The build is green".to_owned(), client_id: Some(client_id()) };

    error_body: ErrorBody { error: error_detail() };

    client_hello: ClientFrame::Hello { token: "a.b.c".to_owned(), cursors: Some([(room_id(), seq(9))].into()) };
    client_send: ClientFrame::Send(send());
    client_typing: ClientFrame::Typing { room: room_id() };
    client_read: ClientFrame::Read { room: room_id(), seq: seq(9) };
    client_received: ClientFrame::Received { room: room_id(), seq: seq(9) };
    client_token: ClientFrame::Token { token: "a.b.c".to_owned() };

    server_welcome: ServerFrame::Welcome {
        user: user(), connection: connection_id(), rooms: vec![overview()], online: vec![user_id()], ping_ms: 25_000,
    };
    server_ack: ServerFrame::Ack { client_id: client_id(), room: room_id(), seq: seq(7), at: at() };
    server_entries: ServerFrame::Entries { room: room_id(), entries: vec![entry(EntryKind::Joined)] };
    server_resync: ServerFrame::Resync { room: room_id(), head: seq(9) };
    server_heads: ServerFrame::Heads { heads: [(room_id(), seq(9))].into() };
    server_marks: ServerFrame::Marks { room: room_id(), user: user_id(), delivered: seq(9), read: seq(8) };
    server_typing: ServerFrame::Typing { room: room_id(), user: user_id() };
    server_presence: ServerFrame::Presence { user: user_id(), online: true };
    server_room: ServerFrame::Room { room: room() };
    server_room_gone: ServerFrame::RoomGone { room: room_id() };
    server_notify: ServerFrame::Notify { room: room_id(), notify: Notify::Nothing };
    server_error: ServerFrame::Error {
        code: ErrorCode::RateLimited, message: "Too fast.".to_owned(), client_id: Some(client_id()), retry: true,
        retry_after_ms: Some(500),
    };
}

#[test]
fn a_frame_is_named_after_its_type() {
    let frames = [
        ServerFrame::Typing { room: room_id(), user: user_id() },
        ServerFrame::RoomGone { room: room_id() },
        ServerFrame::Heads { heads: [].into() },
        ServerFrame::Presence { user: user_id(), online: false },
    ];
    for frame in frames {
        let json = serde_json::to_value(&frame).unwrap();
        assert_eq!(json["type"], frame.kind());
    }
}

#[test]
fn an_entry_of_an_unknown_kind_still_counts() {
    let mut json = serde_json::to_value(entry(EntryKind::Joined)).unwrap();
    json["kind"] = "teleported".into();
    let entry: Entry = serde_json::from_value(json).unwrap();
    assert_eq!((entry.seq, entry.what), (seq(7), EntryKind::Unknown));
}

#[test]
fn an_unknown_error_code_is_read() {
    let json = r#"{"error":{"code":"brand_new","message":"m","request_id":"r"}}"#;
    assert_eq!(serde_json::from_str::<ErrorBody>(json).unwrap().error.code, ErrorCode::Other);
}

/// Whether a request type takes this JSON.
fn takes<T: DeserializeOwned>(json: &str) -> bool {
    serde_json::from_str::<T>(json).is_ok()
}

#[test]
fn requests_refuse_what_they_do_not_know() {
    let id = room_id();
    assert!(takes::<LoginForm>(r#"{"username":"ann","password":"x"}"#));
    for bad in [
        r#"{"username":"ann","password":"x","role":"admin"}"#,
        r#"{"username":"ann","username":"bob","password":"x"}"#,
        r#"{"username":{"$ne":null},"password":{"$gt":""}}"#,
        r#"{"username":["ann"],"password":"x"}"#,
        r#"{"username":"ann"}"#,
        r#"{"username":"ann","password":"\ud800"}"#,
        r#"{"username":"ann","password":"x"}{}"#,
        r#"{"username":"ann","password":"x",}"#,
    ] {
        assert!(!takes::<LoginForm>(bad), "{bad}");
    }
    assert!(takes::<ClientFrame>(&format!(r#"{{"type":"typing","room":"{id}"}}"#)));
    for bad in [
        format!(r#"{{"type":"typing","room":"{id}","seq":1}}"#),
        format!(r#"{{"type":"typing","room":"{id}","room":"{id}"}}"#),
        format!(r#"{{"type":"read","room":"{id}","seq":-1}}"#),
        format!(r#"{{"type":"read","room":"{id}","seq":9007199254740992}}"#),
        format!(r#"{{"type":"teleport","room":"{id}"}}"#),
        format!(r#"{{"type":"send","client_id":"{id}","room":"{id}","body":"x","author":"{id}"}}"#),
        format!(r#"{{"type":"send","client_id":"{id}","room":"{id}"}}"#),
        r#"{"type":"typing","room":"null"}"#.to_owned(),
        r#"{"__proto__":{}}"#.to_owned(),
    ] {
        assert!(!takes::<ClientFrame>(&bad), "{bad}");
    }
}
