//! The text as the Markdown parser gets it: what people don't mean as Markdown is put out of the parser's reach.
//!
//! Markdown was made for documents. In a conversation `2*3*4` is arithmetic, `>:(` is a face, `[10:31]: late` is no
//! definition, an answer under a quote isn't part of the quote, and `<b>` is what somebody typed. Such characters are
//! exchanged for noncharacters of Unicode, which mean nothing to the parser, and come back in [`Source::restore`].

use super::address;
use super::line::{Markers, Meaning, markers, meaning};
use super::mention::is_wide;

/// Around the number of an address in [`Source::links`].
pub const LINK_START: char = '\u{FDD0}';
pub const LINK_END: char = '\u{FDD1}';
/// The first of those that stand for one of [`LITERALS`].
const LITERAL: u32 = 0xFDD4;
const LITERALS: [char; 16] =
    ['*', '~', '<', '&', '\\', '>', '-', '+', '.', ')', '[', '=', '#', '_', '|', ':'];
/// A space that isn't shown: beside it a `**` next to Chinese punctuation begins and ends as people expect.
const GAP: char = '\u{B}';
/// Stand for white space at the beginning of a line, which Markdown would drop, or take for code.
const SPACE: &str = "\u{A0}";
const TAB: &str = "\u{A0}\u{A0}\u{A0}\u{A0}";

/// A prepared text.
pub struct Source {
    pub text: String,
    /// The addresses in it.
    pub links: Vec<String>,
}

impl Source {
    pub fn new(text: &str) -> Self {
        let text: String = text.chars().filter(|&c| !is_ours(c)).collect();
        let mut writer = Writer::default();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            writer.line(line, rest, after);
            rest = after;
        }
        Self { text: writer.out, links: writer.links }
    }

    /// What was typed, for a piece of the prepared text; addresses stay as they are.
    pub fn restore_signs(text: &str) -> String {
        text.chars().filter(|&c| c != GAP).map(typed).collect()
    }

    /// What was typed, for a piece of the prepared text.
    pub fn restore(&self, text: &str) -> String {
        let mut words = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(LINK_START) {
            words += &Self::restore_signs(before);
            let (number, after) = after.split_once(LINK_END).unwrap_or((after, ""));
            words += self.link(number);
            rest = after;
        }
        words + &Self::restore_signs(rest)
    }

    /// The address with this number.
    pub fn link(&self, number: &str) -> &str {
        number.parse().ok().and_then(|number: usize| self.links.get(number)).map_or("", String::as_str)
    }
}

/// Characters that this module gives a meaning of its own, and controls: they are no part of a message.
fn is_ours(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

/// The stand-in for a character that is to be taken as it is.
fn literal(c: char) -> char {
    let index = LITERALS.iter().position(|&known| known == c).and_then(|index| u32::try_from(index).ok());
    index.and_then(|index| char::from_u32(LITERAL + index)).unwrap_or(c)
}

fn typed(c: char) -> char {
    let index = u32::from(c).checked_sub(LITERAL).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| LITERALS.get(index).copied()).unwrap_or(c)
}

/// A block of code that isn't closed yet.
struct Fence {
    /// Backticks that close it.
    ticks: usize,
    quotes: usize,
}

#[derive(Default)]
struct Writer {
    out: String,
    links: Vec<String>,
    fence: Option<Fence>,
    /// How deep the line before stood in quotes; 0 after an empty line.
    quotes: usize,
    is_in_list: bool,
    /// The line before was text that a line of `---` would turn into a heading.
    is_after_text: bool,
}

impl Writer {
    /// Writes one line. `rest` is the text from it on, `after` what follows it.
    fn line(&mut self, line: &str, rest: &str, after: &str) {
        let found = markers(line);
        if self.fence.as_ref().is_some_and(|fence| found.quotes < fence.quotes) {
            self.fence = None;
        }
        if self.fence.is_some() {
            self.code(line);
            return;
        }
        let content = &line[found.end..];
        if content.trim().is_empty() && found.items == 0 {
            self.out += line;
            self.out.push('\n');
            (self.quotes, self.is_after_text) = (found.quotes, false);
            return;
        }
        self.separate(line, &found);
        self.out += &line[..found.end];
        self.content(content, &rest[found.end..], &found, after);
        self.out.push('\n');
        self.quotes = found.quotes;
    }

    /// Ends what the line before began, where Markdown would go on with it.
    fn separate(&mut self, line: &str, found: &Markers) {
        let is_indented = line.starts_with("  ") || line.starts_with('\t');
        let leaves_list = self.is_in_list && found.items == 0 && !is_indented;
        if found.quotes < self.quotes || leaves_list {
            self.out += &">".repeat(found.quotes);
            self.out.push('\n');
            self.is_after_text = false;
        }
        self.is_in_list = found.items > 0 || (self.is_in_list && !leaves_list && found.quotes >= self.quotes);
    }

    fn content(&mut self, content: &str, rest: &str, found: &Markers, after: &str) {
        let text = content.trim_start_matches([' ', '\t']);
        let indent = &content[..content.len() - text.len()];
        let meaning = meaning(text, &rest[indent.len()..]);
        match meaning {
            Meaning::Fence(ticks) => {
                // Behind the backticks Markdown would read signs for others, too.
                self.out
                    .extend(content.chars().map(|c| if matches!(c, '&' | '\\') { literal(c) } else { c }));
                self.fence = Some(Fence { ticks, quotes: found.quotes });
            }
            Meaning::Rule => {
                // Right under a text it would make a heading of that.
                if self.is_after_text {
                    self.out.push('\n');
                    self.out += &">".repeat(found.quotes);
                    self.out.push(' ');
                }
                self.out += text;
            }
            Meaning::Heading => self.inline(text),
            Meaning::Literal | Meaning::Text => {
                // In a list the indentation says what belongs to what.
                if self.is_in_list {
                    self.out += indent;
                } else {
                    self.out.extend(indent.chars().map(|c| if c == '\t' { TAB } else { SPACE }));
                }
                self.words(text, &meaning, found, after);
            }
        }
        self.is_after_text = meaning == Meaning::Text || meaning == Meaning::Literal;
    }

    fn words(&mut self, text: &str, meaning: &Meaning, found: &Markers, after: &str) {
        // A block of code that begins behind some words on their line.
        if let Some((before, code)) = text.split_once("```")
            && !before.is_empty()
            && !code.contains('`')
            && after.contains("```")
        {
            self.inline(before.trim_end());
            self.out.push('\n');
            self.out += &">".repeat(found.quotes);
            self.out += "```";
            self.out.extend(code.chars().map(|c| if matches!(c, '&' | '\\') { literal(c) } else { c }));
            self.fence = Some(Fence { ticks: 3, quotes: found.quotes });
            return;
        }
        let first = text.chars().next().unwrap_or_default();
        if *meaning == Meaning::Literal || found.is_literal {
            // Behind a number it's the dot that would make a list.
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let sign = text[digits..].chars().next().unwrap_or(first);
            self.out += &text[..digits];
            self.out.push(literal(sign));
            self.inline(&text[digits + sign.len_utf8()..]);
        } else {
            self.inline(text);
        }
    }

    /// A line in a block of code.
    fn code(&mut self, line: &str) {
        let Some(Fence { ticks, quotes }) = self.fence else { return };
        let mut content = line;
        for _ in 0..quotes {
            content = content.trim_start().strip_prefix('>').unwrap_or(content);
        }
        let before = content.trim_end().trim_end_matches('`');
        let closes = content.trim_end().len() - before.len() >= ticks;
        // People close a block at the end of its last line.
        if closes && !before.trim().is_empty() {
            self.out += &line[..line.len() - content.len() + before.len()];
            self.out.push('\n');
            self.out += &">".repeat(quotes);
            self.out += &"`".repeat(ticks);
        } else {
            self.out += line;
        }
        self.out.push('\n');
        if closes {
            self.fence = None;
            self.is_after_text = false;
        }
    }

    /// A run of text within one line.
    fn inline(&mut self, text: &str) {
        let mut at = 0;
        let mut before = None;
        let mut open: Vec<&str> = Vec::new();
        // Where the word began that is being read.
        let mut word = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let taken = match c {
                '<' => address::bracketed(rest).map(|length| self.link(&rest[1..=length]) + 2),
                'h' | 'H' | 'm' | 'M'
                    if !before.is_some_and(|c: char| c.is_ascii_alphanumeric() || c == '_') =>
                {
                    address::length(rest).map(|length| self.link(&rest[..length]))
                }
                '*' | '~' => Some(self.delimiters(rest, before, &mut open)),
                _ => None,
            };
            if let Some(taken) = taken {
                at += taken;
            } else {
                let is_plain = match c {
                    '&' | '<' => true,
                    '\\' => is_plain_backslash(text, at, word),
                    _ => false,
                };
                self.out.push(if is_plain { literal(c) } else { c });
                at += c.len_utf8();
                // What a backslash stands before has no other meaning.
                if c == '\\'
                    && !is_plain
                    && let Some(next) = text[at..].chars().next()
                {
                    self.out.push(next);
                    at += next.len_utf8();
                }
            }
            before = text[..at].chars().next_back();
            if before.is_some_and(char::is_whitespace) {
                word = at;
            }
        }
    }

    /// Puts an address aside; answers with its length.
    fn link(&mut self, address: &str) -> usize {
        let number = self.links.len();
        self.links.push(address.to_owned());
        self.out.push(LINK_START);
        self.out += &number.to_string();
        self.out.push(LINK_END);
        address.len()
    }

    /// A run of `*` or `~` that `rest` begins with; answers with its length. `open` are those that wait for their end.
    fn delimiters<'a>(&mut self, rest: &'a str, before: Option<char>, open: &mut Vec<&'a str>) -> usize {
        let sign = if rest.starts_with('*') { '*' } else { '~' };
        let length = rest.len() - rest.trim_start_matches(sign).len();
        let run = &rest[..length];
        let after = rest[length..].chars().next();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        // Arithmetic, and waves: only ~~ strikes through.
        if (sign == '*' && is_word(before) && is_word(after)) || (sign == '~' && length != 2) {
            self.out.extend(run.chars().map(literal));
            return length;
        }
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_punctuation = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
        let closes = open.contains(&run);
        let near_wide = [before, after].into_iter().flatten().any(is_wide);
        if closes {
            open.retain(|other| *other != run);
        } else {
            open.push(run);
        }
        let gap_before = near_wide && !closes && is_letter(before) && is_punctuation(after);
        let gap_after = near_wide && closes && is_punctuation(before) && is_letter(after);
        self.out.extend(gap_before.then_some(GAP));
        self.out += run;
        self.out.extend(gap_after.then_some(GAP));
        length
    }
}

/// Whether the backslash at `at`, in the word that begins at `word`, is meant as one: at the end of a line, in
/// `¯\_(ツ)_/¯`, in the path of a file.
fn is_plain_backslash(text: &str, at: usize, word: usize) -> bool {
    let rest = &text[word..];
    let is_path = rest.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && rest[1..].starts_with(":\\")
        || rest.strip_prefix("\\\\").is_some_and(|name| name.starts_with(char::is_alphanumeric));
    text.len() == at + 1 || text[..at].ends_with('¯') || is_path
}
