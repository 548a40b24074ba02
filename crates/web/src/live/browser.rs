//! The clock, chance and zone of this browser, read here and nowhere else.

use js_sys::Reflect;
use natter_shared::id::{ClientId, RoomId};
use natter_shared::timestamp::Timestamp;
use wasm_bindgen::{JsCast, JsValue};

/// Milliseconds since 1970 by this machine's clock.
pub fn now() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for 200 million years")]
    let now = js_sys::Date::now() as i64;
    now
}

pub fn timestamp() -> Timestamp {
    Timestamp::from_millis(now())
}

/// Minutes by which this machine's zone is ahead of UTC now.
pub fn offset_min() -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "an offset is less than a day")]
    let behind = js_sys::Date::new_0().get_timezone_offset() as i32;
    -behind
}

/// A number in 0..1, to spread clients in time. Not for secrets.
pub fn chance() -> f64 {
    js_sys::Math::random()
}

/// A new client id, from the randomness that keys are made of. `None` in a browser that has none.
pub fn client_id() -> Option<ClientId> {
    let crypto = Reflect::get(&js_sys::global(), &JsValue::from_str("crypto")).ok()?;
    if crypto.is_undefined() {
        return None;
    }
    let mut bytes = [0; 16];
    let crypto: web_sys::Crypto = crypto.unchecked_into();
    crypto.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(ClientId::from_random_bytes(bytes))
}

/// Whether the browser believes to have a network. `true` says nothing, `false` usually does.
pub fn is_online() -> bool {
    web_sys::window().is_none_or(|window| window.navigator().on_line())
}

/// Whether the address is that of a room.
pub fn path_has(room: RoomId) -> bool {
    let path = web_sys::window().and_then(|window| window.location().pathname().ok());
    path.is_some_and(|path| path.contains(&room.to_string()))
}

/// Whether the tab is in view.
pub fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_some_and(|document| document.visibility_state() == web_sys::VisibilityState::Visible)
}
