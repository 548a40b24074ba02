//! Which pages may talk to this server from a browser.

use std::net::{IpAddr, SocketAddr};

/// The origins that browsers may come from: exactly these, letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The public URL as set; or, without one, the address that is bound, by all names that this machine has for itself.
    pub fn new(public_url: Option<&str>, bound: SocketAddr) -> Self {
        if let Some(url) = public_url {
            return Self(vec![url.to_owned()]);
        }
        let port = if bound.port() == 80 { String::new() } else { format!(":{}", bound.port()) };
        let local = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}{port}"));
        let ip = bound.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            return Self(local.into());
        }
        match ip {
            IpAddr::V4(ip) => Self(vec![format!("http://{ip}{port}")]),
            IpAddr::V6(ip) => Self(vec![format!("http://[{ip}]{port}")]),
        }
    }

    /// The first of them: what links name.
    pub fn public_url(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|own| own == origin)
    }

    /// Whether browsers come by TLS.
    pub fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }
}
