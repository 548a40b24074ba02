//! Messages: saying, changing and reading them. Whether somebody may write is judged inside the write (`Log::append`), so
//! that nobody gets in between; whether somebody may read is asked at every call.

mod pins;
mod read;
mod resume;
mod search;
mod stretches;

#[cfg(test)]
mod tests;

use super::access::{self, AccessError, Denied};
use super::events::Note;
use super::log_writer::{LogWriter, WriteError};
use super::pictures::Pictures;
use super::{Caller, Parts, rate};
use crate::bus::TooOften;
use crate::store::{Appended, NewEntry, Refused, RoomRecord, StoreError};
use natter_shared::entry::{EditForm, Entry, EntryKind, Message, MessageForm};
use natter_shared::error::Fields;
use natter_shared::event::EventKind;
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::integration::Scope;
use natter_shared::room::{Role, RoomKind};
use natter_shared::text::Emoji;
use std::sync::Arc;
use stretches::Stretches;

/// Why something about a message was refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessageError {
    /// No such room or message, or not for this caller.
    #[error("no such room or message")]
    Unknown,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("the room is archived")]
    Archived,
    #[error("a message takes no more different reactions")]
    TooManyReactions,
    #[error("the room has as many pinned messages as it can have")]
    TooManyPins,
    #[error("a field is not accepted")]
    Invalid(Fields),
    #[error("too often")]
    TooOften(TooOften),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Denied> for MessageError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::Unknown,
            Denied::Forbidden(why) => Self::Forbidden(why),
        }
    }
}

impl From<AccessError> for MessageError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => denied.into(),
            AccessError::Store(error) => error.into(),
        }
    }
}

/// An entry that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// As the caller sees it.
    pub entry: Entry,
    /// It was there already: this is the first answer again.
    pub again: bool,
}

pub struct Messages {
    parts: Parts,
    log: LogWriter,
    pictures: Pictures,
    /// What clients that catch up are reading.
    stretches: Stretches,
}

impl Messages {
    pub fn new(parts: &Parts, log: LogWriter, pictures: Pictures) -> Self {
        let stretches = Stretches::new(Arc::clone(&parts.store), resume::STRETCH_MAX);
        Self { parts: parts.clone(), log, pictures, stretches }
    }

    /// Says something. A repeat with the same `client_id` is answered with the first entry, whatever else it holds. But for
    /// its images nothing is looked up before it is queued, so what is said one after the other is in the log one after the
    /// other.
    pub async fn send(&self, caller: &Caller, room: RoomId, form: MessageForm) -> Result<Sent, MessageError> {
        access::scope(caller, Scope::MessagesWrite)?;
        let (client_id, content) = form.parse().map_err(MessageError::Invalid)?;
        if content.to == Some(caller.user) {
            return Err(field("to", "A message to one person is for somebody else"));
        }
        let long = self.parts.take_for_user("messages_long", caller.user, rate::MESSAGES_LONG).await;
        long.map_err(MessageError::TooOften)?;
        let short = self.parts.take_for_user("messages", caller.user, rate::MESSAGES).await;
        short.map_err(MessageError::TooOften)?;
        if !content.attachments.is_empty() && !self.pictures.post(caller, room, client_id, &content.attachments).await?
        {
            return Err(field("attachments", "An image is not there any more. Choose it again"));
        }
        self.write(caller, room, Some(client_id), EntryKind::Message(content)).await
    }

    /// Changes the text of one's own message. A whisper stays as it is: an entry that repeats its text would go to all.
    pub async fn edit(&self, caller: &Caller, room: RoomId, target: Seq, form: EditForm) -> Result<Sent, MessageError> {
        access::scope(caller, Scope::MessagesWrite)?;
        let (client_id, body) = form.parse().map_err(MessageError::Invalid)?;
        self.allow_change(caller).await?;
        let (_, _, message) = self.target(caller, room, target, "edit a message").await?;
        if message.author.id != caller.user {
            access::log(&self.parts.events, caller, room, "edit a message of somebody else");
            return Err(MessageError::Forbidden(NOT_AUTHOR));
        }
        refuse_whisper(&message)?;
        self.write(caller, room, Some(client_id), EntryKind::edited(target, body)).await
    }

    /// Deletes one's own message, or, as an administrator of the room, anybody's. Its text is gone for good.
    pub async fn delete(&self, caller: &Caller, room: RoomId, target: Seq) -> Result<Sent, MessageError> {
        access::scope(caller, Scope::MessagesWrite)?;
        self.allow_change(caller).await?;
        let (record, role, message) = self.target(caller, room, target, "delete a message").await?;
        let administers = record.kind == RoomKind::Room && role >= Role::Admin;
        if message.author.id != caller.user && !administers {
            access::log(&self.parts.events, caller, room, "delete a message of somebody else");
            return Err(MessageError::Forbidden("Only its author and the room's administrators can delete a message"));
        }
        let deleted = self.write(caller, room, None, EntryKind::Deleted { target }).await?;
        if message.author.id != caller.user && !deleted.again {
            let removed = Note::of(EventKind::MessageRemoved).by(caller.user).to(message.author.id);
            self.parts.events.note(removed.in_room(room));
        }
        self.pictures.forget(&message.content.attachments).await;
        Ok(deleted)
    }

    /// Adds the caller's reaction; if it is there already, its entry is the answer.
    pub async fn react(&self, caller: &Caller, room: RoomId, target: Seq, emoji: &str) -> Result<Sent, MessageError> {
        let emoji = self.reaction(caller, room, target, emoji, "react to a message").await?;
        self.write(caller, room, None, EntryKind::Reacted { target, emoji }).await
    }

    /// Takes the caller's reaction back.
    pub async fn unreact(&self, caller: &Caller, room: RoomId, target: Seq, emoji: &str) -> Result<Sent, MessageError> {
        let emoji = self.reaction(caller, room, target, emoji, "take a reaction back").await?;
        self.write(caller, room, None, EntryKind::Unreacted { target, emoji }).await
    }

    async fn reaction(
        &self,
        caller: &Caller,
        room: RoomId,
        target: Seq,
        emoji: &str,
        what: &'static str,
    ) -> Result<Emoji, MessageError> {
        access::scope(caller, Scope::MessagesWrite)?;
        let emoji = Emoji::parse(emoji).map_err(|why| field("emoji", why.to_string()))?;
        self.allow_change(caller).await?;
        let (_, _, message) = self.target(caller, room, target, what).await?;
        refuse_whisper(&message)?;
        Ok(emoji)
    }

    /// A message that the caller may see, in a room that they are in, with their role there.
    async fn target(
        &self,
        caller: &Caller,
        room: RoomId,
        target: Seq,
        what: &'static str,
    ) -> Result<(RoomRecord, Role, Message), MessageError> {
        let (record, role) = access::member(&self.parts, caller, room, what).await?;
        let message = self.parts.store.message(room, target).await?;
        let message = message.filter(|message| access::may_see(message, caller.user)).ok_or(MessageError::Unknown)?;
        Ok((record, role, message))
    }

    async fn write(
        &self,
        caller: &Caller,
        room: RoomId,
        client_id: Option<ClientId>,
        what: EntryKind,
    ) -> Result<Sent, MessageError> {
        let (replies, whispers) = match &what {
            EntryKind::Message(content) => (content.reply_to.is_some(), content.to.is_some()),
            _ => (false, false),
        };
        let entry = NewEntry { room, author: caller.user, at: self.parts.clock.now(), client_id, what };
        match self.log.append(entry).await? {
            Appended::New(entry) => {
                if matches!(entry.what, EntryKind::Message(_)) {
                    self.parts.events.count(EventKind::MessagesSent, "", 1);
                }
                Ok(Sent { entry: entry.seen_by(caller.user), again: false })
            }
            Appended::Again(entry) => Ok(Sent { entry: entry.seen_by(caller.user), again: true }),
            Appended::Refused(Refused::NoReference) => {
                let mut fields = Fields::new();
                if replies {
                    fields.insert("reply_to".to_owned(), "There is no such message in this room".to_owned());
                }
                if whispers {
                    fields.insert("to".to_owned(), "Nobody of that id is in this room".to_owned());
                }
                Err(MessageError::Invalid(fields))
            }
            Appended::Refused(why) => Err(self.refused(caller, room, why).await),
        }
    }

    /// What a refusal of the store means to the caller.
    async fn refused(&self, caller: &Caller, room: RoomId, why: Refused) -> MessageError {
        match why {
            Refused::NoRoom | Refused::NotMember => {
                match access::member(&self.parts, caller, room, "write to a room").await {
                    // Came in at this very moment; what they tried was before.
                    Ok(_) => MessageError::Unknown,
                    Err(error) => error.into(),
                }
            }
            Refused::Archived => MessageError::Archived,
            Refused::NoTarget | Refused::NoReaction => MessageError::Unknown,
            Refused::NotAuthor => MessageError::Forbidden(NOT_AUTHOR),
            Refused::TooManyReactions => MessageError::TooManyReactions,
            Refused::TooManyPins => MessageError::TooManyPins,
            Refused::NoReference | Refused::Banned | Refused::NameTaken | Refused::LastOwner | Refused::Full => {
                StoreError::Broken(format!("a message was refused: {why:?}")).into()
            }
        }
    }

    async fn allow_change(&self, caller: &Caller) -> Result<(), MessageError> {
        let taken = self.parts.take_for_user("message_changes", caller.user, rate::MESSAGE_CHANGES).await;
        taken.map_err(MessageError::TooOften)
    }
}

const NOT_AUTHOR: &str = "Only its author can change a message";

/// The log says of an edit and of a reaction to all what they hold; so there are none of a message to one person.
fn refuse_whisper(message: &Message) -> Result<(), MessageError> {
    match message.content.to {
        None => Ok(()),
        Some(_) => Err(MessageError::Forbidden("A message to one person can only be deleted")),
    }
}

fn field(name: &str, why: impl Into<String>) -> MessageError {
    MessageError::Invalid(Fields::from([(name.to_owned(), why.into())]))
}
