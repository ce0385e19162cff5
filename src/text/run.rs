//! A run of text: addresses, mentions, channels and named emoji in it.

use super::channel;
use super::mention::{self, MOST, is_everybody, readings};
use super::moment::{self, Moment};
use super::render::Known;
use super::source::{LINK_END, LINK_START, Source};
use super::{emoji, fold};

/// Who was mentioned so far.
pub struct Said<'a> {
    known: Known<'a>,
    /// Folded, each once.
    pub mentions: Vec<String>,
    pub to_all: bool,
}

impl<'a> Said<'a> {
    pub fn new(known: Known<'a>) -> Self {
        Self { known, mentions: Vec::new(), to_all: false }
    }

    /// Takes note of `@name`. Answers with as much of it as names somebody, and the folded form; nothing for nobody,
    /// and for the fifty-first.
    pub fn hear<'n>(&mut self, name: &'n str) -> Option<(&'n str, String)> {
        if is_everybody(name) {
            self.to_all = true;
            return Some((name, name.to_lowercase()));
        }
        let (reading, key) = readings(name)
            .map(|reading| (reading, fold(reading)))
            .find(|(_, key)| (self.known.is_person)(key))?;
        if !self.mentions.contains(&key) {
            if self.mentions.len() == MOST {
                return None;
            }
            self.mentions.push(key.clone());
        }
        Some((reading, key))
    }
}

/// Text that shows as typed, line breaks included.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\n' => *out += "<br>",
            c => out.push(c),
        }
    }
}

/// A text without addresses, as HTML.
pub fn expand(text: &str, said: &mut Said) -> String {
    let mut out = String::new();
    write(text, &Source { text: String::new(), links: Vec::new() }, said, &mut out);
    out
}

/// Writes a run as HTML, in which addresses are as [`Source`] left them. Answers whether anything in it is more than text.
pub fn write(text: &str, source: &Source, said: &mut Said, out: &mut String) -> bool {
    let mut from = 0;
    let mut at = 0;
    let mut is_marked = false;
    while let Some(step) = text[at..].find([LINK_START, '@', '#', ':']) {
        at += step;
        let mut html = String::new();
        // A moment begins before its colon.
        if let Some(Moment { start, end, seconds }) = recorded(text, from, at, said) {
            is_marked = true;
            escape(&text[from..start], out);
            moment(&text[start..end], seconds, said, out);
            (from, at) = (end, end);
            continue;
        }
        let taken = match text[at..].chars().next() {
            Some('@') => mention::at(text, at).and_then(|name| mention(name, said, &mut html)),
            Some('#') => room(text, at, said, &mut html),
            Some(':') => emoji::at(text, at).map(|(length, emoji)| {
                html += emoji;
                length
            }),
            _ => Some(link(&text[at..], source, &mut html)),
        };
        let Some(taken) = taken else {
            at += 1;
            continue;
        };
        is_marked = true;
        escape(&text[from..at], out);
        *out += &html;
        at += taken;
        from = at;
    }
    escape(&text[from..], out);
    is_marked
}

/// The moment of the recording whose first colon stands at `at`, where a recording is spoken about.
fn recorded(text: &str, from: usize, at: usize, said: &Said) -> Option<Moment> {
    said.known.recording?;
    text[at..].starts_with(':').then(|| moment::at(text, from, at)).flatten()
}

/// Writes a link to a moment of the recording.
fn moment(words: &str, seconds: u32, said: &Said, out: &mut String) {
    *out += "<a class=\"hb-moment\" href=\"";
    escape(said.known.recording.unwrap_or_default(), out);
    *out += &format!("?t={seconds}\">{words}</a>");
}

/// Writes a mention; answers with its length, the `@` included.
fn mention(name: &str, said: &mut Said, out: &mut String) -> Option<usize> {
    let (name, key) = said.hear(name)?;
    *out +=
        if is_everybody(name) { "<span class=\"hb-mention hb-all\"" } else { "<span class=\"hb-mention\"" };
    *out += " data-name=\"";
    escape(&key, out);
    *out += "\">@";
    escape(name, out);
    *out += "</span>";
    Some(1 + name.len())
}

/// Writes a link to the channel that the `#` at `at` means; answers with the length of both.
fn room(text: &str, at: usize, said: &Said, out: &mut String) -> Option<usize> {
    let mut readings = channel::readings(text, at).into_iter();
    let name = readings.find(|name| (said.known.is_channel)(&fold(name)))?;
    *out += "<a class=\"hb-channel\" href=\"";
    escape(&channel::href(name), out);
    *out += "\">#";
    escape(name, out);
    *out += "</a>";
    Some(1 + name.len())
}

/// Writes the address whose number `text` begins with; answers with the length of that.
fn link(text: &str, source: &Source, out: &mut String) -> usize {
    let end = text.find(LINK_END).unwrap_or(text.len());
    let address = source.link(text.get(LINK_START.len_utf8()..end).unwrap_or_default());
    *out += "<a href=\"";
    escape(address, out);
    *out += "\">";
    escape(address, out);
    *out += "</a>";
    (end + LINK_END.len_utf8()).min(text.len())
}
