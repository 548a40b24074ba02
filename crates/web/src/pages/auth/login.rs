//! Logging in. It does not say which of name and password was wrong, for the server does not.

use super::Door;
use crate::api::ApiError;
use crate::components::field::{Errors, TextField};
use crate::components::form::{Submit, on_submit};
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::failure::Failure;
use crate::pages::{next_here, title};
use crate::place;
use crate::state::Auth;
use leptos::prelude::*;
use natter_shared::account::LoginForm;
use natter_shared::error::Fields;
use natter_shared::text::Password;
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["username", "password"];

#[component]
pub fn Login() -> impl IntoView {
    let chat = use_chat();
    title(|| t("login.title").to_owned());
    let username = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let ended = move || matches!(chat.auth(), Auth::SignedOut { ended: true });

    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let mut missing = Fields::new();
        for (name, value, why) in
            [("username", username, t("login.username_missing")), ("password", password, t("login.password_missing"))]
        {
            if value.with_untracked(String::is_empty) {
                missing.insert(name.to_owned(), why.to_owned());
            }
        }
        let complete = missing.is_empty();
        errors.show(missing, ORDER);
        if !complete {
            return;
        }
        busy.set(true);
        let form = LoginForm {
            username: username.get_untracked().trim().to_lowercase(),
            password: Password::from_typed(password.get_untracked()),
        };
        spawn_local(async move {
            if let Err(error) = chat.login(form).await {
                busy.try_set(false);
                failed.try_set(Some(error));
            }
        });
    });

    view! {
        <Door>
            <form
                class="card"
                novalidate
                on:submit=on_submit(submit)
            >
                <h1>{t("login.heading")}</h1>
                <p>{move || if ended() { t("login.ended") } else { t("login.intro") }}</p>
                <Failure failed submit />
                <TextField
                    name="username"
                    label=t("field.username")
                    value=username
                    error=errors.of("username")
                    autocomplete="username"
                    changed=Callback::new(move |_| errors.set("username", None))
                />
                <TextField
                    name="password"
                    label=t("field.password")
                    value=password
                    error=errors.of("password")
                    kind="password"
                    autocomplete="current-password"
                    changed=Callback::new(move |_| errors.set("password", None))
                />
                <Submit busy text=t("login.submit") class="btn main wide" />
            </form>
            <footer>
                <span>
                    {t("login.new_here")} " "
                    <a class="link" href=move || place::with_next(place::REGISTER, &next_here())>
                        {t("login.register")}
                    </a>
                </span>
                <span>
                    {t("login.have_code")} " "
                    <a class="link" href=place::GUEST>
                        {t("login.guest")}
                    </a>
                </span>
            </footer>
        </Door>
    }
}
