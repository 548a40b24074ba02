//! The whole page: who may see what, and which page an address leads to.

use crate::components::drawing::live;
use crate::components::memo::Memo;
use crate::language;
use crate::live::{Chat, use_chat};
use crate::locale::t;
use crate::pages::auth::Login;
use crate::pages::parts::{self, Entry};
use crate::pages::shell::{Shell, ShellSkeleton};
use crate::pages::{Go, Lost, next_here};
use crate::place::{self, Place};
use crate::state::Auth;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Router;
use leptos_router::hooks::{use_location, use_navigate};
use leptos_router::location::{BrowserUrl, LocationProvider};
use wasm_bindgen_futures::spawn_local;

/// Puts the page in the place of the still picture that index.html shows until now.
pub fn start() {
    console_error_panic_hook::set_once();
    spawn_local(async {
        language::load().await;
        if let Some(still) = document().get_element_by_id("boot") {
            still.remove();
        }
        mount_to_body(App);
    });
}

#[component]
fn App() -> impl IntoView {
    let chat = Chat::start();
    // While one works on the page it is never an old one that is shown.
    if cfg!(feature = "split") {
        chat.keep_page();
    }
    provide_context(chat);
    view! {
        <Router>
            <Pages />
        </Router>
    }
}

/// What is drawn at the outermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outermost {
    Login,
    Register,
    Guest,
    Keep,
    /// The server has not yet said whether this browser is signed in.
    Wait,
    Inside,
    NotFound,
}

#[component]
fn Pages() -> impl IntoView {
    let chat = use_chat();
    let location = use_location();
    let pathname = location.pathname;
    let search = location.search;
    let navigate = use_navigate();
    provide_context(Go::new(move |path: &str, replace: bool| {
        navigate(path, NavigateOptions { replace, scroll: false, ..NavigateOptions::default() });
    }));
    let go = Go::take();
    let place = Memo::new(move || pathname.with(|path| Place::of(&decode(path))));

    // The router writes the new address into the address bar once somebody says that its page is drawn.
    let browser = use_context::<BrowserUrl>();
    Effect::new(move |_| {
        pathname.track();
        search.track();
        if let Some(browser) = &browser {
            browser.ready_to_complete();
        }
    });

    let known = Memo::new(move || match chat.auth() {
        Auth::Unknown => None,
        Auth::SignedOut { .. } => Some(false),
        Auth::SignedIn { .. } => Some(true),
    });
    let guest = Memo::new(move || chat.is_guest());
    let outermost = Memo::new(move || match (place.get(), known.get()) {
        (Place::NotFound, Some(false) | None) => Outermost::NotFound,
        (Place::Login, Some(false) | None) => Outermost::Login,
        (Place::Register, Some(false) | None) => Outermost::Register,
        (Place::Guest, None) | (Place::Guest | Place::Join(_), Some(false)) => Outermost::Guest,
        (Place::Login | Place::Register | Place::Guest, Some(true)) | (_, Some(false) | None) => Outermost::Wait,
        (Place::Keep, Some(true)) if guest.get() => Outermost::Keep,
        (_, Some(true)) => Outermost::Inside,
    });
    Effect::new(move |before: Option<Option<bool>>| {
        let (place, known) = (place.get(), known.get());
        match known {
            Some(true) if place.is_open() => go.replace(&next_here()),
            Some(true) if place == Place::Keep && !guest.get() => go.replace(place::HOME),
            Some(false) if !place.is_open() && !place.takes_guests() && place != Place::NotFound => {
                let here = format!("{}{}", pathname.get_untracked(), query(&search.get_untracked()));
                // Whoever logged out by themselves starts anew later; whoever was logged out goes on where they were.
                let ended = untrack(|| matches!(chat.auth(), Auth::SignedOut { ended: true }));
                let left = before.flatten() == Some(true) && !ended;
                go.replace(&place::with_next(place::LOGIN, if left { place::HOME } else { &here }));
            }
            _ => {}
        }
        known
    });

    live(move || match outermost.get() {
        Outermost::Login => view! { <Login /> }.into_any(),
        Outermost::Register => parts::entry(Entry::Register { keep: false }),
        Outermost::Keep => parts::entry(Entry::Register { keep: true }),
        Outermost::Guest => {
            let code = untrack(|| match place.get() {
                Place::Join(code) => code,
                _ => String::new(),
            });
            parts::entry(Entry::Guest { code })
        }
        Outermost::Wait => view! { <ShellSkeleton /> }.into_any(),
        Outermost::Inside => view! { <Shell place /> }.into_any(),
        Outermost::NotFound => view! {
            <div class="door">
                <main>
                    <Lost text=t("lost.address") />
                </main>
            </div>
        }
        .into_any(),
    })
}

fn query(search: &str) -> String {
    if search.is_empty() { String::new() } else { format!("?{}", search.trim_start_matches('?')) }
}

/// Percent-decodes a path; one that is not well formed stays as it is and leads nowhere.
fn decode(path: &str) -> String {
    js_sys::decode_uri_component(path).ok().and_then(|path| path.as_string()).unwrap_or_else(|| path.to_owned())
}
