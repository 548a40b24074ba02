//! A new password. It ends all other logins.

use super::Panel;
use crate::api::{ApiError, accounts};
use crate::components::field::{Errors, TextField};
use crate::components::form::{Submit, on_submit};
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::failure::{Failure, refused};
use leptos::prelude::*;
use natter_shared::account::PasswordChange;
use natter_shared::error::{ErrorCode, Fields};
use natter_shared::limits;
use natter_shared::text::Password;
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["current", "new"];

#[component]
pub fn PasswordForm() -> impl IntoView {
    let chat = use_chat();
    let current = RwSignal::new(String::new());
    let new = RwSignal::new(String::new());
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let mut fields = Fields::new();
        if current.with_untracked(String::is_empty) {
            fields.insert("current".to_owned(), t("settings.current_missing").to_owned());
        }
        if let Err(why) = new.with_untracked(|new| Password::parse(new, limits::PASSWORD_MIN)) {
            fields.insert("new".to_owned(), why.to_string());
        }
        let complete = fields.is_empty();
        errors.show(fields, ORDER);
        if !complete {
            return;
        }
        busy.set(true);
        let change = PasswordChange {
            current: Password::from_typed(current.get_untracked()),
            new: Password::from_typed(new.get_untracked()),
        };
        spawn_local(async move {
            let answer = accounts::change_password(&chat.api(), &change).await;
            busy.try_set(false);
            match answer {
                Ok(()) => {
                    current.try_set(String::new());
                    new.try_set(String::new());
                    chat.tell(t("settings.password_changed"));
                }
                Err(error) => refused(error, (ErrorCode::BadCredentials, "current"), errors, ORDER, failed),
            }
        });
    });
    view! {
        <Panel heading=t("settings.password") text=t("settings.password_text")>
            <form
                class="form"
                novalidate
                on:submit=on_submit(submit)
            >
                <Failure failed submit />
                <TextField
                    name="current"
                    label=t("settings.current")
                    value=current
                    error=errors.of("current")
                    kind="password"
                    autocomplete="current-password"
                    changed=Callback::new(move |_| errors.set("current", None))
                />
                <TextField
                    name="new"
                    label=t("settings.new")
                    value=new
                    error=errors.of("new")
                    kind="password"
                    autocomplete="new-password"
                    changed=Callback::new(move |_| errors.set("new", None))
                />
                <div class="row-btns">
                    <Submit busy text=t("settings.change_password") />
                </div>
            </form>
        </Panel>
    }
}
