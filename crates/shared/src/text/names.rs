//! Names: of people, of rooms, and what a room is about.

use super::{DisplayName, RoomName, TextError, Topic, Username, err};
use crate::limits;

/// Names nobody can register, for they mean something or somebody else.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "all",
    "api",
    "channel",
    "deleted",
    "everyone",
    "guest",
    "here",
    "me",
    "moderator",
    "natter",
    "null",
    "official",
    "operator",
    "owner",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "undefined",
];

impl Username {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return err("Choose a username");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b)) {
            return err("Only lower case letters a-z, digits and _ . - are possible");
        }
        if text.len() < limits::USERNAME_MIN {
            return err(format!("At least {} characters", limits::USERNAME_MIN));
        }
        if text.len() > limits::USERNAME_MAX {
            return err(format!("At most {} characters", limits::USERNAME_MAX));
        }
        if !text.bytes().any(|b| b.is_ascii_alphanumeric()) {
            return err("At least one letter or digit");
        }
        if RESERVED.contains(&text) {
            return err("This name is reserved. Choose another one");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a character steers text instead of showing: bidi controls, zero-width characters, byte order marks, tags.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Drops what steers text, folds white space to single blanks, trims.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = !out.is_empty();
        } else if !is_invisible(c) {
            if blank {
                out.push(' ');
                blank = false;
            }
            out.push(c);
        }
    }
    out
}

fn name(text: &str, empty: &str) -> Result<String, TextError> {
    // Far above the limit nothing is worth cleaning first.
    if text.len() > 16 * limits::NAME_MAX {
        return err(format!("At most {} characters", limits::NAME_MAX));
    }
    let name = one_line(text);
    if name.is_empty() {
        return err(empty);
    }
    if name.chars().count() > limits::NAME_MAX {
        return err(format!("At most {} characters", limits::NAME_MAX));
    }
    Ok(name)
}

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        name(text, "Say what others shall call you").map(Self)
    }
}

impl RoomName {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        name(text, "Give the room a name").map(Self)
    }

    /// What is unique among rooms: the name without case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl Topic {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > 16 * limits::TOPIC_MAX {
            return err(format!("At most {} characters", limits::TOPIC_MAX));
        }
        let topic = one_line(text);
        if topic.chars().count() > limits::TOPIC_MAX {
            return err(format!("At most {} characters", limits::TOPIC_MAX));
        }
        Ok(Self(topic))
    }
}
