//! Does what a frame asked for: reads missing ranges, loads rooms afresh, tells how far one has read, sends what waits.

use super::browser;
use super::link;
use super::notices;
use super::tab::Tab;
use super::tabs::Said;
use crate::api::{ApiError, messages, rooms};
use crate::state::{ChatState, Effect, Members, Pins};
use leptos::task::spawn_local;
use natter_shared::entry::Entry;
use natter_shared::frame::{ClientFrame, SendFrame};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::limits::PAGE_DEFAULT;
use std::rc::Rc;

/// A token is fresh for so long, in milliseconds.
const FRESH_MS: i64 = 2_000;
/// A connection that asks so often for another token than the fresh one belongs to another login.
const DOUBTS_MAX: u8 = 3;

pub fn run(tab: &Rc<Tab>, effect: Effect) {
    match effect {
        Effect::CatchUp { room, after } => catch_up(Rc::clone(tab), room, after),
        Effect::Load { room } => spawn_local(load_afresh(Rc::clone(tab), room)),
        Effect::LoadRooms => read_rooms(Rc::clone(tab)),
        Effect::Received { room, seq } => {
            tab.watermarks.borrow_mut().received(room, seq);
            tell_marks(tab);
        }
        Effect::Read { room, seq } => {
            tab.watermarks.borrow_mut().read(room, seq);
            tell_marks(tab);
            if let Some(user) = tab.peek(ChatState::my_id) {
                tab.tell_other_tabs(Said::Read { user, room, seq });
            }
        }
        Effect::LoadMembers { room } => spawn_local(read_members(Rc::clone(tab), room)),
        Effect::LoadPins { room } => spawn_local(read_pins(Rc::clone(tab), room)),
        Effect::Renew => renew(tab),
        Effect::Drain => drain(tab),
        Effect::Call { room, seq } => notices::call(tab, room, seq),
    }
}

/// Gets another token for the connection. One that was renewed just now is shown once more, for the server may have asked
/// before it saw it.
fn renew(tab: &Rc<Tab>) {
    let fresh = tab.api.token_age() < FRESH_MS;
    let doubts = if fresh { tab.token_doubts.get() + 1 } else { 0 };
    tab.token_doubts.set(doubts);
    if doubts >= DOUBTS_MAX {
        tab.token_doubts.set(0);
        link::restart(tab);
        return;
    }
    let tab = Rc::clone(tab);
    spawn_local(async move {
        if !fresh {
            // Whoever hears of renewals shows the new one.
            drop(tab.api.renew().await);
        } else if let Ok(token) = tab.api.token().await {
            link::tell_token(&tab, token);
        }
    });
}

fn catch_up(tab: Rc<Tab>, room: RoomId, after: Seq) {
    spawn_local(async move {
        match messages::entries(&tab.api, room, after).await {
            Ok(page) => tab.change(|state| state.caught_up(room, &page, browser::now())),
            // The next heads of the server ask for it again.
            Err(_) => tab.update(|state| state.catch_up_failed(room)),
        }
    });
}

/// Loads the newest page of a room in place of what is there. A failure leaves what is there.
pub async fn load_afresh(tab: Rc<Tab>, room: RoomId) {
    let mut begins = false;
    tab.update(|state| begins = state.begin_reload(room));
    if !begins {
        return;
    }
    let page = messages::page(&tab.api, room, None, PAGE_DEFAULT).await;
    tab.change(|state| {
        if let Ok(page) = page {
            return state.page_loaded(room, page);
        }
        state.reload_failed(room);
        Vec::new()
    });
}

/// Reads the list of one's own rooms, once at a time; asked for meanwhile, once more after that.
pub fn read_rooms(tab: Rc<Tab>) {
    let (reading, _) = tab.reading_rooms.get();
    tab.reading_rooms.set((true, reading));
    if reading {
        return;
    }
    spawn_local(async move {
        loop {
            tab.reading_rooms.set((true, false));
            let answer = rooms::mine(&tab.api).await;
            let failed = answer.is_err();
            if let Ok(rooms) = answer {
                tab.change(|state| state.rooms_loaded(rooms));
            }
            let (_, again) = tab.reading_rooms.get();
            // After a failure the next welcome brings the list.
            if failed || !again {
                break;
            }
        }
        tab.reading_rooms.set((false, false));
    });
}

/// Reads who is in a room. Without it nothing is shown as received by all; opening the room asks again.
pub async fn read_members(tab: Rc<Tab>, room: RoomId) {
    let version = tab.peek(|state| state.members.get(&room).map_or(0, Members::version));
    if let Ok(members) = rooms::members(&tab.api, room).await {
        tab.change(|state| state.members_loaded(room, members, version));
    }
}

/// Reads what is pinned in a room. Without it nothing is said to be; opening the room asks again.
pub async fn read_pins(tab: Rc<Tab>, room: RoomId) {
    let version = tab.peek(|state| state.pins.get(&room).map_or(0, Pins::version));
    match messages::pins(&tab.api, room).await {
        Ok(page) => tab.change(|state| state.pins_loaded(room, page.items, version)),
        Err(_) => tab.update(|state| state.pins_failed(room)),
    }
}

/// Tells the next watermark, if it is time for one.
pub fn tell_marks(tab: &Rc<Tab>) {
    if !link::is_live(tab) {
        return;
    }
    let Some(frame) = tab.watermarks.borrow_mut().due(browser::now()) else { return };
    if link::post(tab, &frame) {
        return;
    }
    // On an event stream reading is told by REST; having received is known to the server that wrote the stream.
    if let ClientFrame::Read { room, seq } = frame {
        let tab = Rc::clone(tab);
        spawn_local(async move {
            if rooms::read(&tab.api, room, seq).await.is_err_and(|error| error.may_retry()) {
                tab.watermarks.borrow_mut().forget();
                tab.watermarks.borrow_mut().read(room, seq);
            }
        });
    }
}

/// Sends what may go now.
pub fn drain(tab: &Rc<Tab>) {
    let now = browser::now();
    if !link::is_live(tab) || !tab.peek(|state| state.outbox.next_due().is_some_and(|due| due <= now)) {
        return;
    }
    let mut due = Vec::new();
    tab.update(|state| {
        due = state.outbox.due(now);
        state.changes.timelines.extend(due.iter().map(|message| message.room));
    });
    for message in due {
        if !link::post(tab, &ClientFrame::Send(message.clone())) {
            spawn_local(send_by_rest(Rc::clone(tab), message));
        }
    }
}

/// The way to send beside an event stream.
async fn send_by_rest(tab: Rc<Tab>, message: SendFrame) {
    let client_id = message.client_id;
    let (room, form) = message.into_form();
    match messages::send(&tab.api, room, &form).await {
        Ok(entry) => tab.change(|state| state.confirmed(client_id, entry, browser::now())),
        Err(error) => tab.change(|state| refused(state, client_id, &error)),
    }
}

fn refused(state: &mut ChatState, client_id: ClientId, error: &ApiError) -> Vec<Effect> {
    let now = browser::now();
    let room = if error.may_retry() || error.is_signed_out() {
        state.outbox.put_off(client_id, error.retry_after_ms(), now)
    } else {
        state.outbox.refused(client_id, error.message())
    };
    state.changes.timelines.extend(room);
    vec![Effect::Drain]
}

/// Takes in an entry that the answer to a call brought, before or after its push.
pub fn entry(tab: &Rc<Tab>, entry: Entry) {
    tab.change(|state| state.answered(entry, browser::now()));
}
