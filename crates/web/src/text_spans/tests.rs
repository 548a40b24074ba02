use super::Span::{Block, Bold, Code, Italic, Link, List, Mention, Quote, Struck, Text};
use super::*;
use proptest::prelude::*;

fn item(number: Option<u16>, text: &str) -> Item<'_> {
    Item { number, spans: vec![Text(text)] }
}

#[test]
fn plain_text_is_one_piece() {
    assert_eq!(spans("Nine is early. 3 > 2 & <b>no</b>"), [Text("Nine is early. 3 > 2 & <b>no</b>")]);
    assert_eq!(spans(""), []);
}

#[test]
fn links_end_where_the_sentence_goes_on() {
    assert_eq!(
        spans("See https://example.org/a_(b), then (http://x.example/?q=1)."),
        [Text("See "), Link("https://example.org/a_(b)"), Text(", then ("), Link("http://x.example/?q=1"), Text(").")]
    );
    assert_eq!(spans("mailto:ann@example.org!"), [Link("mailto:ann@example.org"), Text("!")]);
}

#[test]
fn only_three_schemes_are_links() {
    for text in [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "xhttp://example.org",
        "https://",
        "http://@evil.example",
        "https://bank.example@evil.example/",
        "https://bank.example\\@evil.example/",
        "mailto:nobody",
        "http:/example.org",
    ] {
        assert!(!spans(text).iter().any(|span| matches!(span, Link(_))), "{text}");
    }
}

#[test]
fn an_address_does_not_turn_round() {
    assert_eq!(spans("https://example.org/\u{202E}gpj.exe"), [Link("https://example.org/"), Text("\u{202E}gpj.exe")]);
}

#[test]
fn code_is_not_looked_into() {
    assert_eq!(
        spans("run `cargo @ann **x** https://x.example` now"),
        [Text("run "), Code("cargo @ann **x** https://x.example"), Text(" now")]
    );
    assert_eq!(spans("a `b\nc` d"), [Text("a `b"), Text("\n"), Text("c` d")]);
    assert_eq!(spans("``"), [Text("``")]);
    assert_eq!(spans("x ```\nlet a;\n- b\n``` y"), [Text("x "), Block("let a;\n- b"), Text(" y")]);
    assert_eq!(spans("x\n```\na\n```\ny"), [Text("x"), Block("a"), Text("y")]);
}

#[test]
fn mentions_are_usernames_at_a_words_start() {
    assert_eq!(spans("@ann, and @tunde.bello."), [Mention("ann"), Text(", and "), Mention("tunde.bello"), Text(".")]);
    assert_eq!(spans("ann@example.org @no @Ann"), [Text("ann@example.org @no @Ann")]);
    assert_eq!(spans("_@ann"), [Text("_"), Mention("ann")]);
    assert_eq!(spans("**@ann**"), [Bold(vec![Mention("ann")])]);
}

#[test]
fn emphasis_is_between_its_signs() {
    assert_eq!(spans("a **b** c"), [Text("a "), Bold(vec![Text("b")]), Text(" c")]);
    assert_eq!(
        spans("*a* _b_ ~~c~~"),
        [Italic(vec![Text("a")]), Text(" "), Italic(vec![Text("b")]), Text(" "), Struck(vec![Text("c")])]
    );
    assert_eq!(spans("**a *b* c**"), [Bold(vec![Text("a "), Italic(vec![Text("b")]), Text(" c")])]);
    assert_eq!(spans("***a***"), [Bold(vec![Italic(vec![Text("a")])])]);
    assert_eq!(spans("(**a**)"), [Text("("), Bold(vec![Text("a")]), Text(")")]);
    assert_eq!(spans("**N**atter"), [Bold(vec![Text("N")]), Text("atter")]);
    assert_eq!(spans("这是**重要**的"), [Text("这是"), Bold(vec![Text("重要")]), Text("的")]);
    assert_eq!(spans("_https://x.example/a_"), [Italic(vec![Link("https://x.example/a")])]);
    assert_eq!(spans("_*@ann*_"), [Italic(vec![Italic(vec![Mention("ann")])])]);
    assert_eq!(spans("*a **b** *c*"), [Text("*a "), Bold(vec![Text("b")]), Text(" "), Italic(vec![Text("c")])]);
}

#[test]
fn what_only_looks_like_emphasis_stays_text() {
    for text in [
        "snake_case_name",
        "2*3*4",
        "2**3**4",
        "2 * 3 * 4",
        "__init__",
        "a * b",
        "**",
        "****",
        "** a **",
        "*a",
        "a*",
        "~a~",
        "f(*args, **kwargs)",
        "¯\\_(ツ)_/¯",
        "\\*a*",
        "~~~a~~~",
        "ein_e Ähre_ä",
    ] {
        assert_eq!(spans(text), [Text(text)], "{text}");
    }
}

#[test]
fn overlapping_signs_end_what_is_around_them() {
    assert_eq!(spans("**a *b** c*"), [Bold(vec![Text("a *b")]), Text(" c*")]);
    assert_eq!(spans("*a ~~b* c~~"), [Italic(vec![Text("a ~~b")]), Text(" c~~")]);
}

#[test]
fn quotes_begin_a_line() {
    assert_eq!(spans("> a\n> b\nc"), [Quote(vec![Text("a"), Text("\n"), Text("b")]), Text("c")]);
    assert_eq!(spans("> > a\n> b"), [Quote(vec![Quote(vec![Text("a")]), Text("b")])]);
    assert_eq!(
        spans("> - **a**"),
        [Quote(vec![List(vec![Item { number: None, spans: vec![Bold(vec![Text("a")])] }])])]
    );
    for text in [">:(", "a > b", ">_<", ">>> x"] {
        assert_eq!(spans(text), [Text(text)], "{text}");
    }
    let deep = spans("> > > > > a");
    assert_eq!(deep, [Quote(vec![Quote(vec![Quote(vec![Text("> > a")])])])]);
}

#[test]
fn lists_begin_lines() {
    assert_eq!(
        spans("to buy:\n- eggs\n* milk\nthat is all"),
        [Text("to buy:"), List(vec![item(None, "eggs"), item(None, "milk")]), Text("that is all")]
    );
    assert_eq!(spans("1. a\n2) b"), [List(vec![item(Some(1), "a"), item(Some(2), "b")])]);
    assert_eq!(spans("- a\n3. b"), [List(vec![item(None, "a")]), List(vec![item(Some(3), "b")])]);
    for text in ["-5 degrees", "2026. A good year", "1.5 l", "-", "- ", "1. ", "*a"] {
        assert_eq!(spans(text), [Text(text)], "{text}");
    }
}

#[test]
fn lines_stay_lines() {
    assert_eq!(spans("a\n\nb"), [Text("a"), Text("\n"), Text("\n"), Text("b")]);
    assert_eq!(spans("**a\nb**"), [Text("**a"), Text("\n"), Text("b**")]);
}

#[test]
fn an_excerpt_has_no_signs() {
    assert_eq!(plain("**Hello** _you_\n> a ~~b~~\n- `c`\n2. d\n```\ne\n``` @ann"), "Hello you a b • c 2. d e @ann");
    assert_eq!(plain("snake_case stays"), "snake_case stays");
}

/// What is shown of the pieces, their number, and how deep they stand.
fn measure(spans: &[Span<'_>], depth: usize, shown: &mut String) -> (usize, usize) {
    let (mut count, mut deepest) = (0, depth);
    for span in spans {
        count += 1;
        let inner: Vec<&[Span<'_>]> = match span {
            Text(text) | Code(text) | Block(text) | Link(text) | Mention(text) => {
                assert!(!text.is_empty());
                shown.push_str(text);
                continue;
            }
            Bold(inner) | Italic(inner) | Struck(inner) | Quote(inner) => vec![inner],
            List(items) => items.iter().map(|item| &item.spans[..]).collect(),
        };
        for inner in inner {
            let (more, deep) = measure(inner, depth + 1, shown);
            count += more + 1;
            deepest = deepest.max(deep);
        }
    }
    (count, deepest)
}

/// Everything shown was written, in this order; what is not shown is a sign.
fn check(text: &str) {
    let mut shown = String::new();
    let (count, depth) = measure(&spans(text), 0, &mut shown);
    assert!(depth <= DEPTH, "{depth} deep: {text:?}");
    assert!(count <= 2 * text.len() + 1, "{count} pieces: {text:?}");
    let mut left = shown.chars().peekable();
    for c in text.chars() {
        if left.next_if_eq(&c).is_none() {
            assert!("*_~`>-@\n .)".contains(c) || c.is_ascii_digit(), "{c:?} of {text:?} is not shown: {shown:?}");
        }
    }
    assert_eq!(left.next(), None, "shown and not written: {text:?}");
    plain(text);
}

#[test]
fn letters_of_many_bytes_do_not_break_it() {
    for text in
        ["ħttp://é", "m😀@", "`é", "https://é.example/ü", "@é", "hé", "h", "@", "`", "*é*", "_é", "> é", "~~é~~é"]
    {
        check(text);
    }
}

/// The longest message takes as long as any other of its length: with a search for each sign, these would take minutes.
#[test]
fn long_runs_of_signs_take_no_time() {
    for part in [
        "*",
        "*a",
        "*a ",
        "**a ",
        "_a ",
        "~~a ",
        "***a ",
        "`",
        "> ",
        "- a\n",
        "1. a\n",
        "```\n",
        "**a _b ~~c *d ",
        "a*",
    ] {
        check(&part.repeat(40_000 / part.len()));
    }
    for (start, end) in [("http://a", ")"), ("http://a", "("), ("**", "*a"), ("*a *b ~~", "**")] {
        check(&format!("{start}{}", end.repeat(20_000)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_shown_as_it_is_written(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn any_signs_are_cut_without_loss(text in "[*_~`>@ \\-a1.)\nhé\\\\]{0,120}") {
        check(&text);
    }
}

fn mentioned<'a>(spans: &[Span<'a>], out: &mut Vec<&'a str>) {
    for span in spans {
        match span {
            Mention(name) if !out.contains(name) => out.push(name),
            Bold(inner) | Italic(inner) | Struck(inner) | Quote(inner) => mentioned(inner, out),
            List(items) => items.iter().for_each(|item| mentioned(&item.spans, out)),
            _ => {}
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_mentions_whom_the_server_finds_in_it(
        text in "(@|ann|all|`|```|\n|http://|mailto:|[.:/)( _*~>-]|- |> |x|é|@bob|https://x.example/@a){0,24}",
    ) {
        let mut drawn = Vec::new();
        mentioned(&spans(&text), &mut drawn);
        proptest::prop_assert_eq!(drawn, natter_shared::mention::names(&text));
    }
}
