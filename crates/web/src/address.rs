//! The address bar: which page it names, going to another one, links, and the browser's way back.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// The path and the `?query` of the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// Percent-encoded.
    pub path: String,
    /// With its question mark, or empty.
    pub query: String,
}

impl Here {
    fn read() -> Self {
        let location = window().location();
        Self { path: location.pathname().unwrap_or_default(), query: location.search().unwrap_or_default() }
    }
}

#[derive(Clone, Copy)]
pub struct Address(RwSignal<Here>);

impl Address {
    /// Follows links and the browser's history for as long as the caller is drawn.
    pub fn follow() -> Self {
        let address = Self(RwSignal::new(Here::read()));
        let clicks = window_event_listener(ev::click, move |event| address.click(&event));
        let steps = window_event_listener(ev::popstate, move |_| address.look());
        on_cleanup(move || {
            clicks.remove();
            steps.remove();
        });
        address
    }

    pub fn here(self) -> Here {
        self.0.get()
    }

    /// Leads to another page: a new step of the browser's history, or in place of the present one.
    pub fn go(self, to: &str, replace: bool) {
        let location = window().location();
        let now = [location.pathname(), location.search(), location.hash()].map(Result::unwrap_or_default).concat();
        // A browser refuses only who goes too often, and then the page stays where it is.
        let history = window().history();
        let _ = history.map(|history| match replace {
            true => history.replace_state_with_url(&JsValue::NULL, "", Some(to)),
            false if to != now => history.push_state_with_url(&JsValue::NULL, "", Some(to)),
            false => Ok(()),
        });
        self.look();
    }

    fn look(self) {
        let here = Here::read();
        if self.0.with_untracked(|before| *before != here) {
            self.0.set(here);
        }
    }

    /// A plain click on a link to this page stays in it; everything else is the browser's.
    fn click(self, event: &web_sys::MouseEvent) {
        let changed = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
        if event.default_prevented() || event.button() != 0 || changed {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok()) else { return };
        let foreign = window().location().origin().ok().is_none_or(|origin| link.origin() != origin);
        if foreign || !link.target().is_empty() || link.has_attribute("download") {
            return;
        }
        let here = Here::read();
        if !link.hash().is_empty() && link.pathname() == here.path && link.search() == here.query {
            return;
        }
        event.prevent_default();
        self.go(&[link.pathname(), link.search(), link.hash()].concat(), false);
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}
