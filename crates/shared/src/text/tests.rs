//! What is taken and what is refused.

use super::*;
use crate::limits;

#[test]
fn usernames() {
    for good in ["ann", "a_b", "x.y-z", "a23", &"a".repeat(32)] {
        assert!(Username::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "an", "Ann", "ann ", "аnn", "ann\n", "...", "admin", "null", "%00", &"a".repeat(33)] {
        assert!(Username::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn display_names_lose_what_steers_text() {
    assert_eq!(DisplayName::parse(" Ann\u{202E}\t\u{200B} Okafor\r\n").unwrap().as_str(), "Ann Okafor");
    for bad in ["", "  ", "\u{200B}\u{FEFF}", &"x".repeat(65)] {
        assert!(DisplayName::parse(bad).is_err(), "{bad:?}");
    }
    assert!(DisplayName::parse(&"ü".repeat(64)).is_ok());
}

#[test]
fn messages_are_kept_as_sent_but_for_control_characters() {
    assert_eq!(MessageBody::parse(" a\r\nb\t\u{0}c ").unwrap().as_str(), " a\nb\tc ");
    assert!(MessageBody::parse(&"x".repeat(4_000)).is_ok());
    assert!(MessageBody::parse(&"👍".repeat(4_000)).is_ok());
    for bad in ["", " \n\t", "\u{200B}\u{200D}", &"x".repeat(4_001), &"👍".repeat(4_097)] {
        assert!(MessageBody::parse(bad).is_err(), "{}", bad.len());
    }
}

#[test]
fn emails() {
    for good in ["ann@example.org", " a.b+c@mail.example.co.uk ", "jörg@müller.example"] {
        assert!(Email::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "ann", "ann@", "@b.cd", "a@b", "a b@c.de", "a@b..de", "a@-b.de", "a..b@c.de", "a@b.c", "<a>@b.de"] {
        assert!(Email::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn codes_are_read_as_people_type_them() {
    assert_eq!(JoinCode::parse(" k7qp 4tmd").unwrap().as_str(), "K7QP-4TMD");
    let made = JoinCode::from_random([0, 30, 31, 255, 7, 8, 9, 10]);
    assert_eq!(JoinCode::parse(made.as_str()).unwrap(), made);
    for bad in ["", "K7Q-4TM", "K7QP-4TM0", "ﾊﾊﾊﾊ-4TMD"] {
        assert!(JoinCode::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn reactions_are_emoji() {
    for good in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇸🇪", "1️⃣", "👍🏽", "☕"] {
        assert!(Emoji::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "a", "1", "<b>", "..", "👍a", "\u{200D}", &"👍".repeat(17)] {
        assert!(Emoji::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn passwords_show_themselves_to_nobody() {
    let password = Password::parse("correct horse battery", limits::PASSWORD_MIN).unwrap();
    assert_eq!(format!("{password:?}"), "Password(…)");
    assert!(Password::parse("short", limits::PASSWORD_MIN).is_err());
    assert!(Password::parse(&"x".repeat(257), limits::PASSWORD_MIN).is_err());
    assert!(Password::to_compare(&"x".repeat(257)).is_none());
}
