//! One's own settings: profile, password, logins, theme.

mod deletion;
mod logins;
mod notifications;
mod password;
mod picture;
mod profile;
mod theme;

use super::shell::{Banner, Frame, Page};
use super::{Go, title};
use crate::live::use_chat;
use crate::locale::t;
use crate::place;
use deletion::DeletionPart;
use leptos::prelude::*;
use logins::Logins;
use notifications::Notifications;
use password::PasswordForm;
use profile::ProfileForm;
use theme::Theme;
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Settings() -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let frame = Frame::take();
    title(|| t("settings.heading").to_owned());
    let log_out = move |_| {
        spawn_local(async move {
            match chat.logout().await {
                Ok(()) => go.replace(place::LOGIN),
                Err(error) => chat.complain(&error),
            }
        });
    };
    view! {
        <Page>
            <Banner />
            <h1>{t("settings.heading")}</h1>
            <ProfileForm />
            <Theme />
            <Notifications />
            {(!untrack(|| chat.is_guest())).then(|| view! { <PasswordForm /> }.into_any())}
            <Logins />
            <div class="panel">
                <button type="button" class="btn" on:click=move |_| frame.open_keys()>
                    {t("keys.title")}
                </button>
                <button type="button" class="btn bad" on:click=log_out>
                    {t("rail.log_out")}
                </button>
            </div>
            <DeletionPart />
        </Page>
    }
}

/// A part of the settings with its heading.
#[component]
fn Panel(heading: &'static str, #[prop(optional)] text: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="panel" aria-label=heading>
            <h2>{heading}</h2>
            {(!text.is_empty()).then(|| view! { <p class="soft">{text}</p> }.into_any())}
            {children()}
        </section>
    }
}
