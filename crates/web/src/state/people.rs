//! Names and pictures of the people that this tab has met, so that a bare id can be shown.

use natter_shared::account::User;
use natter_shared::entry::Author;
use natter_shared::id::UserId;
use std::collections::HashMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(HashMap<UserId, User>);

impl People {
    pub fn get(&self, user: UserId) -> Option<&User> {
        self.0.get(&user)
    }

    /// Remembers somebody; says whether that was news.
    pub fn learn(&mut self, user: &User) -> bool {
        if self.0.get(&user.id) == Some(user) {
            return false;
        }
        self.0.insert(user.id, user.clone());
        true
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
            bot: author.bot,
        })
    }
}
