//! Streams as pages: the wall of tiles, and the instrument panel of one.

use super::recording::RecordingsView;
use super::settings_pages::{Secret, SettingsPage};
use super::stream::{StreamName, Wish};
use super::studio::{Live, Onlooker};
use super::view::StreamView;
use crate::accounts::{Accounts, Keeper, Visitor};
use crate::config::{Config, Right};
use crate::error::{Error, Result};
use crate::rooms::{About, Panel, TalkProvider};
use crate::site::answer::html;
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// All streams that somebody may watch.
#[derive(Template)]
#[template(path = "live/wall.html")]
pub struct WallPage {
    pub shell: Shell,
    pub tiles: Vec<StreamView>,
    /// The viewer may make one.
    pub makes: bool,
    /// As typed.
    pub form: NewForm,
    pub errors: FieldErrors,
}

/// One stream.
#[derive(Template)]
#[template(path = "live/stream.html")]
pub struct StreamPage {
    pub shell: Shell,
    pub stream: StreamView,
    /// The viewer may change it.
    pub changes: bool,
    /// The viewer may acknowledge its alarms.
    pub takes: bool,
    pub recordings: RecordingsView,
    pub talk: Panel,
}

impl StreamPage {
    /// One that is empty, for the script to make others of.
    fn blank(&self) -> super::view::ReadingView {
        super::view::ReadingView { number: true, ..Default::default() }
    }

    fn blank_alarm(&self) -> super::view::AlarmView {
        super::view::AlarmView::default()
    }
}

/// A stream to be made.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    public: String,
}

impl NewForm {
    pub fn is_public(&self) -> bool {
        !self.public.is_empty()
    }
}

async fn wall_page(who: &Onlooker, (live, pages, accounts): (&Live, &Pages, &Accounts)) -> Result<WallPage> {
    let all = live.list(who.user()).await?;
    let tiles = all.iter().map(|(row, running)| StreamView::new(row, running.as_deref())).collect();
    let makes = who.visitor.as_ref().is_some_and(|visitor| accounts.allows(&visitor.person, Right::Files));
    let shell = pages.shell(who.visitor.as_ref().map(Visitor::viewer), t("Live"), "/live").await;
    Ok(WallPage { shell, tiles, makes, form: NewForm::default(), errors: FieldErrors::default() })
}

/// `GET /live`
pub async fn wall(
    visitor: Result<Visitor>,
    live: web::Data<Live>,
    pages: web::Data<Pages>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    let who = Onlooker::of(visitor, None)?;
    let page = wall_page(&who, (&live, &pages, &accounts)).await?;
    if page.tiles.is_empty() && who.visitor.is_none() {
        return Err(Error::SignInFirst);
    }
    html(StatusCode::OK, &page)
}

/// `POST /live`: makes a stream, and shows its key.
pub async fn create(
    visitor: Visitor,
    form: web::Form<NewForm>,
    live: web::Data<Live>,
    pages: web::Data<Pages>,
    accounts: web::Data<Accounts>,
    (request, config): (HttpRequest, web::Data<Config>),
) -> Result<HttpResponse> {
    accounts.allow(&visitor.person, Right::Files)?;
    let form = form.into_inner();
    let wish = Wish { title: Some(form.title.clone()), public: Some(form.is_public()), ..Wish::default() };
    let made = match (StreamName::parse(form.name.trim()), wish.check()) {
        (Ok(name), Ok(record)) => live.create(visitor.person.id, name, record).await,
        (Err(wrong), _) => Err(Error::Invalid(vec![wrong])),
        (_, Err(error)) => Err(error),
    };
    match made {
        Ok((row, key)) => {
            let page = SettingsPage::new(&row, &visitor, &pages, &request, &config).await;
            html(StatusCode::CREATED, &SettingsPage { secret: Some(Secret::Key(key)), ..page })
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let who = Onlooker { visitor: Some(visitor), token: None };
            let page = wall_page(&who, (&live, &pages, &accounts)).await?;
            let errors = FieldErrors::of_error(&error, "name");
            html(StatusCode::UNPROCESSABLE_ENTITY, &WallPage { form, errors, ..page })
        }
        Err(error) => Err(error),
    }
}

/// `GET /live/{name}`
pub async fn panel(
    visitor: Result<Visitor>,
    name: web::Path<String>,
    live: web::Data<Live>,
    pages: web::Data<Pages>,
    talks: web::Data<dyn TalkProvider>,
    (request, config): (HttpRequest, web::Data<Config>),
) -> Result<HttpResponse> {
    let who = Onlooker::of(visitor, None)?;
    let running = live.shown(&name, &who).await?;
    let row = running.row();
    let stream = StreamView::new(&row, Some(&running));
    let recordings = RecordingsView::new(&live, &running, &who).await?;
    let changes = who.visitor.as_ref().is_some_and(|v| Keeper::from(&*v.person).may_change(row.user_id));
    let shell =
        pages.shell(who.visitor.as_ref().map(Visitor::viewer), row.called().to_owned(), "/live").await;
    // A public stream may be watched by all; what people say about it is read as any other talk.
    let talk = if who.visitor.is_some() || config.public_reading {
        let query = request.query_string().to_owned();
        talks.panel(who.reader(), About::stream(row.id), row.called().to_owned(), query).await?
    } else {
        Panel::default()
    };
    let takes = who.visitor.is_some();
    html(StatusCode::OK, &StreamPage { shell, stream, changes, takes, recordings, talk })
}

#[cfg(test)]
mod page_tests {
    use super::super::view::{AlarmView, PictureView, ReadingView};
    use super::*;
    use crate::site::page::Stamp;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn names_and_readings_are_escaped() {
        let reading = ReadingView {
            name: HOSTILE.into(),
            label: HOSTILE.into(),
            value: HOSTILE.into(),
            unit: HOSTILE.into(),
            out: true,
            number: true,
        };
        let stream = StreamView {
            name: HOSTILE.into(),
            title: HOSTILE.into(),
            href: HOSTILE.into(),
            fields: HOSTILE.into(),
            live: true,
            latest: Some(Stamp(0)),
            readings: vec![reading.clone(), ReadingView { number: false, ..reading }],
            picture: Some(PictureView { src: HOSTILE.into(), width: 1, height: 1 }),
            alarms: vec![AlarmView {
                rule: HOSTILE.into(),
                label: HOSTILE.into(),
                value: HOSTILE.into(),
                by: Some(HOSTILE.into()),
                ..AlarmView::default()
            }],
            ..StreamView::default()
        };
        let shell = || Shell::new(HOSTILE, "/live");
        let wall = WallPage {
            shell: shell(),
            tiles: vec![stream.clone()],
            makes: true,
            form: NewForm { name: HOSTILE.into(), title: HOSTILE.into(), public: String::new() },
            errors: FieldErrors::one("name", HOSTILE),
        };
        let recordings = RecordingsView::default();
        let (talk, shell) = (Panel::default(), shell());
        let panel = StreamPage { shell, stream, changes: true, takes: true, recordings, talk };
        for html in [wall.render().unwrap(), panel.render().unwrap()] {
            assert!(!html.contains("<script>alert"), "{html}");
        }
    }
}
