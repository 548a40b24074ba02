//! Which page an address leads to, and the address of each page. The only place that spells the page's own URLs.

use natter_shared::id::{RoomId, Seq};
use natter_shared::path::encode;
use natter_shared::text::Username;

/// A page of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Home,
    Room(RoomId),
    Browse,
    /// A room's code, out of an invite link.
    Join(String),
    Profile(String),
    Settings,
    /// What administrators of the server look at.
    Admin(Desk),
    Login,
    Register,
    /// In by a code and a name, without an account.
    Guest,
    /// Making an account of a guest.
    Keep,
    NotFound,
}

/// A part of the administrators' page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desk {
    Overview,
    Events,
    Users,
    Rooms,
}

impl Place {
    /// Reads a path, percent-decoded by the caller. A room id that is none leads nowhere.
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => Self::Home,
            ["r", room] => room.parse().map_or(Self::NotFound, Self::Room),
            ["browse"] => Self::Browse,
            ["join", code] => Self::Join(code.to_owned()),
            ["u", username] => Self::Profile(username.to_owned()),
            ["settings"] => Self::Settings,
            ["admin"] => Self::Admin(Desk::Overview),
            ["admin", "events"] => Self::Admin(Desk::Events),
            ["admin", "users"] => Self::Admin(Desk::Users),
            ["admin", "rooms"] => Self::Admin(Desk::Rooms),
            ["login"] => Self::Login,
            ["register"] => Self::Register,
            ["guest"] => Self::Guest,
            ["keep"] => Self::Keep,
            _ => Self::NotFound,
        }
    }

    /// Whether one can be here without a login.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Login | Self::Register | Self::Guest)
    }

    /// Whether those without a login are asked here for a name instead of a password.
    pub const fn takes_guests(&self) -> bool {
        matches!(self, Self::Guest | Self::Join(_))
    }
}

pub const HOME: &str = "/";
pub const BROWSE: &str = "/browse";
pub const SETTINGS: &str = "/settings";
pub const LOGIN: &str = "/login";
pub const REGISTER: &str = "/register";
pub const GUEST: &str = "/guest";
pub const KEEP: &str = "/keep";

pub const fn admin(desk: Desk) -> &'static str {
    match desk {
        Desk::Overview => "/admin",
        Desk::Events => "/admin/events",
        Desk::Users => "/admin/users",
        Desk::Rooms => "/admin/rooms",
    }
}

pub fn room(room: RoomId) -> String {
    format!("/r/{room}")
}

/// A message in its room.
pub fn message(room: RoomId, seq: Seq) -> String {
    format!("/r/{room}?{AT}={seq}")
}

/// The name of what says, in the address of a room, which message is meant.
pub const AT: &str = "at";

/// The seq that stands in such an address. Anything else asks for none.
pub fn message_at(search: &str) -> Option<Seq> {
    let pairs = search.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    let seq: u64 = pairs.filter(|(name, _)| *name == AT).find_map(|(_, seq)| seq.parse().ok())?;
    Seq::new(seq).filter(|seq| *seq > Seq::ZERO)
}

/// Reads an address that leads to a room, or a message of one, of the server that the page is from: the address as this
/// page goes there, the room, and the message.
pub fn own_link(address: &str, origin: &str) -> Option<(String, RoomId, Option<Seq>)> {
    let path = address.strip_prefix(origin).filter(|path| !origin.is_empty() && path.starts_with('/'))?;
    let (path, search) = path.split_once('?').unwrap_or((path, ""));
    let Place::Room(id) = Place::of(path) else { return None };
    match message_at(search) {
        Some(seq) => Some((message(id, seq), id, Some(seq))),
        None if search.is_empty() => Some((room(id), id, None)),
        None => None,
    }
}

pub fn profile(username: &Username) -> String {
    format!("/u/{}", encode(username.as_str()))
}

pub fn join(code: &str) -> String {
    format!("/join/{}", encode(code))
}

/// A page of the door that leads on to `next`, unless that is where it leads anyway.
pub fn with_next(door: &str, next: &str) -> String {
    if next == HOME || next.is_empty() { door.to_owned() } else { format!("{door}?next={}", encode(next)) }
}

/// Where to go after the door: a path of this page, never another site's address (`//evil.example`, `/\evil.example`).
pub fn safe_next(next: Option<&str>) -> String {
    let own = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.contains(|c: char| c == '\\' || c.is_control())
            && !Place::of(next.split(['?', '#']).next().unwrap_or("")).is_open()
    };
    next.filter(own).unwrap_or(HOME).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_leads_to_its_page() {
        let id: RoomId = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".parse().unwrap();
        assert_eq!(Place::of("/"), Place::Home);
        assert_eq!(Place::of(&room(id)), Place::Room(id));
        assert_eq!(Place::of(&join("K7QP-4TMD")), Place::Join("K7QP-4TMD".into()));
        assert_eq!(Place::of("/settings/"), Place::Settings);
        assert_eq!(Place::of("/login"), Place::Login);
        for desk in [Desk::Overview, Desk::Events, Desk::Users, Desk::Rooms] {
            assert_eq!(Place::of(admin(desk)), Place::Admin(desk));
        }
        for nowhere in
            ["/r/", "/r/1", "/r/0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22/x", "/nothing", "/admin/x", "/u", "/r/null"]
        {
            assert_eq!(Place::of(nowhere), Place::NotFound, "{nowhere}");
        }
    }

    #[test]
    fn a_link_to_a_message_of_this_server_is_known() {
        let id: RoomId = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".parse().unwrap();
        let seq = Seq::new(17).unwrap();
        let here = "https://chat.example";
        let link = format!("{here}{}", message(id, seq));
        assert_eq!(own_link(&link, here), Some((message(id, seq), id, Some(seq))));
        assert_eq!(own_link(&format!("{here}{}", room(id)), here), Some((room(id), id, None)));
        let hash = format!("{link}#x");
        for other in
            ["https://chat.example.evil.example/r/x", "https://chat.example/settings", &hash, "https://chat.example"]
        {
            assert_eq!(own_link(other, here), None, "{other}");
        }
        assert_eq!(own_link(&link, "https://other.example"), None);
        assert_eq!(message_at("?at=17&x=1"), Some(seq));
        for none in ["", "?at=", "?at=0", "?at=-1", "?at=x", "?bat=17", "?at=99999999999999999999"] {
            assert_eq!(message_at(none), None, "{none}");
        }
    }

    #[test]
    fn the_door_leads_back_into_this_page_only() {
        assert_eq!(safe_next(Some("/browse?q=a")), "/browse?q=a");
        for foreign in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "/login", "/\t/x"]
        {
            assert_eq!(safe_next(Some(foreign)), "/", "{foreign}");
        }
        assert_eq!(safe_next(None), "/");
        assert_eq!(with_next(LOGIN, "/"), "/login");
        assert_eq!(with_next(LOGIN, "/r/x?a=b"), "/login?next=%2Fr%2Fx%3Fa%3Db");
    }
}
