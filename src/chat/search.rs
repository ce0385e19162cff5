//! A search as the HTTP API and the page make it, and the API's part of it.

use super::Chat;
use crate::accounts::Reader;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::Message;
use crate::rooms::message::parse_limit;
use crate::rooms::search::{Asked, Found, Has, Key, Named, Query, find, moment};
use actix_web::web;
use serde::{Deserialize, Serialize};

/// A search as it comes in an address. Each of the filters may as well stand in `q`.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, `"phrases"`, `-without`, `begin*`, and `from: in: has: since: until:`.
    #[serde(default)]
    pub q: String,
    /// The id of a room.
    room: Option<i64>,
    /// A user name, or `me`.
    from: Option<String>,
    /// From this moment on: ms, or a day such as `2026-03-31`.
    since: Option<String>,
    /// Up to this moment, or the end of this day.
    until: Option<String>,
    /// `link`, `image`, `file` or `code`; several with commas between them.
    has: Option<String>,
    /// `AT-ROOM-SEQ` of a message: only what was posted before it. A page's `next`.
    pub before: Option<String>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Messages that were found, newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FoundPage {
    messages: Vec<Message>,
    /// There may be more; `before` = `next` goes on.
    more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Much is new; what isn't found yet will be in a moment.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    behind: bool,
}

impl SearchQuery {
    /// # Errors
    /// `Invalid` with a sentence for the wrong field.
    pub fn read(&self, reader: &Reader) -> Result<Asked> {
        let mut query = Query::parse(&self.q)?;
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        query.from.extend(given(&self.from).map(|name| Named { name, without: false }));
        for word in given(&self.has).iter().flat_map(|words| words.split(',')) {
            let has = Has::parse(word.trim())
                .ok_or_else(|| Error::field("has", "It is one of link, image, file and code."))?;
            query.has.push((has, false));
        }
        if let Some(since) = given(&self.since) {
            query.since = Some(moment("since", &since)?);
        }
        if let Some(until) = given(&self.until) {
            query.until = Some(moment("until", &until)?);
        }
        let before = given(&self.before).map(|text| {
            text.parse::<Key>()
                .map_err(|()| Error::field("before", "Give what the page before said as “next”."))
        });
        Ok(Asked {
            user: reader.visitor.as_ref().map(|visitor| visitor.person.id),
            query,
            room: self.room.map(RoomId),
            before: before.transpose()?,
            limit: usize::try_from(parse_limit(self.limit.or(Some(50)))?).unwrap_or(1),
            ..Asked::default()
        })
    }
}

/// Messages that the caller may read, newest first. A word finds itself in any case and without accents, the last one
/// also as a beginning; Chinese, Japanese, Korean and Thai are found by any piece of a text.
#[utoipa::path(get, path = "/api/v1/search", tag = "messages", params(SearchQuery),
    responses((status = 200, body = FoundPage), (status = 404, description = "No such room"),
        (status = 422, description = "A field is wrong")))]
pub async fn search(
    reader: Reader,
    query: web::Query<SearchQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<FoundPage>> {
    let mut asked = query.read(&reader)?;
    if asked.query.is_empty() {
        return Err(Error::field("q", "Say what to search for."));
    }
    asked.find_people(&chat.accounts).await?;
    let Found { messages, next, behind } = chat.rooms.db.snapshot(move |conn| find(conn, &asked)).await?;
    Ok(web::Json(FoundPage { messages, more: next.is_some(), next: next.map(|key| key.to_string()), behind }))
}
