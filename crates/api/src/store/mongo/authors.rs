//! Who people are, as entries carry them: a short memory in front of `users`.

use super::Shared;
use super::document::{Id, UserDoc};
use crate::store::{StoreError, Stored};
use futures_util::TryStreamExt;
use mongodb::bson::doc;
use natter_shared::entry::Author;
use natter_shared::id::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long somebody is remembered. A profile that was changed on another node shows here after this time.
const FRESH: Duration = Duration::from_secs(5);
/// People that are remembered; past this, all are forgotten.
const MOST: usize = 20_000;

#[derive(Default)]
pub(super) struct Authors(Mutex<HashMap<UserId, (Instant, Author)>>);

impl Authors {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, (Instant, Author)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets somebody whose profile was changed here.
    pub fn forget(&self, id: UserId) {
        self.lock().remove(&id);
    }

    /// What is remembered of these people, and who is not.
    fn known(&self, ids: impl IntoIterator<Item = UserId>) -> (HashMap<UserId, Author>, Vec<UserId>) {
        let people = self.lock();
        let (mut known, mut missing) = (HashMap::new(), Vec::new());
        for id in ids {
            if known.contains_key(&id) || missing.contains(&id) {
                continue;
            }
            match people.get(&id).filter(|(at, _)| at.elapsed() < FRESH) {
                Some((_, author)) => drop(known.insert(id, author.clone())),
                None => missing.push(id),
            }
        }
        (known, missing)
    }

    fn remember(&self, author: Author) {
        let mut people = self.lock();
        if people.len() >= MOST {
            people.clear();
        }
        people.insert(author.id, (Instant::now(), author));
    }
}

impl Shared {
    /// These people as authors; those who do not exist are left out.
    pub(super) async fn authors(&self, ids: impl IntoIterator<Item = UserId>) -> Stored<HashMap<UserId, Author>> {
        let (mut known, missing) = self.authors.known(ids);
        if missing.is_empty() {
            return Ok(known);
        }
        let ids: Vec<_> = missing.iter().map(|id| id.stored()).collect();
        let mut found = self.users.find(doc! { "_id": { "$in": ids } }).await?;
        while let Some(user) = found.try_next().await? {
            let author = UserDoc::author(user)?;
            self.authors.remember(author.clone());
            known.insert(author.id, author);
        }
        Ok(known)
    }
}

/// The author of a stored entry, who must exist.
pub(super) fn author_of(authors: &HashMap<UserId, Author>, id: UserId) -> Stored<Author> {
    let found = authors.get(&id).cloned();
    found.ok_or_else(|| StoreError::Broken(format!("the person {id} is an author but does not exist")))
}
