//! Tells the other tabs of this browser about signing in and out and what was read, and hears it from them. Nothing secret
//! is said.

use natter_shared::id::{RoomId, Seq, UserId};
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

const CHANNEL: &str = "natter";
const IN: &str = "signed-in";
const OUT: &str = "signed-out";
const READ: &str = "read";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    SignedIn,
    SignedOut,
    /// Somebody looks at a room here. In large rooms the server tells nobody.
    Read {
        user: UserId,
        room: RoomId,
        seq: Seq,
    },
}

impl Said {
    fn of(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        match words.next()? {
            IN => Some(Self::SignedIn),
            OUT => Some(Self::SignedOut),
            READ => {
                let (user, room) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                Some(Self::Read { user, room, seq: Seq::new(words.next()?.parse().ok()?)? })
            }
            _ => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::SignedIn => IN.to_owned(),
            Self::SignedOut => OUT.to_owned(),
            Self::Read { user, room, seq } => format!("{READ} {user} {room} {seq}"),
        }
    }
}

/// The channel between the tabs. `None` inside in a browser that has none: then each tab learns it from the server.
pub struct Tabs(Option<web_sys::BroadcastChannel>);

impl Tabs {
    /// Calls `heard` for what other tabs say, as long as the page lives.
    pub fn listen(heard: impl Fn(Said) + 'static) -> Self {
        let Ok(channel) = web_sys::BroadcastChannel::new(CHANNEL) else { return Self(None) };
        let heard = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(said) = event.data().as_string().and_then(|text| Said::of(&text)) {
                heard(said);
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        Self(Some(channel))
    }

    pub fn say(&self, said: Said) {
        if let Some(channel) = &self.0 {
            // The others also hear it from the server, only later.
            let _ = channel.post_message(&JsValue::from_str(&said.text()));
        }
    }
}
