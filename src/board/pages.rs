//! The board as pages: the wall of notes, which is the same for everybody and kept ready, and the page around it.

use std::sync::Arc;

use askama::Template;

use crate::site::page::{FieldErrors, Person, Shell, Stamp};

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
    fn an_empty_wall_says_what_it_is_for() {
        let html = BoardWall { notes: Vec::new(), more: false, ..wall() }.render().unwrap();
        assert!(html.contains("Nothing here yet"), "{html}");
    }
}
