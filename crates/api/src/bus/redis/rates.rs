//! Rates of all nodes together: one script on one key, by the server's clock, so that nodes whose clocks differ count the
//! same. Where Redis does not answer in time this node counts alone: more may pass then, and never anything at any rate.

use super::condition::is_refusal;
use super::link::Link;
use super::names::Names;
use super::seldom::Seldom;
use crate::bus::local::LocalBus;
use crate::bus::{Bus, Rate, TooOften};
use redis::Script;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Nobody waits longer for permission.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// The bucket as the moment (in microseconds) at which it is full again, as `local` has it; forgotten when it is full.
/// Arguments: microseconds in which a whole bucket fills, and one of it. Answers with the milliseconds to wait, or 0.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local whole, one = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now) or now
full_at = math.min(math.max(full_at, now), now + whole)
local after = full_at + one
local early = after - whole - now
if early > 0 then return math.ceil(early / 1000) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.max(1, math.ceil((after - now) / 1000)))
return 0
";

pub struct Rates {
    names: Names,
    take: Script,
    refusals: Seldom,
}

impl Rates {
    pub fn new(names: Names) -> Self {
        Self { names, take: Script::new(TAKE), refusals: Seldom::default() }
    }

    pub async fn take(&self, link: &Arc<Link>, alone: &LocalBus, bucket: &str, rate: Rate) -> Result<(), TooOften> {
        match self.ask(link, bucket, rate).await {
            Some(0) => {
                // So that the count goes on from here, should Redis be gone a moment later.
                let _ = alone.take(bucket, rate).await;
                Ok(())
            }
            Some(retry_after_ms) => Err(TooOften { retry_after_ms }),
            None => alone.take(bucket, rate).await,
        }
    }

    /// Milliseconds to wait; `None` if there is no answer.
    async fn ask(&self, link: &Arc<Link>, bucket: &str, rate: Rate) -> Option<u64> {
        let mut wire = link.wire()?;
        let whole = rate.per_ms.saturating_mul(1_000);
        let one = whole / u64::from(rate.burst.max(1));
        let mut ask = self.take.key(self.names.rate(bucket));
        ask.arg(whole).arg(one);
        match timeout(ANSWER_TIME, ask.invoke_async(&mut wire)).await {
            Ok(Ok(wait)) => Some(wait),
            Ok(Err(why)) if is_refusal(&why) => {
                self.refusals.say(|missed| {
                    tracing::warn!(%why, missed, "redis refuses to count a rate; this node counts alone");
                });
                None
            }
            Ok(Err(_)) | Err(_) => {
                link.doubt();
                None
            }
        }
    }
}
