//! The conversation about a thing, as it stands on the page of the thing; and the way from the talk's own address there.

use super::Chat;
use super::details::{Details, DetailsQuery};
use super::pages::{PageQuery, RoomPage, existing};
use super::room_view::RoomView;
use crate::accounts::Reader;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::talk::{About, Panel, TalkProvider};
use crate::rooms::{Kind, Level, Verb, may, room};
use crate::site::answer::see_other;
use crate::site::page::Shell;
use crate::site::words::filters;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_core::future::LocalBoxFuture;
use std::ops::Deref;

/// The style sheets and scripts of a talk.
#[derive(Template)]
#[template(path = "chat/_talk_head.html")]
struct Head;

/// A talk beside its thing: what a [`RoomPage`] has, without the page around it.
#[derive(Template)]
#[template(path = "chat/_talk.html")]
struct TalkPanel(RoomPage);

/// The templates of a conversation's parts name what they show as they do on its own page.
impl Deref for TalkPanel {
    type Target = RoomPage;

    fn deref(&self) -> &RoomPage {
        &self.0
    }
}

impl TalkProvider for Chat {
    fn panel(
        &self,
        reader: Reader,
        about: About,
        name: String,
        query: String,
    ) -> LocalBoxFuture<'static, Result<Panel>> {
        let chat = self.clone();
        Box::pin(async move { panel(&chat, reader, about, name, &query).await })
    }
}

async fn panel(chat: &Chat, reader: Reader, about: About, name: String, query: &str) -> Result<Panel> {
    let user = reader.visitor.as_ref().map(|visitor| visitor.person.id);
    let Some(id) = chat.rooms.talk(user, about, name).await? else { return Ok(Panel::default()) };
    // What else the page's address says is for the thing.
    let read = |_| Error::bad_request("bad_request", "The address has a number that is none.");
    let details = web::Query::<DetailsQuery>::from_query(query).map_err(read)?.into_inner();
    let query = web::Query::<PageQuery>::from_query(query).map_err(read)?.into_inner().with(details);
    let page = existing(&reader, id, None, &query, chat).await?;
    let person = reader.visitor.as_ref().map(|visitor| &*visitor.person);
    if let Some(person) = person {
        chat.note_seen(person, &page);
    }
    let bytes_max = chat.bytes_max(person);
    let shell = Shell { viewer: reader.viewer(), ..Shell::default() };
    let html = TalkPanel(RoomPage { shell, bytes_max, ..page }).render().map_err(Error::internal)?;
    Ok(Panel { head: Head.render().map_err(Error::internal)?, html, room: Some(id) })
}

/// `GET /talk/{room}`: leads to the page of what the talk is about, with all that the address says.
pub async fn lead(
    reader: Reader,
    path: web::Path<(String, RoomId)>,
    request: HttpRequest,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let (_, id) = path.into_inner();
    let user = reader.visitor.as_ref().map_or(UserId(0), |visitor| visitor.person.id);
    let href = chat.rooms.db.read(move |conn| {
        let found = room::find(conn, id)?;
        may(conn, user, &found, Verb::Read)?;
        found.about().ok_or_else(room::nowhere)?.href(conn)
    });
    let href = href.await?;
    Ok(see_other(&match request.query_string() {
        "" => href,
        query => format!("{href}?{query}"),
    }))
}

impl RoomView {
    /// It belongs to a thing, beside which it stands.
    pub fn is_talk(&self) -> bool {
        self.kind == Kind::Talk.as_str()
    }
}
