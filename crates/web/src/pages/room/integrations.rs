//! The programs that take part in a room, for its administrators: a list, the form for one more, and its secret, which is
//! shown this once. Nothing of a secret is kept beyond the dialog.

use super::RoomFrame;
use crate::api::{ApiError, integrations};
use crate::components::avatar::Avatar;
use crate::components::copy::CopyButton;
use crate::components::dialog::{Confirm, Dialog};
use crate::components::drawing::{Show, live};
use crate::components::field::{Errors, Segmented, TextField};
use crate::components::form::{Submit, on_submit};
use crate::components::moment::day_and_clock;
use crate::components::notice::{Alert, ListSkeleton};
use crate::live::use_chat;
use crate::locale::{t, tf};
use crate::pages::failure::{Failure, refused};
use leptos::prelude::*;
use natter_shared::error::ErrorCode;
use natter_shared::integration::{Integration, IntegrationForm, IntegrationKind, MadeIntegration, Scope};
use natter_shared::path;
use wasm_bindgen_futures::spawn_local;

const ORDER: &[&str] = &["name", "scopes"];

/// What the dialog works with.
#[derive(Clone, Copy)]
struct Desk {
    found: RwSignal<Option<Result<Vec<Integration>, ApiError>>>,
    made: RwSignal<Option<MadeIntegration>>,
    /// The one that is to be revoked, before somebody says that they mean it.
    ending: RwSignal<Option<Integration>>,
    ask: Callback<()>,
}

#[component]
pub fn Integrations(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let found = RwSignal::new(None);
    let ask = Callback::new(move |()| {
        spawn_local(async move {
            let answer = integrations::all(&chat.api(), room).await;
            found.try_set(Some(answer));
        });
    });
    ask.run(());
    let desk = Desk { found, made: RwSignal::new(None), ending: RwSignal::new(None), ask };
    view! {
        <Dialog label=t("integrations.title") on_close>
            {live(move || match desk.made.get() {
                Some(made) => view! { <Made made desk /> }.into_any(),
                None => view! { <Overview desk on_close /> }.into_any(),
            })}
            {live(move || {
                desk.ending.get().map(|ending| view! { <End ending desk /> }.into_any()).into_any()
            })}
        </Dialog>
    }
}

#[component]
fn Overview(desk: Desk, on_close: Callback<()>) -> impl IntoView {
    let list = live(move || match desk.found.get() {
        None => view! { <ListSkeleton rows=2 /> }.into_any(),
        Some(Err(error)) => view! { <Alert text=error.message() retry=Some(desk.ask) /> }.into_any(),
        Some(Ok(all)) if all.is_empty() => view! { <p class="soft">{t("integrations.none")}</p> }.into_any(),
        Some(Ok(all)) => {
            let lines = all.into_iter().map(|it| view! { <Line it desk /> }.into_any()).collect::<Vec<_>>();
            view! {
                <ul class="cards" aria-label=t("integrations.title")>
                    {lines}
                </ul>
            }
            .into_any()
        }
    });
    view! {
        <h2>{t("integrations.title")}</h2>
        <p>{t("integrations.intro")}</p>
        {list}
        <h3>{t("integrations.new")}</h3>
        <Form desk on_close />
    }
}

const fn kind_word(kind: IntegrationKind) -> &'static str {
    match kind {
        IntegrationKind::Webhook => "integrations.webhook",
        IntegrationKind::Bot => "integrations.bot",
    }
}

const fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::MessagesRead => "integrations.messages_read",
        Scope::MessagesWrite => "integrations.messages_write",
        Scope::MembersRead => "integrations.members_read",
    }
}

#[component]
fn Line(it: Integration, desk: Desk) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let id = it.user.id;
    let live = it.revoked_at.is_none();
    let renew = move |_| {
        busy.set(true);
        spawn_local(async move {
            match integrations::renew(&chat.api(), room, id).await {
                Ok(made) => drop(desk.made.try_set(Some(made))),
                Err(error) => {
                    chat.complain(&error);
                    desk.ask.run(());
                }
            }
            busy.try_set(false);
        });
    };
    let scopes = Vec::from(it.scopes).into_iter().map(|scope| t(scope_word(scope))).collect::<Vec<_>>().join(", ");
    let what = match it.kind {
        IntegrationKind::Webhook => t(kind_word(it.kind)).to_owned(),
        IntegrationKind::Bot => format!("{}: {scopes}", t(kind_word(it.kind))),
    };
    let maker = it.maker.as_ref().map_or_else(|| t("event.somebody").to_owned(), ToString::to_string);
    let when = day_and_clock(it.created_at);
    let used = match (it.revoked_at, it.last_used_at) {
        (Some(at), _) => tf("integrations.revoked", &[("when", &day_and_clock(at))]),
        (None, Some(at)) => tf("integrations.used", &[("when", &day_and_clock(at))]),
        (None, None) => t("integrations.never_used").to_owned(),
    };
    let name = it.user.display_name.to_string();
    let ending = it.clone();
    view! {
        <li class="row-card" data-testid="integration" data-live=if live { "true" } else { "false" }>
            <Avatar face=&it.user size="small" />
            <div class="grow">
                <b>{name}</b>
                <p class="soft">{what}</p>
                <p class="soft">{tf("integrations.made", &[("who", &maker), ("when", &when)])} " · " {used}</p>
            </div>
            {live
                .then(|| {
                    view! {
                        <button type="button" class="btn" disabled=busy on:click=renew>
                            {t("integrations.renew")}
                        </button>
                        <button
                            type="button"
                            class="btn bad"
                            disabled=busy
                            on:click=move |_| desk.ending.set(Some(ending.clone()))
                        >
                            {t("integrations.revoke")}
                        </button>
                    }
                        .into_any()
                })}
        </li>
    }
}

#[component]
fn Form(desk: Desk, on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let name = RwSignal::new(String::new());
    let kind = RwSignal::new(IntegrationKind::Webhook);
    let scopes = RwSignal::new(vec![Scope::MessagesRead, Scope::MessagesWrite]);
    let errors = Errors::new();
    let failed = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let submit = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        failed.set(None);
        let kind = kind.get_untracked();
        let chosen = if kind == IntegrationKind::Bot { scopes.get_untracked() } else { Vec::new() };
        let form = IntegrationForm { name: name.get_untracked(), kind, scopes: chosen };
        if let Err(fields) = form.clone().parse() {
            errors.show(fields, ORDER);
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match integrations::make(&chat.api(), room, &form).await {
                Ok(made) => drop(desk.made.try_set(Some(made))),
                Err(error) => refused(error, (ErrorCode::Other, "name"), errors, ORDER, failed),
            }
            busy.try_set(false);
        });
    });
    let choice = move |scope: Scope| {
        let set = move |on: bool| {
            scopes.update(|all| {
                all.retain(|it| *it != scope);
                if on {
                    all.push(scope);
                }
            });
            errors.set("scopes", None);
        };
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || scopes.with(|all| all.contains(&scope))
                    on:change=move |ev| set(event_target_checked(&ev))
                />
                {t(scope_word(scope))}
            </label>
        }
        .into_any()
    };
    let wrong = errors.of("scopes");
    view! {
        <form class="form" novalidate on:submit=on_submit(submit)>
            <Failure failed submit />
            <TextField
                name="name"
                label=t("integrations.name")
                value=name
                error=errors.of("name")
                hint=t("integrations.name_hint").to_owned()
                changed=Callback::new(move |_| errors.set("name", None))
            />
            <div>
                <Segmented
                    name="kind"
                    legend=t("integrations.kind")
                    value=kind
                    choices=vec![
                        (IntegrationKind::Webhook, t("integrations.webhook")),
                        (IntegrationKind::Bot, t("integrations.bot")),
                    ]
                />
                <p class="note">
                    {move || match kind.get() {
                        IntegrationKind::Webhook => t("integrations.webhook_hint"),
                        IntegrationKind::Bot => t("integrations.bot_hint"),
                    }}
                </p>
            </div>
            <Show when=move || kind.get() == IntegrationKind::Bot>
                <fieldset class="field" id="scopes" tabindex="-1" aria-describedby="scopes-note">
                    <legend>{t("integrations.scopes")}</legend>
                    {Scope::ALL.into_iter().map(choice).collect::<Vec<_>>()}
                    <div class="note" class:bad=move || wrong.get().is_some() id="scopes-note" aria-live="polite">
                        {move || wrong.get().unwrap_or_default()}
                    </div>
                </fieldset>
            </Show>
            <div class="row-btns">
                <button type="button" class="btn" on:click=move |_| on_close.run(())>
                    {t("form.close")}
                </button>
                <Submit busy text=t("integrations.make") />
            </div>
        </form>
    }
}

/// The secret, for the only time, and what to do with it.
#[component]
fn Made(made: MadeIntegration, desk: Desk) -> impl IntoView {
    let room = RoomFrame::take().room;
    let origin = window().location().origin().unwrap_or_default();
    let MadeIntegration { integration, secret } = made;
    let (label, value, example) = match integration.kind {
        IntegrationKind::Webhook => {
            let url = format!("{origin}{}", path::hook(&secret));
            let body = r#"-H 'Content-Type: application/json' -d '{"text":"Hello"}'"#;
            (t("integrations.url"), url.clone(), format!("curl {body} {url}"))
        }
        IntegrationKind::Bot => {
            let url = format!("{origin}{}", path::messages(room));
            let example = format!("curl -H 'Authorization: Bearer {secret}' {url}");
            (t("integrations.token"), secret, example)
        }
    };
    let done = move |_| {
        desk.made.set(None);
        desk.ask.run(());
    };
    view! {
        <h2>{tf("integrations.made_title", &[("name", integration.user.display_name.as_str())])}</h2>
        <p>{t("integrations.once")}</p>
        <div class="handout">
            <span class="legend">{label}</span>
            <code data-testid="integration-secret">{value.clone()}</code>
            <CopyButton label=t("integrations.copy") text=t("integrations.copy").to_owned() value />
            <span class="legend">{t("integrations.example")}</span>
            <code>{example.clone()}</code>
            <CopyButton
                label=t("integrations.copy_example")
                text=t("integrations.copy").to_owned()
                value=example
            />
        </div>
        <div class="row-btns">
            <button type="button" class="btn main" on:click=done>
                {t("integrations.done")}
            </button>
        </div>
    }
}

/// Asks before a secret is made worthless.
#[component]
fn End(ending: Integration, desk: Desk) -> impl IntoView {
    let chat = use_chat();
    let room = RoomFrame::take().room;
    let busy = RwSignal::new(false);
    let id = ending.user.id;
    let close = Callback::new(move |()| desk.ending.set(None));
    let on_act = Callback::new(move |()| {
        busy.set(true);
        spawn_local(async move {
            if let Err(error) = integrations::revoke(&chat.api(), room, id).await {
                chat.complain(&error);
            }
            desk.ask.run(());
            desk.ending.try_set(None);
        });
    });
    let title = tf("integrations.revoke_title", &[("name", ending.user.display_name.as_str())]);
    view! { <Confirm title text=t("integrations.revoke_text") act=t("integrations.revoke") busy on_act on_close=close /> }
}
