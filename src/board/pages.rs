//! The board as pages: the wall of notes, which is the same for everybody and kept ready, and the page around it.

use super::front::{Front, Wall};
use super::post::Typed;
use crate::accounts::{Accounts, Reader, Visitor};
use crate::config::Right;
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::BOARD;
use crate::rooms::attachment::PER_MESSAGE;
use crate::rooms::{Attachment, Nonce, Preview, Reaction, Rooms};
use crate::site::answer::{html, see_other};
use crate::site::form_data::{self, Bounds, FormData};
use crate::site::limit::Limits;
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

/// One note on the wall.
#[derive(Debug, Clone, Default)]
pub struct NoteView {
    pub seq: i64,
    pub rev: i64,
    pub author: Person,
    pub at: Stamp,
    /// Empty when the note has none.
    pub title: String,
    pub text: String,
    /// The text as sanitised HTML, when Markdown changed something.
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// What the page that it leads to says of itself.
    pub preview: Option<Preview>,
    pub edited: bool,
    pub deleted: bool,
    pub reactions: Vec<Reaction>,
}

/// The wall: the same bytes for everybody, so that it can be kept rendered.
#[derive(Template)]
#[template(path = "board/_wall.html")]
pub struct BoardWall {
    /// The board's room.
    pub room: i64,
    /// The room's `rev` in the snapshot that the notes were read in.
    pub rev: i64,
    pub last_seq: i64,
    /// Newest first.
    pub notes: Vec<NoteView>,
    /// Notes older than these exist.
    pub more: bool,
    /// Notes newer than these exist: this is not the top of the board.
    pub newer: bool,
}

impl BoardWall {
    fn first_seq(&self) -> i64 {
        self.notes.last().map_or(0, |note| note.seq)
    }

    fn blank(&self) -> NoteView {
        NoteView::default()
    }
}

/// The board's own page.
#[derive(Template)]
#[template(path = "board/board.html")]
pub struct BoardPage {
    pub shell: Shell,
    /// A rendered [`BoardWall`].
    pub wall: Arc<str>,
    pub form: NoteForm,
}

/// The form to leave a note, as typed.
#[derive(Debug, Clone, Default)]
pub struct NoteForm {
    /// Signed in, so the form is shown.
    pub shown: bool,
    /// 16 to 64 random characters; a doubled submit stores once.
    pub nonce: String,
    pub title: String,
    pub text: String,
    /// Bytes of one file; nothing for those who may send none.
    pub bytes_max: Option<u64>,
    /// Fields `title`, `text`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

impl NoteForm {
    /// An empty form for somebody who is signed in, and may send files of this size.
    ///
    /// # Errors
    /// `Internal` when the machine has no randomness.
    pub fn fresh(bytes_max: Option<u64>) -> Result<Self> {
        Ok(Self { bytes_max, ..Self::again(Typed::default(), FieldErrors::default())? })
    }

    /// The form as it was typed, with what was wrong. It keeps its nonce, if it had a good one.
    fn again(typed: Typed, errors: FieldErrors) -> Result<Self> {
        let nonce = Nonce::parse(typed.nonce).or_else(|_| Nonce::random())?;
        let nonce = nonce.as_str().to_owned();
        Ok(Self { shown: true, nonce, title: typed.title, text: typed.text, bytes_max: None, errors })
    }
}

/// From where on the board is shown.
#[derive(Debug, Deserialize)]
pub struct Place {
    before: Option<i64>,
}

/// What the board's pages are made with.
pub type Parts = (web::Data<Pages>, web::Data<Front>, web::Data<Rooms>, web::Data<Accounts>);

/// `GET /board`
pub async fn board(reader: Reader, parts: Parts, place: web::Query<Place>) -> Result<HttpResponse> {
    let (pages, front, rooms, accounts) = parts;
    let wall = front.wall(place.before).await?;
    let Some(visitor) = reader.visitor else {
        let shell = pages.shell(None, t("Board"), "/board").await;
        let page = BoardPage { shell, wall: wall.html.clone(), form: NoteForm::default() };
        return html(StatusCode::OK, &page);
    };
    // Coming back to another page than this one next time is no reason to refuse this one now.
    if let Err(error) = accounts.remember_place(&visitor.person, "/board").await {
        tracing::warn!(%error, "a person's last place was not stored");
    }
    let bytes_max = bytes_max(&accounts, &rooms, &visitor);
    let mut shell = pages.shell(Some(visitor.viewer()), t("Board"), "/board").await;
    note_seen(&rooms, &accounts, &visitor, &wall, &mut shell);
    html(StatusCode::OK, &BoardPage { shell, wall: wall.html.clone(), form: NoteForm::fresh(bytes_max)? })
}

/// Bytes of one file; nothing for those who may send none.
pub fn bytes_max(accounts: &Accounts, rooms: &Rooms, visitor: &Visitor) -> Option<u64> {
    accounts.allows(&visitor.person, Right::Files).then_some(rooms.uploads.bytes_max)
}

/// Whoever is shown the board's top has seen its newest note, with scripts or without.
pub fn note_seen(rooms: &Rooms, accounts: &Accounts, visitor: &Visitor, wall: &Wall, shell: &mut Shell) {
    if let Some(rail) = &mut shell.rail
        && rail.board_unread
        && wall.is_top
    {
        rooms.marks.set(visitor.person.id, BOARD, wall.last_seq, false);
        accounts.events.publish(&Event::BoardSeen { user: visitor.person.id, seq: wall.last_seq });
        Arc::make_mut(rail).board_unread = false;
    }
}

/// `POST /board` with `text`, `title`? and `nonce`?; as multipart with pictures and files too.
pub async fn post(
    visitor: Visitor,
    parts: Parts,
    limits: web::Data<Limits>,
    (request, payload): (HttpRequest, web::Payload),
) -> Result<HttpResponse> {
    let uploads = &parts.2.uploads;
    let bounds = Bounds { folder: &uploads.folder, file_bytes: uploads.bytes_max, files: PER_MESSAGE };
    let form = form_data::read_any(&request, payload, bounds).await?;
    let typed = Typed::from(&form);
    let error = match leave(&visitor, &parts, &limits, form).await {
        Ok(()) => return Ok(see_other("/board")),
        Err(error) => error,
    };
    let (pages, front, rooms, accounts) = parts;
    let wait = error.retry_after_ms().map(|ms| ms.div_ceil(1000));
    let (status, form) = refused(typed, error)?;
    let form = NoteForm { bytes_max: bytes_max(&accounts, &rooms, &visitor), ..form };
    let wall = front.wall(None).await?;
    let shell = pages.shell(Some(visitor.viewer()), t("Board"), "/board").await;
    let mut response = html(status, &BoardPage { shell, wall: wall.html.clone(), form })?;
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

async fn leave(visitor: &Visitor, parts: &Parts, limits: &Limits, form: FormData) -> Result<()> {
    let (rooms, accounts, user) = (&parts.2, &parts.3, visitor.person.id);
    let typed = Typed::from(&form);
    let people = rooms.mentionable(&accounts.directory, None, &typed.text).await?;
    limits.send(user)?;
    if !form.files.is_empty() {
        accounts.allow(&visitor.person, Right::Files)?;
    }
    let sent = rooms.attach_all(user, BOARD, &typed.nonce, form.files).await?;
    rooms.post(typed.check(rooms.author(&visitor.person), sent, &people)?).await.map(drop)
}

/// The form again, for an error after which sending it again makes sense; nothing typed is lost.
fn refused(typed: Typed, error: Error) -> Result<(StatusCode, NoteForm)> {
    match error {
        Error::Invalid(fields) => {
            // The rest are no fields that a person could correct.
            let name = |field: &str| {
                if ["title", "text"].contains(&field) { field.to_owned() } else { String::new() }
            };
            let errors = fields.into_iter().map(|wrong| crate::site::page::FieldError {
                field: name(wrong.field),
                message: wrong.message.into_owned(),
            });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, NoteForm::again(typed, FieldErrors(errors.collect()))?))
        }
        Error::Conflict { .. } => {
            let words =
                "This form was posted before, with other words. Post it again to leave a second note.";
            let typed = Typed { nonce: String::new(), ..typed };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, NoteForm::again(typed, FieldErrors::one("", words))?))
        }
        Error::TooMany { .. }
        | Error::Slow { .. }
        | Error::Busy(_)
        | Error::Forbidden { code: "timed_out", .. } => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            Ok((status, NoteForm::again(typed, FieldErrors::one("", error.detail()))?))
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;
    use crate::rooms::preview::Picture;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    pub fn wall() -> BoardWall {
        let note = NoteView {
            seq: 3,
            rev: 4,
            author: Person::new(7, HOSTILE, true),
            at: Stamp(1_700_000_000_000),
            title: HOSTILE.into(),
            text: HOSTILE.into(),
            html: None,
            attachments: Vec::new(),
            preview: Some(Preview {
                url: HOSTILE.into(),
                title: HOSTILE.into(),
                description: HOSTILE.into(),
                site: HOSTILE.into(),
                picture: Some(Picture {
                    url: HOSTILE.into(),
                    description: HOSTILE.into(),
                    ..Picture::default()
                }),
            }),
            edited: true,
            deleted: false,
            reactions: vec![Reaction { emoji: HOSTILE.into(), n: 1, users: vec![crate::ids::UserId(7)] }],
        };
        BoardWall { room: 1, rev: 4, last_seq: 3, notes: vec![note], more: true, newer: false }
    }

    #[test]
    fn the_wall_escapes_notes() {
        let html = wall().render().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("data-seq=\"3\""), "{html}");
    }

    #[test]
    fn the_page_escapes_what_was_typed_and_keeps_it() {
        let html = BoardPage {
            shell: Shell::new("Board", "/board"),
            wall: wall().render().unwrap().into(),
            form: NoteForm {
                shown: true,
                nonce: HOSTILE.into(),
                title: HOSTILE.into(),
                text: "kept & safe".into(),
                bytes_max: Some(1),
                errors: FieldErrors::one("text", HOSTILE),
            },
        }
        .render()
        .unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("kept &#38; safe"), "{html}");
    }

    #[test]
    fn a_refused_note_keeps_what_was_typed_and_its_nonce_unless_that_was_the_trouble() {
        let nonce = "0123456789abcdef";
        let typed = Typed { title: "t".into(), text: "words".into(), nonce: nonce.into() };
        let wrong = Typed { text: String::new(), ..typed.clone() }
            .check(crate::rooms::Author::default(), Vec::new(), &crate::rooms::Mentionable::new())
            .unwrap_err();
        let (status, form) = refused(typed.clone(), wrong).unwrap();
        assert_eq!((status.as_u16(), form.text.as_str(), form.nonce.as_str()), (422, "words", nonce));
        assert!(form.errors.of("text").is_some());
        let (status, form) = refused(typed.clone(), Error::conflict("nonce_reused", "x")).unwrap();
        assert_eq!((status.as_u16(), form.title.as_str()), (422, "t"));
        assert!(form.nonce != nonce && form.errors.of("").is_some());
        let (status, form) = refused(typed.clone(), Error::TooMany { retry_after_ms: 5 }).unwrap();
        assert_eq!((status.as_u16(), form.nonce.as_str()), (429, nonce));
        assert!(refused(typed, Error::NotFound("x")).is_err());
    }

    #[test]
    fn an_empty_wall_says_what_it_is_for() {
        let html = BoardWall { notes: Vec::new(), more: false, ..wall() }.render().unwrap();
        assert!(html.contains("Nothing here yet"), "{html}");
    }
}
