//! Whom an entry mentions. The names are found in its text where it is queued, and what they mean is read by the log's writer
//! just before it commits, so that what is said one after the other stays in that order, and a batch in which nobody is
//! called costs nothing.
//!
//! Only members are mentioned, never the author; a message to one person mentions that one at most. `@all` calls everybody,
//! in a room of more than `limits::CALLED_BY_ALL_MAX` members only if an administrator of the room says it.

use crate::store::{Call, Heard, Log, NewEntry, Stored};
use natter_shared::entry::EntryKind;
use natter_shared::id::UserId;
use natter_shared::limits;
use natter_shared::mention;
use natter_shared::room::Role;

/// The names in an entry's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    names: Vec<String>,
    everybody: bool,
}

impl Names {
    /// `None` for nearly all entries.
    pub fn of(what: &EntryKind) -> Option<Self> {
        let text = match what {
            EntryKind::Message(content) => content.body.as_str(),
            EntryKind::Edited { body, .. } => body.as_str(),
            _ => return None,
        };
        let mut names: Vec<String> = mention::names(text).into_iter().map(str::to_owned).collect();
        let found = names.len();
        names.retain(|name| name != mention::EVERYBODY);
        let everybody = names.len() < found;
        (found > 0).then_some(Self { names, everybody })
    }
}

/// Says in each entry whom its names mention. One read for all of them; none if there are no names.
pub(super) async fn find(log: &dyn Log, batch: &mut [NewEntry], names: &[Option<Names>]) -> Stored<()> {
    let mut calls = Vec::new();
    let mut callers: Vec<(&mut NewEntry, &Names)> = Vec::new();
    for (entry, names) in batch.iter_mut().zip(names) {
        if let Some(names) = names {
            calls.push(Call { room: entry.room, author: entry.author, names: names.names.clone() });
            callers.push((entry, names));
        }
    }
    if calls.is_empty() {
        return Ok(());
    }
    for ((entry, names), heard) in callers.into_iter().zip(log.heard(&calls).await?) {
        let whom = mentioned(entry.author, names, heard);
        match &mut entry.what {
            EntryKind::Message(content) => content.mentions = only(content.to, whom),
            EntryKind::Edited { mentions, .. } => *mentions = whom,
            _ => {}
        }
    }
    Ok(())
}

/// Whom a text mentions that all in the room may read.
fn mentioned(author: UserId, names: &Names, heard: Heard) -> Vec<UserId> {
    let Heard { members, role, mut people } = heard;
    if names.everybody && (members <= limits::CALLED_BY_ALL_MAX || role >= Some(Role::Admin)) {
        return vec![UserId::EVERYBODY];
    }
    people.retain(|user| *user != author);
    people
}

/// The same for a message to one person.
fn only(to: Option<UserId>, whom: Vec<UserId>) -> Vec<UserId> {
    match to {
        Some(to) if whom.contains(&to) || whom.contains(&UserId::EVERYBODY) => vec![to],
        Some(_) => Vec::new(),
        None => whom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::entry::MessageContent;
    use natter_shared::text::MessageBody;

    fn names(text: &str) -> Option<Names> {
        let body = MessageBody::parse(text).unwrap();
        let content = MessageContent { body, reply_to: None, attachments: Vec::new(), to: None, mentions: Vec::new() };
        Names::of(&EntryKind::Message(content))
    }

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    #[test]
    fn a_text_without_names_asks_for_nothing() {
        assert_eq!(names("hello"), None);
        assert_eq!(names("ann@example.org `@ann`"), None);
        assert_eq!(Names::of(&EntryKind::Joined), None);
        let both = Names { names: vec!["ann".to_owned()], everybody: true };
        assert_eq!(names("@all and @ann"), Some(both));
    }

    #[test]
    fn everybody_is_called_by_anyone_in_a_small_room_and_by_administrators_in_a_large_one() {
        let all = Names { names: Vec::new(), everybody: true };
        let call = |members, role| mentioned(user(1), &all, Heard { members, role, people: vec![user(2)] });
        let everybody = [UserId::EVERYBODY];
        let most = limits::CALLED_BY_ALL_MAX;
        assert_eq!(call(most, Some(Role::Member)), everybody);
        assert_eq!(call(most + 1, Some(Role::Admin)), everybody);
        assert_eq!(call(most + 1, Some(Role::Owner)), everybody);
        // Their other names are mentioned all the same.
        assert_eq!(call(most + 1, Some(Role::Member)), [user(2)]);
        assert_eq!(call(most + 1, None), [user(2)]);
    }

    #[test]
    fn nobody_mentions_themselves_and_a_whisper_mentions_one() {
        let some = Names { names: vec!["ann".to_owned()], everybody: false };
        let heard = Heard { members: 3, role: Some(Role::Member), people: vec![user(1), user(2)] };
        assert_eq!(mentioned(user(1), &some, heard), [user(2)]);
        assert_eq!(only(Some(user(2)), vec![user(3), user(2)]), [user(2)]);
        assert_eq!(only(Some(user(2)), vec![user(3)]), []);
        assert_eq!(only(Some(user(2)), vec![UserId::EVERYBODY]), [user(2)]);
        assert_eq!(only(None, vec![user(3)]), [user(3)]);
    }
}
