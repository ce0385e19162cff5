//! Streams over the HTTP API: `/api/v1/live`.

use super::alarm::{AlarmObject, rule::Rule};
use super::field::Field;
use super::stream::{Stream, StreamName, Wish};
use super::studio::{Live, Onlooker, Running};
use crate::accounts::{Accounts, Keeper, Speaker, Visitor};
use crate::clock::now_ms;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A live stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StreamObject {
    #[schema(example = "beamline-3")]
    name: String,
    /// What it is called; its name where it has no title.
    title: String,
    /// Everybody may watch it, signed in or not.
    public: bool,
    /// Who made it, by id; nobody where that was the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    owner: Option<UserId>,
    /// ms
    created_at: i64,
    /// What is declared of its readings.
    fields: Vec<Field>,
    /// The rules that raise an alarm.
    alarms: Vec<String>,
    /// The alarms that stand: of each rule the newest, unless that is over and somebody has it.
    raised: Vec<AlarmObject>,
    /// What comes is recorded.
    recording: bool,
    /// Since when something is written just now, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_since: Option<i64>,
    /// Why nothing is written though it is to be recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_trouble: Option<&'static str>,
    /// Samples are coming.
    live: bool,
    /// When a sample or a piece of video came last, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<i64>,
    /// The same of a source that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_since: Option<i64>,
    /// `{"seq","at","fields","picture"?,"out"?}`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    latest: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<PictureObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<VideoObject>,
    /// Where samples go, with the key; only when the stream or its key has just been made.
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<String>,
    /// What its source needs; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// What players without a cookie need, as `?token=`; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// The newest piece of a stream's video that is whole; it begins with a key frame.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VideoObject {
    #[schema(example = "video/mp4; codecs=\"avc1.64001f, mp4a.40.2\"")]
    mime: String,
    /// Where the beginning is that it needs.
    init: String,
    /// Where it is itself.
    segment: String,
}

/// The newest picture of a stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PictureObject {
    seq: i64,
    #[schema(example = "image/jpeg")]
    mime: &'static str,
    /// Pixels.
    width: u32,
    height: u32,
    url: String,
}

impl StreamObject {
    pub fn new(row: &Stream, running: Option<&Running>) -> Self {
        let mut object = Self {
            name: row.name.clone(),
            title: row.called().to_owned(),
            public: row.public,
            owner: row.user_id,
            created_at: row.created_at,
            fields: row.fields(),
            alarms: row.rules().iter().map(Rule::to_string).collect(),
            raised: Vec::new(),
            recording: row.recorder.is_some(),
            recording_since: None,
            recording_trouble: None,
            live: false,
            last: None,
            idle_since: None,
            latest: None,
            picture: None,
            video: None,
            push: None,
            key: None,
            token: None,
        };
        if let Some(running) = running {
            let store = running.store();
            object.live = store.is_live();
            object.raised = store.alarms.iter().map(|alarm| AlarmObject::new(alarm, false)).collect();
            object.recording_since = store.recording.since;
            object.recording_trouble = store.recording.trouble;
            object.last = store.last;
            object.idle_since = store.idle_since;
            let latest = store.samples.newest().map(|kept| kept.json.to_string());
            object.latest = latest.and_then(|json| RawValue::from_string(json).ok());
            object.picture = store.pictures.newest().map(|shot| PictureObject {
                seq: shot.seq,
                mime: shot.mime,
                width: shot.width,
                height: shot.height,
                url: format!("/live/{}/picture.jpg?seq={}", row.name, shot.seq),
            });
            object.video = store.video.whole().last().map(|segment| VideoObject {
                mime: segment.init.mime.clone(),
                init: format!("/live/{}/init-{}.mp4", row.name, segment.era),
                segment: format!("/live/{}/segment-{}.m4s", row.name, segment.number),
            });
        }
        object
    }

    fn with_key(row: &Stream, running: Option<&Running>, key: String) -> Self {
        let push = Some(format!("/live/{}/push", row.name));
        Self { push, key: Some(key), ..Self::new(row, running) }
    }
}

/// All streams that the caller may watch, by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Streams {
    streams: Vec<StreamObject>,
    /// The server's clock, ms: for ages.
    now: i64,
}

/// `GET /api/v1/live`
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses((status = 200, body = Streams)))]
pub async fn list(visitor: Result<Visitor>, live: web::Data<Live>) -> Result<web::Json<Streams>> {
    let who = Onlooker::of(visitor, None)?;
    let all = live.list(who.user()).await?;
    let streams = all.iter().map(|(row, running)| StreamObject::new(row, running.as_deref())).collect();
    Ok(web::Json(Streams { streams, now: now_ms() }))
}

/// `GET /api/v1/live/{name}`
#[utoipa::path(get, path = "/api/v1/live/{name}", tag = "live", params(("name" = String, Path)),
    responses((status = 200, body = StreamObject), (status = 401), (status = 404)))]
pub async fn one(
    visitor: Result<Visitor>,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<web::Json<StreamObject>> {
    let running = live.shown(&name, &Onlooker::of(visitor, None)?).await?;
    Ok(web::Json(StreamObject::new(&running.row(), Some(&running))))
}

/// A stream to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewStream {
    /// 1 to 32 of `a-z`, `0-9` and `-`.
    name: String,
    #[serde(flatten)]
    wish: Wish,
}

/// Makes a stream. Its key is in this answer alone.
#[utoipa::path(post, path = "/api/v1/live", tag = "live", request_body = NewStream,
    responses((status = 201, body = StreamObject), (status = 401), (status = 403, description = "A guest without the right"),
        (status = 409, description = "The name is taken"), (status = 422)))]
pub async fn create(
    visitor: Visitor,
    wanted: web::Json<NewStream>,
    live: web::Data<Live>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    accounts.allow(&visitor.person, Right::Files)?;
    let NewStream { name, wish } = wanted.into_inner();
    let (name, record) = (StreamName::parse(&name), wish.check());
    let (name, record) = match (name, record) {
        (Ok(name), Ok(record)) => (name, record),
        (name, record) => {
            let wrong = name.err().into_iter();
            let others = record.err().map(|error| error.fields().to_vec()).unwrap_or_default();
            return Err(Error::Invalid(wrong.chain(others).collect()));
        }
    };
    let (row, key) = live.create(visitor.person.id, name, record).await?;
    Ok(HttpResponse::Created().json(StreamObject::with_key(&row, None, key)))
}

/// `PATCH /api/v1/live/{name}`
#[utoipa::path(patch, path = "/api/v1/live/{name}", tag = "live", params(("name" = String, Path)), request_body = Wish,
    responses((status = 200, body = StreamObject), (status = 401), (status = 403), (status = 404), (status = 422)))]
pub async fn change(
    Speaker(visitor): Speaker,
    name: web::Path<String>,
    wish: web::Json<Wish>,
    live: web::Data<Live>,
) -> Result<web::Json<StreamObject>> {
    let record = wish.into_inner().check()?;
    let row = live.change(&name, Keeper::from(&*visitor.person), record).await?;
    let running = live.find(&row.name).await?;
    Ok(web::Json(StreamObject::new(&row, Some(&running))))
}

/// Deletes a stream, with its talk.
#[utoipa::path(delete, path = "/api/v1/live/{name}", tag = "live", params(("name" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub async fn remove(
    visitor: Visitor,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    live.delete(&name, Keeper::from(&*visitor.person)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a stream another key, which is in this answer alone. Sources with the old one are ended.
#[utoipa::path(post, path = "/api/v1/live/{name}/key", tag = "live", params(("name" = String, Path)),
    responses((status = 200, body = StreamObject), (status = 401), (status = 403), (status = 404)))]
pub async fn key(
    visitor: Visitor,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<web::Json<StreamObject>> {
    let (row, key) = live.replace_key(&name, Keeper::from(&*visitor.person)).await?;
    let running = live.find(&row.name).await?;
    Ok(web::Json(StreamObject::with_key(&row, Some(&running), key)))
}

async fn set_token(visitor: &Visitor, name: &str, live: &Live, wanted: bool) -> Result<StreamObject> {
    let (row, token) = live.replace_token(name, Keeper::from(&*visitor.person), wanted).await?;
    let running = live.find(&row.name).await?;
    Ok(StreamObject { token, ..StreamObject::new(&row, Some(&running)) })
}

/// Makes the token for players without cookies, which is in this answer alone. An older one is over.
#[utoipa::path(post, path = "/api/v1/live/{name}/token", tag = "live", params(("name" = String, Path)),
    responses((status = 200, body = StreamObject), (status = 401), (status = 403), (status = 404)))]
pub async fn make_token(
    visitor: Visitor,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<web::Json<StreamObject>> {
    Ok(web::Json(set_token(&visitor, &name, &live, true).await?))
}

/// Ends the token for players, and those who watch by it.
#[utoipa::path(delete, path = "/api/v1/live/{name}/token", tag = "live", params(("name" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub async fn end_token(
    visitor: Visitor,
    name: web::Path<String>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    set_token(&visitor, &name, &live, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
