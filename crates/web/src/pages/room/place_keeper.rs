//! Keeps a scrolled timeline where its reader is: at the end if they are at the end, else with the topmost row they see at
//! the same height, whatever comes in, changes or leaves above it. It watches the document, so that nobody has to announce
//! a change.

use leptos::html;
use leptos::prelude::*;
use natter_shared::id::Seq;
use std::time::Duration;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// How long a message that was asked for is marked.
const MARKED: Duration = Duration::from_millis(1_800);

/// This near to the end, in CSS pixels, whoever goes down is at the end.
const AT_END: i32 = 16;

type Watch = (web_sys::MutationObserver, web_sys::ResizeObserver, Closure<dyn FnMut(JsValue)>);

#[derive(Clone, Copy)]
pub struct PlaceKeeper {
    log: NodeRef<html::Div>,
    list: NodeRef<html::Ol>,
    following: RwSignal<bool>,
    /// The topmost visible row, and how far below the very beginning of the log its upper edge is, in CSS pixels.
    anchor: StoredValue<Option<(web_sys::Element, f64)>, LocalStorage>,
    /// Where the log stood and how high its content was when it was last looked at, in CSS pixels.
    last: StoredValue<(i32, i32)>,
    /// The message to show as soon as it is drawn.
    goal: StoredValue<Option<Seq>, LocalStorage>,
}

impl PlaceKeeper {
    pub fn new(log: NodeRef<html::Div>, list: NodeRef<html::Ol>) -> Self {
        Self {
            log,
            list,
            following: RwSignal::new(true),
            anchor: StoredValue::new_local(None),
            last: StoredValue::new((0, 0)),
            goal: StoredValue::new_local(None),
        }
    }

    /// Whether the reader is at the end.
    pub fn following(self) -> ReadSignal<bool> {
        self.following.read_only()
    }

    /// How many CSS pixels of the timeline lie above and below what is in view; nothing once it is gone.
    pub fn around(self) -> Option<(i32, i32)> {
        let log = self.log.try_get_untracked().flatten()?;
        Some((log.scroll_top(), log.scroll_height() - log.scroll_top() - log.client_height()))
    }

    /// Goes to the end and stays there.
    pub fn follow(self) {
        self.follow_if(true);
        request_animation_frame(move || self.settle());
    }

    /// The reader is sent elsewhere: what comes in must not take them to the end.
    pub fn leave_end(self) {
        self.follow_if(false);
    }

    /// The reader wants to go up: what comes in must not take them back.
    pub fn let_go(self) {
        let scrollable = self.log.get_untracked().is_some_and(|log| log.scroll_height() > log.client_height());
        if scrollable && self.following.get_untracked() {
            self.remember();
            self.follow_if(false);
        }
    }

    /// Takes note of where the reader is now, `above` and `below` in CSS pixels. Whoever follows the end leaves it by going
    /// up and by nothing else: the end may also have moved away since the scrolling that this event is about.
    pub fn scrolled(self, above: i32, below: i32, reaches_end: bool) {
        let (before, _) = self.last.get_value();
        self.note();
        if reaches_end && (below <= 1 || below <= AT_END && above > before) {
            self.follow_if(true);
        } else if above < before {
            self.follow_if(false);
        } else if self.following.get_untracked() {
            self.settle();
        }
        self.remember();
    }

    fn follow_if(self, following: bool) {
        if self.following.try_get_untracked().is_some_and(|now| now != following) {
            self.following.set(following);
        }
    }

    /// Shows a message as soon as it is drawn.
    pub fn show(self, seq: Seq) {
        self.follow_if(false);
        self.goal.set_value(Some(seq));
        request_animation_frame(move || self.settle());
    }

    /// Moves the focus to the next message, or from the log to the newest. Says whether there was one.
    pub fn step(self, forward: bool) -> bool {
        let Some(list) = self.list.get_untracked() else { return false };
        let focused = document().active_element().filter(|element| element.matches(".msg").unwrap_or(false));
        let mut next = match &focused {
            Some(row) if forward => row.next_element_sibling(),
            Some(row) => row.previous_element_sibling(),
            None => list.last_element_child(),
        };
        while let Some(row) = next {
            if row.matches(".msg").unwrap_or(false) {
                if let Ok(row) = row.dyn_into::<web_sys::HtmlElement>() {
                    let _ = row.focus();
                }
                return true;
            }
            next =
                if forward && focused.is_some() { row.next_element_sibling() } else { row.previous_element_sibling() };
        }
        false
    }

    /// Watches the list and the log for as long as the caller is drawn; `settled` runs after each time the place was kept.
    pub fn watch(self, settled: impl Fn() + Copy + 'static) {
        let watch = StoredValue::new_local(None::<Watch>);
        Effect::new(move |_| {
            let (Some(log), Some(list)) = (self.log.get(), self.list.get()) else { return };
            let changed = Closure::<dyn FnMut(JsValue)>::new(move |_| {
                self.settle();
                request_animation_frame(settled);
            });
            let callback = changed.as_ref().unchecked_ref();
            let (Ok(rows), Ok(sizes)) =
                (web_sys::MutationObserver::new(callback), web_sys::ResizeObserver::new(callback))
            else {
                return;
            };
            let what = web_sys::MutationObserverInit::new();
            what.set_child_list(true);
            what.set_subtree(true);
            what.set_character_data(true);
            let _ = rows.observe_with_options(&list, &what);
            sizes.observe(&log);
            sizes.observe(&list);
            watch.set_value(Some((rows, sizes, changed)));
        });
        on_cleanup(move || {
            if let Some((rows, sizes, _)) = watch.try_update_value(Option::take).flatten() {
                rows.disconnect();
                sizes.disconnect();
            }
        });
    }

    fn note(self) {
        if let Some(log) = self.log.try_get_untracked().flatten() {
            self.last.set_value((log.scroll_top(), log.scroll_height()));
        }
    }

    fn remember(self) {
        let (Some(log), Some(list)) = (self.log.try_get_untracked().flatten(), self.list.try_get_untracked().flatten())
        else {
            return;
        };
        let top = log.get_bounding_client_rect().top();
        let rows = list.children();
        // The rows stand one below the other: the first whose lower edge is in view is found by halving.
        let (mut low, mut high) = (0, rows.length());
        while low < high {
            let middle = low.midpoint(high);
            let above = rows.item(middle).is_some_and(|row| row.get_bounding_client_rect().bottom() <= top);
            if above { low = middle + 1 } else { high = middle }
        }
        // A day's line and the line of what is new stay where they are when older messages come below them.
        while rows.item(low).is_some_and(|row| row.matches(".day, .new").unwrap_or(false)) {
            low += 1;
        }
        let anchor = rows.item(low).map(|row| {
            let below = offset(&log, &row);
            (row, below)
        });
        self.anchor.set_value(anchor);
    }

    /// Puts the reader back where they were.
    fn settle(self) {
        let Some(log) = self.log.try_get_untracked().flatten() else { return };
        if let Some(seq) = self.goal.get_value()
            && self.reveal(seq)
        {
            self.goal.set_value(None);
            return;
        }
        // Somebody who has gone up, of which no event has told yet, is not taken back either.
        let (top, height) = self.last.get_value();
        if self.following.get_untracked() && log.scroll_top() + 1 < top && log.scroll_height() >= height {
            self.follow_if(false);
            self.remember();
        }
        if self.following.get_untracked() {
            log.set_scroll_top(log.scroll_height());
        } else {
            let moved = self.anchor.with_value(|anchor| {
                let (row, below) = anchor.as_ref().filter(|(row, _)| row.is_connected())?;
                Some(offset(&log, row) - below)
            });
            #[expect(clippy::cast_possible_truncation, reason = "a distance in whole pixels")]
            if let Some(moved) = moved.filter(|moved| moved.abs() >= 1.0) {
                log.set_scroll_top(log.scroll_top() + moved.round() as i32);
            }
            self.remember();
        }
        self.note();
    }

    /// Scrolls to a message and marks it; `false` if it is not drawn yet.
    fn reveal(self, seq: Seq) -> bool {
        let Some(list) = self.list.get_untracked() else { return false };
        let Ok(Some(row)) = list.query_selector(&format!("[data-seq=\"{seq}\"]")) else { return false };
        let how = web_sys::ScrollIntoViewOptions::new();
        how.set_block(web_sys::ScrollLogicalPosition::Center);
        row.scroll_into_view_with_scroll_into_view_options(&how);
        self.remember();
        let _ = row.class_list().add_1("flash");
        if let Some(row) = row.dyn_ref::<web_sys::HtmlElement>() {
            let _ = row.focus();
        }
        set_timeout(move || drop(row.class_list().remove_1("flash")), MARKED);
        true
    }
}

/// How far a row is below the very beginning of the log, in CSS pixels: the same wherever the log is scrolled to.
fn offset(log: &web_sys::Element, row: &web_sys::Element) -> f64 {
    let beginning = log.first_element_child().map_or(0.0, |first| first.get_bounding_client_rect().top());
    row.get_bounding_client_rect().top() - beginning
}
