//! Names and pictures of the people that this tab has met, so that a bare id can be shown.

use crate::locale::t;
use natter_shared::account::User;
use natter_shared::entry::Author;
use natter_shared::id::UserId;
use natter_shared::text::DisplayName;
use std::collections::HashMap;

/// A person whose account was deleted, as this page calls them.
pub(super) fn gone(id: UserId) -> User {
    User { display_name: DisplayName::from_stored(t("person.deleted").to_owned()), ..User::erased(id) }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(HashMap<UserId, User>);

impl People {
    pub fn get(&self, user: UserId) -> Option<&User> {
        self.0.get(&user)
    }

    /// Remembers somebody; says whether that was news.
    pub fn learn(&mut self, user: &User) -> bool {
        if user.deleted {
            return self.learn_gone(user.id);
        }
        if self.0.get(&user.id) == Some(user) {
            return false;
        }
        self.0.insert(user.id, user.clone());
        true
    }

    /// Remembers that somebody's account was deleted; says whether that was news.
    fn learn_gone(&mut self, id: UserId) -> bool {
        let gone = gone(id);
        self.0.insert(id, gone.clone()) != Some(gone)
    }

    /// The author of something that was loaded before, as they are called now.
    pub fn author(&self, author: &Author) -> Author {
        let is_gone = author.deleted || self.get(author.id).is_some_and(|user| user.deleted);
        if is_gone { gone(author.id).into() } else { author.clone() }
    }

    /// Remembers the author of an entry.
    pub fn learn_author(&mut self, author: &Author) -> bool {
        self.learn(&User {
            id: author.id,
            username: author.username.clone(),
            display_name: author.display_name.clone(),
            gender: author.gender,
            avatar_url: author.avatar_url.clone(),
            guest: author.guest,
            deleted: author.deleted,
            bot: author.bot,
        })
    }
}
