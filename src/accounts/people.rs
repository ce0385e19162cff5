//! The list of people.

use super::directory::Presence;
use super::state::Accounts;
use super::user::{self, PeopleQuery};
use super::visitor::Visitor;
use crate::error::Result;
use crate::ids::UserId;
use crate::site::answer::html;
use crate::site::page::{Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// People on one page.
const PEOPLE: i64 = 50;

/// One person in the list of people.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub person: Person,
    pub username: String,
    /// `online`, `away`, `dnd` or `offline`.
    pub state: &'static str,
    /// What they say about themselves at the moment, or empty.
    pub status: String,
    /// When they were last here; nothing for who is here, or has never been.
    pub seen: Option<Stamp>,
}

/// Everybody who is here, a page at a time.
#[derive(Template)]
#[template(path = "accounts/people.html")]
pub struct PeoplePage {
    pub shell: Shell,
    /// What was looked for, or empty.
    pub query: String,
    pub people: Vec<PersonRow>,
    /// The next page's address.
    pub next: Option<String>,
}

/// `?query=` and `?after=` of the list of people.
#[derive(Deserialize)]
pub struct PeopleAddress {
    #[serde(default)]
    query: String,
    #[serde(default)]
    after: String,
}

/// `GET /people?query=&after=`
pub async fn people(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    presence: web::Data<dyn Presence>,
    visitor: Visitor,
    web::Query(address): web::Query<PeopleAddress>,
) -> Result<HttpResponse> {
    let wanted = PeopleQuery { begins: address.query.clone(), after: address.after, limit: PEOPLE };
    let (found, more) = accounts.db.read(move |conn| user::page(conn, &wanted)).await?;
    let ids: Vec<UserId> = found.iter().map(|p| p.id).collect();
    let online = presence.online(&ids);
    let next = found.last().filter(|_| more).map(|last| {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!("/people?query={}&after={}", escaped(&address.query), escaped(&last.username))
    });
    let people = found.into_iter().zip(online).map(|(person, online)| PersonRow {
        person: Person::new(person.id.0, person.display_name.clone(), person.is_guest()),
        state: if online { person.status_state.as_str() } else { "offline" },
        seen: presence.left_at(person.id).or(person.last_seen_at).filter(|_| !online).map(Stamp),
        status: if online { person.status_text } else { String::new() },
        username: person.username,
    });
    let page = PeoplePage {
        shell: pages.shell(Some(visitor.viewer()), t("People"), "/people").await,
        query: address.query,
        people: people.collect(),
        next,
    };
    html(StatusCode::OK, &page)
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_list_escapes_names() {
        let people = PeoplePage {
            shell: Shell::new("People", "/people"),
            query: HOSTILE.into(),
            people: vec![PersonRow {
                person: Person::new(1, HOSTILE, true),
                username: HOSTILE.into(),
                state: "dnd",
                status: HOSTILE.into(),
                seen: Some(Stamp(0)),
            }],
            next: Some(HOSTILE.into()),
        };
        assert!(!people.render().unwrap().contains("<script>alert"));
    }
}
