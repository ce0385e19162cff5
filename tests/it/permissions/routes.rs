//! Every route, with what it is tried on and what is sent along.

use super::objects::{Made, Object};
use crate::tree;
use crate::visitor::{Answer, Visitor, recording};
use Object::{
    Account, Alarm, Attachment, Captions, Channel, Device, Direct, FilterWord, Group, Invite, Item, List,
    Listed, Message, Nothing, Person, Recording, Report, SentFile, Session, Stream, Takedown, Talk, Token,
    Trashed, Upload,
};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use std::collections::BTreeSet;

/// What strangers may change something by: the ways in, and the language they read.
pub const OPEN: [&str; 8] =
    ["/language", "/login", "/login/code", "/register", "/guest", "/handover", "/reset", "/logout"];

/// A recording is sent.
const WAV: &str = "@wav";
/// A form with a file in it.
const FILE: &str = "@file";
/// Captions.
const VTT: &str = "@vtt";
/// The headers of an upload in parts.
const TUS: &str = "@tus";

/// Method, route as it is written in the source, what it is tried on, body. A body with `{name}` in it gets what was made for
/// the path's `{name}`; bodies are JSON below `/api`, forms elsewhere.
const ROWS: &[(&str, &str, Object, &str)] = &[
    ("GET", "/", Nothing, ""),
    ("GET", "/authority", Nothing, ""),
    ("GET", "/authority.crt", Nothing, ""),
    ("GET", "/healthz", Nothing, ""),
    ("GET", "/api/docs", Nothing, ""),
    ("POST", "/language", Nothing, "language=en"),
    // Coming in.
    ("GET", "/login", Nothing, ""),
    ("POST", "/login", Nothing, "username=ann&password=wrong"),
    ("GET", "/login/code", Nothing, ""),
    ("POST", "/login/code", Nothing, "code=000000"),
    ("GET", "/register", Nothing, ""),
    ("POST", "/register", Nothing, "username=&password="),
    ("GET", "/guest", Nothing, ""),
    ("POST", "/guest", Nothing, "display_name="),
    ("GET", "/handover", Nothing, ""),
    ("POST", "/handover", Nothing, "code=x"),
    ("GET", "/handover/wait", Nothing, ""),
    ("GET", "/reset", Nothing, ""),
    ("POST", "/reset", Nothing, "code=x&password=another%20one"),
    ("POST", "/logout", Nothing, ""),
    // One's own.
    ("GET", "/settings", Nothing, ""),
    ("GET", "/settings/profile", Nothing, ""),
    ("POST", "/settings/profile", Nothing, "status_state=away"),
    ("GET", "/settings/picture", Nothing, ""),
    ("POST", "/settings/picture", Nothing, FILE),
    ("GET", "/settings/picture/remove", Nothing, ""),
    ("POST", "/settings/picture/remove", Nothing, ""),
    ("POST", "/settings/sessions/revoke-others", Nothing, ""),
    ("POST", "/settings/sessions/{id}/revoke", Session, ""),
    ("GET", "/settings/devices", Nothing, ""),
    ("POST", "/settings/devices", Nothing, ""),
    ("GET", "/settings/devices/{id}", Device, ""),
    ("POST", "/settings/devices/{id}", Device, "do=allow&number=1"),
    ("GET", "/settings/security", Nothing, ""),
    ("POST", "/settings/security", Nothing, "do=password&current=wrong&password=another%20one"),
    ("GET", "/settings/security/second", Nothing, ""),
    ("POST", "/settings/security/second", Nothing, "code=000000"),
    ("GET", "/settings/tokens", Nothing, ""),
    ("POST", "/settings/tokens", Nothing, "label=lamp"),
    ("POST", "/settings/tokens/{id}/revoke", Token, ""),
    ("GET", "/settings/blocked", Nothing, ""),
    ("GET", "/settings/blocked/{username}/remove", Person, ""),
    ("POST", "/settings/blocked/{username}/remove", Person, ""),
    ("GET", "/dashboard", Nothing, ""),
    ("GET", "/dashboard/key", Nothing, ""),
    ("POST", "/dashboard/key", Nothing, "private_key=a%20key"),
    ("GET", "/dashboard/key/remove", Nothing, ""),
    ("POST", "/dashboard/key/remove", Nothing, ""),
    ("GET", "/dashboard/key/only", Nothing, ""),
    ("POST", "/dashboard/key/only", Nothing, "direct_only_by_key=off"),
    ("GET", "/api/v1/me", Nothing, ""),
    ("PATCH", "/api/v1/me", Nothing, r#"{"sounds":true}"#),
    ("POST", "/api/v1/me/password", Nothing, r#"{"current":"wrong","password":"another one"}"#),
    ("GET", "/api/v1/me/blocks", Nothing, ""),
    ("PUT", "/api/v1/me/blocks/{username}", Person, ""),
    ("DELETE", "/api/v1/me/blocks/{username}", Person, ""),
    // People.
    ("GET", "/people", Nothing, ""),
    ("GET", "/people/faces.css", Nothing, ""),
    ("GET", "/people/{id}", Person, ""),
    ("GET", "/people/{id}/picture", Person, ""),
    ("POST", "/people/{id}/block", Person, "blocked=on"),
    ("GET", "/api/v1/users", Nothing, ""),
    ("GET", "/api/v1/users/{username}", Person, ""),
    // Looking after the place.
    ("GET", "/admin", Nothing, ""),
    ("GET", "/admin/reports/{id}/resolve", Report, ""),
    ("POST", "/admin/reports/{id}/resolve", Report, ""),
    ("GET", "/admin/moderate/{id}", Account, ""),
    ("POST", "/admin/moderate/{id}", Account, "do=timeout&seconds=600&reason=spam"),
    ("POST", "/admin/moderate/{id}", Account, "do=lift"),
    ("POST", "/admin/moderate/{id}", Account, "do=ban&reason=spam"),
    ("POST", "/admin/moderate/{id}", Account, "do=unban"),
    ("POST", "/admin/moderate/{id}", Account, "do=takedown&span=day&reason=spam"),
    ("GET", "/admin/filter", Nothing, ""),
    ("POST", "/admin/filter", Nothing, "do=add&word={nonce}&effect=refuse"),
    ("POST", "/admin/filter", Nothing, "do=slow&slow=0"),
    ("GET", "/admin/audit", Nothing, ""),
    ("GET", "/admin/invites", Nothing, ""),
    ("POST", "/admin/invites", Nothing, "label=friend&uses=1&days=1"),
    ("GET", "/admin/invites/{id}/revoke", Invite, ""),
    ("POST", "/admin/invites/{id}/revoke", Invite, ""),
    ("GET", "/admin/people", Nothing, ""),
    ("GET", "/admin/people/{id}", Account, ""),
    ("GET", "/admin/people/{id}/role", Account, ""),
    ("POST", "/admin/people/{id}/role", Account, "role=moderator"),
    ("POST", "/admin/people/{id}/role", Account, "role=admin"),
    ("GET", "/admin/people/{id}/disable", Account, ""),
    ("POST", "/admin/people/{id}/disable", Account, "disabled=on"),
    ("GET", "/admin/people/{id}/reset", Account, ""),
    ("POST", "/admin/people/{id}/reset", Account, ""),
    ("GET", "/api/v1/invites", Nothing, ""),
    ("POST", "/api/v1/invites", Nothing, r#"{"label":"friend","uses":1,"expires_at":{tomorrow}}"#),
    ("DELETE", "/api/v1/invites/{id}", Invite, ""),
    ("GET", "/api/v1/accounts", Nothing, ""),
    ("PATCH", "/api/v1/accounts/{username}", Account, r#"{"role":"moderator"}"#),
    ("PATCH", "/api/v1/accounts/{username}", Account, r#"{"role":"admin"}"#),
    ("PATCH", "/api/v1/accounts/{username}", Account, r#"{"disabled":true}"#),
    ("POST", "/api/v1/accounts/{username}/reset", Account, ""),
    ("PUT", "/api/v1/accounts/{username}/timeout", Account, r#"{"seconds":600,"reason":"spam"}"#),
    ("DELETE", "/api/v1/accounts/{username}/timeout", Account, ""),
    ("PUT", "/api/v1/accounts/{username}/ban", Account, r#"{"reason":"spam"}"#),
    ("DELETE", "/api/v1/accounts/{username}/ban", Account, ""),
    ("GET", "/api/v1/accounts/{username}/takedowns", Account, ""),
    ("POST", "/api/v1/accounts/{username}/takedowns", Account, r#"{"span":"day"}"#),
    ("DELETE", "/api/v1/takedowns/{id}", Takedown, ""),
    ("GET", "/api/v1/reports", Nothing, ""),
    ("POST", "/api/v1/reports/{id}/resolve", Report, ""),
    ("GET", "/api/v1/filter", Nothing, ""),
    ("POST", "/api/v1/filter", Nothing, r#"{"word":"{nonce}","effect":"report"}"#),
    ("DELETE", "/api/v1/filter/{id}", FilterWord, ""),
    ("GET", "/api/v1/audit", Nothing, ""),
    // Board, rooms, messages.
    ("GET", "/ws", Nothing, ""),
    ("GET", "/ws/classic", Nothing, ""),
    ("GET", "/board", Nothing, ""),
    ("POST", "/board", Nothing, "nonce={nonce}&text=hello"),
    ("GET", "/channels", Nothing, ""),
    ("POST", "/channels", Nothing, "name={nonce}"),
    ("GET", "/groups", Nothing, ""),
    ("POST", "/groups", Nothing, "name=Choir&members=ann"),
    ("GET", "/direct", Nothing, ""),
    ("POST", "/direct", Direct, "user={name}"),
    ("GET", "/{kind:c|g|dm}/{name}", Channel, ""),
    ("POST", "/{kind:c|g|dm}/{name}", Channel, "nonce={nonce}&text=hello"),
    ("GET", "/{kind:talk}/{id}", Talk, ""),
    ("POST", "/{kind:talk}/{id}", Talk, "nonce={nonce}&text=hello"),
    ("POST", "/{kind:c|g|dm|talk}/{name}/level", Channel, "level=none"),
    ("POST", "/{kind:c|talk}/{name}/join", Channel, ""),
    ("POST", "/{kind:c|g|talk}/{name}/leave", Channel, ""),
    ("GET", "/{kind:c|g}/{name}/settings", Channel, ""),
    ("POST", "/{kind:c|g}/{name}/settings", Channel, "do=change&name={nonce}&topic=x"),
    ("POST", "/{kind:c|g}/{name}/settings", Channel, "do=invite&user=cleo"),
    ("POST", "/{kind:c|g}/{name}/settings", Channel, "do=kick&user=ann"),
    ("POST", "/{kind:c|g}/{name}/settings", Channel, "do=delete"),
    ("GET", "/m/{room}/{seq}", Message, ""),
    ("GET", "/search", Nothing, ""),
    ("GET", "/bookmarks", Nothing, ""),
    ("POST", "/bookmarks", Message, "room={room}&seq={seq}&keep=on"),
    ("GET", "/attachments/{id}/{name}", SentFile, ""),
    ("GET", "/api/v1/rooms", Nothing, ""),
    ("POST", "/api/v1/rooms", Nothing, r#"{"kind":"channel","name":"{nonce}"}"#),
    ("POST", "/api/v1/rooms", Nothing, r#"{"kind":"group","name":"Choir","members":["ann"]}"#),
    ("GET", "/api/v1/rooms/{id}", Group, ""),
    ("PATCH", "/api/v1/rooms/{id}", Channel, r#"{"topic":"x"}"#),
    ("PATCH", "/api/v1/rooms/{id}", Group, r#"{"topic":"x"}"#),
    ("DELETE", "/api/v1/rooms/{id}", Channel, ""),
    ("DELETE", "/api/v1/rooms/{id}", Group, ""),
    ("DELETE", "/api/v1/rooms/{id}", Talk, ""),
    ("PUT", "/api/v1/rooms/{id}/level", Group, r#"{"level":"none"}"#),
    ("POST", "/api/v1/rooms/{id}/join", Channel, ""),
    ("POST", "/api/v1/rooms/{id}/join", Group, ""),
    ("POST", "/api/v1/rooms/{id}/join", Talk, ""),
    ("POST", "/api/v1/rooms/{id}/leave", Group, ""),
    ("GET", "/api/v1/rooms/{id}/members", Group, ""),
    ("POST", "/api/v1/rooms/{id}/members", Channel, r#"{"username":"cleo"}"#),
    ("POST", "/api/v1/rooms/{id}/members", Group, r#"{"username":"cleo"}"#),
    ("DELETE", "/api/v1/rooms/{id}/members/{username}", Channel, ""),
    ("DELETE", "/api/v1/rooms/{id}/members/{username}", Group, ""),
    ("POST", "/api/v1/direct", Direct, r#"{"username":"{name}"}"#),
    ("GET", "/api/v1/rooms/{id}/changes", Group, ""),
    ("GET", "/api/v1/rooms/{id}/messages", Group, ""),
    ("POST", "/api/v1/rooms/{id}/messages", Channel, r#"{"nonce":"{nonce}","text":"hello"}"#),
    ("POST", "/api/v1/rooms/{id}/messages", Group, r#"{"nonce":"{nonce}","text":"hello"}"#),
    ("POST", "/api/v1/rooms/{id}/attachments", Group, FILE),
    ("PATCH", "/api/v1/rooms/{id}/attachments/{attachment}", Attachment, r#"{"description":"x"}"#),
    ("DELETE", "/api/v1/rooms/{id}/attachments/{attachment}", Attachment, ""),
    ("GET", "/api/v1/rooms/{id}/messages/{seq}/bookmark", Message, ""),
    ("PUT", "/api/v1/rooms/{id}/messages/{seq}/bookmark", Message, ""),
    ("DELETE", "/api/v1/rooms/{id}/messages/{seq}/bookmark", Message, ""),
    ("GET", "/api/v1/bookmarks", Nothing, ""),
    ("GET", "/api/v1/search", Nothing, ""),
    ("POST", "/api/v1/rooms/{id}/messages/{seq}/report", Message, r#"{"reason":"spam"}"#),
    ("GET", "/api/v1/rooms/{id}/pins", Group, ""),
    ("PATCH", "/api/v1/rooms/{id}/messages/{seq}", Message, r#"{"text":"other"}"#),
    ("DELETE", "/api/v1/rooms/{id}/messages/{seq}", Message, ""),
    ("PUT", "/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", Message, ""),
    ("DELETE", "/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", Message, ""),
    ("PUT", "/api/v1/rooms/{id}/messages/{seq}/preview", Message, ""),
    ("DELETE", "/api/v1/rooms/{id}/messages/{seq}/preview", Message, ""),
    ("PUT", "/api/v1/rooms/{id}/messages/{seq}/pin", Message, ""),
    ("DELETE", "/api/v1/rooms/{id}/messages/{seq}/pin", Message, ""),
    // The library.
    ("GET", "/media", Nothing, ""),
    ("GET", "/media/trash", Nothing, ""),
    ("POST", "/media/trash", Trashed, "do=restore&id={id}"),
    ("POST", "/media/trash", Trashed, "do=delete&id={id}"),
    ("GET", "/media/lists", Nothing, ""),
    ("POST", "/media/lists", Nothing, "do=create&name=Choir"),
    ("GET", "/media/lists/{id}", List, ""),
    ("POST", "/media/lists/{id}", List, "do=change&name=Choir&public=on"),
    ("POST", "/media/lists/{id}", Listed, "do=take&item={item}"),
    ("POST", "/media/lists/{id}", List, "do=delete"),
    ("GET", "/media/{id}", Item, ""),
    ("GET", "/media/{id}/edit", Item, ""),
    ("POST", "/media/{id}/edit", Item, "do=change&title=Other"),
    ("POST", "/media/{id}/edit", Item, "do=trash"),
    ("GET", "/media/{id}/captions", Item, ""),
    ("POST", "/media/{id}/captions", Captions, "do=remove&language=en"),
    ("GET", "/media/{id}/captions/{language}.vtt", Captions, ""),
    ("GET", "/media/{id}/file", Item, ""),
    ("POST", "/media/{id}/preparation", Item, "do=again"),
    ("GET", "/media/{id}/r/{name}", Item, ""),
    ("GET", "/api/v1/media", Nothing, ""),
    ("POST", "/api/v1/media", Nothing, TUS),
    ("OPTIONS", "/api/v1/media", Nothing, ""),
    ("GET", "/api/v1/media/uploads", Nothing, ""),
    ("HEAD", "/api/v1/media/uploads/{id}", Upload, TUS),
    ("PATCH", "/api/v1/media/uploads/{id}", Upload, TUS),
    ("DELETE", "/api/v1/media/uploads/{id}", Upload, TUS),
    ("POST", "/api/v1/media/uploads/{id}", Upload, TUS),
    ("OPTIONS", "/api/v1/media/uploads/{id}", Upload, ""),
    ("GET", "/api/v1/media/trash", Nothing, ""),
    ("GET", "/api/v1/media/{id}", Item, ""),
    ("PUT", "/api/v1/media/{id}", Nothing, WAV),
    ("PATCH", "/api/v1/media/{id}", Item, r#"{"title":"Other"}"#),
    ("DELETE", "/api/v1/media/{id}", Item, ""),
    ("GET", "/api/v1/media/{id}/captions", Item, ""),
    ("PUT", "/api/v1/media/{id}/captions/{language}", Item, VTT),
    ("DELETE", "/api/v1/media/{id}/captions/{language}", Captions, ""),
    ("GET", "/api/v1/media/{id}/position", Item, ""),
    ("PUT", "/api/v1/media/{id}/position", Item, r#"{"position":1}"#),
    ("POST", "/api/v1/media/{id}/preparation", Item, ""),
    ("DELETE", "/api/v1/media/{id}/preparation", Item, ""),
    ("POST", "/api/v1/media/{id}/restore", Trashed, ""),
    ("GET", "/api/v1/media/{id}/file", Item, ""),
    ("GET", "/api/v1/media/{id}/original", Item, ""),
    ("GET", "/api/v1/media/{id}/poster", Item, ""),
    ("GET", "/api/v1/media/lists", Nothing, ""),
    ("POST", "/api/v1/media/lists", Nothing, r#"{"name":"Choir"}"#),
    ("GET", "/api/v1/media/lists/{id}", List, ""),
    ("PATCH", "/api/v1/media/lists/{id}", List, r#"{"name":"Other"}"#),
    ("DELETE", "/api/v1/media/lists/{id}", List, ""),
    ("PUT", "/api/v1/media/lists/{id}/items/{item}", List, ""),
    ("DELETE", "/api/v1/media/lists/{id}/items/{item}", Listed, ""),
    ("PUT", "/api/v1/media/lists/{id}/order", Listed, r#"{"items":[{item}]}"#),
    // Live streams.
    ("GET", "/live", Nothing, ""),
    ("POST", "/live", Nothing, "name={nonce}"),
    ("GET", "/live/{name}", Stream, ""),
    ("GET", "/live/{name}/edit", Stream, ""),
    ("POST", "/live/{name}/edit", Stream, "do=change&title=Other"),
    ("POST", "/live/{name}/edit", Stream, "do=key"),
    ("POST", "/live/{name}/edit", Stream, "do=token"),
    ("POST", "/live/{name}/edit", Stream, "do=untoken"),
    ("POST", "/live/{name}/edit", Stream, "do=delete"),
    ("POST", "/live/{name}/acknowledge", Alarm, "alarm={id}"),
    ("POST", "/live/{name}/push", Stream, "reading=1"),
    ("PUT", "/live/{name}/push", Stream, "reading=1"),
    ("GET", "/live/{name}/push", Stream, ""),
    ("GET", "/live/{name}/ws", Stream, ""),
    ("GET", "/live/{name}/events", Stream, ""),
    ("GET", "/live/{name}/samples", Stream, ""),
    ("GET", "/live/{name}/samples.csv", Stream, ""),
    ("GET", "/live/{name}/picture.jpg", Alarm, ""),
    ("GET", "/live/{name}/index.m3u8", Stream, ""),
    ("GET", "/live/{name}/init-{era}.mp4", Stream, ""),
    ("GET", "/live/{name}/segment-{number}.m4s", Stream, ""),
    ("GET", "/live/{name}/recordings", Stream, ""),
    ("POST", "/live/{name}/recordings", Stream, "do=record"),
    ("POST", "/live/{name}/recordings", Stream, "do=stop"),
    ("POST", "/live/{name}/recordings", Recording, "do=delete&id={id}"),
    ("GET", "/live/{name}/recordings/{id}.ndjson", Recording, ""),
    ("GET", "/live/{name}/recordings/{id}.csv", Recording, ""),
    ("GET", "/api/v1/live/{name}/recordings", Stream, ""),
    ("DELETE", "/api/v1/live/{name}/recordings/{id}", Recording, ""),
    ("GET", "/api/v1/live", Nothing, ""),
    ("POST", "/api/v1/live", Nothing, r#"{"name":"{nonce}"}"#),
    ("GET", "/api/v1/live/{name}", Stream, ""),
    ("PATCH", "/api/v1/live/{name}", Stream, r#"{"title":"Other"}"#),
    ("DELETE", "/api/v1/live/{name}", Stream, ""),
    ("POST", "/api/v1/live/{name}/key", Stream, ""),
    ("GET", "/api/v1/live/{name}/alarms", Alarm, ""),
    ("POST", "/api/v1/live/{name}/alarms/{id}/acknowledge", Alarm, ""),
    ("POST", "/api/v1/live/{name}/token", Stream, ""),
    ("DELETE", "/api/v1/live/{name}/token", Stream, ""),
];

/// One request, to be tried by everybody.
pub struct Try {
    pub method: &'static str,
    /// The route as the source has it.
    pub written: &'static str,
    pub object: Object,
    body: &'static str,
}

/// What ends sessions, or changes how one signs in.
const ENDING: [&str; 5] = [
    "/logout",
    "/settings/sessions/revoke-others",
    "/settings/security",
    "/settings/security/second",
    "/settings/devices",
];

impl Try {
    /// Whether it is tried by somebody who has just come in, and of whom nothing else is asked.
    pub fn needs_somebody_new(&self) -> bool {
        self.object.is_oneself() || ENDING.contains(&self.written) || OPEN.contains(&self.written)
    }

    /// What tells two tries of one route apart.
    pub fn note(&self) -> String {
        let several = ROWS.iter().filter(|row| row.0 == self.method && row.1 == self.written).count() > 1;
        let by_kind = if several { format!("  {:?} {}", self.object, self.body) } else { String::new() };
        by_kind.trim_end().to_owned()
    }

    pub async fn ask(&self, who: &Visitor, route: &str, made: &Made) -> Answer {
        let request = self.request(who, route, made);
        // Those who are let in get events for ever.
        if route.ends_with("/events") { who.begun(request).await } else { who.answer(request).await }
    }

    pub fn request(&self, who: &Visitor, route: &str, made: &Made) -> RequestBuilder {
        let method: Method = self.method.parse().unwrap();
        let query = if route.ends_with("/changes") { "?after=0" } else { "" };
        let request = who.request(method, &format!("{}{query}", made.fill(route)));
        match self.body {
            "" => request,
            WAV => request.body(recording(&made.fill("{nonce}"))),
            FILE => {
                let file = Part::bytes(b"hello".to_vec()).file_name("hello.txt");
                request.multipart(Form::new().part("file", file))
            }
            VTT => request.body("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"),
            TUS => request
                .header("Tus-Resumable", "1.0.0")
                .header("Upload-Offset", "0")
                .header("Upload-Length", "10")
                .header("Upload-Metadata", "filename c29uZy53YXY=")
                .header("content-type", "application/offset+octet-stream")
                .header("X-HTTP-Method-Override", "DELETE"),
            json if route.starts_with("/api") => {
                request.header("content-type", "application/json").body(made.fill(json))
            }
            form => request.header("content-type", "application/x-www-form-urlencoded").body(made.fill(form)),
        }
    }
}

/// Every try, with its route for one kind of room where it is for several.
pub fn all() -> Vec<(String, Try)> {
    let mut all = Vec::new();
    for (method, written, object, body) in ROWS {
        for (route, object) in kinds(written, *object) {
            all.push((route, Try { method, written, object, body }));
        }
    }
    all
}

fn kinds(route: &str, object: Object) -> Vec<(String, Object)> {
    let Some((before, rest)) = route.split_once("{kind:") else { return vec![(route.to_owned(), object)] };
    let (kinds, after) = rest.split_once('}').unwrap();
    let object = |kind| match kind {
        "c" => Channel,
        "g" => Group,
        "dm" => Direct,
        "talk" => Talk,
        other => panic!("no room is of kind {other}"),
    };
    kinds.split('|').map(|kind| (format!("{before}{kind}{after}"), object(kind))).collect()
}

/// Method and route of everything that the source has; what takes every method is asked by GET.
pub fn written() -> BTreeSet<(String, String)> {
    let source = tree::read("src/routes.rs") + &tree::read("src/routes/entrance.rs");
    let mut found = BTreeSet::new();
    for rest in source.split("resource(\"").skip(1) {
        let (path, rest) = rest.split_once('"').unwrap();
        let path = path.to_owned();
        // Behind a feature, in no release.
        if path == "/echo" {
            continue;
        }
        let methods: Vec<&str> =
            rest.split(".route(").skip(1).map(|rest| rest.split('(').next().unwrap()).collect();
        if methods.is_empty() {
            assert!(rest.starts_with(").to("), "{path} has no method: {}", &rest[..40]);
            found.insert(("GET".to_owned(), path));
            continue;
        }
        for method in methods {
            let method = method.trim_start_matches("web::").to_uppercase();
            let method = if method == "BACK" { "GET".to_owned() } else { method };
            found.insert((method, path.clone()));
        }
    }
    found
}
