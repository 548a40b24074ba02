//! Seqs that Redis counts: the planted bug `seq-from-redis`. A room's count begins where its log stood when this process
//! first met the room, and is gone with Redis' memory. Redis is spoken to by hand, for the driver is the bus' alone.

use crate::store::{Appended, StoreError, Stored};
use natter_shared::id::{RoomId, Seq};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long Redis may take to count a batch.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Counter {
    /// Host and port.
    address: String,
    /// The rooms whose count this process has begun.
    begun: Mutex<HashSet<RoomId>>,
}

impl Counter {
    /// In the Redis of the setting `NATTER_REDIS`; `None` without one.
    pub fn of_the_setting() -> Option<Self> {
        let setting = std::env::var("NATTER_REDIS").ok()?;
        let address = setting.strip_prefix("redis://")?.split('/').next()?.to_owned();
        Some(Self { address, begun: Mutex::default() })
    }

    /// Gives each new entry the next number that Redis has for its room.
    pub async fn number(&self, appended: &mut [Appended]) -> Stored<()> {
        let mut entries: Vec<_> = appended
            .iter_mut()
            .filter_map(|outcome| match outcome {
                Appended::New(entry) => Some(entry),
                Appended::Again(_) | Appended::Refused(_) => None,
            })
            .collect();
        let mut commands = String::new();
        for entry in &entries {
            let key = format!("natter:planted:seq:{}", entry.room);
            if self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.room) {
                let _ = write!(commands, "SET {key} {} NX\r\n", entry.seq.back(1));
            }
            let _ = write!(commands, "INCR {key}\r\n");
        }
        let counted = timeout(PATIENCE, self.ask(&commands)).await;
        let counted = counted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let seqs = counted.map_err(|error| StoreError::Unknown(format!("planted: Redis does not count: {error}")))?;
        for (entry, seq) in entries.iter_mut().zip(seqs) {
            entry.seq = seq;
        }
        Ok(())
    }

    /// The numbers among the answers to these commands. Each has an answer of one line.
    async fn ask(&self, commands: &str) -> io::Result<Vec<Seq>> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.write_all(commands.as_bytes()).await?;
        let mut answers = BufReader::new(stream).lines();
        let mut seqs = Vec::new();
        for _ in commands.lines() {
            let answer = answers.next_line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            seqs.extend(answer.strip_prefix(':').and_then(|number| Seq::new(number.parse().ok()?)));
        }
        Ok(seqs)
    }
}
