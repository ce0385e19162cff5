//! The list of all channels as a page, and the form to create one. Works without a script.

use askama::Template;

use super::Chat;
use super::command;
use super::command_rooms;
use super::protocol_rooms::Create;
use crate::accounts::{Reader, Visitor};
use crate::error::{Error, Result};
use crate::rooms::Kind;
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell, channel_href};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// One channel in the list of all.
#[derive(Debug, Clone, Default)]
pub struct ChannelRow {
    pub id: i64,
    pub name: String,
    /// `/c/{name}`, percent-encoded.
    pub href: String,
    pub topic: String,
    pub members: i64,
    pub joined: bool,
}

/// The list of all channels, and the form to create one.
#[derive(Template)]
#[template(path = "chat/channels.html")]
pub struct ChannelsPage {
    pub shell: Shell,
    pub channels: Vec<ChannelRow>,
    /// The next page's address.
    pub next: Option<String>,
    /// Signed in, so that creating and joining are offered.
    pub may_create: bool,
    pub typed_name: String,
    pub typed_topic: String,
    /// Fields `name`, `topic`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

#[derive(Deserialize)]
pub struct ListQuery {
    after: Option<String>,
}

#[derive(Default, Deserialize)]
pub struct ChannelForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    topic: String,
}

/// `GET /channels`: all channels by name.
pub async fn channels(
    reader: Reader,
    query: web::Query<ListQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let page = channels_page(&reader, query.into_inner().after, &chat, &pages).await?;
    html(StatusCode::OK, &page)
}

async fn channels_page(
    reader: &Reader,
    after: Option<String>,
    chat: &Chat,
    pages: &Pages,
) -> Result<ChannelsPage> {
    let user = reader.visitor.as_ref().map(|v| v.person.id);
    let page = command::rooms(chat, user, after, None).await?;
    let next = page.rooms.last().filter(|_| page.more).map(|room| {
        format!(
            "/channels?after={}",
            percent_encoding::utf8_percent_encode(&room.name, percent_encoding::NON_ALPHANUMERIC)
        )
    });
    let channels = page.rooms.into_iter().filter(|room| room.kind == Kind::Channel).map(|room| ChannelRow {
        id: room.id.0,
        href: channel_href(&room.name),
        name: room.name,
        topic: room.topic,
        members: room.members,
        joined: room.joined,
    });
    Ok(ChannelsPage {
        shell: pages.shell(reader.viewer(), t("Channels"), "/channels").await,
        channels: channels.collect(),
        next,
        may_create: reader.visitor.is_some(),
        typed_name: String::new(),
        typed_topic: String::new(),
        errors: FieldErrors::default(),
    })
}

/// `POST /channels`: creates a channel and goes there.
pub async fn create(
    visitor: Visitor,
    form: web::Form<ChannelForm>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let form = form.into_inner();
    let asked = Create {
        kind: "channel".into(),
        name: form.name.trim().to_owned(),
        topic: form.topic.clone(),
        members: Vec::new(),
    };
    let created = match command_rooms::create(&chat, &visitor.person, asked).await {
        Ok(request) => chat.rooms.change_room(request).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(room) => Ok(see_other(&channel_href(&room.name))),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let reader = Reader { visitor: Some(visitor) };
            let mut page = channels_page(&reader, None, &chat, &pages).await?;
            page.errors = FieldErrors::of_error(&error, "name");
            page.typed_name = form.name;
            page.typed_topic = form.topic;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_list_escapes_names_and_topics() {
        let page = ChannelsPage {
            shell: Shell::new("Channels", "/channels"),
            channels: vec![ChannelRow {
                name: HOSTILE.into(),
                topic: HOSTILE.into(),
                ..ChannelRow::default()
            }],
            next: Some(HOSTILE.into()),
            may_create: true,
            typed_name: HOSTILE.into(),
            typed_topic: HOSTILE.into(),
            errors: FieldErrors::one("name", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
