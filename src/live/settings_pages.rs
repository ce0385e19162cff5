//! What the keeper of a stream sets: what it is called, who sees it, what its readings are, its key and its token.

use super::field;
use super::stream::{Stream, Wish};
use super::studio::{Live, Onlooker};
use crate::accounts::{Keeper, Speaker, Visitor};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::filters;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// The page.
#[derive(Template)]
#[template(path = "live/edit.html")]
pub struct SettingsPage {
    pub shell: Shell,
    pub name: String,
    /// `/live/{name}`
    pub href: String,
    /// The address of this place, as examples write it.
    pub origin: String,
    /// As typed, otherwise as it is.
    pub title: String,
    pub public: bool,
    pub recording: bool,
    /// One reading a line.
    pub fields: String,
    /// One rule a line.
    pub alarms: String,
    /// There is a token for players.
    pub has_token: bool,
    /// What has just been made, shown this once.
    pub secret: Option<Secret>,
    pub errors: FieldErrors,
}

/// What is shown once.
#[derive(Debug, Clone)]
pub enum Secret {
    Key(String),
    Token(String),
}

impl SettingsPage {
    pub async fn new(
        row: &Stream,
        visitor: &Visitor,
        pages: &Pages,
        request: &HttpRequest,
        config: &Config,
    ) -> Self {
        let info = request.connection_info().clone();
        let named = || format!("{}://{}", info.scheme(), info.host());
        Self {
            shell: pages.shell(Some(visitor.viewer()), row.called().to_owned(), "/live").await,
            href: format!("/live/{}", row.name),
            origin: config.public_url.clone().unwrap_or_else(named),
            title: row.title.clone(),
            public: row.public,
            recording: row.recorder.is_some(),
            fields: field::lines(&row.fields()),
            alarms: row.alarms.clone(),
            has_token: row.has_token(),
            name: row.name.clone(),
            secret: None,
            errors: FieldErrors::default(),
        }
    }

    /// The key as it was just made.
    pub fn key(&self) -> Option<&str> {
        match &self.secret {
            Some(Secret::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The token as it was just made.
    pub fn token(&self) -> Option<&str> {
        match &self.secret {
            Some(Secret::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// The key as examples write it.
    fn word(&self) -> &str {
        self.key().unwrap_or("KEY")
    }

    /// One sample by curl.
    pub fn recipe_json(&self) -> String {
        let Self { origin, href, .. } = self;
        let key = self.word();
        format!(
            "curl -H \"Authorization: Bearer {key}\" \\\n  --json '{{\"beam_energy\": 150.2}}' {origin}{href}/push"
        )
    }

    /// A camera by ffmpeg.
    pub fn recipe_camera(&self) -> String {
        let Self { origin, href, .. } = self;
        let key = self.word();
        format!("ffmpeg -f v4l2 -i /dev/video0 -r 5 -f mpjpeg \\\n  \"{origin}{href}/push?key={key}\"")
    }

    /// The demonstration that Hubbub brings along.
    pub fn recipe_demonstration(&self) -> String {
        let Self { origin, name, .. } = self;
        format!("hubbub publish --to {origin} --name {name} --key {}", self.word())
    }
}

/// The forms of the page.
#[derive(Debug, Deserialize)]
pub struct Form {
    /// `change`, `key`, `token`, `untoken` or `delete`.
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    public: String,
    #[serde(default)]
    recording: String,
    #[serde(default)]
    fields: String,
    #[serde(default)]
    alarms: String,
}

impl Form {
    /// What is wished, as typed.
    fn wish(&self) -> Result<Wish> {
        let fields = field::parse(&self.fields).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        let (title, public) = (Some(self.title.clone()), Some(!self.public.is_empty()));
        let alarms = Some(self.alarms.lines().map(str::to_owned).collect());
        let recording = Some(!self.recording.is_empty());
        Ok(Wish { title, public, fields: Some(fields), alarms, recording })
    }
}

async fn own(live: &Live, name: &str, visitor: &Visitor) -> Result<std::sync::Arc<Stream>> {
    let who = Onlooker { visitor: Some(visitor.clone()), token: None };
    let row = live.shown(name, &who).await?.row();
    row.check(Keeper::from(&*visitor.person))?;
    Ok(row)
}

/// `GET /live/{name}/edit`
pub async fn show(
    visitor: Visitor,
    name: web::Path<String>,
    live: web::Data<Live>,
    pages: web::Data<Pages>,
    (request, config): (HttpRequest, web::Data<Config>),
) -> Result<HttpResponse> {
    let row = own(&live, &name, &visitor).await?;
    html(StatusCode::OK, &SettingsPage::new(&row, &visitor, &pages, &request, &config).await)
}

/// `POST /live/{name}/edit`
pub async fn save(
    Speaker(visitor): Speaker,
    name: web::Path<String>,
    form: web::Form<Form>,
    live: web::Data<Live>,
    pages: web::Data<Pages>,
    (request, config): (HttpRequest, web::Data<Config>),
) -> Result<HttpResponse> {
    let (form, by) = (form.into_inner(), Keeper::from(&*visitor.person));
    let row = own(&live, &name, &visitor).await?;
    let secret = match form.what.as_str() {
        "change" => {
            let changed = match form.wish().and_then(Wish::check) {
                Ok(record) => live.change(&name, by, record).await,
                Err(error) => Err(error),
            };
            return match changed {
                Ok(_) => Ok(see_other(&format!("/live/{}", row.name))),
                Err(error @ Error::Invalid(_)) => {
                    let page = SettingsPage::new(&row, &visitor, &pages, &request, &config).await;
                    let errors = FieldErrors::of_error(&error, "title");
                    let (public, recording) = (!form.public.is_empty(), !form.recording.is_empty());
                    let Form { title, fields, alarms, .. } = form;
                    html(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        &SettingsPage { title, public, recording, fields, alarms, errors, ..page },
                    )
                }
                Err(error) => Err(error),
            };
        }
        "delete" => {
            live.delete(&name, by).await?;
            return Ok(see_other("/live"));
        }
        "untoken" => {
            live.replace_token(&name, by, false).await?;
            return Ok(see_other(&format!("/live/{}/edit", row.name)));
        }
        "key" => Secret::Key(live.replace_key(&name, by).await?.1),
        "token" => Secret::Token(live.replace_token(&name, by, true).await?.1.unwrap_or_default()),
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    };
    let row = live.find(&name).await?.row();
    let page = SettingsPage::new(&row, &visitor, &pages, &request, &config).await;
    html(StatusCode::OK, &SettingsPage { secret: Some(secret), ..page })
}

#[cfg(test)]
mod page_tests {
    use super::*;

    #[test]
    fn what_was_typed_is_escaped() {
        let hostile = "\"></textarea><script>alert('x')</script>";
        for secret in [Secret::Key(hostile.into()), Secret::Token(hostile.into())] {
            let page = SettingsPage {
                shell: Shell::new(hostile, "/live"),
                name: hostile.into(),
                href: hostile.into(),
                origin: hostile.into(),
                title: hostile.into(),
                public: true,
                recording: true,
                fields: hostile.into(),
                alarms: hostile.into(),
                has_token: true,
                secret: Some(secret),
                errors: FieldErrors::one("title", hostile),
            };
            assert!(!page.render().unwrap().contains("<script>alert"));
        }
    }
}
