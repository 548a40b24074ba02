//! The commands that a document shows: the lines of its blocks of code, and what stands between single back ticks, in words.
//! It knows no programs. The tests of the server read documents with it too.

/// One command of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it stands, from 1 on.
    pub line: usize,
    pub words: Vec<String>,
    /// Whether it is a line of a block of code, to be typed as it is; else it is named within a sentence.
    pub is_whole: bool,
}

/// Every command in a document. Which program it is for is for the caller to look at.
pub fn commands(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let mut unfinished = String::new();
    for (number, (line, is_code)) in lines(text).into_iter().enumerate() {
        let line_number = number + 1;
        if is_code {
            let line = line.trim();
            let line = line.strip_prefix("$ ").unwrap_or(line);
            unfinished.push_str(line.strip_suffix('\\').unwrap_or(line));
            if line.ends_with('\\') {
                unfinished.push(' ');
            } else {
                let words = words(&std::mem::take(&mut unfinished));
                found.push(Command { line: line_number, words, is_whole: true });
            }
        } else if fence(line).is_none() {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| Command { line: line_number, words: words(span), is_whole: false }));
        }
    }
    found.retain(|command| !command.words.is_empty());
    found
}

/// Each line, and whether it belongs to a block of code: between fences, or indented by four more than what it stands in.
pub fn lines(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut open: Option<&str> = None;
    let mut item = 0;
    let mut may_begin = true;
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let mark = fence(line);
        if open.is_some() {
            let ends = mark == open;
            found.push((line, !ends));
            open = open.filter(|_| !ends);
            continue;
        }
        if mark.is_some() {
            open = mark;
            found.push((line, false));
            continue;
        }
        if bare.is_empty() {
            found.push((line, false));
            may_begin = true;
            continue;
        }
        if indent < item {
            item = 0;
        }
        let is_code = may_begin && indent >= item + 4;
        if !is_code && let Some(width) = marker(bare) {
            item = indent + width;
        }
        may_begin = is_code;
        found.push((line, is_code));
    }
    found
}

/// The mark that begins or ends a block of code, if the line is one.
fn fence(line: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark))
}

/// How wide the mark of a list's item is, with the space behind it.
fn marker(bare: &str) -> Option<usize> {
    let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
    let mark = if digits > 0 { digits + 1 } else { 1 };
    let begins = if digits > 0 { bare[digits..].starts_with(['.', ')']) } else { bare.starts_with(['-', '*', '+']) };
    (begins && bare[mark..].starts_with(' ')).then_some(mark + 1)
}

/// The words of a line as a shell takes them apart, without a comment. It knows quotes, and nothing else of a shell.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, letter) if letter.is_whitespace() => found.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    found.extend(word);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, String, bool)> {
        commands(text).into_iter().map(|c| (c.line, c.words.join(" "), c.is_whole)).collect()
    }

    #[test]
    fn blocks_of_code_are_commands_a_line_each() {
        let text = "Type:\n\n    one two   # why\n    $ three 'a b'\n\nand\n\n```sh\nfour \\\n  five\n```\nThis is\n    not six, a sentence\n";
        let expected = [(3, "one two"), (4, "three a b"), (10, "four five")];
        assert_eq!(shown(text), expected.map(|(line, words)| (line, words.to_owned(), true)));
    }

    #[test]
    fn a_block_within_a_list_is_indented_by_more() {
        let text = "1. Do this.\n\n       one\n\n   More words.\n\n2. Then:\n\n       two\n\nEnd.\n\n    three\n";
        assert_eq!(shown(text).iter().map(|c| c.1.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
    }

    #[test]
    fn what_a_sentence_names_is_no_whole_command() {
        assert_eq!(shown("Start `one two`, or ``."), [(1, "one two".to_owned(), false)]);
    }
}
