//! The quick switcher (Ctrl+K): rooms and conversations by name, people by username. Enter goes there.

use super::go_to_room;
use crate::api::accounts;
use crate::components::avatar::Avatar;
use crate::components::dialog::Dialog;
use crate::components::icon::{Icon, Sign};
use crate::live::use_chat;
use crate::locale::t;
use crate::pages::Go;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::id::RoomId;
use natter_shared::room::{RoomKind, Visibility};
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// So long after the last key the server is asked for people.
const PAUSE: Duration = Duration::from_millis(200);
/// So many choices are shown.
const CHOICES: usize = 12;
const PEOPLE: u32 = 8;

#[derive(Clone, PartialEq)]
enum Choice {
    Room { id: RoomId, name: String, icon: Icon, peer: Option<User> },
    Person(User),
}

impl Choice {
    fn key(&self) -> String {
        match self {
            Self::Room { id, .. } => id.to_string(),
            Self::Person(user) => user.id.to_string(),
        }
    }
}

#[component]
pub fn Jump(on_close: Callback<()>) -> impl IntoView {
    let chat = use_chat();
    let go = Go::take();
    let text = RwSignal::new(String::new());
    let people = RwSignal::new(Vec::<User>::new());
    let at = RwSignal::new(0_usize);
    let asking = RwSignal::new(false);

    let choices = Memo::new(move |_| {
        let wanted = text.with(|text| text.trim().trim_start_matches(['#', '@']).to_lowercase());
        let fits = |name: &str| wanted.is_empty() || name.to_lowercase().contains(&wanted);
        let mut found: Vec<Choice> = chat.with_rooms(|rooms| {
            let rooms = rooms.directs().into_iter().chain(rooms.rooms());
            let fitting = rooms.filter(|it| {
                fits(it.room.name.as_str()) || it.room.peer.as_ref().is_some_and(|peer| fits(peer.username.as_str()))
            });
            let choice = fitting.map(|it| Choice::Room {
                id: it.room.id,
                name: it.room.name.to_string(),
                icon: if it.room.visibility == Visibility::Private { Icon::Lock } else { Icon::Hash },
                peer: it.room.peer.clone().filter(|_| it.room.kind == RoomKind::Direct),
            });
            choice.take(CHOICES).collect()
        });
        let known: Vec<_> = found
            .iter()
            .filter_map(|choice| match choice {
                Choice::Room { peer: Some(peer), .. } => Some(peer.id),
                _ => None,
            })
            .collect();
        let me = chat.me().map(|me| me.id);
        people.with(|people| {
            let new = people.iter().filter(|user| !known.contains(&user.id) && Some(user.id) != me);
            found.extend(new.cloned().map(Choice::Person));
        });
        found
    });

    let generation = StoredValue::new(0_u32);
    let changed = move |value: String| {
        text.set(value);
        at.set(0);
        generation.update_value(|it| *it += 1);
        let mine = generation.get_value();
        let ask = move || {
            if generation.try_get_value() != Some(mine) {
                return;
            }
            let wanted = text.with_untracked(|text| text.trim().trim_start_matches('@').to_lowercase());
            if wanted.is_empty() {
                people.set(Vec::new());
                return;
            }
            asking.set(true);
            spawn_local(async move {
                let found = accounts::search(&chat.api(), &wanted, PEOPLE).await;
                if generation.try_get_value() == Some(mine) {
                    asking.set(false);
                    match found {
                        Ok(found) => people.set(found),
                        Err(error) => chat.complain(&error),
                    }
                }
            });
        };
        set_timeout(ask, PAUSE);
    };
    let open = move |choice: Choice| {
        on_close.run(());
        match choice {
            Choice::Room { id, .. } => go_to_room(go, id),
            Choice::Person(user) => spawn_local(async move {
                match chat.direct(&user.username).await {
                    Ok(room) => go_to_room(go, room.id),
                    Err(error) => chat.complain(&error),
                }
            }),
        }
    };
    let step = move |by: isize| {
        let count = choices.with(Vec::len);
        if count > 0 {
            at.update(|at| *at = at.saturating_add_signed(by).min(count - 1));
        }
    };
    let option = move |(index, choice): (usize, Choice)| {
        let taken = choice.clone();
        let chosen = move || at.get() == index;
        let (picture, name, more) = match choice {
            Choice::Room { name, icon, peer: None, .. } => (view! { <Sign icon /> }.into_any(), name, None),
            Choice::Room { name, peer: Some(peer), .. } => {
                (view! { <Avatar face=&peer size="small" /> }.into_any(), name, Some(peer.username.to_string()))
            }
            Choice::Person(user) => (
                view! { <Avatar face=&user size="small" /> }.into_any(),
                user.display_name.to_string(),
                Some(user.username.to_string()),
            ),
        };
        view! {
            <li
                class="item"
                class:chosen=chosen
                id=format!("jump-{index}")
                role="option"
                aria-selected=move || if chosen() { "true" } else { "false" }
                on:mousemove=move |_| {
                    if at.get_untracked() != index {
                        at.set(index);
                    }
                }
                on:click=move |_| open(taken.clone())
            >
                {picture}
                <span class="name">{name}</span>
                {more.map(|more| view! { <small class="soft">"@" {more}</small> })}
            </li>
        }
    };
    view! {
        <Dialog label=t("jump.title") class="jump" on_close>
            <input
                class="input"
                type="text"
                role="combobox"
                aria-label=t("jump.title")
                aria-expanded="true"
                aria-controls="jump-list"
                aria-autocomplete="list"
                aria-activedescendant=move || choices.with(|it| !it.is_empty()).then(|| format!("jump-{}", at.get()))
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                autofocus
                placeholder=t("jump.placeholder")
                prop:value=text
                on:input=move |ev| changed(event_target_value(&ev))
                on:keydown=move |ev| match ev.key().as_str() {
                    "ArrowDown" => {
                        ev.prevent_default();
                        step(1);
                    }
                    "ArrowUp" => {
                        ev.prevent_default();
                        step(-1);
                    }
                    "Enter" if !ev.is_composing() => {
                        ev.prevent_default();
                        if let Some(choice) = choices.with(|it| it.get(at.get_untracked()).cloned()) {
                            open(choice);
                        }
                    }
                    _ => {}
                }
            />
            <ul class="jump-list" id="jump-list" role="listbox" aria-label=t("jump.list")>
                <For each=move || choices.get().into_iter().enumerate() key=|(at, it)| (*at, it.key()) children=option />
            </ul>
            <p class="hint" role="status">
                {move || {
                    if choices.with(|it| !it.is_empty()) {
                        ""
                    } else if asking.get() {
                        t("jump.asking")
                    } else {
                        t("jump.nothing")
                    }
                }}
            </p>
        </Dialog>
    }
}
