//! People in pages, by user name.

use super::Person;
use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::Result;
use crate::text::fold;
use diesel::prelude::*;

/// People on one page of a list, at most.
pub const PAGE_MAX: i64 = 100;

diesel::define_sql_function! {
    /// The database's own lower case; SQLite's knows ASCII only.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// One page of people, by user name.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// How a user name or display name begins, or empty for everybody.
    pub begins: String,
    /// The user name after which the page starts, or empty for the first page.
    pub after: String,
    pub limit: i64,
}

/// The page of those who may come in, and whether there are more after it.
pub fn page(conn: &mut Conn, query: &PeopleQuery) -> Result<(Vec<Person>, bool)> {
    page_of(conn, query, false)
}

/// [`page`] with those who are locked out, too.
pub fn page_of_everybody(conn: &mut Conn, query: &PeopleQuery) -> Result<(Vec<Person>, bool)> {
    page_of(conn, query, true)
}

fn page_of(conn: &mut Conn, query: &PeopleQuery, everybody: bool) -> Result<(Vec<Person>, bool)> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut rows =
        users::table.select(Person::as_select()).order(users::username_key).limit(limit + 1).into_boxed();
    if !everybody {
        rows = rows.filter(users::disabled.eq(false));
    }
    if !query.after.is_empty() {
        rows = rows.filter(users::username_key.gt(fold(&query.after)));
    }
    // Postgres takes no NUL in a text; nobody's name has one.
    let typed = query.begins.trim().replace('\0', "\u{FFFD}");
    if !typed.is_empty() {
        let folded = prefix(&fold(&typed));
        rows = rows.filter(
            users::username_key
                .like(folded.clone())
                .escape('\\')
                .or(lower(users::display_name).like(folded).escape('\\'))
                .or(users::display_name.like(prefix(&typed)).escape('\\')),
        );
    }
    let mut people: Vec<Person> = rows.load(conn)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = people.len() > size;
    people.truncate(size);
    Ok((people, more))
}

fn prefix(text: &str) -> String {
    format!("{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
