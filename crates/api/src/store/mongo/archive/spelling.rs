//! What travels, as documents and back.

use super::super::document::{
    BANNED, EntryDoc, FORMER, Id, MEMBER, MemberDoc, RoomDoc, SessionDoc, UserDoc, Word, date, int, seq, time,
};
use crate::store::archive::{ArchivedEntry, ArchivedLogin, ArchivedMember, MemberState};
use crate::store::{RoomRecord, SessionRecord, StoreError, Stored, TokenHash, UserRecord};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, serialize_to_document};
use natter_shared::id::{RoomId, Seq, SessionId, UserId};
use natter_shared::room::{Role, RoomKind, Visibility};
use natter_shared::text::{Email, JoinCode, RoomName, Topic};
use serde::Serialize;

pub(super) fn broken(what: impl Into<String>) -> StoreError {
    StoreError::Broken(what.into())
}

pub(super) fn small<T: TryFrom<i64>>(number: i64) -> Stored<T> {
    T::try_from(number).map_err(|_| broken(format!("{number} is stored where a smaller number should be")))
}

pub(super) fn person(doc: UserDoc) -> Stored<UserRecord> {
    Ok(UserRecord {
        email: doc.email.clone().map(Email::from_stored),
        password_hash: doc.password_hash.clone(),
        created_at: time(doc.created_at),
        disabled: doc.disabled,
        user: doc.user()?,
    })
}

pub(super) fn person_doc(person: UserRecord) -> UserDoc {
    let UserRecord { user, email, password_hash, created_at, disabled } = person;
    UserDoc {
        id: user.id.stored(),
        username: user.username.as_str().to_owned(),
        display_name: user.display_name.as_str().to_owned(),
        email: email.map(|email| email.as_str().to_owned()),
        gender: user.gender.map(|gender| gender.word().to_owned()),
        avatar_url: user.avatar_url,
        guest: user.guest,
        password_hash,
        created_at: date(created_at),
        disabled,
    }
}

pub(super) fn token(hash: &Binary) -> Stored<TokenHash> {
    TokenHash::try_from(hash.bytes.as_slice()).map_err(|_| broken("a stored hash of a token has not 32 bytes"))
}

pub(super) fn login(doc: &SessionDoc) -> Stored<ArchivedLogin> {
    let session = SessionRecord {
        id: SessionId::of(doc.id),
        user: UserId::of(doc.user),
        created_at: time(doc.created_at),
        last_used_at: time(doc.last_used_at),
        expires_at: time(doc.expires_at),
        user_agent: doc.user_agent.clone(),
        generation: small(doc.generation)?,
        current: token(&doc.current)?,
        previous: doc.previous.as_ref().map(token).transpose()?,
        revoked_at: doc.revoked_at.map(time),
    };
    Ok(ArchivedLogin { session, rotated_at: doc.rotated_at.map(time) })
}

pub(super) fn login_doc(ArchivedLogin { session, rotated_at }: ArchivedLogin) -> SessionDoc {
    let hash = |token: TokenHash| Binary { subtype: BinarySubtype::Generic, bytes: token.to_vec() };
    SessionDoc {
        id: session.id.stored(),
        user: session.user.stored(),
        created_at: date(session.created_at),
        last_used_at: date(session.last_used_at),
        expires_at: date(session.expires_at),
        user_agent: session.user_agent,
        generation: i64::from(session.generation),
        current: hash(session.current),
        previous: session.previous.map(hash),
        rotated_at: rotated_at.map(date),
        revoked_at: session.revoked_at.map(date),
    }
}

pub(super) fn room(doc: RoomDoc, head: Seq) -> Stored<RoomRecord> {
    Ok(RoomRecord {
        id: RoomId::of(doc.id),
        kind: RoomKind::of(&doc.kind)?,
        name: RoomName::from_stored(doc.name),
        topic: Topic::from_stored(doc.topic),
        visibility: Visibility::of(&doc.visibility)?,
        archived: doc.archived,
        created_at: time(doc.created_at),
        owner: doc.owner.map(UserId::of),
        member_count: small(doc.member_count)?,
        code: doc.code.map(JoinCode::from_stored),
        head,
        peers: doc.peers.map(|[a, b]| (UserId::of(a), UserId::of(b))),
    })
}

/// A room as it is before its cut: without what other rooms may still have.
pub(super) fn room_doc(room: &RoomRecord) -> RoomDoc {
    RoomDoc {
        id: room.id.stored(),
        kind: room.kind.word().to_owned(),
        name: room.name.as_str().to_owned(),
        name_key: None,
        topic: room.topic.as_str().to_owned(),
        visibility: room.visibility.word().to_owned(),
        archived: room.archived,
        created_at: date(room.created_at),
        owner: room.owner.map(Id::stored),
        member_count: 0,
        code: None,
        peers: room.peers.map(|(a, b)| [a.stored(), b.stored()]),
        pair: room.peers.map(|(a, b)| format!("{a} {b}")),
    }
}

pub(super) fn member(doc: &MemberDoc) -> Stored<ArchivedMember> {
    let state = match doc.state.as_str() {
        MEMBER => MemberState::Member,
        FORMER => MemberState::Former,
        BANNED => MemberState::Banned,
        other => return Err(broken(format!("a member is in the unknown state {other:?}"))),
    };
    Ok(ArchivedMember {
        user: UserId::of(doc.user),
        state,
        role: Role::of(&doc.role)?,
        joined: doc.joined.map(seq).transpose()?,
        delivered: seq(doc.delivered)?,
        read: seq(doc.read)?,
    })
}

pub(super) fn member_doc(room: RoomId, member: &ArchivedMember) -> MemberDoc {
    let state = match member.state {
        MemberState::Member => MEMBER,
        MemberState::Former => FORMER,
        MemberState::Banned => BANNED,
    };
    MemberDoc {
        room: room.stored(),
        user: member.user.stored(),
        state: state.to_owned(),
        role: member.role.word().to_owned(),
        joined: member.joined.map(int),
        delivered: int(member.delivered),
        read: int(member.read),
    }
}

pub(super) fn entry_doc(entry: &ArchivedEntry) -> Stored<EntryDoc> {
    let what = EntryDoc::of(&entry.what).ok_or_else(|| broken("an entry of a kind that is never stored"))?;
    Ok(EntryDoc {
        room: entry.room.stored(),
        seq: int(entry.seq),
        at: date(entry.at),
        author: entry.author.stored(),
        client_id: entry.client_id.map(Id::stored),
        ..what
    })
}

pub(super) fn to_document(value: &impl Serialize) -> Stored<Document> {
    serialize_to_document(value).map_err(|error| broken(error.to_string()))
}
