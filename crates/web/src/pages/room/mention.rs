//! Names after an `@`: offered while they are written, and drawn so that they lead to whom they name.

use super::{Open, RoomFrame};
use crate::components::avatar::Avatar;
use crate::components::dialog::Anchor;
use crate::components::drawing::{List, Show, live};
use crate::components::icon::{Icon, Sign};
use crate::components::memo::Memo;
use crate::live::{Chat, use_chat};
use crate::locale::{t, tn};
use leptos::html;
use leptos::prelude::*;
use natter_shared::account::User;
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits::CALLED_BY_ALL_MAX;
use natter_shared::mention;
use natter_shared::room::{Role, RoomKind};
use wasm_bindgen::JsCast;

#[derive(Clone, PartialEq)]
enum Choice {
    Person(User),
    Everybody,
}

impl Choice {
    fn name(&self) -> &str {
        match self {
            Self::Person(user) => user.username.as_str(),
            Self::Everybody => mention::EVERYBODY,
        }
    }
}

/// A name that is being written.
#[derive(Clone, PartialEq)]
struct Begun {
    /// Where its `@` stands and where it ends, in UTF-16 units, as browsers count.
    from: u32,
    to: u32,
    name: String,
}

/// What is offered for the name that is being written in a field.
#[derive(Clone, Copy)]
pub struct Offer {
    field: NodeRef<html::Textarea>,
    begun: RwSignal<Option<Begun>>,
    /// The `@` for which nothing more shall be offered.
    dismissed: StoredValue<Option<u32>>,
    /// Which choice is chosen.
    at: RwSignal<usize>,
    choices: Memo<Vec<Choice>>,
}

impl Offer {
    pub fn new(room: RoomId, field: NodeRef<html::Textarea>) -> Self {
        let chat = use_chat();
        let begun = RwSignal::new(None::<Begun>);
        let choices = Memo::new(move || {
            let name = begun.with(|begun| begun.as_ref().map(|begun| begun.name.clone()));
            name.map(|name| choices(chat, room, &name)).unwrap_or_default()
        });
        Self { field, begun, dismissed: StoredValue::new(None), at: RwSignal::new(0), choices }
    }

    /// Looks at what stands before the cursor; the text or the cursor's place has changed.
    pub fn look(self) {
        let begun = self.field.get_untracked().and_then(|field| begun(&field));
        let dismissed = self.dismissed.get_value();
        if begun.as_ref().map(|begun| begun.from) != dismissed {
            self.dismissed.set_value(None);
        }
        let begun = begun.filter(|begun| Some(begun.from) != dismissed);
        if self.begun.with_untracked(|before| *before != begun) {
            self.at.set(0);
            self.begun.set(begun);
        }
    }

    /// Offers nothing until the field is looked at again.
    pub fn hide(self) {
        self.begun.set(None);
    }

    /// Offers nothing more for this name.
    fn close(self) {
        if let Some(begun) = self.begun.get_untracked() {
            self.dismissed.set_value(Some(begun.from));
            self.begun.set(None);
        }
    }

    /// Hears a key before anybody else does; `true` if it was for the list.
    pub fn takes_key(self, ev: &web_sys::KeyboardEvent) -> bool {
        let count = self.choices.with_untracked(Vec::len);
        let plain = !(ev.ctrl_key() || ev.meta_key() || ev.alt_key() || ev.shift_key() || ev.is_composing());
        if count == 0 || !plain {
            return false;
        }
        match ev.key().as_str() {
            "ArrowDown" => self.at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => self.at.update(|at| *at = (*at + count - 1) % count),
            "Enter" | "Tab" => self.take(self.at.get_untracked()),
            "Escape" => self.close(),
            _ => return false,
        }
        ev.prevent_default();
        ev.stop_propagation();
        true
    }

    /// Writes the chosen name out.
    fn take(self, at: usize) {
        let name = self.choices.with_untracked(|all| all.get(at).map(|choice| format!("@{} ", choice.name())));
        let (Some(name), Some(begun), Some(field)) = (name, self.begun.get_untracked(), self.field.get_untracked())
        else {
            return;
        };
        let _ = field.focus();
        let _ = field.set_selection_range(begun.from, begun.to);
        // As if it were typed: it can be undone, and whoever hears the field hears this.
        let typed = document().dyn_into::<web_sys::HtmlDocument>().is_ok_and(|document| {
            document.exec_command_with_show_ui_and_value("insertText", false, &name).unwrap_or(false)
        });
        if !typed {
            let _ = field.set_range_text_with_start_and_end(&name, begun.from, begun.to);
            let end = begun.from + u32::try_from(name.len()).unwrap_or(0);
            let _ = field.set_selection_range(end, end);
            if let Ok(event) = web_sys::Event::new("input") {
                let _ = field.dispatch_event(&event);
            }
        }
        self.close();
    }

    pub fn is_open(self) -> bool {
        self.choices.with(|choices| !choices.is_empty())
    }

    /// The id of the chosen line, for `aria-activedescendant`.
    pub fn active(self) -> Option<String> {
        self.is_open().then(|| format!("name-{}", self.at.get()))
    }
}

/// What the cursor stands behind, if that is a name that is being written.
fn begun(field: &web_sys::HtmlTextAreaElement) -> Option<Begun> {
    let start = field.selection_start().ok()??;
    if field.selection_end().ok()?? != start {
        return None;
    }
    let units: Vec<u16> = field.value().encode_utf16().take(usize::try_from(start).ok()?).collect();
    let before = String::from_utf16(&units).ok()?;
    let (at, name) = mention::begun(&before)?;
    let from = u32::try_from(before[..at].encode_utf16().count()).ok()?;
    Some(Begun { from, to: start, name: name.to_owned() })
}

/// Whom the name can mean. Everybody comes last, for those who may call them.
fn choices(chat: Chat, room: RoomId, name: &str) -> Vec<Choice> {
    let mut all: Vec<Choice> = chat.named(room, name).into_iter().map(Choice::Person).collect();
    let calls_all = untrack(|| chat.room(room)).is_some_and(|it| {
        let few = it.room.member_count <= CALLED_BY_ALL_MAX || it.room.role >= Some(Role::Admin);
        it.room.kind == RoomKind::Room && few
    });
    if calls_all && mention::EVERYBODY.starts_with(&name.to_lowercase()) {
        all.push(Choice::Everybody);
    }
    all
}

/// The list of what is offered, above the field.
#[component]
pub fn Names(offer: Offer) -> impl IntoView {
    let each = move || offer.choices.get().into_iter().enumerate().collect::<Vec<_>>();
    let count = move || {
        let count = offer.choices.with(Vec::len);
        if count == 0 { String::new() } else { tn("mention.count.one", "mention.count.other", count) }
    };
    let line = move |(index, choice): (usize, Choice)| {
        let chosen = move || offer.at.get() == index;
        let (picture, name, more) = match choice {
            Choice::Person(user) => (
                view! { <Avatar face=&user size="small" /> }.into_any(),
                user.display_name.to_string(),
                user.username.to_string(),
            ),
            Choice::Everybody => (
                view! { <Sign icon=Icon::People /> }.into_any(),
                t("mention.everybody").to_owned(),
                mention::EVERYBODY.to_owned(),
            ),
        };
        view! {
            <li
                class="item"
                class:chosen=chosen
                id=format!("name-{index}")
                role="option"
                aria-selected=move || if chosen() { "true" } else { "false" }
                on:mousemove=move |_| {
                    if offer.at.get_untracked() != index {
                        offer.at.set(index);
                    }
                }
                // The field keeps the focus.
                on:mousedown=|ev| ev.prevent_default()
                on:click=move |_| offer.take(index)
            >
                {picture}
                <span class="name">{name}</span>
                <small class="soft">"@" {more}</small>
            </li>
        }
    };
    view! {
        <Show when=move || offer.is_open()>
            <ul class="names" id="names" role="listbox" aria-label=t("mention.list")>
                <List each key=|(index, choice)| format!("{index} {}", choice.name()) children=line />
            </ul>
        </Show>
        <span class="vh" role="status">
            {count}
        </span>
    }
}

/// Leads to the oldest new message that mentions the reader, unless it is in view anyway.
#[component]
pub fn FirstMention() -> impl IntoView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let first = Memo::new(move || chat.first_mention(frame.room));
    // The one that was gone to, or did not have to be.
    let done = RwSignal::new(None::<Seq>);
    Effect::new(move |_| {
        if let Some(seq) = first.get() {
            request_animation_frame(move || {
                if is_in_view(seq) {
                    done.try_set(Some(seq));
                }
            });
        }
    });
    let go = move |_| {
        let first = first.get_untracked();
        frame.goal.set(first);
        done.set(first);
    };
    view! {
        <Show when=move || first.get().is_some_and(|seq| done.get() != Some(seq))>
            <button type="button" class="latest mentioned" on:click=go>
                <Sign icon=Icon::Up />
                {t("mention.first")}
            </button>
        </Show>
    }
}

fn is_in_view(seq: Seq) -> bool {
    let log = document().query_selector(".log").ok().flatten();
    let message = document().query_selector(&format!(".log [data-seq='{seq}']")).ok().flatten();
    let (Some(log), Some(message)) = (log, message) else { return false };
    let (log, message) = (log.get_bounding_client_rect(), message.get_bounding_client_rect());
    message.top() >= log.top() && message.bottom() <= log.bottom()
}

/// A name in a message: that of a member opens what one can do with them.
pub fn called(name: &str) -> AnyView {
    let chat = use_chat();
    let frame = RoomFrame::take();
    let name = name.to_owned();
    live(move || {
        let text = format!("@{name}");
        let Some(user) = chat.member_named(frame.room, &name) else {
            let everybody = name == mention::EVERYBODY;
            return view! { <span class:mention=everybody>{text}</span> }.into_any();
        };
        let own = untrack(|| chat.me()).is_some_and(|me| me.id == user.id);
        let open = move |ev: web_sys::MouseEvent| frame.open.set(Some(Open::Person(user.clone(), Anchor::of(&ev))));
        view! {
            <button type="button" class="mention" class:me=own on:click=open>
                {text}
            </button>
        }
        .into_any()
    })
}
