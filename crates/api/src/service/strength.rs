//! Which passwords are accepted: not by their characters, but by how many guesses they withstand. Lists of common
//! passwords, words and names are zxcvbn's (its first 30 000 passwords all score below what is asked for); who the person
//! is and what the product is called are added to them.

use natter_shared::limits;
use natter_shared::text::Password;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::Score;

/// zxcvbn looks at the first hundred characters; longer words about a person are of no use to it either.
const WORD_MAX: usize = 100;

/// How well a password withstands guessing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// 0 to 4.
    pub score: u8,
    /// How to make it better, in words; `None` if there is nothing to say.
    pub advice: Option<String>,
}

impl Strength {
    /// Why the password is not accepted, or `None` if it is.
    pub fn refusal(&self) -> Option<String> {
        (self.score < limits::PASSWORD_SCORE).then(|| {
            let advice = self.advice.as_deref().unwrap_or("Add another word or two.");
            format!("Too easy to guess. {advice}")
        })
    }
}

/// Judges a password for a person of whom `about` is known (username, e-mail address, display name). Takes milliseconds of
/// a core: run it where that is no harm.
pub fn judge(password: &Password, about: &[String]) -> Strength {
    let text: String = password.expose().nfkc().collect();
    let mut words = vec!["natter".to_owned()];
    for known in about {
        let parts = known.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 2);
        words.extend(std::iter::once(known.as_str()).chain(parts).map(|word| word.chars().take(WORD_MAX).collect()));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let entropy = zxcvbn::zxcvbn(&text, &words);
    let score = match entropy.score() {
        Score::Zero => 0,
        Score::One => 1,
        Score::Two => 2,
        Score::Three => 3,
        // zxcvbn's enum may grow; four is the best there is.
        _ => 4,
    };
    let advice = entropy.feedback().map(|advice| advice.to_string().trim().to_owned());
    Strength { score, advice: advice.filter(|advice| !advice.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(text: &str) -> Strength {
        let about = ["margit_o", "margit@kestrelworks.example", "Margit Oduya"];
        judge(&Password::to_compare(text).unwrap(), &about.map(str::to_owned))
    }

    #[test]
    fn what_others_guess_first_is_refused_with_a_reason() {
        for bad in [
            "password1234567",
            "1234567890",
            "qwertyuiop",
            "1q2w3e4r5t",
            "iloveyou12",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabc",
            "natternatter",
            "Natter2026!",
            "margit_o1234",
            "margit@kestrelworks.example",
            "Margit Oduya",
            "kestrelworks",
            "ｐａｓｓｗｏｒｄ１２３",
        ] {
            let refusal = strength(bad).refusal().unwrap_or_else(|| panic!("{bad} is accepted"));
            assert!(refusal.starts_with("Too easy to guess. ") && refusal.ends_with('.'), "{bad}: {refusal}");
        }
    }

    #[test]
    fn what_is_hard_to_guess_is_accepted_whatever_it_is_made_of() {
        for good in ["violet anchor tundra", "7vK#pQ2m!xW9", "пингвин лодка ветер", "correct horse battery staple"]
        {
            assert_eq!(strength(good).refusal(), None, "{good}");
        }
        assert_eq!(strength(&"tundra anchor violet 9 ".repeat(10)).refusal(), None);
    }
}
