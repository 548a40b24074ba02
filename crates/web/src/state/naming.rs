//! Who is offered while a name is being written after an `@`: people whose names begin so first, then those in whose names it
//! stands.

use super::order::{Order, sorted};
use natter_shared::account::User;
use natter_shared::id::UserId;

/// So many are offered.
const OFFERED: usize = 8;

/// Those who fit what is typed, the best first, never the person themselves.
pub fn offered<'a>(people: impl Iterator<Item = &'a User>, typed: &str, me: UserId) -> Vec<User> {
    let typed = typed.to_lowercase();
    let rank = |user: &User| {
        let (name, shown) = (user.username.as_str(), user.display_name.as_str().to_lowercase());
        let rank = if name.starts_with(&typed) {
            0
        } else if shown.split_whitespace().any(|word| word.starts_with(&typed)) {
            1
        } else if name.contains(&typed) || shown.contains(&typed) {
            2
        } else {
            return None;
        };
        Some(rank)
    };
    let fitting = people.filter(|user| user.id != me).filter_map(|user| Some((rank(user)?, user)));
    let mut fitting = sorted(fitting, |(rank, user)| Order::new(*rank, user.username.as_str().to_owned()));
    fitting.truncate(OFFERED);
    fitting.into_iter().map(|(_, user)| user.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::text::{DisplayName, Username};

    fn user(n: u8, username: &str, shown: &str) -> User {
        User {
            id: UserId::from_bytes([n; 16]),
            username: Username::parse(username).unwrap(),
            display_name: DisplayName::parse(shown).unwrap(),
            gender: None,
            avatar_url: None,
            guest: false,
            deleted: false,
            bot: false,
        }
    }

    #[test]
    fn the_beginnings_of_names_come_first() {
        let people =
            [user(1, "susan", "Ann Other"), user(2, "bob-ann", "Bob"), user(3, "ann", "Me"), user(4, "annika", "Zoe")];
        let names = |typed: &str| -> Vec<String> {
            let found = offered(people.iter(), typed, people[2].id);
            found.iter().map(|user| user.username.to_string()).collect()
        };
        assert_eq!(names("an"), ["annika", "susan", "bob-ann"]);
        assert_eq!(names("ZO"), ["annika"]);
        assert_eq!(names(""), ["annika", "bob-ann", "susan"]);
        assert_eq!(names("me"), [""; 0], "nobody calls themselves");
        assert_eq!(names("x"), [""; 0]);
    }

    #[test]
    fn not_all_of_a_large_room_are_offered() {
        let people: Vec<User> = (1..40).map(|n| user(n, &format!("name-{n:02}"), "Name")).collect();
        assert_eq!(offered(people.iter(), "na", UserId::from_bytes([99; 16])).len(), OFFERED);
    }
}
