//! Accounts from registering on, on the real store.

use super::*;
use crate::scene::{Scene, from};
use natter_shared::account::LoginForm;
use serde_json::{Value, json};

const PASSWORD: &str = "violet kettle orbit 93";
const HERE: &str = "203.0.113.7";

struct World {
    scene: Scene,
    sessions: Sessions,
    accounts: Accounts,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

impl World {
    fn new() -> Self {
        Self::on(Scene::new())
    }

    fn on(scene: Scene) -> Self {
        let sessions = Sessions::new(&scene.parts);
        let accounts = Accounts::new(&scene.parts, &sessions);
        Self { scene, sessions, accounts }
    }

    async fn registers(&self, username: &str) -> Result<User, AccountError> {
        let form = json!({"username": username, "email": format!("{username}@example.org"), "password": PASSWORD});
        self.accounts.register(read(form), &from(HERE)).await
    }

    async fn signs_in(&self, username: &str, password: &str) -> Result<Caller, SessionError> {
        let form: LoginForm = read(json!({"username": username, "password": password}));
        let opened = self.sessions.login(form, &from(HERE)).await?;
        self.sessions.authenticate(&opened.session.access_token).await
    }

    async fn comes(&self, username: &str) -> Caller {
        self.registers(username).await.unwrap();
        self.signs_in(username, PASSWORD).await.unwrap()
    }

    async fn checks(&self, form: Value) -> CheckAnswer {
        self.accounts.check(read(form), &from(HERE)).await.unwrap()
    }

    async fn finds(
        &self,
        caller: &Caller,
        q: &str,
        limit: u32,
        cursor: Option<String>,
    ) -> (Vec<String>, Option<String>) {
        let query = ListQuery { q: Some(q.to_owned()), limit: Some(limit), cursor };
        let page = self.accounts.search(caller, query).await.unwrap();
        (page.items.into_iter().map(|user| user.username.to_string()).collect(), page.cursor)
    }
}

#[tokio::test]
async fn of_many_who_want_a_name_one_gets_it() {
    let world = World::new();
    let all = futures_util::future::join_all((0..20).map(|_| world.registers("ann"))).await;
    assert_eq!(all.iter().filter(|result| result.is_ok()).count(), 1);
    for lost in all.into_iter().filter_map(Result::err) {
        assert!(matches!(lost, AccountError::UsernameTaken), "{lost}");
    }
    world.signs_in("ann", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_weak_password_is_refused_with_advice() {
    let world = World::new();
    for weak in ["password1234567", "margit_oduya1", "Margit Oduya", "natternatter"] {
        let form = json!({"username": "margit_oduya", "email": "m@example.org", "password": weak,
            "display_name": "Margit Oduya"});
        let refused = world.accounts.register(read(form), &from(HERE)).await;
        let Err(AccountError::Invalid(fields)) = refused else { panic!("{weak} is accepted") };
        assert!(fields["password"].starts_with("Too easy to guess. "), "{fields:?}");
    }
    assert!(world.signs_in("margit_oduya", "password1234567").await.is_err());
}

#[tokio::test]
async fn five_accounts_an_hour_come_from_one_address_and_refused_forms_do_not_count() {
    let world = World::on(Scene::with(|settings| settings.rate_limits = true));
    for n in 0..5 {
        world.registers(&format!("person{n}")).await.unwrap();
        assert!(matches!(world.registers("person0").await, Err(AccountError::UsernameTaken)));
    }
    assert!(matches!(world.registers("person5").await, Err(AccountError::TooOften(_))));
    world.scene.passes_seconds(720);
    world.registers("person5").await.unwrap();
}

#[tokio::test]
async fn a_form_learns_while_it_is_filled_in() {
    let world = World::new();
    world.registers("ann").await.unwrap();
    let taken = world.checks(json!({"username": "ann"})).await;
    assert!(taken.fields["username"].contains("taken"), "{taken:?}");
    assert_eq!(taken.suggestions.len(), 3);
    for name in &taken.suggestions {
        assert!(name.as_str().starts_with("ann"), "{name}");
        world.registers(name.as_str()).await.unwrap();
    }
    assert_eq!(world.checks(json!({})).await, CheckAnswer::default());
    let bad = world.checks(json!({"username": "A", "email": "x", "password": "short"})).await;
    assert_eq!(bad.fields.keys().collect::<Vec<_>>(), ["email", "password", "username"]);
    let weak = world.checks(json!({"username": "margit_oduya", "password": "margit_oduya1"})).await;
    assert!(weak.password_score.unwrap() < 3 && weak.password_advice.is_some(), "{weak:?}");
    assert!(weak.fields.contains_key("password"));
    let good = world.checks(json!({"username": "bob", "password": PASSWORD, "email": "b@example.org"})).await;
    assert!(good.fields.is_empty() && good.password_score.unwrap() >= 3, "{good:?}");
    let long = world.checks(json!({"username": "a".repeat(32), "password": "x".repeat(2_000)})).await;
    assert!(long.fields.contains_key("password") && long.password_score.is_none());
}

#[tokio::test]
async fn names_of_full_length_get_suggestions_too() {
    let world = World::new();
    let name = "a".repeat(32);
    world.registers(&name).await.unwrap();
    assert_eq!(world.checks(json!({"username": name})).await.suggestions.len(), 3);
}

#[tokio::test]
async fn a_profile_is_changed_by_its_owner_and_the_address_is_shown_to_nobody_else() {
    let world = World::new();
    let (ann, bob) = (world.comes("ann").await, world.comes("bob").await);
    let patch = read(json!({"display_name": " Ann\u{202E} Okafor ", "gender": "female"}));
    let me = world.accounts.update(&ann, patch).await.unwrap();
    assert_eq!(me, world.accounts.me(&ann).await.unwrap());
    assert_eq!(me.email.unwrap().as_str(), "ann@example.org");
    let seen = world.accounts.profile(&bob, "ann").await.unwrap();
    assert_eq!(seen.display_name.as_str(), "Ann Okafor");
    assert!(!serde_json::to_string(&seen).unwrap().contains("example.org"));
    let refused = world.accounts.update(&ann, read(json!({"display_name": "\u{200B}"}))).await;
    assert!(matches!(refused, Err(AccountError::Invalid(_))));
    for nobody in ["carl", "ANN", "", "%00", "../ann"] {
        assert!(matches!(world.accounts.profile(&bob, nobody).await, Err(AccountError::NotFound)), "{nobody}");
    }
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_name_page_by_page() {
    let world = World::new();
    let ann = world.comes("ann").await;
    for name in ["anna", "annika", "bob"] {
        world.registers(name).await.unwrap();
    }
    let (first, cursor) = world.finds(&ann, "@Ann", 2, None).await;
    assert_eq!(first, ["ann", "anna"]);
    let (rest, end) = world.finds(&ann, "ann", 2, cursor).await;
    assert_eq!((rest, end), (vec!["annika".to_owned()], None));
    for nobody in ["%", "_", "*", "(a+)+$", ".*", "\\", "é", "a b", "{$regex:1}"] {
        assert_eq!(world.finds(&ann, nobody, 100, None).await, (vec![], None), "{nobody}");
    }
    for (q, limit, cursor) in [("", 20, None), (" ", 20, None), ("a", 0, None), ("a", 101, None), ("a", 20, Some("%"))]
    {
        let query = ListQuery { q: Some(q.to_owned()), limit: Some(limit), cursor: cursor.map(str::to_owned) };
        assert!(matches!(world.accounts.search(&ann, query).await, Err(AccountError::Invalid(_))), "{q} {limit}");
    }
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_ends_the_other_logins() {
    let world = World::new();
    let here = world.comes("ann").await;
    let there = world.signs_in("ann", PASSWORD).await.unwrap();
    let new = "amber tunnel basket 57";
    let change = async |current: &str, new: &str| {
        world.accounts.change_password(&here, read(json!({"current": current, "new": new}))).await
    };
    assert!(matches!(change("not it at all 11", new).await, Err(AccountError::WrongPassword)));
    assert!(matches!(change(&"x".repeat(2_000), new).await, Err(AccountError::WrongPassword)));
    for weak in ["short", "aaaaaaaaaaaa", "ann@example.org", PASSWORD, &"x".repeat(257)] {
        let Err(AccountError::Invalid(fields)) = change(PASSWORD, weak).await else { panic!("{weak} is accepted") };
        assert!(fields.contains_key("new"), "{fields:?}");
    }
    assert!(world.sessions.still_valid(&there).await.unwrap());
    assert!(world.scene.ended().is_empty());

    change(PASSWORD, new).await.unwrap();
    assert!(world.scene.ended().contains(&there.session));
    assert!(!world.sessions.still_valid(&there).await.unwrap());
    assert!(world.sessions.still_valid(&here).await.unwrap());
    assert!(matches!(world.signs_in("ann", PASSWORD).await, Err(SessionError::BadCredentials)));
    world.signs_in("ann", new).await.unwrap();
}

#[tokio::test]
async fn an_open_browser_is_no_place_to_guess_the_password() {
    let world = World::on(Scene::with(|settings| settings.rate_limits = true));
    let ann = world.comes("ann").await;
    let guess = || world.accounts.change_password(&ann, read(json!({"current": "x", "new": "amber tunnel basket 57"})));
    for _ in 0..5 {
        assert!(matches!(guess().await, Err(AccountError::WrongPassword)));
    }
    assert!(matches!(guess().await, Err(AccountError::TooOften(_))));
}
