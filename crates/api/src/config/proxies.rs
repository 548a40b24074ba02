//! Which peers may say on whose behalf they ask. A header that names a client's address counts only from these.

use std::net::{IpAddr, SocketAddr};

/// Addresses and ranges of proxies, from `NATTER_TRUSTED_PROXIES`; empty: nobody is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Range>);

/// The addresses that share the first `bits` bits with `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u128,
    bits: u8,
}

/// IPv4 as IPv6 writes it (`::ffff:a.b.c.d`), so that one comparison does for both.
fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_ipv6_mapped()),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let own = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(own);
        (length <= own).then(|| Self { start: number(address), bits: 128 - own + length })
    }

    fn contains(self, ip: IpAddr) -> bool {
        let differing = number(ip) ^ self.start;
        self.bits == 0 || differing >> (128 - u32::from(self.bits)) == 0
    }
}

impl TrustedProxies {
    /// Reads addresses and ranges (`10.0.0.0/8`) between commas.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(Range::parse)
            .collect::<Option<_>>()
            .map(Self)
    }

    fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(ip))
    }

    /// Whether what this peer says about a request is believed.
    pub fn trusts(&self, peer: Option<SocketAddr>) -> bool {
        peer.is_some_and(|peer| self.contains(peer.ip()))
    }

    /// The address of whoever asks: the peer, or, from a trusted one, the last address in `X-Forwarded-For` that is not
    /// itself a trusted proxy. What stands further left was written by strangers.
    pub fn client_ip<'a>(
        &self,
        peer: Option<SocketAddr>,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        // A listener that knows no peer address (none that this server opens) counts as one single client.
        let mut client = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip().to_canonical());
        for hop in forwarded.rev().flat_map(|value| value.rsplit(',')) {
            if !self.contains(client) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(ip) => client = ip.to_canonical(),
                Err(_) => break,
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &str, peer: &str, forwarded: &[&str]) -> String {
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        TrustedProxies::parse(proxies).unwrap().client_ip(Some(peer), forwarded.iter().copied()).to_string()
    }

    #[test]
    fn a_header_from_a_stranger_says_nothing() {
        assert_eq!(client("", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn a_proxy_is_believed_only_about_its_own_peer() {
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["1.1.1.1", "198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["1.1.1.1, nonsense"]), "10.1.2.3");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &[]), "10.1.2.3");
        assert_eq!(client("::1,fd00::/8", "fd12::7", &["2001:db8::5"]), "2001:db8::5");
        assert_eq!(client("127.0.0.1", "::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn ranges_are_read_strictly() {
        for bad in ["10.0.0.0/33", "10.0.0", "::1/129", "proxy", "10.0.0.0/-1", "10.0.0.0/"] {
            assert_eq!(TrustedProxies::parse(bad), None, "{bad}");
        }
        assert_eq!(
            TrustedProxies::parse("0.0.0.0/0").unwrap().client_ip(None, ["9.9.9.9"].into_iter()).to_string(),
            "9.9.9.9"
        );
    }
}
