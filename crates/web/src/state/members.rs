//! The members of one room and how far each has received and read: what the ticks are made of.

use super::order::{Order, sorted};
use crate::state::map::Map;
use natter_shared::account::User;
use natter_shared::id::{Seq, UserId};
use natter_shared::room::{Member, Role};

/// How far a message has got with one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    NotYet,
    Received,
    Read,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    all: Map<UserId, Member>,
    /// Whether all members are here; as long as not, no message counts as received by all.
    complete: bool,
    version: u64,
    /// Watermarks that came before the members did.
    early: Map<UserId, (Seq, Seq)>,
}

impl Members {
    /// Takes all members. Watermarks that came while they were read are not older than theirs.
    pub fn load(&mut self, members: Vec<Member>, is_online: impl Fn(UserId) -> bool) {
        let known = std::mem::take(&mut self.all);
        let members = sorted(members, |member| Order::new(0, String::new()).id(*member.user.id.as_bytes()));
        self.all = members.into_iter().map(|member| (member.user.id, member)).collect();
        self.complete = true;
        for (user, member) in self.all.iter_mut() {
            member.online = is_online(*user);
        }
        let known = known.iter().map(|(user, member)| (*user, (member.delivered, member.read)));
        let early = std::mem::take(&mut self.early);
        for (user, (delivered, read)) in early.iter().map(|(user, marks)| (*user, *marks)).chain(known) {
            self.mark(user, delivered, read);
        }
    }

    /// Whether all members are here.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn get(&self, user: UserId) -> Option<&Member> {
        self.all.get(&user)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Somebody came in at `seq`: what lies before it was there when they came and holds up no tick.
    pub fn joined(&mut self, user: User, online: bool, seq: Seq) {
        self.version += 1;
        let member = Member { user, role: Role::Member, online, delivered: seq, read: seq };
        self.all.or_insert_with(member.user.id, || member);
    }

    pub fn left(&mut self, user: UserId) {
        self.version += 1;
        self.all.remove(&user);
    }

    /// Counts who came, went or got a role. A list that was asked for at another version may be older than that.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn role(&mut self, user: UserId, role: Role) {
        self.version += 1;
        if let Some(member) = self.all.get_mut(&user) {
            member.role = role;
        }
    }

    pub fn online(&mut self, user: UserId, online: bool) -> bool {
        let Some(member) = self.all.get_mut(&user).filter(|member| member.online != online) else {
            return false;
        };
        member.online = online;
        true
    }

    /// Takes anew who is online.
    pub fn all_online(&mut self, is_online: impl Fn(UserId) -> bool) {
        for (user, member) in self.all.iter_mut() {
            member.online = is_online(*user);
        }
    }

    /// Moves somebody's watermarks; they never go back. Says whether one moved.
    pub fn mark(&mut self, user: UserId, delivered: Seq, read: Seq) -> bool {
        let Some(member) = self.all.get_mut(&user) else {
            if !self.complete {
                let early = self.early.or_insert_with(user, Default::default);
                *early = (early.0.max(delivered), early.1.max(read));
            }
            return false;
        };
        // Whoever has read a message has also received it.
        let delivered = delivered.max(read).max(member.delivered);
        let read = read.max(member.read);
        let moved = delivered != member.delivered || read != member.read;
        (member.delivered, member.read) = (delivered, read);
        moved
    }

    /// How far the message has got with each of those for whom it is: everybody but the author, or `to` alone.
    pub fn reached(&self, seq: Seq, author: UserId, to: Option<UserId>) -> Vec<(&Member, Reached)> {
        self.readers(author, to).map(|member| (member, reached(member, seq))).collect()
    }

    /// How far it has got with all of them; `None` if there is nobody else, or not everybody is known.
    pub fn reached_by_all(&self, seq: Seq, author: UserId, to: Option<UserId>) -> Option<Reached> {
        if !self.complete {
            return None;
        }
        self.readers(author, to).map(|member| reached(member, seq)).min()
    }

    /// Programs read nothing as people do: no message waits for them.
    fn readers(&self, author: UserId, to: Option<UserId>) -> impl Iterator<Item = &Member> {
        let people = self.all.values().filter(|member| !member.user.bot);
        people.filter(move |member| match to {
            Some(to) => member.user.id == to && to != author,
            None => member.user.id != author,
        })
    }
}

fn reached(member: &Member, seq: Seq) -> Reached {
    if member.read >= seq {
        Reached::Read
    } else if member.delivered >= seq {
        Reached::Received
    } else {
        Reached::NotYet
    }
}
