//! A connection to one server or to a cluster, as one thing. Connecting and every answer have a deadline, and every command
//! that goes this way is timed.

use super::address::Address;
use crate::metrics;
use futures_util::future::try_join_all;
use redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{Arg, AsyncConnectionConfig, Client, Cmd, Pipeline, ProtocolVersion, RedisFuture, RedisResult, Value};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const CONNECT_TIME: Duration = Duration::from_secs(1);
const ANSWER_TIME: Duration = Duration::from_millis(500);
/// Finding the other nodes of a cluster takes some questions more, and so does a name that must be looked up.
const CONNECT_TIME_IN_ALL: Duration = Duration::from_secs(2);
/// Commands that may wait to be written to a connection.
const PIPELINE_MAX: usize = 1_024;

/// Clones share one connection; the last one that is dropped closes it.
#[derive(Clone)]
pub struct Wire {
    line: Line,
    numbers: metrics::Redis,
}

#[derive(Clone)]
enum Line {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    async fn connect(to: &Address, ear: Option<impl AsyncPushSender>) -> RedisResult<Self> {
        if to.cluster {
            let mut builder = ClusterClientBuilder::new(to.nodes.iter().cloned())
                .use_protocol(ProtocolVersion::RESP3)
                .connection_timeout(CONNECT_TIME)
                .response_timeout(ANSWER_TIME)
                .overall_response_timeout(Some(ANSWER_TIME * 2))
                .retries(1);
            if let Some(ear) = ear {
                builder = builder.push_sender(ear);
            }
            return Ok(Self::Cluster(builder.build()?.get_async_connection().await?));
        }
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME))
            .set_response_timeout(Some(ANSWER_TIME))
            .set_pipeline_buffer_size(PIPELINE_MAX);
        if let Some(ear) = ear {
            config = config.set_push_sender(ear);
        }
        let client = Client::open(to.nodes[0].clone())?;
        Ok(Self::One(client.get_multiplexed_async_connection_with_config(&config).await?))
    }
}

impl Wire {
    /// Connects for commands.
    pub async fn open(to: &Address, numbers: &metrics::Redis) -> RedisResult<Self> {
        let line = within(CONNECT_TIME_IN_ALL, Line::connect(to, None::<Nowhere>)).await?;
        Ok(Self { line, numbers: numbers.clone() })
    }

    /// Connects for listening: what is published, and the end of a connection, is handed to `ear`.
    pub async fn open_listening(
        to: &Address,
        numbers: &metrics::Redis,
        ear: impl AsyncPushSender,
    ) -> RedisResult<Self> {
        let line = within(CONNECT_TIME_IN_ALL, Line::connect(to, Some(ear))).await?;
        Ok(Self { line, numbers: numbers.clone() })
    }

    pub const fn is_cluster(&self) -> bool {
        matches!(self.line, Line::Cluster(_))
    }

    /// Whether the server (of a cluster: every one that holds keys) answers.
    pub async fn ping(&mut self) -> RedisResult<()> {
        let ping = redis::cmd("PING");
        within(ANSWER_TIME * 2, async { ping.exec_async(self).await }).await
    }

    /// Sends commands of one key each and returns their answers in order: to one server in one write, to a cluster side by
    /// side, for there they belong to different servers.
    pub async fn each(&self, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
        let answers = async {
            let mut wire = self.clone();
            match &self.line {
                Line::One(_) => {
                    let mut pipe = redis::pipe();
                    for command in commands {
                        pipe.add_command(command.clone());
                    }
                    pipe.query_async(&mut wire).await
                }
                Line::Cluster(_) => {
                    let one = async |command: &Cmd| command.query_async(&mut self.clone()).await;
                    try_join_all(commands.iter().map(one)).await
                }
            }
        };
        within(ANSWER_TIME * 2, answers).await
    }

    /// Listens to these channels from now on.
    pub async fn subscribe(&mut self, channels: &[String]) -> RedisResult<()> {
        match &mut self.line {
            Line::One(one) => one.subscribe(channels).await,
            Line::Cluster(cluster) => {
                // One at a time: each belongs to the server of its own slot.
                for channel in channels {
                    cluster.ssubscribe(channel.as_str()).await?;
                }
                Ok(())
            }
        }
    }

    /// Publishes to one channel, in one write; to a cluster only to the server that the channel belongs to.
    pub async fn publish(&self, channel: &str, payloads: &[&[u8]]) -> RedisResult<()> {
        let command = if self.is_cluster() { "SPUBLISH" } else { "PUBLISH" };
        let mut pipe = redis::pipe();
        for payload in payloads {
            pipe.cmd(command).arg(channel).arg(*payload).ignore();
        }
        let mut wire = self.clone();
        within(ANSWER_TIME * 2, async { pipe.exec_async(&mut wire).await }).await
    }

    /// Publishes to several channels of one server, in one write.
    pub async fn publish_all<'a>(&self, parcels: impl Iterator<Item = (&'a str, &'a [u8])>) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for (channel, payload) in parcels {
            pipe.cmd("PUBLISH").arg(channel).arg(payload).ignore();
        }
        let mut wire = self.clone();
        within(ANSWER_TIME * 2, async { pipe.exec_async(&mut wire).await }).await
    }
}

impl ConnectionLike for Wire {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let Self { line, numbers } = self;
        let answer = match line {
            Line::One(one) => one.req_packed_command(command),
            Line::Cluster(cluster) => cluster.req_packed_command(command),
        };
        Box::pin(timed(numbers, name(command), answer))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let Self { line, numbers } = self;
        let answers = match line {
            Line::One(one) => one.req_packed_commands(pipeline, offset, count),
            Line::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        };
        Box::pin(timed(numbers, "pipeline", answers))
    }

    fn get_db(&self) -> i64 {
        match &self.line {
            Line::One(one) => one.get_db(),
            Line::Cluster(cluster) => cluster.get_db(),
        }
    }
}

/// The name of a command as a label.
fn name(command: &Cmd) -> &'static str {
    const NAMES: [&str; 6] = ["PING", "EVALSHA", "EVAL", "SMISMEMBER", "PUBLISH", "SPUBLISH"];
    let first = match command.args_iter().next() {
        Some(Arg::Simple(name)) => name,
        _ => &[],
    };
    NAMES.into_iter().find(|known| known.as_bytes() == first).unwrap_or("other")
}

async fn timed<T>(
    numbers: &metrics::Redis,
    command: &'static str,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let begun = Instant::now();
    let result = answer.await;
    numbers.took(command, begun.elapsed(), result.is_ok());
    result
}

/// For a connection that nothing is published to.
struct Nowhere;

impl AsyncPushSender for Nowhere {
    fn send(&self, _: redis::PushInfo) -> Result<(), redis::aio::SendError> {
        Ok(())
    }
}

async fn within<T>(time: Duration, what: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(time, what).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
