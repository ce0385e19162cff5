//! A person's row: full accounts and guests, and the queries on them.

mod list;

pub use self::list::{PAGE_MAX, PeopleQuery, page, page_of_everybody};
use super::names::{DisplayName, Username, guest_username};
use super::reset;
pub use super::role::Role;
pub use super::status::{Status, StatusState, parse_hue, set_last_seen};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::on_conn;
use crate::text::fold;
use diesel::prelude::*;

/// Bytes of the address that a person is brought back to; longer ones aren't kept.
const PLACE_MAX: usize = 512;

/// A row of `users`, without the password's hash.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Person {
    pub id: UserId,
    pub username: String,
    /// The folded user name, by which lists are ordered and paged.
    pub username_key: String,
    pub display_name: String,
    #[diesel(deserialize_as = String)]
    pub role: Role,
    pub disabled: bool,
    /// The accent that the person chose, in degrees of the OKLCH circle.
    pub hue: Option<i32>,
    /// Whether their browsers make sounds.
    pub sounds: bool,
    #[diesel(deserialize_as = String)]
    pub status_state: StatusState,
    pub status_text: String,
    /// The path of where they were last, or empty.
    pub last_place: String,
    /// How often they typed their password to get in.
    pub login_count: i64,
    /// When they came in last: logged in, registered or entered as a guest. Milliseconds.
    pub last_login_at: Option<i64>,
    /// When the row was made, ms.
    pub created_at: i64,
    /// When they had come in the time before, ms.
    pub previous_login_at: Option<i64>,
    #[diesel(select_expression = users::private_key_hash.is_not_null())]
    #[diesel(select_expression_type = diesel::dsl::IsNotNull<users::private_key_hash>)]
    pub has_private_key: bool,
    /// Whether only those who know the private key may begin to write privately.
    pub direct_only_by_key: bool,
    /// When their last connection ended, ms; exact to a minute.
    pub last_seen_at: Option<i64>,
    /// The chosen picture, by the beginning of its hash.
    pub picture: Option<String>,
    /// They may only read until then, ms; see [`silenced`](Self::silenced).
    pub silenced_until: Option<i64>,
}

impl Person {
    /// Somebody who is in no database.
    #[cfg(test)]
    pub fn for_tests(id: i64, name: &str) -> Self {
        Self {
            id: UserId(id),
            username: name.to_lowercase(),
            username_key: name.to_lowercase(),
            display_name: name.to_owned(),
            role: Role::Member,
            disabled: false,
            hue: None,
            sounds: true,
            status_state: StatusState::Online,
            status_text: String::new(),
            last_place: String::new(),
            login_count: 0,
            last_login_at: None,
            created_at: 0,
            previous_login_at: None,
            has_private_key: false,
            direct_only_by_key: false,
            last_seen_at: None,
            picture: None,
            silenced_until: None,
        }
    }

    /// Looks after the place: owner, admin or moderator.
    pub fn is_staff(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin | Role::Moderator)
    }

    /// Entered with a display name alone.
    pub fn is_guest(&self) -> bool {
        self.role == Role::Guest
    }
}

/// What somebody may change about themselves; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub display_name: Option<DisplayName>,
    /// `Some(None)` takes the chosen hue away.
    pub hue: Option<Option<i32>>,
    pub sounds: Option<bool>,
    pub status: Option<Status>,
    /// Whether only those who know the private key may begin to write privately.
    pub direct_only_by_key: Option<bool>,
}

impl Profile {
    /// Whether others see a difference in how the person looks.
    pub fn shows(&self) -> bool {
        self.display_name.is_some() || self.hue.is_some()
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
struct ProfileRow<'a> {
    display_name: Option<&'a str>,
    hue: Option<Option<i32>>,
    sounds: Option<bool>,
    status_state: Option<&'static str>,
    status_text: Option<&'a str>,
    direct_only_by_key: Option<bool>,
}

/// What a log-in compares with.
pub struct Credentials {
    pub id: UserId,
    /// Nothing for a guest.
    pub password_hash: Option<String>,
    pub disabled: bool,
}

/// Whether anybody has a full account. Guests don't count: the place still waits for its owner.
pub fn anybody_registered(conn: &mut Conn) -> Result<bool> {
    let registered = users::table.filter(users::role.ne(Role::Guest.as_str()));
    Ok(diesel::select(diesel::dsl::exists(registered)).get_result(conn)?)
}

/// The role of an account that is made in this transaction: the first one owns the place.
fn role_of_the_next(conn: &mut Conn) -> Result<Role> {
    if anybody_registered(conn)? {
        return Ok(Role::Member);
    }
    // Two nodes that see an empty table at once would make two owners.
    hold_still(conn)?;
    Ok(if anybody_registered(conn)? { Role::Member } else { Role::Owner })
}

/// Keeps other nodes from changing anybody until this transaction ends. SQLite's has the whole file.
fn hold_still(conn: &mut Conn) -> Result<()> {
    if let Conn::Postgres(pg) = conn {
        diesel::sql_query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(pg)?;
    }
    Ok(())
}

fn taken() -> Error {
    Error::field("username", "That user name is taken. Choose another one.")
}

/// Makes a full account; the first one becomes the owner.
///
/// # Errors
/// `Invalid` for the field `username` when somebody has it already.
pub fn create(conn: &mut Conn, username: &Username, name: &DisplayName, hash: &str) -> Result<Person> {
    let role = role_of_the_next(conn)?;
    let now = now_ms();
    let row = (
        users::username.eq(username.as_str()),
        users::username_key.eq(username.key()),
        users::display_name.eq(name.as_str()),
        users::password_hash.eq(hash),
        users::role.eq(role.as_str()),
        users::last_login_at.eq(now),
        users::created_at.eq(now),
    );
    // "Do nothing" instead of an error: another node may have taken the name in the same moment.
    let made: Option<UserId> = on_conn!(conn, c => diesel::insert_into(users::table)
        .values(row)
        .on_conflict_do_nothing()
        .returning(users::id)
        .get_result(c)
        .optional())?;
    find(conn, made.ok_or_else(taken)?)
}

/// Makes a guest, who is called after the row's number.
pub fn create_guest(conn: &mut Conn, name: &DisplayName) -> Result<Person> {
    let now = now_ms();
    // The number isn't known before the row is there. No account's key can begin with a space.
    let waiting = format!(" {}", crate::accounts::key::random_word()?);
    let row = (
        users::username.eq(waiting.as_str()),
        users::username_key.eq(waiting.as_str()),
        users::display_name.eq(name.as_str()),
        users::role.eq(Role::Guest.as_str()),
        users::last_login_at.eq(now),
        users::created_at.eq(now),
    );
    let id: UserId = on_conn!(conn, c => diesel::insert_into(users::table)
        .values(row)
        .returning(users::id)
        .get_result(c))?;
    let username = guest_username(id);
    diesel::update(users::table.find(id))
        .set((users::username.eq(&username), users::username_key.eq(&username)))
        .execute(conn)?;
    find(conn, id)
}

/// Makes a guest a full account, who keeps the number and with it all they wrote.
///
/// # Errors
/// `Invalid` for the field `username` when somebody has it already; `NotFound` when it is no guest.
pub fn promote_guest(
    conn: &mut Conn,
    id: UserId,
    username: &Username,
    name: &DisplayName,
    hash: &str,
) -> Result<Person> {
    let holder = users::table.filter(users::username_key.eq(username.key()));
    if diesel::select(diesel::dsl::exists(holder)).get_result(conn)? {
        return Err(taken());
    }
    let role = role_of_the_next(conn)?;
    let changed = diesel::update(users::table.find(id).filter(users::role.eq(Role::Guest.as_str())))
        .set((
            users::username.eq(username.as_str()),
            users::username_key.eq(username.key()),
            users::display_name.eq(name.as_str()),
            users::password_hash.eq(hash),
            users::role.eq(role.as_str()),
        ))
        .execute(conn)?;
    if changed == 0 { Err(nobody()) } else { find(conn, id) }
}

fn nobody() -> Error {
    Error::NotFound("There is nobody by that name.")
}

/// # Errors
/// `NotFound`.
pub fn find(conn: &mut Conn, id: UserId) -> Result<Person> {
    let person = users::table.find(id).select(Person::as_select()).first(conn).optional()?;
    person.ok_or_else(nobody)
}

/// The person of a user name as it was typed, regardless of case.
pub fn find_by_username(conn: &mut Conn, typed: &str) -> Result<Option<Person>> {
    Ok(users::table
        .filter(users::username_key.eq(fold(typed.trim())))
        .select(Person::as_select())
        .first(conn)
        .optional()?)
}

/// Those of `ids` that exist, in no order. At most a few hundred ids, as they become one parameter each.
pub fn find_many(conn: &mut Conn, ids: &[UserId]) -> Result<Vec<Person>> {
    Ok(users::table.filter(users::id.eq_any(ids)).select(Person::as_select()).load(conn)?)
}

/// What a log-in compares with, if there is such a user name.
pub fn credentials(conn: &mut Conn, typed: &str) -> Result<Option<Credentials>> {
    let row: Option<(UserId, Option<String>, bool)> = users::table
        .filter(users::username_key.eq(fold(typed.trim())))
        .select((users::id, users::password_hash, users::disabled))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, password_hash, disabled)| Credentials { id, password_hash, disabled }))
}

/// The hash that a person's password is compared with; nothing for a guest.
pub fn password_hash(conn: &mut Conn, id: UserId) -> Result<Option<String>> {
    Ok(users::table.find(id).select(users::password_hash).first(conn)?)
}

/// Changes what the person changed about themselves.
pub fn set_profile(conn: &mut Conn, id: UserId, profile: &Profile) -> Result<Person> {
    let row = ProfileRow {
        display_name: profile.display_name.as_ref().map(DisplayName::as_str),
        hue: profile.hue,
        sounds: profile.sounds,
        status_state: profile.status.as_ref().map(|s| s.state.as_str()),
        status_text: profile.status.as_ref().map(|s| s.text.as_str()),
        direct_only_by_key: profile.direct_only_by_key,
    };
    // Diesel refuses an update that sets nothing.
    if *profile != Profile::default() {
        diesel::update(users::table.find(id)).set(row).execute(conn)?;
    }
    find(conn, id)
}

/// Remembers where the person was; too long an address is forgotten rather than cut.
pub fn set_last_place(conn: &mut Conn, id: UserId, path: &str) -> Result<()> {
    let path = if path.len() > PLACE_MAX { "" } else { path };
    diesel::update(users::table.find(id)).set(users::last_place.eq(path)).execute(conn)?;
    Ok(())
}

/// Counts a log-in. Whoever knows their password needs no link for a new one.
pub fn record_login(conn: &mut Conn, id: UserId) -> Result<Person> {
    reset::end(conn, id)?;
    diesel::update(users::table.find(id))
        .set((
            users::login_count.eq(users::login_count + 1),
            users::previous_login_at.eq(users::last_login_at),
            users::last_login_at.eq(now_ms()),
        ))
        .execute(conn)?;
    find(conn, id)
}

/// A full account's new password. Whoever changes it ends the sessions that the old one began.
pub fn set_password(conn: &mut Conn, id: UserId, hash: &str) -> Result<()> {
    diesel::update(users::table.find(id)).set(users::password_hash.eq(hash)).execute(conn)?;
    Ok(())
}

/// # Errors
/// `Conflict` when the place would be left without an owner, or when one of the two roles is a guest's.
pub fn set_role(conn: &mut Conn, id: UserId, role: Role) -> Result<()> {
    let person = find(conn, id)?;
    if person.is_guest() != (role == Role::Guest) {
        return Err(Error::conflict(
            "guest",
            "A guest becomes a full account by registering, and an account never becomes a guest.",
        ));
    }
    if role != Role::Owner {
        keep_an_owner(conn, &person)?;
    }
    diesel::update(users::table.find(id)).set(users::role.eq(role.as_str())).execute(conn)?;
    Ok(())
}

/// Locks a person out or lets them in again.
///
/// # Errors
/// `Conflict` when the place would be left without an owner.
pub fn set_disabled(conn: &mut Conn, id: UserId, disabled: bool) -> Result<()> {
    if disabled {
        let person = find(conn, id)?;
        keep_an_owner(conn, &person)?;
    }
    diesel::update(users::table.find(id)).set(users::disabled.eq(disabled)).execute(conn)?;
    Ok(())
}

fn keep_an_owner(conn: &mut Conn, leaving: &Person) -> Result<()> {
    if leaving.role != Role::Owner {
        return Ok(());
    }
    // Two owners who take the office from each other at once, on two nodes, would leave none.
    hold_still(conn)?;
    let others = users::table.filter(
        users::role.eq(Role::Owner.as_str()).and(users::disabled.eq(false)).and(users::id.ne(leaving.id)),
    );
    if diesel::select(diesel::dsl::exists(others)).get_result(conn)? {
        return Ok(());
    }
    Err(Error::conflict("last_owner", "That is the only owner. Make somebody else an owner first."))
}
