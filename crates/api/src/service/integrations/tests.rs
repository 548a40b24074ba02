//! What nodes know of a secret, how many a room has, how often a webhook speaks.

use super::*;
use crate::files;
use crate::scene::{Scene, from};
use crate::service::log_writer::LogWriter;
use crate::service::pictures::Pictures;
use crate::stage::Stage;
use natter_shared::integration::Scope;
use natter_shared::room::{RoomForm, RoomPatch, Visibility};

/// A node on the parts of a scene.
fn node(parts: &Parts) -> (Arc<Rooms>, Integrations) {
    let log = LogWriter::start(Arc::clone(&parts.store) as _, Arc::clone(&parts.bus));
    let rooms = Arc::new(Rooms::new(parts, log.clone()));
    let messages = Arc::new(Messages::new(parts, log, Pictures::new(parts, files::in_memory())));
    let integrations = Integrations::new(parts, &rooms, &messages);
    (rooms, integrations)
}

/// Somebody with a room of theirs.
async fn ann(parts: &Parts, rooms: &Rooms) -> (Caller, RoomId) {
    let user = NewUser {
        id: UserId::from_random_bytes(random(&*parts.entropy)),
        username: username("ann", random(&*parts.entropy)).unwrap(),
        display_name: DisplayName::parse("Ann").unwrap(),
        email: None,
        gender: None,
        password_hash: None,
        guest: false,
        integration: None,
        created_at: parts.clock.now(),
    };
    let id = user.id;
    parts.store.create_user(user).await.unwrap();
    let session = SessionId::from_random_bytes(random(&*parts.entropy));
    let expires_at = parts.clock.now().plus_millis(900_000);
    let ann = Caller { user: id, session, expires_at, guest: false, bot: None };
    let form = RoomForm { name: "garden".to_owned(), topic: None, visibility: Visibility::Private };
    (ann, rooms.create(&ann, form).await.unwrap().id)
}

fn form(kind: IntegrationKind) -> IntegrationForm {
    let scopes = if kind == IntegrationKind::Bot { vec![Scope::MessagesRead] } else { Vec::new() };
    IntegrationForm { name: "Build".to_owned(), kind, scopes }
}

fn says(text: &str) -> HookForm {
    HookForm { text: text.to_owned(), client_id: None }
}

#[tokio::test]
async fn a_secret_that_was_revoked_elsewhere_is_dead_within_ten_seconds() {
    let scene = Scene::new();
    let (rooms, here) = node(&scene.parts);
    let (_, there) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let made = here.make(&ann, room, form(IntegrationKind::Webhook)).await.unwrap();
    let origin = from("192.0.2.1");
    let posts = async |node: &Integrations| node.post(&made.secret, says("hello"), None, &origin).await;
    posts(&here).await.unwrap();
    posts(&there).await.unwrap();
    scene.ended();
    here.revoke(&ann, room, made.integration.user.id).await.unwrap();
    assert_eq!(scene.ended(), [session(made.integration.user.id)], "the other nodes and its streams are told");
    assert!(matches!(posts(&here).await, Err(IntegrationError::NoSuchHook)));
    // No news comes to the other one. What it believes does not help: the room is closed to it.
    assert!(matches!(posts(&there).await, Err(IntegrationError::Message(MessageError::Unknown))));
    scene.passes_seconds(10);
    assert!(matches!(posts(&there).await, Err(IntegrationError::NoSuchHook)));
    // With the news it is dead at once.
    let bot = here.make(&ann, room, form(IntegrationKind::Bot)).await.unwrap();
    there.recognise_bot(&bot.secret, &origin).await.unwrap();
    here.revoke(&ann, room, bot.integration.user.id).await.unwrap();
    there.forget(&scene.ended());
    assert!(matches!(there.recognise_bot(&bot.secret, &origin).await, Err(IntegrationError::NotSignedIn)));
}

#[tokio::test]
async fn a_disabled_integration_is_not_let_in() {
    let scene = Scene::new();
    let (rooms, integrations) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let made = integrations.make(&ann, room, form(IntegrationKind::Bot)).await.unwrap();
    scene.disables(made.integration.user.id);
    let refused = integrations.recognise_bot(&made.secret, &from("192.0.2.1")).await;
    assert!(matches!(refused, Err(IntegrationError::NotSignedIn)), "{refused:?}");
}

#[tokio::test]
async fn when_one_was_used_is_kept_to_the_minute() {
    let scene = Scene::new();
    let (rooms, integrations) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let made = integrations.make(&ann, room, form(IntegrationKind::Webhook)).await.unwrap();
    assert_eq!(made.integration.last_used_at, None);
    let used = async || integrations.list(&ann, room).await.unwrap()[0].last_used_at;
    let first = scene.now();
    for (seconds, expected) in [(0, first), (30, first), (40, first.plus_millis(70_000))] {
        scene.passes_seconds(seconds);
        integrations.post(&made.secret, says("hello"), None, &from("192.0.2.1")).await.unwrap();
        assert_eq!(used().await, Some(expected));
    }
}

#[tokio::test]
async fn a_room_has_no_more_than_it_can_have() {
    let scene = Scene::new();
    let (rooms, integrations) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let all =
        (0..limits::INTEGRATIONS_PER_ROOM + 5).map(|_| integrations.make(&ann, room, form(IntegrationKind::Webhook)));
    let made: Vec<_> = futures_util::future::join_all(all).await.into_iter().flatten().collect();
    assert_eq!(made.len(), limits::INTEGRATIONS_PER_ROOM, "however many are made at once");
    let full = integrations.make(&ann, room, form(IntegrationKind::Bot)).await;
    assert!(matches!(full, Err(IntegrationError::Room(RoomError::LimitReached(_)))), "{full:?}");
    integrations.revoke(&ann, room, made[0].integration.user.id).await.unwrap();
    // Renewing takes the place of what it ends.
    let bot = integrations.make(&ann, room, form(IntegrationKind::Bot)).await.unwrap();
    let renewed = integrations.renew(&ann, room, bot.integration.user.id).await.unwrap();
    assert_eq!(renewed.integration.scopes, bot.integration.scopes);
    assert_ne!(renewed.secret, bot.secret);
}

#[tokio::test]
async fn an_archived_room_gets_none_and_gives_up_those_it_has() {
    let scene = Scene::new();
    let (rooms, integrations) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let made = integrations.make(&ann, room, form(IntegrationKind::Webhook)).await.unwrap();
    rooms.change(&ann, room, RoomPatch { archived: Some(true), ..RoomPatch::default() }).await.unwrap();
    let user = made.integration.user.id;
    let refused = integrations.post(&made.secret, says("late"), None, &from("192.0.2.1")).await;
    assert!(matches!(refused, Err(IntegrationError::Message(MessageError::Archived))), "{refused:?}");
    let refused = integrations.make(&ann, room, form(IntegrationKind::Bot)).await;
    assert!(matches!(refused, Err(IntegrationError::Room(RoomError::Archived))), "{refused:?}");
    let refused = integrations.renew(&ann, room, user).await;
    assert!(matches!(refused, Err(IntegrationError::Room(RoomError::Archived))), "{refused:?}");
    assert_eq!(integrations.list(&ann, room).await.unwrap()[0].revoked_at, None, "a renewal that fails ends nothing");
    integrations.revoke(&ann, room, user).await.unwrap();
    assert!(integrations.list(&ann, room).await.unwrap()[0].revoked_at.is_some());
    assert!(matches!(integrations.revoke(&ann, room, user).await, Err(IntegrationError::Room(RoomError::Unknown))));
}

#[tokio::test]
async fn a_webhook_speaks_once_a_second_in_the_long_run() {
    let scene = Scene::with(|settings| settings.rate_limits = true);
    let (rooms, integrations) = node(&scene.parts);
    let (ann, room) = ann(&scene.parts, &rooms).await;
    let made = integrations.make(&ann, room, form(IntegrationKind::Webhook)).await.unwrap();
    let posts = async || integrations.post(&made.secret, says("hello"), None, &from("192.0.2.1")).await;
    for _ in 0..20 {
        posts().await.unwrap();
    }
    let refused = posts().await;
    assert!(matches!(refused, Err(IntegrationError::TooOften(TooOften { retry_after_ms: 1_000 }))), "{refused:?}");
    scene.passes_seconds(3);
    for _ in 0..3 {
        posts().await.unwrap();
    }
    posts().await.unwrap_err();
}

#[tokio::test]
async fn guessing_secrets_from_one_address_comes_to_an_end() {
    let scene = Scene::with(|settings| settings.rate_limits = true);
    let (_, integrations) = node(&scene.parts);
    let guess = async |n: u8| {
        let secret = secret(IntegrationKind::Webhook, [n; SECRET_BYTES]);
        integrations.post(&secret, says("hello"), None, &from("192.0.2.1")).await
    };
    for n in 0..60 {
        assert!(matches!(guess(n).await, Err(IntegrationError::NoSuchHook)));
    }
    assert!(matches!(guess(60).await, Err(IntegrationError::TooOften(_))));
}

#[tokio::test]
async fn nobody_writes_to_an_integration_of_their_own() {
    let stage = Stage::new();
    let (rooms, integrations) = node(&stage.parts);
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let made = integrations.make(&ann, room, form(IntegrationKind::Bot)).await.unwrap();
    let user = &made.integration.user;
    let refused = rooms.direct(&ann, user.username.as_str()).await;
    assert!(matches!(refused, Err(RoomError::Forbidden(_))), "{refused:?}");
    let refused = rooms.remove(&ann, room, user.id, false).await;
    assert!(matches!(refused, Err(RoomError::Forbidden(_))), "{refused:?}");
    let refused = rooms.set_role(&ann, room, user.id, Role::Admin).await;
    assert!(matches!(refused, Err(RoomError::Forbidden(_))), "{refused:?}");
}
