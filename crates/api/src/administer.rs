//! `natter admin grant`, `revoke` and `list`: who administers the server is for whoever runs it to say, at the machine, and never
//! for a call over the network; `natter admin delete` deletes an account for somebody who cannot. The server may run
//! meanwhile; what is said here holds from its next call on.

use crate::clock::{Clock, Entropy, random};
use crate::config::{Config, StoreChoice};
use crate::moving::{NotYet, refuse_half_imported};
use crate::store::archive::Archive;
use crate::store::mongo::{self, Mongo};
use crate::store::sqlite::{OpenError, Sqlite};
use crate::store::{Accounts, Events, StoreError, UserRecord};
use natter_shared::event::{Event, EventKind};
use natter_shared::id::EventId;
use natter_shared::text::Username;
use std::fmt::Write as _;

/// What was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// Make the person of this name an administrator.
    Grant(&'a str),
    /// Make an administrator one of the others again.
    Revoke(&'a str),
    /// Delete the account of this name.
    Delete(&'a str),
    /// Say who is one.
    List,
}

/// Why an order is not carried out, as a sentence for who gave it.
#[derive(Debug, thiserror::Error)]
pub enum AdministerError {
    #[error("{0} is no username; usernames are lower case letters, digits and _.-")]
    NoName(String),
    #[error("nobody here is called {0}; they must register first, and then be made an administrator")]
    Nobody(Username),
    #[error("{0} is a guest; they must keep their account first")]
    Guest(Username),
    #[error("{0} is a bot; a person administers the server")]
    Bot(Username),
    #[error("{0}; the same command can simply be given again")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
    #[error(transparent)]
    NotYet(#[from] NotYet),
}

impl AdministerError {
    /// Whether an argument or a setting must be changed.
    pub const fn is_an_argument(&self) -> bool {
        match self {
            Self::NoName(_) | Self::Nobody(_) | Self::Guest(_) | Self::Bot(_) | Self::Open(OpenError::NotThere(_)) => {
                true
            }
            Self::Mongo(why) => why.is_a_setting(),
            _ => false,
        }
    }
}

/// Carries out an order on the store that the settings name. Returns what to tell.
pub async fn administer(
    config: &Config,
    order: Order<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<String, AdministerError> {
    // The log of events is told as well, if there is one.
    let note = (config.events_days > 0).then(|| Event {
        id: EventId::from_random_bytes(random(entropy)),
        at: clock.now(),
        kind: EventKind::AdminGranted,
        user: None,
        other: None,
        room: None,
        session: None,
        ip: None,
        what: None,
        count: 1,
    });
    match &config.store {
        StoreChoice::Sqlite(file) => {
            let sqlite = Sqlite::open_beside(file)?;
            let told = carry_out(&sqlite, order, note).await;
            sqlite.close().await;
            told
        }
        StoreChoice::Mongo(url) => carry_out(&Mongo::open(url).await?, order, note).await,
    }
}

async fn carry_out<S: Accounts + Events + Archive>(
    store: &S,
    order: Order<'_>,
    note: Option<Event>,
) -> Result<String, AdministerError> {
    refuse_half_imported(store).await?;
    let noted = |kind, person: &UserRecord| {
        let other = Some(person.user.id);
        note.clone().map(|event| Event { kind, other, ..event }).into_iter().collect::<Vec<_>>()
    };
    match order {
        Order::List => Ok(list(&store.administrators().await?)),
        Order::Grant(name) => {
            let there = find(store, name).await?;
            let username = &there.user.username;
            if there.user.bot {
                return Err(AdministerError::Bot(username.clone()));
            }
            if there.user.guest {
                return Err(AdministerError::Guest(username.clone()));
            }
            store.set_admin(there.user.id, true).await?;
            // Where all administrators are locked out, this is the way back in.
            let also = if there.disabled { ", and was let in again: the account had been disabled" } else { "" };
            if there.disabled {
                store.set_disabled(there.user.id, false).await?;
            }
            store.append_events(noted(EventKind::AdminGranted, &there)).await?;
            let since = if there.admin { "(and was one before)" } else { "from now on" };
            Ok(format!("{username} is an administrator {since}{also}.\n"))
        }
        Order::Delete(name) => delete(store, name, noted).await,
        Order::Revoke(name) => {
            let there = find(store, name).await?;
            let username = &there.user.username;
            if !there.admin {
                return Ok(format!("{username} is no administrator (and was none before).\n"));
            }
            store.set_admin(there.user.id, false).await?;
            store.append_events(noted(EventKind::AdminRevoked, &there)).await?;
            let left = store.administrators().await?;
            let nobody = if left.is_empty() { " Nobody is: `natter admin grant` makes another one." } else { "" };
            Ok(format!("{username} is no administrator any more.{nobody}\n"))
        }
    }
}

/// Takes away all that is known of a person. What follows from it is the running server's work, or that of the next one.
async fn delete<S: Accounts + Events>(
    store: &S,
    name: &str,
    note: impl FnOnce(EventKind, &UserRecord) -> Vec<Event>,
) -> Result<String, AdministerError> {
    let there = find(store, name).await?;
    store.erase_person(there.user.id).await?;
    store.append_events(note(EventKind::AccountDeleted, &there)).await?;
    Ok(format!(
        "The account of {} is deleted, for good; nobody can take that name again. A server that runs ends its logins and \
         takes it out of its rooms within a minute, else the next one does when it starts.\n",
        there.user.username
    ))
}

async fn find(store: &impl Accounts, name: &str) -> Result<UserRecord, AdministerError> {
    let shown = || name.chars().filter(|c| !c.is_control()).take(40).collect();
    let username = Username::parse(name.strip_prefix('@').unwrap_or(name));
    let username = username.map_err(|_| AdministerError::NoName(shown()))?;
    store.user_by_name(&username).await?.ok_or(AdministerError::Nobody(username))
}

fn list(administrators: &[UserRecord]) -> String {
    if administrators.is_empty() {
        return "Nobody is an administrator; `natter admin grant NAME` makes somebody one.\n".to_owned();
    }
    administrators.iter().fold(String::new(), |mut list, record| {
        let _ = writeln!(list, "{}{}", record.user.username, if record.disabled { " (disabled)" } else { "" });
        list
    })
}
