//! Somebody's profile, and the way to write to them.

use super::shell::{Page, go_to_room};
use super::{Go, Lost, title};
use crate::api::{ApiError, accounts};
use crate::components::avatar::Avatar;
use crate::components::drawing::Show;
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::use_chat;
use crate::locale::t;
use crate::place;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::text::{TextError, Username};
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Profile(
    /// As it stands in the address; perhaps none that anybody can have.
    username: Result<Username, TextError>,
) -> impl IntoView {
    let chat = use_chat();
    let found = RwSignal::new(None::<Result<User, ApiError>>);
    title(move || {
        found.with(|found| match found {
            Some(Ok(user)) => user.display_name.to_string(),
            _ => t("profile.title").to_owned(),
        })
    });
    let known = username.is_ok();
    let ask = Callback::new(move |()| {
        let Ok(username) = username.clone() else { return };
        found.set(None);
        spawn_local(async move {
            let answer = accounts::profile(&chat.api(), &username).await;
            found.try_set(Some(answer));
        });
    });
    ask.run(());
    view! {
        <Page>
            {move || match found.get() {
                _ if !known => view! { <Lost text=t("profile.unknown") /> }.into_any(),
                None => {
                    view! {
                        <h1 class="vh">{t("profile.title")}</h1>
                        <ListSkeleton rows=3 />
                    }
                        .into_any()
                }
                Some(Ok(user)) => view! { <Person user /> }.into_any(),
                Some(Err(error)) if error.is_not_found() => view! { <Lost text=t("profile.unknown") /> }.into_any(),
                Some(Err(error)) => {
                    view! {
                        <h1>{t("profile.title")}</h1>
                        <Alert text=error.message() retry=Some(ask) />
                    }
                        .into_any()
                }
            }}
        </Page>
    }
}

#[component]
fn Person(user: User) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let busy = RwSignal::new(false);
    let id = user.id;
    let mine = move || chat.me().is_some_and(|me| me.id == id);
    let online = Signal::derive(move || chat.online(id) || mine());
    let writes = !user.bot;
    let username = user.username.clone();
    let write = Callback::new(move |()| {
        let username = username.clone();
        busy.set(true);
        spawn_local(async move {
            match chat.direct(&username).await {
                Ok(room) => go_to_room(go, room.id),
                Err(error) => {
                    busy.try_set(false);
                    chat.complain(&error);
                }
            }
        });
    });
    view! {
        <div class="profile">
            <Avatar face=&user online size="large" />
            <div>
                <h1 class="name">{user.display_name.to_string()}</h1>
                <p class="soft">"@" {user.username.to_string()}</p>
                <p class="soft">{move || if online.get() { t("people.is_online") } else { t("people.is_offline") }}</p>
            </div>
        </div>
        <Show
            when=mine
            fallback=move || {
                writes
                    .then(|| {
                        view! {
                            <button type="button" class="btn main" disabled=busy on:click=move |_| write.run(())>
                                {t("people.message")}
                            </button>
                        }
                            .into_any()
                    })
            }
        >
            <a class="btn" href=place::SETTINGS>
                {t("profile.edit")}
            </a>
        </Show>
    }
}
