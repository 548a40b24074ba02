//! Moving house as people do it: the commands of docs/moving.md, beside a running server and before the next one.

use crate::binary::{Running, ends, natter};
use crate::support::{PASSWORD, client_id};
use natter_shared::account::Session;
use natter_shared::entry::Entry;
use natter_shared::page::MessagePage;
use natter_shared::path;
use natter_shared::room::Room;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

/// A browser: it keeps its cookie, whichever server it comes to.
struct Browser {
    client: reqwest::Client,
    server: String,
    token: String,
}

impl Browser {
    fn new(server: &Running) -> Self {
        // No connection is kept: the next server may be another one.
        let client = reqwest::Client::builder().no_proxy().cookie_store(true).pool_max_idle_per_host(0);
        let client = client.timeout(Duration::from_secs(10));
        Self { client: client.build().unwrap(), server: server.address.clone(), token: String::new() }
    }

    async fn posts<T: serde::de::DeserializeOwned>(&self, path: &str, body: Value) -> T {
        let url = format!("http://{}{path}", self.server);
        let asked = self.client.post(url).bearer_auth(&self.token).json(&body).send().await.unwrap();
        let (status, text) = (asked.status(), asked.text().await.unwrap());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {status} {text}: {error}"))
    }

    async fn page(&self, room: &Room) -> MessagePage {
        let url = format!("http://{}{}", self.server, path::messages(room.id));
        self.client.get(url).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap()
    }

    async fn says(&self, room: &Room, text: &str) -> Entry {
        self.posts(&path::messages(room.id), json!({"client_id": client_id(), "body": text})).await
    }
}

fn moves(command: &str, data: &Path, file: &Path) -> Output {
    let store = format!("sqlite:{}", data.join("natter.db").display());
    let mut natter = natter(&[("NATTER_STORE", &store)]);
    natter.arg(command).arg(file);
    ends(natter)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn a_house_moves_and_everybody_stays_signed_in() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = old.path().join("house.natter");
    let mut server = Running::start(old.path(), 0);
    let mut ann = Browser::new(&server);
    let form = json!({"username": "ann", "email": "a@example.org", "password": PASSWORD});
    ann.token = ann.posts::<Session>(path::REGISTER, form).await.access_token;
    let room: Room = ann.posts(path::ROOMS, json!({"name": "garden", "visibility": "public"})).await;
    for n in 0..20 {
        ann.says(&room, &format!("message {n}")).await;
    }

    let exported = moves("export", old.path(), &file);
    assert!(exported.status.success(), "beside a running server: {}", said(&exported));
    let told = said(&exported);
    assert!(
        told.contains("1 people, 1 rooms") && told.contains("21 entries") && told.contains("signing key"),
        "{told}"
    );
    let again = moves("export", old.path(), &file);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let before = ann.page(&room).await;
    let port: u16 = server.address.rsplit(':').next().unwrap().parse().unwrap();
    let into_use = moves("import", old.path(), &file);
    assert!(!into_use.status.success() && said(&into_use).contains("another process uses"), "{}", said(&into_use));
    server.kill();

    let imported = moves("import", new.path(), &file);
    assert!(imported.status.success(), "{}", said(&imported));
    let again = moves("import", new.path(), &file);
    assert!(again.status.success() && said(&again).contains("it did before"), "{}", said(&again));
    fs::copy(old.path().join("secret"), new.path().join("secret")).unwrap();
    // The same address as before: that is all that a browser knows.
    let _server = Running::start(new.path(), port);
    assert_eq!(serde_json::to_value(ann.page(&room).await).unwrap(), serde_json::to_value(&before).unwrap());
    ann.token = ann.posts::<Session>(path::REFRESH, json!({})).await.access_token;
    let next = ann.says(&room, "after the move").await;
    assert_eq!(next.seq, before.head.next());
    let form = json!({"username": "ann", "password": PASSWORD});
    ann.posts::<Session>(path::LOGIN, form).await;
}

#[test]
fn what_cannot_be_moved_is_told_in_a_sentence() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = data.path().join("house.natter");
    let nothing = moves("export", data.path(), &file);
    assert!(!nothing.status.success() && said(&nothing).contains("there is no store"), "{}", said(&nothing));
    assert!(!data.path().join("natter.db").exists(), "an export makes no store");
    let nothing = moves("import", data.path(), &file);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    assert!(said(&nothing).contains("house.natter cannot be read"), "{}", said(&nothing));
    fs::write(&file, "Dear diary").unwrap();
    let foreign = moves("import", data.path(), &file);
    assert_eq!(foreign.status.code(), Some(1));
    assert!(said(&foreign).contains("house.natter is no archive"), "{}", said(&foreign));
    assert!(!data.path().join("natter.db").exists(), "nothing is made before the file is known to be good");

    drop(Running::start(other.path(), 0));
    fs::remove_file(&file).unwrap();
    let exported = moves("export", other.path(), &file);
    assert!(exported.status.success(), "{}", said(&exported));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    let cut = moves("import", data.path(), &file);
    assert!(cut.status.code() == Some(1) && said(&cut).contains("is cut short"), "{}", said(&cut));
    let missing = ends({
        let mut natter = natter(&[]);
        natter.arg("export");
        natter
    });
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
}
