//! `natter healthcheck`: whether the server that these settings start can do its work, for whatever supervises it. It asks
//! as anybody else would, so it also sees a server that lives and answers nothing.

use crate::config::Config;
use natter_shared::path;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A server on this machine that has not answered after so long is not well. It asks its own store for up to three seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than the answer has.
const ANSWER_MAX: u64 = 8 * 1_024;

/// Why the server does not count as healthy, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    #[error("nothing answers at {0}: {1}")]
    NoAnswer(SocketAddr, io::Error),
    #[error("the server at {0} is not ready: {1}")]
    NotReady(SocketAddr, String),
}

/// Asks the server that listens where the settings say. Returns what it said.
pub fn healthcheck(config: &Config) -> Result<String, Unhealthy> {
    let address = from_inside(config.listen);
    let answer = ask(address).map_err(|why| Unhealthy::NoAnswer(address, why))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(format!("{body}\n")),
        _ => Err(Unhealthy::NotReady(address, if body.is_empty() { head } else { body }.to_owned())),
    }
}

/// What listens on every address is asked on this machine's own.
const fn from_inside(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = format!("GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", path::READY);
    stream.write_all(question.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:80", "[::1]:80"), ("10.0.0.7:80", "10.0.0.7:80")]
        {
            assert_eq!(from_inside(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
