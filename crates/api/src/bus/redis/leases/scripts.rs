//! What is asked of Redis about leases, each a command on one key. Times are by the server's clock.

use natter_shared::id::UserId;
use redis::{Cmd, RedisResult, Value, cmd, from_redis_value};
use std::time::Duration;

/// A person comes to or goes from a node. Answers whether that changed the set, and with all nodes that are in it now.
const COME: &str = "local new = redis.call('SADD', KEYS[1], ARGV[1]) redis.call('PEXPIRE', KEYS[1], ARGV[2]) \
                    local all = redis.call('SMEMBERS', KEYS[1]) table.insert(all, 1, tostring(new)) return all";
const GO: &str = "local was = redis.call('SREM', KEYS[1], ARGV[1]) \
                  local all = redis.call('SMEMBERS', KEYS[1]) table.insert(all, 1, tostring(was)) return all";

/// Renews a lease, unless it has ended or is gone and this is not its first time. Answers whether it did, and which leases
/// have ended.
const RENEW: &str = "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) \
                     local ends = redis.call('ZSCORE', KEYS[1], ARGV[1]) \
                     if ARGV[3] ~= '1' and not (ends and tonumber(ends) > now) then return {'0'} end \
                     redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1]) redis.call('PEXPIRE', KEYS[1], 86400000) \
                     local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now) \
                     table.insert(dead, 1, '1') return dead";

const LIVE: &str = "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) \
                    return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')";

/// Has a lease that is there end after so many milliseconds.
const SHORTEN: &str = "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) \
                       return redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])";

// The whole script goes along each time: many of them travel in one write, where a server that has just started could not
// be told to load it first.
fn script(text: &str, key: &str) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(1).arg(key);
    command
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub fn come(key: &str, node: &str, kept: Duration) -> Cmd {
    let mut command = script(COME, key);
    command.arg(node).arg(millis(kept));
    command
}

pub fn go(key: &str, node: &str) -> Cmd {
    let mut command = script(GO, key);
    command.arg(node);
    command
}

/// What [`come`] and [`go`] answer.
pub struct Standing {
    pub changed: bool,
    /// The nodes through which the person is online, dead ones among them.
    pub nodes: Vec<String>,
}

impl Standing {
    pub fn read(answer: Value) -> RedisResult<Self> {
        let mut nodes: Vec<String> = from_redis_value(answer)?;
        let changed = !nodes.is_empty() && nodes.remove(0) == "1";
        Ok(Self { changed, nodes })
    }
}

pub fn renew(key: &str, node: &str, lease: Duration, first: bool) -> Cmd {
    let mut command = script(RENEW, key);
    command.arg(node).arg(millis(lease)).arg(u8::from(first));
    command
}

pub fn live(key: &str) -> Cmd {
    script(LIVE, key)
}

pub fn shorten(key: &str, node: &str, to: Duration) -> Cmd {
    let mut command = script(SHORTEN, key);
    command.arg(node).arg(millis(to));
    command
}

pub fn add(key: &str, users: &[UserId]) -> Cmd {
    of_people("SADD", key, users)
}

pub fn remove(key: &str, users: &[UserId]) -> Cmd {
    of_people("SREM", key, users)
}

pub fn are_members(key: &str, users: &[UserId]) -> Cmd {
    of_people("SMISMEMBER", key, users)
}

fn of_people(name: &str, key: &str, users: &[UserId]) -> Cmd {
    let mut command = cmd(name);
    command.arg(key);
    for user in users {
        command.arg(user.to_string());
    }
    command
}

/// Keeps a key for so long.
pub fn keep(key: &str, kept: Duration) -> Cmd {
    let mut command = cmd("PEXPIRE");
    command.arg(key).arg(millis(kept));
    command
}

/// Some members of a set and where to go on; 0 is the end.
pub fn scan(key: &str, cursor: u64, count: usize) -> Cmd {
    let mut command = cmd("SSCAN");
    command.arg(key).arg(cursor).arg("COUNT").arg(count);
    command
}

/// Answers with nothing if somebody else holds it.
pub fn claim(key: &str, node: &str, held: Duration) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(node).arg("NX").arg("PX").arg(millis(held));
    command
}

pub fn forget_key(key: &str) -> Cmd {
    let mut command = cmd("DEL");
    command.arg(key);
    command
}

pub fn forget_node(key: &str, node: &str) -> Cmd {
    let mut command = cmd("ZREM");
    command.arg(key).arg(node);
    command
}
