//! One's own groups as a page with the form for a new one, and the page to begin a private conversation.

use super::Chat;
use super::command_rooms::{self as commands};
use super::protocol_rooms::{Create, Open};
use crate::accounts::Visitor;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::rooms::group;
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell, direct_href, group_href};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// One group in the list.
#[derive(Debug, Clone, Default)]
pub struct GroupRow {
    pub name: String,
    pub href: String,
    pub topic: String,
    pub members: i64,
}

/// One's own groups, and the form for a new one.
#[derive(Template)]
#[template(path = "chat/groups.html")]
pub struct GroupsPage {
    pub shell: Shell,
    pub groups: Vec<GroupRow>,
    pub may_create: bool,
    pub typed: GroupForm,
    /// Fields `name`, `topic`, `members`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct GroupForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub topic: String,
    /// User names, with commas or spaces between them.
    #[serde(default)]
    pub members: String,
}

/// `GET /groups`
pub async fn groups(
    visitor: Visitor,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    html(StatusCode::OK, &groups_page(&visitor, &chat, &pages).await?)
}

async fn groups_page(visitor: &Visitor, chat: &Chat, pages: &Pages) -> Result<GroupsPage> {
    let user = visitor.person.id;
    let found = chat.rooms.db.read(move |conn| group::of(conn, user)).await?;
    let groups = found.into_iter().map(|room| GroupRow {
        href: group_href(room.id.0),
        name: room.name,
        topic: room.topic,
        members: room.members,
    });
    Ok(GroupsPage {
        shell: pages.shell(Some(visitor.viewer()), t("Groups"), "/groups").await,
        groups: groups.collect(),
        may_create: chat.accounts.allows(&visitor.person, Right::Groups),
        typed: GroupForm::default(),
        errors: FieldErrors::default(),
    })
}

/// `POST /groups`: makes a group and goes there.
pub async fn create(
    visitor: Visitor,
    form: web::Form<GroupForm>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let form = form.into_inner();
    let asked = Create {
        kind: "group".into(),
        name: form.name.clone(),
        topic: form.topic.clone(),
        members: user_names(&form.members),
    };
    let made = match commands::create(&chat, &visitor.person, asked).await {
        Ok(request) => chat.rooms.change_room(request).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(room) => Ok(see_other(&group_href(room.id.0))),
        Err(error @ Error::Invalid(_)) => {
            let mut page = groups_page(&visitor, &chat, &pages).await?;
            page.errors = FieldErrors::of_error(&error, "name");
            page.typed = form;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

/// The user names in what somebody typed; the sign that people write before them goes.
fn user_names(typed: &str) -> Vec<String> {
    typed
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、'))
        .map(|name| name.trim_start_matches('@').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The page to begin a private conversation.
#[derive(Template)]
#[template(path = "chat/direct.html")]
pub struct DirectPage {
    pub shell: Shell,
    pub typed_user: String,
    /// Fields `user` and `key`.
    pub errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
pub struct DirectForm {
    #[serde(default)]
    user: String,
    #[serde(default)]
    key: String,
}

/// `GET /direct`
pub async fn direct(visitor: Visitor, pages: web::Data<Pages>) -> Result<HttpResponse> {
    html(StatusCode::OK, &direct_page(&visitor, &pages).await)
}

async fn direct_page(visitor: &Visitor, pages: &Pages) -> DirectPage {
    DirectPage {
        shell: pages.shell(Some(visitor.viewer()), t("Write privately"), "/direct").await,
        typed_user: String::new(),
        errors: FieldErrors::default(),
    }
}

/// `POST /direct`: leads to the conversation with somebody. A user name makes no room yet, a key does.
pub async fn begin(
    visitor: Visitor,
    form: web::Form<DirectForm>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let form = form.into_inner();
    let (username, key) = (form.user.trim().trim_start_matches('@'), form.key.trim());
    let (field, found) = if key.is_empty() {
        ("user", commands::person(&chat, username).await.map(|person| person.username.clone()))
    } else {
        let asked = Open { user: None, key: Some(key.to_owned()) };
        let opened = commands::open_direct(&chat, &visitor, asked).await;
        ("key", opened.map(|(room, _)| room.peer.map(|peer| peer.username).unwrap_or_default()))
    };
    match found {
        Ok(username) => Ok(see_other(&direct_href(&username))),
        Err(error) if error.status() < 500 => {
            let mut page = direct_page(&visitor, &pages).await;
            page.errors = FieldErrors::one(field, error.detail());
            page.typed_user = form.user;
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            html(status, &page)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn user_names_are_read_as_people_type_them() {
        assert_eq!(user_names(" @ann, ben;cleo\n 陳，李、"), ["ann", "ben", "cleo", "陳", "李"]);
        assert!(user_names(" ,, @ ").is_empty());
    }

    #[test]
    fn both_pages_escape_what_was_typed() {
        let page = GroupsPage {
            shell: Shell::new("Groups", "/groups"),
            groups: vec![GroupRow { name: HOSTILE.into(), topic: HOSTILE.into(), ..GroupRow::default() }],
            may_create: true,
            typed: GroupForm { name: HOSTILE.into(), topic: HOSTILE.into(), members: HOSTILE.into() },
            errors: FieldErrors::one("members", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
        let page = DirectPage {
            shell: Shell::new("Write privately", "/direct"),
            typed_user: HOSTILE.into(),
            errors: FieldErrors::one("key", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
