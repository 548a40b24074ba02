//! What administrators of the server look at: figures, the log of events, accounts and rooms. Nothing here is done before
//! the server has said that it is done. For everybody else there is no such page, here as on the server.

mod chart;
mod events;
mod moments;
mod operations;
mod overview;
mod rooms;
mod searched;
mod sentence;
mod users;

use super::Lost;
use super::shell::{Banner, Page};
use super::title;
use crate::api::ApiError;
use crate::components::notice::Alert;
use crate::locale::t;
use crate::place::{self, Desk};
use leptos::prelude::*;

use events::Events;
use overview::Overview;
use rooms::Rooms;
use users::Users;

const DESKS: [Desk; 4] = [Desk::Overview, Desk::Events, Desk::Users, Desk::Rooms];

fn name_of(desk: Desk) -> &'static str {
    match desk {
        Desk::Overview => t("admin.overview"),
        Desk::Events => t("admin.events"),
        Desk::Users => t("admin.users"),
        Desk::Rooms => t("admin.rooms"),
    }
}

#[component]
pub fn Admin(desk: Desk) -> impl IntoView {
    title(move || format!("{} · {}", name_of(desk), t("admin.heading")));
    let tabs = DESKS.map(|it| {
        view! {
            <a class="tab" href=place::admin(it) aria-current=(it == desk).then_some("page")>
                {name_of(it)}
            </a>
        }
        .into_any()
    });
    let inside = match desk {
        Desk::Overview => view! { <Overview /> }.into_any(),
        Desk::Events => view! { <Events /> }.into_any(),
        Desk::Users => view! { <Users /> }.into_any(),
        Desk::Rooms => view! { <Rooms /> }.into_any(),
    };
    view! {
        <Page>
            <Banner />
            <div class="admin">
                <h1>{t("admin.heading")}</h1>
                <nav class="tabs" aria-label=t("admin.heading")>
                    {tabs.into_iter().collect::<Vec<_>>()}
                </nav>
                {inside}
            </div>
        </Page>
    }
}

/// Why something could not be read. Whoever is no administrator any more is told what everybody else is.
fn failure(error: &ApiError, retry: Callback<()>) -> AnyView {
    if error.is_not_found() {
        view! { <Lost text=t("lost.address") /> }.into_any()
    } else {
        view! { <Alert text=error.message() retry=Some(retry) /> }.into_any()
    }
}

/// A list that comes in pages: its items so far, and the way to more.
#[component]
fn More(cursor: RwSignal<Option<String>>, busy: RwSignal<bool>, on_more: Callback<()>) -> impl IntoView {
    move || {
        cursor.get().map(|_| {
            view! {
                <div class="row-btns">
                    <button
                        type="button"
                        class="btn"
                        aria-busy=move || if busy.get() { "true" } else { "false" }
                        disabled=busy
                        on:click=move |_| on_more.run(())
                    >
                        {t("search.more")}
                    </button>
                </div>
            }
            .into_any()
        })
    }
}
