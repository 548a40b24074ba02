//! What is typed after `natter backup` and `natter restore`.

use super::schedule::{Schedule, millis};
use std::path::PathBuf;

/// Of `natter backup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    Make,
    KeepMaking(Schedule),
    List,
    Check { what: String, identity: Option<PathBuf> },
    Status { max_age_ms: i64 },
    Keygen(PathBuf),
}

/// Of `natter restore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    pub what: String,
    pub identity: Option<PathBuf>,
    /// Also if the signing key is not there.
    pub without_key: bool,
}

/// A little more than a day: one backup a day may take a while, and may fail once.
const MAX_AGE_MS: i64 = 26 * 3_600_000;

/// Words that are no options, and options with their values, each once.
struct Words<'a> {
    plain: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
    switches: Vec<&'a str>,
}

impl<'a> Words<'a> {
    /// `None` if there is an option that is not known, is there twice, or is without its value.
    fn parse(arguments: &[&'a str], options: &[&str], switches: &[&str]) -> Option<Self> {
        let mut words = Self { plain: Vec::new(), options: Vec::new(), switches: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            if options.contains(&argument) && words.option(argument).is_none() {
                let value = rest.next().filter(|value| !value.starts_with('-'))?;
                words.options.push((argument, value));
            } else if switches.contains(&argument) && !words.switches.contains(&argument) {
                words.switches.push(argument);
            } else if argument.starts_with('-') {
                return None;
            } else {
                words.plain.push(argument);
            }
        }
        Some(words)
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.iter().find(|(option, _)| *option == name).map(|(_, value)| *value)
    }
}

impl Order {
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        let options = ["--daily", "--every", "--identity", "--max-age"];
        let words = Words::parse(arguments, &options, &[])?;
        let only = |allowed: &[&str]| words.options.iter().all(|(name, _)| allowed.contains(name));
        match words.plain[..] {
            [] if words.options.is_empty() => Some(Self::Make),
            [] if only(&["--daily", "--every"]) => {
                Schedule::parse(words.option("--daily"), words.option("--every")).map(Self::KeepMaking)
            }
            ["list"] if only(&[]) => Some(Self::List),
            ["check", what] if only(&["--identity"]) => {
                Some(Self::Check { what: what.to_owned(), identity: words.option("--identity").map(PathBuf::from) })
            }
            ["status"] if only(&["--max-age"]) => {
                let max_age_ms = words.option("--max-age").map_or(Some(MAX_AGE_MS), millis)?;
                Some(Self::Status { max_age_ms })
            }
            ["keygen", file] if only(&[]) => Some(Self::Keygen(PathBuf::from(file))),
            _ => None,
        }
    }
}

impl Restore {
    pub fn parse(arguments: &[&str]) -> Option<Self> {
        let words = Words::parse(arguments, &["--identity"], &["--without-key"])?;
        let [what] = words.plain[..] else { return None };
        Some(Self {
            what: what.to_owned(),
            identity: words.option("--identity").map(PathBuf::from),
            without_key: !words.switches.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(line: &str) -> Option<Order> {
        Order::parse(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn orders_are_told_apart() {
        assert_eq!(order(""), Some(Order::Make));
        assert!(matches!(order("--daily 03:30 --every 6h"), Some(Order::KeepMaking(_))));
        assert_eq!(order("list"), Some(Order::List));
        assert_eq!(order("status"), Some(Order::Status { max_age_ms: MAX_AGE_MS }));
        assert_eq!(order("status --max-age 90m"), Some(Order::Status { max_age_ms: 5_400_000 }));
        assert_eq!(order("check latest"), Some(Order::Check { what: "latest".to_owned(), identity: None }));
        let with = Order::Check { what: "x".to_owned(), identity: Some("k".into()) };
        assert_eq!(order("check x --identity k"), Some(with.clone()));
        assert_eq!(order("check --identity k x"), Some(with));
        assert_eq!(order("keygen k"), Some(Order::Keygen("k".into())));
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for bad in [
            "--daily",
            "--daily 25:00",
            "--every 6h --every 7h",
            "--max-age 1h",
            "list all",
            "list --every 6h",
            "check",
            "status --max-age 6",
            "keygen",
            "keygen -",
            "make",
            "check x --identity --daily",
            "-x",
        ] {
            assert_eq!(order(bad), None, "{bad}");
        }
        assert_eq!(Restore::parse(&[]), None);
        assert_eq!(Restore::parse(&["a", "b"]), None);
        assert_eq!(Restore::parse(&["latest", "--force"]), None);
        let all = Restore::parse(&["latest", "--without-key", "--identity", "k"]).unwrap();
        assert!(all.without_key && all.identity == Some("k".into()) && all.what == "latest");
    }
}
