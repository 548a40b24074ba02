//! Every URL of the server: a template for the route table, and a function for those who call it.

use crate::id::{FileId, RoomId, Seq, SessionId, UserId};
use crate::text::{Emoji, Username};

pub const API: &str = "/api/v1";

pub const REGISTER: &str = "/api/v1/auth/register";
pub const CHECK: &str = "/api/v1/auth/check";
pub const GUEST: &str = "/api/v1/auth/guest";
pub const LOGIN: &str = "/api/v1/auth/login";
pub const REFRESH: &str = "/api/v1/auth/refresh";
pub const LOGOUT: &str = "/api/v1/auth/logout";
pub const SESSIONS: &str = "/api/v1/auth/sessions";
pub const SESSION: &str = "/api/v1/auth/sessions/{session}";
pub const PASSWORD: &str = "/api/v1/auth/password";
pub const ME: &str = "/api/v1/me";
pub const AVATAR: &str = "/api/v1/me/avatar";
pub const KEEP: &str = "/api/v1/me/account";
pub const MY_ROOMS: &str = "/api/v1/me/rooms";
pub const USERS: &str = "/api/v1/users";
pub const USER: &str = "/api/v1/users/{username}";
pub const ROOMS: &str = "/api/v1/rooms";
pub const JOIN_BY_CODE: &str = "/api/v1/rooms/join";
pub const ROOM: &str = "/api/v1/rooms/{room}";
pub const JOIN: &str = "/api/v1/rooms/{room}/join";
pub const LEAVE: &str = "/api/v1/rooms/{room}/leave";
pub const CODE: &str = "/api/v1/rooms/{room}/code";
pub const MEMBERS: &str = "/api/v1/rooms/{room}/members";
pub const MEMBER: &str = "/api/v1/rooms/{room}/members/{user}";
pub const BANS: &str = "/api/v1/rooms/{room}/bans";
pub const BAN: &str = "/api/v1/rooms/{room}/bans/{user}";
pub const INTEGRATIONS: &str = "/api/v1/rooms/{room}/integrations";
pub const INTEGRATION: &str = "/api/v1/rooms/{room}/integrations/{user}";
/// The secret stands in the path: a log names this route by its template.
pub const HOOK: &str = "/api/v1/hooks/{secret}";
pub const DM: &str = "/api/v1/dms/{username}";
pub const MESSAGES: &str = "/api/v1/rooms/{room}/messages";
pub const MESSAGE: &str = "/api/v1/rooms/{room}/messages/{seq}";
pub const REACTION: &str = "/api/v1/rooms/{room}/messages/{seq}/reactions/{emoji}";
pub const PIN: &str = "/api/v1/rooms/{room}/messages/{seq}/pin";
pub const PINS: &str = "/api/v1/rooms/{room}/pins";
pub const ENTRIES: &str = "/api/v1/rooms/{room}/entries";
pub const READ: &str = "/api/v1/rooms/{room}/read";
pub const FILES: &str = "/api/v1/files";
pub const FILE: &str = "/api/v1/files/{file}";
pub const FILE_PREVIEW: &str = "/api/v1/files/{file}/preview";
pub const NOTIFY: &str = "/api/v1/rooms/{room}/notify";
pub const SEARCH: &str = "/api/v1/search";
pub const EVENTS: &str = "/api/v1/events";
pub const WEBSOCKET: &str = "/api/v1/ws";
pub const ADMIN_EVENTS: &str = "/api/v1/admin/events";
pub const ADMIN_FIGURES: &str = "/api/v1/admin/figures";
pub const ADMIN_OPERATIONS: &str = "/api/v1/admin/operations";
pub const ADMIN_USERS: &str = "/api/v1/admin/users";
pub const ADMIN_USER: &str = "/api/v1/admin/users/{user}";
pub const ADMIN_SIGN_OUT: &str = "/api/v1/admin/users/{user}/sign-out";
pub const ADMIN_ROOMS: &str = "/api/v1/admin/rooms";
pub const OPENAPI: &str = "/api/v1/openapi.json";
pub const LIVE: &str = "/health/live";
pub const READY: &str = "/health/ready";

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes one path segment or query value (RFC 3986: all but unreserved characters).
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// Puts values into a template's braces, one after the other.
fn fill(template: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(template.len() + 40 * values.len());
    let mut values = values.iter();
    for segment in template.split('/').skip(1) {
        out.push('/');
        match segment.strip_prefix('{').and_then(|_| values.next()) {
            Some(value) => out.push_str(&encode(value)),
            None => out.push_str(segment),
        }
    }
    out
}

pub fn session(session: SessionId) -> String {
    fill(SESSION, &[&session.to_string()])
}

pub fn user(username: &Username) -> String {
    fill(USER, &[username.as_str()])
}

pub fn room(room: RoomId) -> String {
    fill(ROOM, &[&room.to_string()])
}

pub fn join(room: RoomId) -> String {
    fill(JOIN, &[&room.to_string()])
}

pub fn leave(room: RoomId) -> String {
    fill(LEAVE, &[&room.to_string()])
}

pub fn code(room: RoomId) -> String {
    fill(CODE, &[&room.to_string()])
}

pub fn members(room: RoomId) -> String {
    fill(MEMBERS, &[&room.to_string()])
}

pub fn member(room: RoomId, user: UserId) -> String {
    fill(MEMBER, &[&room.to_string(), &user.to_string()])
}

pub fn bans(room: RoomId) -> String {
    fill(BANS, &[&room.to_string()])
}

pub fn ban(room: RoomId, user: UserId) -> String {
    fill(BAN, &[&room.to_string(), &user.to_string()])
}

pub fn integrations(room: RoomId) -> String {
    fill(INTEGRATIONS, &[&room.to_string()])
}

pub fn integration(room: RoomId, user: UserId) -> String {
    fill(INTEGRATION, &[&room.to_string(), &user.to_string()])
}

pub fn hook(secret: &str) -> String {
    fill(HOOK, &[secret])
}

pub fn dm(username: &Username) -> String {
    fill(DM, &[username.as_str()])
}

pub fn messages(room: RoomId) -> String {
    fill(MESSAGES, &[&room.to_string()])
}

pub fn message(room: RoomId, seq: Seq) -> String {
    fill(MESSAGE, &[&room.to_string(), &seq.to_string()])
}

pub fn reaction(room: RoomId, seq: Seq, emoji: &Emoji) -> String {
    fill(REACTION, &[&room.to_string(), &seq.to_string(), emoji.as_str()])
}

pub fn pin(room: RoomId, seq: Seq) -> String {
    fill(PIN, &[&room.to_string(), &seq.to_string()])
}

pub fn pins(room: RoomId) -> String {
    fill(PINS, &[&room.to_string()])
}

pub fn entries(room: RoomId) -> String {
    fill(ENTRIES, &[&room.to_string()])
}

pub fn read(room: RoomId) -> String {
    fill(READ, &[&room.to_string()])
}

pub fn file(file: FileId) -> String {
    fill(FILE, &[&file.to_string()])
}

pub fn file_preview(file: FileId) -> String {
    fill(FILE_PREVIEW, &[&file.to_string()])
}

pub fn notify(room: RoomId) -> String {
    fill(NOTIFY, &[&room.to_string()])
}

pub fn admin_user(user: UserId) -> String {
    fill(ADMIN_USER, &[&user.to_string()])
}

pub fn admin_sign_out(user: UserId) -> String {
    fill(ADMIN_SIGN_OUT, &[&user.to_string()])
}

/// A path with a query of the values that are there.
pub fn with_query(path: &str, query: &[(&str, Option<String>)]) -> String {
    let mut out = path.to_owned();
    let mut mark = '?';
    for (name, value) in query {
        if let Some(value) = value {
            out.push(mark);
            out.push_str(name);
            out.push('=');
            out.push_str(&encode(value));
            mark = '&';
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        let id: RoomId = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".parse().unwrap();
        let emoji = Emoji::parse("👍").unwrap();
        assert_eq!(
            reaction(id, Seq::new(7).unwrap(), &emoji),
            "/api/v1/rooms/0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22/messages/7/reactions/%F0%9F%91%8D"
        );
        let query = [("q", Some("a b&c".to_owned())), ("limit", None), ("cursor", Some("x".to_owned()))];
        assert_eq!(with_query(USERS, &query), "/api/v1/users?q=a%20b%26c&cursor=x");
    }
}
