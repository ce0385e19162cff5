//! Code in colours: words, strings, numbers and comments of the usual languages, found in one pass.
//!
//! A grammar of every language would know more, and was tried: it kept 75 MB after ten languages and took a second for
//! a hostile message. This takes the time of reading the code once, whatever it is, and keeps nothing.

use super::language::{self, Kind, Language, Quote};

/// Longer code, and code that comes to more pieces, is shown in one colour.
const LONGEST: usize = 12_000;
const MOST_PIECES: usize = 700;

/// What a piece of code is; the class that gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Comment,
    Text,
    Number,
    Word,
    Name,
    Type,
    Added,
    Removed,
}

impl Piece {
    fn class(self) -> &'static str {
        match self {
            Self::Comment => "hb-comment",
            Self::Text => "hb-text",
            Self::Number => "hb-number",
            Self::Word => "hb-word",
            Self::Name => "hb-name",
            Self::Type => "hb-type",
            Self::Added => "hb-added",
            Self::Removed => "hb-removed",
        }
    }
}

/// The language that stands behind the backticks, and what else stands there. Two words are no language.
pub fn language_of(info: &str) -> (&str, &str) {
    let info = info.trim();
    let is_name = (1..=20).contains(&info.len())
        && info.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'#' | b'.' | b'_' | b'-'));
    if is_name { (info, "") } else { ("", info) }
}

/// Writes a block of code.
pub fn block(name: &str, code: &str, out: &mut String) {
    *out += "<pre class=\"hb-code\"";
    if !name.is_empty() {
        *out += " data-language=\"";
        escape(name, out);
        *out += "\"";
    }
    *out += "><code>";
    let pieces =
        language::find(name).filter(|_| code.len() <= LONGEST).map(|language| pieces(language, code));
    match pieces {
        Some(pieces) if pieces.len() <= MOST_PIECES => {
            let mut from = 0;
            for (at, end, piece) in pieces {
                escape(&code[from..at], out);
                *out += "<span class=\"";
                *out += piece.class();
                *out += "\">";
                escape(&code[at..end], out);
                *out += "</span>";
                from = end;
            }
            escape(&code[from..], out);
        }
        _ => escape(code, out),
    }
    *out += "</code></pre>";
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            c => out.push(c),
        }
    }
}

/// Where something begins and ends, in bytes, and what it is.
type Found = (usize, usize, Piece);

fn pieces(language: &Language, code: &str) -> Vec<Found> {
    match language.kind {
        Kind::Changes => changes(code),
        Kind::Markup => markup(code),
        Kind::Code => Reader { language, code, at: 0 }.read(),
    }
}

/// A difference of two files: whole lines.
fn changes(code: &str) -> Vec<Found> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in code.split_inclusive('\n') {
        let piece = match line.as_bytes().first() {
            Some(b'+') => Some(Piece::Added),
            Some(b'-') => Some(Piece::Removed),
            Some(b'@') => Some(Piece::Comment),
            _ => None,
        };
        found.extend(piece.map(|piece| (at, at + line.trim_end().len(), piece)));
        at += line.len();
    }
    found
}

/// HTML and XML: comments, the names of elements and their attributes' values.
fn markup(code: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(step) = code[at..].find('<') {
        let start = at + step;
        let rest = &code[start..];
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(code.len(), |end| start + end + 3);
            found.push((start, at, Piece::Comment));
            continue;
        }
        let name = start + rest.len() - rest.trim_start_matches(['<', '/', '!', '?']).len();
        let length = code[name..]
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | ':' | '_'))
            .unwrap_or(code.len() - name);
        at = name + length;
        if length == 0 {
            continue;
        }
        found.push((name, at, Piece::Word));
        let end = code[at..].find('>').map_or(code.len(), |end| at + end);
        while let Some(quote) = code[at..end].find(['"', '\'']) {
            let open = at + quote;
            let sign = &code[open..=open];
            let close = code[open + 1..].find(sign).map_or(code.len(), |length| open + length + 2);
            found.push((open, close, Piece::Text));
            at = close;
            if at >= end {
                break;
            }
        }
        at = at.max(end);
    }
    found
}

struct Reader<'a> {
    language: &'a Language,
    code: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Vec<Found> {
        let mut found = Vec::new();
        while let Some(c) = self.code[self.at..].chars().next() {
            let start = self.at;
            let piece = self.comment().or_else(|| self.text()).or_else(|| self.word(c));
            match piece {
                Some(Some(piece)) => found.push((start, self.at, piece)),
                Some(None) => {}
                None => self.at += c.len_utf8(),
            }
        }
        found
    }

    fn rest(&self) -> &str {
        &self.code[self.at..]
    }

    /// `Some(None)`: it was read, and has no colour.
    fn comment(&mut self) -> Option<Option<Piece>> {
        let rest = self.rest();
        let length = if let Some((open, close)) =
            self.language.block.iter().find(|(open, _)| rest.starts_with(open))
        {
            rest[open.len()..].find(close).map_or(rest.len(), |at| open.len() + at + close.len())
        } else {
            let sign = self.language.line.iter().find(|sign| rest.starts_with(**sign))?;
            // `$#`, `a#b` and `\%` begin none.
            let before = self.code[..self.at].chars().next_back();
            if matches!(*sign, "#" | "%" | ";" | "!") && before.is_some_and(|c| !c.is_whitespace()) {
                return None;
            }
            rest.find('\n').unwrap_or(rest.len())
        };
        self.at += length;
        Some(Some(Piece::Comment))
    }

    fn text(&mut self) -> Option<Option<Piece>> {
        let rest = self.rest();
        let quote = self.language.quotes.iter().find(|quote| rest.starts_with(quote.open))?;
        let length = length_of_text(rest, quote)?;
        self.at += length;
        let piece = if self.is_key() { Piece::Name } else { Piece::Text };
        Some(Some(piece))
    }

    fn word(&mut self, first: char) -> Option<Option<Piece>> {
        let extra = self.language.extra;
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || extra.contains(c);
        if first.is_ascii_digit() {
            let rest = self.rest();
            let is_number = |(at, c): (usize, char)| {
                let is_sign =
                    matches!(c, '+' | '-') && rest[..at].ends_with(['e', 'E']) && !rest.starts_with("0x");
                let is_point = c == '.' && rest[at + 1..].starts_with(|next: char| next.is_ascii_digit());
                c.is_ascii_alphanumeric() || c == '_' || is_sign || is_point
            };
            self.at += rest.char_indices().find(|&found| !is_number(found)).map_or(rest.len(), |(at, _)| at);
            return Some(Some(Piece::Number));
        }
        if !first.is_alphabetic() && first != '_' && !(extra.contains(first) && first != '-') {
            return None;
        }
        let rest = self.rest();
        let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let word = rest[..length].to_owned();
        self.at += length;
        Some(self.meaning(&word))
    }

    fn meaning(&self, word: &str) -> Option<Piece> {
        if self.is_key() {
            return Some(Piece::Name);
        }
        let is_known = |known: &str| {
            if self.language.is_case_blind { known.eq_ignore_ascii_case(word) } else { known == word }
        };
        if self.language.words.split(' ').any(is_known) {
            return Some(Piece::Word);
        }
        if self.rest().starts_with('(') || (self.rest().starts_with("!(") && word != "if") {
            return Some(Piece::Name);
        }
        let is_type = word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase);
        (is_type && !self.language.is_case_blind).then_some(Piece::Type)
    }

    /// Whether what was read is followed by the sign that makes it a key.
    fn is_key(&self) -> bool {
        let Some(sign) = self.language.key else { return false };
        let rest = self.rest().trim_start_matches(' ');
        rest.starts_with(sign) && !rest[1..].starts_with([sign, '/'])
    }
}

/// The bytes of the string that `rest` begins with.
fn length_of_text(rest: &str, quote: &Quote) -> Option<usize> {
    let inside = &rest[quote.open.len()..];
    if quote.is_one {
        // A letter between quotes; alone, the sign means something else.
        let mut letters = inside.char_indices();
        let (_, first) = letters.next()?;
        if first != '\\' {
            let (end, second) = letters.next()?;
            return (second == '\'' && first != '\'').then_some(quote.open.len() + end + 1);
        }
    }
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' && quote.has_escapes {
            is_escaped = true;
        } else if inside[at..].starts_with(quote.close) {
            return Some(quote.open.len() + at + quote.close.len());
        }
        // A string that isn't closed ends with its line, so that one stray quote doesn't colour the rest.
        if c == '\n' && !quote.is_long {
            return Some(quote.open.len() + at);
        }
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, code: &str) -> String {
        let language = language::find(name).unwrap();
        let found = pieces(language, code);
        found.into_iter().fold(String::new(), |shown, (at, end, piece)| {
            shown + piece.class().trim_start_matches("hb-") + ":" + &code[at..end] + " "
        })
    }

    #[test]
    fn pieces_are_found_in_several_languages() {
        for (name, code, expected) in [
            ("rust", "fn f<'a>() { 'x' } // \"c\"", "word:fn text:'x' comment:// \"c\" "),
            (
                "rs",
                "let s: String = \"a\\\"b\"; g(1_000.5)",
                "word:let type:String text:\"a\\\"b\" name:g number:1_000.5 ",
            ),
            ("python", "def f(): # c\n  '''a\nb'''", "word:def name:f comment:# c text:'''a\nb''' "),
            ("bash", "echo $# \"$x\" # c", "word:echo text:\"$x\" comment:# c "),
            ("sql", "SELECT a FROM b WHERE c = 'd'", "word:SELECT word:FROM word:WHERE text:'d' "),
            ("json", "{\"a\": [1, true]}", "name:\"a\" number:1 word:true "),
            ("yaml", "a: b # c", "name:a comment:# c "),
            ("html", "<p class=\"x\">a</p><!-- b -->", "word:p text:\"x\" word:p comment:<!-- b --> "),
            ("diff", "@@ 1\n+a\n-b\n c", "comment:@@ 1 added:+a removed:-b "),
        ] {
            assert_eq!(shown(name, code), expected, "{name}: {code}");
        }
    }

    #[test]
    fn a_stray_quote_colours_its_line_only() {
        assert_eq!(shown("js", "it's\nlet a"), "text:'s word:let ");
    }

    #[test]
    fn a_language_is_one_word() {
        assert_eq!(language_of(" rust "), ("rust", ""));
        assert_eq!(language_of("c++"), ("c++", ""));
        assert_eq!(language_of("let x = 1;"), ("", "let x = 1;"));
        assert_eq!(language_of("<b>"), ("", "<b>"));
    }

    #[test]
    fn code_of_an_unknown_language_and_very_many_pieces_are_plain() {
        let mut out = String::new();
        block("klingon", "a < 1", &mut out);
        block("js", &"1 ".repeat(2000), &mut out);
        assert!(!out.contains("<span"), "{out}");
        assert!(out.contains("data-language=\"klingon\"><code>a &lt; 1</code>"), "{out}");
    }
}
