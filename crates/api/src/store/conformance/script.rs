//! A random life of a room, the same for the same seed, and what its log says when it is applied.

use super::World;
use super::world::{Dice, body, calling, emoji, message, reply, whisper};
use natter_shared::account::User;
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{FileId, RoomId, Seq, UserId};
use natter_shared::room::Role;
use natter_shared::text::Topic;
use std::collections::BTreeMap;

const EMOJI: [&str; 4] = ["👍", "🎉", "☕", "🚀"];

/// Does `steps` random things, some of which are refused or there already.
pub async fn live(world: &World, room: RoomId, people: &[User], dice: &mut Dice, steps: usize) {
    for _ in 0..steps {
        let head = usize::try_from(world.store.heads(&[room]).await.unwrap()[0].1.get()).unwrap();
        let batch = (0..=dice.below(4)).map(|_| {
            let who = dice.pick(people).clone();
            let what = something(world, &who, people, head, dice);
            world.entry(room, &who, what)
        });
        world.store.append(batch.collect()).await.unwrap();
    }
}

fn something(world: &World, who: &User, people: &[User], head: usize, dice: &mut Dice) -> EntryKind {
    // Mostly something recent, as people do.
    let reach = if dice.below(4) == 0 { head } else { head.min(12) };
    let target = Seq::new(u64::try_from(head - dice.below(reach.max(1))).unwrap()).unwrap();
    let emoji = emoji(dice.pick::<&str>(&EMOJI));
    match dice.below(24) {
        0..=4 => message(&format!("word{} said by {}", dice.below(50), who.username)),
        5 => calling(message(&format!("word{} for some", dice.below(50))), &some(people, dice)),
        6 => reply(&format!("reply{}", dice.below(50)), target),
        7 => whisper(&format!("whisper{}", dice.below(50)), dice.pick(people)),
        8 => match message("a picture") {
            EntryKind::Message(mut content) => {
                content.attachments = vec![FileId::from_bytes(world.fresh()), FileId::from_bytes(world.fresh())];
                EntryKind::Message(content)
            }
            other => other,
        },
        9..=10 => EntryKind::edited(target, body(&format!("edited{}", dice.below(50)))),
        11 => calling(EntryKind::edited(target, body(&format!("edited{}", dice.below(50)))), &some(people, dice)),
        12 => EntryKind::Deleted { target },
        13..=16 => EntryKind::Reacted { target, emoji },
        17..=18 => EntryKind::Unreacted { target, emoji },
        19 => EntryKind::Pinned { target },
        20 => EntryKind::Unpinned { target },
        21 => EntryKind::Left,
        22 => EntryKind::Joined,
        _ if dice.below(2) == 0 => {
            EntryKind::Role { user: dice.pick(people).id, role: *dice.pick(&[Role::Member, Role::Admin]) }
        }
        _ => EntryKind::Topic { topic: Topic::parse(&format!("topic {}", dice.below(9))).unwrap() },
    }
}

/// A few people, or everybody.
fn some(people: &[User], dice: &mut Dice) -> Vec<UserId> {
    if dice.below(4) == 0 {
        return vec![UserId::EVERYBODY];
    }
    let mut some: Vec<UserId> = (0..=dice.below(2)).map(|_| dice.pick(people).id).collect();
    some.dedup();
    some
}

/// The messages that come out if a log is applied, entry by entry.
pub fn applied(log: &[Entry]) -> Vec<Message> {
    let mut messages: BTreeMap<Seq, Message> = BTreeMap::new();
    for entry in log {
        if let Some(message) = Message::from_entry(entry) {
            messages.insert(entry.seq, message);
        } else if let Some(message) = entry.what.target().and_then(|target| messages.get_mut(&target)) {
            message.apply(entry);
        }
    }
    messages.into_values().collect()
}

/// Those of them that `reader` may see, as they may see them.
pub fn seen_by(messages: &[Message], reader: UserId) -> Vec<Message> {
    let visible = |message: &&Message| message.content.to.is_none_or(|to| to == reader) || message.author.id == reader;
    let mut seen: Vec<Message> = messages.iter().filter(visible).cloned().collect();
    for message in seen.iter_mut().filter(|message| message.author.id != reader) {
        message.client_id = None;
    }
    seen
}

/// Who is in the room and as what, if the log is applied.
pub fn members(log: &[Entry], owner: UserId) -> BTreeMap<UserId, Role> {
    let mut members = BTreeMap::new();
    for entry in log {
        let author = entry.author.id;
        match &entry.what {
            EntryKind::Joined if entry.seq.get() == 1 => drop(members.insert(owner, Role::Owner)),
            EntryKind::Joined => drop(members.insert(author, Role::Member)),
            EntryKind::Left => drop(members.remove(&author)),
            EntryKind::Removed { user, .. } => drop(members.remove(user)),
            EntryKind::Role { user, role } => drop(members.insert(*user, *role)),
            _ => {}
        }
    }
    members
}
