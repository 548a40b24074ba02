//! Sockets by hand, for peers that do not keep to the rules: frames of any form, and ears that do not listen.

use anyhow::{Context, Result, ensure};
use natter_shared::path;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

const STEP: Duration = Duration::from_mins(1);
/// The head of an answer is no longer.
const HEAD_MAX: usize = 16 * 1024;

/// How a peer's connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A close frame with this code.
    Closed(u16),
    /// The end of the stream, or a reset, without a close frame.
    Cut,
    /// Not at all, in the time that was given.
    Open,
}

impl Ending {
    pub fn code(self) -> Option<u16> {
        match self {
            Self::Closed(code) => Some(code),
            Self::Cut | Self::Open => None,
        }
    }
}

/// A TCP connection, on request with a small receive buffer, so that an ear that does not listen is felt early.
pub async fn line(address: SocketAddr, receive_buffer: Option<u32>) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4().context("no socket")?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes).context("no socket")?;
    }
    timeout(STEP, socket.connect(address)).await.context("no connection")?.context("no connection")
}

/// A WebSocket that was let in and has said nothing yet.
pub async fn upgrade(address: SocketAddr, receive_buffer: Option<u32>) -> Result<TcpStream> {
    let mut stream = line(address, receive_buffer).await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        path::WEBSOCKET
    );
    stream.write_all(request.as_bytes()).await.context("the handshake cannot be sent")?;
    let status = timeout(STEP, status(&mut stream)).await.context("no answer to the handshake")??;
    ensure!(status == 101, "the handshake was answered with {status}");
    Ok(stream)
}

/// Reads an answer's head and returns its status.
pub async fn status(stream: &mut TcpStream) -> Result<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_MAX, "an answer without an end");
        head.push(stream.read_u8().await.context("the answer was cut")?);
    }
    let head = String::from_utf8_lossy(&head);
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")
}

/// A frame: the first byte as it is (FIN, RSV and opcode), masked or not, with the length that is claimed.
pub fn frame(first: u8, masked: bool, claimed: u64, payload: &[u8]) -> Vec<u8> {
    let mask_bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match claimed {
        0..126 => bytes.push(mask_bit | u8::try_from(claimed).unwrap_or(0)),
        126..0x1_0000 => {
            bytes.push(mask_bit | 0x7E);
            bytes.extend(u16::try_from(claimed).unwrap_or(0).to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 0x7F);
            bytes.extend(claimed.to_be_bytes());
        }
    }
    if masked {
        // The mask of zeros is a mask.
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}

/// A well-formed frame.
pub fn good_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, true, u64::try_from(payload.len()).unwrap_or(0), payload)
}

pub fn text(text: &str) -> Vec<u8> {
    good_frame(0x81, text.as_bytes())
}

pub fn hello(token: &str) -> Vec<u8> {
    text(&json!({"type": "hello", "token": token}).to_string())
}

/// Reads, and forgets, what comes until the connection ends or the time is over.
pub async fn ending(stream: &mut TcpStream, limit: Duration) -> Ending {
    let end = Instant::now() + limit;
    loop {
        match tokio::time::timeout_at(end, server_frame(stream)).await {
            Err(_) => return Ending::Open,
            Ok(None) => return Ending::Cut,
            Ok(Some((0x8, payload))) => {
                let code = payload.first_chunk::<2>().map_or(1005, |code| u16::from_be_bytes(*code));
                return Ending::Closed(code);
            }
            Ok(Some(_)) => {}
        }
    }
}

/// The opcode and payload of the next frame of a server, which never masks.
pub async fn server_frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let opcode = stream.read_u8().await.ok()? & 0x0F;
    let length = match stream.read_u8().await.ok()? & 0x7F {
        126 => usize::from(stream.read_u16().await.ok()?),
        127 => usize::try_from(stream.read_u64().await.ok()?).ok()?,
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.ok()?;
    Some((opcode, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_form_of_rfc_6455() {
        // The examples of its section 5.7, with a mask of zeros.
        assert_eq!(good_frame(0x81, b"Hello"), b"\x81\x85\0\0\0\0Hello");
        assert_eq!(frame(0x81, false, 5, b"Hello"), b"\x81\x05Hello");
        assert_eq!(frame(0x82, false, 256, b"")[..4], [0x82, 0x7E, 0x01, 0x00]);
        assert_eq!(frame(0x82, false, 65_536, b""), [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
