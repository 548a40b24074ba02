//! What outlives a reload: unsent messages and drafts, in localStorage, by person. Never a token. Each message has a key
//! of its own, so that two tabs don't write over each other.

use crate::json;
use crate::state::order::{Order, sorted};
use crate::state::{Drafts, Unsent};
use natter_shared::id::{ClientId, RoomId, UserId};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

const UNSENT: &str = "natter.unsent";
const DRAFT: &str = "natter.draft";

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Everything under a prefix, as (rest of the key, value).
fn under(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|index| storage.key(index).ok()?);
    let keys: Vec<String> = keys.filter(|key| key.starts_with(prefix)).collect();
    let value = |key: &String| storage.get_item(key).ok()?;
    keys.iter().filter_map(|key| Some((key[prefix.len()..].to_owned(), value(key)?))).collect()
}

/// Writes a value, or forgets the key. Says whether that worked: storage may be full or switched off.
fn put(key: &str, value: Option<&str>) -> bool {
    let Some(storage) = storage() else { return false };
    match value {
        Some(value) => storage.set_item(key, value).is_ok(),
        None => storage.remove_item(key).is_ok(),
    }
}

/// The unsent messages of a person, in the order in which they were sent.
pub fn unsent(user: UserId) -> Vec<Unsent> {
    let items: Vec<Unsent> =
        under(&format!("{UNSENT}.{user}.")).iter().filter_map(|(_, text)| json::read(text).ok()).collect();
    sorted(items, |item| Order::new(item.at.millis(), String::new()))
}

pub fn put_unsent(user: UserId, client_id: ClientId, item: Option<&Unsent>) -> bool {
    let text = item.and_then(|item| serde_json::to_string(item).ok());
    put(&format!("{UNSENT}.{user}.{client_id}"), text.as_deref())
}

pub fn drafts(user: UserId) -> Drafts {
    let mut drafts = Drafts::default();
    for (room, text) in under(&format!("{DRAFT}.{user}.")) {
        if let Ok(room) = room.parse() {
            drafts.set(room, &text);
        }
    }
    drafts
}

pub fn put_draft(user: UserId, room: RoomId, text: &str) -> bool {
    put(&format!("{DRAFT}.{user}.{room}"), Some(text).filter(|text| !text.is_empty()))
}

/// Forgets all that is kept of a person.
pub fn forget(user: UserId) {
    for kind in [UNSENT, DRAFT] {
        let prefix = format!("{kind}.{user}.");
        for (rest, _) in under(&prefix) {
            put(&format!("{prefix}{rest}"), None);
        }
    }
}

/// Calls back when another tab is done with an unsent message. Lasts as long as the page.
pub fn on_dropped_elsewhere(dropped: impl Fn(UserId, ClientId) + 'static) {
    let heard = Closure::<dyn Fn(web_sys::StorageEvent)>::new(move |event: web_sys::StorageEvent| {
        let key = event.key().filter(|_| event.new_value().is_none()).unwrap_or_default();
        let mut parts = key.strip_prefix(UNSENT).unwrap_or_default().split('.').skip(1);
        let user = parts.next().and_then(|part| part.parse().ok());
        let client_id = parts.next().and_then(|part| part.parse().ok());
        if let (Some(user), Some(client_id)) = (user, client_id) {
            dropped(user, client_id);
        }
    });
    if let Some(window) = web_sys::window() {
        // A browser without storage events only loses a convenience.
        let _ = window.add_event_listener_with_callback("storage", heard.as_ref().unchecked_ref());
    }
    heard.forget();
}
