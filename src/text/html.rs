//! Writes what the Markdown parser finds as HTML.

use super::address;
use super::highlight;
use super::render::Known;
use super::run::{self, Said, escape};
use super::source::Source;
use pulldown_cmark::{Alignment, CodeBlockKind, Event, Tag};

/// Elements within each other; what is deeper is shown without its own.
const DEEPEST: usize = 12;
/// Wider tables are shown as typed by whoever means one.
const COLUMNS: usize = 20;

/// What became of a text.
pub struct Written<'a> {
    pub html: String,
    /// All that can be read, without a mark.
    pub words: String,
    pub said: Said<'a>,
    /// There is more to it than text.
    pub is_marked: bool,
    pub is_visible: bool,
    /// It became too much.
    pub is_cut: bool,
}

/// What ends with an element.
enum Open {
    Element(&'static str),
    /// Text behind what the element holds.
    Words(String),
    Link,
    /// An element that stands too deep to be written.
    Deep,
    Nothing,
}

/// Takes events in their order.
pub struct Writer<'a> {
    source: &'a Source,
    most: usize,
    written: Written<'a>,
    open: Vec<Open>,
    depth: usize,
    /// Text that isn't written yet: the parser hands it over in pieces.
    run: String,
    /// The language of the code that is being read, and the code.
    code: Option<(String, String)>,
    /// A link that is being read: where it leads, and its own words begin in `html`.
    link: Option<(String, usize)>,
    columns: Vec<Alignment>,
    column: usize,
    is_head: bool,
}

impl<'a> Writer<'a> {
    /// `most`: bytes of HTML after which it stops.
    pub fn new(source: &'a Source, known: Known<'a>, most: usize) -> Self {
        let written = Written {
            html: String::new(),
            words: String::new(),
            said: Said::new(known),
            is_marked: false,
            is_visible: false,
            is_cut: false,
        };
        Self {
            source,
            most,
            written,
            open: Vec::new(),
            depth: 0,
            run: String::new(),
            code: None,
            link: None,
            columns: Vec::new(),
            column: 0,
            is_head: false,
        }
    }

    pub fn write(&mut self, event: Event) {
        if self.written.html.len() > self.most {
            self.written.is_cut = true;
            return;
        }
        match event {
            Event::SoftBreak | Event::HardBreak => self.run.push('\n'),
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
            Event::TaskListMarker(is_done) => self.mark(if is_done { "☑ " } else { "☐ " }),
            Event::Code(code) => {
                self.flush();
                let code = self.source.restore(&code);
                self.note(&code);
                self.mark("<code>");
                escape(&code.replace('\n', " "), &mut self.written.html);
                self.mark("</code>");
            }
            Event::Rule => {
                self.flush();
                self.mark("<hr>");
            }
            Event::Start(tag) => {
                self.flush();
                self.start(tag);
            }
            Event::End(_) => {
                self.flush();
                self.end();
            }
        }
    }

    pub fn finish(mut self) -> Written<'a> {
        self.flush();
        while !self.open.is_empty() {
            self.end();
        }
        self.written
    }

    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some((_, code)) => code.push_str(text),
            None => self.run.push_str(text),
        }
    }

    /// Writes an element that is more than text.
    fn mark(&mut self, html: &str) {
        self.written.html += html;
        self.written.is_marked = true;
    }

    fn note(&mut self, words: &str) {
        self.written.words += words;
        self.written.is_visible |= !super::is_blank(words);
    }

    /// Writes the text that was gathered.
    fn flush(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let run = std::mem::take(&mut self.run);
        let words = self.source.restore(&run);
        self.note(&words);
        if self.link.is_some() {
            escape(&words, &mut self.written.html);
        } else {
            let run = Source::restore_signs(&run);
            self.written.is_marked |=
                run::write(&run, self.source, &mut self.written.said, &mut self.written.html);
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.element("<p>", "</p>", false),
            Tag::Heading { .. } => self.element("<p><strong>", "</strong></p>", true),
            Tag::BlockQuote(_) => self.element("<blockquote>", "</blockquote>", true),
            Tag::CodeBlock(kind) => self.start_code(kind),
            Tag::List(Some(1)) => self.element("<ol>", "</ol>", true),
            Tag::List(Some(first)) => {
                self.element("<ol", "</ol>", true);
                if self.is_shown() {
                    self.written.html += &format!(" start=\"{first}\">");
                }
            }
            Tag::List(None) => self.element("<ul>", "</ul>", true),
            Tag::Item => self.element("<li>", "</li>", true),
            Tag::Emphasis => self.element("<em>", "</em>", true),
            Tag::Strong => self.element("<strong>", "</strong>", true),
            Tag::Strikethrough => self.element("<del>", "</del>", true),
            Tag::Link { dest_url, .. } => self.start_link(&dest_url, ""),
            Tag::Image { dest_url, .. } => self.start_link(&dest_url, "!"),
            Tag::Table(columns) => {
                self.written.is_cut |= columns.len() > COLUMNS;
                self.columns = columns;
                self.element("<table>", "</tbody></table>", true);
            }
            Tag::TableHead => {
                (self.column, self.is_head) = (0, true);
                self.element("<thead><tr>", "</tr></thead><tbody>", true);
            }
            Tag::TableRow => {
                (self.column, self.is_head) = (0, false);
                self.element("<tr>", "</tr>", true);
            }
            Tag::TableCell => self.start_cell(),
            _ => self.open.push(Open::Nothing),
        }
    }

    fn element(&mut self, start: &str, end: &'static str, is_marked: bool) {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.open.push(Open::Deep);
            return;
        }
        self.written.html += start;
        self.written.is_marked |= is_marked;
        self.open.push(Open::Element(end));
    }

    /// Whether the element that was begun last is written at all.
    fn is_shown(&self) -> bool {
        matches!(self.open.last(), Some(Open::Element(_)))
    }

    fn start_cell(&mut self) {
        let class = match self.columns.get(self.column) {
            Some(Alignment::Right) => " class=\"hb-right\">",
            Some(Alignment::Center) => " class=\"hb-center\">",
            _ => ">",
        };
        self.column += 1;
        if self.is_head {
            self.element("<th", "</th>", true);
        } else {
            self.element("<td", "</td>", true);
        }
        if self.is_shown() {
            self.written.html += class;
        }
    }

    /// `sign` stands before the brackets: `!` for an image, which becomes a link.
    fn start_link(&mut self, address: &str, sign: &str) {
        let address = self.source.restore(address);
        if self.link.is_some() {
            // A picture in a link: the link is the outer one's.
            self.open.push(Open::Nothing);
        } else if address::is_allowed(&address) {
            self.link = Some((address, self.written.html.len()));
            self.open.push(Open::Link);
        } else {
            self.text(&format!("{sign}["));
            self.flush();
            self.open.push(Open::Words(format!("]({address})")));
        }
    }

    fn start_code(&mut self, kind: CodeBlockKind) {
        self.written.is_marked = true;
        self.open.push(Open::Nothing);
        let info = match kind {
            CodeBlockKind::Fenced(info) => self.source.restore(&info),
            CodeBlockKind::Indented => String::new(),
        };
        let (language, rest) = highlight::language_of(&info);
        // What stands behind the backticks and names no language is the first line.
        let first = if rest.is_empty() { String::new() } else { format!("{rest}\n") };
        self.code = Some((language.to_owned(), first));
    }

    fn end(&mut self) {
        if let Some((language, code)) = self.code.take() {
            self.open.pop();
            let code = self.source.restore(&code);
            self.note(&language);
            self.note(&code);
            highlight::block(&language, code.trim_end_matches('\n'), &mut self.written.html);
            return;
        }
        match self.open.pop() {
            Some(Open::Element(end)) => {
                self.depth -= 1;
                self.written.html += end;
            }
            Some(Open::Link) => self.end_link(),
            Some(Open::Words(words)) => {
                self.run += &words;
                self.flush();
            }
            Some(Open::Deep) => self.depth -= 1,
            Some(Open::Nothing) | None => {}
        }
    }

    fn end_link(&mut self) {
        let Some((address, from)) = self.link.take() else { return };
        let inside = self.written.html.split_off(from);
        let words = strip(&inside);
        if address::deceives(&words, &address) {
            // As typed, so that both can be compared.
            self.written.html += "[";
            self.written.html += &inside;
            self.written.html += "](";
            self.anchor(&address, &address, false);
            self.written.html += ")";
        } else if words.trim().is_empty() {
            self.anchor(&address, &address, false);
        } else {
            self.anchor(&address, &inside, true);
        }
        self.written.words += &address;
    }

    fn anchor(&mut self, address: &str, inside: &str, is_html: bool) {
        self.written.is_visible = true;
        self.mark("<a href=\"");
        escape(address, &mut self.written.html);
        self.mark("\">");
        if is_html {
            self.mark(inside);
        } else {
            escape(inside, &mut self.written.html);
        }
        self.mark("</a>");
    }
}

/// The words of a piece of our own HTML.
fn strip(html: &str) -> String {
    let mut words = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        words += before;
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    (words + rest).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
