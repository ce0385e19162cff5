//! Alarms over the HTTP API, and the button of the page.

use super::row::{self, Alarm};
use crate::accounts::{Speaker, Visitor};
use crate::error::{Error, Result};
use crate::ids::{AlarmId, UserId};
use crate::live::studio::{Live, Onlooker};
use crate::rooms::message::parse_limit;
use crate::site::answer::see_other;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An alarm of a stream.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlarmObject {
    #[schema(value_type = i64)]
    id: AlarmId,
    #[schema(example = "repetition_rate < 9.5 for 10 s")]
    rule: String,
    /// Whose number raised it; not there for silence.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "repetition_rate")]
    reading: String,
    /// That number with its unit.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "9.31 Hz")]
    value: String,
    /// When it was raised, ms.
    at: i64,
    /// When its condition had been false for a while, or its rule was taken away, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Acknowledged>,
}

/// Who has it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AlarmAcknowledged)]
pub struct Acknowledged {
    /// ms
    at: i64,
    /// The person's id; only for those who are signed in, and so the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl AlarmObject {
    /// Strangers learn that somebody has it, not who.
    pub fn new(alarm: &Alarm, named: bool) -> Self {
        let acknowledged = alarm.acknowledged_at.map(|at| Acknowledged {
            at,
            by: alarm.acknowledged_by.filter(|_| named),
            name: alarm.acknowledged_name.clone().filter(|_| named),
        });
        Self {
            id: alarm.id,
            rule: alarm.rule.clone(),
            reading: alarm.reading.clone(),
            value: alarm.value.clone(),
            at: alarm.raised_at,
            over: alarm.over_at,
            acknowledged,
        }
    }

    /// Several as a list in JSON.
    pub fn list(alarms: &[Arc<Alarm>], named: bool) -> String {
        let all: Vec<Self> = alarms.iter().map(|alarm| Self::new(alarm, named)).collect();
        // Texts and numbers can always be written.
        serde_json::to_string(&all).unwrap_or_else(|_| "[]".to_owned())
    }
}

/// Which of a stream's alarms.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those before this one.
    before: Option<i64>,
    /// 1 to 100, 100 when not given.
    limit: Option<i64>,
}

/// Alarms, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Alarms {
    alarms: Vec<AlarmObject>,
    more: bool,
}

/// The alarms of a stream, the newest first; those that have been over for 90 days are gone.
#[utoipa::path(get, path = "/api/v1/live/{name}/alarms", tag = "live", params(("name" = String, Path), Wanted),
    responses((status = 200, body = Alarms), (status = 401), (status = 404), (status = 422)))]
pub async fn list(
    visitor: Result<Visitor>,
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
    live: web::Data<Live>,
) -> Result<web::Json<Alarms>> {
    let who = Onlooker::of(visitor, None)?;
    let (stream, before) = (live.shown(&name, &who).await?.row().id, wanted.before);
    let limit = parse_limit(wanted.limit)?;
    let (found, more) = live.db().read(move |conn| row::page(conn, stream, before, limit)).await?;
    let named = who.visitor.is_some();
    Ok(web::Json(Alarms { alarms: found.iter().map(|alarm| AlarmObject::new(alarm, named)).collect(), more }))
}

/// Whoever acknowledges an alarm has it, and those that the same rule raised before. They join the stream's talk, where it
/// is said. A second time changes nothing: the first one has it.
#[utoipa::path(post, path = "/api/v1/live/{name}/alarms/{id}/acknowledge", tag = "live",
    params(("name" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = AlarmObject), (status = 401), (status = 404)))]
pub async fn acknowledge(
    Speaker(visitor): Speaker,
    path: web::Path<(String, AlarmId)>,
    live: web::Data<Live>,
) -> Result<web::Json<AlarmObject>> {
    let (name, id) = path.into_inner();
    Ok(web::Json(AlarmObject::new(&take(&visitor, &name, id, &live).await?, true)))
}

/// `POST /live/{name}/acknowledge`: the same by a form.
pub async fn press(
    Speaker(visitor): Speaker,
    name: web::Path<String>,
    form: web::Form<Pressed>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let alarm = take(&visitor, &name, form.alarm, &live).await;
    match alarm {
        // It was over meanwhile, and its stream is still worth a look.
        Ok(_) | Err(Error::NotFound(_)) => Ok(see_other(&format!("/live/{}", name.as_str()))),
        Err(error) => Err(error),
    }
}

/// Which alarm a button is of.
#[derive(Debug, Deserialize)]
pub struct Pressed {
    alarm: AlarmId,
}

async fn take(visitor: &Visitor, name: &str, id: AlarmId, live: &Live) -> Result<Alarm> {
    let who = Onlooker { visitor: Some(visitor.clone()), token: None };
    let running = live.shown(name, &who).await?;
    live.acknowledge(&running, id, &visitor.person).await
}
