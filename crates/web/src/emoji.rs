//! The emoji that can be picked: reading the table of them, finding some by words, and which were used last. It draws
//! nothing.

use std::sync::OnceLock;

const TABLE: &str = include_str!("../assets/emoji.txt");

/// So many of those used last are kept and shown.
pub const RECENT: usize = 16;
/// What stands where nothing was used yet.
const FIRST: &str = "👍 ❤️ 😂 😮 😢 🙏 🎉 👀 😄 👏 🔥 ✅ 💯 🤔 🙌 🚀";

/// What the groups are called: keys of the locales, as they stand in the table.
const GROUPS: [&str; 8] = [
    "emoji.smileys",
    "emoji.people",
    "emoji.nature",
    "emoji.food",
    "emoji.travel",
    "emoji.activities",
    "emoji.objects",
    "emoji.symbols",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji {
    pub sign: &'static str,
    names: [&'static str; 2],
    words: [&'static str; 2],
}

impl Emoji {
    /// What it is called.
    pub fn name(&self, german: bool) -> &'static str {
        self.names[usize::from(german)]
    }

    /// Whether each of these words begins a word of it, in either language.
    fn is_meant(&self, wanted: &[String]) -> bool {
        wanted.iter().all(|wanted| {
            let all = self.names.iter().chain(&self.words);
            let mut words = all.flat_map(|text| text.split([' ', '-', '/', ',', ':', '(']));
            words.any(|word| word.len() >= wanted.len() && word.to_lowercase().starts_with(wanted.as_str()))
        })
    }
}

pub struct Group {
    /// What the page calls it: a key of the locales.
    pub key: &'static str,
    pub emoji: Vec<Emoji>,
}

/// All of them, in the order in which they are shown.
pub fn groups() -> &'static [Group] {
    static READ: OnceLock<Vec<Group>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut groups: Vec<Group> = Vec::new();
        for line in TABLE.lines().filter(|line| !line.starts_with("# ")) {
            if let Some(name) = line.strip_prefix("= ") {
                let key = GROUPS.iter().find(|key| **key == name).copied().unwrap_or_default();
                groups.push(Group { key, emoji: Vec::new() });
            } else if let (Some(group), Some(emoji)) = (groups.last_mut(), read(line)) {
                group.emoji.push(emoji);
            }
        }
        groups
    })
}

fn read(line: &'static str) -> Option<Emoji> {
    let mut parts = line.split(';');
    let mut next = || parts.next();
    let (sign, english, more_english, german, more_german) = (next()?, next()?, next()?, next()?, next()?);
    Some(Emoji { sign, names: [english, german], words: [more_english, more_german] })
}

fn all() -> impl Iterator<Item = &'static Emoji> {
    groups().iter().flat_map(|group| &group.emoji)
}

/// Those that the words describe, by their names before by anything else; none for no words.
pub fn find(text: &str) -> Vec<&'static Emoji> {
    let wanted: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let named = |emoji: &&Emoji| Emoji { words: [""; 2], ..**emoji }.is_meant(&wanted);
    let first = all().filter(|emoji| named(emoji));
    let then = all().filter(|emoji| !named(emoji) && emoji.is_meant(&wanted));
    let itself = all().filter(|emoji| emoji.sign == text.trim());
    itself.chain(first).chain(then).collect()
}

/// Those used last, as they are kept, filled up with common ones.
pub fn recent(kept: &str) -> Vec<&'static Emoji> {
    let mut recent: Vec<&'static Emoji> = Vec::with_capacity(RECENT);
    for sign in kept.split(' ').chain(FIRST.split(' ')) {
        if recent.len() < RECENT
            && let Some(emoji) = all().find(|emoji| emoji.sign == sign)
            && !recent.contains(&emoji)
        {
            recent.push(emoji);
        }
    }
    recent
}

/// What is kept once another one was used.
pub fn used(kept: &str, sign: &str) -> String {
    let others = kept.split(' ').filter(|other| !other.is_empty() && *other != sign);
    std::iter::once(sign).chain(others).take(RECENT).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::text::Emoji as Reaction;
    use std::collections::BTreeSet;

    fn signs(found: &[&Emoji]) -> Vec<&'static str> {
        found.iter().map(|emoji| emoji.sign).collect()
    }

    #[test]
    fn each_can_be_reacted_with_and_is_there_once() {
        assert!((400..=600).contains(&all().count()));
        let different: BTreeSet<_> = all().map(|emoji| emoji.sign).collect();
        assert_eq!(different.len(), all().count());
        for emoji in all() {
            assert_eq!(Reaction::parse(emoji.sign).unwrap().as_str(), emoji.sign);
            assert!(!emoji.name(false).is_empty() && !emoji.name(true).is_empty());
        }
        let lines = TABLE.lines().filter(|line| !line.starts_with("# ") && !line.starts_with("= ")).count();
        assert_eq!(lines, all().count(), "each line is read");
        assert_eq!(groups().iter().map(|group| group.key).collect::<Vec<_>>(), GROUPS);
    }

    #[test]
    fn words_of_both_languages_find() {
        assert_eq!(signs(&find("party popper")), ["🎉"]);
        assert!(signs(&find("Konfetti")).contains(&"🎉"));
        assert!(signs(&find("daumen")).contains(&"👍"));
        assert!(signs(&find("THUMB up")).contains(&"👍"));
        assert_eq!(signs(&find("☕"))[0], "☕");
        assert_eq!(signs(&find("  ")), Vec::<&str>::new());
        assert_eq!(signs(&find("no such thing")), Vec::<&str>::new());
        // What is called so comes before what has to do with it.
        assert_eq!(signs(&find("dog"))[0], "🐶");
    }

    #[test]
    fn what_was_used_last_comes_first() {
        assert_eq!(recent("").len(), RECENT);
        let kept = used(&used("", "🚀"), "☕");
        assert_eq!(kept, "☕ 🚀");
        assert_eq!(signs(&recent(&kept))[..3], ["☕", "🚀", "👍"]);
        assert_eq!(signs(&recent("<b> 🚀 x")).first(), Some(&"🚀"), "what others wrote there is passed over");
        let many = all().fold(String::new(), |kept, emoji| used(&kept, emoji.sign));
        assert_eq!(many.split(' ').count(), RECENT);
    }
}
