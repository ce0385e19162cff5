//! What a line of a message begins with: quotes, list items, headings, rules, code, or only text that looks like it.

/// Quotes and lists within each other; what goes deeper stands at this depth.
const DEEPEST: usize = 6;

/// The quotes and list items that a line begins with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Markers {
    /// Where what they hold begins, in bytes.
    pub end: usize,
    pub quotes: usize,
    pub items: usize,
    /// Something that looks like one more marker follows, and is none.
    pub is_literal: bool,
}

/// Reads the markers of a line.
pub fn markers(line: &str) -> Markers {
    let mut found = Markers::default();
    loop {
        let rest = &line[found.end..];
        let text = rest.trim_start_matches([' ', '\t']);
        let start = found.end + rest.len() - text.len();
        let Some(length) = marker(text) else { return found };
        if length == 0 || found.quotes + found.items == DEEPEST {
            // The indentation stays before what is text now.
            return Markers { is_literal: true, ..found };
        }
        if text.starts_with('>') {
            found.quotes += 1;
        } else {
            found.items += 1;
        }
        found.end = start + length;
    }
}

/// The bytes of the marker that `text` begins with, white space behind it included; 0 for what only looks like one.
fn marker(text: &str) -> Option<usize> {
    let rest = match text.chars().next()? {
        '>' => return Some(if is_quote(text) { 1 + usize::from(text[1..].starts_with(' ')) } else { 0 }),
        sign @ ('-' | '*' | '+') => {
            let rest = &text[1..];
            let is_rule = text.trim_end().len() > 2 && text.chars().all(|c| c == sign || c.is_whitespace());
            if rest.starts_with(|c: char| c != ' ' && c != '\t')
                || (is_rule && sign == '-' && !text.trim_end().contains(' '))
            {
                return None;
            }
            if is_rule || sign == '+' {
                return Some(0);
            }
            rest
        }
        '0'..='9' => {
            let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = text.len() - rest.len();
            let rest = rest.strip_prefix(['.', ')'])?;
            if rest.starts_with(|c: char| c != ' ' && c != '\t') {
                return None;
            }
            // Longer ones are years.
            if digits > 3 {
                return Some(0);
            }
            rest
        }
        _ => return None,
    };
    let is_empty = rest.trim().is_empty();
    Some(if is_empty { 0 } else { text.len() - rest.len() + 1 })
}

/// A quote has a space behind its signs, or nothing: `>:(` and `>_<` are faces.
fn is_quote(text: &str) -> bool {
    let inside = text.trim_start_matches('>');
    inside.is_empty() || inside.starts_with([' ', '\t'])
}

/// What a line is, behind its markers.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    Text,
    /// Text whose first sign would make Markdown see something else.
    Literal,
    Heading,
    /// A line of dashes between two paragraphs.
    Rule,
    /// Code begins; with as many backticks it ends.
    Fence(usize),
}

/// What the line that `text` is means; `rest` is the whole text from there on.
pub fn meaning(text: &str, rest: &str) -> Meaning {
    let line = text.trim_end();
    let only = |sign: char| line.chars().all(|c| c == sign || c.is_whitespace());
    match text.chars().next() {
        Some('`') => {
            let info = text.trim_start_matches('`');
            let ticks = text.len() - info.len();
            if ticks >= 3 && !info.contains('`') { Meaning::Fence(ticks) } else { Meaning::Text }
        }
        Some('-') if only('-') && line.len() >= 3 && !line.contains(' ') => Meaning::Rule,
        Some(sign @ ('-' | '=' | '*' | '_' | '+')) if only(sign) => Meaning::Literal,
        Some('~') if text.starts_with("~~~") => Meaning::Literal,
        Some('#') => {
            let words = text.trim_start_matches('#');
            let is_heading = text.len() - words.len() <= 6
                && words.starts_with([' ', '\t'])
                && !words.trim_matches(['#', ' ', '\t']).is_empty();
            if is_heading { Meaning::Heading } else { Meaning::Literal }
        }
        Some('[') if is_definition(rest) => Meaning::Literal,
        _ => Meaning::Text,
    }
}

/// `[10:31]: late`, which Markdown would take for the address of a link and not show at all.
fn is_definition(text: &str) -> bool {
    // A label has at most 999 characters.
    let end = text.char_indices().take(1000).find(|&(at, c)| c == ']' && !text[..at].ends_with('\\'));
    end.is_some_and(|(at, _)| text[at + 1..].starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> (usize, usize, bool, &str) {
        let Markers { end, quotes, items, is_literal } = markers(line);
        (quotes, items, is_literal, &line[end..])
    }

    #[test]
    fn quotes_and_items_are_told_from_faces_and_numbers() {
        for (line, expected) in [
            ("hello", (0, 0, false, "hello")),
            ("> a", (1, 0, false, "a")),
            (">> a", (2, 0, false, "a")),
            ("> - a", (1, 1, false, "a")),
            ("  - a", (0, 1, false, "a")),
            ("12) a", (0, 1, false, "a")),
            (">:(", (0, 0, true, ">:(")),
            ("> >_<", (1, 0, true, ">_<")),
            ("1. ", (0, 0, true, "1. ")),
            ("2026. What", (0, 0, true, "2026. What")),
            ("+ 1", (0, 0, true, "+ 1")),
            ("- - -", (0, 0, true, "- - -")),
            ("-", (0, 0, true, "-")),
            ("---", (0, 0, false, "---")),
            ("-5 degrees", (0, 0, false, "-5 degrees")),
            ("3.14", (0, 0, false, "3.14")),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn markers_go_only_so_deep() {
        let (quotes, items, is_literal, rest) = found("> > > - - - - - a");
        assert_eq!((quotes, items, is_literal, rest), (3, 3, true, "- - a"));
    }

    #[test]
    fn a_line_means_what_people_mean() {
        for (line, expected) in [
            ("hello", Meaning::Text),
            ("# hello", Meaning::Heading),
            ("#lab", Meaning::Literal),
            ("# #", Meaning::Literal),
            ("----", Meaning::Rule),
            ("--", Meaning::Literal),
            ("===", Meaning::Literal),
            ("***", Meaning::Literal),
            ("```rust", Meaning::Fence(3)),
            ("```a```", Meaning::Text),
            ("~~~ hi", Meaning::Literal),
            ("[10:31]: late", Meaning::Literal),
            ("[a](https://b.org)", Meaning::Text),
        ] {
            assert_eq!(meaning(line, line), expected, "{line}");
        }
    }
}
