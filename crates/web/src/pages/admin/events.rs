//! The log of events: what happened on the server, newest first, by what kind it is of, whom it is about, and when.

use super::sentence::{Names, sentence};
use super::{More, failure, moments};
use crate::api::{ApiError, admin};
use crate::components::drawing::live;
use crate::components::field::{Errors, TextField};
use crate::components::moment::day_and_clock;
use crate::components::notice::{Empty, ListSkeleton};
use crate::live::use_chat;
use crate::locale::t;
use leptos::prelude::*;
use natter_shared::admin::EventsQuery;
use natter_shared::event::{Event, EventKind};
use natter_shared::text::Username;
use wasm_bindgen_futures::spawn_local;

const A_PAGE: u32 = 50;

/// What a reader may want to see alone: a name, and the kinds.
fn groups() -> [(&'static str, &'static str, Vec<EventKind>); 7] {
    use EventKind as K;
    let counts = [K::MessagesSent, K::EntriesDelivered, K::Online, K::Errors, K::Refresh, K::PasswordRehashed];
    let people = K::ALL.iter().copied().filter(|kind| !counts.contains(kind)).collect();
    [
        ("people", t("admin.kind_people"), people),
        (
            "logins",
            t("admin.kind_logins"),
            vec![
                K::Login,
                K::LoginFailed,
                K::LoginThrottled,
                K::Logout,
                K::Refresh,
                K::RefreshRefused,
                K::RefreshTokenReused,
                K::Revoke,
                K::RevokeAll,
                K::UserSignedOut,
            ],
        ),
        (
            "accounts",
            t("admin.kind_accounts"),
            vec![
                K::Registered,
                K::Guest,
                K::GuestKept,
                K::PasswordChanged,
                K::PasswordChangeFailed,
                K::AccountDeleted,
                K::AccountDeletionFailed,
                K::UserDisabled,
                K::UserEnabled,
                K::AdminGranted,
                K::AdminRevoked,
            ],
        ),
        (
            "rooms",
            t("admin.kind_rooms"),
            vec![
                K::RoomCreated,
                K::RoomJoined,
                K::RoomLeft,
                K::RoomRenamed,
                K::RoomTopic,
                K::RoomVisibility,
                K::RoomArchived,
                K::RoomReopened,
                K::RoomRole,
                K::RoomCodeRenewed,
                K::RoomCodeDropped,
                K::MemberRemoved,
                K::MemberBanned,
                K::MemberUnbanned,
                K::MessageRemoved,
                K::IntegrationMade,
                K::IntegrationRevoked,
            ],
        ),
        (
            "trouble",
            t("admin.kind_trouble"),
            vec![
                K::LoginFailed,
                K::LoginThrottled,
                K::RefreshTokenReused,
                K::TokenRefused,
                K::Denied,
                K::RateLimited,
                K::ForeignOriginRefused,
                K::SocketAbuse,
                K::IntegrationRefused,
                K::UploadRefused,
                K::Errors,
                K::Failed,
                K::EventsDropped,
            ],
        ),
        ("counts", t("admin.kind_counts"), counts.to_vec()),
        ("all", t("admin.kind_all"), Vec::new()),
    ]
}

/// The kinds of a choice, as the server is asked for them: those of a group, or a single one by its word.
fn kinds_of(choice: &str) -> Option<String> {
    let kinds = groups().into_iter().find(|(word, ..)| *word == choice).map(|(.., kinds)| kinds);
    let kinds = kinds.unwrap_or_else(|| vec![EventKind::of(choice)]);
    let words: Vec<&str> = kinds.into_iter().map(EventKind::word).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// What has been read so far.
#[derive(Clone, Default)]
struct Read {
    items: Vec<Event>,
    names: Names,
}

#[component]
pub fn Events() -> impl IntoView {
    let chat = use_chat();
    let kind = RwSignal::new("people".to_owned());
    let person = RwSignal::new(String::new());
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let errors = Errors::new();
    let read = RwSignal::new(None::<Result<Read, ApiError>>);
    let cursor = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let generation = StoredValue::new(0_u32);
    let ask = Callback::new(move |more: bool| {
        let name = person.with_untracked(|name| name.trim().trim_start_matches('@').to_lowercase());
        if !name.is_empty()
            && let Err(why) = Username::parse(&name)
        {
            errors.set("person", Some(why.to_string()));
            return;
        }
        generation.update_value(|it| *it += 1);
        let mine = generation.get_value();
        let query = EventsQuery {
            kind: kinds_of(&kind.get_untracked()),
            person: Some(name).filter(|name| !name.is_empty()),
            from: moments::typed(&from.get_untracked()),
            to: moments::typed(&to.get_untracked()),
            limit: Some(A_PAGE),
            cursor: cursor.get_untracked().filter(|_| more),
        };
        busy.set(true);
        spawn_local(async move {
            let answer = admin::events(&chat.api(), query).await;
            if generation.try_get_value() != Some(mine) {
                return;
            }
            busy.set(false);
            match answer {
                Err(error) if more => chat.complain(&error),
                Err(error) => {
                    if let Some(why) = error.field("person") {
                        errors.set("person", Some(why));
                    }
                    read.set(Some(Err(error)));
                }
                Ok(page) => {
                    cursor.set(page.cursor);
                    let mut so_far = match read.get_untracked() {
                        Some(Ok(so_far)) if more => so_far,
                        _ => Read::default(),
                    };
                    so_far.names.learn(page.people, page.rooms);
                    so_far.items.extend(page.items);
                    read.set(Some(Ok(so_far)));
                }
            }
        });
    });
    let again = Callback::new(move |()| {
        read.set(None);
        ask.run(false);
    });
    ask.run(false);
    view! {
        <form
            class="filters"
            on:submit=move |ev: web_sys::SubmitEvent| {
                ev.prevent_default();
                again.run(());
            }
        >
            <KindField kind again />
            <TextField
                name="person"
                label=t("admin.person")
                value=person
                error=errors.of("person")
                changed=Callback::new(move |_| errors.set("person", None))
            />
            <TimeField name="from" label=t("admin.from") value=from />
            <TimeField name="to" label=t("admin.to") value=to />
            <button type="submit" class="btn main">
                {t("admin.show")}
            </button>
        </form>
        {live(move || match read.get() {
            None => view! { <ListSkeleton rows=8 /> }.into_any(),
            Some(Err(error)) => failure(&error, again),
            Some(Ok(read)) if read.items.is_empty() => {
                view! { <Empty title=t("admin.no_events") text=t("admin.no_events_text") /> }.into_any()
            }
            Some(Ok(read)) => {
                view! {
                    <ol class="events" aria-label=t("admin.events")>
                        {read.items.iter().map(|event| line(event, &read.names)).collect::<Vec<_>>()}
                    </ol>
                }
                    .into_any()
            }
        })}
        <More cursor busy on_more=Callback::new(move |()| ask.run(true)) />
    }
}

fn line(event: &Event, names: &Names) -> AnyView {
    let text = sentence(event, names);
    view! {
        <li data-testid="event-line" data-kind=event.kind.word()>
            <time datetime=event.at.to_string()>{day_and_clock(event.at)}</time>
            <span class="grow">{text}</span>
            <small class="soft">{event.ip.clone().unwrap_or_default()}</small>
        </li>
    }
    .into_any()
}

#[component]
fn KindField(kind: RwSignal<String>, again: Callback<()>) -> impl IntoView {
    let groups = groups().map(|(word, name, _)| view! { <option value=word>{name}</option> }.into_any());
    let single =
        EventKind::ALL.iter().map(|kind| view! { <option value=kind.word()>{kind.word()}</option> }.into_any());
    view! {
        <div class="field">
            <label for="kind">{t("admin.kind")}</label>
            <select
                class="input"
                id="kind"
                prop:value=kind
                on:change=move |ev| {
                    kind.set(event_target_value(&ev));
                    again.run(());
                }
            >
                {groups.into_iter().collect::<Vec<_>>()}
                <optgroup label=t("admin.kind_single")>{single.collect::<Vec<_>>()}</optgroup>
            </select>
        </div>
    }
}

/// A date and a time of this place.
#[component]
fn TimeField(name: &'static str, label: &'static str, value: RwSignal<String>) -> impl IntoView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                class="input"
                id=name
                type="datetime-local"
                prop:value=value
                on:input=move |ev| value.set(event_target_value(&ev))
            />
        </div>
    }
}
