//! The shelf: which items of the library are shown, found by which words, in which order.

use super::format::Kind;
use super::item::Item;
use super::sight::{Condition, Sight};
use crate::db::Conn;
use crate::db::schema::messages::{media_captions, media_cues, media_items};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::text::fold;
use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashMap;

/// The most that one page may hold.
pub const PAGE: i64 = 100;
/// Words of one search; further ones narrow nothing.
const TERMS: usize = 12;
/// Rows that are folded in one transaction.
const FOLDED: i64 = 500;
/// Moments that are shown of one item.
const MOMENTS: i64 = 3;

/// The order of the shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    #[default]
    Newest,
    Title,
    /// The longest first.
    Length,
    /// What most people have begun first.
    Watched,
}

impl Sort {
    /// As in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Title => "title",
            Self::Length => "length",
            Self::Watched => "watched",
        }
    }

    /// How much an item counts in this order; nothing where its name or its age does.
    fn weight(self) -> &'static str {
        match self {
            Self::Length => "COALESCE(media_items.duration, 0)",
            Self::Watched => {
                "(SELECT COUNT(*) FROM media_positions WHERE media_positions.media_id = media_items.id)"
            }
            // A bare 0 is a smaller number to Postgres than is read here.
            Self::Newest | Self::Title => "CAST(0 AS BIGINT)",
        }
    }
}

/// Which part of the list is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// 1 to [`PAGE`].
    pub limit: i64,
    /// Only what comes behind this item in the order: with [`Sort::Newest`], the older ones.
    pub before: Option<MediaId>,
    /// Only what comes ahead of it; those next to it.
    pub after: Option<MediaId>,
    pub kind: Option<Kind>,
    /// Words of the title, the description, the tags or the captions, in any order.
    pub query: Option<String>,
    /// Filed under this, folded.
    pub tag: Option<String>,
    pub sort: Sort,
    /// Only what these eyes see.
    pub sight: Sight,
}

impl Default for Page {
    fn default() -> Self {
        let sort = Sort::default();
        Self {
            limit: PAGE,
            before: None,
            after: None,
            kind: None,
            query: None,
            tag: None,
            sort,
            sight: Sight::default(),
        }
    }
}

/// A moment whose caption has the words that were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, serde::Serialize, utoipa::ToSchema)]
pub struct Moment {
    /// ms
    pub start: i64,
    /// Of the caption, BCP 47.
    pub language: String,
    pub text: String,
}

/// A page of the list, and whether more items lie beyond it.
///
/// # Errors
/// `Invalid` for an item to begin at that isn't there for these eyes.
pub fn page(conn: &mut Conn, page: &Page) -> Result<(Vec<Item>, bool)> {
    use media_items as m;
    let mut query =
        m::table.filter(page.sight.shown()).select(Item::as_select()).limit(page.limit + 1).into_boxed();
    for (id, behind) in [(page.before, true), (page.after, false)] {
        if let Some(id) = id {
            query = query.filter(beyond(conn, page, id, behind)?);
        }
    }
    if let Some(kind) = page.kind {
        query = query.filter(m::kind.eq(kind.as_str()));
    }
    for term in page.query.iter().flat_map(|text| terms(text)) {
        let like = pattern(&term);
        let said = media_cues::table
            .filter(media_cues::media_id.eq(m::id).and(media_cues::folded.like(like.clone()).escape('\\')));
        query = query.filter(m::folded.like(like).escape('\\').or(exists(said)));
    }
    if let Some(tag) = &page.tag {
        query = query.filter(m::tags.like(pattern(&format!("\n{tag}\n"))).escape('\\'));
    }
    let upwards = page.after.is_some() && page.before.is_none();
    query = match (page.sort, upwards) {
        (Sort::Newest, false) => query.order(m::id.desc()),
        (Sort::Newest, true) => query.order(m::id.asc()),
        (Sort::Title, false) => query.order((beginning().asc(), m::folded.asc(), m::id.desc())),
        (Sort::Title, true) => query.order((beginning().desc(), m::folded.desc(), m::id.asc())),
        (sort, false) => query.order((sql::<BigInt>(sort.weight()).desc(), m::id.desc())),
        (sort, true) => query.order((sql::<BigInt>(sort.weight()).asc(), m::id.asc())),
    };
    let mut items: Vec<Item> = query.load(conn)?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let more = items.len() > limit;
    items.truncate(limit);
    if upwards {
        items.reverse();
    }
    Ok((items, more))
}

/// The condition of what comes behind or ahead of an item. Of one that isn't for these eyes nothing is told, its place
/// among the others neither.
fn beyond(conn: &mut Conn, page: &Page, id: MediaId, behind: bool) -> Result<Condition> {
    use media_items as m;
    if page.sort == Sort::Newest {
        return Ok(if behind {
            Box::new(m::id.lt(id).nullable())
        } else {
            Box::new(m::id.gt(id).nullable())
        });
    }
    let weight = || sql::<BigInt>(page.sort.weight());
    let (name, weighs): (String, i64) = m::table
        .filter(m::id.eq(id))
        .filter(page.sight.condition())
        .select((m::folded, weight()))
        .first(conn)
        .optional()?
        .ok_or_else(|| {
            Error::field("before", "The item that this page begins at is gone. Begin the list again.")
        })?;
    Ok(match (page.sort, behind) {
        (Sort::Title, true) => {
            Box::new(m::folded.gt(name.clone()).or(m::folded.eq(name).and(m::id.lt(id))).nullable())
        }
        (Sort::Title, false) => {
            Box::new(m::folded.lt(name.clone()).or(m::folded.eq(name).and(m::id.gt(id))).nullable())
        }
        (_, true) => Box::new(weight().lt(weighs).or(weight().eq(weighs).and(m::id.lt(id))).nullable()),
        (_, false) => Box::new(weight().gt(weighs).or(weight().eq(weighs).and(m::id.gt(id))).nullable()),
    })
}

/// What the index of titles holds of an item: the longest that fits into one. It is in the order of the whole.
fn beginning() -> SqlLiteral<Text> {
    sql("substr(media_items.folded, 1, 200)")
}

/// The words of a search, folded. Scripts without spaces between words are looked for as they are written.
fn terms(text: &str) -> Vec<String> {
    fold(text).split_whitespace().take(TERMS).map(str::to_owned).collect()
}

fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The moments of each of these items whose captions have all the words, or else the first one that has a word which
/// stands nowhere else.
pub fn moments(conn: &mut Conn, items: &[Item], text: &str) -> Result<HashMap<MediaId, Vec<Moment>>> {
    let terms = terms(text);
    let mut all = HashMap::new();
    for item in items {
        let mut found = said(conn, item.id, &terms, MOMENTS)?;
        if found.is_empty() {
            let own = folded(item);
            for term in terms.iter().filter(|term| !own.contains(term.as_str())) {
                found.extend(said(conn, item.id, std::slice::from_ref(term), 1)?);
            }
        }
        if !found.is_empty() {
            all.insert(item.id, found);
        }
    }
    Ok(all)
}

fn said(conn: &mut Conn, id: MediaId, terms: &[String], limit: i64) -> Result<Vec<Moment>> {
    use media_cues as q;
    let mut query = q::table
        .inner_join(media_captions::table)
        .filter(q::media_id.eq(id))
        .order((q::start, q::caption_id))
        .limit(limit)
        .select((q::start, media_captions::language, q::text))
        .into_boxed();
    for term in terms {
        query = query.filter(q::folded.like(pattern(term)).escape('\\'));
    }
    Ok(query.load(conn)?)
}

/// What an item is found by, apart from its captions; it begins with the title, which it is put in order by.
fn folded(item: &Item) -> String {
    let tags: String = item.tags().collect::<Vec<_>>().join("\n");
    fold(&format!("{}\n{}\n{tags}\n", item.title, item.description))
}

/// Whether some items can't be found yet.
pub fn is_behind(conn: &mut Conn) -> Result<bool> {
    Ok(diesel::select(exists(media_items::table.filter(media_items::folded.eq("")))).get_result(conn)?)
}

/// Lets some more items be found. Whatever changes their words empties what they are found by. To be called as long as
/// [`is_behind`]: in between, others write.
pub fn catch_up(conn: &mut Conn) -> Result<()> {
    use media_items as m;
    let items: Vec<Item> =
        m::table.filter(m::folded.eq("")).limit(FOLDED).select(Item::as_select()).load(conn)?;
    for item in &items {
        diesel::update(m::table.find(item.id)).set(m::folded.eq(folded(item))).execute(conn)?;
    }
    Ok(())
}
