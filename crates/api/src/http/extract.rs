//! What handlers take out of a request. Each refusal is an [`ApiError`]; a handler that takes a [`Login`] answers 401 before
//! anything else about the request is looked at, for everything beside it waits until the login is known to be good.

use super::error::ApiError;
use crate::service::{Caller, Origin};
use crate::state::AppState;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use natter_shared::error::ErrorCode;
use natter_shared::integration::BOT_PREFIX;
use natter_shared::limits;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// A whole body must be there within this time.
const BODY_TIME: Duration = Duration::from_secs(30);

const FORWARDED_FOR: &str = "x-forwarded-for";

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// Shut until the login of this request is known to be good. actix polls all extractors of a handler in the order of its
/// arguments, so `Login` stands first in every signature.
#[derive(Clone)]
struct Gate(Rc<Cell<bool>>);

impl Gate {
    fn of(req: &HttpRequest) -> Option<Self> {
        req.extensions().get::<Self>().cloned()
    }
}

async fn passed(gate: Option<Gate>) {
    if let Some(Gate(open)) = gate {
        // Polled again with the login's own wake-up, for both are parts of one future.
        std::future::poll_fn(|_| if open.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// The login that asks, by its access token: exactly one `Authorization: Bearer …`. No bot passes.
pub struct Login(pub Caller);

impl FromRequest for Login {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(who_asks(req, |state, caller| {
            state.integrations.refuse_bot(&caller)?;
            Ok(Self(caller))
        }))
    }
}

/// The login or the bot that asks, in the same way. For what bots may do within their scopes, and nothing else.
pub struct LoginOrBot(pub Caller);

impl FromRequest for LoginOrBot {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(who_asks(req, |_, caller| Ok(Self(caller))))
    }
}

/// Finds out who asks, lets `pass` judge, and opens the gate for the rest of the request.
fn who_asks<T, F: FnOnce(&AppState, Caller) -> Result<T, ApiError>>(
    req: &HttpRequest,
    pass: F,
) -> impl Future<Output = Result<T, ApiError>> + use<T, F> {
    let gate = Gate(Rc::default());
    req.extensions_mut().insert(gate.clone());
    let req = req.clone();
    async move {
        let state = state(&req)?;
        let token = bearer(&req).ok_or_else(ApiError::not_signed_in)?;
        let caller = if token.starts_with(BOT_PREFIX) {
            state.integrations.recognise_bot(token, &origin(&req, state)).await?
        } else {
            state.sessions.authenticate(token).await?
        };
        let passed = pass(state, caller)?;
        gate.0.set(true);
        Ok(passed)
    }
}

/// The token of the one `Authorization` header; `None` also if there are two.
pub fn bearer(req: &HttpRequest) -> Option<&str> {
    let mut headers = req.headers().get_all(header::AUTHORIZATION);
    let value = headers.next()?.to_str().ok()?;
    if headers.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn state(req: &HttpRequest) -> Result<&web::Data<AppState>, ApiError> {
    req.app_data::<web::Data<AppState>>().ok_or_else(|| ApiError::internal("no state in this app"))
}

/// Where the request comes from.
pub struct From(pub Origin);

impl FromRequest for From {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(state(req).map(|state| Self(origin(req, state))))
    }
}

fn origin(req: &HttpRequest, state: &AppState) -> Origin {
    let forwarded = req.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = forwarded.collect();
    let ip = state.config.trusted_proxies.client_ip(req.peer_addr(), forwarded.into_iter());
    let agent = req.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    Origin { ip, user_agent: agent.chars().take(256).collect() }
}

/// A JSON body of at most [`limits::JSON_MAX_BYTES`], complete within 30 seconds. Unknown fields and repeated ones are
/// refused by the types, and the refusal names the field.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let gate = Gate::of(req);
        let is_json = matches!(req.mime_type(), Ok(Some(mime)) if mime.essence_str() == "application/json");
        let encoded = req.headers().contains_key(header::CONTENT_ENCODING);
        let body = whole_body(req, payload.take());
        Box::pin(async move {
            passed(gate).await;
            if !is_json || encoded {
                let message = "Send the body as plain JSON, with Content-Type: application/json";
                return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
            }
            parse_json(&body.await?).map(Self)
        })
    }
}

/// The bytes of a body of at most [`limits::JSON_MAX_BYTES`], complete within 30 seconds. Nothing is read before it is
/// polled.
pub fn whole_body(req: &HttpRequest, mut payload: Payload) -> impl Future<Output = Result<Vec<u8>, ApiError>> + use<> {
    let declared = req.headers().get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    async move {
        if declared.is_some_and(|length| length > limits::JSON_MAX_BYTES as u64) {
            return Err(too_large());
        }
        let read = async {
            let mut body = Vec::with_capacity(usize::try_from(declared.unwrap_or(0)).unwrap_or(0));
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|_| ApiError::bad_request("The body breaks off"))?;
                if body.len() + chunk.len() > limits::JSON_MAX_BYTES {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        };
        tokio::time::timeout(BODY_TIME, read)
            .await
            .map_err(|_| ApiError::new(ErrorCode::Timeout, "The body took too long"))?
    }
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::TooLarge, format!("At most {} KiB", limits::JSON_MAX_BYTES / 1024))
}

/// Reads one JSON document; the refusal names the field if there is one.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let words = error.inner().to_string();
        let why = match words.rfind(" at line ") {
            Some(end) => &words[..end],
            None => &words,
        };
        refused(&path, why)
    })?;
    json.end().map_err(|_| ApiError::bad_request("There is more behind the JSON document"))?;
    Ok(value)
}

/// A refusal that names the field: by its path, or, where serde only says it in words, by those.
fn refused(path: &str, why: &str) -> ApiError {
    // Names in refusals come from the client; a short one is enough to find it.
    let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| why.strip_prefix(start)?.split('`').next());
    let field = match (path, named) {
        ("." | "", Some(named)) => named.to_owned(),
        ("." | "", None) => return ApiError::bad_request(format!("This is not the JSON expected here: {why}")),
        (path, Some(named)) if path != named && !path.ends_with(&format!(".{named}")) => format!("{path}.{named}"),
        (path, _) => path.to_owned(),
    };
    let field: String = field.chars().filter(|c| !c.is_control()).take(100).collect();
    ApiError::bad_request(format!("{field}: {why}")).with_field(&field, why)
}

/// The query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let gate = Gate::of(req);
        let req = req.clone();
        Box::pin(async move {
            passed(gate).await;
            let query = form_urlencoded::parse(req.query_string().as_bytes());
            serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(query))
                .map(Self)
                .map_err(|error| refused(&error.path().to_string(), &error.inner().to_string()))
        })
    }
}

/// The ids in the path, in their order: one value, or a tuple. What cannot be an id is the id of nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let gate = Gate::of(req);
        let req = req.clone();
        Box::pin(async move {
            passed(gate).await;
            match web::Path::<T>::extract(&req).await {
                Ok(path) => Ok(Self(path.into_inner())),
                Err(_) => Err(ApiError::not_found()),
            }
        })
    }
}
