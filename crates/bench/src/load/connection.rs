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
            let mut speak = false;
            self.receive(buffer, |opcode, text| {
                ensure!(opcode != frame::CLOSE, "closed with {}", close_code(text));
                match dialect.greet(text)? {
                    Greeting::Speak => speak = true,
                    Greeting::Welcome => welcome = true,
                    Greeting::Aside => {}
                }
                Ok(())
            })
            .await?;
            if speak {
                self.say(&person.hello).await?;
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

    /// Waits for bytes, and hands over each frame that is whole by then. Dropping the future loses nothing.
    pub async fn receive(&mut self, buffer: &Buffer, mut each: impl FnMut(u8, &[u8]) -> Result<()>) -> Result<()> {
        std::future::poll_fn(|cx| {
            let mut buffer = buffer.0.borrow_mut();
            let begun = self.begun.len();
            let mut read = ReadBuf::new(&mut buffer[begun..]);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)).context("the connection broke")?;
            let fresh = read.filled().len();
            ensure_open(fresh)?;
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
