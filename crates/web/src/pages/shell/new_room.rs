//! Making a room: its name, what it is about, who may find it; then the code and the link to hand on.

use super::go_to_room;
use crate::api::{ApiError, rooms};
use crate::components::copy::CopyButton;
use crate::components::dialog::Dialog;
use crate::components::field::{Errors, Segmented, TextField};
use crate::components::form::{Submit, on_submit};
use crate::components::icon::Icon;
use crate::components::notice::Alert;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::failure::Failure;
use crate::pages::{Go, invite_link};
use leptos::prelude::*;
use natter_shared::error::ErrorCode;
use natter_shared::room::{Room, RoomForm, Visibility};
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["name", "topic"];

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
    let name = RwSignal::new(String::new());
    let topic = RwSignal::new(String::new());
    let visibility = RwSignal::new(Visibility::Public);
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);

    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let form = RoomForm {
            name: name.get_untracked(),
            topic: Some(topic.get_untracked()).filter(|topic| !topic.trim().is_empty()),
            visibility: visibility.get_untracked(),
        };
        if let Err(fields) = form.clone().parse() {
            errors.show(fields, ORDER);
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match chat.create_room(form).await {
                Ok(room) => {
                    made.try_set(Some(room));
                }
                Err(error) => {
                    busy.try_set(false);
                    let mut fields = error.fields().cloned().unwrap_or_default();
                    if error.code() == Some(ErrorCode::RoomNameTaken) {
                        fields.entry("name".to_owned()).or_insert_with(|| error.message());
                    }
                    if fields.is_empty() {
                        failed.try_set(Some(error));
                    } else {
                        errors.show(fields, ORDER);
                    }
                }
            }
        });
    });
    let hint = move || match visibility.get() {
        Visibility::Public => t("new_room.public_hint"),
        Visibility::Private => t("new_room.private_hint"),
    };
    view! {
        <h2>{t("new_room.title")}</h2>
        <p>{t("new_room.intro")}</p>
        <form
            class="form"
            novalidate
            on:submit=on_submit(submit)
        >
            <Failure failed submit />
            <TextField
                name="name"
                label=t("new_room.name")
                value=name
                error=errors.of("name")
                changed=Callback::new(move |_| errors.set("name", None))
            />
            <TextField
                name="topic"
                label=t("new_room.topic")
                optional=true
                value=topic
                error=errors.of("topic")
                changed=Callback::new(move |_| errors.set("topic", None))
            />
            <div>
                <Segmented
                    name="visibility"
                    legend=t("new_room.visibility")
                    value=visibility
                    choices=vec![
                        (Visibility::Public, t("new_room.public")),
                        (Visibility::Private, t("new_room.private")),
                    ]
                />
                <p class="note">{hint}</p>
            </div>
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.cancel")}
                </button>
                <Submit busy text=t("new_room.submit") />
            </div>
        </form>
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
