//! One WebSocket: opens it, hands on what comes, and closes it when dropped.

use natter_shared::path;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

pub struct Socket {
    inner: WebSocket,
    _opened: Closure<dyn Fn(Event)>,
    _heard: Closure<dyn Fn(MessageEvent)>,
    _closed: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Begins to open one to where this page came from. `closed` is told the close code. `None` if the browser refuses.
    pub fn open(
        opened: impl Fn() + 'static,
        heard: impl Fn(&str) + 'static,
        closed: impl Fn(u16) + 'static,
    ) -> Option<Self> {
        let socket = WebSocket::new(&address()?).ok()?;
        let opened = Closure::<dyn Fn(Event)>::new(move |_| opened());
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                heard(&text);
            }
        });
        let closed = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| closed(event.code()));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { inner: socket, _opened: opened, _heard: heard, _closed: closed })
    }

    /// Says whether the browser took it.
    pub fn send(&self, text: &str) -> bool {
        self.inner.ready_state() == WebSocket::OPEN && self.inner.send_with_str(text).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        // It may be closed already.
        let _ = self.inner.close();
    }
}

fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{}", location.host().ok()?, path::WEBSOCKET))
}
