//! The browser's `fetch`, as far as this page needs it: one call, its status, its text, its stream.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, ReadableStream, RequestCache, RequestInit};

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
pub struct Response(web_sys::Response);

/// Asks. An error means that there is no answer, for whatever reason: the browser does not tell more.
pub async fn fetch(call: Call<'_>) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in call.headers {
        headers.set(name, value)?;
    }
    let how = RequestInit::new();
    how.set_method(call.method);
    how.set_headers(&headers);
    how.set_signal(call.signal);
    if let Some(body) = call.body {
        how.set_body(&JsValue::from_str(body));
    }
    if call.fresh {
        how.set_cache(RequestCache::NoStore);
    }
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response = JsFuture::from(window.fetch_with_str_and_init(call.path, &how)).await?;
    Ok(Response(response.unchecked_into()))
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
        self.0.headers().get(name).ok().flatten()
    }

    /// Everything that comes, as text.
    pub async fn text(&self) -> Result<String, JsValue> {
        let text = JsFuture::from(self.0.text()?).await?;
        Ok(text.as_string().unwrap_or_default())
    }

    /// What comes, as it comes.
    pub fn stream(&self) -> Option<ReadableStream> {
        self.0.body()
    }
}
