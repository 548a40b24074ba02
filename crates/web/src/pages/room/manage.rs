//! What administrators do with a room as a whole: its name, topic and visibility, its join code, bans, its archive.

use super::attention::NotifyChoice;
use super::head::Code;
use super::{Open, RoomFrame};
use crate::api::rooms;
use crate::components::avatar::Avatar;
use crate::components::dialog::Dialog;
use crate::components::drawing::{List, Show};
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::room_form::{RoomDraft, RoomFields};
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::room::{Room, RoomPatch};
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn Manage(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = untrack(|| chat.room(RoomFrame::take().room)).map(|it| it.room);
    view! {
        <Dialog label=t("manage.title") on_close>
            <h2>{t("manage.title")}</h2>
            {room.map(|room| view! { <About room on_close /> }.into_any())}
            <NotifyChoice />
            <CodePart />
            <BansPart />
            <IntegrationsPart />
            <ArchivePart on_close />
        </Dialog>
    }
}

/// Name, topic and visibility. What differs is sent.
#[component]
fn About(room: Room, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let id = room.id;
    let draft = RoomDraft::new(room.name.to_string(), room.topic.to_string(), room.visibility);
    let submit = Callback::new(move |()| {
        let patch = RoomPatch {
            name: Some(draft.name.get_untracked()).filter(|name| *name != room.name.as_str()),
            topic: Some(draft.topic.get_untracked()).filter(|topic| *topic != room.topic.as_str()),
            visibility: Some(draft.visibility.get_untracked()).filter(|it| *it != room.visibility),
            archived: None,
        };
        let Some(patch) = draft.begin(|| patch.clone().parse().map(|_| patch)) else { return };
        spawn_local(async move {
            match rooms::change(&chat.api(), id, &patch).await {
                Ok(_) => on_close.run(()),
                Err(error) => draft.refused(error),
            }
        });
    });
    view! { <RoomFields draft act=t("manage.save") submit on_close /> }
}

/// The join code: copied, renewed, switched off and on again.
#[component]
fn CodePart() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let busy = RwSignal::new(false);
    let renew = move |_| {
        busy.set(true);
        spawn_local(async move {
            match rooms::renew_code(&chat.api(), frame.room).await {
                Ok(code) => drop(frame.code.try_set(Some(code))),
                Err(error) => chat.complain(&error),
            }
            busy.try_set(false);
        });
    };
    let switch_off = move |_| {
        busy.set(true);
        spawn_local(async move {
            match rooms::drop_code(&chat.api(), frame.room).await {
                Ok(()) => drop(frame.code.try_set(None)),
                Err(error) => chat.complain(&error),
            }
            busy.try_set(false);
        });
    };
    let is_on = move || frame.code.with(Option::is_some);
    view! {
        <h3>{t("new_room.code")}</h3>
        <p class="soft" role="status">
            {move || if is_on() { t("manage.code_on") } else { t("manage.code_off") }}
        </p>
        <div class="row-btns start">
            <Code />
            <button type="button" class="btn" disabled=busy on:click=renew>
                {move || if is_on() { t("manage.code_renew") } else { t("manage.code_switch_on") }}
            </button>
            <Show when=is_on>
                <button type="button" class="btn" disabled=busy on:click=switch_off>
                    {t("manage.code_switch_off")}
                </button>
            </Show>
        </div>
    }
}

/// Who was banned, with the way back. Nothing stands here as long as nobody is.
#[component]
fn BansPart() -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let banned = RwSignal::new(Vec::<User>::new());
    spawn_local(async move {
        match rooms::bans(&chat.api(), room).await {
            Ok(people) => drop(banned.try_set(people)),
            Err(error) => chat.complain(&error),
        }
    });
    let line = move |user: User| {
        let id = user.id;
        let unban = move |_| {
            spawn_local(async move {
                match rooms::unban(&chat.api(), room, id).await {
                    Ok(()) => drop(banned.try_update(|people| people.retain(|user| user.id != id))),
                    Err(error) => chat.complain(&error),
                }
            });
        };
        view! {
            <li class="item">
                <Avatar face=&user size="small" />
                <span class="name">{user.display_name.to_string()}</span>
                <button type="button" class="btn" on:click=unban>
                    {t("manage.unban")}
                </button>
            </li>
        }
    };
    view! {
        <Show when=move || banned.with(|people| !people.is_empty())>
            <h3>{t("manage.bans")}</h3>
            <ul aria-label=t("manage.bans")>
                <List each=move || banned.get() key=|user| user.id.to_string() children=line />
            </ul>
        </Show>
    }
}

/// The way to the programs that take part in the room.
#[component]
fn IntegrationsPart() -> impl IntoView {
    let frame = RoomFrame::take();
    view! {
        <h3>{t("integrations.title")}</h3>
        <p class="soft">{t("integrations.manage_text")}</p>
        <div class="row-btns start">
            <button type="button" class="btn" on:click=move |_| frame.open.set(Some(Open::Integrations))>
                {t("integrations.open")}
            </button>
        </div>
    }
}

/// Closes the room for writing, or opens it again. Nothing is lost by it.
#[component]
fn ArchivePart(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let archived = untrack(|| chat.room(room)).is_some_and(|it| it.room.archived);
    let change = move |_| {
        busy.set(true);
        spawn_local(async move {
            let patch = RoomPatch { archived: Some(!archived), ..RoomPatch::default() };
            match rooms::change(&chat.api(), room, &patch).await {
                Ok(_) => on_close.run(()),
                Err(error) => {
                    busy.try_set(false);
                    chat.complain(&error);
                }
            }
        });
    };
    let (text, act) = if archived {
        (t("manage.archived_text"), t("manage.unarchive"))
    } else {
        (t("manage.archive_text"), t("manage.archive"))
    };
    view! {
        <h3>{t("manage.archive_title")}</h3>
        <p class="soft">{text}</p>
        <div class="row-btns start">
            <button type="button" class="btn" disabled=busy on:click=change>
                {act}
            </button>
        </div>
    }
}
