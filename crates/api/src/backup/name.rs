//! What a backup is called: `natter-20261128T230815Z.backup`, with `.age` at its end if it is encrypted. Only what is called
//! so is ever listed or deleted.

use natter_shared::timestamp::Timestamp;
use std::fmt;

const BEGIN: &str = "natter-";
const END: &str = ".backup";
const SEALED: &str = ".age";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// To the second.
    at: Timestamp,
    sealed: bool,
}

impl Name {
    pub fn new(at: Timestamp, sealed: bool) -> Self {
        Self { at: Timestamp::from_millis(at.millis() / 1_000 * 1_000), sealed }
    }

    /// `None` for anything that a backup is not called, to the letter.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(BEGIN)?;
        let (rest, sealed) = rest.strip_suffix(SEALED).map_or((rest, false), |rest| (rest, true));
        let time = rest.strip_suffix(END)?;
        if time.len() != 16 || !time.is_ascii() {
            return None;
        }
        let (date, hour) = time.split_at(8);
        let spelled =
            format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..], &hour[1..3], &hour[3..5], &hour[5..7]);
        let name = Self::new(Timestamp::try_from(spelled).ok()?, sealed);
        (name.to_string() == text).then_some(name)
    }

    /// When it was begun.
    pub const fn at(self) -> Timestamp {
        self.at
    }

    /// Whether it is encrypted.
    pub const fn is_sealed(self) -> bool {
        self.sealed
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spelled = self.at.to_string();
        let seconds = spelled.split('.').next().unwrap_or_default();
        let time: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        write!(f, "{BEGIN}{time}Z{END}{}", if self.sealed { SEALED } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_whether_it_is_encrypted() {
        let at = Timestamp::try_from("2026-11-28T23:08:15.987Z".to_owned()).unwrap();
        for (sealed, text) in [(false, "natter-20261128T230815Z.backup"), (true, "natter-20261128T230815Z.backup.age")]
        {
            let name = Name::new(at, sealed);
            assert_eq!(name.to_string(), text);
            assert_eq!(Name::parse(text), Some(name));
            assert_eq!((name.at().millis(), name.is_sealed()), (at.millis() / 1_000 * 1_000, sealed));
        }
    }

    #[test]
    fn nothing_else_is_a_backup() {
        for other in [
            "",
            "natter.db",
            "natter-20261128T230815Z",
            "natter-20261128T230815Z.backup.part",
            ".natter-20261128T230815Z.backup",
            "natter-20261328T230815Z.backup",
            "natter-20261128T250815Z.backup",
            "natter-20261128 230815Z.backup",
            "natter-20261128T230815X.backup",
            "natter-2026112ST230815Z.backup",
            "natter-20261128T230815Z.backup.age.age",
            "Natter-20261128T230815Z.backup",
            "natter-2026112äT23081Z.backup",
            "natter-+0261128T230815Z.backup",
        ] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }
}
