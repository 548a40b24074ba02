//! Sending images. `fetch` does not say how much of a body is sent; the older `XMLHttpRequest` does.

use super::ApiError;
use super::client::Api;
use crate::json;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Promise;
use natter_shared::account::Me;
use natter_shared::file::Uploaded;
use natter_shared::path;
use serde::de::DeserializeOwned;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FormData, ProgressEvent, XmlHttpRequest};

/// An image that is not there after so long is given up, in milliseconds.
const PATIENCE: u32 = 130_000;

/// What is sent.
enum Body<'a> {
    Form(&'a FormData),
    Bytes(&'a Blob),
}

/// Sends an image for a message; `progress` hears how much of it is sent, from 0 to 1.
pub async fn image(api: &Api, file: &web_sys::File, progress: impl Fn(f64) + 'static) -> Result<Uploaded, ApiError> {
    let form = FormData::new().map_err(|_| ApiError::Unreachable)?;
    form.append_with_blob_and_filename("file", file, "image").map_err(|_| ApiError::Unreachable)?;
    send(api, "POST", path::FILES, &Body::Form(&form), Rc::new(progress)).await
}

/// Sends one's own picture.
pub async fn avatar(api: &Api, picture: &Blob) -> Result<Me, ApiError> {
    send(api, "PUT", path::AVATAR, &Body::Bytes(picture), Rc::new(|_| ())).await
}

async fn send<T: DeserializeOwned>(
    api: &Api,
    method: &str,
    path: &str,
    body: &Body<'_>,
    progress: Rc<dyn Fn(f64)>,
) -> Result<T, ApiError> {
    let token = api.token().await?;
    let (status, text) = match once(method, path, body, &token, &progress).await? {
        (401, _) => once(method, path, body, &api.renew_unless_newer(&token).await?, &progress).await?,
        answer => answer,
    };
    if !(200..300).contains(&status) {
        return Err(ApiError::from_answer(status, &text));
    }
    json::read(&text).map_err(|_| ApiError::Garbled { status })
}

/// One try: the status and the text of the answer.
async fn once(
    method: &str,
    path: &str,
    body: &Body<'_>,
    token: &str,
    progress: &Rc<dyn Fn(f64)>,
) -> Result<(u16, String), ApiError> {
    let lost = |_| ApiError::Unreachable;
    let request = XmlHttpRequest::new().map_err(lost)?;
    request.open_with_async(method, path, true).map_err(lost)?;
    request.set_request_header("Authorization", &format!("Bearer {token}")).map_err(lost)?;
    request.set_request_header("Accept", "application/json").map_err(lost)?;
    let ended = Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    let progress = Rc::clone(progress);
    let on_progress = Closure::<dyn Fn(ProgressEvent)>::new(move |ev: ProgressEvent| {
        if ev.length_computable() && ev.total() > 0.0 {
            progress(ev.loaded() / ev.total());
        }
    });
    let upload = request.upload().map_err(lost)?;
    upload.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    match body {
        Body::Form(form) => request.send_with_opt_form_data(Some(form)),
        Body::Bytes(bytes) => request.send_with_opt_blob(Some(bytes)),
    }
    .map_err(lost)?;
    let in_time = select(JsFuture::from(ended), TimeoutFuture::new(PATIENCE)).await;
    request.set_onloadend(None);
    upload.set_onprogress(None);
    if matches!(in_time, Either::Right(_)) {
        let _ = request.abort();
        return Err(ApiError::Timeout);
    }
    match request.status() {
        Ok(status) if status > 0 => Ok((status, request.response_text().ok().flatten().unwrap_or_default())),
        _ => Err(ApiError::Unreachable),
    }
}
