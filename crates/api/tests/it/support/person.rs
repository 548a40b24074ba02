//! Somebody with (or without) a login, speaking REST.

use super::{EventStream, PASSWORD, PATIENCE, Server, Socket};
use natter_shared::account::Session;
use natter_shared::entry::Entry;
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::page::{EntryPage, MessagePage};
use natter_shared::path;
use natter_shared::room::Room;
use natter_shared::text::Username;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap_or_default() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// The code of an error answer; empty if it is none.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn read<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Fails unless it is this refusal.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.code(), code, "{}", answer.text);
        answer
    }
}

pub struct Person {
    pub username: String,
    pub id: Option<UserId>,
    pub token: String,
    /// The node this person talks to.
    pub address: SocketAddr,
    /// Keeps the refresh cookie, as a browser would.
    pub http: reqwest::Client,
}

/// A client id nobody has used in this run.
pub fn client_id() -> ClientId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0xA5; 16];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    ClientId::from_random_bytes(bytes)
}

impl Person {
    pub fn nobody(server: &Server) -> Self {
        Self::nobody_at(server.next_address())
    }

    /// Somebody without a login at a server that was started as a program.
    pub fn nobody_at(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).no_proxy().timeout(PATIENCE).build().unwrap();
        Self { username: String::new(), id: None, token: String::new(), address, http }
    }

    pub async fn register(server: &Server, username: &str) -> Self {
        Self::register_at(server.next_address(), username).await
    }

    pub async fn register_at(address: SocketAddr, username: &str) -> Self {
        let mut person = Self::nobody_at(address);
        let form = json!({"username": username, "email": format!("{username}@example.org"), "password": PASSWORD});
        person.enter(path::REGISTER, &form, 201).await;
        person
    }

    /// Somebody without an account, by the code of a room.
    pub async fn guest(server: &Server, display_name: &str, code: &str) -> Self {
        let mut person = Self::nobody(server);
        person.enter(path::GUEST, &json!({"display_name": display_name, "code": code}), 201).await;
        person
    }

    /// Another login of the same person, with its own cookie.
    pub async fn login_again(&self, server: &Server) -> Self {
        let mut person = Self::nobody(server);
        person.enter(path::LOGIN, &json!({"username": self.username, "password": PASSWORD}), 200).await;
        person
    }

    async fn enter(&mut self, path: &str, form: &Value, status: u16) {
        let session: Session = self.call(Method::POST, path, Some(form)).await.expect(status).read();
        self.take(session);
    }

    fn take(&mut self, session: Session) {
        self.username = session.user.username.to_string();
        self.id = Some(session.user.id);
        self.token = session.access_token;
    }

    /// Rotates the refresh cookie and takes the new access token.
    pub async fn refresh(&mut self) -> Answer {
        let answer = self.post(path::REFRESH, &json!({})).await;
        if answer.status.is_success() {
            self.take(answer.read());
        }
        answer
    }

    /// Finds the server where it is by now: under another address, with the same cookie.
    pub fn moves_to(&mut self, server: &Server) {
        self.address = server.next_address();
    }

    pub fn id(&self) -> UserId {
        self.id.expect("signed in")
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("http://{}{path}", self.address));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.expect("the server answers")).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub async fn makes_room(&self, name: &str, visibility: &str) -> Room {
        self.post(path::ROOMS, &json!({"name": name, "visibility": visibility})).await.expect(201).read()
    }

    pub async fn joins(&self, room: RoomId) -> Room {
        self.post(&path::join(room), &json!({})).await.expect(200).read()
    }

    pub async fn leaves(&self, room: RoomId) {
        self.post(&path::leave(room), &json!({})).await.expect(204);
    }

    /// Lets somebody into a private room by its code.
    pub async fn lets_in(&self, other: &Person, room: RoomId) {
        let code = self.get(&path::code(room)).await.expect(200).json()["code"].clone();
        other.post(path::JOIN_BY_CODE, &json!({ "code": code })).await.expect(200);
    }

    pub async fn direct(&self, other: &Person) -> Room {
        let name = Username::parse(&other.username).unwrap();
        self.put(&path::dm(&name), &json!({})).await.expect(200).read()
    }

    pub async fn tries_to_say(&self, room: RoomId, client_id: ClientId, body: &str) -> Answer {
        self.post(&path::messages(room), &json!({"client_id": client_id, "body": body})).await
    }

    pub async fn says(&self, room: RoomId, body: &str) -> Entry {
        self.tries_to_say(room, client_id(), body).await.expect(201).read()
    }

    pub async fn history(&self, room: RoomId, query: &str) -> MessagePage {
        self.get(&format!("{}{query}", path::messages(room))).await.expect(200).read()
    }

    pub async fn log(&self, room: RoomId, after: Seq) -> EntryPage {
        self.get(&format!("{}?after={after}", path::entries(room))).await.expect(200).read()
    }

    pub async fn connects(&self) -> Socket {
        Socket::open(self, None).await
    }

    pub async fn listens(&self, last_event_id: Option<&str>) -> EventStream {
        EventStream::open(self, last_event_id).await
    }
}
