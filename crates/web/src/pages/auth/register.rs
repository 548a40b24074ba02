//! Making an account. What is typed is checked while it is typed, by the same rules as on the server, and once more there.

use super::Door;
use crate::api::{ApiError, accounts};
use crate::components::field::{Errors, GenderField, Meter, TextField};
use crate::components::notice::Alert;
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::{next_here, title};
use crate::place;
use leptos::prelude::*;
use natter_shared::account::{CheckForm, RegisterForm};
use natter_shared::error::ErrorCode;
use natter_shared::limits;
use natter_shared::text::{Password, Username};
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked.
const PAUSE: Duration = Duration::from_millis(400);
const ORDER: &[&str] = &["username", "email", "display_name", "password"];

#[component]
pub fn Register() -> impl IntoView {
    let chat = use_chat();
    title(|| t("register.title").to_owned());
    let username = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let display_name = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let gender = RwSignal::new(None);
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let suggestions = RwSignal::new(Vec::<Username>::new());
    let free = RwSignal::new(None::<String>);
    let score = RwSignal::new(None::<u8>);
    let advice = RwSignal::new(None::<String>);

    let form = move || RegisterForm {
        username: username.get_untracked(),
        email: email.get_untracked(),
        password: Password::from_typed(password.get_untracked()),
        display_name: Some(display_name.get_untracked()).filter(|name| !name.trim().is_empty()),
        gender: gender.get_untracked(),
    };
    let value_of = move |name: &str| match name {
        "username" => username,
        "email" => email,
        "display_name" => display_name,
        _ => password,
    };
    // What is wrong with a field by the rules that need no server; an empty field is left alone until one sends.
    let local = move |name: &'static str| {
        if value_of(name).with_untracked(String::is_empty) {
            return None;
        }
        form().parse(limits::PASSWORD_MIN).err().and_then(|mut fields| fields.remove(name))
    };

    // The server is asked about what was there when the pause began; an answer about something older is dropped.
    let asked = StoredValue::new(0_u32);
    let ask = move || {
        asked.update_value(|asked| *asked += 1);
        let mine = asked.get_value();
        let check = move || {
            if asked.try_get_value() != Some(mine) {
                return;
            }
            let name = username.get_untracked();
            let wish = |text: String, fine: bool| (fine && !text.is_empty()).then_some(text);
            let question = CheckForm {
                username: wish(name.clone(), local("username").is_none()),
                email: wish(email.get_untracked(), local("email").is_none()),
                password: wish(password.get_untracked(), true).map(Password::from_typed),
            };
            if question == CheckForm::default() {
                return;
            }
            spawn_local(async move {
                let about_name = question.username.is_some();
                let about_password = question.password.is_some();
                // Nobody waits for this answer: without it, sending the form tells the same.
                let Ok(answer) = accounts::check(&chat.api(), &question).await else { return };
                if asked.try_get_value() != Some(mine) {
                    return;
                }
                if about_name {
                    let why = answer.fields.get("username").cloned();
                    free.set(why.is_none().then_some(name));
                    errors.set("username", why);
                    suggestions.set(answer.suggestions);
                }
                if about_password {
                    score.set(answer.password_score);
                    advice.set(answer.password_advice);
                    errors.set("password", answer.fields.get("password").cloned());
                }
            });
        };
        set_timeout(check, PAUSE);
    };
    let changed = move |name: &'static str| {
        Callback::new(move |text: String| {
            errors.set(name, None);
            match name {
                "username" => {
                    suggestions.set(Vec::new());
                    free.set(None);
                }
                "password" if text.is_empty() => {
                    score.set(None);
                    advice.set(None);
                }
                _ => {}
            }
            ask();
        })
    };
    let left = move |name: &'static str| {
        Callback::new(move |()| {
            if let Some(why) = local(name) {
                errors.set(name, Some(why));
            }
        })
    };

    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        if let Err(fields) = form().parse(limits::PASSWORD_MIN) {
            errors.show(fields, ORDER);
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let Err(error) = chat.register(form()).await else { return };
            busy.try_set(false);
            let mut fields = error.fields().cloned().unwrap_or_default();
            if fields.is_empty() && error.code() == Some(ErrorCode::UsernameTaken) {
                fields.insert("username".to_owned(), error.message());
            }
            if fields.keys().any(|name| ORDER.contains(&name.as_str())) {
                errors.show(fields, ORDER);
                ask();
            } else {
                failed.try_set(Some(error));
            }
        });
    });

    let name_hint = move || match free.get() {
        Some(name) => tf("register.username_free", &[("name", &name)]),
        None => t("register.username_hint").to_owned(),
    };
    let password_hint = move || match (score.get(), advice.get()) {
        (Some(score), advice) => {
            let word = match score {
                0 | 1 => t("register.score_weak"),
                2 => t("register.score_fair"),
                3 => t("register.score_good"),
                _ => t("register.score_strong"),
            };
            advice.map_or_else(|| word.to_owned(), |advice| format!("{word}. {advice}"))
        }
        (None, _) => tf("register.password_hint", &[("n", &limits::PASSWORD_MIN.to_string())]),
    };
    let offers = move || {
        let offers = suggestions.get().into_iter().map(|name| {
            let text = name.to_string();
            let take = move |_| {
                username.set(name.to_string());
                errors.set("username", None);
                suggestions.set(Vec::new());
                ask();
            };
            view! {
                <button type="button" data-testid="suggestion" on:click=take>
                    {text}
                </button>
            }
        });
        view! { <span class="suggest">{offers.collect::<Vec<_>>()}</span> }
    };

    view! {
        <Door>
            <form
                class="card"
                novalidate
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit.run(());
                }
            >
                <h1>{t("register.heading")}</h1>
                <p>{t("register.intro")}</p>
                {move || {
                    failed
                        .get()
                        .map(|error| {
                            let retry = error.may_retry().then_some(submit);
                            view! { <Alert text=error.message() retry /> }
                        })
                }}
                <TextField
                    name="username"
                    label=t("field.username")
                    value=username
                    error=errors.of("username")
                    hint=Signal::derive(name_hint)
                    good=Signal::derive(move || free.get().is_some())
                    autocomplete="username"
                    changed=changed("username")
                    left=left("username")
                >
                    {offers}
                </TextField>
                <TextField
                    name="email"
                    label=t("field.email")
                    value=email
                    error=errors.of("email")
                    hint=t("register.email_hint").to_owned()
                    kind="email"
                    autocomplete="email"
                    changed=changed("email")
                    left=left("email")
                />
                <TextField
                    name="display_name"
                    label=t("field.display_name")
                    optional=true
                    value=display_name
                    error=errors.of("display_name")
                    hint=t("register.display_name_hint").to_owned()
                    autocomplete="name"
                    changed=changed("display_name")
                    left=left("display_name")
                />
                <GenderField value=gender unsaid=true />
                <div>
                    <TextField
                        name="password"
                        label=t("field.password")
                        value=password
                        error=errors.of("password")
                        hint=Signal::derive(password_hint)
                        good=Signal::derive(move || score.get().is_some_and(|score| score >= limits::PASSWORD_SCORE))
                        kind="password"
                        autocomplete="new-password"
                        changed=changed("password")
                        left=left("password")
                    />
                    <Meter score />
                </div>
                <button
                    type="submit"
                    class="btn main wide"
                    aria-busy=move || if busy.get() { "true" } else { "false" }
                    disabled=busy
                >
                    {t("register.submit")}
                </button>
            </form>
            <footer>
                <span>
                    {t("register.already")} " "
                    <a class="link" href=move || place::with_next(place::LOGIN, &next_here())>
                        {t("register.login")}
                    </a>
                </span>
            </footer>
        </Door>
    }
}
