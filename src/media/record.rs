//! What is said about an item: title, description, tags, licence; and who may say it, put it away and take it back.

use super::chapter;
use super::item::Item;
use super::library::Library;
use super::sight::{self, Audience, NO_ITEM, Sight};
use crate::accounts::Keeper;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{media_items, media_uploads};
use crate::error::{Error, FieldError, Result};
use crate::ids::{MediaId, RoomId};
use crate::rooms::talk::Deed;
use crate::rooms::{About, Request};
use crate::text::{fold, is_blank, is_unruly};
use diesel::prelude::*;
use std::io::ErrorKind;

const TITLE_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 4000;
const LICENCE_MAX: usize = 100;
const TAG_MAX: usize = 40;
/// Tags of one item.
const TAGS_MAX: usize = 20;

/// What is to be another than before, as typed.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::ToSchema)]
pub struct Wish {
    /// 1 to 200 characters.
    pub title: Option<String>,
    /// At most 4,000 characters.
    pub description: Option<String>,
    /// At most 20, each of at most 40 characters.
    pub tags: Option<Vec<String>>,
    /// At most 100 characters, for example `CC BY 4.0`.
    pub licence: Option<String>,
    /// One a line: `0:00 Intro`. They take the place of those of the file; empty for those.
    pub chapters: Option<String>,
    /// Who sees it.
    pub audience: Option<Audience>,
    /// The group, by id, for the audience `group`: one that whoever asks is in.
    #[schema(value_type = Option<i64>)]
    pub room: Option<RoomId>,
}

/// The same, fit to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = media_items)]
pub struct Record {
    title: Option<String>,
    description: Option<String>,
    tags: Option<String>,
    licence: Option<String>,
    own_chapters: Option<String>,
    /// Emptied by other words, so that it is found by the new ones.
    folded: Option<String>,
}

impl Wish {
    /// # Errors
    /// `Invalid`, with a sentence for each wrong field.
    pub fn check(self) -> Result<Record> {
        let mut wrong = Vec::new();
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (title, licence) = (self.title.map(line), self.licence.map(line));
        let description = self.description.map(|text| text.replace("\r\n", "\n").trim().to_owned());
        let unruly = |text: &str| text.chars().any(|c| is_unruly(c) && c != '\n' && c != '\t');
        if title.as_deref().is_some_and(|t| is_blank(t) || t.chars().count() > TITLE_MAX || unruly(t)) {
            wrong.push(FieldError::new("title", "A title has 1 to 200 characters."));
        }
        if description.as_deref().is_some_and(|d| d.chars().count() > DESCRIPTION_MAX || unruly(d)) {
            wrong.push(FieldError::new("description", "A description has at most 4,000 characters."));
        }
        if licence.as_deref().is_some_and(|l| l.chars().count() > LICENCE_MAX || unruly(l)) {
            wrong.push(FieldError::new("licence", "A licence is named in at most 100 characters."));
        }
        let tags = self.tags.as_deref().map(folded);
        if tags.as_ref().is_some_and(|tags| {
            tags.len() > TAGS_MAX
                || tags.iter().any(|tag| tag.chars().count() > TAG_MAX || tag.chars().any(is_unruly))
        }) {
            wrong.push(FieldError::new("tags", "There are at most 20 tags, each of at most 40 characters."));
        }
        let tags =
            tags.map(|tags| if tags.is_empty() { String::new() } else { format!("\n{}\n", tags.join("\n")) });
        let own_chapters = match self.chapters.as_deref().map(chapter::read).transpose() {
            Ok(chapters) => chapters.as_deref().map(chapter::stored).transpose()?,
            Err(error) => {
                wrong.extend(error.fields().iter().cloned());
                None
            }
        };
        if wrong.is_empty() {
            let reworded = title.is_some() || description.is_some() || tags.is_some();
            let folded = reworded.then(String::new);
            Ok(Record { title, description, tags, licence, own_chapters, folded })
        } else {
            Err(Error::Invalid(wrong))
        }
    }
}

/// Tags as they are stored and looked for: folded, each once, in the order typed.
fn folded(typed: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in typed.iter().flat_map(|tag| tag.split([',', '，', '、'])) {
        let tag = fold(tag.trim().trim_start_matches('#'));
        if !is_blank(&tag) && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// An item in the shelf or in the trash.
///
/// # Errors
/// `NotFound`; `Forbidden` for those who may not change it.
pub fn find_own(conn: &mut Conn, id: MediaId, by: Keeper) -> Result<Item> {
    let item: Item = media_items::table
        .filter(media_items::id.eq(id).and(media_items::gone.eq(false)))
        .filter(Sight::from(by.id).condition())
        .select(Item::as_select())
        .first(conn)
        .optional()?
        .ok_or(NO_ITEM)?;
    if by.may_change(item.user_id) {
        Ok(item)
    } else if item.trashed_at.is_some() {
        Err(NO_ITEM)
    } else {
        Err(Error::forbidden(
            "not_yours",
            "Only those who added it, and those who look after this place, may change it.",
        ))
    }
}

/// What lies in the trash, as far as this person may take it back; the newest first.
pub fn trash(conn: &mut Conn, by: Keeper) -> Result<Vec<Item>> {
    let mut query = media_items::table
        .filter(media_items::gone.eq(false).and(media_items::trashed_at.is_not_null()))
        .filter(Sight::from(by.id).condition())
        .order(media_items::trashed_at.desc())
        .limit(super::shelf::PAGE)
        .select(Item::as_select())
        .into_boxed();
    if !by.staff {
        query = query.filter(media_items::user_id.eq(by.id));
    }
    Ok(query.load(conn)?)
}

impl Library {
    /// Changes what is said about an item. Answers with the item as it is then.
    ///
    /// # Errors
    /// As for [`find_own`], and `Invalid`.
    pub async fn describe(&self, id: MediaId, by: Keeper, wish: Wish) -> Result<Item> {
        let (audience, room) = (wish.audience, wish.room);
        let record = wish.check()?;
        let changed = self.db().write(move |conn| {
            let item = find_own(conn, id, by)?;
            if let Some(audience) = audience {
                sight::give(conn, &item, by.id, audience, room)?;
            }
            if record != Record::default() {
                diesel::update(media_items::table.find(id)).set(&record).execute(conn)?;
            }
            // Whoever gives it away reads it a last time.
            Ok(media_items::table.find(id).select(Item::as_select()).first(conn)?)
        });
        let item = changed.await?;
        self.forget(id);
        let about = About::media(id);
        if audience.is_some() {
            self.tell_talk(Deed::Narrow { about }).await?;
        }
        self.tell_talk(Deed::Rename { about, name: item.title.clone() }).await?;
        Ok(item)
    }

    /// Lets the talk follow its item; those who are in it hear of it after the commit.
    async fn tell_talk(&self, deed: Deed) -> Result<()> {
        self.db().carry_out(Request::Talk(deed)).await.map(drop)
    }

    /// Puts an item into the trash, or back onto the shelf.
    ///
    /// # Errors
    /// As for [`find_own`].
    pub async fn put_away(&self, id: MediaId, by: Keeper, away: bool) -> Result<Item> {
        let changed = self.db().write(move |conn| {
            let item = find_own(conn, id, by)?;
            if item.trashed_at.is_some() != away {
                let at = away.then(now_ms);
                diesel::update(media_items::table.find(id))
                    .set(media_items::trashed_at.eq(at))
                    .execute(conn)?;
            }
            find_own(conn, id, by)
        });
        let item = changed.await?;
        self.forget(id);
        Ok(item)
    }

    /// Deletes an item of the trash, with its file. The file goes first: a row without a file is tidied by the next look
    /// at the folder, a file without a row would come back.
    ///
    /// # Errors
    /// As for [`find_own`]; `Conflict` for what is not in the trash; `Busy` when the file can't be removed.
    pub async fn delete(&self, id: MediaId, by: Keeper) -> Result<()> {
        let item = self.db().read(move |conn| find_own(conn, id, by)).await?;
        if item.trashed_at.is_none() {
            return Err(Error::conflict("not_in_trash", "Put it into the trash first."));
        }
        let _still = self.still().await;
        let file = self.folder().join(&item.path);
        let removed = tokio::task::spawn_blocking(move || match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        removed.await.map_err(Error::internal)?.map_err(|error| {
            tracing::error!(%error, "a media file could not be removed");
            Error::Busy("The file can't be removed just now. Try again in a moment.")
        })?;
        // First: a talk whose item isn't there any more would be nobody's to close.
        self.tell_talk(Deed::Close { about: About::media(id) }).await?;
        self.db()
            .write(move |conn| {
                diesel::delete(media_uploads::table.filter(media_uploads::media_id.eq(id))).execute(conn)?;
                diesel::delete(media_items::table.find(id)).execute(conn)?;
                Ok(())
            })
            .await?;
        self.forget(id);
        // What isn't removed now is at the next tidying.
        if let Err(error) = self.sweep_products().await {
            tracing::warn!(%error, "the products of a deleted item could not be removed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_folded_and_each_is_kept_once() {
        let wish = Wish {
            tags: Some(vec!["Choir, #2026".into(), "choir、夜曲".into(), " ".into()]),
            ..Wish::default()
        };
        assert_eq!(wish.check().unwrap().tags.as_deref(), Some("\nchoir\n2026\n夜曲\n"));
        let none = Wish { tags: Some(Vec::new()), ..Wish::default() };
        assert_eq!(none.check().unwrap().tags.as_deref(), Some(""));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wish = Wish {
            title: Some(" ".into()),
            description: Some("x".repeat(4001)),
            tags: Some((0..21).map(|n| n.to_string()).collect()),
            licence: Some("l".repeat(101)),
            ..Wish::default()
        };
        let Err(Error::Invalid(wrong)) = wish.check() else { panic!("it was taken") };
        assert_eq!(
            wrong.iter().map(|w| w.field).collect::<Vec<_>>(),
            ["title", "description", "licence", "tags"]
        );
        let hidden = Wish { title: Some("a\u{202e}b".into()), ..Wish::default() };
        assert!(hidden.check().is_err());
    }
}
