use super::*;
use crate::clock::SystemEntropy;
use crate::service::token::SigningKeys;

/// Passwords under these keys, the first one current.
fn passwords_with(cost: u32, keys: &[u8]) -> Passwords {
    let keys = SigningKeys::new([keys[0]; 32], keys[1..].iter().map(|key| [*key; 32]));
    Passwords {
        numbers: Bcrypt::default(),
        peppers: keys.all().map(|key| Pepper { id: key.id().to_owned(), key: key.derive(LABEL) }).collect(),
        cost,
        entropy: Arc::new(SystemEntropy),
        pool: Arc::new(Pool::new()),
        worked: Arc::default(),
        replacing: tokio::sync::Mutex::new(()),
    }
}

fn passwords() -> Passwords {
    passwords_with(4, &[1])
}

fn password(text: &str) -> Password {
    Password::to_compare(text).unwrap()
}

#[tokio::test]
async fn a_password_is_right_and_every_other_one_wrong() {
    let passwords = passwords();
    let hundred = "x".repeat(100);
    let vectors = [
        "correct horse battery staple".to_owned(),
        " leading and trailing blanks stay ".to_owned(),
        "a".repeat(71),
        "a".repeat(72),
        "a".repeat(73),
        format!("{hundred}1"),
        format!("{hundred}2"),
        "before\0after".to_owned(),
        "before\0other".to_owned(),
        "before".to_owned(),
        "👩‍👩‍👧‍👦".repeat(30),
        "пароль из слов".to_owned(),
    ];
    for kept in &vectors {
        let hash = passwords.hash(&password(kept)).await.unwrap();
        assert!(!hash.contains(kept.as_str()));
        for tried in &vectors {
            let expected = if kept == tried { Verified::Right } else { Verified::Wrong };
            assert_eq!(passwords.verify(&password(tried), Some(&hash)).await.unwrap(), expected, "{kept:?} {tried:?}");
        }
    }
}

#[tokio::test]
async fn every_keyboard_types_the_same_password() {
    let passwords = passwords();
    for (composed, other) in
        [("caf\u{e9} au lait", "cafe\u{301} au lait"), ("\u{212B}ngstrom 1", "\u{c5}ngstrom 1"), ("ﬁsh", "fish")]
    {
        let hash = passwords.hash(&password(composed)).await.unwrap();
        assert_eq!(passwords.verify(&password(other), Some(&hash)).await.unwrap(), Verified::Right, "{composed}");
    }
}

#[tokio::test]
async fn what_is_kept_names_scheme_pepper_and_cost_and_is_salted() {
    let passwords = passwords();
    let word = password("correct horse battery staple");
    let (a, b) = (passwords.hash(&word).await.unwrap(), passwords.hash(&word).await.unwrap());
    assert_ne!(a, b);
    assert!(a.starts_with(&format!("natter1${}$2b$04$", passwords.peppers[0].id)), "{a}");
}

#[tokio::test]
async fn an_older_pepper_or_another_cost_is_right_but_outdated() {
    let word = password("correct horse battery staple");
    let hash = passwords_with(4, &[1]).hash(&word).await.unwrap();
    for (passwords, expected) in [
        (passwords_with(4, &[1]), Verified::Right),
        (passwords_with(4, &[2, 1]), Verified::Outdated),
        (passwords_with(5, &[1]), Verified::Outdated),
        (passwords_with(4, &[2]), Verified::Wrong),
    ] {
        assert_eq!(passwords.verify(&word, Some(&hash)).await.unwrap(), expected);
        assert_eq!(passwords.verify(&password("other"), Some(&hash)).await.unwrap(), Verified::Wrong);
    }
}

#[tokio::test]
async fn nobodys_password_is_wrong_after_the_same_work() {
    let passwords = passwords();
    assert!(bcrypt::verify("x", &nobodys_hash(4)).is_ok(), "bcrypt really works on it");
    assert_eq!(cost_of(&nobodys_hash(12)), Some(12));
    for kept in [None, Some("natter1$00000000$2b$04$x"), Some("md5$x"), Some("")] {
        assert_eq!(passwords.verify(&password("x"), kept).await.unwrap(), Verified::Wrong, "{kept:?}");
    }
}
