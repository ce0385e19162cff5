//! Recordings on a stream's page: the switch, what is recorded just now, and the list of what was.

use super::super::stream::Wish;
use super::super::studio::{Live, Onlooker, Running};
use super::api::{self, PAGE};
use super::row::Recording;
use super::{READINGS, State};
use crate::accounts::{Keeper, Visitor};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::site::answer::{html, see_other};
use crate::site::page::Stamp;
use crate::site::words::filters;
use crate::text::clock;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// How recording stands, and the list.
#[derive(Clone, Debug, Default)]
pub struct RecordingsView {
    /// `/live/{name}`
    pub href: String,
    pub state: State,
    /// Whoever looks may switch it, and delete what was recorded.
    pub changes: bool,
    pub rows: Vec<Row>,
    /// There are older ones.
    pub more: bool,
}

/// The same for the page's script.
#[derive(Template)]
#[template(path = "live/recordings.html")]
pub struct Part {
    pub recordings: RecordingsView,
}

/// One recording.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub began: Option<Stamp>,
    /// `1:02:03`; empty while it goes on.
    pub length: String,
    /// The film's page, if whoever looks sees it.
    pub item: Option<String>,
    pub ndjson: Option<String>,
    pub csv: Option<String>,
    pub samples: i64,
    pub going_on: bool,
    /// Its film isn't in the library yet.
    pub waiting: bool,
    pub trouble: Option<String>,
    pub refused: Option<String>,
}

impl Row {
    fn new(row: Recording, stream: &str, seen: &[MediaId]) -> Self {
        let file = |ending: &str| row.readings(stream).map(|path| format!("{path}.{ending}"));
        let lasts = row.duration.or(row.ended_at.map(|ended| ended - row.started_at));
        Self {
            began: Some(Stamp(row.started_at)),
            length: lasts.map(length).unwrap_or_default(),
            item: row.media_id.filter(|id| seen.contains(id)).map(|id| format!("/media/{id}")),
            ndjson: file(READINGS),
            csv: file("csv"),
            going_on: row.ended_at.is_none(),
            waiting: row.ended_at.is_some() && !row.settled,
            id: row.id,
            title: row.title,
            samples: row.samples,
            trouble: row.trouble,
            refused: row.refused,
        }
    }
}

/// Milliseconds as a clock shows them, to the nearest second.
fn length(milliseconds: i64) -> String {
    clock(milliseconds + 500)
}

impl RecordingsView {
    /// What somebody sees of it.
    pub async fn new(live: &Live, running: &Running, who: &Onlooker) -> Result<Self> {
        let (rows, seen, more) = api::page(live, running, who, (None, PAGE)).await?;
        let row = running.row();
        Ok(Self {
            href: format!("/live/{}", row.name),
            state: State { on: row.recorder.is_some(), ..running.store().recording.clone() },
            changes: who.visitor.as_ref().is_some_and(|v| Keeper::from(&*v.person).may_change(row.user_id)),
            rows: rows.into_iter().map(|one| Row::new(one, &row.name, &seen)).collect(),
            more,
        })
    }
}

/// `GET /live/{name}/recordings`: the same as on the stream's page, for its script.
pub async fn part(
    visitor: Result<Visitor>,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let who = Onlooker::of(visitor, None)?;
    let running = live.shown(&name, &who).await?;
    html(StatusCode::OK, &Part { recordings: RecordingsView::new(&live, &running, &who).await? })
}

/// The forms.
#[derive(Debug, Deserialize)]
pub struct Form {
    /// `record`, `stop` or `delete`.
    #[serde(rename = "do")]
    what: String,
    /// That which is to be deleted.
    #[serde(default)]
    id: String,
}

/// `POST /live/{name}/recordings`
pub async fn save(
    visitor: Visitor,
    name: web::Path<String>,
    form: web::Form<Form>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let by = Keeper::from(&*visitor.person);
    match form.what.as_str() {
        what @ ("record" | "stop") => {
            let wish = Wish { recording: Some(what == "record"), ..Wish::default() };
            live.change(&name, by, wish.check()?).await?;
        }
        "delete" => {
            let who = Onlooker { visitor: Some(visitor), token: None };
            live.forget_recording(&name, &form.id, by, &who).await?;
        }
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
    Ok(see_other(&format!("/live/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_escaped() {
        let hostile = "\"><script>alert('x')</script>";
        let some = Some(hostile.to_owned());
        let row = Row {
            id: hostile.into(),
            title: hostile.into(),
            began: Some(Stamp(0)),
            item: some.clone(),
            ndjson: some.clone(),
            csv: some.clone(),
            trouble: some.clone(),
            refused: some,
            ..Row::default()
        };
        for changes in [false, true] {
            let rows = vec![row.clone(), Row { going_on: true, ..row.clone() }];
            let recordings =
                RecordingsView { href: hostile.into(), changes, rows, ..RecordingsView::default() };
            assert!(!Part { recordings }.render().unwrap().contains("<script>alert"));
        }
    }

    #[test]
    fn a_length_is_read_like_a_clock() {
        assert_eq!([499, 61_000, 3_723_400].map(length), ["0:00", "1:01", "1:02:03"]);
    }
}
