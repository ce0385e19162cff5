//! The board as pages: the wall of notes, which is the same for everybody and kept ready, and the page around it.

use super::front::{Front, Wall};
use super::post::Typed;
use crate::accounts::{Accounts, Reader, Visitor};
use crate::error::{Error, Result};
use crate::ids::BOARD;
use crate::rooms::{Nonce, Rooms};
use crate::site::answer::{html, see_other};
use crate::site::limit::Limits;
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, web};
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
    pub edited: bool,
    pub deleted: bool,
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
    /// Fields `title`, `text`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

impl NoteForm {
    /// An empty form for somebody who is signed in.
    ///
    /// # Errors
    /// `Internal` when the machine has no randomness.
    pub fn fresh() -> Result<Self> {
        Self::again(Typed::default(), FieldErrors::default())
    }

    /// The form as it was typed, with what was wrong. It keeps its nonce, if it had a good one.
    fn again(typed: Typed, errors: FieldErrors) -> Result<Self> {
        let nonce = Nonce::parse(typed.nonce).or_else(|_| Nonce::random())?;
        let nonce = nonce.as_str().to_owned();
        Ok(Self { shown: true, nonce, title: typed.title, text: typed.text, errors })
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
    let mut shell = pages.shell(Some(visitor.viewer()), t("Board"), "/board").await;
    note_seen(&rooms, &visitor, &wall, &mut shell);
    html(StatusCode::OK, &BoardPage { shell, wall: wall.html.clone(), form: NoteForm::fresh()? })
}

/// Whoever is shown the board's top has seen its newest note, with scripts or without.
pub fn note_seen(rooms: &Rooms, visitor: &Visitor, wall: &Wall, shell: &mut Shell) {
    if let Some(rail) = &mut shell.rail
        && rail.board_unread
        && wall.is_top
    {
        rooms.marks.set(visitor.person.id, BOARD, wall.last_seq, false);
        Arc::make_mut(rail).board_unread = false;
    }
}

/// `POST /board` with `text`, `title`? and `nonce`?
pub async fn post(
    visitor: Visitor,
    parts: Parts,
    limits: web::Data<Limits>,
    typed: web::Form<Typed>,
) -> Result<HttpResponse> {
    let typed = typed.into_inner();
    let error = match leave(&visitor, &parts.2, &limits, typed.clone()).await {
        Ok(()) => return Ok(see_other("/board")),
        Err(error) => error,
    };
    let (pages, front, ..) = parts;
    let wait = error.retry_after_ms().map(|ms| ms.div_ceil(1000));
    let (status, form) = refused(typed, error)?;
    let wall = front.wall(None).await?;
    let shell = pages.shell(Some(visitor.viewer()), t("Board"), "/board").await;
    let mut response = html(status, &BoardPage { shell, wall: wall.html.clone(), form })?;
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

async fn leave(visitor: &Visitor, rooms: &Rooms, limits: &Limits, typed: Typed) -> Result<()> {
    let note = typed.check(&visitor.person)?;
    limits.send(visitor.person.id)?;
    rooms.post(note).await.map(drop)
}

/// The form again, for an error after which sending it again makes sense; nothing typed is lost.
fn refused(typed: Typed, error: Error) -> Result<(StatusCode, NoteForm)> {
    match error {
        Error::Invalid(fields) => {
            // The nonce is no field that a person could correct.
            let name = |field: &str| if field == "nonce" { String::new() } else { field.to_owned() };
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
        Error::TooMany { .. } | Error::Busy(_) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            Ok((status, NoteForm::again(typed, FieldErrors::one("", error.detail()))?))
        }
        other => Err(other),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

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
            edited: true,
            deleted: false,
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
            .check(&crate::accounts::Person::for_tests(1, "Ann"))
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
