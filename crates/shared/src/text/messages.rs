//! What is said, what is answered with one emoji, and what is searched for.

use super::names::is_invisible;
use super::{Emoji, MessageBody, TextError, err};
use crate::limits;

impl MessageBody {
    /// A text of its own.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let body = Self::parse_caption(text)?;
        if body.0.is_empty() { err("There is nothing in this message") } else { Ok(body) }
    }

    /// A text beside images: it may be empty.
    pub fn parse_caption(text: &str) -> Result<Self, TextError> {
        if text.len() > limits::BODY_MAX_BYTES {
            return err(format!("Too long: at most {} KiB", limits::BODY_MAX_BYTES / 1024));
        }
        let body: String = text.chars().filter(|c| !(c.is_control() && *c != '\n' && *c != '\t')).collect();
        let length = body.chars().count();
        if length > limits::BODY_MAX {
            return err(format!("Too long: {length} characters, at most {}", limits::BODY_MAX));
        }
        if body.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
            return Ok(Self(String::new()));
        }
        Ok(Self(body))
    }
}

impl Emoji {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::new("A reaction is one emoji");
        if text.is_empty() || text.len() > limits::EMOJI_MAX_BYTES {
            return Err(wrong());
        }
        let keycap = text.ends_with('\u{20E3}');
        let part = |c: char| {
            matches!(c, '\u{200D}' | '\u{FE0F}' | '\u{20E3}' | '\u{E0020}'..='\u{E007F}')
                || (keycap && matches!(c, '0'..='9' | '#' | '*'))
        };
        let symbol = |c: char| {
            matches!(c, '\u{00A9}' | '\u{00AE}' | '\u{203C}' | '\u{2049}' | '\u{2100}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}'
                | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
        };
        if text.chars().all(|c| part(c) || symbol(c)) && (keycap || text.chars().any(symbol)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

/// A search text: trimmed, 1 to 64 code points.
pub fn parse_query(text: &str) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return err("Say what to search for");
    }
    if text.len() > 4 * limits::QUERY_MAX || text.chars().count() > limits::QUERY_MAX {
        return err(format!("At most {} characters", limits::QUERY_MAX));
    }
    Ok(text.chars().filter(|c| !c.is_control()).collect())
}
