//! Images over HTTP: received within bounds, and given out in a way in which no browser takes them for anything else.

use super::error::ApiError;
use super::extract::{Login, Path};
use super::receive::{Multipart, Raw};
use crate::service::pictures::Shown;
use crate::state::AppState;
use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use natter_shared::account::Me;
use natter_shared::error::ErrorBody;
use natter_shared::file::Uploaded;
use natter_shared::id::FileId;
use natter_shared::limits::{AVATAR_MAX_BYTES, IMAGE_MAX_BYTES};
use natter_shared::path;

/// Nothing in it runs or loads anything, wherever it is opened.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
/// Asked about at each use, because who may see it can change.
const ASK_AGAIN: &str = "private, no-cache";
/// A person's picture has a new URL when it changes.
const FOR_LONG: &str = "private, max-age=604800, immutable";

/// Send an image for a message: PNG, JPEG, GIF or WebP, at most 5 MiB. It is decoded and encoded anew.
#[utoipa::path(post, path = path::FILES, tag = "images",
    request_body(content_type = "multipart/form-data", description = "One field, `file`"), responses(
    (status = 201, description = "Name the id in `attachments` of a message within a day", body = Uploaded),
    (status = 400, description = "invalid: no image, damaged, too many pixels or frames", body = ErrorBody),
    (status = 409, description = "limit_reached: 200 MiB of one person", body = ErrorBody),
    (status = 413, description = "too_large", body = ErrorBody),
    (status = 415, description = "unsupported_media_type", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn upload(login: Login, state: Data<AppState>, file: Multipart) -> Result<HttpResponse, ApiError> {
    let uploaded = state.pictures.upload(&login.0, file.receive(IMAGE_MAX_BYTES)).await?;
    Ok(HttpResponse::Created().json(uploaded))
}

/// An image. For whom the message is that it was sent with, and its owner.
#[utoipa::path(get, path = path::FILE, tag = "images", params(("file" = FileId, Path)), responses(
    (status = 200, description = "The image", content_type = "image/*"),
    (status = 304, description = "The one that is there is still good"),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn show(
    req: HttpRequest,
    login: Login,
    state: Data<AppState>,
    file: Path<FileId>,
) -> Result<HttpResponse, ApiError> {
    Ok(answer(&req, file.0, state.pictures.show(&login.0, file.0, false).await?))
}

/// The same image for a timeline: at most 720 pixels to a side.
#[utoipa::path(get, path = path::FILE_PREVIEW, tag = "images", params(("file" = FileId, Path)), responses(
    (status = 200, description = "The image", content_type = "image/*"),
    (status = 304, description = "The one that is there is still good"),
    (status = 404, description = "not_found", body = ErrorBody),
))]
pub async fn show_preview(
    req: HttpRequest,
    login: Login,
    state: Data<AppState>,
    file: Path<FileId>,
) -> Result<HttpResponse, ApiError> {
    Ok(answer(&req, file.0, state.pictures.show(&login.0, file.0, true).await?))
}

/// Set one's own picture: the bytes of an image as the body, at most 2 MiB. Its middle is kept, 256 pixels square.
#[utoipa::path(put, path = path::AVATAR, tag = "images",
    request_body(content_type = "image/*", description = "The image"), responses(
    (status = 200, description = "The profile with the new picture", body = Me),
    (status = 400, description = "invalid", body = ErrorBody),
    (status = 403, description = "forbidden: guests", body = ErrorBody),
    (status = 413, description = "too_large", body = ErrorBody),
    (status = 429, description = "rate_limited", body = ErrorBody),
    (status = 503, description = "retry", body = ErrorBody),
))]
pub async fn set_avatar(login: Login, state: Data<AppState>, body: Raw) -> Result<Json<Me>, ApiError> {
    Ok(Json(state.pictures.set_avatar(&login.0, body.receive(AVATAR_MAX_BYTES)).await?))
}

/// Have the drawn picture again.
#[utoipa::path(delete, path = path::AVATAR, tag = "images", responses(
    (status = 200, description = "The profile without a picture", body = Me),
    (status = 429, description = "rate_limited", body = ErrorBody),
))]
pub async fn drop_avatar(login: Login, state: Data<AppState>) -> Result<Json<Me>, ApiError> {
    Ok(Json(state.pictures.drop_avatar(&login.0).await?))
}

fn answer(req: &HttpRequest, id: FileId, Shown { kind, open, opened }: Shown) -> HttpResponse {
    // The bytes of an id never change.
    let tag = header::EntityTag::new_strong(id.to_string());
    let known = req.headers().get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let known = known.is_some_and(|tags| tags.split(',').any(|one| one.trim() == format!("\"{id}\"")));
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, if open { FOR_LONG } else { ASK_AGAIN }))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CONTENT_DISPOSITION, "inline"));
    if known {
        return answer.finish();
    }
    answer.content_type(kind.content_type()).body(SizedStream::new(opened.size, opened.bytes))
}
