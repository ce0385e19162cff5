//! Looking after accounts: roles, locking out, links for a new password.

use crate::app::{App, PASSWORD, spawn_app};
use crate::visitor::{Answer, Visitor};
use serde_json::{Value, json};

const NEW: &str = "a better password";

/// An owner, an admin, a moderator and a member, in this order, each by name.
pub async fn staff(app: &App) -> [Visitor; 4] {
    let all = [
        app.register("owner").await,
        app.register("admin").await,
        app.register("mod").await,
        app.register("mem").await,
    ];
    for (name, role) in [("admin", "admin"), ("mod", "moderator")] {
        let change = json!({ "role": role });
        all[0].send("PATCH", &format!("/api/v1/accounts/{name}"), &change).await.is(200);
    }
    all
}

pub async fn id(visitor: &Visitor) -> i64 {
    visitor.me().await["id"].as_i64().unwrap()
}

/// The path of a link for a new password, made over the API.
async fn link(by: &Visitor, name: &str) -> String {
    let made = by.send("POST", &format!("/api/v1/accounts/{name}/reset"), &Value::Null).await.is(201).json();
    let link = made["link"].as_str().unwrap();
    link[link.find("/reset?code=").unwrap()..].to_owned()
}

async fn set_password(stranger: &Visitor, link: &str, password: &str) -> Answer {
    let code = link.split_once('=').unwrap().1;
    stranger.post("/reset", &[("code", code), ("password", password)]).await
}

async fn log_in(app: &App, name: &str, password: &str) -> Visitor {
    let visitor = app.stranger();
    visitor.post("/login", &[("username", name), ("password", password)]).await.is(303);
    visitor
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_ends_sessions_sockets_and_tokens() {
    let app = spawn_app().await;
    let [owner, .., ann] = staff(&app).await;
    let mut socket = ann.socket().await;
    let token = app.shell(&["token", "add", "mem"]).1;
    let program = || app.stranger().request(reqwest::Method::GET, "/api/v1/me").bearer_auth(token.trim());
    ann.answer(program()).await.is(200);
    let link = link(&owner, "mem").await;
    let page = app.stranger().get(&link).await.is(200).has("value=\"mem\"").text();
    assert!(!page.contains("action=\"/login\""), "{page}");
    set_password(&app.stranger(), &link, "short").await.is(422).has("at least 8").lacks("value=\"short\"");
    let done = set_password(&app.stranger(), &link, NEW).await.is(303);
    app.stranger().get(&done.header("location")).await.is(200).has("Your new password is set");
    assert_eq!(socket.end().await, 4001);
    ann.get("/api/v1/me").await.problem(401, "sign_in_first");
    ann.answer(program()).await.problem(401, "sign_in_first");
    app.stranger().post("/login", &[("username", "mem"), ("password", PASSWORD)]).await.is(422);
    log_in(&app, "mem", NEW).await;
    for spent in [link.as_str(), "/reset?code=", "/reset?code=guess", "/reset"] {
        app.stranger().get(spent).await.is(404);
    }
    set_password(&app.stranger(), &link, "yet another one").await.is(404).has("not any more");
}

#[tokio::test]
async fn of_two_with_one_link_one_sets_the_password() {
    let app = spawn_app().await;
    let [owner, .., _ann] = staff(&app).await;
    let link = link(&owner, "mem").await;
    let tries = (0..8).map(|n| {
        let (stranger, link) = (app.stranger(), link.clone());
        async move { (n, set_password(&stranger, &link, &format!("password {n}")).await.status) }
    });
    let answers = futures_util::future::join_all(tries).await;
    let winners: Vec<_> = answers.iter().filter(|(_, status)| *status == 303).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(_, status)| [303, 404].contains(status)), "{answers:?}");
    log_in(&app, "mem", &format!("password {}", winners[0].0)).await;
}

#[tokio::test]
async fn a_newer_link_a_log_in_the_time_and_being_locked_out_end_a_link() {
    let app = spawn_app().await;
    let [owner, .., _ann] = staff(&app).await;
    let older = link(&owner, "mem").await;
    let newer = link(&owner, "mem").await;
    app.stranger().get(&older).await.is(404);
    app.stranger().get(&newer).await.is(200);
    log_in(&app, "mem", PASSWORD).await;
    app.stranger().get(&newer).await.is(404);
    let late = link(&owner, "mem").await;
    app.store.accounts("UPDATE resets SET expires_at = 1");
    app.stranger().get(&late).await.is(404);
    let out = link(&owner, "mem").await;
    owner.send("PATCH", "/api/v1/accounts/mem", &json!({ "disabled": true })).await.is(200);
    app.stranger().get(&out).await.is(404);
    set_password(&app.stranger(), &out, NEW).await.is(404);
    owner.send("POST", "/api/v1/accounts/mem/reset", &Value::Null).await.problem(409, "locked_out");
}

#[tokio::test]
async fn the_shell_prints_a_link_that_works() {
    let app = spawn_app().await;
    app.register("ann").await;
    let (done, said) = app.shell(&["user", "reset", "ANN"]);
    assert!(done && said.starts_with("http://localhost:") && said.lines().count() == 1, "{said}");
    let link = &said.trim()[said.find("/reset?code=").unwrap()..];
    set_password(&app.stranger(), link, NEW).await.is(303);
    log_in(&app, "ann", NEW).await;
    assert!(!app.shell(&["user", "reset", "nobody"]).0);
    let guest = app.guest("Gus").await.me().await["username"].as_str().unwrap().to_owned();
    let (done, said) = app.shell(&["user", "reset", &guest]);
    assert!(!done && said.contains("no password"), "{said}");
}

#[tokio::test]
async fn nobody_raises_anybody_above_themself_or_touches_those_beside_them() {
    let app = spawn_app().await;
    let [owner, admin, moderator, mem] = staff(&app).await;
    let change = async |by: &Visitor, name: &str, role: &str| {
        by.send("PATCH", &format!("/api/v1/accounts/{name}"), &json!({ "role": role })).await
    };
    change(&admin, "mem", "owner").await.problem(403, "above_you");
    change(&admin, "owner", "member").await.problem(403, "above_you");
    change(&admin, "admin", "owner").await.problem(403, "above_you");
    change(&admin, "mem", "admin").await.is(200);
    change(&admin, "mem", "member").await.problem(403, "above_you");
    change(&owner, "mem", "member").await.is(200);
    for name in ["owner", "admin"] {
        let path = format!("/api/v1/accounts/{name}");
        let lock = json!({ "disabled": true });
        let code = if name == "admin" { "yourself" } else { "above_you" };
        admin.send("PATCH", &path, &lock).await.problem(403, code);
        admin.send("POST", &format!("{path}/reset"), &Value::Null).await.problem(403, code);
    }
    for other in [&moderator, &mem] {
        change(other, "mem", "member").await.problem(403, "admins_only");
        other.send("POST", "/api/v1/accounts/mem/reset", &Value::Null).await.problem(403, "admins_only");
        other.get("/api/v1/accounts").await.problem(403, "admins_only");
    }
    app.stranger().get("/api/v1/accounts").await.problem(401, "sign_in_first");
    change(&owner, "owner", "admin").await.problem(409, "last_owner");
    owner
        .send("PATCH", "/api/v1/accounts/owner", &json!({ "disabled": true }))
        .await
        .problem(403, "yourself");
    change(&owner, "admin", "owner").await.is(200);
    change(&owner, "owner", "member").await.is(200);
    owner.get("/admin/people").await.is(404);
    change(&owner, "owner", "owner").await.problem(403, "admins_only");
    change(&admin, "admin", "member").await.problem(409, "last_owner");
    change(&admin, "nobody", "member").await.problem(404, "not_found");
    change(&admin, "mem", "king").await.problem(422, "invalid");
    let guest = app.guest("Gus").await.me().await["username"].as_str().unwrap().to_owned();
    change(&admin, &guest, "member").await.problem(409, "guest");
}

#[tokio::test]
async fn a_new_role_counts_at_once_in_open_sockets_too() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = mem.create("talk").await;
    moderator.join(&room).await.is(200);
    let seqs = [mem.say(&room, "one").await.is(201).json(), mem.say(&room, "two").await.is(201).json()];
    let mut socket = moderator.socket().await;
    socket.must(json!({ "type": "delete", "room": room["id"], "seq": seqs[0]["seq"] })).await;
    owner.send("PATCH", "/api/v1/accounts/mod", &json!({ "role": "member" })).await.is(200);
    let user = moderator.me().await["id"].clone();
    socket.hear("the news", |frame| frame["type"] == "profile" && frame["user"] == user).await;
    let id = socket.say(json!({ "type": "delete", "room": room["id"], "seq": seqs[1]["seq"] })).await;
    let reply = socket.hear("a reply", |frame| frame["type"] == "reply" && frame["id"] == id).await;
    assert_eq!(reply["ok"], false, "{reply}");
}

#[tokio::test]
async fn the_pages_do_it_without_a_script_and_say_what_is_in_the_way() {
    let app = spawn_app().await;
    let [owner, admin, _, mem] = staff(&app).await;
    let list = owner.get("/admin/people").await.is(200).has("@mem").has("owner of the place").text();
    assert_eq!(list.matches("class=\"account-name\"").count(), 4);
    owner.get("/admin/people?query=me").await.is(200).has("@mem").lacks("@admin");
    owner.get("/admin/people?query=zzz").await.is(200).has("Nobody by that name");
    let page = format!("/admin/people/{}", id(&mem).await);
    owner.get(&page).await.is(200).has("action=\"/admin/people/").has("value=\"owner\"");
    admin.get(&page).await.is(200).lacks("value=\"owner\"").has("value=\"admin\"");
    owner.post(&format!("{page}/role"), &[("role", "moderator")]).await.is(303);
    assert_eq!(mem.me().await["role"], "moderator");
    owner.post(&format!("{page}/role"), &[("role", "guest")]).await.is(422).has("A role is");
    let made = owner
        .post(&format!("{page}/reset"), &[])
        .await
        .is(200)
        .has("/reset?code=")
        .has("take the account over");
    made.has(&app.origin());
    owner.get(&page).await.is(200).lacks("/reset?code=");
    let mut socket = mem.socket().await;
    owner.post(&format!("{page}/disable"), &[("disabled", "on")]).await.is(303);
    assert_eq!(socket.end().await, 4001);
    owner.get(&page).await.is(200).has("locked out").has("Let them in again").lacks("/reset\"");
    app.stranger().post("/login", &[("username", "mem"), ("password", PASSWORD)]).await.is(422);
    owner.post(&format!("{page}/disable"), &[("disabled", "off")]).await.is(303);
    owner.post(&format!("{page}/disable"), &[("disabled", "perhaps")]).await.is(422).has("on or off");
    let mem = log_in(&app, "mem", PASSWORD).await;
    let own = format!("/admin/people/{}", id(&owner).await);
    owner.get(&own).await.is(200).lacks("/disable\"").lacks("/reset\"").has("/role\"");
    owner.post(&format!("{own}/role"), &[("role", "member")]).await.is(409).has("only owner");
    owner.post(&format!("{own}/disable"), &[("disabled", "on")]).await.is(403).has("lock yourself out");
    owner.post(&format!("{own}/reset"), &[]).await.is(403).has("in your settings");
    admin.get(&own).await.is(200).lacks("<form class=\"form form-row\"");
    admin.post(&format!("{own}/role"), &[("role", "member")]).await.is(403).has("yours to change");
    owner.get("/admin/people/4711").await.is(404);
    mem.get("/admin/people").await.is(404);
    mem.get(&page).await.is(404);
}

#[tokio::test]
async fn the_list_over_the_api_has_everybody_and_goes_on_where_a_page_ends() {
    let app = spawn_app().await;
    let [owner, ..] = staff(&app).await;
    owner.send("PATCH", "/api/v1/accounts/mem", &json!({ "disabled": true })).await.is(200);
    let first = owner.get("/api/v1/accounts?limit=3").await.is(200).json();
    let names: Vec<&str> =
        first["accounts"].as_array().unwrap().iter().map(|a| a["username"].as_str().unwrap()).collect();
    assert_eq!((names, &first["more"]), (vec!["admin", "mem", "mod"], &json!(true)));
    assert_eq!(first["accounts"][1]["disabled"], true);
    let rest = owner.get("/api/v1/accounts?limit=3&after=mod").await.json();
    assert_eq!((&rest["accounts"][0]["role"], &rest["more"]), (&json!("owner"), &json!(false)));
}
