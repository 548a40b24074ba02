//! One way to the server: adds the bearer token, renews it once for all who wait, gives every call an end, and turns each
//! failure into an [`ApiError`]. The access token lives in this struct and nowhere else.

use super::ApiError;
use super::fetch::{Call, fetch};
use crate::json;
use crate::live::browser;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use gloo_timers::callback::Timeout;
use natter_shared::account::{Empty, Session};
use natter_shared::path;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A call without an answer for so long is given up, in milliseconds.
const CALL_MS: u32 = 20_000;
/// A token that ends within this time is renewed before it is used, in milliseconds.
const TOKEN_SPARE_MS: i64 = 2_000;
/// Cookie calls carry this header: a form of a foreign page can't.
const OWN_PAGE: &str = "X-Natter";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// An access token and its times, in milliseconds since 1970.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    since: i64,
    ends_at: i64,
    renew_at: i64,
}

type Renewing = Shared<LocalBoxFuture<'static, Result<Session, ApiError>>>;
type Answering = LocalBoxFuture<'static, Result<Answer, ApiError>>;
type Heard = Box<dyn Fn(Result<&Session, &ApiError>)>;

#[derive(Default)]
struct Inner {
    token: RefCell<Option<Token>>,
    renewing: RefCell<Option<Renewing>>,
    /// Counts sign-ins and sign-outs, so that the answer to an older question can't undo a newer one.
    epoch: Cell<u64>,
    /// Told of each renewal that came out, well or for good.
    heard: RefCell<Option<Heard>>,
}

/// The server as this tab talks to it. Clones share the token.
#[derive(Clone, Default)]
pub struct Api(Rc<Inner>);

impl Api {
    /// Calls an endpoint as the person who is signed in. An ended token is renewed once; after that the call fails.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        read(self.send_text(method, path.to_owned(), text_of(body)?, Want::Text).await?)
    }

    /// The bytes of an image, in the browser's own memory.
    pub async fn bytes(&self, path: &str) -> Result<web_sys::Blob, ApiError> {
        let answer = self.send_text(Method::Get, path.to_owned(), None, Want::Bytes).await?;
        answer.bytes.ok_or(ApiError::Garbled { status: answer.status })
    }

    /// [`Api::send`] between texts: the long part, which is the same for all types.
    fn send_text(&self, method: Method, path: String, body: Option<String>, want: Want) -> Answering {
        let api = self.clone();
        async move {
            let token = api.token().await?;
            match call(method, &path, body.as_deref(), Some(&token), false, want).await {
                Err(error) if error.is_signed_out() => {
                    let token = api.renew_unless_newer(&token).await?;
                    call(method, &path, body.as_deref(), Some(&token), false, want).await
                }
                answer => answer,
            }
        }
        .boxed_local()
    }

    /// A call without a body.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        read(self.send_text(Method::Get, path.to_owned(), None, Want::Text).await?)
    }

    /// A call that nobody needs to be signed in for.
    pub async fn send_anonymously<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        read(call(method, path, text_of(Some(body))?.as_deref(), None, true, Want::Text).await?)
    }

    /// Asks with the cookie for a new token. All who ask at the same time share one call.
    pub async fn renew(&self) -> Result<Session, ApiError> {
        let running = self.0.renewing.borrow().clone();
        let renewing = running.unwrap_or_else(|| {
            let api = self.clone();
            let renewing = async move {
                let epoch = api.0.epoch.get();
                let answer = api.send_anonymously::<Session>(Method::Post, path::REFRESH, &Empty {}).await;
                if epoch != api.0.epoch.get() {
                    // Somebody signed in or out meanwhile: this answer is about a login that is not this tab's any more.
                    return Err(ApiError::Unreachable);
                }
                api.0.renewing.replace(None);
                if let Ok(session) = &answer {
                    api.keep(session);
                }
                if let Some(heard) = &*api.0.heard.borrow() {
                    heard(answer.as_ref());
                }
                answer
            }
            .boxed_local()
            .shared();
            self.0.renewing.replace(Some(renewing.clone()));
            renewing
        });
        renewing.await
    }

    /// Ends the login on the server.
    pub async fn end(&self) -> Result<(), ApiError> {
        let token = self.0.token.borrow().as_ref().map(|token| token.text.clone());
        let body = text_of(Some(&Empty {}))?;
        read(call(Method::Post, path::LOGOUT, body.as_deref(), token.as_deref(), true, Want::Text).await?)
    }

    /// Keeps the token of a new login or a renewed one.
    pub fn keep(&self, session: &Session) {
        let lasts = i64::try_from(session.expires_in).unwrap_or(3_600).saturating_mul(1_000);
        let now = browser::now();
        // Early enough for a background tab, whose timers run once a minute.
        let spare = (lasts / 2).min(120_000);
        let token = Token {
            text: session.access_token.clone(),
            since: now,
            ends_at: now + lasts,
            renew_at: now + lasts - spare,
        };
        self.0.token.replace(Some(token));
    }

    /// Somebody signed in: what was asked before is void.
    pub fn signed_in(&self, session: &Session) {
        self.signed_out();
        self.keep(session);
    }

    /// Forgets the token.
    pub fn signed_out(&self) {
        self.0.epoch.set(self.0.epoch.get() + 1);
        self.0.renewing.replace(None);
        self.0.token.replace(None);
    }

    /// Who is told of renewals.
    pub fn on_renewal(&self, heard: impl Fn(Result<&Session, &ApiError>) + 'static) {
        self.0.heard.replace(Some(Box::new(heard)));
    }

    /// Whether the token should be renewed by now.
    pub fn wants_renewal(&self) -> bool {
        self.0.renewing.borrow().is_none()
            && self.0.token.borrow().as_ref().is_some_and(|token| browser::now() >= token.renew_at)
    }

    /// Tries the renewal again only after so many milliseconds.
    pub fn put_off_renewal(&self, ms: i64) {
        if let Some(token) = &mut *self.0.token.borrow_mut() {
            token.renew_at = browser::now() + ms;
        }
    }

    /// For how long the token has been here, in milliseconds.
    pub fn token_age(&self) -> i64 {
        self.0.token.borrow().as_ref().map_or(i64::MAX, |token| browser::now().saturating_sub(token.since))
    }

    /// A token that is good for a call now.
    pub async fn token(&self) -> Result<String, ApiError> {
        let good = self.0.token.borrow().as_ref().and_then(|token| {
            (token.ends_at - TOKEN_SPARE_MS.min((token.ends_at - token.renew_at) / 2) > browser::now())
                .then(|| token.text.clone())
        });
        match good {
            Some(token) => Ok(token),
            None => self.renew().await.map(|session| session.access_token),
        }
    }

    /// A token that is not `refused`, which the server does not take any more.
    pub async fn renew_unless_newer(&self, refused: &str) -> Result<String, ApiError> {
        let newer = self.0.token.borrow().as_ref().map(|token| token.text.clone()).filter(|text| text != refused);
        match newer {
            Some(token) => Ok(token),
            None => self.renew().await.map(|session| session.access_token),
        }
    }
}

/// Whether the server answers at all, within so many milliseconds.
pub async fn answers(ms: u32) -> bool {
    let (signal, _timeout) = ends_after(ms);
    let signal = signal.as_ref().map(|(_, signal)| signal);
    let asked = Call { path: path::LIVE, method: Method::Get.word(), headers: &[], body: None, fresh: true, signal };
    fetch(asked).await.is_ok_and(|response| response.status() < 500)
}

type Abort = Option<(web_sys::AbortController, web_sys::AbortSignal)>;

/// A signal that ends a call after so many milliseconds; dropping the timer keeps it from doing so.
fn ends_after(ms: u32) -> (Abort, Option<Timeout>) {
    let Ok(controller) = web_sys::AbortController::new() else { return (None, None) };
    let signal = controller.signal();
    let abort = controller.clone();
    (Some((controller, signal)), Some(Timeout::new(ms, move || abort.abort())))
}

/// A good answer: its status, and what stands in it as text or, where that is asked for, as bytes.
struct Answer {
    status: u16,
    text: String,
    bytes: Option<web_sys::Blob>,
}

/// Where a call goes and what is wanted of the answer.
#[derive(Clone, Copy, PartialEq)]
enum Want {
    Text,
    Bytes,
}

/// A body as it goes over the wire. What this page sends can be written down; if not, nothing is sent.
fn text_of(body: Option<&impl Serialize>) -> Result<Option<String>, ApiError> {
    body.map(serde_json::to_string).transpose().map_err(|_| ApiError::Unreachable)
}

async fn call(
    method: Method,
    path: &str,
    body: Option<&str>,
    token: Option<&str>,
    own_page: bool,
    want: Want,
) -> Result<Answer, ApiError> {
    let (abort, timer) = ends_after(CALL_MS);
    let signal = abort.as_ref().map(|(_, signal)| signal);
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Accept", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    headers.extend(own_page.then_some((OWN_PAGE, "1")));
    headers.extend(body.map(|_| ("Content-Type", "application/json")));
    let failed = |_| {
        let ended = signal.is_some_and(web_sys::AbortSignal::aborted);
        if ended { ApiError::Timeout } else { ApiError::Unreachable }
    };
    let asked = Call { path, method: method.word(), headers: &headers, body, fresh: false, signal };
    let response = fetch(asked).await.map_err(failed)?;
    let status = response.status();
    if want == Want::Bytes && response.is_good() {
        let bytes = response.blob().await.map_err(failed)?;
        return Ok(Answer { status, text: String::new(), bytes: Some(bytes) });
    }
    let text = response.text().await.map_err(failed)?;
    drop(timer);
    if response.is_good() {
        return Ok(Answer { status, text, bytes: None });
    }
    let mut error = ApiError::from_answer(status, &text);
    if let ApiError::Refused { detail, .. } = &mut error
        && detail.retry_after_ms.is_none()
    {
        let seconds = response.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
        detail.retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
    }
    Err(error)
}

fn read<T: DeserializeOwned>(Answer { status, text, .. }: Answer) -> Result<T, ApiError> {
    json::read(if text.is_empty() { "null" } else { &text }).map_err(|_| ApiError::Garbled { status })
}
