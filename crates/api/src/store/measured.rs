//! Any store, with each call timed, told as a span of a trace, and logged if it was slow. The one place where that is done:
//! neither the stores nor who calls them count anything.

use super::{
    Accounts, Appended, Call, CreatedRoom, CreatedUser, EntrySlice, EventSearch, Events, Health, Heard, Integrations,
    Kept, KeptGuest, Log, Marked, Marks, MemberRecord, MessageSlice, NewEntry, NewMark, NewRoomRecord, NewSession,
    NewUser, OverviewRecord, Posted, RoomRecord, Rooms, Rotate, Rotation, Search, SessionRecord, Sessions, SetCode,
    Standing, Store, StoreError, Stored, Tally, TallySearch, TokenHash, UploadRecord, Uploads, UserRecord,
};
use crate::metrics::StoreCalls;
use async_trait::async_trait;
use natter_shared::account::{ProfileChange, User};
use natter_shared::entry::Message;
use natter_shared::event::Event;
use natter_shared::id::{ClientId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::page::Window;
use natter_shared::room::Notify;
use natter_shared::text::{JoinCode, Username};
use natter_shared::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument as _;

pub struct Measured {
    store: Arc<dyn Store>,
    calls: StoreCalls,
    /// A call that took longer is a line in the log.
    slow: Duration,
}

impl Measured {
    pub fn new(store: Arc<dyn Store>, calls: StoreCalls, slow: Duration) -> Self {
        Self { store, calls, slow }
    }

    async fn time<T>(&self, operation: &'static str, call: impl Future<Output = Stored<T>>) -> Stored<T> {
        let begun = Instant::now();
        let result = call.instrument(tracing::debug_span!(target: "natter::store", "store", operation)).await;
        let took = begun.elapsed();
        self.calls.took(operation, took);
        if took >= self.slow {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(operation, ms, "a slow call of the store");
        }
        if let Err(error) = &result {
            self.calls.failed(operation, kind(error));
        }
        result
    }
}

const fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unknown(_) => "unknown",
        StoreError::Unwritable(_) => "unwritable",
        StoreError::Broken(_) => "broken",
    }
}

/// Writes the calls of a trait out: each is the store's own, timed under its name.
macro_rules! measured {
    ($($contract:ident { $($call:ident($($name:ident: $given:ty),*) -> $back:ty;)+ })+) => {$(
        #[async_trait]
        impl $contract for Measured {
            $(async fn $call(&self, $($name: $given),*) -> Stored<$back> {
                self.time(stringify!($call), self.store.$call($($name),*)).await
            })+
        }
    )+};
}

measured! {
    Health {
        ping() -> ();
    }
    Accounts {
        create_user(user: NewUser) -> CreatedUser;
        user(id: UserId) -> Option<UserRecord>;
        user_by_name(username: &Username) -> Option<UserRecord>;
        users(ids: &[UserId]) -> Vec<User>;
        taken_usernames(names: &[Username]) -> Vec<Username>;
        search_users(prefix: &str, after: Option<&str>, limit: u32) -> Vec<User>;
        update_profile(id: UserId, change: &ProfileChange) -> Option<UserRecord>;
        set_password(id: UserId, password_hash: &str) -> ();
        set_avatar(id: UserId, url: Option<&str>) -> Option<UserRecord>;
        keep_guest(account: KeptGuest) -> Kept;
        set_admin(id: UserId, admin: bool) -> Option<UserRecord>;
        set_disabled(id: UserId, disabled: bool) -> Option<UserRecord>;
        administrators() -> Vec<UserRecord>;
        search_accounts(prefix: &str, after: Option<&str>, limit: u32) -> Vec<UserRecord>;
        erase_person(id: UserId) -> Option<UserRecord>;
        deletions_under_way(limit: u32) -> Vec<UserId>;
        finish_deletion(id: UserId) -> ();
    }
    Sessions {
        create_session(session: NewSession) -> ();
        session(id: SessionId) -> Option<(SessionRecord, UserRecord)>;
        rotate(rotate: Rotate) -> Rotation;
        sessions_of(user: UserId, now: Timestamp) -> Vec<SessionRecord>;
        revoke_session(user: UserId, id: SessionId, now: Timestamp) -> bool;
        revoke_sessions_of(user: UserId, except: Option<SessionId>, now: Timestamp) -> Vec<SessionId>;
        ended_among(ids: &[SessionId], now: Timestamp) -> Vec<SessionId>;
        prune_sessions(before: Timestamp) -> u64;
    }
    Rooms {
        create_room(room: NewRoomRecord) -> CreatedRoom;
        direct(a: UserId, b: UserId, id: RoomId, now: Timestamp) -> (RoomRecord, bool);
        room(id: RoomId) -> Option<RoomRecord>;
        room_by_code(code: &JoinCode) -> Option<RoomRecord>;
        set_code(id: RoomId, code: Option<&JoinCode>) -> SetCode;
        directory(query: Option<&str>, after: Option<&str>, limit: u32) -> Vec<RoomRecord>;
        every_room(query: Option<&str>, after: Option<&str>, limit: u32) -> Vec<RoomRecord>;
        standing(room: RoomId, user: UserId) -> Standing;
        room_for(room: RoomId, user: UserId) -> Option<(RoomRecord, Standing)>;
        members(room: RoomId) -> Vec<MemberRecord>;
        banned(room: RoomId) -> Vec<User>;
        member(room: RoomId, user: UserId) -> Option<MemberRecord>;
        rooms_of(user: UserId) -> Vec<RoomId>;
        set_notify(room: RoomId, user: UserId, notify: Notify) -> bool;
        overviews(user: UserId) -> Vec<OverviewRecord>;
        surroundings(user: UserId) -> (Vec<OverviewRecord>, Vec<UserId>);
    }
    Log {
        append(batch: Vec<NewEntry>) -> Vec<Appended>;
        heard(calls: &[Call]) -> Vec<Heard>;
        entries_after(room: RoomId, after: Seq, limit: u32) -> Option<EntrySlice>;
        entries_after_many(cursors: &[(RoomId, Seq)], limit: u32) -> Vec<(RoomId, EntrySlice)>;
        heads(rooms: &[RoomId]) -> Vec<(RoomId, Seq)>;
        messages(room: RoomId, reader: UserId, window: Window, limit: u32) -> Option<MessageSlice>;
        message(room: RoomId, seq: Seq) -> Option<Message>;
        sent(room: RoomId, author: UserId, client_id: ClientId) -> Option<Message>;
        pins(room: RoomId, reader: UserId) -> Vec<Message>;
        search(search: Search) -> Vec<Message>;
    }
    Marks {
        raise_marks(marks: Vec<NewMark>) -> Vec<Marked>;
    }
    Integrations {
        integration_by_secret(secret: TokenHash) -> Option<UserRecord>;
        integrations_of(room: RoomId, limit: u32) -> Vec<UserRecord>;
        touch_integration(id: UserId, at: Timestamp) -> ();
        revoke_integration(id: UserId, at: Timestamp) -> bool;
    }
    Uploads {
        add_upload(upload: UploadRecord) -> ();
        upload(id: FileId) -> Option<UploadRecord>;
        post_uploads(ids: &[FileId], owner: UserId, posted: Posted) -> bool;
        uploaded_bytes(owner: UserId) -> u64;
        drop_uploads(ids: &[FileId]) -> Vec<UploadRecord>;
        drop_own_uploads(owner: UserId) -> Vec<UploadRecord>;
        drop_idle_uploads(before: Timestamp, limit: u32) -> Vec<UploadRecord>;
    }
    Events {
        append_events(events: Vec<Event>) -> ();
        events(search: EventSearch) -> Vec<Event>;
        tally_events(search: TallySearch) -> Vec<Tally>;
        prune_events(before: Timestamp) -> u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Registry;
    use crate::store::sqlite::{Options, Sqlite};

    #[tokio::test]
    async fn calls_are_timed_and_their_failures_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Arc::new(Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap());
        let calls = StoreCalls::default();
        let store = Measured::new(Arc::<Sqlite>::clone(&sqlite), calls.clone(), Duration::from_hours(1));
        store.ping().await.unwrap();
        assert_eq!(store.user(UserId::from_bytes([1; 16])).await.unwrap(), None);
        sqlite.close().await;
        store.append(Vec::new()).await.unwrap_err();

        let mut registry = Registry::default();
        calls.register(&mut registry);
        let text = registry.text();
        for line in [
            "natter_store_seconds_count{operation=\"ping\"} 1",
            "natter_store_seconds_count{operation=\"user\"} 1",
            "natter_store_seconds_count{operation=\"append\"} 1",
            "natter_store_failures_total{operation=\"append\",kind=\"unknown\"} 1",
            "natter_store_failures_total{operation=\"append\",kind=\"broken\"} 0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
        }
    }
}
