//! People: the `users` collection.

use super::document::{Id, IntegrationDoc, UserDoc, Word, date, time};
use super::fault::duplicate;
use super::{Mongo, Shared};
use crate::store::{Accounts, CreatedUser, Deletion, Kept, KeptGuest, NewUser, StoreError, Stored, UserRecord};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;
use natter_shared::account::{ProfileChange, User};
use natter_shared::id::UserId;
use natter_shared::text::{Email, Username};
use serde::Deserialize;
use std::collections::HashSet;

impl UserDoc {
    fn new(new: &NewUser) -> Self {
        Self {
            id: new.id.stored(),
            username: new.username.as_str().to_owned(),
            display_name: new.display_name.as_str().to_owned(),
            email: new.email.as_ref().map(|email| email.as_str().to_owned()),
            gender: new.gender.map(|gender| gender.word().to_owned()),
            avatar_url: None,
            guest: new.guest,
            password_hash: new.password_hash.clone(),
            created_at: date(new.created_at),
            disabled: false,
            admin: false,
            last_login_at: None,
            deletion: None,
            integration: new.integration.as_ref().map(IntegrationDoc::new),
        }
    }

    pub(super) fn record(mut self) -> Stored<UserRecord> {
        // The name that stays taken, also of somebody whose account was deleted.
        let username = Username::from_stored(self.username.clone());
        Ok(UserRecord {
            email: self.email.take().map(Email::from_stored),
            password_hash: self.password_hash.take(),
            created_at: time(self.created_at),
            disabled: self.disabled,
            admin: self.admin,
            last_login_at: self.last_login_at.map(time),
            deletion: self.deletion.as_deref().map(Deletion::of).transpose()?,
            integration: self.integration.as_ref().map(IntegrationDoc::record).transpose()?,
            user: User { username, ..self.user()? },
        })
    }
}

/// A username that starts with `prefix` and comes after `after`.
fn named(prefix: String, after: Option<String>) -> Document {
    // Usernames are ASCII: all that start with the prefix lie below it followed by the last character there is.
    let mut name = doc! { "$lt": format!("{prefix}\u{10FFFF}"), "$gte": prefix };
    if let Some(after) = after {
        name.insert("$gt", after);
    }
    name
}

/// The person of that id, unless their account was deleted.
fn there(id: UserId) -> Document {
    doc! { "_id": id.stored(), "deletion": { "$exists": false } }
}

impl Shared {
    async fn user_where(&self, which: Document) -> Stored<Option<UserRecord>> {
        self.users.find_one(which).await?.map(UserDoc::record).transpose()
    }

    /// The people among these that exist, in no order.
    pub(super) async fn people(&self, ids: impl IntoIterator<Item = UserId>) -> Stored<Vec<User>> {
        let ids: Vec<_> = ids.into_iter().map(Id::stored).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<UserDoc> = self.users.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
        found.into_iter().map(UserDoc::user).collect()
    }

    async fn create_user(&self, new: NewUser) -> Stored<CreatedUser> {
        let user = UserDoc::new(&new);
        let Err(error) = self.users.insert_one(&user).await else { return Ok(CreatedUser::Created(user.user()?)) };
        if duplicate(&error).is_none() {
            return Err(error.into());
        }
        if let Some(there) = self.user_where(doc! { "_id": user.id }).await? {
            // A repeat whose first answer was lost.
            let same = there.user.username == new.username;
            return Ok(if same { CreatedUser::Created(there.user) } else { CreatedUser::UsernameTaken });
        }
        match self.user_where(doc! { "username": user.username }).await? {
            Some(_) => Ok(CreatedUser::UsernameTaken),
            // What is in the way is not durable yet, and may be this very person.
            None => Err(StoreError::Unknown("the same username is being registered".into())),
        }
    }

    async fn taken_usernames(&self, names: Vec<Username>) -> Stored<Vec<Username>> {
        #[derive(Deserialize)]
        struct Named {
            username: String,
        }
        let which: Vec<_> = names.iter().map(Username::as_str).collect();
        let users = self.users.clone_with_type::<Named>();
        let found = users.find(doc! { "username": { "$in": which } }).projection(doc! { "_id": 0, "username": 1 });
        let taken: HashSet<String> = found.await?.map_ok(|user| user.username).try_collect().await?;
        Ok(names.into_iter().filter(|name| taken.contains(name.as_str())).collect())
    }

    async fn search_users(&self, prefix: String, after: Option<String>, limit: u32) -> Stored<Vec<User>> {
        let which = doc! { "username": named(prefix, after), "guest": false, "disabled": false, "integration": null };
        let found = self.users.find(which).sort(doc! { "username": 1 }).limit(i64::from(limit)).await?;
        let found: Vec<UserDoc> = found.try_collect().await?;
        found.into_iter().map(UserDoc::user).collect()
    }

    async fn accounts_where(&self, which: Document, limit: u32) -> Stored<Vec<UserRecord>> {
        let found = self.users.find(which).sort(doc! { "username": 1 }).limit(i64::from(limit)).await?;
        let found: Vec<UserDoc> = found.try_collect().await?;
        found.into_iter().map(UserDoc::record).collect()
    }

    async fn set_flag(&self, id: UserId, set: Document) -> Stored<Option<UserRecord>> {
        let setting = self.users.find_one_and_update(there(id), doc! { "$set": set });
        setting.return_document(ReturnDocument::After).await?.map(UserDoc::record).transpose()
    }

    /// Takes away all that is known of a person but the username.
    async fn erase_person(&self, id: UserId) -> Stored<Option<UserRecord>> {
        let nothing = doc! {
            "display_name": User::erased(id).display_name.as_str(), "email": Bson::Null, "gender": Bson::Null,
            "avatar_url": Bson::Null, "guest": false, "password_hash": Bson::Null, "disabled": true, "admin": false,
            "last_login_at": Bson::Null, "deletion": Deletion::UnderWay.word(),
        };
        self.users.update_one(there(id), doc! { "$set": nothing }).await?;
        self.authors.forget(id);
        self.user_where(doc! { "_id": id.stored() }).await
    }

    async fn deletions_under_way(&self, limit: u32) -> Stored<Vec<UserId>> {
        let which = doc! { "deletion": Deletion::UnderWay.word() };
        let found = self.users.find(which).sort(doc! { "_id": 1 }).limit(i64::from(limit)).await?;
        let found: Vec<UserDoc> = found.try_collect().await?;
        Ok(found.into_iter().map(|user| UserId::of(user.id)).collect())
    }

    async fn finish_deletion(&self, id: UserId) -> Stored<()> {
        let which = doc! { "_id": id.stored(), "deletion": Deletion::UnderWay.word() };
        self.users.update_one(which, doc! { "$set": { "deletion": Deletion::Done.word() } }).await?;
        Ok(())
    }

    async fn update_profile(&self, id: UserId, change: ProfileChange) -> Stored<Option<UserRecord>> {
        let mut set = Document::new();
        if let Some(name) = change.display_name {
            set.insert("display_name", name.as_str());
        }
        if let Some(email) = change.email {
            set.insert("email", email.as_str());
        }
        if let Some(gender) = change.gender {
            set.insert("gender", gender.word());
        }
        let which = there(id);
        if set.is_empty() {
            return self.user_where(which).await;
        }
        let changing = self.users.find_one_and_update(which, doc! { "$set": set });
        let changed = changing.return_document(ReturnDocument::After).await?;
        self.authors.forget(id);
        changed.map(UserDoc::record).transpose()
    }

    async fn keep_guest(&self, account: KeptGuest) -> Stored<Kept> {
        let mut set = doc! {
            "username": account.username.as_str(),
            "display_name": account.display_name.as_str(),
            "email": account.email.as_str(),
            "password_hash": &account.password_hash,
            "guest": false,
        };
        if let Some(gender) = account.gender {
            set.insert("gender", gender.word());
        }
        let which = doc! { "_id": account.id.stored(), "guest": true, "deletion": { "$exists": false } };
        let keeping = self.users.find_one_and_update(which, doc! { "$set": set });
        let kept = match keeping.return_document(ReturnDocument::After).await {
            Ok(kept) => kept,
            Err(error) if duplicate(&error).is_some() => return Ok(Kept::UsernameTaken),
            Err(error) => return Err(error.into()),
        };
        self.authors.forget(account.id);
        if let Some(kept) = kept {
            return Ok(Kept::Kept(Box::new(kept.record()?)));
        }
        let there = self.user_where(there(account.id)).await?;
        let again = there.filter(|there| account.is_done(there));
        Ok(again.map_or(Kept::NoGuest, |there| Kept::Kept(Box::new(there))))
    }
}

#[async_trait]
impl Accounts for Mongo {
    async fn create_user(&self, user: NewUser) -> Stored<CreatedUser> {
        self.run(|shared| async move { shared.create_user(user).await }).await
    }

    async fn user(&self, id: UserId) -> Stored<Option<UserRecord>> {
        self.run(move |shared| async move { shared.user_where(doc! { "_id": id.stored() }).await }).await
    }

    async fn user_by_name(&self, username: &Username) -> Stored<Option<UserRecord>> {
        let which = doc! { "username": username.as_str(), "deletion": { "$exists": false } };
        self.run(|shared| async move { shared.user_where(which).await }).await
    }

    async fn users(&self, ids: &[UserId]) -> Stored<Vec<User>> {
        let ids = ids.to_vec();
        self.run(|shared| async move { shared.people(ids).await }).await
    }

    async fn taken_usernames(&self, names: &[Username]) -> Stored<Vec<Username>> {
        let names = names.to_vec();
        self.run(|shared| async move { shared.taken_usernames(names).await }).await
    }

    async fn search_users(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<User>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.run(move |shared| async move { shared.search_users(prefix, after, limit).await }).await
    }

    async fn update_profile(&self, id: UserId, change: &ProfileChange) -> Stored<Option<UserRecord>> {
        let change = change.clone();
        self.run(move |shared| async move { shared.update_profile(id, change).await }).await
    }

    async fn keep_guest(&self, account: KeptGuest) -> Stored<Kept> {
        self.run(move |shared| async move { shared.keep_guest(account).await }).await
    }

    async fn set_admin(&self, id: UserId, admin: bool) -> Stored<Option<UserRecord>> {
        self.run(move |shared| async move { shared.set_flag(id, doc! { "admin": admin }).await }).await
    }

    async fn set_disabled(&self, id: UserId, disabled: bool) -> Stored<Option<UserRecord>> {
        self.run(move |shared| async move { shared.set_flag(id, doc! { "disabled": disabled }).await }).await
    }

    async fn set_avatar(&self, id: UserId, url: Option<&str>) -> Stored<Option<UserRecord>> {
        let set = doc! { "avatar_url": url };
        self.run(move |shared| async move {
            let changed = shared.set_flag(id, set).await;
            shared.authors.forget(id);
            changed
        })
        .await
    }

    async fn administrators(&self) -> Stored<Vec<UserRecord>> {
        self.run(|shared| async move { shared.accounts_where(doc! { "admin": true }, 0).await }).await
    }

    async fn search_accounts(&self, prefix: &str, after: Option<&str>, limit: u32) -> Stored<Vec<UserRecord>> {
        let which = doc! {
            "username": named(prefix.to_owned(), after.map(str::to_owned)), "deletion": { "$exists": false },
        };
        self.run(move |shared| async move { shared.accounts_where(which, limit).await }).await
    }

    async fn set_password(&self, id: UserId, password_hash: &str) -> Stored<()> {
        let set = doc! { "$set": { "password_hash": password_hash } };
        self.run(move |shared| async move {
            shared.users.update_one(there(id), set).await?;
            Ok(())
        })
        .await
    }

    async fn erase_person(&self, id: UserId) -> Stored<Option<UserRecord>> {
        self.run(move |shared| async move { shared.erase_person(id).await }).await
    }

    async fn deletions_under_way(&self, limit: u32) -> Stored<Vec<UserId>> {
        self.run(move |shared| async move { shared.deletions_under_way(limit).await }).await
    }

    async fn finish_deletion(&self, id: UserId) -> Stored<()> {
        self.run(move |shared| async move { shared.finish_deletion(id).await }).await
    }
}
