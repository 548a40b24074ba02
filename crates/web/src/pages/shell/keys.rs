//! Keys that work everywhere inside, whatever has the focus: the switcher, the sheet of keys, the way from room to room, and
//! that one can write at once. What a part of the page does with a key is its own; the sheet (`sheet.rs`) lists them all.

use super::{Frame, go_to_room};
use crate::components::memo::Memo;
use crate::live::Chat;
use crate::pages::Go;
use crate::place::Place;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

#[derive(Clone, Copy)]
pub struct Keys {
    pub chat: Chat,
    pub go: Go,
    pub frame: Frame,
    pub place: Memo<Place>,
}

impl Keys {
    pub fn pressed(self, ev: &KeyboardEvent) {
        let key = ev.key();
        let control = ev.ctrl_key() || ev.meta_key();
        if control && !ev.alt_key() && key.eq_ignore_ascii_case("k") {
            ev.prevent_default();
            self.frame.open_jump();
        } else if control && !ev.alt_key() && key == "/" {
            ev.prevent_default();
            self.frame.open_keys();
        } else if key == "Escape" {
            self.frame.close();
        } else if dialog_is_open() || ev.is_composing() {
            // Whatever lies above has the keys.
        } else if ev.alt_key() && !control && (key == "ArrowUp" || key == "ArrowDown") {
            ev.prevent_default();
            self.move_on(key == "ArrowDown", ev.shift_key());
        } else if !control && !ev.alt_key() && !is_written_in() {
            if key == "?" {
                ev.prevent_default();
                self.frame.open_keys();
            } else if is_letter(&key) {
                // The letter itself goes where the focus is by then.
                write_on();
            }
        }
    }

    /// Goes to the next room of the rail, or to the one before; `waiting` passes over those in which nothing is new.
    fn move_on(self, forward: bool, waiting: bool) {
        let here = match self.place.get_untracked() {
            Place::Room(room) => Some(room),
            _ => None,
        };
        if let Some(room) = self.chat.peek(|state| state.rooms.beside(here, forward, waiting)) {
            go_to_room(self.go, room);
        }
    }
}

fn dialog_is_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Whether the focus is where letters mean something already.
fn is_written_in() -> bool {
    let fields = "input, textarea, select, [contenteditable]";
    document().active_element().is_some_and(|element: Element| element.matches(fields).unwrap_or(false))
}

/// Whether a key writes something. A blank presses buttons and scrolls.
fn is_letter(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| !c.is_whitespace() && !c.is_control()) && chars.next().is_none()
}

fn write_on() {
    let composer = document().get_element_by_id("composer");
    if let Some(composer) = composer.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = composer.focus();
    }
}
