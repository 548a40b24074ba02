//! Tells the other tabs of this browser about signing in and out, and hears it from them. Nothing secret is said.

use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

const CHANNEL: &str = "natter";
const IN: &str = "signed-in";
const OUT: &str = "signed-out";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    SignedIn,
    SignedOut,
}

/// The channel between the tabs. `None` inside in a browser that has none: then each tab learns it from the server.
pub struct Tabs(Option<web_sys::BroadcastChannel>);

impl Tabs {
    /// Calls `heard` for what other tabs say, as long as the page lives.
    pub fn listen(heard: impl Fn(Said) + 'static) -> Self {
        let Ok(channel) = web_sys::BroadcastChannel::new(CHANNEL) else { return Self(None) };
        let heard = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            match event.data().as_string().as_deref() {
                Some(IN) => heard(Said::SignedIn),
                Some(OUT) => heard(Said::SignedOut),
                _ => {}
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        Self(Some(channel))
    }

    pub fn say(&self, said: Said) {
        let word = match said {
            Said::SignedIn => IN,
            Said::SignedOut => OUT,
        };
        if let Some(channel) = &self.0 {
            // The others also hear it from the server, only later.
            let _ = channel.post_message(&JsValue::from_str(word));
        }
    }
}
