//! One event stream, read by fetch so that the token stays out of the address. Ends when dropped.

use super::event_stream::EventStream;
use crate::api::ApiError;
use crate::api::fetch::{Call, fetch};
use leptos::task::spawn_local;
use natter_shared::path;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader};

pub struct Stream(Option<AbortController>);

impl Stream {
    /// Begins to read. `heard` gets the data and the id of each event, and `None` for bytes that completed none; `closed`
    /// is told why the stream could not be opened, or nothing if it ended.
    pub fn open(
        token: String,
        last_id: Option<String>,
        heard: impl Fn(Option<(&str, Option<String>)>) + 'static,
        closed: impl Fn(Option<ApiError>) + 'static,
    ) -> Self {
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        spawn_local(async move {
            let result = read(&token, last_id.as_deref(), signal.as_ref(), &heard).await;
            // Whoever dropped the stream knows that it ended.
            if !signal.is_some_and(|signal| signal.aborted()) {
                closed(result.err());
            }
        });
        Self(controller)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

async fn read(
    token: &str,
    last_id: Option<&str>,
    signal: Option<&AbortSignal>,
    heard: &impl Fn(Option<(&str, Option<String>)>),
) -> Result<(), ApiError> {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("Accept", "text/event-stream"), ("Authorization", &*bearer)];
    headers.extend(last_id.map(|id| ("Last-Event-ID", id)));
    let asked = Call { path: path::EVENTS, method: "GET", headers: &headers, body: None, fresh: true, signal };
    let response = fetch(asked).await.map_err(|_| ApiError::Unreachable)?;
    if !response.is_good() {
        let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
        return Err(ApiError::from_answer(response.status(), &text));
    }
    let body = response.stream().ok_or(ApiError::Garbled { status: response.status() })?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut events = EventStream::default();
    while let Some(bytes) = next(&reader).await.map_err(|_| ApiError::Unreachable)? {
        let complete = events.push(&bytes).map_err(|_| ApiError::Garbled { status: response.status() })?;
        if complete.is_empty() {
            heard(None);
        }
        for event in complete {
            heard(Some((&event.data, event.id)));
        }
    }
    Ok(())
}

/// The next piece of a stream, `None` at its end.
async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, JsValue> {
    let piece = JsFuture::from(reader.read()).await?;
    let done = js_sys::Reflect::get(&piece, &JsValue::from_str("done"))?;
    if done.is_truthy() {
        return Ok(None);
    }
    let value = js_sys::Reflect::get(&piece, &JsValue::from_str("value"))?;
    Ok(Some(js_sys::Uint8Array::new(&value).to_vec()))
}
