//! A live stream: its row, who may change it, who may watch it, and the key by which its source is known.

use super::alarm::rule::{self, Rule};
use super::field::{self, Field};
use crate::accounts::Keeper;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::streams;
use crate::error::{Error, FieldError, Result};
use crate::ids::{StreamId, UserId};
use crate::on_conn;
use crate::text::{is_blank, is_unruly};
use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

/// What is answered for a stream that isn't there, and for one that isn't for whoever asks.
pub const NO_STREAM: Error = Error::NotFound("There is no such stream.");
/// Streams of one person.
const MOST: i64 = 20;
/// Streams that are listed.
const LISTED: i64 = 500;
const NAME_MAX: usize = 32;
const TITLE_MAX: usize = 100;
/// How keys and tokens begin, so that people and scanners see what they are when one lies around.
const KEY_PREFIX: &str = "push_";
const TOKEN_PREFIX: &str = "watch_";

/// A stream's name: `[a-z0-9-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamName(String);

impl StreamName {
    /// # Errors
    /// For the field `name`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let fits =
            typed.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if typed.is_empty() || typed.len() > NAME_MAX || !fits {
            return Err(FieldError::new(
                "name",
                "A stream's name has 1 to 32 small letters from a to z, digits and hyphens.",
            ));
        }
        Ok(Self(typed.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A row of `streams`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = streams)]
pub struct Stream {
    pub id: StreamId,
    pub name: String,
    pub title: String,
    /// Everybody may watch it, signed in or not.
    pub public: bool,
    /// Who made it; nobody where that was the shell.
    pub user_id: Option<UserId>,
    key_hash: String,
    /// Of the token for players; nothing where there is none.
    token_hash: Option<String>,
    /// As stored; [`fields`](Self::fields) reads it.
    fields: String,
    /// Milliseconds.
    pub created_at: i64,
    /// The rules of its alarms, one a line; [`rules`](Self::rules) reads them.
    pub alarms: String,
    /// A sample has come since they were set.
    pub sampled: bool,
    /// Who has switched recording on; nobody while it is off.
    pub recorder: Option<UserId>,
}

impl Stream {
    /// What it is called on pages.
    pub fn called(&self) -> &str {
        if self.title.is_empty() { &self.name } else { &self.title }
    }

    /// What is declared of its readings.
    pub fn fields(&self) -> Vec<Field> {
        serde_json::from_str(&self.fields).unwrap_or_default()
    }

    /// What raises an alarm.
    pub fn rules(&self) -> Vec<Rule> {
        rule::parse(&self.alarms).unwrap_or_default()
    }

    pub fn has_token(&self) -> bool {
        self.token_hash.is_some()
    }

    /// Whether this is the key of its source. Hashes are compared, so the time that takes tells nothing of the key.
    pub fn opens_with(&self, key: &str) -> bool {
        hash(key) == self.key_hash
    }

    /// # Errors
    /// `Forbidden` for whoever may not change it.
    pub fn check(&self, by: Keeper) -> Result<()> {
        if by.may_change(self.user_id) {
            return Ok(());
        }
        Err(Error::forbidden(
            "not_yours",
            "Only those who made this stream, and those who look after this place, may change it.",
        ))
    }

    /// Whether this is its token for players.
    pub fn shows_with(&self, token: &str) -> bool {
        self.token_hash.as_deref() == Some(hash(token).as_str())
    }
}

/// What is to be another than before, as typed.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = StreamWish)]
pub struct Wish {
    /// At most 100 characters; empty for the name itself.
    pub title: Option<String>,
    /// Everybody may watch it, signed in or not.
    pub public: Option<bool>,
    /// What is known of its readings, at most 64.
    pub fields: Option<Vec<Field>>,
    /// What raises an alarm, at most 32 rules: `repetition_rate < 9.5 for 10 s`, `no sample for 30 s`,
    /// `temperature out of range`, `any out of range for 1 min`.
    #[schema(example = json!(["repetition_rate < 9.5 for 10 s", "no sample for 30 s"]))]
    pub alarms: Option<Vec<String>>,
    /// What comes is recorded, and goes into the library when it ends.
    pub recording: Option<bool>,
}

/// The same, fit to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = streams)]
pub struct Record {
    title: Option<String>,
    public: Option<bool>,
    fields: Option<String>,
    alarms: Option<String>,
    sampled: Option<bool>,
    /// Nobody for no more; who is to be written there is known where it is stored.
    recorder: Option<Option<UserId>>,
}

impl Wish {
    /// # Errors
    /// `Invalid`, with a sentence for each wrong field.
    pub fn check(self) -> Result<Record> {
        let mut wrong = Vec::new();
        let title = self.title.map(|typed| typed.split_whitespace().collect::<Vec<_>>().join(" "));
        let title = title.map(|title| if is_blank(&title) { String::new() } else { title });
        if title.as_deref().is_some_and(|t| t.chars().count() > TITLE_MAX || t.chars().any(is_unruly)) {
            wrong.push(FieldError::new("title", "A stream's title has at most 100 characters."));
        }
        if let Some(refused) = self.fields.as_deref().and_then(|fields| field::check(fields).err()) {
            wrong.push(refused);
        }
        let rules = self.alarms.map(|lines| rule::parse(&lines.join("\n")).map(|rules| rule::lines(&rules)));
        let alarms = rules.transpose().map_err(|refused| wrong.push(refused)).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let fields = self.fields.map(|fields| serde_json::to_string(&fields)).transpose();
        let fields = fields.map_err(Error::internal)?;
        let recorder = self.recording.map(|on| on.then(UserId::default));
        Ok(Record { title, public: self.public, fields, alarms, sampled: None, recorder })
    }
}

impl Record {
    /// Whether the rules go with the fields, each of them as it will be; and what is known of samples begins anew with
    /// other rules.
    fn fit(&mut self, before: Option<&Stream>) -> Result<()> {
        let known = |fields: &str| serde_json::from_str::<Vec<Field>>(fields).unwrap_or_default();
        let fields = self.fields.as_deref().or(before.map(|row| row.fields.as_str()));
        let stored = before.map_or("", |row| &row.alarms);
        let alarms = self.alarms.as_deref().unwrap_or(stored);
        let rules = rule::parse(alarms).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        rule::fit(&rules, &known(fields.unwrap_or_default())).map_err(|wrong| Error::Invalid(vec![wrong]))?;
        self.sampled = (alarms != stored).then_some(false);
        Ok(())
    }
}

/// A key or token and what is stored in its place. With 256 random bits there is nothing to guess, so it needs no salt.
struct Secret {
    shown: String,
    hash: String,
}

impl Secret {
    fn fresh(prefix: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        let shown = format!("{prefix}{}", data_encoding::BASE64URL_NOPAD.encode(&bytes));
        Ok(Self { hash: hash(&shown), shown })
    }
}

fn hash(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// The stream of this name, if there is one.
pub fn find(conn: &mut Conn, name: &str) -> Result<Option<Stream>> {
    if StreamName::parse(name).is_err() {
        return Ok(None);
    }
    Ok(streams::table.filter(streams::name.eq(name)).select(Stream::as_select()).first(conn).optional()?)
}

/// The stream of this number.
///
/// # Errors
/// `NotFound`.
pub fn get(conn: &mut Conn, id: StreamId) -> Result<Stream> {
    streams::table.find(id).select(Stream::as_select()).first(conn).optional()?.ok_or(NO_STREAM)
}

/// All streams that somebody may watch, by name; the public ones without `who`.
pub fn list(conn: &mut Conn, who: Option<UserId>) -> Result<Vec<Stream>> {
    let mut query =
        streams::table.order(streams::name).limit(LISTED).select(Stream::as_select()).into_boxed();
    if who.is_none() {
        query = query.filter(streams::public.eq(true));
    }
    Ok(query.load(conn)?)
}

/// Makes a stream. Answers with it and its key, which nobody sees again.
///
/// # Errors
/// `Conflict` for a name that is taken, and for one stream too many.
pub fn create(
    conn: &mut Conn,
    by: Option<UserId>,
    name: &StreamName,
    record: &Record,
) -> Result<(Stream, String)> {
    use streams as s;
    if let Some(user) = by
        && s::table.filter(s::user_id.eq(user)).count().get_result::<i64>(conn)? >= MOST
    {
        return Err(Error::conflict("too_many_streams", "You have 20 streams. Delete one of them first."));
    }
    let mut record = record.clone();
    record.fit(None)?;
    let key = Secret::fresh(KEY_PREFIX)?;
    let row = (
        s::name.eq(name.as_str()),
        s::title.eq(record.title.unwrap_or_default()),
        s::public.eq(record.public.unwrap_or_default()),
        s::user_id.eq(by),
        s::key_hash.eq(&key.hash),
        s::fields.eq(record.fields.unwrap_or_else(|| "[]".to_owned())),
        s::created_at.eq(now_ms()),
        s::alarms.eq(record.alarms.unwrap_or_default()),
        s::recorder.eq(by.filter(|_| record.recorder.flatten().is_some())),
    );
    let made = on_conn!(&mut *conn, c => diesel::insert_into(s::table)
        .values(&row).on_conflict(s::name).do_nothing().execute(c))?;
    match (made, find(conn, name.as_str())?) {
        (1.., Some(stream)) => Ok((stream, key.shown)),
        _ => Err(Error::conflict("name_taken", "That name is taken.")),
    }
}

/// A stream that this person may change.
///
/// # Errors
/// `NotFound`, `Forbidden`.
fn find_own(conn: &mut Conn, name: &str, by: Keeper) -> Result<Stream> {
    let stream = find(conn, name)?.ok_or(NO_STREAM)?;
    stream.check(by)?;
    Ok(stream)
}

/// Changes what a stream is. Answers with it as it was, and as it is then.
///
/// # Errors
/// As for [`Stream::check`]; `NotFound`.
pub fn change(conn: &mut Conn, name: &str, by: Keeper, record: &Record) -> Result<(Stream, Stream)> {
    let stream = find_own(conn, name, by)?;
    let recorder = record.recorder.map(|on| on.and(stream.recorder.or(Some(by.id))));
    let mut record = Record { recorder, ..record.clone() };
    if record != Record::default() {
        record.fit(Some(&stream))?;
        diesel::update(streams::table.find(stream.id)).set(&record).execute(conn)?;
    }
    let changed = get(conn, stream.id)?;
    Ok((stream, changed))
}

/// Gives a stream another key; the old one is over. Answers with the new one.
///
/// # Errors
/// As for [`change`].
pub fn replace_key(conn: &mut Conn, name: &str, by: Keeper) -> Result<(Stream, String)> {
    let stream = find_own(conn, name, by)?;
    let key = Secret::fresh(KEY_PREFIX)?;
    diesel::update(streams::table.find(stream.id)).set(streams::key_hash.eq(&key.hash)).execute(conn)?;
    Ok((find(conn, name)?.ok_or(NO_STREAM)?, key.shown))
}

/// Makes a token for players in the place of an older one, or ends it. Answers with the new one.
///
/// # Errors
/// As for [`change`].
pub fn replace_token(
    conn: &mut Conn,
    name: &str,
    by: Keeper,
    wanted: bool,
) -> Result<(Stream, Option<String>)> {
    let stream = find_own(conn, name, by)?;
    let token = wanted.then(|| Secret::fresh(TOKEN_PREFIX)).transpose()?;
    let hash = token.as_ref().map(|token| token.hash.clone());
    diesel::update(streams::table.find(stream.id)).set(streams::token_hash.eq(hash)).execute(conn)?;
    Ok((find(conn, name)?.ok_or(NO_STREAM)?, token.map(|token| token.shown)))
}

/// Deletes a stream. Answers with what it was.
///
/// # Errors
/// As for [`change`].
pub fn remove(conn: &mut Conn, name: &str, by: Keeper) -> Result<Stream> {
    let stream = find_own(conn, name, by)?;
    diesel::delete(streams::table.find(stream.id)).execute(conn)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "stream-1", "-", &"x".repeat(32)] {
            assert!(StreamName::parse(name).is_ok(), "{name}");
        }
        for name in ["", "A", "a b", "a/b", "é", "a.b", &"x".repeat(33)] {
            assert!(StreamName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let fields = Some(vec![Field { name: "9".into(), ..Field::default() }]);
        let alarms = Some(vec!["rate".into()]);
        let wish = Wish { title: Some("x".repeat(101)), public: None, fields, alarms, recording: None };
        let wrong: Vec<_> = wish.check().unwrap_err().fields().iter().map(|wrong| wrong.field).collect();
        assert_eq!(wrong, ["title", "fields", "alarms"]);
    }
}
