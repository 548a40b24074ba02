//! What others see of oneself, and the address that only administrators see.

use super::Panel;
use super::picture::Picture;
use crate::api::{ApiError, accounts};
use crate::components::field::{Errors, GenderField, TextField};
use crate::components::form::{Submit, on_submit};
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::failure::Failure;
use leptos::prelude::*;
use natter_shared::account::{Me, ProfilePatch};
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["display_name", "email"];

#[component]
pub fn ProfileForm() -> impl IntoView {
    let chat = use_chat();
    let found = RwSignal::new(None::<Result<Me, ApiError>>);
    let ask = Callback::new(move |()| {
        found.set(None);
        spawn_local(async move {
            let answer = accounts::me(&chat.api()).await;
            found.try_set(Some(answer));
        });
    });
    ask.run(());
    view! {
        <Panel heading=t("settings.profile")>
            {move || match found.get() {
                None => view! { <ListSkeleton rows=3 /> }.into_any(),
                Some(Err(error)) => view! { <Alert text=error.message() retry=Some(ask) /> }.into_any(),
                Some(Ok(me)) => {
                    let guest = me.user.guest;
                    view! {
                        {(!guest).then(|| view! { <Picture /> }.into_any())}
                        <Form me />
                    }
                        .into_any()
                }
            }}
        </Panel>
    }
}

#[component]
fn Form(me: Me) -> impl IntoView {
    let chat = use_chat();
    let name = RwSignal::new(me.user.display_name.to_string());
    let email = RwSignal::new(me.email.as_ref().map(ToString::to_string).unwrap_or_default());
    let gender = RwSignal::new(me.user.gender);
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    // A picture that was chosen once can be changed, not unchosen.
    let unsaid = me.user.gender.is_none();
    let before = StoredValue::new(me.clone());
    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let me = before.get_value();
        let typed = email.get_untracked();
        let patch = ProfilePatch {
            display_name: Some(name.get_untracked()),
            email: Some(typed).filter(|typed| me.email.as_ref().is_none_or(|email| email.as_str() != typed)),
            gender: gender.get_untracked(),
        };
        if let Err(fields) = patch.clone().parse() {
            errors.show(fields, ORDER);
            return;
        }
        errors.clear();
        busy.set(true);
        spawn_local(async move {
            let answer = accounts::change_me(&chat.api(), &patch).await;
            busy.try_set(false);
            match answer {
                Ok(me) => {
                    name.try_set(me.user.display_name.to_string());
                    chat.renamed(me.user.clone());
                    before.try_set_value(me);
                    chat.tell(t("settings.saved"));
                }
                Err(error) => match error.fields() {
                    Some(fields) if !fields.is_empty() => errors.show(fields.clone(), ORDER),
                    _ => {
                        failed.try_set(Some(error));
                    }
                },
            }
        });
    });
    view! {
        <form
            class="form"
            novalidate
            on:submit=on_submit(submit)
        >
            <p class="soft">{tf("settings.username", &[("name", me.user.username.as_str())])}</p>
            <Failure failed submit />
            <TextField
                name="display_name"
                label=t("field.display_name")
                value=name
                error=errors.of("display_name")
                autocomplete="name"
                changed=Callback::new(move |_| errors.set("display_name", None))
            />
            <TextField
                name="email"
                label=t("field.email")
                value=email
                error=errors.of("email")
                hint=t("register.email_hint").to_owned()
                kind="email"
                autocomplete="email"
                changed=Callback::new(move |_| errors.set("email", None))
            />
            <GenderField value=gender unsaid />
            <div class="row-btns">
                <Submit busy text=t("settings.save_profile") />
            </div>
        </form>
    }
}
