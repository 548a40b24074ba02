//! In by a room's code and a name, without an account.

use super::Door;
use crate::api::ApiError;
use crate::components::field::{Errors, TextField};
use crate::components::form::{Submit, on_submit};
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::failure::Failure;
use crate::pages::{Go, title};
use crate::place;
use leptos::prelude::*;
use natter_shared::account::GuestForm;
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["display_name", "code"];

#[component]
pub fn Guest(code: String) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    title(|| t("guest.heading").to_owned());
    let next = if code.is_empty() { place::HOME.to_owned() } else { place::join(&code) };
    let code = RwSignal::new(code);
    let display_name = RwSignal::new(String::new());
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let form = GuestForm { display_name: display_name.get_untracked(), code: code.get_untracked() };
        if let Err(fields) = form.parse() {
            errors.show(fields, ORDER);
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let room = place::join(&form.code);
            match chat.come_as_guest(form).await {
                Ok(_) => go.replace(&room),
                Err(error) => {
                    busy.try_set(false);
                    // The server answers a wrong code like any unknown thing; here it can be said what it means.
                    if error.is_not_found() {
                        errors.show([("code".to_owned(), t("join.wrong").to_owned())].into(), ORDER);
                    } else {
                        failed.try_set(Some(error));
                    }
                }
            }
        });
    });
    let field = move |name: &'static str, label: &'static str, value, hint: &'static str| {
        view! {
            <TextField
                name
                label
                value
                error=errors.of(name)
                hint=hint.to_owned()
                changed=Callback::new(move |_| errors.set(name, None))
            />
        }
    };
    view! {
        <Door>
            <form class="card" novalidate on:submit=on_submit(submit)>
                <h1>{t("guest.heading")}</h1>
                <p>{t("guest.intro")}</p>
                <Failure failed submit />
                {field("display_name", t("guest.name"), display_name, t("guest.name_hint"))}
                {field("code", t("new_room.code"), code, "")}
                <Submit busy text=t("guest.submit") class="btn main wide" />
            </form>
            <footer>
                <span>
                    {t("register.already")} " "
                    <a class="link" href=place::with_next(place::LOGIN, &next)>
                        {t("register.login")}
                    </a>
                </span>
            </footer>
        </Door>
    }
}
