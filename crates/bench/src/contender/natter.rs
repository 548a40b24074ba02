//! Natter as a contender: the release program on one of its stores, with people who registered and joined by REST, as
//! people do. Only the rates are off, and bcrypt is at its cheapest, for neither is measured here.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use natter_shared::account::Session;
use natter_shared::error::ErrorBody;
use natter_shared::id::RoomId;
use natter_shared::path;
use natter_shared::room::Room;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Contender, MONGODB, Program, SQLITE, Town};
use crate::load::Person;
use crate::mongod::Mongod;
use crate::process::Server;
use crate::wire::dialect::Dialect;
use crate::workload::Bench;

/// Requests under way at a time while people move in.
const AT_A_TIME: usize = 8;
/// How often a request is repeated that a busy server asks to be repeated.
const REPEATS: usize = 20;

pub struct Settings {
    store: OsString,
    folder: PathBuf,
}

/// Makes a database and moves the town's people in.
pub async fn prepare(bench: &Bench<'_>, town: &Town, mongod: Option<&Mongod>) -> Result<Contender> {
    let folder = bench.fresh_folder(if mongod.is_some() { "natter-mongodb" } else { "natter-sqlite" })?;
    let store = if let Some(mongod) = mongod {
        mongod.uri("natter").into()
    } else {
        let mut store = OsString::from("sqlite:");
        store.push(folder.join("natter.db"));
        store
    };
    let settings = Settings { store, folder };
    let (server, address) = start(bench, &settings)?;
    let people = move_in(address, town).await.with_context(|| format!("its log ends: {}", server.last_words()))?;
    drop(server);
    Ok(Contender {
        name: if mongod.is_some() { MONGODB } else { SQLITE },
        dialect: Dialect::Natter,
        people: town.connected(people),
        program: Program::Natter(settings),
        store: mongod.map(Mongod::pid),
    })
}

pub fn start(bench: &Bench, settings: &Settings) -> Result<(Server, SocketAddr)> {
    let mut command = Command::new(&bench.args.natter);
    command.arg("serve").env_clear().current_dir(&settings.folder);
    command.env("NATTER_LISTEN", "127.0.0.1:0").env("NATTER_STORE", &settings.store);
    command.env("NATTER_SECRET_FILE", secret(&settings.folder)?).env("NATTER_WEB_DIR", "");
    command.env("NATTER_RATE_LIMITS", "off").env("NATTER_BCRYPT_COST", "4");
    // The longest life of a token: nobody signs in while something is measured.
    command.env("NATTER_ACCESS_TTL", "3600").env("NATTER_LOG", "warn");
    Server::start_on_a_port(command, bench.cores, &settings.folder.join("log"))
}

/// The signing key. A server on its own store would make one by itself, one on MongoDB must be given it.
fn secret(folder: &Path) -> Result<PathBuf> {
    let file = folder.join("secret");
    if !file.exists() {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let key = bytes.iter().fold(String::new(), |key, byte| key + &format!("{byte:02x}"));
        fs::write(&file, key).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(file)
}

async fn move_in(address: SocketAddr, town: &Town) -> Result<Vec<Person>> {
    let http = Client::new();
    let base = format!("http://{address}");
    let rooms_of = town.people();
    let registering = stream::iter(0..rooms_of.len()).map(|at| register(&http, &base, at)).buffered(AT_A_TIME);
    let tokens: Vec<String> = registering.try_collect().await?;

    // The first of each room makes it, the others come in.
    let first_of = |room: usize| rooms_of.iter().position(|of| *of == room);
    let mut rooms = Vec::new();
    for room in 0..town.rooms.len() {
        let owner = first_of(room).context("a room without people")?;
        let form = json!({ "name": format!("Room {room}"), "visibility": "public" });
        let made = http.post(format!("{base}{}", path::ROOMS)).bearer_auth(&tokens[owner]).json(&form);
        let made: Room = answer(made).await?;
        rooms.push(made.id);
    }
    let others = (0..rooms_of.len()).filter(|at| first_of(rooms_of[*at]) != Some(*at));
    let joining = others.map(|at| join(&http, &base, rooms[rooms_of[at]], &tokens[at]));
    stream::iter(joining).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;

    let person = |(at, token): (usize, String)| {
        let group = rooms_of[at];
        let hello: Rc<str> = json!({ "type": "hello", "token": token }).to_string().into();
        Person { hello, room: rooms[group].to_string().into(), group }
    };
    Ok(tokens.into_iter().enumerate().map(person).collect())
}

async fn register(http: &Client, base: &str, at: usize) -> Result<String> {
    let form = json!({
        "username": format!("person{at:04}"),
        "email": format!("person{at:04}@example.org"),
        "password": format!("gravel-lantern-{at:04}-otter"),
    });
    let session: Session = answer(http.post(format!("{base}{}", path::REGISTER)).json(&form)).await?;
    Ok(session.access_token)
}

async fn join(http: &Client, base: &str, room: RoomId, token: &str) -> Result<()> {
    let _: Room = answer(http.post(format!("{base}{}", path::join(room))).bearer_auth(token)).await?;
    Ok(())
}

/// Sends, and again while the server is too busy; each request is one that may be repeated.
async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    for _ in 0..REPEATS {
        let again = request.try_clone().context("a request with a stream")?.send().await?;
        if again.status() != StatusCode::SERVICE_UNAVAILABLE {
            return read(again).await;
        }
        let busy: ErrorBody = again.json().await?;
        tokio::time::sleep(Duration::from_millis(busy.error.retry_after_ms.unwrap_or(1_000))).await;
    }
    read(request.send().await?).await
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let (status, url) = (response.status(), response.url().path().to_owned());
    let body = response.text().await?;
    ensure!(status.is_success(), "{status} of {url}: {body}");
    serde_json::from_str(&body).with_context(|| format!("what {url} answers is not of the protocol: {body}"))
}
