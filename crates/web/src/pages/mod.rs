//! The pages. They read the state, call the server's side of the page, and hand both to components.

pub mod admin;
pub mod auth;
pub mod browse;
mod coming;
mod failure;
pub mod home;
pub mod join;
pub mod parts;
pub mod profile;
pub mod room;
mod room_form;
pub mod settings;
pub mod shell;

use crate::components::icon::Mark;
use crate::live::use_chat;
use crate::locale::t;
use crate::place;
use crate::state::{Rooms, Waiting};
use leptos::prelude::*;

/// Leads to another page.
#[derive(Clone, Copy)]
pub struct Go(Callback<(String, bool)>);

impl Go {
    /// `navigate` takes a path, and whether it replaces the present one in the browser's history.
    pub fn new(navigate: impl Fn(&str, bool) + Send + Sync + 'static) -> Self {
        Self(Callback::new(move |(path, replace): (String, bool)| navigate(&path, replace)))
    }

    /// The way to other pages; everything inside the router has one.
    pub fn take() -> Self {
        expect_context::<Self>()
    }

    pub fn to(self, path: &str) {
        self.0.run((path.to_owned(), false));
    }

    pub fn replace(self, path: &str) {
        self.0.run((path.to_owned(), true));
    }
}

/// The value of `?name=` in the address as it is now.
pub fn asked_for(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// Where the door leads, by `?next=` of the address.
pub fn next_here() -> String {
    place::safe_next(asked_for("next").as_deref())
}

/// Keeps the window's title. What waits for the person stands before it.
pub fn title(text: impl Fn() -> String + 'static) {
    let chat = use_chat();
    Effect::new(move |_| {
        let text = text();
        let text = if text.is_empty() { "Natter".to_owned() } else { format!("{text} · Natter") };
        let Waiting { calls, more } = chat.with_rooms(Rooms::waiting);
        let waits = if calls > 0 { format!("({calls}) ") } else { String::from(if more { "• " } else { "" }) };
        document().set_title(&(waits + &text));
    });
}

/// There is nothing here, or nothing for this reader; the two look the same.
#[component]
pub fn Lost(text: &'static str) -> impl IntoView {
    title(|| t("lost.heading").to_owned());
    view! {
        <div class="empty">
            <Mark />
            <h1>{t("lost.heading")}</h1>
            <p>{text}</p>
            <a class="btn main" href=place::HOME>
                {t("lost.back")}
            </a>
        </div>
    }
}

/// The whole address that lets somebody into a room.
pub fn invite_link(code: &str) -> String {
    format!("{}{}", window().location().origin().unwrap_or_default(), place::join(code))
}
