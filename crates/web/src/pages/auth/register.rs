//! Making an account. What is typed is checked while it is typed, by the same rules as on the server, and once more there.

use super::Door;
use crate::api::{ApiError, accounts};
use crate::components::field::{Errors, GenderField, TextField};
use crate::components::form::{Submit, on_submit};
use crate::live::{Chat, use_chat};
use crate::locale::{t, tf};
use crate::pages::failure::Failure;
use crate::pages::{next_here, title};
use crate::place;
use leptos::prelude::*;
use natter_shared::account::{CheckForm, Gender, RegisterForm};
use natter_shared::error::ErrorCode;
use natter_shared::limits;
use natter_shared::text::{Password, Username};
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked.
const PAUSE: Duration = Duration::from_millis(400);
const ORDER: &[&str] = &["username", "email", "display_name", "password"];

/// The form as far as it is filled in, and what is known about it.
#[derive(Clone, Copy)]
struct Draft {
    chat: Chat,
    username: RwSignal<String>,
    email: RwSignal<String>,
    display_name: RwSignal<String>,
    password: RwSignal<String>,
    gender: RwSignal<Option<Gender>>,
    errors: Errors,
    failed: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
    /// Free usernames near a taken one.
    suggestions: RwSignal<Vec<Username>>,
    /// The username that the server called free.
    free: RwSignal<Option<String>>,
    score: RwSignal<Option<u8>>,
    advice: RwSignal<Option<String>>,
    /// Counts the questions, so that the answer to an older one is dropped.
    asked: StoredValue<u32>,
}

impl Draft {
    fn new() -> Self {
        Self {
            chat: use_chat(),
            username: RwSignal::default(),
            email: RwSignal::default(),
            display_name: RwSignal::default(),
            password: RwSignal::default(),
            gender: RwSignal::default(),
            errors: Errors::new(),
            failed: RwSignal::default(),
            busy: RwSignal::default(),
            suggestions: RwSignal::default(),
            free: RwSignal::default(),
            score: RwSignal::default(),
            advice: RwSignal::default(),
            asked: StoredValue::new(0),
        }
    }

    fn form(self) -> RegisterForm {
        RegisterForm {
            username: self.username.get_untracked(),
            email: self.email.get_untracked(),
            password: Password::from_typed(self.password.get_untracked()),
            display_name: Some(self.display_name.get_untracked()).filter(|name| !name.trim().is_empty()),
            gender: self.gender.get_untracked(),
        }
    }

    /// What is wrong with a field by the rules that need no server; an empty field is left alone until one sends.
    fn local(self, name: &'static str) -> Option<String> {
        let value = match name {
            "username" => self.username,
            "email" => self.email,
            "display_name" => self.display_name,
            _ => self.password,
        };
        if value.with_untracked(String::is_empty) {
            return None;
        }
        self.form().parse(limits::PASSWORD_MIN).err().and_then(|mut fields| fields.remove(name))
    }

    fn changed(self, name: &'static str, text: &str) {
        self.errors.set(name, None);
        match name {
            "username" => {
                self.suggestions.set(Vec::new());
                self.free.set(None);
            }
            "password" if text.is_empty() => {
                self.score.set(None);
                self.advice.set(None);
            }
            _ => {}
        }
        self.ask();
    }

    fn left(self, name: &'static str) {
        if let Some(why) = self.local(name) {
            self.errors.set(name, Some(why));
        }
    }

    /// Asks the server about what is there after the next pause.
    fn ask(self) {
        self.asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let mine = self.asked.get_value();
        let later = move || {
            if self.asked.try_get_value() == Some(mine) {
                spawn_local(self.check(mine));
            }
        };
        set_timeout(later, PAUSE);
    }

    async fn check(self, mine: u32) {
        let name = self.username.get_untracked();
        let wish = |text: String, fine: bool| (fine && !text.is_empty()).then_some(text);
        let question = CheckForm {
            username: wish(name.clone(), self.local("username").is_none()),
            email: wish(self.email.get_untracked(), self.local("email").is_none()),
            password: wish(self.password.get_untracked(), true).map(Password::from_typed),
        };
        if question == CheckForm::default() {
            return;
        }
        // Nobody waits for this answer: without it, sending the form tells the same.
        let Ok(answer) = accounts::check(&self.chat.api(), &question).await else { return };
        if self.asked.try_get_value() != Some(mine) {
            return;
        }
        if question.username.is_some() {
            let why = answer.fields.get("username").cloned();
            self.free.set(why.is_none().then_some(name));
            self.errors.set("username", why);
            self.suggestions.set(answer.suggestions);
        }
        if question.password.is_some() {
            self.score.set(answer.password_score);
            self.advice.set(answer.password_advice);
            self.errors.set("password", answer.fields.get("password").cloned());
        }
    }

    fn submit(self, keep: bool) {
        if self.busy.get_untracked() {
            return;
        }
        self.failed.set(None);
        // What the server found wrong while the form was filled in is still wrong: a change takes it back.
        let mut fields = self.errors.all();
        if let Err(local) = self.form().parse(limits::PASSWORD_MIN) {
            fields.extend(local);
        }
        if !fields.is_empty() {
            self.errors.show(fields, ORDER);
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let form = self.form();
            let done = if keep { self.chat.keep(form).await } else { self.chat.register(form).await.map(drop) };
            let Err(error) = done else { return };
            self.busy.try_set(false);
            let mut fields = error.fields().cloned().unwrap_or_default();
            if fields.is_empty() && error.code() == Some(ErrorCode::UsernameTaken) {
                fields.insert("username".to_owned(), error.message());
            }
            if fields.keys().any(|name| ORDER.contains(&name.as_str())) {
                self.errors.show(fields, ORDER);
                self.ask();
            } else {
                self.failed.try_set(Some(error));
            }
        });
    }

    fn name_hint(self) -> String {
        match self.free.get() {
            Some(name) => tf("register.username_free", &[("name", &name)]),
            None => t("register.username_hint").to_owned(),
        }
    }

    fn password_hint(self) -> String {
        let Some(score) = self.score.get() else {
            return tf("register.password_hint", &[("n", &limits::PASSWORD_MIN.to_string())]);
        };
        let word = match score {
            0 | 1 => t("register.score_weak"),
            2 => t("register.score_fair"),
            3 => t("register.score_good"),
            _ => t("register.score_strong"),
        };
        self.advice.get().map_or_else(|| word.to_owned(), |advice| format!("{word}. {advice}"))
    }
}

#[component]
pub fn Register(
    /// For a guest who is here already, instead of somebody new.
    keep: bool,
) -> impl IntoView {
    let heading = if keep { t("keep.heading") } else { t("register.heading") };
    title(move || heading.to_owned());
    let draft = Draft::new();
    if let Some(me) = untrack(|| draft.chat.me()).filter(|_| keep) {
        draft.display_name.set(me.display_name.to_string());
    }
    let Draft { username, email, display_name, password, gender, errors, failed, busy, free, score, .. } = draft;
    let submit = Callback::new(move |()| draft.submit(keep));
    let changed = move |name: &'static str| Callback::new(move |text: String| draft.changed(name, &text));
    let left = move |name: &'static str| Callback::new(move |()| draft.left(name));
    view! {
        <Door>
            <form
                class="card"
                novalidate
                on:submit=on_submit(submit)
            >
                <h1>{heading}</h1>
                <p>{if keep { t("keep.intro") } else { t("register.intro") }}</p>
                <Failure failed submit />
                <TextField
                    name="username"
                    label=t("field.username")
                    value=username
                    error=errors.of("username")
                    hint=Signal::derive(move || draft.name_hint())
                    good=Signal::derive(move || free.get().is_some())
                    autocomplete="username"
                    changed=changed("username")
                    left=left("username")
                >
                    <Offers draft />
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
                <TextField
                    name="password"
                    label=t("field.password")
                    value=password
                    error=errors.of("password")
                    hint=Signal::derive(move || draft.password_hint())
                    good=Signal::derive(move || score.get().is_some_and(|score| score >= limits::PASSWORD_SCORE))
                    kind="password"
                    autocomplete="new-password"
                    score
                    changed=changed("password")
                    left=left("password")
                />
                <Submit busy text=t("register.submit") class="btn main wide" />
            </form>
            <footer>
                {if keep {
                    view! {
                        <a class="link" href=place::HOME>
                            {t("keep.later")}
                        </a>
                    }
                        .into_any()
                } else {
                    view! {
                        <span>
                            {t("register.already")} " "
                            <a class="link" href=move || place::with_next(place::LOGIN, &next_here())>
                                {t("register.login")}
                            </a>
                        </span>
                    }
                        .into_any()
                }}
            </footer>
        </Door>
    }
}

/// Free usernames to take with a click.
#[component]
fn Offers(draft: Draft) -> impl IntoView {
    let offer = move |name: Username| {
        let text = name.to_string();
        let take = move |_| {
            draft.username.set(name.to_string());
            draft.changed("username", name.as_str());
        };
        view! {
            <button type="button" data-testid="suggestion" on:click=take>
                {text}
            </button>
        }
    };
    view! { <span class="suggest">{move || draft.suggestions.get().into_iter().map(offer).collect::<Vec<_>>()}</span> }
}
