//! Logins from the first one to their end, on the real store. What a stranger could learn from them is `tests/alike`.

mod alike;

use super::*;
use crate::scene::{Scene, from};
use crate::service::accounts::Accounts;
use crate::service::token::SigningKeys;
use natter_shared::account::{LoginForm, RegisterForm};

const PASSWORD: &str = "violet kettle orbit 93";
const HERE: &str = "203.0.113.7";
const THERE: &str = "198.51.100.9";

fn password(text: &str) -> natter_shared::text::Password {
    serde_json::from_value(serde_json::json!(text)).unwrap()
}

fn login(username: &str, text: &str) -> LoginForm {
    LoginForm { username: username.to_owned(), password: password(text) }
}

/// A server with one account, `ann`.
struct World {
    scene: Scene,
    sessions: Sessions,
    ann: User,
}

impl World {
    async fn new() -> Self {
        Self::on(Scene::new()).await
    }

    async fn on(scene: Scene) -> Self {
        let sessions = Sessions::new(&scene.parts);
        let form = RegisterForm {
            username: "ann".to_owned(),
            email: "ann@example.org".to_owned(),
            password: password(PASSWORD),
            display_name: None,
            gender: None,
        };
        let ann = Accounts::new(&scene.parts, &sessions).register(form, &from("192.0.2.1")).await.unwrap();
        Self { scene, sessions, ann }
    }

    async fn signs_in(&self) -> Opened {
        self.sessions.login(login("ann", PASSWORD), &from(HERE)).await.unwrap()
    }

    async fn refreshes(&self, token: &str) -> Result<Opened, SessionError> {
        self.sessions.refresh(token, &from(HERE)).await
    }

    async fn caller(&self, opened: &Opened) -> Caller {
        self.sessions.authenticate(&opened.session.access_token).await.unwrap()
    }

    async fn is_out(&self, opened: &Opened) -> bool {
        let access = self.sessions.authenticate(&opened.session.access_token).await;
        let refresh = self.refreshes(&opened.refresh).await;
        matches!((access, refresh), (Err(SessionError::NotSignedIn), Err(SessionError::NotSignedIn)))
    }

    async fn fails(&self, username: &str, text: &str, ip: &str) -> SessionError {
        self.sessions.login(login(username, text), &from(ip)).await.unwrap_err()
    }
}

#[tokio::test]
async fn a_login_is_open_until_its_tokens_end() {
    let world = World::new().await;
    let opened = world.signs_in().await;
    assert_eq!((opened.session.expires_in, opened.refresh_max_age_s), (900, 86_400));
    assert_eq!(opened.session.user, world.ann);
    let caller = world.caller(&opened).await;
    assert_eq!(caller.user, world.ann.id);
    assert!(world.sessions.still_valid(&caller).await.unwrap());
    world.scene.passes_seconds(899);
    assert!(world.sessions.still_valid(&caller).await.unwrap());
    world.scene.passes_seconds(1);
    assert!(!world.sessions.still_valid(&caller).await.unwrap());
    assert!(world.sessions.authenticate(&opened.session.access_token).await.is_err());
    world.caller(&world.refreshes(&opened.refresh).await.unwrap()).await;
}

#[tokio::test]
async fn a_login_ends_a_day_after_its_beginning_however_often_it_is_refreshed() {
    let world = World::new().await;
    let mut opened = world.signs_in().await;
    for hours in 1..=23 {
        world.scene.passes_seconds(3_600);
        opened = world.refreshes(&opened.refresh).await.unwrap();
        assert_eq!(opened.refresh_max_age_s, 86_400 - hours * 3_600);
    }
    world.scene.passes_seconds(3_590);
    opened = world.refreshes(&opened.refresh).await.unwrap();
    assert_eq!(opened.session.expires_in, 10, "an access token ends with its login");
    let caller = world.caller(&opened).await;
    world.scene.passes_seconds(10);
    assert!(!world.sessions.still_valid(&caller).await.unwrap());
    assert!(world.is_out(&opened).await);
}

#[tokio::test]
async fn wrong_names_and_wrong_passwords_fail_alike() {
    let world = World::new().await;
    for (name, text) in [
        ("ann", "violet kettle orbit 94"),
        ("ann", ""),
        ("ann", &"x".repeat(60_000)),
        ("bob", PASSWORD),
        ("ANN", PASSWORD),
        ("ann ", PASSWORD),
        ("аnn", PASSWORD),
        ("ａｎｎ", PASSWORD),
        ("", PASSWORD),
        ("'; --", PASSWORD),
    ] {
        let error = world.fails(name, text, HERE).await;
        assert!(matches!(error, SessionError::BadCredentials), "{name}: {error}");
    }
}

#[tokio::test]
async fn two_tabs_get_one_successor_and_an_old_token_ends_the_login() {
    let world = World::new().await;
    let first = world.signs_in().await;
    let second = world.refreshes(&first.refresh).await.unwrap();
    assert_ne!(first.refresh, second.refresh);
    world.scene.passes_seconds(10);
    let again = world.refreshes(&first.refresh).await.unwrap();
    assert_eq!(again.refresh, second.refresh, "an answer that was lost comes again");
    let third = world.refreshes(&second.refresh).await.unwrap();
    let caller = world.caller(&third).await;
    assert!(world.scene.ended().is_empty());

    // The successor was used, so its predecessor is good no more, not even within the time of grace.
    assert!(matches!(world.refreshes(&first.refresh).await, Err(SessionError::NotSignedIn)));
    assert_eq!(world.scene.ended(), [caller.session], "the sockets hear of it");
    assert!(!world.sessions.still_valid(&caller).await.unwrap());
    assert!(world.is_out(&third).await);
}

#[tokio::test]
async fn the_predecessor_is_good_for_ten_seconds_only() {
    let world = World::new().await;
    let first = world.signs_in().await;
    let second = world.refreshes(&first.refresh).await.unwrap();
    world.scene.clock.advance_millis(10_001);
    assert!(world.refreshes(&first.refresh).await.is_err());
    assert!(world.is_out(&second).await);
    assert_eq!(world.scene.ended().len(), 1);
}

#[tokio::test]
async fn fifty_refreshes_at_once_give_one_successor() {
    let world = World::new().await;
    let first = world.signs_in().await;
    let all = futures_util::future::join_all((0..50).map(|_| world.refreshes(&first.refresh))).await;
    let mut successors: Vec<String> = all.into_iter().map(|opened| opened.unwrap().refresh).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert!(world.refreshes(&successors[0]).await.is_ok());
    assert!(world.scene.ended().is_empty());
}

#[tokio::test]
async fn what_never_was_a_token_ends_nothing() {
    let world = World::new().await;
    let opened = world.signs_in().await;
    let stranger = RefreshTokens::new(&SigningKeys::new([9; 32], []));
    let session = world.caller(&opened).await.session;
    for forged in ["", "x", &stranger.derive(session, 0), &opened.session.access_token, &"A".repeat(70)] {
        assert!(matches!(world.refreshes(forged).await, Err(SessionError::NotSignedIn)), "{forged}");
        let caller = None;
        let out = world.sessions.logout(caller, Some(forged)).await;
        assert!(matches!(out, Err(SessionError::NotSignedIn)), "{forged}");
    }
    assert!(world.scene.ended().is_empty());
    assert!(world.refreshes(&opened.refresh).await.is_ok());
}

#[tokio::test]
async fn a_new_signing_key_logs_nobody_out() {
    let world = World::new().await;
    let first = world.signs_in().await;
    let second = world.refreshes(&first.refresh).await.unwrap();
    let keys = SigningKeys::new([2; 32], [[1; 32]]);
    let after = Sessions::new(&world.scene.restarted_with(|settings| settings.keys = keys));
    assert!(after.authenticate(&second.session.access_token).await.is_ok());
    let again = after.refresh(&first.refresh, &from(HERE)).await.unwrap();
    assert_eq!(again.refresh, second.refresh, "still the successor that was given out, under the older key");
    let third = after.refresh(&second.refresh, &from(HERE)).await.unwrap();
    assert!(after.authenticate(&third.session.access_token).await.is_ok());
    // The password is kept under the new pepper from the next login on, and the older key can go.
    let kept = async || world.scene.parts.store.user(world.ann.id).await.unwrap().unwrap().password_hash.unwrap();
    let before = kept().await;
    after.login(login("ann", PASSWORD), &from(HERE)).await.unwrap();
    assert_ne!(kept().await, before);
    let only_new = world.scene.restarted_with(|settings| settings.keys = SigningKeys::new([2; 32], []));
    let last = Sessions::new(&only_new);
    assert!(last.authenticate(&second.session.access_token).await.is_err(), "a token of the dropped key is dead");
    assert!(last.login(login("ann", PASSWORD), &from(HERE)).await.is_ok());
    assert!(last.refresh(&third.refresh, &from(HERE)).await.is_ok());
}

#[tokio::test]
async fn another_cost_is_taken_up_at_the_next_login() {
    let world = World::new().await;
    let parts = world.scene.restarted_with(|settings| settings.bcrypt_cost = 5);
    let sessions = Sessions::new(&parts);
    for _ in 0..2 {
        sessions.login(login("ann", PASSWORD), &from(HERE)).await.unwrap();
        let kept = parts.store.user(world.ann.id).await.unwrap().unwrap().password_hash.unwrap();
        assert!(kept.contains("$2b$05$"), "{kept}");
    }
    assert!(matches!(sessions.login(login("ann", "other"), &from(HERE)).await, Err(SessionError::BadCredentials)));
}

#[tokio::test]
async fn logging_out_ends_the_access_token_the_refresh_token_and_the_sockets() {
    let world = World::new().await;
    let (one, two, three) = (world.signs_in().await, world.signs_in().await, world.signs_in().await);
    let (first, second) = (world.caller(&one).await, world.caller(&two).await);

    world.sessions.logout(Some(&first), None).await.unwrap();
    assert_eq!(world.scene.ended(), [first.session]);
    assert!(world.is_out(&one).await);

    // With a dead access token the cookie is enough, and so is one that was rotated meanwhile.
    let rotated = world.refreshes(&two.refresh).await.unwrap();
    world.sessions.logout(None, Some(&two.refresh)).await.unwrap();
    assert_eq!(world.scene.ended(), [second.session]);
    assert!(world.is_out(&rotated).await);

    assert!(matches!(world.sessions.logout(None, Some(&two.refresh)).await, Err(SessionError::NotSignedIn)));
    assert!(matches!(world.sessions.logout(None, None).await, Err(SessionError::NotSignedIn)));
    assert!(!world.is_out(&three).await);
}

#[tokio::test]
async fn two_logins_in_one_request_both_end() {
    let world = World::new().await;
    let (one, two) = (world.signs_in().await, world.signs_in().await);
    let (first, second) = (world.caller(&one).await, world.caller(&two).await);
    world.sessions.logout(Some(&first), Some(&two.refresh)).await.unwrap();
    assert_eq!(world.scene.ended(), [first.session, second.session]);
    assert!(world.is_out(&one).await && world.is_out(&two).await);
}

#[tokio::test]
async fn logins_are_listed_and_ended_by_their_owner_only() {
    let world = World::new().await;
    let one = world.signs_in().await;
    world.scene.passes_seconds(1);
    let two = world.signs_in().await;
    world.scene.passes_seconds(1);
    let three = world.signs_in().await;
    let caller = world.caller(&one).await;
    let list = world.sessions.list(&caller).await.unwrap();
    let current: Vec<bool> = list.iter().map(|info| info.current).collect();
    assert_eq!(current, [false, false, true], "newest first");
    assert_eq!(list[0].user_agent, from(HERE).user_agent);

    let stranger = Caller { user: UserId::from_bytes([7; 16]), ..caller };
    assert!(matches!(world.sessions.revoke(&stranger, list[0].id).await, Err(SessionError::NotFound)));
    world.sessions.revoke(&caller, list[0].id).await.unwrap();
    assert!(matches!(world.sessions.revoke(&caller, list[0].id).await, Err(SessionError::NotFound)));
    assert!(world.is_out(&three).await);
    assert_eq!(world.scene.ended(), [list[0].id]);

    world.sessions.revoke_others(&caller).await.unwrap();
    assert_eq!(world.scene.ended(), [list[1].id]);
    assert!(world.is_out(&two).await);
    assert_eq!(world.sessions.list(&caller).await.unwrap().len(), 1);
    world.scene.passes_seconds(2 * 86_400);
    assert_eq!(world.sessions.prune().await.unwrap(), 3);
}

#[tokio::test]
async fn a_login_ended_elsewhere_is_believed_for_ten_seconds_at_most_or_until_told() {
    let world = World::new().await;
    let (one, two) = (world.signs_in().await, world.signs_in().await);
    let (first, second) = (world.caller(&one).await, world.caller(&two).await);
    let store = &world.scene.parts.store;
    assert!(store.revoke_session(first.user, first.session, world.scene.now()).await.unwrap());
    assert!(store.revoke_session(second.user, second.session, world.scene.now()).await.unwrap());
    world.sessions.forget(&[second.session]);
    assert!(!world.sessions.still_valid(&second).await.unwrap());
    world.scene.passes_seconds(10);
    assert!(!world.sessions.still_valid(&first).await.unwrap());
}

#[tokio::test]
async fn guessing_at_an_account_is_slowed_and_disturbs_nobody_who_is_signed_in() {
    let world = World::on(Scene::with(|settings| settings.rate_limits = true)).await;
    let opened = world.signs_in().await;
    for _ in 0..5 {
        assert!(matches!(world.fails("ann", "wrong", THERE).await, SessionError::BadCredentials));
    }
    let SessionError::TooOften(TooOften { retry_after_ms }) = world.fails("ann", PASSWORD, THERE).await else {
        panic!("the sixth is held up, right or wrong");
    };
    assert_eq!(retry_after_ms, 1_000);
    // The same for a name that nobody has.
    for _ in 0..5 {
        assert!(matches!(world.fails("nobody", "wrong", "192.0.2.77").await, SessionError::BadCredentials));
    }
    assert!(matches!(world.fails("nobody", "wrong", "192.0.2.77").await, SessionError::TooOften(_)));
    world.caller(&opened).await;
    world.refreshes(&opened.refresh).await.unwrap();
    assert!(world.sessions.login(login("ann", PASSWORD), &from(HERE)).await.is_ok(), "where ann was before");
    world.scene.passes_seconds(1);
    assert!(world.sessions.login(login("ann", PASSWORD), &from(THERE)).await.is_ok());
}

#[tokio::test]
async fn one_address_tries_twenty_passwords_a_minute() {
    let world = World::on(Scene::with(|settings| settings.rate_limits = true)).await;
    for n in 0..20 {
        assert!(matches!(world.fails(&format!("name{n}"), "wrong", THERE).await, SessionError::BadCredentials));
    }
    assert!(matches!(world.fails("ann", PASSWORD, THERE).await, SessionError::TooOften(_)));
    world.signs_in().await;
}

#[tokio::test]
async fn who_is_looked_up_for_a_token_comes_with_it() {
    let world = World::new().await;
    let opened = world.signs_in().await;
    let token = &opened.session.access_token;
    let (caller, person) = world.sessions.recognise(token).await.unwrap();
    assert_eq!((caller.user, person), (world.ann.id, Some(world.ann.clone())));
    let (_, person) = world.sessions.recognise(token).await.unwrap();
    assert_eq!(person, None, "nobody is read for a login that was alive a moment ago");
    world.scene.passes_seconds(live::BELIEVED_MS / 1_000);
    assert_eq!(world.sessions.recognise(token).await.unwrap().1, Some(world.ann.clone()));
    world.sessions.logout(Some(&caller), None).await.unwrap();
    assert!(matches!(world.sessions.recognise(token).await, Err(SessionError::NotSignedIn)));
}

#[tokio::test]
async fn a_login_that_ended_elsewhere_unheard_is_found_in_the_store() {
    let world = World::new().await;
    let (alive, dead) = (world.signs_in().await, world.signs_in().await);
    let (alive, dead) = (world.caller(&alive).await, world.caller(&dead).await);
    let both = [alive.session, dead.session];
    assert_eq!(world.sessions.recheck(&both).await.unwrap(), 0);
    // Another node, whose notice is lost.
    assert!(world.scene.parts.store.revoke_session(dead.user, dead.session, world.scene.now()).await.unwrap());
    assert!(world.sessions.still_valid(&dead).await.unwrap(), "believed for some seconds");
    assert_eq!(world.sessions.recheck(&both).await.unwrap(), 1);
    assert_eq!(world.scene.ended(), [dead.session], "its sockets are closed");
    assert!(!world.sessions.still_valid(&dead).await.unwrap());
    assert!(world.sessions.still_valid(&alive).await.unwrap());
}
