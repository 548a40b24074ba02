//! The window of a timeline: which rows are in the document, what is drawn or loaded when an edge comes near, and the way
//! to a message that somebody asked for.

use super::RoomFrame;
use super::place_keeper::PlaceKeeper;
use crate::components::memo::Memo;
use crate::live::{Chat, use_chat};
use crate::locale::t;
use crate::state::{Row, RowKey, TimelineView};
use leptos::prelude::*;
use natter_shared::id::{RoomId, Seq};
use wasm_bindgen_futures::spawn_local;

/// So many rows are in the document at most, and so many are exchanged at a time.
const DRAWN: usize = 160;
const STEP: usize = 60;
/// This near to the window's edge, in CSS pixels, the next rows are drawn; this near to the top, older ones are loaded.
const NEAR: i32 = 800;
const NEAR_TOP: i32 = 300;

#[derive(Clone, Copy)]
pub struct Window {
    chat: Chat,
    room: RoomId,
    pub keeper: PlaceKeeper,
    pub view: Memo<TimelineView>,
    rows: Memo<Vec<Row>>,
    /// The first row of the window; none for a window that reaches the end.
    first: RwSignal<Option<RowKey>>,
    /// The rows that are drawn.
    pub drawn: Memo<Vec<Row>>,
    /// Why older messages could not be loaded.
    pub failed: RwSignal<Option<String>>,
    /// Newer messages could not be loaded; tried again when the reader comes down once more.
    stuck: StoredValue<bool>,
}

/// Where the window begins: at a row, or so that it reaches the end.
fn start_of(rows: &[Row], first: Option<RowKey>) -> usize {
    let last = rows.len().saturating_sub(DRAWN);
    first.and_then(|key| rows.iter().position(|row| row.key() == key)).map_or(last, |at| at.min(last))
}

impl Window {
    pub fn new(keeper: PlaceKeeper) -> Self {
        let chat = use_chat();
        let room = RoomFrame::take().room;
        let rows = Memo::new(move || chat.rows(room));
        let first = RwSignal::new(None::<RowKey>);
        let drawn = Memo::new(move || {
            let first = first.get();
            rows.with(|rows| {
                let start = start_of(rows, first);
                rows[start..(start + DRAWN).min(rows.len())].to_vec()
            })
        });
        let view = Memo::new(move || chat.timeline(room));
        let window = Self {
            chat,
            room,
            keeper,
            view,
            rows,
            first,
            drawn,
            failed: RwSignal::new(None),
            stuck: StoredValue::new(false),
        };
        keeper.watch(move || window.reach());
        window
    }

    fn start(self) -> usize {
        self.rows.with_untracked(|rows| start_of(rows, self.first.get_untracked()))
    }

    fn reaches_end(self) -> bool {
        let newer = self.view.try_get_untracked().is_some_and(|view| view.newer);
        !newer && self.reaches_loaded_end()
    }

    fn reaches_loaded_end(self) -> bool {
        self.start() + DRAWN >= self.rows.with_untracked(Vec::len)
    }

    /// Shows the newest messages, which may have to be loaded again.
    pub fn to_end(self) {
        spawn_local(async move {
            let newer = || self.view.try_get_untracked().is_some_and(|view| view.newer);
            if newer() {
                self.chat.newest(self.room).await;
            }
            if self.first.try_get_untracked().is_some() && !newer() {
                self.first.set(None);
                self.keeper.follow();
            }
        });
    }

    /// Takes note of where the reader is, and draws what comes near.
    pub fn scrolled(self) {
        if let Some((above, below)) = self.keeper.around() {
            self.keeper.scrolled(above, below, self.reaches_end());
            self.reach();
        }
    }

    /// Draws or loads what lies beyond an edge that is near.
    fn reach(self) {
        let Some((above, below)) = self.keeper.around() else { return };
        // Nothing of a page that is gone is asked for.
        let Some(view) = self.view.try_get_untracked() else { return };
        let start = self.start();
        if above < NEAR && start > 0 {
            let row = self.rows.with_untracked(|rows| rows.get(start.saturating_sub(STEP)).copied());
            self.first.set(row.map(|row| row.key()));
        } else if above < NEAR_TOP && view.older && !view.loading_older && self.failed.with_untracked(Option::is_none) {
            self.load_older();
        }
        if below >= NEAR {
            self.stuck.set_value(false);
        } else if self.reaches_loaded_end() {
            if view.newer && !view.loading_newer && !self.stuck.get_value() {
                self.load_newer();
            }
        } else {
            let next = self.rows.with_untracked(|rows| {
                let next = start + STEP;
                (next < rows.len().saturating_sub(DRAWN)).then(|| rows[next].key())
            });
            self.first.set(next);
        }
    }

    pub fn load_older(self) {
        self.failed.set(None);
        spawn_local(async move {
            if let Err(error) = self.chat.older(self.room).await {
                self.failed.try_set(Some(error.message()));
            }
        });
    }

    fn load_newer(self) {
        spawn_local(async move {
            if let Err(error) = self.chat.newer(self.room).await {
                self.stuck.try_set_value(true);
                self.chat.complain(&error);
            }
        });
    }

    /// Shows a message, after loading what is around it.
    pub async fn go_to(self, seq: Seq) {
        if self.shows(seq) {
            return;
        }
        // Whoever is on their way to another place does not stay at the end.
        self.keeper.leave_end();
        if let Err(error) = self.chat.around(self.room, seq).await {
            self.chat.complain(&error);
        } else if self.view.try_get_untracked().is_some() && !self.shows(seq) {
            self.chat.tell(t("room.gone_message"));
        }
    }

    /// Shows a message that is loaded; `false` if it is not.
    fn shows(self, seq: Seq) -> bool {
        let Some(at) = self.position(seq) else { return false };
        let start = self.rows.with_untracked(|rows| rows[at.saturating_sub(DRAWN / 2)].key());
        self.first.set(Some(start));
        self.keeper.show(seq);
        true
    }

    /// Where the row of a message is, if it is loaded.
    fn position(self, seq: Seq) -> Option<usize> {
        let is_it = |row: &Row| match row {
            Row::Message(RowKey::Message(at)) => *at == seq,
            Row::Message(key) => {
                self.chat.peek(|state| state.message(self.room, *key)).is_some_and(|message| message.seq == Some(seq))
            }
            Row::Day(_) | Row::New | Row::Event(_) => false,
        };
        self.rows.with_untracked(|rows| rows.iter().position(is_it))
    }
}
