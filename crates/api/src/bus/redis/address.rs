//! Where Redis is, as the setting says it. A password in it is never shown again.

use redis::{ConnectionInfo, IntoConnectionInfo};
use std::fmt;

/// What [`Address::parse`] accepts, for the sentence that refuses something else.
pub const ACCEPTS: &str = "redis://host:port or redis://name:password@host:port/number, rediss:// in place of redis:// \
                           for TLS, or redis+cluster://name:password@host:port,host:port (rediss+cluster:// for TLS)";

/// One server with its database, or some nodes of a cluster.
#[derive(Clone)]
pub struct Address {
    pub(super) nodes: Vec<ConnectionInfo>,
    pub(super) cluster: bool,
    pub(super) database: u16,
}

impl Address {
    /// Reads what [`ACCEPTS`] describes; `None` is everything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (scheme, cluster) = match scheme {
            "redis" | "rediss" => (scheme, false),
            "redis+cluster" => ("redis", true),
            "rediss+cluster" => ("rediss", true),
            _ => return None,
        };
        // Options of the driver are none of ours, among them the one that believes any certificate.
        if rest.contains(['?', '#', ' ']) {
            return None;
        }
        let (credentials, rest) = rest.rsplit_once('@').map_or(("", rest), |at| at);
        let (hosts, database) = rest.split_once('/').map_or((rest, ""), |at| at);
        let database: u16 = if database.is_empty() { 0 } else { database.parse().ok()? };
        if cluster && database != 0 {
            return None;
        }
        let hosts: Vec<&str> = hosts.split(',').collect();
        if hosts.len() > 1 && !cluster {
            return None;
        }
        let at = if credentials.is_empty() { "" } else { "@" };
        let node = |host: &&str| {
            let url = format!("{scheme}://{credentials}{at}{host}/{database}?protocol=resp3");
            (!host.is_empty()).then(|| url.into_connection_info().ok()).flatten()
        };
        let nodes = hosts.iter().map(node).collect::<Option<Vec<_>>>()?;
        Some(Self { nodes, cluster, database })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.nodes.iter().map(|node| node.addr().to_string()).collect();
        f.write_str(&hosts.join(","))?;
        if self.cluster { f.write_str(" (cluster)") } else { write!(f, "/{}", self.database) }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_server_or_a_cluster() {
        for (text, shown) in [
            ("redis://127.0.0.1", "127.0.0.1:6379/0"),
            ("redis://ann:hunter22@cache.example:7000/3", "cache.example:7000/3"),
            ("rediss://:p%40ss@cache.example:7000", "cache.example:7000/0"),
            ("redis+cluster://a:1,b:2", "a:1,b:2 (cluster)"),
            ("rediss+cluster://ann:hunter22@a:1,b:2,c:3", "a:1,b:2,c:3 (cluster)"),
        ] {
            let address = Address::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("hunter22"));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "127.0.0.1:6379",
            "http://127.0.0.1",
            "redis://",
            "redis://a:1,b:2",
            "redis://a:notaport",
            "redis://a/first",
            "redis://a/70000",
            "redis+cluster://a:1,b:2/1",
            "redis+cluster://a:1,,b:2",
            "rediss://a#insecure",
            "redis://a?protocol=2",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }
}
