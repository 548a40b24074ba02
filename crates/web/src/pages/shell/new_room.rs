//! Making a room: its name, what it is about, who may find it; then the code and the link to hand on.

use super::go_to_room;
use crate::api::{ApiError, rooms};
use crate::components::copy::CopyButton;
use crate::components::dialog::Dialog;
use crate::components::icon::Icon;
use crate::components::notice::Alert;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::room_form::{RoomDraft, RoomFields};
use crate::pages::{Go, invite_link};
use leptos::prelude::*;
use natter_shared::room::{Room, RoomForm, Visibility};
use wasm_bindgen_futures::spawn_local;

#[component]
pub fn NewRoom(on_close: Callback<()>) -> impl IntoView {
    let made = RwSignal::new(None::<Room>);
    view! {
        <Dialog label=t("new_room.title") on_close>
            {move || match made.get() {
                None => view! { <Form made on_close /> }.into_any(),
                Some(room) => view! { <Made room on_close /> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Form(made: RwSignal<Option<Room>>, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let draft = RoomDraft::new(String::new(), String::new(), Visibility::Public);
    let submit = Callback::new(move |()| {
        let form = RoomForm {
            name: draft.name.get_untracked(),
            topic: Some(draft.topic.get_untracked()).filter(|topic| !topic.trim().is_empty()),
            visibility: draft.visibility.get_untracked(),
        };
        let Some(form) = draft.begin(|| form.clone().parse().map(|_| form)) else { return };
        spawn_local(async move {
            match chat.create_room(form).await {
                Ok(room) => {
                    made.try_set(Some(room));
                }
                Err(error) => draft.refused(error),
            }
        });
    });
    view! {
        <h2>{t("new_room.title")}</h2>
        <p>{t("new_room.intro")}</p>
        <RoomFields draft explained=true act=t("new_room.submit") submit on_close />
    }
}

/// The room is there: what to hand to those who shall come.
#[component]
fn Made(room: Room, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let id = room.id;
    let code = RwSignal::new(None::<Result<String, ApiError>>);
    let ask = Callback::new(move |()| {
        code.set(None);
        spawn_local(async move {
            let answer = rooms::code(&chat.api(), id).await;
            code.try_set(Some(answer));
        });
    });
    ask.run(());
    let open = move |_| {
        on_close.run(());
        go_to_room(go, id);
    };
    view! {
        <h2>{tf("new_room.made", &[("name", room.name.as_str())])}</h2>
        <p>{t("new_room.made_text")}</p>
        <div class="form">
            {move || match code.get() {
                None => view! { <div class="sk sk-row"></div> }.into_any(),
                Some(Err(error)) => view! { <Alert text=error.message() retry=Some(ask) /> }.into_any(),
                Some(Ok(code)) => {
                    let link = invite_link(&code);
                    view! {
                        <div class="handout">
                            <span class="legend">{t("new_room.code")}</span>
                            <code data-testid="new-code">{code.clone()}</code>
                            <CopyButton label=t("new_room.copy_code") text=t("new_room.copy_code").to_owned() value=code />
                            <span class="legend">{t("new_room.link")}</span>
                            <code data-testid="new-link">{link.clone()}</code>
                            <CopyButton
                                label=t("new_room.copy_link")
                                text=t("new_room.copy_link").to_owned()
                                value=link
                                icon=Icon::Link
                            />
                        </div>
                    }
                        .into_any()
                }
            }}
        </div>
        <div class="row-btns">
            <button type="button" class="btn main" on:click=open>
                {t("new_room.open")}
            </button>
        </div>
    }
}
