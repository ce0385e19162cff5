//! Finds what Hubbub says to people: in Rust, in templates and in scripts.
//!
//! In Rust a literal that is a whole sentence is one for a person, so that a new refusal can't be forgotten;
//! anything shorter stands in `t("…")`. Templates write `"…"|t`, scripts `t('…')`.

use std::path::Path;

/// Files of the shell and of starting up: they speak to whoever has the console, in English.
const CONSOLE: [&str; 8] = [
    "src/backup",
    "src/cli",
    "src/app.rs",
    "src/app/doors.rs",
    "src/app/serve.rs",
    "src/main.rs",
    "src/config.rs",
    "src/site/tls",
];

/// One sentence, and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub sentence: String,
    /// Said as an error: it may come to a script by socket, as a whole.
    pub whole: bool,
}

/// Whether the Rust file speaks to people by pages and sockets.
pub fn speaks_to_people(path: &Path) -> bool {
    let tests = path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    !tests && !CONSOLE.iter().any(|file| path.starts_with(file))
}

/// The sentences of a Rust file, those of its tests left out.
pub fn of_rust(source: &str) -> Vec<Found> {
    let tokens = lex(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = attribute_end(&tokens, at) {
            at = if is_test(&tokens[at..end]) {
                item_end(&tokens, end)
            } else if matches!(tokens.get(at + 2), Some(Token::Word(word)) if word == "error") {
                at + 2
            } else {
                end
            };
            continue;
        }
        if let Token::Text(text) = &tokens[at] {
            let wrapped =
                at >= 2 && tokens[at - 1] == Token::Sign('(') && tokens[at - 2] == Token::Word("t".into());
            let whole = is_sentence(text);
            if wrapped || whole {
                found.push(Found { sentence: text.clone(), whole });
            }
        }
        at += 1;
    }
    found
}

fn is_sentence(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.contains(' ') && text.ends_with('.')
}

/// `#[…]` from its first to after its last token.
fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    if tokens[at] != Token::Sign('#') {
        return None;
    }
    let open = at + 1 + usize::from(tokens.get(at + 1) == Some(&Token::Sign('!')));
    (tokens.get(open) == Some(&Token::Sign('['))).then(|| closed(tokens, open))
}

/// The place after the bracket that closes the one at `open`.
fn closed(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn is_test(attribute: &[Token]) -> bool {
    let word = |at: usize, word: &str| attribute.get(at) == Some(&Token::Word(word.into()));
    word(2, "cfg") && word(4, "test")
}

/// The end of the item that begins at `at`: its `;`, or its closing brace.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at] {
            Token::Sign(';') => return at + 1,
            Token::Sign('{') => return closed(tokens, at),
            Token::Sign('(' | '[') => at = closed(tokens, at),
            _ => at += 1,
        }
    }
    at
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// As much of Rust's grammar as telling literals from all else takes.
fn lex(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if let Some(line) = rest.strip_prefix("//") {
            rest = line.find('\n').map_or("", |end| &line[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
        } else if let Some(text) = rest.strip_prefix('"') {
            let (literal, after) = literal(text);
            tokens.push(Token::Text(literal));
            rest = after;
        } else if let Some(raw) = raw_literal(rest) {
            rest = raw;
        } else if c == '\'' {
            rest = after_quote(rest);
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    tokens
}

/// A literal's value, and what follows its closing quote.
fn literal(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return (value, rest),
            '\\' => {
                let Some(escaped) = rest.chars().next() else { break };
                rest = &rest[escaped.len_utf8()..];
                match escaped {
                    // A line that goes on: the indentation of the next one isn't part of it.
                    '\n' => rest = rest.trim_start(),
                    'n' => value.push('\n'),
                    c => value.push(c),
                }
            }
            c => value.push(c),
        }
    }
    (value, "")
}

/// What follows a raw or a byte literal; those say nothing to people.
fn raw_literal(rest: &str) -> Option<&str> {
    if let Some(bytes) = rest.strip_prefix("b\"") {
        return Some(literal(bytes).1);
    }
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let body = raw[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&end).map_or("", |at| &body[at + end.len()..]))
}

/// What follows a character, or the mark of a lifetime.
fn after_quote(rest: &str) -> &str {
    let mut chars = rest[1..].chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => {
            let body = &rest[3.min(rest.len())..];
            body.find('\'').map_or("", |end| &body[end + 1..])
        }
        (Some(c), Some('\'')) => &rest[c.len_utf8() + 2..],
        _ => &rest[1..],
    }
}

/// The sentences of a template: `"…"|t`.
pub fn of_template(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, mark) in source.match_indices("\"|t") {
        let after = source[at + mark.len()..].chars().next();
        if after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '(') {
            continue;
        }
        let begin = source[..at].rfind('"').map_or(0, |begin| begin + 1);
        found.push(source[begin..at].to_owned());
    }
    found
}

/// Words that a template says without `|t`, in its text or in an attribute that is read out.
pub fn bare_words(source: &str) -> Vec<String> {
    let spoken = ["aria-label", "title", "placeholder", "alt"];
    let mut bare = Vec::new();
    let text = without(&without(source, "{%", "%}"), "{{", "}}");
    for name in spoken {
        for (at, mark) in text.match_indices(&format!(" {name}=\"")) {
            let value = text[at + mark.len()..].split('"').next().unwrap_or_default();
            bare.extend(words_of(value));
        }
    }
    let text = without(&text, "<", ">");
    bare.extend(text.lines().filter_map(words_of));
    bare
}

fn words_of(line: &str) -> Option<String> {
    let line = line.replace("Hubbub", "").replace("&nbsp;", "");
    let line = line.trim();
    // The name of a class, which a page gives to a block of the shell.
    let class = line.contains('-') && line.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    (!class && line.chars().any(char::is_alphabetic)).then(|| line.to_owned())
}

fn without(source: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = source;
    while let Some((before, inside)) = rest.split_once(open) {
        kept.push_str(before);
        rest = inside.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

/// The sentences of a script: `t('…')` or `t("…")`.
pub fn of_script(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("t(") {
        let before = source[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "_$.#".contains(c)) {
            continue;
        }
        let inside = source[at + 2..].trim_start();
        let Some(quote) = inside.chars().next().filter(|c| matches!(c, '\'' | '"')) else { continue };
        let mut value = String::new();
        let mut chars = inside[1..].chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => value.extend(chars.next()),
                c if c == quote => break,
                c => value.push(c),
            }
        }
        found.push(value);
    }
    found
}

/// The names in braces that a sentence is filled with.
pub fn blanks(sentence: &str) -> Vec<&str> {
    let inside = sentence.split('{').skip(1);
    let mut names: Vec<&str> = inside.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    names.sort_unstable();
    names
}
