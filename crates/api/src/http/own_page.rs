//! Calls that a browser's cookie could make on its own (refresh, logout), and those that would sign somebody in (login,
//! register), are answered to this server's own page only. Programs that are no browsers send neither header and pass.

use super::error::ApiError;
use crate::config::Origins;
use crate::service::events::Note;
use crate::state::AppState;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use natter_shared::error::ErrorCode;
use natter_shared::event::EventKind;
use std::future::{Ready, ready};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The request does not come from another site's page. Takes the first place in a handler's arguments.
pub struct OwnPage;

impl FromRequest for OwnPage {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = req.app_data::<web::Data<AppState>>() else {
            return ready(Err(ApiError::internal("no state in this app")));
        };
        if is_own(req.headers(), &state.origins) {
            return ready(Ok(Self));
        }
        state.events.note(Note::of(EventKind::ForeignOriginRefused).saying(req.path().to_owned()));
        ready(Err(ApiError::new(ErrorCode::BadOrigin, "This call is for this server's own page")))
    }
}

/// Whether no header says that the page is a foreign one. Several `Origin` headers are no browser's, and refused.
pub fn is_own(headers: &HeaderMap, origins: &Origins) -> bool {
    let mut sent = headers.get_all(header::ORIGIN);
    let origin_ok = sent.next().is_none_or(|origin| origin.to_str().is_ok_and(|origin| origins.allows(origin)));
    let sites = headers.get_all(SEC_FETCH_SITE);
    origin_ok
        && sent.next().is_none()
        && sites.into_iter().all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use std::net::SocketAddr;

    #[test]
    fn foreign_pages_are_told_from_the_own_one() {
        let origins = Origins::new(Some("https://chat.example"), SocketAddr::from(([127, 0, 0, 1], 8080)));
        let own = "https://chat.example";
        for (headers, accepted) in [
            (&[][..], true),
            (&[("origin", own)], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("origin", own), ("sec-fetch-site", "same-origin")], true),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("origin", "http://chat.example")], false),
            (&[("origin", "https://chat.example:8443")], false),
            (&[("origin", "https://chat.example.evil.example")], false),
            (&[("origin", "https://evilchat.example")], false),
            (&[("origin", "https://CHAT.example")], false),
            (&[("origin", "https://chat.example.")], false),
            (&[("origin", own), ("origin", "https://evil.example")], false),
            (&[("origin", own), ("origin", own)], false),
            (&[("origin", own), ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
        ] {
            let mut request = TestRequest::default();
            for header in headers {
                request = request.append_header(*header);
            }
            assert_eq!(is_own(request.to_http_request().headers(), &origins), accepted, "{headers:?}");
        }
    }
}
