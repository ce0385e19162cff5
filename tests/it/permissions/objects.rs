//! What is tried on: made afresh for each try, by whoever tries or by Ann.

use super::{Place, Role};
use crate::app::PASSWORD;
use crate::live::{make as make_stream, push, until};
use crate::visitor::{Answer, Visitor, nonce};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whose a thing is, as seen by whoever tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// There is no thing.
    None,
    Own,
    /// Somebody else's, for everybody's eyes.
    Shared,
    /// Somebody else's, and also for those who aren't signed in.
    Public,
    /// Somebody else's, not for theirs.
    Closed,
    /// The place's owner's, or the owner.
    Above,
    Absent,
}

impl Whose {
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Own => "own",
            Self::Shared => "shared",
            Self::Public => "public",
            Self::Closed => "closed",
            Self::Above => "above",
            Self::Absent => "absent",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Nothing,
    Channel,
    Group,
    /// The other one of a private conversation.
    Direct,
    /// The talk about an item.
    Talk,
    Message,
    /// Uploaded, not sent yet.
    Attachment,
    SentFile,
    Item,
    Captions,
    Trashed,
    List,
    /// An item that is in a list.
    Listed,
    Upload,
    Stream,
    Alarm,
    Recording,
    Person,
    /// A person, for those who look after accounts.
    Account,
    Invite,
    Report,
    Takedown,
    FilterWord,
    Session,
    Token,
    Device,
}

impl Object {
    /// Whether trying may end what somebody came in by, or change who they are: then it is tried by somebody new.
    pub fn is_oneself(self) -> bool {
        matches!(self, Self::Session | Self::Token | Self::Device | Self::Account)
    }

    pub fn relations(self) -> &'static [Whose] {
        use Whose::{Above, Absent, Closed, None, Own, Public, Shared};
        match self {
            Self::Nothing => &[None],
            Self::Channel | Self::Alarm | Self::Recording | Self::Person => &[Own, Shared, Absent],
            Self::Group
            | Self::Attachment
            | Self::Upload
            | Self::Trashed
            | Self::Session
            | Self::Token
            | Self::Device => &[Own, Closed, Absent],
            Self::Direct | Self::Invite | Self::Report | Self::Takedown | Self::FilterWord => {
                &[Shared, Absent]
            }
            Self::Talk
            | Self::Message
            | Self::SentFile
            | Self::Item
            | Self::Captions
            | Self::List
            | Self::Listed => &[Own, Shared, Closed, Absent],
            Self::Stream => &[Own, Shared, Public, Absent],
            Self::Account => &[Own, Shared, Above, Absent],
        }
    }
}

/// What stands for a path's `{…}`.
#[derive(Default)]
pub struct Made(Vec<(&'static str, String)>);

impl Made {
    #[allow(clippy::needless_pass_by_value, reason = "numbers, texts and JSON alike")]
    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.to_string()));
        self
    }

    /// Puts what was made into a path or a body.
    pub fn fill(&self, text: &str) -> String {
        let filled = self
            .0
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        let rest = [
            ("emoji", "%F0%9F%91%8D"),
            ("language", "en"),
            ("era", "1"),
            ("number", "1"),
            ("item", "999999"),
        ];
        let filled =
            rest.iter().fold(filled, |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        // What a body needs that nobody has.
        filled.replace("{nonce}", &nonce()).replace("{tomorrow}", &tomorrow().to_string())
    }

    pub fn number(&self, name: &str) -> i64 {
        let value = self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        value.unwrap_or_else(|| panic!("nothing was made for {name}")).parse().unwrap()
    }
}

/// Milliseconds since the Unix epoch.
fn tomorrow() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from((now + Duration::from_hours(24)).as_millis()).unwrap()
}

/// The answer's object; nothing when its maker may not make one.
fn allowed(answer: &Answer) -> Option<Value> {
    match answer.status {
        200 | 201 => Some(answer.json()),
        401 | 403 => None,
        status => panic!("{status}: {}", answer.text()),
    }
}

/// One thing of its kind, and of this relation to `who`. Nothing where they can't have one.
pub async fn make(place: &Place, who: &Visitor, role: Role, object: Object, whose: Whose) -> Option<Made> {
    if whose == Whose::Own && role == Role::Stranger {
        return None;
    }
    let by = if whose == Whose::Own { who } else { &place.ann };
    let made = Made::default();
    match (object, whose) {
        (Object::Nothing, _) => Some(made.with("id", "song.wav")),
        (_, Whose::Absent) => Some(absent()),
        (Object::Channel | Object::Group | Object::Direct | Object::Talk, _) => {
            room(place, who, by, object, whose).await
        }
        (Object::Message | Object::Attachment | Object::SentFile, _) => {
            words(place, who, by, object, whose).await
        }
        (Object::Item | Object::Captions | Object::Trashed, _) => item(place, by, whose, object)
            .await
            .map(|item| made.with("id", &item["id"]).with("name", "x.mp4")),
        (Object::List | Object::Listed, _) => list(place, by, object, whose).await,
        (Object::Upload, _) => upload(place, by).await,
        (Object::Stream | Object::Alarm | Object::Recording, _) => stream(place, by, object, whose).await,
        (Object::Person | Object::Account, _) => person(place, who, whose).await,
        (Object::Invite, _) => {
            let wish = json!({ "label": place.name(), "uses": 1, "expires_at": tomorrow() });
            let invite = place.as_owner("POST", "/api/v1/invites", &wish).await.is(201).json();
            Some(made.with("id", &invite["id"]))
        }
        (Object::Report, _) => report(place).await,
        (Object::Takedown, _) => {
            let path = format!("/api/v1/accounts/{}/takedowns", place.somebody_else().await.1);
            let down = place.as_owner("POST", &path, &json!({ "span": "day" })).await;
            Some(made.with("id", &down.json()["id"]))
        }
        (Object::FilterWord, _) => {
            let word = json!({ "word": place.name(), "effect": "report" });
            let word = place.as_owner("POST", "/api/v1/filter", &word).await.is(201).json();
            Some(made.with("id", &word["id"]))
        }
        (Object::Session | Object::Token | Object::Device, _) => credential(place, who, object, whose).await,
    }
}

/// Takes away what somebody may have only so many of, unless the try has.
pub async fn clear(place: &Place, who: &Visitor, object: Object, whose: Whose, made: &Made) {
    let by = if whose == Whose::Own { who } else { &place.ann };
    let path = match object {
        Object::Stream | Object::Alarm | Object::Recording => "/api/v1/live/{name}",
        Object::List | Object::Listed => "/api/v1/media/lists/{id}",
        Object::Upload => "/api/v1/media/uploads/{id}",
        _ => return,
    };
    let request = by.request(Method::DELETE, &made.fill(path)).header("Tus-Resumable", "1.0.0");
    let gone = by.answer(request).await;
    assert!(matches!(gone.status, 204 | 404), "{object:?}: {}", gone.text());
}

pub fn absent() -> Made {
    Made::default()
        .with("id", 999_999)
        .with("room", 999_999)
        .with("seq", 999_999)
        .with("attachment", 999_999)
        .with("name", "nothing-here")
        .with("username", "nobody-here")
}

async fn room(place: &Place, who: &Visitor, by: &Visitor, object: Object, whose: Whose) -> Option<Made> {
    let made = Made::default().with("username", "ann").with("seq", 1);
    let wish = match object {
        Object::Direct => return Some(made.with("name", place.somebody_else().await.1)),
        Object::Talk => {
            let item = item(place, by, whose, Object::Item).await?;
            let talk = by.talk_of(&item).await;
            by.join(&json!({ "id": talk })).await.is(200);
            return Some(made.with("id", talk).with("name", talk).with("room", talk));
        }
        Object::Channel => json!({ "kind": "channel", "name": place.name() }),
        _ => json!({ "kind": "group", "name": "Choir", "members": [] }),
    };
    let room = allowed(&by.send("POST", "/api/v1/rooms", &wish).await)?;
    by.say(&room, "hello").await.is(201);
    match object {
        // Ann is in it, to be sent away.
        Object::Channel if whose == Whose::Own => drop(place.ann.join(&room).await.is(200)),
        Object::Group if whose == Whose::Own => {
            let path = format!("/api/v1/rooms/{}/members", room["id"]);
            by.send("POST", &path, &json!({ "username": "ann" })).await.is(201);
        }
        // Whoever tries is in it, without its being theirs.
        Object::Channel => drop(who.join(&room).await),
        _ => {}
    }
    let name = if object == Object::Channel {
        room["name"].as_str().unwrap().to_owned()
    } else {
        room["id"].to_string()
    };
    Some(made.with("id", &room["id"]).with("name", name).with("room", &room["id"]))
}

async fn attach(by: &Visitor, room: &Value) -> Option<Value> {
    let file = Part::bytes(b"hello".to_vec()).file_name("hello.txt");
    let form = Form::new().part("file", file);
    let path = format!("/api/v1/rooms/{}/attachments", room["id"]);
    allowed(&by.answer(by.request(Method::POST, &path).multipart(form)).await)
}

/// A message or a file: in a channel where whoever tries is, or in a group where they aren't.
async fn words(place: &Place, who: &Visitor, by: &Visitor, object: Object, whose: Whose) -> Option<Made> {
    let wish = match whose {
        Whose::Closed => json!({ "kind": "group", "name": "Choir", "members": [] }),
        _ => json!({ "kind": "channel", "name": place.name() }),
    };
    let room = place.ann.send("POST", "/api/v1/rooms", &wish).await.is(201).json();
    if whose != Whose::Closed {
        who.join(&room).await;
    }
    let made = Made::default().with("id", &room["id"]).with("room", &room["id"]);
    if object == Object::Message {
        let message = by.say(&room, "hello").await.is(201).json();
        return Some(made.with("seq", &message["seq"]));
    }
    let file = attach(by, &room).await?;
    let made = made.with("attachment", &file["id"]);
    if object == Object::Attachment {
        return Some(made);
    }
    let body = json!({ "nonce": nonce(), "text": "", "attachments": [file["id"]] });
    by.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &body).await.is(201);
    Some(made.with("id", &file["id"]).with("name", "hello.txt"))
}

async fn item(place: &Place, by: &Visitor, whose: Whose, object: Object) -> Option<Value> {
    let name = format!("{}.wav", place.name());
    let put =
        by.request(Method::PUT, &format!("/api/v1/media/{name}")).body(crate::visitor::recording(&name));
    let item = allowed(&by.answer(put).await)?;
    let path = format!("/api/v1/media/{}", item["id"]);
    if object == Object::Captions {
        let captions = by.request(Method::PUT, &format!("{path}/captions/en"));
        by.answer(captions.body("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n")).await.is(200);
    }
    if whose == Whose::Closed {
        by.send("PATCH", &path, &json!({ "audience": "own" })).await.is(200);
    }
    if object == Object::Trashed {
        by.answer(by.request(Method::DELETE, &path)).await.is(204);
    }
    Some(item)
}

async fn list(place: &Place, by: &Visitor, object: Object, whose: Whose) -> Option<Made> {
    let wish = json!({ "name": place.name(), "public": whose == Whose::Shared });
    let list = allowed(&by.send("POST", "/api/v1/media/lists", &wish).await)?;
    // Something that everybody sees.
    let item = item(place, &place.ann, Whose::Shared, Object::Item).await?;
    if object == Object::Listed {
        let path = format!("/api/v1/media/lists/{}/items/{}", list["id"], item["id"]);
        by.answer(by.request(Method::PUT, &path)).await.is(204);
    }
    Some(Made::default().with("id", &list["id"]).with("item", &item["id"]))
}

async fn upload(place: &Place, by: &Visitor) -> Option<Made> {
    let name = data_encoding::BASE64.encode(format!("{}.wav", place.name()).as_bytes());
    let request = by
        .request(Method::POST, "/api/v1/media")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", "10")
        .header("Upload-Metadata", format!("filename {name}"));
    let made = by.answer(request).await;
    if matches!(made.status, 401 | 403) {
        return None;
    }
    let to = made.is(201).header("location");
    Some(Made::default().with("id", to.rsplit('/').next().unwrap()))
}

async fn stream(place: &Place, by: &Visitor, object: Object, whose: Whose) -> Option<Made> {
    let name = place.name();
    let probe = by.send("POST", "/api/v1/live", &json!({ "name": "" })).await;
    if matches!(probe.status, 401 | 403) {
        return None;
    }
    let fields = json!([{ "name": "level", "min": 10 }]);
    let wish = json!({ "fields": fields, "alarms": ["level < 10"], "public": whose == Whose::Public });
    let key = make_stream(by, &name, &wish).await;
    let made = Made::default().with("name", &name);
    let path = format!("/api/v1/live/{name}");
    match object {
        Object::Alarm => {
            let image = data_encoding::BASE64.encode(&crate::live::png(1));
            let sample = json!({ "level": 5, "image": image }).to_string();
            push(&place.app, &name, &key, "application/json", sample).await.is(200);
            let mut id = Value::Null;
            until("an alarm", async || {
                id = by.get(&path).await.is(200).json()["raised"][0]["id"].clone();
                !id.is_null()
            })
            .await;
            Some(made.with("id", id))
        }
        Object::Recording => {
            by.send("PATCH", &path, &json!({ "recording": true })).await.is(200);
            push(&place.app, &name, &key, "application/json", "{\"level\":20}").await.is(200);
            by.send("PATCH", &path, &json!({ "recording": false })).await.is(200);
            let mut id = Value::Null;
            until("a recording", async || {
                let list = by.get(&format!("{path}/recordings")).await.is(200).json();
                id = list["recordings"][0]["id"].clone();
                list["recordings"][0]["state"] == "done"
            })
            .await;
            Some(made.with("id", id.as_str().map_or(id.to_string(), str::to_owned)))
        }
        _ => Some(made),
    }
}

async fn named(visitor: &Visitor) -> (String, String) {
    let me = visitor.me().await;
    (me["id"].to_string(), me["username"].as_str().unwrap_or_default().to_owned())
}

async fn owner(place: &Place) -> (String, String) {
    let me = place.as_owner("GET", "/api/v1/users/owner", &Value::Null).await.is(200).json();
    (me["id"].to_string(), "owner".to_owned())
}

impl Place {
    /// A member whom nothing has happened to: their number and user name.
    async fn somebody_else(&self) -> (String, String) {
        named(&self.somebody(Role::Member).await).await
    }
}

async fn person(place: &Place, who: &Visitor, whose: Whose) -> Option<Made> {
    let (id, username) = match whose {
        Whose::Own => named(who).await,
        Whose::Above => owner(place).await,
        _ => place.somebody_else().await,
    };
    Some(Made::default().with("id", id).with("username", username))
}

async fn report(place: &Place) -> Option<Made> {
    let room = place.ann.create(&place.name()).await;
    let message = place.ann.say(&room, "hello").await.is(201).json();
    let path = format!("/api/v1/rooms/{}/messages/{}/report", room["id"], message["seq"]);
    let reason = place.name();
    place.ann.send("POST", &path, &json!({ "reason": reason })).await.is(204);
    // The latest first; the one with this reason is this one.
    let page = place.as_owner("GET", "/admin", &Value::Null).await.is(200).text();
    let before = page.split(&reason).next().unwrap();
    let after = page.split(&reason).nth(1).expect("the report is on the page");
    let id = |text: &str| {
        text.split("/admin/reports/").nth(1).map(|rest| rest.split('/').next().unwrap().to_owned())
    };
    let id = id(after).or_else(|| {
        before.rsplit("/admin/reports/").next().map(|rest| rest.split('/').next().unwrap().to_owned())
    });
    Some(Made::default().with("id", id.unwrap()))
}

/// A second session, a token, or a code shown for another device; each of whoever tries, or of a member.
async fn credential(place: &Place, who: &Visitor, object: Object, whose: Whose) -> Option<Made> {
    let somebody = place.somebody(Role::Member).await;
    let by = if whose == Whose::Own { who } else { &somebody };
    // Somebody with a password has come in twice; the list has a way to end the other one.
    let form = [("username", &*named(by).await.1), ("password", PASSWORD)];
    place.app.stranger().post("/login", &form).await;
    let (address, page) = match object {
        Object::Session => ("/settings/sessions/", by.get("/settings").await.is(200).text()),
        Object::Token => {
            ("/settings/tokens/", by.post("/settings/tokens", &[("label", "lamp")]).await.text())
        }
        _ => {
            let shown = by.post("/settings/devices", &[]).await;
            let to = shown.header("location");
            return to.strip_prefix("/settings/devices/").map(|id| Made::default().with("id", id));
        }
    };
    let id = page.split(address).nth(1)?.split('/').next()?.split('"').next()?;
    Some(Made::default().with("id", id))
}
