//! The directory: public rooms to join or open, and the way in by a code.

use super::shell::{Banner, Page, go_to_room};
use super::{Go, title};
use crate::api::{ApiError, rooms};
use crate::components::drawing::{List, Show};
use crate::components::field::{Errors, TextField};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::components::notice::{Alert, Empty, ListSkeleton};
use crate::live::use_chat;
use crate::locale::{t, tn};
use crate::place;
use crate::state::order::{Order, sorted};
use leptos::prelude::*;
use natter_shared::room::{CodeForm, Room};
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked.
const PAUSE: Duration = Duration::from_millis(250);

#[component]
pub fn Browse() -> impl IntoView {
    let chat = use_chat();
    title(|| t("browse.heading").to_owned());
    let wanted = RwSignal::new(String::new());
    // The server's list for what is wanted; rooms that appear meanwhile come on top of it from the live directory.
    let listed = RwSignal::new(None::<Result<Vec<Room>, ApiError>>);
    let generation = StoredValue::new(0_u32);
    let ask = Callback::new(move |()| {
        generation.update_value(|it| *it += 1);
        let mine = generation.get_value();
        let q = Some(wanted.with_untracked(|text| text.trim().to_owned())).filter(|text| !text.is_empty());
        spawn_local(async move {
            let answer = rooms::directory(&chat.api(), q, None).await;
            if generation.try_get_value() == Some(mine) {
                listed.set(Some(answer.map(|page| page.items)));
            }
        });
    });
    ask.run(());
    let shown = Memo::new(move || {
        let text = wanted.with(|text| text.trim().to_lowercase());
        let mut shown = listed.with(|listed| match listed {
            Some(Ok(rooms)) => rooms.clone(),
            _ => Vec::new(),
        });
        chat.with_rooms(|rooms| {
            for room in rooms.directory() {
                let fits = text.is_empty() || room.name.key().contains(&text);
                if fits && !shown.iter().any(|it| it.id == room.id) {
                    shown.push(room.clone());
                }
            }
        });
        sorted(shown, |room| Order::new(0, room.name.key()))
    });
    let typed = move |ev| {
        wanted.set(event_target_value(&ev));
        generation.update_value(|it| *it += 1);
        let mine = generation.get_value();
        let later = move || {
            if generation.try_get_value() == Some(mine) {
                ask.run(());
            }
        };
        set_timeout(later, PAUSE);
    };
    view! {
        <Page>
            <Banner />
            <h1>{t("browse.heading")}</h1>
            <p class="soft">{t("browse.intro")}</p>
            <ByCode />
            <input
                class="input search"
                type="search"
                aria-label=t("browse.search")
                placeholder=t("browse.search")
                prop:value=wanted
                on:input=typed
            />
            {move || match listed.get() {
                None => view! { <ListSkeleton rows=5 /> }.into_any(),
                Some(Err(error)) => view! { <Alert text=error.message() retry=Some(ask) /> }.into_any(),
                Some(Ok(_)) => ().into_any(),
            }}
            <ul class="cards" aria-label=t("browse.list")>
                <List each=move || shown.get() key=|room| format!("{} {} {}", room.id, room.member_count, room.name) let:room>
                    <Entry room />
                </List>
            </ul>
            <Show when=move || shown.with(Vec::is_empty) && listed.with(|it| matches!(it, Some(Ok(_))))>
                <Empty title=t("browse.none") text=t("browse.none_text") />
            </Show>
        </Page>
    }
}

#[component]
fn Entry(room: Room) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let id = room.id;
    let busy = RwSignal::new(false);
    let joined = Memo::new(move || chat.with_rooms(|rooms| rooms.contains(id)));
    let join = move |_| {
        busy.set(true);
        spawn_local(async move {
            match chat.join(id).await {
                Ok(room) => go_to_room(go, room.id),
                Err(error) => {
                    busy.try_set(false);
                    chat.complain(&error);
                }
            }
        });
    };
    let count = usize::try_from(room.member_count).unwrap_or(usize::MAX);
    view! {
        <li class="row-card" data-testid="directory-room">
            <Sign icon=Icon::Hash />
            <div class="grow">
                <b class="name">{room.name.to_string()}</b>
                <p class="soft">{room.topic.to_string()}</p>
                <small class="soft">{tn("browse.members.one", "browse.members.other", count)}</small>
            </div>
            <Show
                when=move || joined.get()
                fallback=move || {
                    view! {
                        <button type="button" class="btn main" disabled=busy on:click=join>
                            {t("browse.join")}
                        </button>
                    }
                }
            >
                <a class="btn" href=place::room(id)>
                    {t("browse.open")}
                </a>
            </Show>
        </li>
    }
}

/// The way into a private room.
#[component]
fn ByCode() -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let code = RwSignal::new(String::new());
    let errors = Errors::new();
    let busy = RwSignal::new(false);
    let submit = move |ev: web_sys::SubmitEvent| {
        ev.prevent_default();
        let form = CodeForm { code: code.get_untracked() };
        if let Err(fields) = form.parse() {
            errors.show(fields, &["code"]);
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match chat.join_code(&form.code).await {
                Ok(room) => go_to_room(go, room.id),
                Err(error) => {
                    busy.try_set(false);
                    // The server answers a wrong code like any unknown thing; here it can be said what it means.
                    let wrong = || error.is_not_found().then(|| t("join.wrong").to_owned());
                    let why = error.field("code").or_else(wrong).unwrap_or_else(|| error.message());
                    errors.set("code", Some(why));
                }
            }
        });
    };
    view! {
        <form class="by-code" novalidate on:submit=submit>
            <TextField
                name="code"
                label=t("browse.code")
                value=code
                error=errors.of("code")
                hint=t("browse.code_hint").to_owned()
                changed=Callback::new(move |_| errors.set("code", None))
            />
            <button type="submit" class="btn" disabled=busy>
                {t("browse.join_code")}
            </button>
        </form>
    }
}
