//! Nobody learns from a login who has an account here, or what became of it: what is done is the same for all. That is
//! looked at, and not the clock, which says different things on a busy machine.

use super::*;
use crate::clock::random;
use crate::store::NewUser;
use natter_shared::id::UserId;
use natter_shared::text::DisplayName;

const WRONG: &str = "violet kettle orbit 94";

/// Ann has an account, dora's is disabled, and greta is a guest.
async fn town() -> World {
    let world = World::new().await;
    let accounts = Accounts::new(&world.scene.parts, &world.sessions);
    let form = RegisterForm {
        username: "dora".to_owned(),
        email: "dora@example.org".to_owned(),
        password: password(PASSWORD),
        display_name: None,
        gender: None,
    };
    let dora = accounts.register(form, &from("192.0.2.2")).await.unwrap();
    world.scene.disables(dora.id);
    let guest = NewUser {
        id: UserId::from_random_bytes(random(&*world.scene.parts.entropy)),
        username: Username::parse("greta").unwrap(),
        display_name: DisplayName::parse("Greta").unwrap(),
        email: None,
        gender: None,
        password_hash: None,
        guest: true,
        integration: None,
        created_at: world.scene.now(),
    };
    world.scene.parts.store.create_user(guest).await.unwrap();
    world.sessions.passwords.worked();
    world
}

#[tokio::test]
async fn every_refused_login_hashes_once_and_at_the_same_cost() {
    let world = town().await;
    let overlong = "x".repeat(natter_shared::limits::PASSWORD_MAX + 1);
    for (name, text) in [
        ("ann", WRONG),
        ("ann", overlong.as_str()),
        ("nobody", WRONG),
        ("nobody", PASSWORD),
        ("dora", WRONG),
        ("dora", PASSWORD),
        ("greta", WRONG),
        ("greta", ""),
        ("No such name can be", WRONG),
        ("admin", WRONG),
        ("", ""),
    ] {
        for _ in 0..3 {
            let refused = world.sessions.login(login(name, text), &from(HERE)).await;
            assert!(matches!(refused, Err(SessionError::BadCredentials)), "{name}: {refused:?}");
            assert_eq!(world.sessions.passwords.worked(), [4], "{name} with {} characters", text.len());
        }
    }
    world.signs_in().await;
    assert_eq!(world.sessions.passwords.worked(), [4], "and so does one that succeeds");
}

#[tokio::test]
async fn every_name_is_slowed_down_alike() {
    let world = World::on(Scene::with(|settings| settings.rate_limits = true)).await;
    let bob = "bob-has-no-account";
    let mut answers: [Vec<String>; 2] = Default::default();
    for n in 0..8 {
        for (name, answers) in ["ann", bob].into_iter().zip(&mut answers) {
            let origin = from(&format!("203.0.113.{n}"));
            let refused = world.sessions.login(login(name, WRONG), &origin).await.unwrap_err();
            answers.push(format!("{refused:?}"));
        }
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].last().unwrap().starts_with("TooOften"), "{answers:?}");
}

#[tokio::test]
async fn a_disabled_account_is_out() {
    let world = World::new().await;
    let opened = world.signs_in().await;
    let caller = world.caller(&opened).await;
    let other = world.signs_in().await;
    let mut both = [caller.session, world.caller(&other).await.session];
    both.sort();
    world.scene.disables(world.ann.id);
    let refused = world.sessions.login(login("ann", PASSWORD), &from(HERE)).await;
    assert!(matches!(refused, Err(SessionError::BadCredentials)), "{refused:?}");
    world.scene.passes_seconds(live::BELIEVED_MS / 1_000);
    assert!(world.is_out(&opened).await);
    assert!(!world.sessions.still_valid(&caller).await.unwrap(), "a socket that opens now is refused as well");
    let mut ended = world.scene.ended();
    ended.sort();
    assert_eq!(ended, both, "open sockets are told when the account is first met again");
    assert!(world.is_out(&other).await);
}
