//! The handle that components use: what they may do. Each answers with what went wrong, in words for the person.

use super::chat::Chat;
use super::{browser, effects, kept, link, session};
use crate::api::{ApiError, messages, rooms};
use crate::state::{Load, ToastKind, Unsent};
use natter_shared::account::{AccountDeletion, GuestForm, LoginForm, RegisterForm, User};
use natter_shared::frame::{ClientFrame, SendFrame};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::limits::PAGE_DEFAULT;
use natter_shared::room::{Notify, Room, RoomForm};
use natter_shared::text::{Emoji, MessageBody, TextError, Username};
use std::rc::Rc;

/// Typing is told at most once in so many milliseconds; a notice holds longer than that.
const TYPING_MS: i64 = 3_000;

impl Chat {
    pub async fn login(&self, form: LoginForm) -> Result<User, ApiError> {
        session::login(&self.tab(), form).await
    }

    pub async fn register(&self, form: RegisterForm) -> Result<User, ApiError> {
        session::register(&self.tab(), form).await
    }

    pub async fn come_as_guest(&self, form: GuestForm) -> Result<User, ApiError> {
        session::come_as_guest(&self.tab(), form).await
    }

    /// Makes an account of the guest that one is.
    pub async fn keep(&self, form: RegisterForm) -> Result<(), ApiError> {
        session::keep(&self.tab(), form).await
    }

    /// One's own profile changed.
    pub fn renamed(&self, user: User) {
        self.tab().update(|state| {
            if state.my_id() == Some(user.id) {
                state.sign_in(user);
                state.changes.people = true;
            }
        });
    }

    /// Ends the login, here and in the other tabs. After an error one is still signed in.
    pub async fn logout(&self) -> Result<(), ApiError> {
        session::logout(&self.tab()).await
    }

    /// Deletes the account, for good. After an error it is still there.
    pub async fn delete_account(&self, form: AccountDeletion) -> Result<(), ApiError> {
        session::delete_account(&self.tab(), form).await
    }

    /// Puts a message into the outbox, with the images that are ready in the room's tray: it is shown at once, kept over a
    /// reload, and sent as soon as possible. Forgets the room's draft.
    pub fn send(
        &self,
        room: RoomId,
        body: &str,
        reply_to: Option<Seq>,
        to: Option<UserId>,
    ) -> Result<ClientId, TextError> {
        let attachments = self.tray(room).ready();
        let body = if attachments.is_empty() { MessageBody::parse(body) } else { MessageBody::parse_caption(body) }?;
        let client_id = browser::client_id()
            .ok_or_else(|| TextError::new("This browser has no source of randomness. Try another browser"))?;
        let message = SendFrame { client_id, room, body: body.as_str().to_owned(), reply_to, attachments, to };
        let tab = self.tab();
        tab.change(|state| state.send(Unsent::new(message, browser::timestamp())));
        self.set_draft(room, "");
        self.clear_tray(room);
        Ok(client_id)
    }

    /// Sends a refused message after all.
    pub fn resend(&self, client_id: ClientId) {
        self.tab().change(|state| {
            let room = state.outbox.resend(client_id, browser::timestamp());
            state.changes.timelines.extend(room);
            vec![crate::state::Effect::Drain]
        });
    }

    /// Takes a message that was not sent off the screen and gives its text back. `None` if it may be on the server already.
    pub fn discard(&self, client_id: ClientId) -> Option<String> {
        let mut text = None;
        self.tab().update(|state| {
            text = state.outbox.discard(client_id).map(|item| {
                state.changes.timelines.insert(item.message.room);
                item.message.body
            });
        });
        text
    }

    /// Keeps what is typed in a room, over a reload as well.
    pub fn set_draft(&self, room: RoomId, text: &str) {
        let tab = self.tab();
        let mut changed = false;
        tab.update(|state| changed = state.drafts.set(room, text));
        if let (true, Some(user)) = (changed, tab.peek(crate::state::ChatState::my_id)) {
            tab.storage_worked(kept::put_draft(user, room, text));
        }
    }

    /// The person types in a room: the others are told, now and then.
    pub fn typed(&self, room: RoomId) {
        let tab = self.tab();
        let now = browser::now();
        if now.saturating_sub(tab.typing_told.get()) >= TYPING_MS && link::post(&tab, &ClientFrame::Typing { room }) {
            tab.typing_told.set(now);
        }
    }

    /// The newest message of this room is in view in a visible tab, or of none: what is there is read.
    pub fn attend(&self, room: Option<RoomId>) {
        let tab = self.tab();
        if tab.peek(|state| state.attended != room) {
            tab.change(|state| state.attend(room));
        }
    }

    /// Tries to connect now instead of later.
    pub fn retry_now(&self) {
        link::retry_now(&self.tab());
    }

    pub fn dismiss(&self, toast: u64) {
        self.tab().update(|state| state.changes.toasts |= state.toasts.dismiss(toast));
    }

    /// Tells the person something in passing.
    pub fn tell(&self, text: impl Into<String>) {
        self.tab().toast(ToastKind::Told(text.into()));
    }

    /// Tells the person what went wrong.
    pub fn complain(&self, error: &ApiError) {
        self.tab().toast(ToastKind::Failed(error.message()));
    }

    /// Goes into a room: loads its newest messages and members, unless they are there. How that went also stands in
    /// [`Chat::timeline`].
    pub async fn open(&self, room: RoomId) -> Result<(), ApiError> {
        let tab = self.tab();
        let mut load = false;
        let mut members = false;
        let mut pins = false;
        tab.update(|state| {
            load = state.enter(room);
            pins = !state.pins.get(&room).is_some_and(crate::state::Pins::is_loaded);
            members = !state.members.get(&room).is_some_and(crate::state::Members::is_complete);
        });
        if load {
            match messages::page(&tab.api, room, None, PAGE_DEFAULT).await {
                Ok(page) => tab.change(|state| state.page_loaded(room, page)),
                Err(error) => {
                    let how = if error.is_not_found() { Load::NotFound } else { Load::Failed(error.message()) };
                    tab.update(|state| state.page_failed(room, how));
                    return Err(error);
                }
            }
        }
        if pins {
            leptos::task::spawn_local(effects::read_pins(Rc::clone(&tab), room));
        }
        if members {
            effects::read_members(tab, room).await;
        }
        Ok(())
    }

    /// Reads anew who is in a room and how far each has read. In large rooms the server doesn't push that.
    pub async fn look_round(&self, room: RoomId) {
        effects::read_members(self.tab(), room).await;
    }

    /// Loads one page of older messages in front, if there is one and it is not on its way.
    pub async fn older(&self, room: RoomId) -> Result<(), ApiError> {
        let tab = self.tab();
        let mut before = None;
        tab.update(|state| before = state.begin_older(room));
        let Some(before) = before else { return Ok(()) };
        let page = messages::page(&tab.api, room, Some(before), PAGE_DEFAULT).await;
        let (page, result) = apart(page);
        tab.update(|state| state.older_loaded(room, before, page));
        result
    }

    /// Loads one page of those newer messages that were let go, if there is one and it is not on its way.
    pub async fn newer(&self, room: RoomId) -> Result<(), ApiError> {
        let tab = self.tab();
        let mut after = None;
        tab.update(|state| after = state.begin_newer(room));
        let Some(after) = after else { return Ok(()) };
        let page = messages::page_at(&tab.api, room, ("after", after), PAGE_DEFAULT).await;
        let (page, result) = apart(page);
        tab.change(|state| {
            state.newer_loaded(room, after, page);
            state.read_gap(room).into_iter().collect()
        });
        result
    }

    /// Loads the page around a message in place of what is loaded.
    pub async fn around(&self, room: RoomId, seq: Seq) -> Result<(), ApiError> {
        let tab = self.tab();
        let mut begins = false;
        tab.update(|state| begins = state.begin_around(room));
        if !begins {
            return Ok(());
        }
        let page = messages::page_at(&tab.api, room, ("around", seq), PAGE_DEFAULT).await;
        let (page, result) = apart(page);
        tab.change(|state| {
            state.around_loaded(room, page);
            state.read_gap(room).into_iter().collect()
        });
        result
    }

    /// The end of this room's timeline is in view, or that of none.
    pub fn stand_at_end(&self, room: Option<RoomId>) {
        let tab = self.tab();
        if tab.peek(|state| state.at_end != room) {
            tab.update(|state| {
                state.stand_at_end(room);
                state.changes.timelines.extend(room);
            });
        }
    }

    /// Loads the newest page afresh.
    pub async fn newest(&self, room: RoomId) {
        effects::load_afresh(self.tab(), room).await;
    }

    /// Makes a room; one is in it then.
    pub async fn create_room(&self, form: RoomForm) -> Result<Room, ApiError> {
        let made = rooms::create(&self.api(), &form).await?;
        self.entered(made).await
    }

    pub async fn join(&self, room: RoomId) -> Result<Room, ApiError> {
        let joined = rooms::join(&self.api(), room).await?;
        self.entered(joined).await
    }

    pub async fn join_code(&self, code: &str) -> Result<Room, ApiError> {
        let joined = rooms::join_by_code(&self.api(), code).await?;
        self.entered(joined).await
    }

    /// Opens the direct conversation with somebody, made on first use.
    pub async fn direct(&self, username: &Username) -> Result<Room, ApiError> {
        let opened = rooms::direct(&self.api(), username).await?;
        self.entered(opened).await
    }

    /// Has the room in the list before the page goes there.
    async fn entered(&self, room: Room) -> Result<Room, ApiError> {
        let tab = self.tab();
        if tab.peek(|state| !state.rooms.contains(room.id)) {
            // If this fails the list comes with a frame of its own a moment later.
            if let Ok(mine) = rooms::mine(&tab.api).await {
                tab.change(|state| state.rooms_loaded(mine));
            }
        }
        Ok(room)
    }

    /// Chooses what of a room calls for one's attention, on all devices.
    pub async fn set_notify(&self, room: RoomId, notify: Notify) -> Result<(), ApiError> {
        rooms::set_notify(&self.api(), room, notify).await?;
        self.tab().update(|state| state.notify_set(room, notify));
        Ok(())
    }

    pub async fn leave(&self, room: RoomId) -> Result<(), ApiError> {
        let tab = self.tab();
        tab.update(|state| {
            state.leaving.insert(room);
        });
        let left = rooms::leave(&tab.api, room).await;
        tab.update(|state| {
            state.leaving.remove(&room);
            if left.is_ok() {
                state.forget_room(room);
            }
        });
        left
    }

    /// Fills the directory with public rooms, from the start or from `cursor` on. Returns the next cursor.
    pub async fn load_directory(&self, q: Option<String>, cursor: Option<String>) -> Result<Option<String>, ApiError> {
        let tab = self.tab();
        let fresh = cursor.is_none();
        let page = rooms::directory(&tab.api, q, cursor).await?;
        tab.update(|state| {
            state.rooms.list(page.items, fresh);
            state.changes.rooms = true;
        });
        Ok(page.cursor)
    }

    pub async fn edit(&self, room: RoomId, seq: Seq, body: String) -> Result<(), ApiError> {
        let Some(client_id) = browser::client_id() else { return Err(ApiError::Unreachable) };
        let entry = messages::edit(&self.api(), room, seq, client_id, body).await?;
        effects::entry(&self.tab(), entry);
        Ok(())
    }

    pub async fn delete(&self, room: RoomId, seq: Seq) -> Result<(), ApiError> {
        let entry = messages::delete(&self.api(), room, seq).await?;
        effects::entry(&self.tab(), entry);
        Ok(())
    }

    /// Pins a message for all in the room, or takes the pin away.
    pub async fn pin(&self, room: RoomId, seq: Seq, on: bool) -> Result<(), ApiError> {
        let entry = messages::pin(&self.api(), room, seq, on).await?;
        effects::entry(&self.tab(), entry);
        Ok(())
    }

    /// Adds or takes back one's own reaction.
    pub async fn react(&self, room: RoomId, seq: Seq, emoji: &Emoji, on: bool) -> Result<(), ApiError> {
        let entry = messages::react(&self.api(), room, seq, emoji, on).await?;
        effects::entry(&self.tab(), entry);
        Ok(())
    }
}

fn apart<T>(answer: Result<T, ApiError>) -> (Option<T>, Result<(), ApiError>) {
    match answer {
        Ok(page) => (Some(page), Ok(())),
        Err(error) => (None, Err(error)),
    }
}
