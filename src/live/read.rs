//! What a stream remembers, over HTTP: samples as JSON and as CSV, and pictures.

use super::alarm::AlarmObject;
use super::ring::{Kept, SAMPLES};
use super::studio::{Live, Onlooker, Running};
use crate::accounts::Visitor;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::site::page::Stamp;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Which samples, and by what.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those after this number.
    after: Option<i64>,
    /// 1 to 3600, 3600 when not given: the newest of them.
    limit: Option<usize>,
    /// The stream's token for players.
    token: Option<String>,
}

async fn found(
    name: &str,
    wanted: &Wanted,
    visitor: Result<Visitor>,
    live: &Live,
) -> Result<(Arc<Running>, Vec<Arc<Kept>>)> {
    let limit = wanted.limit.unwrap_or(SAMPLES);
    if !(1..=SAMPLES).contains(&limit) {
        return Err(Error::field("limit", "The limit is a number from 1 to 3600."));
    }
    let who = Onlooker::of(visitor, wanted.token.clone())?;
    let running = live.shown(name, &who).await?;
    let samples = running.store().after(wanted.after.unwrap_or(i64::MIN), limit);
    Ok((running, samples))
}

/// The samples that are remembered, from the oldest on.
#[utoipa::path(get, path = "/live/{name}/samples", tag = "live", params(("name" = String, Path), Wanted),
    responses((status = 200, description = "`{\"samples\":[{\"seq\",\"at\",\"fields\",\"picture\"?,\"out\"?}],\"live\":true,\"idle_since\"?,\"alarms\":[…],\"now\"}`; `alarms` are those that stand"),
        (status = 401), (status = 404)))]
pub async fn samples(
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (running, samples) = found(&name, &wanted, visitor, &live).await?;
    // Each is JSON already.
    let all: Vec<&str> = samples.iter().map(|kept| &*kept.json).collect();
    let (is_live, idle_since, standing) = {
        let store = running.store();
        (store.is_live(), store.idle_since, AlarmObject::list(&store.alarms, false))
    };
    let idle = idle_since.map(|since| format!(",\"idle_since\":{since}")).unwrap_or_default();
    let body = format!(
        "{{\"samples\":[{}],\"live\":{is_live}{idle},\"alarms\":{standing},\"now\":{}}}",
        all.join(","),
        now_ms()
    );
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// `GET /live/{name}/samples.csv`
#[utoipa::path(get, path = "/live/{name}/samples.csv", tag = "live", params(("name" = String, Path), Wanted),
    responses((status = 200, description = "A line for each sample, a column for each reading", content_type = "text/csv"),
        (status = 401), (status = 404)))]
pub async fn csv(
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (_, samples) = found(&name, &wanted, visitor, &live).await?;
    let body = table(&samples);
    let file = format!("attachment; filename=\"{}.csv\"", name.as_str());
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, file))
        .body(body))
}

/// RFC 4180, with the columns in the order in which readings first appear.
fn table(samples: &[Arc<Kept>]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let fields: Vec<Map<String, Value>> = samples
        .iter()
        .map(|kept| match serde_json::from_str::<Value>(&kept.json) {
            Ok(Value::Object(mut object)) => match object.remove("fields") {
                Some(Value::Object(fields)) => fields,
                _ => Map::new(),
            },
            _ => Map::new(),
        })
        .collect();
    for name in fields.iter().flat_map(Map::keys) {
        if !columns.iter().any(|column| column == name) {
            columns.push(name.clone());
        }
    }
    let mut csv = header(&columns);
    for (kept, fields) in samples.iter().zip(&fields) {
        csv.push_str(&row(kept.seq, kept.at, &columns, fields));
    }
    csv
}

/// The line that names the columns.
pub(super) fn header(columns: &[String]) -> String {
    let mut line = String::from("seq,time");
    for column in columns {
        line.push(',');
        line.push_str(column);
    }
    line.push_str("\r\n");
    line
}

/// A sample's line, with its time (ms).
pub(super) fn row(seq: i64, at: i64, columns: &[String], fields: &Map<String, Value>) -> String {
    let mut line = format!("{seq},{}", Stamp(at).iso());
    for column in columns {
        line.push(',');
        line.push_str(&fields.get(column).map(cell).unwrap_or_default());
    }
    line.push_str("\r\n");
    line
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => {
            // A spreadsheet would take these for a formula.
            let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
            format!("\"{guard}{}\"", text.replace('"', "\"\""))
        }
        other => other.to_string(),
    }
}

/// Which picture, and by what.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Chosen {
    /// That of this sample; the newest when not given.
    seq: Option<i64>,
    /// The stream's token for players.
    token: Option<String>,
}

/// `GET /live/{name}/picture.jpg`
#[utoipa::path(get, path = "/live/{name}/picture.jpg", tag = "live", params(("name" = String, Path), Chosen),
    responses((status = 200, description = "A JPEG, PNG or WebP picture, as it came", content_type = "image/jpeg"),
        (status = 401), (status = 404)))]
pub async fn picture(
    name: web::Path<String>,
    chosen: web::Query<Chosen>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let chosen = chosen.into_inner();
    let who = Onlooker::of(visitor, chosen.token)?;
    let running = live.shown(&name, &who).await?;
    let shot = {
        let store = running.store();
        match chosen.seq {
            Some(seq) => store.picture(seq),
            None => store.pictures.newest().cloned(),
        }
    };
    let shot = shot.ok_or(Error::NotFound("The stream has no such picture, or no more."))?;
    // A number means the same picture for ever.
    let keeping = if chosen.seq.is_some() { "private, max-age=3600, immutable" } else { "private, no-cache" };
    Ok(HttpResponse::Ok()
        .content_type(shot.mime)
        .insert_header((CACHE_CONTROL, keeping))
        .insert_header(("x-sample-seq", shot.seq.to_string()))
        .body(shot.content.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_column_for_every_reading_and_no_formulas() {
        let kept = |seq, json: &str| Arc::new(Kept { seq, at: 1_700_000_000_123, json: json.into() });
        let csv = table(&[
            kept(1, r#"{"seq":1,"at":0,"fields":{"a":1.5}}"#),
            kept(2, r#"{"seq":2,"at":0,"fields":{"b":"=1+1 \"x\"","a":2}}"#),
        ]);
        assert_eq!(
            csv,
            "seq,time,a,b\r\n1,2023-11-14T22:13:20.123Z,1.5,\r\n2,2023-11-14T22:13:20.123Z,2,\"'=1+1 \"\"x\"\"\"\r\n"
        );
    }
}
