//! The quick switcher (Ctrl+K): rooms and conversations by name, people by username. Enter goes there.

use super::{Frame, go_to_room};
use crate::api::accounts;
use crate::components::avatar::Avatar;
use crate::components::dialog::Dialog;
use crate::components::drawing::List;
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::{Chat, use_chat};
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
    Room {
        id: RoomId,
        name: String,
        icon: Icon,
        peer: Option<User>,
    },
    Person(User),
    /// The sheet of keys.
    Keys,
}

impl Choice {
    fn key(&self) -> String {
        match self {
            Self::Room { id, .. } => id.to_string(),
            Self::Person(user) => user.id.to_string(),
            Self::Keys => "keys".to_owned(),
        }
    }
}

/// What is looked for and what was found.
#[derive(Clone, Copy)]
struct Finder {
    chat: Chat,
    go: Go,
    frame: Frame,
    text: RwSignal<String>,
    people: RwSignal<Vec<User>>,
    /// Which choice is chosen.
    at: RwSignal<usize>,
    asking: RwSignal<bool>,
    /// Counts what was typed, so that the answer to an older question is dropped.
    generation: StoredValue<u32>,
    on_close: Callback<()>,
}

impl Finder {
    /// The rooms and people that fit.
    fn choices(self) -> Vec<Choice> {
        let wanted = self.text.with(|text| text.trim().trim_start_matches(['#', '@']).to_lowercase());
        let fits = |name: &str| wanted.is_empty() || name.to_lowercase().contains(&wanted);
        let mut found: Vec<Choice> = self.chat.with_rooms(|rooms| {
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
        let talked_to = |user: &User| {
            found.iter().any(|choice| matches!(choice, Choice::Room { peer: Some(peer), .. } if peer.id == user.id))
        };
        let me = self.chat.me().map(|me| me.id);
        let new = self.people.get().into_iter().filter(|user| !talked_to(user) && Some(user.id) != me);
        let new: Vec<Choice> = new.map(Choice::Person).collect();
        found.extend(new);
        if fits(t("keys.title")) || wanted == "?" {
            found.push(Choice::Keys);
        }
        found
    }

    fn typed(self, value: String) {
        self.text.set(value);
        self.at.set(0);
        self.generation.update_value(|it| *it = it.wrapping_add(1));
        let mine = self.generation.get_value();
        let later = move || {
            if self.generation.try_get_value() == Some(mine) {
                self.ask(mine);
            }
        };
        set_timeout(later, PAUSE);
    }

    fn ask(self, mine: u32) {
        let wanted = self.text.with_untracked(|text| text.trim().trim_start_matches('@').to_lowercase());
        if wanted.is_empty() || self.chat.is_guest() {
            self.people.set(Vec::new());
            return;
        }
        self.asking.set(true);
        spawn_local(async move {
            let found = accounts::search(&self.chat.api(), &wanted, PEOPLE).await;
            if self.generation.try_get_value() == Some(mine) {
                self.asking.set(false);
                match found {
                    Ok(found) => self.people.set(found),
                    Err(error) => self.chat.complain(&error),
                }
            }
        });
    }

    fn open(self, choice: Choice) {
        let Self { chat, go, frame, .. } = self;
        self.on_close.run(());
        match choice {
            Choice::Room { id, .. } => go_to_room(go, id),
            Choice::Keys => frame.open_keys(),
            Choice::Person(user) => spawn_local(async move {
                match chat.direct(&user.username).await {
                    Ok(room) => go_to_room(go, room.id),
                    Err(error) => chat.complain(&error),
                }
            }),
        }
    }
}

#[component]
pub fn Jump(on_close: Callback<()>) -> impl IntoView {
    let finder = Finder {
        chat: use_chat(),
        go: Go::take(),
        frame: Frame::take(),
        text: RwSignal::new(String::new()),
        people: RwSignal::new(Vec::new()),
        at: RwSignal::new(0),
        asking: RwSignal::new(false),
        generation: StoredValue::new(0),
        on_close,
    };
    let at = finder.at;
    let choices = Memo::new(move || finder.choices());
    let step = move |by: isize| {
        let count = choices.with(Vec::len);
        if count > 0 {
            at.update(|at| *at = at.saturating_add_signed(by).min(count - 1));
        }
    };
    let keys = move |ev: web_sys::KeyboardEvent| match ev.key().as_str() {
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
            if let Some(choice) = choices.with_untracked(|it| it.get(at.get_untracked()).cloned()) {
                finder.open(choice);
            }
        }
        _ => {}
    };
    let active = move || choices.with(|it| !it.is_empty()).then(|| format!("jump-{}", at.get()));
    let state = move || {
        if choices.with(|it| !it.is_empty()) {
            ""
        } else if finder.asking.get() {
            t("jump.asking")
        } else {
            t("jump.nothing")
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
                aria-activedescendant=active
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                autofocus
                placeholder=t("jump.placeholder")
                prop:value=finder.text
                on:input=move |ev| finder.typed(event_target_value(&ev))
                on:keydown=keys
            />
            <ul class="jump-list" id="jump-list" role="listbox" aria-label=t("jump.list")>
                <List
                    each=move || choices.get().into_iter().enumerate().collect()
                    key=|(index, choice)| format!("{index} {}", choice.key())
                    let((index, choice))
                >
                    <Line finder index choice />
                </List>
            </ul>
            <p class="hint" role="status">
                {move || state()}
            </p>
        </Dialog>
    }
}

#[component]
fn Line(finder: Finder, index: usize, choice: Choice) -> impl IntoView {
    let at = finder.at;
    let chosen = move || at.get() == index;
    let taken = choice.clone();
    let (picture, name, more) = match choice {
        Choice::Room { name, icon, peer: None, .. } => (view! { <Sign icon /> }.into_any(), name, None),
        Choice::Room { name, peer: Some(peer), .. } => {
            (view! { <Avatar face=&peer size="small" /> }.into_any(), name, Some(peer.username.to_string()))
        }
        Choice::Keys => (view! { <Sign icon=Icon::Keys /> }.into_any(), t("keys.title").to_owned(), None),
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
            on:click=move |_| finder.open(taken.clone())
        >
            {picture}
            <span class="name">{name}</span>
            {more.map(|more| view! { <small class="soft">"@" {more}</small> }.into_any())}
        </li>
    }
}
