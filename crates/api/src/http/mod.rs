//! The HTTP side: the whole route table, and beside it one file a noun with handlers of a few lines.

pub mod accounts;
pub mod admin;
pub mod auth;
pub mod caddy;
mod cookie;
pub mod error;
pub mod extract;
pub mod files;
pub mod headers;
pub mod health;
pub mod hooks;
pub mod integrations;
pub mod messages;
pub mod metrics;
pub mod openapi;
mod own_page;
pub mod pace;
pub mod page;
mod receive;
pub mod rooms;
pub mod server;
mod unread;

use crate::realtime::{sse, ws};
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};
use error::ApiError;
use natter_shared::error::ErrorCode;
use natter_shared::path;

/// The one list of routes. It makes the router, the answer to a wrong method, and the document of `openapi.rs`.
macro_rules! routes {
    ($($path:path => { $($method:ident: $module:ident::$handler:ident),+ $(,)? })+) => {
        /// Every route: its method in lower case, and the template of its path.
        pub const ROUTES: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];

        fn resources(config: &mut ServiceConfig) {
            $(config.service(
                web::resource($path)
                    $(.route(web::$method().to($module::$handler)))+
                    .default_service(web::to(|| std::future::ready(wrong_method(&[$(stringify!($method)),+])))),
            );)+
        }

        /// The handlers as `openapi.rs` documents them.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($module::$handler),+),+))]
        struct Documented;
    };
}

routes! {
    path::REGISTER => { post: auth::register }
    path::CHECK => { post: accounts::check }
    path::GUEST => { post: auth::guest }
    path::LOGIN => { post: auth::login }
    path::REFRESH => { post: auth::refresh }
    path::LOGOUT => { post: auth::logout }
    path::SESSIONS => { get: auth::sessions, delete: auth::revoke_others }
    path::SESSION => { delete: auth::revoke }
    path::PASSWORD => { post: auth::password }
    path::ME => { get: accounts::me, patch: accounts::update, delete: accounts::delete }
    path::AVATAR => { put: files::set_avatar, delete: files::drop_avatar }
    path::KEEP => { post: accounts::keep }
    path::MY_ROOMS => { get: rooms::mine }
    path::USERS => { get: accounts::search }
    path::USER => { get: accounts::profile }
    path::ROOMS => { post: rooms::create, get: rooms::directory }
    path::JOIN_BY_CODE => { post: rooms::join_by_code }
    path::ROOM => { get: rooms::get, patch: rooms::change }
    path::JOIN => { post: rooms::join }
    path::LEAVE => { post: rooms::leave }
    path::CODE => { get: rooms::code, post: rooms::renew_code, delete: rooms::drop_code }
    path::MEMBERS => { get: rooms::members }
    path::MEMBER => { put: rooms::set_role, delete: rooms::remove }
    path::BANS => { get: rooms::bans }
    path::BAN => { delete: rooms::unban }
    path::INTEGRATIONS => { get: integrations::list, post: integrations::make }
    path::INTEGRATION => { post: integrations::renew, delete: integrations::revoke }
    path::HOOK => { post: hooks::post }
    path::DM => { put: rooms::direct }
    path::MESSAGES => { post: messages::send, get: messages::page }
    path::MESSAGE => { patch: messages::edit, delete: messages::delete }
    path::REACTION => { put: messages::react, delete: messages::unreact }
    path::PIN => { put: messages::pin, delete: messages::unpin }
    path::PINS => { get: messages::pins }
    path::ENTRIES => { get: messages::entries }
    path::READ => { put: rooms::read }
    path::FILES => { post: files::upload }
    path::FILE => { get: files::show }
    path::FILE_PREVIEW => { get: files::show_preview }
    path::NOTIFY => { put: rooms::notify }
    path::SEARCH => { get: messages::search }
    path::ADMIN_EVENTS => { get: admin::events }
    path::ADMIN_FIGURES => { get: admin::figures }
    path::ADMIN_OPERATIONS => { get: admin::operations }
    path::ADMIN_USERS => { get: admin::users }
    path::ADMIN_USER => { patch: admin::change }
    path::ADMIN_SIGN_OUT => { post: admin::sign_out }
    path::ADMIN_ROOMS => { get: admin::rooms }
    path::EVENTS => { get: sse::events }
    path::WEBSOCKET => { get: ws::connect }
    path::OPENAPI => { get: openapi::document }
    path::LIVE => { get: health::live }
    path::READY => { get: health::ready }
}

/// Puts all routes, and the page for everything else, into an app.
pub fn configure(config: &mut ServiceConfig) {
    resources(config);
    config.default_service(web::to(page::serve));
}

/// The answer to a method that a path does not have.
fn wrong_method(methods: &[&str]) -> HttpResponse {
    let allow = methods.join(", ").to_ascii_uppercase();
    let error = ApiError::new(ErrorCode::MethodNotAllowed, format!("This path takes {allow}"));
    let mut response = HttpResponse::from_error(error);
    if let Ok(allow) = header::HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The status of an error, for those that only have its code.
pub fn status(error: &ApiError) -> u16 {
    error.status_code().as_u16()
}
