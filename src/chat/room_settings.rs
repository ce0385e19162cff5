//! The settings of a channel or group: its name, its topic, who is in it, leaving and deleting. Works without a script.

use super::Chat;
use super::command_rooms::{self as commands, change};
use super::members::{self, Member, MembersQuery};
use super::place::{self, Place};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::{Asking, Kind, Request, RoomView, Verb, may, room};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::{fill, filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// What the viewer may do here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rights {
    pub rename: bool,
    pub slow: bool,
    pub invite: bool,
    pub delete: bool,
}

/// One slow mode that can be chosen.
#[derive(Debug, Clone)]
pub struct Pace {
    pub seconds: i32,
    pub words: String,
    pub chosen: bool,
}

/// The usual slow modes, and the one that is set.
pub fn paces(now: i32) -> Vec<Pace> {
    let mut all = vec![0, 5, 10, 30, 60, 300, 900, 3600];
    if !all.contains(&now) {
        all.push(now);
    }
    let pace = |seconds| Pace {
        seconds,
        words: match seconds {
            0 => t("off").to_owned(),
            s if s % 3600 == 0 => fill(t("{count} h"), "count", &(s / 3600)),
            s if s % 60 == 0 => fill(t("{count} min"), "count", &(s / 60)),
            s => fill(t("{count} s"), "count", &s),
        },
        chosen: seconds == now,
    };
    all.into_iter().map(pace).collect()
}

/// The settings of one room.
#[derive(Template)]
#[template(path = "chat/room_settings.html")]
pub struct RoomSettingsPage {
    pub shell: Shell,
    pub group: bool,
    /// As it is called.
    pub called: String,
    /// `/c/{name}` or `/g/{id}`.
    pub href: String,
    pub rights: Rights,
    /// Names and topic as typed, otherwise as they are.
    pub name: String,
    pub topic: String,
    /// The slow modes to choose from.
    pub paces: Vec<Pace>,
    pub typed_user: String,
    pub count: i64,
    pub messages: i64,
    pub members: Vec<Member>,
    /// There are more members than are listed.
    pub more: bool,
    pub viewer: i64,
    /// Fields `name`, `topic` and `user`, and `""` for the page as a whole.
    pub errors: FieldErrors,
    /// One sentence after something was done.
    pub notice: Option<String>,
}

/// What has just been done, as the address says it.
#[derive(Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    done: String,
}

/// One of the page's forms.
#[derive(Debug, Default, Deserialize)]
pub struct SettingsForm {
    /// `change`, `slow`, `invite`, `kick` or `delete`.
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    slow: i32,
}

/// `GET /c/{name}/settings`, `/g/{id}/settings`
pub async fn settings(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    query: web::Query<DoneQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let mut page = page_of(&visitor, &path.into(), &chat, &pages).await?;
    page.notice = match query.done.as_str() {
        "change" | "slow" => Some(t("Saved.").to_owned()),
        "invite" => Some(t("They are in now.").to_owned()),
        "kick" => Some(t("They are out now.").to_owned()),
        _ => None,
    };
    html(StatusCode::OK, &page)
}

async fn page_of(visitor: &Visitor, place: &Place, chat: &Chat, pages: &Pages) -> Result<RoomSettingsPage> {
    let (id, view) = find(visitor, place, chat).await?;
    let by = Asking::from(&*visitor.person);
    let rights = chat.rooms.db.read(move |conn| {
        let found = room::find(conn, id)?;
        let mut can = |verb| may(conn, by, &found, verb).is_ok();
        Ok(Rights {
            rename: can(Verb::Rename),
            slow: can(Verb::Slow),
            invite: can(Verb::Invite),
            delete: can(Verb::Delete),
        })
    });
    let rights = rights.await?;
    let list = members::page(chat, by.id, id, MembersQuery::default()).await?;
    let href = place::href(&view);
    Ok(RoomSettingsPage {
        shell: pages.shell(Some(visitor.viewer()), view.name.clone(), href.clone()).await,
        group: view.kind == Kind::Group,
        called: view.name.clone(),
        href,
        rights,
        name: view.name,
        topic: view.topic,
        paces: paces(view.slow_seconds.unwrap_or_default()),
        typed_user: String::new(),
        count: view.members,
        messages: view.last_seq,
        members: list.users,
        more: list.more,
        viewer: by.id.0,
        errors: FieldErrors::default(),
        notice: None,
    })
}

/// The room of the address; a private conversation has no settings.
async fn find(visitor: &Visitor, place: &Place, chat: &Chat) -> Result<(RoomId, RoomView)> {
    let found = place.find(chat, Some(visitor.person.id)).await?;
    let id = found.room.filter(|_| found.peer.is_none()).ok_or_else(room::nowhere)?;
    Ok((id, commands::one(chat, visitor.person.id, id).await?))
}

/// `POST /c/{name}/settings`, `/g/{id}/settings`: does what the form says and comes back.
pub async fn save(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    form: web::Form<SettingsForm>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let (form, place) = (form.into_inner(), Place::from(path));
    let (id, view) = find(&visitor, &place, &chat).await?;
    match apply(&visitor, id, &view, &form, &chat).await {
        Ok(_) if form.what == "delete" && view.kind == Kind::Group => Ok(see_other("/groups")),
        Ok(_) if form.what == "delete" => Ok(see_other("/channels")),
        Ok(href) => Ok(see_other(&format!("{href}/settings?done={}", form.what))),
        Err(error) if error.status() < 500 => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            let mut page = page_of(&visitor, &place, &chat, &pages).await?;
            let about = match form.what.as_str() {
                "invite" => "user",
                "slow" => "slow_seconds",
                _ => "name",
            };
            page.errors = FieldErrors::of_error(&error, about);
            if form.what == "change" {
                (page.name, page.topic) = (form.name, form.topic);
            }
            page.typed_user = form.user;
            html(status, &page)
        }
        Err(error) => Err(error),
    }
}

/// Does what a form says; answers with where the room is then.
async fn apply(
    visitor: &Visitor,
    id: RoomId,
    view: &RoomView,
    form: &SettingsForm,
    chat: &Chat,
) -> Result<String> {
    let by = Asking::from(&*visitor.person);
    let request = match form.what.as_str() {
        "change" => return rename(by, id, view, form, chat).await,
        "slow" => {
            return Ok(place::href(&commands::slow_down(chat, by, id, form.slow).await?));
        }
        "invite" => commands::invite(chat, by, id, &form.user).await?,
        "kick" => commands::kick(chat, by, id, &form.user).await?,
        "delete" => Request::DeleteRoom { by, room: id },
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    };
    chat.rooms.change_room(request).await?;
    Ok(place::href(view))
}

/// Saves what is another name or topic than before.
async fn rename(by: Asking, id: RoomId, view: &RoomView, form: &SettingsForm, chat: &Chat) -> Result<String> {
    let mut now = view.clone();
    if form.topic.trim() != now.topic {
        now = change(chat, by.id, commands::set_topic(by, id, form.topic.clone())).await?;
    }
    if form.name.trim() != now.name {
        now = change(chat, by.id, commands::rename(by, id, form.name.trim().to_owned())).await?;
    }
    Ok(place::href(&now))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_settings_escape_names_and_topics() {
        let page = RoomSettingsPage {
            shell: Shell::new(HOSTILE, "/g/5"),
            group: true,
            called: HOSTILE.into(),
            href: "/g/5".into(),
            rights: Rights { rename: true, slow: true, invite: true, delete: true },
            name: HOSTILE.into(),
            topic: HOSTILE.into(),
            paces: paces(7),
            typed_user: HOSTILE.into(),
            count: 2,
            messages: 3,
            members: vec![Member {
                username: HOSTILE.into(),
                display_name: HOSTILE.into(),
                state: "online",
                ..Member::default()
            }],
            more: true,
            viewer: 1,
            errors: FieldErrors::one("name", HOSTILE),
            notice: Some(HOSTILE.into()),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
