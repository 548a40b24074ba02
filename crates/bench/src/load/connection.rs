//! One connection of the client: how it is opened, and how frames are taken off it without copying them. Every
//! connection reads into one buffer, for they all live on one thread.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::ready;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::plan;
use crate::wire::dialect::{Dialect, Greeting};
use crate::wire::frame::{self, Frame};

/// Room for a frame of the largest kind that is still incomplete, and for a good read after it.
const BUFFER: usize = 2 * frame::PAYLOAD_MAX;
/// The head of the answer to an upgrade.
const HEAD_MAX: usize = 8 * 1024;

/// Who connects.
#[derive(Debug, Clone)]
pub struct Person {
    /// What signs them in, a text frame.
    pub hello: Rc<str>,
    /// The room they speak in, as the server names it.
    pub room: Rc<str>,
    /// The same room as a number: people of one number hear each other.
    pub group: usize,
}

/// What every connection reads into.
#[derive(Clone)]
pub struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Buffer {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0; BUFFER])))
    }
}

pub struct Connection {
    pub stream: TcpStream,
    /// The start of a frame whose rest has not come.
    begun: Vec<u8>,
}

impl Connection {
    /// Connects, upgrades to WebSocket and signs in; bounded in time.
    pub async fn open(address: SocketAddr, dialect: Dialect, person: &Person, buffer: &Buffer) -> Result<Self> {
        let opening = async {
            let mut connection = Self::upgrade(address, dialect.path()).await?;
            if dialect.client_opens() {
                connection.say(&person.hello).await?;
            }
            connection.sign_in(dialect, person, buffer).await?;
            Ok(connection)
        };
        match tokio::time::timeout(plan::SIGN_IN, opening).await {
            Ok(opened) => opened,
            Err(_) => bail!("not signed in after {} seconds", plan::SIGN_IN.as_secs()),
        }
    }

    async fn upgrade(address: SocketAddr, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        // The key is the one of RFC 6455's own example; whether the answer fits it is not what is measured.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::with_capacity(512);
        let end = loop {
            ensure!(stream.read_buf(&mut head).await? > 0, "hung up on an upgrade");
            if let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(head.len() < HEAD_MAX, "a head without an end");
        };
        let status = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
        ensure!(status.contains(" 101"), "no upgrade: {status}");
        let begun = if end == head.len() { Vec::new() } else { head.split_off(end) };
        Ok(Self { stream, begun })
    }

    async fn sign_in(&mut self, dialect: Dialect, person: &Person, buffer: &Buffer) -> Result<()> {
        let mut welcome = false;
        while !welcome {
            let mut answers = Vec::new();
            self.receive(buffer, |opcode, text| {
                ensure!(opcode != frame::CLOSE, "closed with {}", close_code(text));
                if opcode == frame::PING {
                    frame::write_from_client(&mut answers, frame::PONG, text);
                    return Ok(());
                }
                match dialect.greet(text)? {
                    Greeting::Speak => frame::write_from_client(&mut answers, frame::TEXT, person.hello.as_bytes()),
                    Greeting::Ping(answer) => frame::write_from_client(&mut answers, frame::TEXT, answer.as_bytes()),
                    Greeting::Welcome => welcome = true,
                    Greeting::Aside => {}
                }
                Ok(())
            })
            .await?;
            if !answers.is_empty() {
                self.stream.write_all(&answers).await.context("hung up")?;
            }
        }
        // An idle connection holds nothing.
        self.begun.shrink_to_fit();
        Ok(())
    }

    /// Sends one text frame.
    async fn say(&mut self, text: &str) -> Result<()> {
        let mut wire = Vec::with_capacity(text.len() + 14);
        frame::write_from_client(&mut wire, frame::TEXT, text.as_bytes());
        self.stream.write_all(&wire).await.context("hung up")
    }

    /// Waits for bytes, and hands over each frame that is whole by then. Dropping the future loses nothing. A server that
    /// speaks first may have sent frames right behind its answer to the upgrade: those need no waiting.
    pub async fn receive(&mut self, buffer: &Buffer, mut each: impl FnMut(u8, &[u8]) -> Result<()>) -> Result<()> {
        std::future::poll_fn(|cx| {
            let mut buffer = buffer.0.borrow_mut();
            let begun = self.begun.len();
            let mut fresh = 0;
            if Frame::at_start_of(&self.begun)?.is_none() {
                let mut read = ReadBuf::new(&mut buffer[begun..]);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)).context("the connection broke")?;
                fresh = read.filled().len();
                ensure_open(fresh)?;
            }
            buffer[..begun].copy_from_slice(&self.begun);
            let bytes = &buffer[..begun + fresh];
            let mut taken = 0;
            while let Some(frame) = Frame::at_start_of(&bytes[taken..])? {
                each(frame.opcode, frame.payload(&bytes[taken..]))?;
                taken += frame.end();
            }
            self.begun.clear();
            self.begun.extend_from_slice(&bytes[taken..]);
            std::task::Poll::Ready(Ok(()))
        })
        .await
    }
}

fn ensure_open(fresh: usize) -> Result<()> {
    ensure!(fresh > 0, "the server hung up");
    Ok(())
}

/// The number in a close frame; 1005 if there is none (RFC 6455, 7.1.5).
pub fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    /// A server that speaks first, in as many writes as are given, and says what it was told.
    async fn speaks_first(listener: TcpListener, writes: Vec<Vec<u8>>) -> Vec<u8> {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.unwrap();
        }
        for write in writes {
            stream.write_all(&write).await.unwrap();
            // One segment each, as far as a stream allows.
            tokio::task::yield_now().await;
        }
        let mut told = Vec::new();
        while Frame::at_start_of(&told).unwrap().is_none() {
            stream.read_buf(&mut told).await.unwrap();
        }
        let mut welcome = Vec::new();
        frame::write_from_server(&mut welcome, frame::TEXT, br#"40{"sid":"x"}"#);
        stream.write_all(&welcome).await.unwrap();
        let frame = Frame::at_start_of(&told).unwrap().unwrap();
        frame.unmask(&mut told).to_vec()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_comes_with_the_upgrade_is_heard_wherever_it_is_cut() {
        let mut wire = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        let head = wire.len();
        frame::write_from_server(&mut wire, frame::TEXT, br#"0{"sid":"x"}"#);
        for cut in [1, head - 1, head, head + 1, head + 5, wire.len()] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let (first, rest) = wire.split_at(cut);
            let person = Person { hello: r#"40{"user":1}"#.into(), room: "r".into(), group: 0 };
            let buffer = Buffer::new();
            let opening = Connection::open(address, Dialect::SocketIo, &person, &buffer);
            let (opened, told) = tokio::join!(opening, speaks_first(listener, vec![first.to_vec(), rest.to_vec()]));
            opened.unwrap();
            assert_eq!(told, person.hello.as_bytes());
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_refused_upgrade_is_an_error_with_its_status() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let refuses = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 429 Too Many Requests\r\n\r\n").await.unwrap();
            stream
        };
        let person = Person { hello: "".into(), room: "r".into(), group: 0 };
        let buffer = Buffer::new();
        let (opened, _stream) = tokio::join!(Connection::open(address, Dialect::Natter, &person, &buffer), refuses);
        assert!(opened.err().unwrap().to_string().contains("429"));
    }
}
