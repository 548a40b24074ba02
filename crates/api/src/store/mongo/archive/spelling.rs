//! What travels, as documents and back.

use super::super::directs::pair;
use super::super::document::{
    BANNED, FORMER, Id, IntegrationDoc, MEMBER, MemberDoc, RoomDoc, SessionDoc, UserDoc, Word, date, int, seq, time,
};
use super::super::sessions::hash;
use crate::store::archive::{ArchivedLogin, ArchivedMember, MemberState};
use crate::store::{RoomRecord, StoreError, Stored, UserRecord};
use mongodb::bson::{Document, serialize_to_document};
use natter_shared::id::{RoomId, UserId};
use natter_shared::room::Role;
use serde::Serialize;

pub(super) fn broken(what: impl Into<String>) -> StoreError {
    StoreError::Broken(what.into())
}

pub(super) fn person_doc(person: UserRecord) -> UserDoc {
    let UserRecord { user, email, password_hash, created_at, disabled, admin, last_login_at, deletion, integration } =
        person;
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
        admin,
        last_login_at: last_login_at.map(date),
        deletion: deletion.map(|deletion| deletion.word().to_owned()),
        integration: integration.as_ref().map(IntegrationDoc::new),
    }
}

pub(super) fn login(doc: SessionDoc) -> Stored<ArchivedLogin> {
    let rotated_at = doc.rotated_at.map(time);
    Ok(ArchivedLogin { session: doc.record()?, rotated_at })
}

pub(super) fn login_doc(ArchivedLogin { session, rotated_at }: ArchivedLogin) -> SessionDoc {
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
        pair: room.peers.map(pair),
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
        notify: doc.notify()?,
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
        notify: Some(member.notify.word().to_owned()),
    }
}

pub(super) fn to_document(value: &impl Serialize) -> Stored<Document> {
    serialize_to_document(value).map_err(|error| broken(error.to_string()))
}
