//! Somebody with a login, speaking REST through a gate (a node, or a proxy before it). Retries what may be retried, as the
//! page does; what it cannot know it reports.

use crate::ledger::Ack;
use anyhow::{Context, Result, bail, ensure};
use natter_shared::account::Session;
use natter_shared::entry::Entry;
use natter_shared::error::ErrorBody;
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::page::{EntryPage, MessagePage};
use natter_shared::path;
use natter_shared::room::Room;
use reqwest::header::{COOKIE, HeaderMap, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// One call takes no longer.
pub const CALL: Duration = Duration::from_secs(15);
/// What may be retried is retried for so long.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(500);

pub const PASSWORD: &str = "violet kettle orbit 93";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.text).with_context(|| format!("{}: {}", self.status, self.text))
    }

    /// Whether the same call is worth making again.
    pub fn may_be_retried(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 503)
    }

    pub fn retry_after(&self) -> Option<Duration> {
        let body = self.read::<ErrorBody>().ok().and_then(|body| body.error.retry_after_ms).map(Duration::from_millis);
        let header = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        body.or_else(|| header.map(Duration::from_secs))
    }

    /// The refresh cookie that was set, as it is to be sent back.
    pub fn cookie(&self) -> Option<String> {
        let set = self.headers.get(SET_COOKIE)?.to_str().ok()?;
        Some(set.split(';').next().unwrap_or(set).to_owned())
    }
}

/// Both tokens of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub cookie: String,
    /// How long the access token lives from when it was given.
    pub life: Duration,
    pub given: Instant,
}

impl Tokens {
    pub fn of(session: &Session, answer: &Answer) -> Result<Self> {
        let cookie = answer.cookie().context("an answer without a refresh cookie")?;
        let life = Duration::from_secs(session.expires_in);
        Ok(Self { access: session.access_token.clone(), cookie, life, given: Instant::now() })
    }

    /// Whether the time has come to get the next ones: half of their life is over.
    pub fn are_old(&self) -> bool {
        self.given.elapsed() > self.life / 2
    }
}

pub struct Person {
    pub name: String,
    pub id: UserId,
    http: reqwest::Client,
    tokens: Mutex<Tokens>,
    /// Held while tokens are renewed, so that two sockets of one person do not both do it.
    renewing: tokio::sync::Mutex<()>,
}

/// A client that keeps no cookies by itself: they are this module's to handle.
pub fn http() -> Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().timeout(CALL).build().context("no HTTP client")
}

/// One call, whatever its answer. An error is a network's.
pub async fn call(
    http: &reqwest::Client,
    gate: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
    body: Option<&Value>,
) -> Result<Answer> {
    let mut request = http.request(method, format!("http://{gate}{path}"));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

impl Person {
    /// Makes an account, again and again while the server says `retry`.
    pub async fn register(gate: SocketAddr, name: &str) -> Result<Self> {
        let form = json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD});
        match Self::enter(gate, path::REGISTER, &form).await {
            // A first attempt whose answer was lost, or that was told to retry, may have made the account.
            Err(error) if format!("{error:#}").contains("username_taken") => Self::login(gate, name, PASSWORD).await,
            entered => entered,
        }
    }

    /// Another login of an account.
    pub async fn login(gate: SocketAddr, name: &str, password: &str) -> Result<Self> {
        Self::enter(gate, path::LOGIN, &json!({"username": name, "password": password})).await
    }

    async fn enter(gate: SocketAddr, path: &str, form: &Value) -> Result<Self> {
        let http = http()?;
        let since = Instant::now();
        loop {
            let answer = call(&http, gate, Method::POST, path, &[], Some(form)).await;
            match answer {
                Ok(answer) if answer.status.is_success() => {
                    let session: Session = answer.read()?;
                    let tokens = Tokens::of(&session, &answer)?;
                    let (name, id) = (session.user.username.to_string(), session.user.id);
                    return Ok(Self {
                        name,
                        id,
                        http,
                        tokens: Mutex::new(tokens),
                        renewing: tokio::sync::Mutex::default(),
                    });
                }
                Ok(answer) if !answer.may_be_retried() => bail!("{path} answered {}: {}", answer.status, answer.text),
                other => ensure!(since.elapsed() < PATIENCE, "{path} still does not work: {}", shown(&other)),
            }
            sleep(PAUSE).await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tokens(&self) -> Tokens {
        self.kept().clone()
    }

    /// Replaces the tokens, as another tab of the same browser would.
    pub fn take(&self, tokens: Tokens) {
        *self.kept() = tokens;
    }

    /// Gets new tokens, unless somebody has since `stale` was read.
    pub async fn renew(&self, gate: SocketAddr, stale: &Tokens) -> Result<()> {
        let _alone = self.renewing.lock().await;
        if self.tokens() != *stale {
            return Ok(());
        }
        let answer = self.refresh_with(gate, &stale.cookie).await?;
        ensure!(answer.status.is_success(), "{} cannot renew: {} {}", self.name, answer.status, answer.text);
        let tokens = Tokens::of(&answer.read()?, &answer)?;
        self.take(tokens);
        Ok(())
    }

    /// One call of refresh with that cookie, whatever comes of it.
    pub async fn refresh_with(&self, gate: SocketAddr, cookie: &str) -> Result<Answer> {
        call(&self.http, gate, Method::POST, path::REFRESH, &[(COOKIE, cookie)], Some(&json!({}))).await
    }

    /// One call with the access token, whatever its answer.
    pub async fn once(&self, gate: SocketAddr, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.kept().access);
        call(&self.http, gate, method, path, &[(reqwest::header::AUTHORIZATION, &bearer)], body).await
    }

    /// The same, repeated while the answer is to come again. Only for what may happen twice.
    pub async fn answered(&self, gate: SocketAddr, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let since = Instant::now();
        loop {
            let answer = self.once(gate, method.clone(), path, body).await?;
            if !answer.may_be_retried() || since.elapsed() > PATIENCE {
                return Ok(answer);
            }
            sleep(PAUSE).await;
        }
    }

    /// A call that must succeed, repeated while it may be retried. Only for what may happen twice.
    pub async fn surely(&self, gate: SocketAddr, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let since = Instant::now();
        loop {
            let tokens = self.tokens();
            match self.once(gate, method.clone(), path, body).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && since.elapsed() < PATIENCE => {
                    self.renew(gate, &tokens).await?;
                }
                Ok(answer) if !answer.may_be_retried() => {
                    bail!("{}: {method} {path} answered {}: {}", self.name, answer.status, answer.text)
                }
                other => {
                    ensure!(since.elapsed() < PATIENCE, "{method} {path} still does not work: {}", shown(&other));
                    sleep(PAUSE).await;
                }
            }
        }
    }

    pub async fn makes_room(&self, gate: SocketAddr, name: &str) -> Result<Room> {
        let form = json!({"name": name, "visibility": "private"});
        self.surely(gate, Method::POST, path::ROOMS, Some(&form)).await?.read()
    }

    /// The join code of a room.
    pub async fn code(&self, gate: SocketAddr, room: RoomId) -> Result<Value> {
        self.surely(gate, Method::GET, &path::code(room), None).await?.read()
    }

    pub async fn joins_by(&self, gate: SocketAddr, code: &Value) -> Result<()> {
        self.surely(gate, Method::POST, path::JOIN_BY_CODE, Some(code)).await.map(|_| ())
    }

    /// One attempt to say something.
    pub async fn tries_to_say(&self, gate: SocketAddr, room: RoomId, id: ClientId, body: &str) -> Result<Answer> {
        let form = json!({"client_id": id, "body": body});
        self.once(gate, Method::POST, &path::messages(room), Some(&form)).await
    }

    /// Uploads an image.
    pub async fn uploads(&self, gate: SocketAddr, png: &[u8]) -> Result<Answer> {
        const BORDER: &str = "border-of-the-form";
        let head = format!(
            "--{BORDER}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        );
        let body = [head.as_bytes(), png, format!("\r\n--{BORDER}--\r\n").as_bytes()].concat();
        let request = self.http.post(format!("http://{gate}{}", path::FILES)).bearer_auth(self.tokens().access);
        let request = request.header("content-type", format!("multipart/form-data; boundary={BORDER}")).body(body);
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await? };
        ensure!(answer.status.is_success(), "an upload was answered {}: {}", answer.status, answer.text);
        Ok(answer)
    }

    pub async fn entries(&self, gate: SocketAddr, room: RoomId, after: Seq, limit: u32) -> Result<EntryPage> {
        let path = format!("{}?after={after}&limit={limit}", path::entries(room));
        self.surely(gate, Method::GET, &path, None).await?.read()
    }

    /// A room's log from its first entry to its head.
    pub async fn whole_log(&self, gate: SocketAddr, room: RoomId) -> Result<Vec<Entry>> {
        let mut log: Vec<Entry> = Vec::new();
        loop {
            let after = log.last().map_or(Seq::ZERO, |entry| entry.seq);
            let page = self.entries(gate, room, after, 500).await?;
            let empty = page.entries.is_empty();
            log.extend(page.entries);
            if page.complete || empty {
                return Ok(log);
            }
        }
    }

    pub async fn page(&self, gate: SocketAddr, room: RoomId, query: &str) -> Result<MessagePage> {
        self.surely(gate, Method::GET, &format!("{}?{query}", path::messages(room)), None).await?.read()
    }
}

fn shown(answer: &Result<Answer>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.status, answer.text),
        Err(error) => format!("{error:#}"),
    }
}

/// The promise in the answer to a message, if it is one.
pub fn ack_in(answer: &Answer) -> Option<Ack> {
    if !answer.status.is_success() {
        return None;
    }
    let entry: Entry = answer.read().ok()?;
    Some(Ack { seq: entry.seq.get(), at: entry.at.millis() })
}
