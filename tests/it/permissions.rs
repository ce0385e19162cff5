//! Who may do what: every route and every socket command, tried by everybody on what is theirs, on others' and on what
//! isn't there.
//!
//! `permissions.txt` beside this says what each of them came to. A route or command that isn't tried fails here, and so does
//! an answer that differs from the table; whoever changes one changes its line, where a reviewer sees it.

mod commands;
mod objects;
mod routes;

use crate::app::{App, PASSWORD, spawn_app};
use crate::store;
use crate::tree;
use crate::visitor::{Answer, Visitor};
use futures_util::StreamExt as _;
use objects::Whose;
use routes::Try;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What people are in the place, from nobody to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Stranger,
    Guest,
    Member,
    Moderator,
    Admin,
    Owner,
}

const ROLES: [Role; 6] =
    [Role::Stranger, Role::Guest, Role::Member, Role::Moderator, Role::Admin, Role::Owner];

/// A letter of the table: what an answer means for whoever asked.
fn verdict(answer: &Answer, what: &str) -> char {
    let to = answer.header("location");
    match answer.status {
        // To the entry, with the way back.
        303 if to.starts_with("/login?next=") || to == "/login" => 's',
        // Let in; what was sent along may still be wrong, or have been there before.
        101 | 200..=399 | 400 | 405 | 409 | 413 | 415 | 422 => '+',
        401 => 's',
        403 => '-',
        // 408: a way in that was never begun, or is over.
        404 | 408 | 410 => '.',
        status => panic!("{what}: {status}: {}", answer.text()),
    }
}

/// The place with its people: one of each role, and Ann, who made what is others'.
struct Place {
    app: App,
    ann: Visitor,
    count: AtomicUsize,
    /// One of each role, for all that leaves them as they are.
    usual: BTreeMap<Role, Visitor>,
}

impl Place {
    async fn new() -> Self {
        let app = spawn_app().await;
        app.register("owner").await;
        let ann = app.register("ann").await;
        // Whom others are asked to bring in.
        app.register("cleo").await;
        let mut place = Self { app, ann, count: AtomicUsize::new(0), usual: BTreeMap::new() };
        for role in ROLES {
            let visitor = place.somebody(role).await;
            place.usual.insert(role, visitor);
        }
        place
    }

    /// A name that nobody and nothing has.
    fn name(&self) -> String {
        format!("n{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// What the owner asks in a session for this alone: others may have ended any that is kept.
    async fn as_owner(&self, method: &str, path: &str, body: &Value) -> Answer {
        let owner = Box::pin(self.somebody(Role::Owner)).await;
        let answer = owner.send(method, path, body).await;
        owner.post("/logout", &[]).await;
        answer
    }

    /// Somebody of this role, who has just come in.
    async fn somebody(&self, role: Role) -> Visitor {
        let name = self.name();
        let raised = match role {
            Role::Stranger => return self.app.stranger(),
            Role::Guest => return self.app.guest(&name).await,
            Role::Owner => {
                let owner = self.app.stranger();
                owner.post("/login", &[("username", "owner"), ("password", PASSWORD)]).await.is(303);
                return owner;
            }
            Role::Member => return self.app.register(&name).await,
            Role::Moderator => "moderator",
            Role::Admin => "admin",
        };
        let visitor = self.app.register(&name).await;
        let path = format!("/api/v1/accounts/{name}");
        self.as_owner("PATCH", &path, &json!({ "role": raised })).await.is(200);
        visitor
    }
}

/// The table's lines for one thing that is tried: a letter for each role.
fn line(what: &str, whose: &str, letters: &str) -> String {
    format!("{letters}  {whose:<8}{what}")
}

async fn lines_of(place: &Place, route: &str, attempt: &Try) -> Vec<String> {
    let mut lines = Vec::new();
    let what = format!("{:<7}{route}{}", attempt.method, attempt.note());
    for whose in attempt.object.relations() {
        let mut letters = String::new();
        for role in ROLES {
            let new = if attempt.needs_somebody_new() { Some(place.somebody(role).await) } else { None };
            let who = new.as_ref().unwrap_or(&place.usual[&role]);
            // Somebody who can't have made anything has nothing of their own.
            let Some(made) = objects::make(place, who, role, attempt.object, *whose).await else {
                letters.push(' ');
                continue;
            };
            let answer = attempt.ask(who, route, &made).await;
            letters.push(verdict(&answer, &format!("{what} {whose:?} by {role:?}")));
            objects::clear(place, who, attempt.object, *whose, &made).await;
            // One person keeps only so many sessions: the oldest would be ended.
            if let (Some(owner), Role::Owner) = (new, role) {
                owner.post("/logout", &[]).await;
            }
        }
        lines.push(line(&what, whose.word(), &letters));
    }
    lines
}

async fn lines_of_command(place: &Place, command: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut shown = command.clone();
    let object = commands::object(command);
    for field in ["id", "room", "seq"] {
        shown.as_object_mut().unwrap().remove(field);
    }
    let what = format!("/ws    {shown}");
    for whose in object.relations() {
        let mut letters = String::from(" ");
        for role in &ROLES[1..] {
            let who = &place.usual[role];
            let Some(made) = objects::make(place, who, *role, object, *whose).await else {
                letters.push(' ');
                continue;
            };
            letters.push(commands::ask(who, command, &made).await);
        }
        lines.push(line(&what, whose.word(), &letters));
    }
    lines
}

/// What would be wrong whatever the table says.
fn flaws(lines: &BTreeMap<String, String>) -> Vec<String> {
    let mut flaws = Vec::new();
    for (rest, letters) in lines {
        let by: Vec<char> = letters.chars().collect();
        let (whose, what) = rest.split_at(8);
        let whose = whose.trim();
        let mut flaw = |words: &str| flaws.push(format!("!{letters}  {rest}: {words}"));
        if whose != Whose::Own.word()
            && by[2..].windows(2).any(|two| two[0] == '+' && matches!(two[1], '-' | '.'))
        {
            flaw("somebody below may more than somebody above");
        }
        let changes = !["GET", "HEAD", "OPTIONS"].iter().any(|method| what.starts_with(method));
        if changes && by[0] == '+' && !routes::OPEN.iter().any(|open| what.contains(open)) {
            flaw("open to strangers");
        }
        // What is answered so for what isn't there tells nothing, and does nothing.
        let as_absent = || lines.get(&format!("{:<8}{what}", Whose::Absent.word())) == Some(letters);
        if whose == Whose::Closed.word() && letters[..3].contains('+') && !as_absent() {
            flaw("reached by people whom it isn't for");
        }
    }
    flaws
}

#[test]
fn a_route_that_is_too_open_would_be_seen() {
    let line = |letters: &str, whose: &str, what: &str| {
        flaws(&BTreeMap::from([(format!("{whose:<8}{what}"), letters.to_owned())]))
    };
    assert!(line("s---++", "shared", "DELETE /api/v1/rooms/{id}").is_empty());
    assert!(line("....++", "closed", "GET    /g/{name}").is_empty());
    assert!(line("++++++", "", "POST   /login").is_empty());
    assert_eq!(line("++++++", "own", "POST   /board").len(), 1, "a stranger");
    assert_eq!(line("s-+---", "shared", "DELETE /api/v1/rooms/{id}").len(), 1, "a member alone");
    assert_eq!(line("s.+...", "closed", "GET    /g/{name}").len(), 2, "a member who isn't in it");
}

#[tokio::test]
async fn everybody_may_what_the_table_says() {
    // Who may do something is decided above the database; one engine is enough for thousands of questions.
    if store::postgres_server().is_some() {
        return;
    }
    let place = &Place::new().await;
    let (ending, tries): (Vec<_>, Vec<_>) =
        routes::all().into_iter().partition(|(_, attempt)| attempt.needs_somebody_new());
    let commands = commands::all();
    let routes = tries.iter().map(|(route, attempt)| {
        Box::pin(lines_of(place, route, attempt)) as std::pin::Pin<Box<dyn Future<Output = _>>>
    });
    let commands = commands.iter().map(|command| Box::pin(lines_of_command(place, command)) as _);
    let found: Vec<Vec<String>> =
        futures_util::stream::iter(routes.chain(commands)).buffered(12).collect().await;
    let mut found: Vec<String> = found.into_iter().flatten().collect();
    // Behind all others, and one by one: the owner's other sessions end on the way.
    for (route, attempt) in &ending {
        found.extend(lines_of(place, route, attempt).await);
    }
    let by_name = |line: &String| (line[8..].to_owned(), line[..6].to_owned());
    let table: BTreeMap<String, String> = found.iter().map(by_name).collect();
    assert_eq!(table.len(), found.len(), "two lines of one name");

    let written = tree::read("tests/it/permissions.txt");
    let written: BTreeSet<&str> =
        written.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let mut difference = String::new();
    for flaw in flaws(&table) {
        writeln!(difference, "{flaw}").unwrap();
    }
    for gone in written.difference(&found) {
        writeln!(difference, "-{gone}").unwrap();
    }
    for new in found.difference(&written) {
        writeln!(difference, "+{new}").unwrap();
    }
    assert!(difference.is_empty(), "tests/it/permissions.txt says otherwise:\n{difference}");
}

/// What a browser says of a request that another site's page began, one way or the other.
const FROM_ELSEWHERE: [(&str, &str); 5] = [
    ("origin", "http://evil.example"),
    ("origin", "null"),
    ("origin", "https://localhost.evil.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
];

#[tokio::test]
async fn no_route_changes_anything_for_the_page_of_another_site() {
    let place = &Place::new().await;
    let owner = &place.usual[&Role::Owner];
    let made = objects::absent();
    let mut tried = 0;
    for (route, attempt) in routes::all() {
        if matches!(attempt.method, "GET" | "HEAD" | "OPTIONS") {
            continue;
        }
        for (name, value) in FROM_ELSEWHERE {
            let request = attempt.request(owner, &route, &made).header(name, value);
            let answer = owner.answer(request).await;
            assert_eq!(answer.status, 403, "{} {route} with {name}: {value}", attempt.method);
            assert!(answer.text().contains("another site"), "{} {route}: {}", attempt.method, answer.text());
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
    // The same request from the place's own page goes through, so that it is the origin that is refused.
    let own = owner.request(reqwest::Method::POST, "/settings/profile").form(&[("status_state", "away")]);
    owner.answer(own.header("origin", place.app.origin())).await.is(303);
}

#[test]
fn every_route_and_command_is_tried() {
    let tried: BTreeSet<(String, String)> = routes::all()
        .into_iter()
        .map(|(_, attempt)| (attempt.method.to_owned(), attempt.written.to_owned()))
        .collect();
    let known = routes::written();
    assert!(known.len() > 150, "{}", known.len());
    let missing: Vec<_> = known.difference(&tried).collect();
    assert!(missing.is_empty(), "these belong into tests/it/permissions/routes.rs: {missing:#?}");
    let gone: Vec<_> = tried.difference(&known).collect();
    assert!(gone.is_empty(), "these are no routes any more: {gone:#?}");
    assert_eq!(commands::tried(), commands::written(), "each command belongs into permissions/commands.rs");
}
