//! What isn't wanted here: the words of the filter, and the slow mode of the board.

use super::deeds;
use super::gate::admins_only;
use super::people::DoneQuery;
use crate::accounts::{Accounts, Visitor};
use crate::chat::Chat;
use crate::chat::room_settings::{Pace, paces};
use crate::error::{Error, Result};
use crate::ids::BOARD;
use crate::rooms::filter::{self, Effect, FilterWord, WORD_MAX};
use crate::rooms::{Asking, Rooms, room};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError as _, web};
use askama::Template;
use serde::Deserialize;

/// The page.
#[derive(Template)]
#[template(path = "admin/filter.html")]
struct FilterPage {
    shell: Shell,
    administers: bool,
    words: Vec<FilterWord>,
    word_max: usize,
    /// As it was typed.
    typed: String,
    /// The slow modes of the board to choose from.
    paces: Vec<Pace>,
    /// For how many hours somebody is new, as the setting says; 0 for never.
    newcomer_hours: i64,
    notice: Option<&'static str>,
    /// The fields `word` and `slow_seconds`, and `""` for all else.
    errors: FieldErrors,
}

async fn page(visitor: &Visitor, accounts: &Accounts, rooms: &Rooms, pages: &Pages) -> Result<FilterPage> {
    let (words, board) = rooms.db.read(|conn| Ok((filter::all(conn)?, room::find(conn, BOARD)?))).await?;
    Ok(FilterPage {
        shell: pages.shell(Some(visitor.viewer()), t("Filter"), "/admin").await,
        administers: true,
        words,
        word_max: WORD_MAX,
        typed: String::new(),
        paces: paces(board.slow_seconds),
        newcomer_hours: accounts.config.newcomer_hours,
        notice: None,
        errors: FieldErrors::default(),
    })
}

/// `GET /admin/filter`
pub async fn show(
    visitor: Visitor,
    query: web::Query<DoneQuery>,
    (accounts, rooms, pages): (web::Data<Accounts>, web::Data<Rooms>, web::Data<Pages>),
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let mut page = page(&visitor, &accounts, &rooms, &pages).await?;
    page.notice = (query.done == "saved").then(|| t("Saved."));
    html(StatusCode::OK, &page)
}

/// One of the page's forms.
#[derive(Debug, Default, Deserialize)]
pub struct FilterForm {
    /// `add`, `remove` or `slow`.
    #[serde(rename = "do", default)]
    what: String,
    #[serde(default)]
    word: String,
    /// `report`; anything else refuses.
    #[serde(default)]
    effect: String,
    #[serde(default)]
    id: i64,
    #[serde(default)]
    slow: i32,
}

/// `POST /admin/filter`: does what the form says and comes back.
pub async fn change(
    visitor: Visitor,
    (accounts, rooms, pages): (web::Data<Accounts>, web::Data<Rooms>, web::Data<Pages>),
    chat: web::Data<Chat>,
    web::Form(form): web::Form<FilterForm>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    match apply(&visitor, &form, &accounts, &rooms, &chat).await {
        Ok(()) => Ok(see_other("/admin/filter?done=saved")),
        Err(error @ (Error::Conflict { .. } | Error::Invalid(_))) => {
            let mut page = page(&visitor, &accounts, &rooms, &pages).await?;
            page.errors = FieldErrors::of_error(&error, "word").or_whole(&["word", "slow_seconds"]);
            page.typed = form.word;
            html(error.status_code(), &page)
        }
        Err(error) => Err(error),
    }
}

async fn apply(
    visitor: &Visitor,
    form: &FilterForm,
    accounts: &Accounts,
    rooms: &Rooms,
    chat: &Chat,
) -> Result<()> {
    let by = visitor.person.id;
    match form.what.as_str() {
        "add" => {
            let effect = Effect::from(form.effect.clone());
            deeds::add_word(accounts, rooms, by, form.word.clone(), effect).await.map(drop)
        }
        "remove" => deeds::remove_word(accounts, rooms, by, form.id).await,
        "slow" => chat.slow_down(Asking::from(&*visitor.person), BOARD, form.slow).await.map(drop),
        _ => Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_filter_escapes_its_words() {
        let word = FilterWord { id: 1, word: HOSTILE.into(), effect: Effect::Report, added_at: 0 };
        let page = FilterPage {
            shell: Shell::new("Filter", "/admin"),
            administers: true,
            words: vec![word],
            word_max: 5,
            typed: HOSTILE.into(),
            paces: paces(7),
            newcomer_hours: 24,
            notice: Some("x"),
            errors: FieldErrors::one("word", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
