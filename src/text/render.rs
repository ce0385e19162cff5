//! A message's words as they are seen: Markdown the way people type it in conversations.

use super::html::Writer;
use super::mention;
use super::run::{self, Said};
use super::source::Source;
use super::{emoji, sentence, wall};
use pulldown_cmark::{Event, Options, Parser, Tag};

/// Bytes of the longest message that can be posted; what is longer is shown as it is.
const LONGEST: usize = 16_384;
/// Bytes of HTML that a message may come to; a few signs can ask for a hundred times their length.
const MOST_HTML: usize = 48 * 1024;

/// What a message's text comes to. Made once, when it is posted or edited, and stored with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Sanitised HTML; `None` when the text is shown as it is, with its line breaks.
    pub html: Option<String>,
    /// The people mentioned, in folded form ([`super::fold`]), each once.
    pub mentions: Vec<String>,
    /// `@here` or `@all` was said.
    pub to_all: bool,
    /// A few emoji and nothing else, which are shown big; `html` says so too.
    pub emoji_only: bool,
}

/// What there is in the place that a text is for. Each is asked for every name, the longest reading first, in folded
/// form, and mustn't block.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Whether there is somebody of this name, one of [`super::candidates`].
    pub is_person: &'a dyn Fn(&str) -> bool,
    /// Whether there is a channel of this name, one of [`super::channel_candidates`].
    pub is_channel: &'a dyn Fn(&str) -> bool,
    /// The page of the recording that is spoken about: `1:23` leads to that second of it.
    pub recording: Option<&'a str>,
}

/// Renders a message, taking every `@name` for a person, and no `#name` for a channel.
pub fn render(text: &str) -> Rendered {
    render_for(text, Known { is_person: &|_| true, is_channel: &|_| false, recording: None })
}

/// Renders a message for a place where these people and channels are.
///
/// Takes a microsecond for a sentence without any sign, a millisecond or so for other messages and some ten for the
/// worst: a matter for a thread that may be busy, not for the writer's.
pub fn render_for(text: &str, known: Known) -> Rendered {
    if text.len() > LONGEST {
        return plain(text, known);
    }
    if sentence::is_one(text) {
        return Rendered::default();
    }
    render_markdown(text, known)
}

fn render_markdown(text: &str, known: Known) -> Rendered {
    if emoji::is_only(text) {
        let words = run::expand(text.trim(), &mut Said::new(known));
        let html = Some(wall::clean(&format!("<p class=\"hb-big\">{words}</p>")));
        return Rendered { html, emoji_only: true, ..Rendered::default() };
    }
    let source = Source::new(text);
    let parser = Parser::new_ext(&source.text, options(&source.text));
    // Nothing that was typed may vanish, and a definition would.
    if parser.reference_definitions().iter().next().is_some() {
        return plain(text, known);
    }
    let mut writer = Writer::new(&source, known, MOST_HTML);
    for event in parser {
        writer.write(event);
    }
    let written = writer.finish();
    let is_changed = written.is_marked || !is_same(&written.words, text);
    let html = (is_changed && written.is_visible && !written.is_cut).then(|| wall::clean(&written.html));
    Rendered { html, mentions: written.said.mentions, to_all: written.said.to_all, emoji_only: false }
}

const TABLES: Options = Options::ENABLE_TABLES;

fn options(text: &str) -> Options {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    if loses_cells(text, options | TABLES) { options } else { options | TABLES }
}

/// Whether a row has more cells than its table's head: Markdown would drop them.
fn loses_cells(text: &str, options: Options) -> bool {
    let mut columns = 0;
    let mut loses = |(event, range): (Event, std::ops::Range<usize>)| match event {
        Event::Start(Tag::Table(all)) => {
            columns = all.len();
            false
        }
        Event::Start(Tag::TableRow) => text
            .get(range.start..)
            .and_then(|rest| rest.lines().next())
            .is_some_and(|row| cells(row) > columns),
        _ => false,
    };
    text.contains('|') && Parser::new_ext(text, options).into_offset_iter().any(&mut loses)
}

/// Cells of one row as it stands in the text.
fn cells(row: &str) -> usize {
    let row = row.trim();
    let inner = row.strip_prefix('|').unwrap_or(row);
    let inner = inner.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inner);
    let before = std::iter::once(' ').chain(inner.chars());
    before.zip(inner.chars()).filter(|(before, c)| *c == '|' && *before != '\\').count() + 1
}

/// A message that is shown as it is.
fn plain(text: &str, known: Known) -> Rendered {
    let mut said = Said::new(known);
    for name in mention::find(text) {
        said.hear(name);
    }
    Rendered { mentions: said.mentions, to_all: said.to_all, ..Rendered::default() }
}

/// Whether two texts differ in white space alone.
fn is_same(one: &str, other: &str) -> bool {
    let visible = |text: &'_ str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    visible(one) == visible(other)
}

#[cfg(test)]
#[path = "hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
