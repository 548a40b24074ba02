//! The links of a document, and the headings that links can lead to, as GitHub names them.

use super::code;

/// Where every link and image of the document leads, with its line (from 1 on).
pub fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let ends = line.match_indices("](").map(|(at, mark)| (at + mark.len(), ')'));
        let sources = ["src=\"", "href=\""]
            .into_iter()
            .flat_map(|mark| line.match_indices(mark).map(|(at, mark)| (at + mark.len(), '"')).collect::<Vec<_>>());
        for (from, end) in ends.chain(sources) {
            let target = line[from..].split(end).next().unwrap_or_default();
            // A title may follow.
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        if let Some((name, target)) = line.trim().strip_prefix('[').and_then(|rest| rest.split_once("]: "))
            && !name.contains(']')
        {
            found.push((number, target.split_whitespace().next().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// What can stand behind the `#` of a link to this document.
pub fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (line, is_code) in code::lines(text) {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if is_code || !(1..=6).contains(&level) || !line[level..].starts_with(' ') {
            continue;
        }
        let name = slug(&line[level..]);
        let same = found.iter().filter(|other| **other == name).count();
        found.push(name.clone());
        if same > 0 {
            found.push(format!("{name}-{same}"));
        }
    }
    found
}

fn slug(heading: &str) -> String {
    // Of a link only its words are left.
    let mut words = String::new();
    let mut rest = heading.trim();
    while let Some((before, after)) = rest.split_once("](") {
        words.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    let kept = words.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

/// The lines outside of blocks of code, without what stands between back ticks.
fn prose(text: &str) -> Vec<(usize, String)> {
    let lines = code::lines(text).into_iter().enumerate().filter(|(_, (_, is_code))| !is_code);
    lines.map(|(at, (line, _))| (at + 1, line.split('`').step_by(2).collect::<Vec<_>>().join("`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_images_and_references_are_found_and_code_is_not() {
        let text =
            "[a](b.md#c) ![d](e.png \"title\") <img src=\"f.png\">\n\n    [no](link)\n\n`[no](link)`\n\n[g]: h.md\n";
        let expected = [(1, "b.md#c"), (1, "e.png"), (1, "f.png"), (7, "h.md")];
        assert_eq!(targets(text), expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn headings_have_the_names_that_links_call_them_by() {
        let text = "# A `room`, [once](x.md) & more\n## Twice\n## Twice\n\n    # a comment\n";
        assert_eq!(anchors(text), ["a-room-once--more", "twice", "twice", "twice-1"]);
    }
}
