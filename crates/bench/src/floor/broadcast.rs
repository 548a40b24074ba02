//! The floor of a fan-out: a tokio server that gives the bytes of a batch to every connection, shared, in one write each.
//! It knows nobody, checks nothing and stores nothing; all that is connected is one room. It speaks as much of Natter's
//! protocol as the client of the benchmarks hears, so that both send the same bytes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::wire::dialect::BODY;
use crate::wire::frame::{self, Frame};

/// Batches that may wait for a connection before it counts as broken.
const WAITING: usize = 1_024;
const READ: usize = 64 * 1024;
const ROOM: &str = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";

type Batch = Arc<[u8]>;

struct Floor {
    everyone: Sender<Batch>,
    /// One for all connections, which live on one thread: an idle one holds none.
    buffer: RefCell<Vec<u8>>,
    /// The frame of so many messages.
    batches: RefCell<HashMap<usize, Batch>>,
}

/// Serves until the process is ended; says its port on the first line.
pub async fn serve() -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(4_096)?;
    say_port(listener.local_addr()?.port());
    serve_on(listener).await
}

/// Serves all who connect to `listener`.
pub async fn serve_on(listener: TcpListener) -> Result<()> {
    let (everyone, _) = broadcast::channel(WAITING);
    let floor = Rc::new(Floor { everyone, buffer: RefCell::new(vec![0; READ]), batches: RefCell::new(HashMap::new()) });
    loop {
        let (stream, _) = listener.accept().await?;
        let floor = Rc::clone(&floor);
        tokio::task::spawn_local(async move {
            // Whoever leaves or breaks is gone; the client finds out by itself.
            let _ = floor.serve_one(stream).await;
        });
    }
}

#[expect(clippy::print_stdout, reason = "the port is what this program was started to say")]
fn say_port(port: u16) {
    println!("the floor listens on http://127.0.0.1:{port}");
}

impl Floor {
    async fn serve_one(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut begun = Vec::new();
        while !self.upgraded(&stream, &mut begun).await? {}
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            .await?;
        let mut heard = self.everyone.subscribe();
        let mut welcome = false;
        loop {
            tokio::select! {
                batch = heard.recv() => pass_on(&mut stream, &mut heard, batch?).await?,
                readable = stream.readable() => {
                    readable?;
                    let mut said = self.said(&stream, &mut begun)?;
                    if said > 0 && !welcome {
                        // The first frame is the hello.
                        said -= 1;
                        welcome = true;
                        let mut wire = Vec::new();
                        frame::write_from_server(&mut wire, frame::TEXT, br#"{"type":"welcome"}"#);
                        stream.write_all(&wire).await?;
                    }
                    if said > 0 {
                        let _ = self.everyone.send(self.batch(said));
                        stream.write_all(&acks(said)).await?;
                    }
                }
            }
        }
    }

    /// Whether the head of the request has come to its end.
    async fn upgraded(&self, stream: &TcpStream, begun: &mut Vec<u8>) -> Result<bool> {
        stream.readable().await?;
        self.read(stream, begun)?;
        let Some(end) = memchr::memmem::find(begun, b"\r\n\r\n") else { return Ok(false) };
        begun.drain(..end + 4);
        begun.shrink_to_fit();
        Ok(true)
    }

    /// How many text frames have come. They are all the same to a floor.
    fn said(&self, stream: &TcpStream, begun: &mut Vec<u8>) -> Result<usize> {
        self.read(stream, begun)?;
        let (mut said, mut taken) = (0, 0);
        while let Some(frame) = Frame::at_start_of(&begun[taken..])? {
            match frame.opcode {
                frame::TEXT => said += 1,
                frame::CLOSE => bail!("goodbye"),
                _ => {}
            }
            // A server cannot read what is masked.
            frame.unmask(&mut begun[taken..]);
            taken += frame.end();
        }
        begun.drain(..taken);
        if begun.is_empty() {
            *begun = Vec::new();
        }
        Ok(said)
    }

    fn read(&self, stream: &TcpStream, begun: &mut Vec<u8>) -> Result<()> {
        let mut buffer = self.buffer.borrow_mut();
        match stream.try_read(&mut buffer) {
            Ok(0) => bail!("hung up"),
            Ok(read) => begun.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        ensure!(begun.len() <= frame::PAYLOAD_MAX, "too much at a time");
        Ok(())
    }

    fn batch(&self, count: usize) -> Batch {
        let mut batches = self.batches.borrow_mut();
        let batch = batches.entry(count).or_insert_with(|| {
            let mut wire = Vec::new();
            frame::write_from_server(&mut wire, frame::TEXT, &entries(count));
            wire.into()
        });
        Arc::clone(batch)
    }
}

async fn pass_on(stream: &mut TcpStream, heard: &mut Receiver<Batch>, first: Batch) -> Result<()> {
    stream.write_all(&first).await?;
    while let Ok(next) = heard.try_recv() {
        stream.write_all(&next).await?;
    }
    Ok(())
}

fn acks(count: usize) -> Vec<u8> {
    let ack =
        format!(r#"{{"type":"ack","client_id":"{ROOM}","room":"{ROOM}","seq":4711,"at":"2026-11-28T12:00:00.000Z"}}"#);
    let mut wire = Vec::new();
    for _ in 0..count {
        frame::write_from_server(&mut wire, frame::TEXT, ack.as_bytes());
    }
    wire
}

/// A frame of so many messages, as Natter sends it.
pub fn entries(count: usize) -> Vec<u8> {
    let entry = format!(
        r#"{{"room":"{ROOM}","seq":4711,"at":"2026-11-28T12:00:00.000Z","author":{{"id":"{ROOM}","username":"person0000","display_name":"person0000"}},"kind":"message","body":"{BODY}"}}"#
    );
    let entries = vec![entry; count].join(",");
    format!(r#"{{"type":"entries","room":"{ROOM}","entries":[{entries}]}}"#).into_bytes()
}
