//! The browser's `fetch`, as far as this page needs it: one call, its status, its text, its stream. One function that knows
//! no types, for what is generic is compiled once for each of them.

use gloo_net::http::{Method, RequestBuilder};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStream, RequestCache};

/// What is asked, and how.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub path: &'a str,
    pub method: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: Option<&'a str>,
    /// Whether the answer must come from the server itself.
    pub fresh: bool,
    /// What ends the call before its time.
    pub signal: Option<&'a AbortSignal>,
}

/// What came back.
pub struct Response(gloo_net::http::Response);

/// There is no answer, for whatever reason: the browser does not tell more.
#[derive(Debug, Clone, Copy)]
pub struct NoAnswer;

impl From<gloo_net::Error> for NoAnswer {
    fn from(_: gloo_net::Error) -> Self {
        Self
    }
}

/// Asks.
pub async fn fetch(call: Call<'_>) -> Result<Response, NoAnswer> {
    let method = Method::from_bytes(call.method.as_bytes()).map_err(|_| NoAnswer)?;
    let mut request = RequestBuilder::new(call.path).method(method).abort_signal(call.signal);
    for (name, value) in call.headers {
        request = request.header(name, value);
    }
    if call.fresh {
        request = request.cache(RequestCache::NoStore);
    }
    let request = match call.body {
        Some(body) => request.body(JsValue::from_str(body))?,
        None => request.build()?,
    };
    Ok(Response(request.send().await?))
}

impl Response {
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// Whether the status is one of success.
    pub fn is_good(&self) -> bool {
        self.0.ok()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.0.headers().get(name)
    }

    /// Everything that comes, as text.
    pub async fn text(&self) -> Result<String, NoAnswer> {
        Ok(self.0.text().await?)
    }

    /// Everything that comes, in the browser's own memory.
    pub async fn blob(self) -> Result<web_sys::Blob, NoAnswer> {
        let coming = web_sys::Response::from(self.0).blob().map_err(|_| NoAnswer)?;
        JsFuture::from(coming).await.ok().and_then(|blob| blob.dyn_into().ok()).ok_or(NoAnswer)
    }

    /// What comes, as it comes.
    pub fn stream(&self) -> Option<ReadableStream> {
        self.0.body()
    }
}
