//! What every page shares: the shell around it, people, times, field errors, and the error page.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use askama::Template;
use time::OffsetDateTime;
use time::format_description::{self, BorrowedFormatItem};
use time::macros::format_description;

use super::assets;
use super::rail::{Rail, RailProvider};
use super::words::{LANGUAGES, Language, filters, said};

/// How many colours people are told apart by; `static/css/people.css` has one rule for each.
pub const TINTS: i64 = 24;

/// Degrees from one class of `css/hues.css` to the next; nobody can tell neighbours apart.
const HUE_STEP: i32 = 5;

/// What stands around a page's own content.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// The page's name for the browser's tab, without the name of the place.
    pub title: String,
    /// The path of the rail entry that is current, for example `/board` or a channel's `href`.
    pub here: String,
    /// Who looks; nobody when signed out.
    pub viewer: Option<Viewer>,
    /// The rooms of the viewer; nothing when signed out.
    pub rail: Option<Arc<Rail>>,
}

impl Shell {
    /// A shell for somebody who is not signed in.
    pub fn new(title: impl Into<String>, here: impl Into<String>) -> Self {
        Self { title: title.into(), here: here.into(), viewer: None, rail: None }
    }

    /// The same shell as `viewer` sees it.
    #[must_use]
    pub fn seen_by(mut self, viewer: Viewer, rail: Arc<Rail>) -> Self {
        self.viewer = Some(viewer);
        self.rail = Some(rail);
        self
    }

    /// The chosen accent as one of the classes of `css/hues.css`; nothing for the place's own.
    pub fn hue(&self) -> Option<i32> {
        let hue = self.viewer.as_ref()?.hue?;
        Some((hue + HUE_STEP / 2) / HUE_STEP * HUE_STEP % 360)
    }

    /// The language of the page.
    pub fn language(&self) -> &'static Language {
        Language::spoken()
    }

    /// The languages that the page can be switched to.
    pub fn other_languages(&self) -> impl Iterator<Item = &'static Language> {
        LANGUAGES.iter().filter(|language| language.code != self.language().code)
    }

    /// Whom the viewer has blocked, as scripts read it: ids with spaces between.
    pub fn blocked(&self) -> String {
        let ids = self.rail.iter().flat_map(|rail| &rail.blocked);
        ids.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The style sheet with the pictures that people have chosen.
    pub fn faces(&self) -> Option<&str> {
        self.rail.as_ref().map(|rail| rail.faces.as_str()).filter(|href| !href.is_empty())
    }

    /// Whether `path` is the current entry of the rail.
    pub fn is_at(&self, path: &str) -> bool {
        self.here == path
    }
}

/// Who looks at a page.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub id: i64,
    pub username: String,
    pub display_name: String,
    /// Entered with a display name alone.
    pub guest: bool,
    /// Looks after the place.
    pub staff: bool,
    /// They may only read until then.
    pub silenced: Option<Stamp>,
    /// The accent that the person chose, in degrees of the OKLCH circle.
    pub hue: Option<i32>,
}

impl Viewer {
    /// The viewer as everybody sees them.
    pub fn person(&self) -> Person {
        Person { id: self.id, name: self.display_name.clone(), guest: self.guest }
    }
}

/// Makes the shell of every page.
#[derive(Clone)]
pub struct Pages {
    rails: Arc<dyn RailProvider>,
}

impl Pages {
    pub fn new(rails: Arc<dyn RailProvider>) -> Self {
        Self { rails }
    }

    /// The shell of the page `title` at `here` as `viewer` sees it.
    pub async fn shell(
        &self,
        viewer: Option<Viewer>,
        title: impl Into<String>,
        here: impl Into<String>,
    ) -> Shell {
        let shell = Shell::new(title, here);
        match viewer {
            Some(viewer) => {
                let rail = self.rails.rail(viewer.id).await;
                shell.seen_by(viewer, rail)
            }
            None => shell,
        }
    }
}

/// Somebody as shown beside what they wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub id: i64,
    /// The display name; with a message, the one it was sent under.
    pub name: String,
    pub guest: bool,
}

impl Person {
    pub fn new(id: i64, name: impl Into<String>, guest: bool) -> Self {
        Self { id, name: name.into(), guest }
    }

    /// Which of the [`TINTS`] colours is this person's, the same for everybody who sees it.
    pub fn tint(&self) -> i64 {
        self.id.rem_euclid(TINTS)
    }

    /// One or two letters for the round picture. `static/js/lib/person.js` follows the same rule.
    pub fn initials(&self) -> String {
        let mut words = self.name.split_whitespace();
        let first = words.next().and_then(|word| word.chars().next());
        let last = words.next_back().and_then(|word| word.chars().next());
        let mut letters: String = first.into_iter().flat_map(char::to_uppercase).collect();
        // Scripts without capitals (Chinese, for example) say enough with one character.
        if first.is_some_and(char::is_lowercase) || first.is_some_and(char::is_uppercase) {
            letters.extend(last.into_iter().flat_map(char::to_uppercase));
        }
        letters
    }
}

/// A moment, in milliseconds since the Unix epoch. Shown in UTC; scripts put it into the reader's own time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub i64);

const ISO: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const CLOCK: &[BorrowedFormatItem<'static>] = format_description!("[hour]:[minute]");

/// How dates are written in one language.
struct Calendar {
    date: Format,
    exact: Format,
}

type Format = Vec<BorrowedFormatItem<'static>>;

/// One for each language, by its code.
static CALENDARS: LazyLock<HashMap<&'static str, Calendar>> = LazyLock::new(|| {
    // A test reads every format; a bad one would show no date rather than no page.
    let read = |format| format_description::parse_borrowed::<2>(format).unwrap_or_default();
    let calendar = |language: &Language| Calendar { date: read(language.date), exact: read(language.exact) };
    LANGUAGES.iter().map(|language| (language.code, calendar(language))).collect()
});

impl Stamp {
    fn written(self, format: &[BorrowedFormatItem<'static>]) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(format).ok())
            .unwrap_or_default()
    }

    /// `2023-11-14T22:13:20.000Z`, for `<time datetime>`.
    pub fn iso(self) -> String {
        self.written(ISO)
    }

    /// `22:13`
    pub fn clock(self) -> String {
        self.written(CLOCK)
    }

    /// `14 Nov 2023`, in the language of who asks.
    pub fn date(self) -> String {
        CALENDARS
            .get(Language::spoken().code)
            .map(|calendar| self.written(&calendar.date))
            .unwrap_or_default()
    }

    /// `14 Nov 2023, 22:13 UTC`, in the language of who asks.
    pub fn exact(self) -> String {
        CALENDARS
            .get(Language::spoken().code)
            .map(|calendar| self.written(&calendar.exact))
            .unwrap_or_default()
    }

    /// The number of the day, to tell where a new one begins.
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub field: String,
    /// One plain sentence.
    pub message: String,
}

/// What is wrong with a form, at most one message per field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// What `error` says, beside its fields; an error without any stands beside `field`.
    pub fn of_error(error: &crate::error::Error, field: &str) -> Self {
        if error.fields().is_empty() {
            return Self::one(field, error.detail());
        }
        Self(
            error
                .fields()
                .iter()
                .map(|e| FieldError { field: e.field.into(), message: e.message.to_string() })
                .collect(),
        )
    }

    /// Those about anything but `fields` stand beside the form as a whole: there is nothing else to put them to.
    #[must_use]
    pub fn or_whole(mut self, fields: &[&str]) -> Self {
        for error in self.0.iter_mut().filter(|error| !fields.contains(&error.field.as_str())) {
            error.field.clear();
        }
        self
    }

    /// The message for `field`, in the language of who asks. The field `""` is the form as a whole.
    pub fn of(&self, field: &str) -> Option<Cow<'_, str>> {
        self.0.iter().find(|error| error.field == field).map(|error| said(&error.message))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a name can't have as one segment of a path.
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `/c/{name}`, percent-encoded.
pub fn channel_href(name: &str) -> String {
    format!("/c/{}", percent_encoding::utf8_percent_encode(name, SEGMENT))
}

/// `/dm/{username}`, percent-encoded.
pub fn direct_href(username: &str) -> String {
    format!("/dm/{}", percent_encoding::utf8_percent_encode(username, SEGMENT))
}

/// `/g/{id}`
pub fn group_href(id: i64) -> String {
    format!("/g/{id}")
}

/// `/talk/{id}`, which leads to what the talk is about.
pub fn talk_href(id: i64) -> String {
    format!("/talk/{id}")
}

/// One of the drawings in `static/icons.svg`, as a template writes it.
pub struct Icon(&'static str);

/// The icon `name`, for `{{ icon("back") }}`.
pub const fn icon(name: &'static str) -> Icon {
    Icon(name)
}

impl fmt::Display for Icon {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = assets::url("icons.svg");
        let name = self.0;
        write!(
            out,
            r#"<svg class="icon" aria-hidden="true" focusable="false"><use href="{file}#{name}"/></svg>"#
        )
    }
}

// Safe: the address is made here and the name is written in a template.
impl askama::filters::HtmlSafe for Icon {}

/// The page that says what went wrong.
#[derive(Template)]
#[template(path = "site/error.html")]
pub struct ErrorPage {
    pub shell: Shell,
    /// The HTTP status, for example 404.
    pub status: u16,
    /// What happened, a few words.
    pub heading: String,
    /// What was kept and what to do, a sentence or two.
    pub detail: String,
    /// Where the one button leads, with its words.
    pub action: Option<ErrorAction>,
    /// To be quoted when asking for help.
    pub request_id: Option<String>,
}

/// The way on from an error page.
#[derive(Debug, Clone)]
pub struct ErrorAction {
    pub href: String,
    pub label: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_take_the_first_and_the_last_word() {
        let initials = |name: &str| Person::new(1, name, false).initials();
        assert_eq!(initials("Mira Kovač"), "MK");
        assert_eq!(initials("ana maria lima"), "AL");
        assert_eq!(initials("Cher"), "C");
        assert_eq!(initials("陳思如"), "陳");
        assert_eq!(initials("陳 思如"), "陳");
        assert_eq!(initials("7 of nine"), "7");
        assert_eq!(initials(" "), "");
    }

    #[test]
    fn a_stamp_is_written_in_utc() {
        let stamp = Stamp(1_700_000_000_123);
        assert_eq!(stamp.iso(), "2023-11-14T22:13:20.123Z");
        assert_eq!(stamp.clock(), "22:13");
        assert_eq!(stamp.date(), "14 Nov 2023");
        assert_eq!(stamp.exact(), "14 Nov 2023, 22:13 UTC");
        assert_eq!(Stamp(i64::MAX).iso(), "");
    }

    #[test]
    fn the_error_page_escapes_what_it_is_told() {
        let page = ErrorPage {
            shell: Shell::new("<script>", "/"),
            status: 404,
            heading: "<script>alert(1)</script>".into(),
            detail: "\"quoted\"".into(),
            action: Some(ErrorAction { href: "\"><script>".into(), label: "<b>".into() }),
            request_id: Some("<i>".into()),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
    }
}
