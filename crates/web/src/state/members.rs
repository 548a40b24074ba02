//! The members of one room and how far each has received and read: what the ticks are made of.

use natter_shared::account::User;
use natter_shared::id::{Seq, UserId};
use natter_shared::room::{Member, Role};
use std::collections::BTreeMap;

/// How far a message has got with one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    NotYet,
    Received,
    Read,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    members: BTreeMap<UserId, Member>,
    /// Whether all members are here; as long as not, no message counts as received by all.
    complete: bool,
}

impl Members {
    pub fn new(members: impl IntoIterator<Item = Member>, complete: bool) -> Self {
        Self { members: members.into_iter().map(|member| (member.user.id, member)).collect(), complete }
    }

    pub fn get(&self, user: UserId) -> Option<&Member> {
        self.members.get(&user)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Somebody came in at `seq`: what lies before it was there when they came and holds up no tick.
    pub fn joined(&mut self, user: User, online: bool, seq: Seq) {
        let member = Member { user, role: Role::Member, online, delivered: seq, read: seq };
        self.members.entry(member.user.id).or_insert(member);
    }

    pub fn left(&mut self, user: UserId) -> Option<Member> {
        self.members.remove(&user)
    }

    pub fn role(&mut self, user: UserId, role: Role) {
        if let Some(member) = self.members.get_mut(&user) {
            member.role = role;
        }
    }

    pub fn online(&mut self, user: UserId, online: bool) -> bool {
        let Some(member) = self.members.get_mut(&user).filter(|member| member.online != online) else {
            return false;
        };
        member.online = online;
        true
    }

    /// Moves somebody's watermarks; they never go back. Says whether one moved.
    pub fn mark(&mut self, user: UserId, delivered: Seq, read: Seq) -> bool {
        let Some(member) = self.members.get_mut(&user) else { return false };
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

    fn readers(&self, author: UserId, to: Option<UserId>) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| match to {
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
