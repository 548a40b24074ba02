//! A tab without a browser: the state, the frames on their way to it, and the answers that it waits for.

use crate::server::{Server, room, user};
use natter_shared::account::User;
use natter_shared::entry::{Entry, Message};
use natter_shared::frame::{SendFrame, ServerFrame};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::page::{EntryPage, MessagePage};
use natter_shared::room::{Member, RoomOverview};
use natter_shared::timestamp::Timestamp;
use natter_web::state::{ChatState, Effect, Status, Unsent, apply};
use std::collections::VecDeque;

pub const PAGE: usize = 5;

/// The answer to a call, as it was when the server made it.
#[derive(Debug)]
enum Answer {
    CaughtUp(RoomId, EntryPage),
    CatchUpFailed(RoomId),
    Page(RoomId, MessagePage),
    Older(RoomId, Seq, MessagePage),
    Rooms(Vec<RoomOverview>),
    Members(RoomId, Vec<Member>, u64),
    Pins(RoomId, Vec<Message>, u64),
}

pub struct Client {
    pub me: User,
    pub state: ChatState,
    pub now: i64,
    /// Frames on their way.
    pub pipe: VecDeque<ServerFrame>,
    answers: VecDeque<Answer>,
    pub live: bool,
    /// What called for the person.
    pub calls: Vec<(RoomId, Seq)>,
    sent: u8,
}

impl Client {
    /// Somebody who has signed in and is not connected yet.
    pub fn new(n: u8) -> Self {
        let mut state = ChatState::new(120);
        state.sign_in(user(n));
        Self {
            me: user(n),
            state,
            now: 1_000_000,
            pipe: VecDeque::new(),
            answers: VecDeque::new(),
            live: false,
            calls: Vec::new(),
            sent: 0,
        }
    }

    /// Somebody who connects and has everything there is, down to the first message.
    pub fn afresh(n: u8, server: &mut Server, rooms: &[RoomId]) -> Self {
        let mut client = Self::new(n);
        client.connect(server);
        client.settle(server);
        for room in rooms {
            client.open(server, *room);
        }
        client.settle(server);
        for room in rooms {
            client.load_all(server, *room);
        }
        client
    }

    pub fn connect(&mut self, server: &Server) {
        self.disconnect();
        let cursors = self.state.cursors();
        self.state.resuming = !cursors.is_empty();
        self.pipe = server.hello(&self.me, &cursors).into();
        self.live = true;
        self.state.status = Status::Live;
    }

    pub fn disconnect(&mut self) {
        self.pipe.clear();
        self.live = false;
        self.state.outbox.connection_lost();
    }

    /// Hears one frame, if one is there.
    pub fn hear(&mut self, server: &mut Server) {
        if let Some(frame) = self.pipe.pop_front() {
            self.take(server, frame);
        }
    }

    pub fn take(&mut self, server: &mut Server, frame: ServerFrame) {
        let effects = apply(frame, &mut self.state, self.now);
        self.run(server, effects);
    }

    /// The server wrote an entry: those who are in the room hear it.
    pub fn push(&mut self, server: &Server, entry: &Entry) {
        if self.live && server.is_member(entry.room, self.me.id) {
            self.pipe.push_back(ServerFrame::Entries { room: entry.room, entries: vec![entry.seen_by(self.me.id)] });
        }
    }

    fn run(&mut self, server: &mut Server, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::CatchUp { room, after } => {
                    self.answers.push_back(Answer::CaughtUp(room, server.entries(room, self.me.id, after)));
                }
                Effect::Load { room } => {
                    if self.state.begin_reload(room) {
                        self.answers.push_back(Answer::Page(room, server.page(room, self.me.id, None, PAGE)));
                    }
                }
                Effect::LoadRooms => self.answers.push_back(Answer::Rooms(server.overviews(self.me.id))),
                Effect::LoadMembers { room } => self.ask_members(server, room),
                Effect::LoadPins { room } => self.ask_pins(server, room),
                Effect::Received { room, seq } => drop(server.mark(room, self.me.id, seq, Seq::ZERO)),
                Effect::Read { room, seq } => drop(server.mark(room, self.me.id, seq, seq)),
                Effect::Drain => self.drain(server),
                Effect::Call { room, seq } => self.calls.push((room, seq)),
                Effect::Renew => {}
            }
        }
    }

    fn ask_members(&mut self, server: &Server, room: RoomId) {
        let version = self.state.members.get(&room).map_or(0, natter_web::state::Members::version);
        self.answers.push_back(Answer::Members(room, server.members(room), version));
    }

    fn ask_pins(&mut self, server: &Server, room: RoomId) {
        let version = self.state.pins.get(&room).map_or(0, natter_web::state::Pins::version);
        self.answers.push_back(Answer::Pins(room, server.pins(room, self.me.id), version));
    }

    /// Goes into a room.
    pub fn open(&mut self, server: &Server, room: RoomId) {
        if self.state.enter(room) {
            self.answers.push_back(Answer::Page(room, server.page(room, self.me.id, None, PAGE)));
        }
        if !self.state.members.get(&room).is_some_and(natter_web::state::Members::is_complete) {
            self.ask_members(server, room);
        }
        if !self.state.pins.get(&room).is_some_and(natter_web::state::Pins::is_loaded) {
            self.ask_pins(server, room);
        }
    }

    pub fn older(&mut self, server: &Server, room: RoomId) {
        if let Some(before) = self.state.begin_older(room) {
            let page = server.page(room, self.me.id, Some(before), PAGE);
            self.answers.push_back(Answer::Older(room, before, page));
        }
    }

    pub fn attend(&mut self, server: &mut Server, room: Option<RoomId>) {
        let effects = self.state.attend(room);
        self.run(server, effects);
    }

    /// Takes the next answer in.
    pub fn answer(&mut self, server: &mut Server) -> bool {
        let Some(answer) = self.answers.pop_front() else { return false };
        let effects = match answer {
            Answer::CaughtUp(room, page) => self.state.caught_up(room, &page, self.now),
            Answer::CatchUpFailed(room) => {
                self.state.catch_up_failed(room);
                Vec::new()
            }
            Answer::Page(room, page) => self.state.page_loaded(room, page),
            Answer::Older(room, before, page) => {
                self.state.older_loaded(room, before, Some(page));
                Vec::new()
            }
            Answer::Rooms(rooms) => self.state.rooms_loaded(rooms),
            Answer::Members(room, members, version) => self.state.members_loaded(room, members, version),
            Answer::Pins(room, pins, version) => self.state.pins_loaded(room, pins, version),
        };
        self.run(server, effects);
        true
    }

    /// The next answer does not come: the call failed.
    pub fn lose_answer(&mut self) {
        if let Some(Answer::CaughtUp(room, _)) = self.answers.front() {
            self.answers[0] = Answer::CatchUpFailed(*room);
        }
    }

    /// Types and sends something; it goes when it can.
    pub fn sends(&mut self, server: &mut Server, room: RoomId, body: &str) -> ClientId {
        self.sent += 1;
        let client_id = ClientId::from_random_bytes([self.sent; 16]);
        let message =
            SendFrame { client_id, room, body: body.to_owned(), reply_to: None, attachments: Vec::new(), to: None };
        let effects = self.state.send(Unsent::new(message, Timestamp::from_millis(self.now)));
        self.run(server, effects);
        client_id
    }

    pub fn drain(&mut self, server: &mut Server) {
        if !self.live {
            return;
        }
        for frame in self.state.outbox.due(self.now) {
            let me = self.me.clone();
            let before = server.head(frame.room);
            let client_id = frame.client_id;
            let entry = server.sent(&me, frame);
            if entry.seq > before {
                self.push(server, &entry);
            }
            self.pipe.push_back(ServerFrame::Ack { client_id, room: entry.room, seq: entry.seq, at: entry.at });
        }
    }

    /// Hears everything, and lets the server say its heads, until nothing changes any more.
    pub fn settle(&mut self, server: &mut Server) {
        for _ in 0..6 {
            while !self.pipe.is_empty() || !self.answers.is_empty() {
                self.hear(server);
                self.answer(server);
            }
            self.now += 20_000;
            self.drain(server);
            if self.live {
                let heads = server.heads();
                let mine = heads.into_iter().filter(|(room, _)| server.is_member(*room, self.me.id));
                self.pipe.push_back(ServerFrame::Heads { heads: mine.collect() });
            }
        }
        self.pipe.clear();
    }

    pub fn load_all(&mut self, server: &mut Server, room: RoomId) {
        while self.state.timeline_view(room).older {
            self.older(server, room);
            self.settle(server);
        }
    }

    /// What stands in a room's timeline, as words.
    pub fn sees(&self, room: RoomId) -> Vec<String> {
        let rows = self.state.rows(room);
        rows.iter().filter_map(|row| Some(self.state.message(room, row.key())?.body)).collect()
    }
}

/// Ann, connected, in the first room.
pub fn ann_in_a_room(server: &mut Server) -> Client {
    let mut ann = Client::new(0);
    ann.connect(server);
    ann.settle(server);
    ann.open(server, room(0));
    ann.settle(server);
    ann
}
