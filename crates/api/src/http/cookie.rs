//! The one cookie: the refresh token. Written and read here and nowhere else.

use actix_web::HttpRequest;
use actix_web::http::header;

/// Under TLS the name binds the cookie to this host, this path and TLS: no neighbour can set it.
const BOUND: &str = "__Host-natter";
const PLAIN: &str = "natter";

const fn name(https: bool) -> &'static str {
    if https { BOUND } else { PLAIN }
}

/// The value of `Set-Cookie` that keeps a refresh token until its login ends. `https`: browsers come by TLS.
pub fn keep(refresh_token: &str, max_age_s: u64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={refresh_token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}", name(https))
}

/// The value of `Set-Cookie` that removes it.
pub fn drop(https: bool) -> String {
    keep("", 0, https)
}

/// The refresh token that came along, if any.
pub fn refresh_token(req: &HttpRequest, https: bool) -> Option<&str> {
    let name = name(https);
    let headers = req.headers().get_all(header::COOKIE);
    let mut pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(req: &HttpRequest, https: bool) -> &str {
        refresh_token(req, https).unwrap_or("nothing")
    }

    #[test]
    fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
        assert_eq!(keep("abc", 86_400, false), "natter=abc; Path=/; Max-Age=86400; HttpOnly; SameSite=Strict");
        assert_eq!(keep("abc", 60, true), "__Host-natter=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(drop(true), "__Host-natter=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let req = TestRequest::default();
        let req = req.append_header(("cookie", "a=b; natter=one=1;x")).append_header(("cookie", "__Host-natter=two"));
        let req = req.to_http_request();
        assert_eq!((read(&req, false), read(&req, true)), ("one=1", "two"));
        for other in ["", "natter", "natter=", "Natter=x", "xnatter=x", "natterx=x", "__Host-natter=x"] {
            let req = TestRequest::default().append_header(("cookie", other)).to_http_request();
            assert_eq!(read(&req, false), "nothing", "{other}");
        }
    }
}
