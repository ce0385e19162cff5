//! Playlists: items in an order that somebody chose, for themselves or for everybody.

use super::item::Item;
use super::sight::{NO_ITEM, Sight, shown_to};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{media_items, media_list_items, media_lists};
use crate::error::{Error, Result};
use crate::ids::{ListId, MediaId, UserId};
use crate::on_conn;
use crate::text::{is_blank, is_unruly};
use diesel::dsl::count_star;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Lists of one person.
const LISTS: i64 = 200;
/// Items of one list.
const ITEMS: usize = 1000;
/// Lists that are shown at once.
const SHOWN: i64 = 300;
/// Characters of a name.
const NAME_MAX: usize = 100;
/// What is answered for a list that isn't there, and for another one's own.
const NO_LIST: Error = Error::NotFound("There is no such list.");

/// One list, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = media_lists)]
pub struct List {
    pub id: ListId,
    pub user_id: UserId,
    pub name: String,
    /// Everybody sees it; otherwise whoever made it alone.
    pub public: bool,
    /// ms
    pub changed_at: i64,
}

/// A list's name: 1 to 100 visible characters.
///
/// # Errors
/// `Invalid` for the field `name`.
pub fn parse_name(typed: &str) -> Result<String> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_blank(&name) || name.chars().count() > NAME_MAX || name.chars().any(is_unruly) {
        return Err(Error::field("name", "A list's name has 1 to 100 characters."));
    }
    Ok(name)
}

/// One list.
///
/// # Errors
/// `NotFound`, for another one's own too.
pub fn find(conn: &mut Conn, id: ListId, sight: Sight) -> Result<List> {
    let list: List =
        media_lists::table.find(id).select(List::as_select()).first(conn).optional()?.ok_or(NO_LIST)?;
    if list.public || sight.0 == Some(list.user_id) { Ok(list) } else { Err(NO_LIST) }
}

/// A list that this person may change: their own one.
///
/// # Errors
/// As for [`find`]; `Forbidden` for what others show to everybody.
pub fn find_own(conn: &mut Conn, id: ListId, user: UserId) -> Result<List> {
    let list = find(conn, id, Sight::from(user))?;
    if list.user_id == user {
        Ok(list)
    } else {
        Err(Error::forbidden("not_yours", "Only whoever made this list may change it."))
    }
}

/// A person's own lists and those for everybody, the last changed first, each with how many items these eyes see in it.
pub fn all(conn: &mut Conn, sight: Sight) -> Result<Vec<(List, i64)>> {
    use media_lists as l;
    let mut query = l::table
        .order((l::changed_at.desc(), l::id.desc()))
        .limit(SHOWN)
        .select(List::as_select())
        .into_boxed();
    query = match sight.0 {
        Some(user) => query.filter(l::public.eq(true).or(l::user_id.eq(user))),
        None => query.filter(l::public.eq(true)),
    };
    let lists: Vec<List> = query.load(conn)?;
    let ids: Vec<ListId> = lists.iter().map(|list| list.id).collect();
    let seen = media_items::table.filter(shown_to(sight.user())).select(media_items::id);
    let counts: Vec<(ListId, i64)> = media_list_items::table
        .filter(media_list_items::list_id.eq_any(&ids).and(media_list_items::media_id.eq_any(seen)))
        .group_by(media_list_items::list_id)
        .select((media_list_items::list_id, count_star()))
        .load(conn)?;
    let counts: HashMap<ListId, i64> = counts.into_iter().collect();
    let counted = |list: List| {
        let count = counts.get(&list.id).copied().unwrap_or_default();
        (list, count)
    };
    Ok(lists.into_iter().map(counted).collect())
}

/// What is in a list, in its order, as far as these eyes see it.
pub fn items(conn: &mut Conn, id: ListId, sight: Sight) -> Result<Vec<Item>> {
    let order: Vec<MediaId> = media_list_items::table
        .filter(media_list_items::list_id.eq(id))
        .order((media_list_items::position, media_list_items::media_id))
        .select(media_list_items::media_id)
        .load(conn)?;
    let mut found: Vec<Item> = media_items::table
        .filter(media_items::id.eq_any(&order))
        .filter(sight.shown())
        .select(Item::as_select())
        .load(conn)?;
    found.sort_by_key(|item| order.iter().position(|id| *id == item.id));
    Ok(found)
}

/// # Errors
/// `Conflict` for one list too many.
pub fn create(conn: &mut Conn, user: UserId, name: &str, public: bool) -> Result<List> {
    use media_lists as l;
    let held: i64 = l::table.filter(l::user_id.eq(user)).count().get_result(conn)?;
    if held >= LISTS {
        return Err(Error::conflict("too_many_lists", "You have 200 lists. Delete one of them first."));
    }
    let row = (l::user_id.eq(user), l::name.eq(name), l::public.eq(public), l::changed_at.eq(now_ms()));
    let id: ListId =
        on_conn!(&mut *conn, c => diesel::insert_into(l::table).values(row).returning(l::id).get_result(c))?;
    find(conn, id, Sight::from(user))
}

/// Gives a list another name, or other eyes.
///
/// # Errors
/// As for [`find_own`].
pub fn change(
    conn: &mut Conn,
    id: ListId,
    user: UserId,
    name: Option<&str>,
    public: Option<bool>,
) -> Result<List> {
    use media_lists as l;
    let list = find_own(conn, id, user)?;
    let (name, public) = (name.unwrap_or(&list.name), public.unwrap_or(list.public));
    diesel::update(l::table.find(id))
        .set((l::name.eq(name), l::public.eq(public), l::changed_at.eq(now_ms())))
        .execute(conn)?;
    find_own(conn, id, user)
}

/// # Errors
/// As for [`find_own`].
pub fn remove(conn: &mut Conn, id: ListId, user: UserId) -> Result<()> {
    find_own(conn, id, user)?;
    diesel::delete(media_lists::table.find(id)).execute(conn)?;
    Ok(())
}

/// Puts an item at the end of a list; one that is in it already keeps its place.
///
/// # Errors
/// As for [`find_own`]; `NotFound` for an item that isn't there for them; `Conflict` for one too many.
pub fn add(conn: &mut Conn, id: ListId, user: UserId, item: MediaId) -> Result<List> {
    use media_list_items as i;
    let list = find_own(conn, id, user)?;
    super::item::find(conn, item, Sight::from(user))?;
    let order = order(conn, id)?;
    if order.contains(&item) {
        return Ok(list);
    }
    if order.len() >= ITEMS {
        return Err(Error::conflict("list_full", "A list has at most 1,000 items."));
    }
    let last: Option<i64> =
        i::table.filter(i::list_id.eq(id)).select(diesel::dsl::max(i::position)).first(conn)?;
    let row = (i::list_id.eq(id), i::media_id.eq(item), i::position.eq(last.map_or(0, |last| last + 1)));
    on_conn!(&mut *conn, c => diesel::insert_into(i::table).values(row).execute(c))?;
    touch(conn, id)?;
    Ok(list)
}

/// Takes an item out of a list.
///
/// # Errors
/// As for [`find_own`].
pub fn take(conn: &mut Conn, id: ListId, user: UserId, item: MediaId) -> Result<()> {
    find_own(conn, id, user)?;
    diesel::delete(media_list_items::table.find((id, item))).execute(conn)?;
    touch(conn, id)
}

/// Moves an item one place up or down among those that its keeper sees.
///
/// # Errors
/// As for [`find_own`].
pub fn step(conn: &mut Conn, id: ListId, user: UserId, item: MediaId, up: bool) -> Result<()> {
    find_own(conn, id, user)?;
    let mut seen: Vec<MediaId> =
        items(conn, id, Sight::from(user))?.into_iter().map(|item| item.id).collect();
    let Some(at) = seen.iter().position(|one| *one == item) else { return Err(NO_ITEM) };
    let to = if up { at.checked_sub(1) } else { Some(at + 1).filter(|to| *to < seen.len()) };
    match to {
        Some(to) => {
            seen.swap(at, to);
            reorder(conn, id, user, &seen)
        }
        None => Ok(()),
    }
}

/// Puts a list into this order. What isn't named, because its keeper doesn't see it or because it has come meanwhile, comes
/// behind.
///
/// # Errors
/// As for [`find_own`]; `Invalid` for what isn't in the list.
pub fn reorder(conn: &mut Conn, id: ListId, user: UserId, wanted: &[MediaId]) -> Result<()> {
    use media_list_items as i;
    find_own(conn, id, user)?;
    let known = order(conn, id)?;
    let named: HashSet<MediaId> = wanted.iter().copied().collect();
    if named.len() != wanted.len() || wanted.iter().any(|item| !known.contains(item)) {
        return Err(Error::field("items", "Name each item of the list once, and nothing else."));
    }
    let rest = known.iter().filter(|item| !named.contains(item));
    for (position, item) in (0_i64..).zip(wanted.iter().chain(rest)) {
        diesel::update(i::table.find((id, item))).set(i::position.eq(position)).execute(conn)?;
    }
    touch(conn, id)
}

fn order(conn: &mut Conn, id: ListId) -> Result<Vec<MediaId>> {
    use media_list_items as i;
    Ok(i::table.filter(i::list_id.eq(id)).order((i::position, i::media_id)).select(i::media_id).load(conn)?)
}

fn touch(conn: &mut Conn, id: ListId) -> Result<()> {
    diesel::update(media_lists::table.find(id)).set(media_lists::changed_at.eq(now_ms())).execute(conn)?;
    Ok(())
}
