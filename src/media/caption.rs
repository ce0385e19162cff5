//! Captions of an item: one file for each language, and their words to be found by.

use super::item;
use super::record::find_own;
use super::sight::Sight;
use super::vtt::{self, Cue};
use crate::accounts::Keeper;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{media_captions, media_cues};
use crate::error::{Error, FieldError, Result};
use crate::ids::MediaId;
use crate::on_conn;
use crate::text::{fold, is_blank, is_unruly};
use diesel::dsl::exists;
use diesel::prelude::*;

/// Rows in one insert: far below what either database takes as parameters.
const ROWS: usize = 200;
/// Languages of one item.
const LANGUAGES: i64 = 40;
/// Characters of a label.
const LABEL_MAX: usize = 40;
/// What is answered where there are none.
const NO_CAPTIONS: Error = Error::NotFound("There are no such captions.");

/// Captions in one language, without their content.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, serde::Serialize, utoipa::ToSchema)]
pub struct Caption {
    /// BCP 47.
    #[schema(example = "zh-Hant")]
    pub language: String,
    /// As its readers call the language.
    pub label: String,
    /// Shown unless somebody chose otherwise.
    #[serde(rename = "default")]
    pub usual: bool,
    /// ms; also what makes the file's address another one whenever it is.
    pub added_at: i64,
}

/// Captions as they are to be stored.
#[derive(Debug, Clone)]
pub struct Draft {
    language: String,
    label: String,
    usual: bool,
    cues: Vec<Cue>,
}

impl Draft {
    /// `language` is a tag of BCP 47 in any case; an empty `label` becomes the language's own name.
    ///
    /// # Errors
    /// `Invalid` with a sentence for each wrong field; `TooLarge`.
    pub fn check(language: &str, label: &str, usual: bool, file: &[u8]) -> Result<Self> {
        let mut wrong = Vec::new();
        let tag = tag(language);
        if tag.is_none() {
            wrong.push(FieldError::new(
                "language",
                "A language is named by its short sign, for example en or zh-Hant.",
            ));
        }
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        if label.chars().count() > LABEL_MAX || label.chars().any(is_unruly) {
            wrong.push(FieldError::new("label", "A language is called by at most 40 characters."));
        }
        let cues = match vtt::read(file) {
            Ok(cues) => cues,
            Err(Error::Invalid(more)) => {
                wrong.extend(more);
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let language = tag.unwrap_or_default();
        let label = if is_blank(&label) { own_name(&language).to_owned() } else { label };
        if wrong.is_empty() { Ok(Self { language, label, usual, cues }) } else { Err(Error::Invalid(wrong)) }
    }
}

/// A tag of BCP 47 in its usual case; nothing for what can't be one.
pub fn tag(typed: &str) -> Option<String> {
    let typed = typed.trim().replace('_', "-");
    let fits = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut parts = typed.split('-');
    let first =
        parts.next().filter(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()))?;
    let mut tag = first.to_ascii_lowercase();
    for part in parts {
        if !fits(part) || tag.len() > 26 {
            return None;
        }
        tag.push('-');
        match part.len() {
            2 => tag.push_str(&part.to_ascii_uppercase()),
            4 if part.bytes().all(|b| b.is_ascii_alphabetic()) => {
                tag.push_str(&part[..1].to_ascii_uppercase());
                tag.push_str(&part[1..].to_ascii_lowercase());
            }
            _ => tag.push_str(&part.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

/// The tag that captions are looked for under. What is none, they can't have; a database may not even take it.
fn known(typed: &str) -> Result<String> {
    tag(typed).ok_or(NO_CAPTIONS)
}

/// As the readers of a language call it; the tag itself for one that isn't known here.
fn own_name(tag: &str) -> &str {
    match tag {
        "zh-Hant" | "zh-TW" | "zh-HK" => return "正體中文",
        "zh-Hans" | "zh-CN" => return "简体中文",
        _ => {}
    }
    match tag.split('-').next().unwrap_or_default() {
        "ar" => "العربية",
        "cs" => "Čeština",
        "da" => "Dansk",
        "de" => "Deutsch",
        "el" => "Ελληνικά",
        "en" => "English",
        "es" => "Español",
        "fi" => "Suomi",
        "fr" => "Français",
        "he" => "עברית",
        "hi" => "हिन्दी",
        "hu" => "Magyar",
        "id" => "Bahasa Indonesia",
        "it" => "Italiano",
        "ja" => "日本語",
        "ko" => "한국어",
        "nl" => "Nederlands",
        "no" | "nb" => "Norsk",
        "pl" => "Polski",
        "pt" => "Português",
        "ru" => "Русский",
        "sv" => "Svenska",
        "th" => "ไทย",
        "tr" => "Türkçe",
        "uk" => "Українська",
        "vi" => "Tiếng Việt",
        "zh" => "中文",
        _ => tag,
    }
}

/// The captions of an item, in the order of their languages' names.
pub fn list(conn: &mut Conn, id: MediaId) -> Result<Vec<Caption>> {
    use media_captions as c;
    Ok(c::table
        .filter(c::media_id.eq(id))
        .order((c::label, c::language))
        .select((c::language, c::label, c::usual, c::added_at))
        .load(conn)?)
}

/// One file of captions, WebVTT.
///
/// # Errors
/// `NotFound`, for those of an item that isn't there for these eyes too.
pub fn file(conn: &mut Conn, id: MediaId, sight: Sight, language: &str) -> Result<String> {
    use media_captions as c;
    item::find(conn, id, sight)?;
    let language = known(language)?;
    let found = c::table.filter(c::media_id.eq(id).and(c::language.eq(language))).select(c::vtt);
    found.first(conn).optional()?.ok_or(NO_CAPTIONS)
}

/// Stores captions in the place of those in the same language. The first ones of an item are its usual ones.
///
/// # Errors
/// As for [`find_own`]; `Conflict` for one language too many.
pub fn put(conn: &mut Conn, id: MediaId, by: Keeper, draft: &Draft) -> Result<()> {
    use media_captions as c;
    find_own(conn, id, by)?;
    diesel::delete(c::table.filter(c::media_id.eq(id).and(c::language.eq(&draft.language)))).execute(conn)?;
    let others: i64 = c::table.filter(c::media_id.eq(id)).count().get_result(conn)?;
    if others >= LANGUAGES {
        return Err(Error::conflict("too_many_captions", "An item has captions in at most 40 languages."));
    }
    if draft.usual {
        diesel::update(c::table.filter(c::media_id.eq(id))).set(c::usual.eq(false)).execute(conn)?;
    }
    let row = (
        c::media_id.eq(id),
        c::language.eq(&draft.language),
        c::label.eq(&draft.label),
        c::usual.eq(draft.usual || others == 0),
        c::vtt.eq(vtt::write(&draft.cues)),
        c::added_at.eq(now_ms()),
    );
    let caption: i64 =
        on_conn!(&mut *conn, k => diesel::insert_into(c::table).values(row).returning(c::id).get_result(k))?;
    let texts: Vec<(i64, i64, String)> =
        (0..).zip(&draft.cues).map(|(number, cue)| (number, cue.start, cue.text())).collect();
    for some in texts.chunks(ROWS) {
        use media_cues as q;
        let rows: Vec<_> = some
            .iter()
            .map(|(number, start, text)| {
                (
                    q::caption_id.eq(caption),
                    q::number.eq(number),
                    q::media_id.eq(id),
                    q::start.eq(start),
                    q::text.eq(text),
                    q::folded.eq(fold(text)),
                )
            })
            .collect();
        on_conn!(&mut *conn, k => diesel::insert_into(q::table).values(&rows).execute(k))?;
    }
    Ok(())
}

/// Makes these captions the usual ones.
///
/// # Errors
/// As for [`remove`].
pub fn prefer(conn: &mut Conn, id: MediaId, by: Keeper, language: &str) -> Result<()> {
    use media_captions as c;
    find_own(conn, id, by)?;
    let language = &known(language)?;
    let own = c::table.filter(c::media_id.eq(id));
    if !diesel::select(exists(own.filter(c::language.eq(language)))).get_result(conn)? {
        return Err(NO_CAPTIONS);
    }
    diesel::update(own).set(c::usual.eq(c::language.eq(language))).execute(conn)?;
    Ok(())
}

/// # Errors
/// As for [`find_own`]; `NotFound` where there are none in this language.
pub fn remove(conn: &mut Conn, id: MediaId, by: Keeper, language: &str) -> Result<()> {
    use media_captions as c;
    find_own(conn, id, by)?;
    let language = known(language)?;
    let gone =
        diesel::delete(c::table.filter(c::media_id.eq(id).and(c::language.eq(language)))).execute(conn)?;
    if gone == 0 { Err(NO_CAPTIONS) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_named_in_its_usual_case() {
        for (typed, right) in [
            ("EN", "en"),
            ("zh_hant", "zh-Hant"),
            ("pt-br", "pt-BR"),
            (" de ", "de"),
            ("sl-rozaj", "sl-rozaj"),
            ("es-419", "es-419"),
        ] {
            assert_eq!(tag(typed).as_deref(), Some(right));
        }
        for typed in ["", "e", "english", "en-", "en/../x", "中文", "en-123456789", "e1", &"en-a".repeat(20)]
        {
            assert_eq!(tag(typed), None, "{typed}");
        }
        assert_eq!((own_name("zh-Hant"), own_name("de-AT"), own_name("tlh")), ("正體中文", "Deutsch", "tlh"));
    }
}
