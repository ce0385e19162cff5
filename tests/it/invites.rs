//! Invites: links by which people make accounts.

use crate::app::{PASSWORD, spawn_app, spawn_app_with};
use crate::visitor::{Answer, Visitor};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const BY_INVITE: [(&str, &str); 1] = [("registration", "invite")];

fn in_days(days: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now.as_secs() + days * 24 * 3600) * 1000
}

/// The code of a fresh invite, made over the API, and its number.
async fn invited(owner: &Visitor, uses: u64) -> (String, Value) {
    let wish = json!({ "label": "for a friend", "uses": uses, "expires_at": in_days(7) });
    let made = owner.send("POST", "/api/v1/invites", &wish).await.is(201).json();
    let link = made["link"].as_str().unwrap().to_owned();
    (link.split_once("/register?invite=").unwrap().1.to_owned(), made["id"].clone())
}

async fn register(visitor: &Visitor, username: &str, code: &str) -> Answer {
    visitor.post("/register", &[("username", username), ("password", PASSWORD), ("invite", code)]).await
}

#[tokio::test]
async fn where_it_takes_an_invite_the_first_account_needs_none_and_all_others_do() {
    let app = spawn_app_with(&BY_INVITE).await;
    app.stranger().get("/register").await.is(200).lacks("name=\"invite\"");
    let owner = app.register("owner").await;
    assert_eq!(owner.me().await["role"], "owner");
    app.stranger().get("/register").await.is(200).has("name=\"invite\"");
    let page = register(&app.stranger(), "ann", "").await.is(422).has("you need an invite");
    page.has("value=\"ann\"").lacks(PASSWORD);
    register(&app.stranger(), "ann", "abcdabcdabcdabcd")
        .await
        .is(422)
        .has("invite doesn&#39;t hold, or not any more");
    let (code, _) = invited(&owner, 1).await;
    let ann = app.stranger();
    ann.get(&format!("/register?invite={code}"))
        .await
        .is(200)
        .has("owner invites you.")
        .has(&format!("value=\"{code}\""));
    register(&ann, "ann", &format!(" {} ", code.to_uppercase())).await.is(303);
    assert_eq!((&ann.me().await["username"], &ann.me().await["role"]), (&json!("ann"), &json!("member")));
    register(&app.stranger(), "bob", &code).await.is(422).has("used up");
    app.stranger().get(&format!("/register?invite={code}")).await.is(200).has("used up").lacks("invites you");
}

#[tokio::test]
async fn whoever_isnt_invited_learns_no_name() {
    let app = spawn_app_with(&BY_INVITE).await;
    app.register("owner").await;
    let page = |name: &'static str| {
        let stranger = app.stranger();
        async move { register(&stranger, name, "wrong").await.is(422).text().replace(name, "NAME") }
    };
    assert_eq!(page("owner").await, page("nobody").await);
}

#[tokio::test]
async fn of_two_for_the_last_use_one_gets_it() {
    let app = spawn_app_with(&BY_INVITE).await;
    let owner = app.register("owner").await;
    let (code, id) = invited(&owner, 3).await;
    let names: Vec<String> = (0..12).map(|n| format!("racer{n}")).collect();
    let tries = names.iter().map(|name| {
        let (stranger, code) = (app.stranger(), code.clone());
        async move { register(&stranger, name, &code).await.status }
    });
    let mut answers = futures_util::future::join_all(tries).await;
    answers.sort_unstable();
    assert_eq!(answers, [vec![303; 3], vec![422; 9]].concat());
    let list = owner.get("/api/v1/invites").await.is(200).json();
    let invite = &list["invites"][0];
    assert_eq!((&invite["id"], &invite["used"], &invite["holds"]), (&id, &json!(3), &json!(false)));
    assert_eq!(invite["came"].as_array().unwrap().len(), 3, "{invite}");
    // Whoever was refused left nothing behind: the name is free.
    let (code, _) = invited(&owner, 12).await;
    let free = names.iter().map(|name| {
        let (stranger, code) = (app.stranger(), code.clone());
        async move { register(&stranger, name, &code).await.status }
    });
    let mut answers = futures_util::future::join_all(free).await;
    answers.sort_unstable();
    assert_eq!(answers, [vec![303; 9], vec![422; 3]].concat());
}

#[tokio::test]
async fn a_taken_name_costs_the_invite_nothing() {
    let app = spawn_app_with(&BY_INVITE).await;
    let owner = app.register("owner").await;
    let (code, _) = invited(&owner, 1).await;
    let ann = app.stranger();
    register(&ann, "OWNER", &code).await.is(422).has("taken").has(&format!("value=\"{code}\""));
    ann.post("/register", &[("username", "ann"), ("password", "short"), ("invite", &code)]).await.is(422);
    register(&ann, "ann", &code).await.is(303);
}

#[tokio::test]
async fn a_guest_becomes_an_account_by_an_invite_and_stays_who_they_are() {
    let app = spawn_app_with(&BY_INVITE).await;
    let owner = app.register("owner").await;
    let guest = app.guest("Early Bird").await;
    let before = guest.me().await["id"].clone();
    for page in ["/settings", "/dashboard"] {
        guest.get(page).await.is(200).has("action=\"/register\"").has("name=\"invite\"");
    }
    register(&guest, "bird", "").await.is(422).has("you need an invite");
    let (code, _) = invited(&owner, 1).await;
    guest.get(&format!("/register?invite={code}")).await.is(200).has("stays yours").has(&code);
    register(&guest, "bird", &code).await.is(303);
    let after = guest.me().await;
    assert_eq!((&after["id"], &after["username"], &after["guest"]), (&before, &json!("bird"), &json!(false)));
    let list = owner.get("/api/v1/invites").await.json();
    assert_eq!(list["invites"][0]["came"], json!([before]));
}

#[tokio::test]
async fn an_open_place_takes_invites_too_and_says_who_brought_whom() {
    let app = spawn_app().await;
    let owner = app.register("owner").await;
    app.stranger().get("/register").await.is(200).lacks("name=\"invite\"");
    let (code, _) = invited(&owner, 1).await;
    register(&app.stranger(), "ann", &code).await.is(303);
    owner.get("/admin/invites").await.is(200).has("1 of 1 came").has("</span>ann</a>");
    // One that doesn't hold is told, and the way without it stays.
    let bob = app.stranger();
    bob.get(&format!("/register?invite={code}"))
        .await
        .is(200)
        .has("used up")
        .has("Invite code, if you have one");
    register(&bob, "bob", &code).await.is(422).has("used up").has("Invite code, if you have one");
    register(&bob, "bob", "").await.is(303);
}

#[tokio::test]
async fn a_revoked_invite_and_one_of_somebody_who_lost_the_office_bring_nobody() {
    let app = spawn_app_with(&BY_INVITE).await;
    let owner = app.register("owner").await;
    let (code, id) = invited(&owner, 5).await;
    let page = owner.get("/admin/invites").await.is(200).text();
    let revoke = format!("/admin/invites/{id}/revoke");
    assert!(page.contains(&format!("action=\"{revoke}\"")), "{page}");
    owner.post(&revoke, &[]).await.is(303);
    owner.post(&revoke, &[]).await.is(404);
    owner.get("/admin/invites").await.is(200).has("revoked").lacks(&revoke);
    register(&app.stranger(), "ann", &code).await.is(422).has("not any more");
    owner.send("DELETE", &format!("/api/v1/invites/{id}"), &Value::Null).await.problem(404, "not_found");
    let (code, _) = invited(&owner, 5).await;
    register(&app.stranger(), "ada", &code).await.is(303);
    assert!(app.shell(&["user", "role", "ada", "admin"]).0);
    let ada = app.stranger();
    ada.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await.is(303);
    let (code, _) = invited(&ada, 5).await;
    register(&app.stranger(), "ann", &code).await.is(303);
    assert!(app.shell(&["user", "role", "ada", "member"]).0);
    register(&app.stranger(), "bob", &code).await.is(422).has("not any more");
}

#[tokio::test]
async fn a_closed_place_takes_no_invite() {
    let app = spawn_app().await;
    let (owner, mut app) = (app.register("owner").await, app);
    let (code, _) = invited(&owner, 5).await;
    app.set("registration", "closed").await;
    register(&app.stranger(), "ann", &code).await.is(403).has("Nobody can register here");
    owner.get("/admin/invites").await.is(200).has("registration is closed");
}

#[tokio::test]
async fn invites_are_made_by_a_form_that_needs_no_script_and_shown_once() {
    let app = spawn_app().await;
    let owner = app.register("owner").await;
    owner.get("/admin/invites").await.is(200).has("No invites yet");
    let form = [("label", "the <new> ones"), ("uses", "5"), ("days", "3")];
    let page = owner
        .post("/admin/invites", &form)
        .await
        .is(200)
        .has("not shown again")
        .has("the &#60;new&#62; ones")
        .text();
    let (_, rest) = page.split_once("/register?invite=").unwrap();
    let code = rest.split('"').next().unwrap();
    assert!(page.contains(&format!("{}/register?invite=", app.origin())) && code.len() == 16, "{code}");
    owner.get("/admin/invites").await.is(200).has("0 of 5 came").lacks(code);
    for (field, value, words) in [
        ("label", " ", "Say whom or what"),
        ("uses", "0", "1 to 1000 people"),
        ("uses", "many", "1 to 1000 people"),
        ("days", "9999", "within 365 days"),
        ("days", "-1", "within 365 days"),
    ] {
        let mut form = vec![("label", "x"), ("uses", "5"), ("days", "3")];
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        owner.post("/admin/invites", &form).await.is(422).has(words).has("aria-invalid");
    }
    let wrong = json!({ "label": "x", "uses": 1, "expires_at": 5 });
    let problem = owner.send("POST", "/api/v1/invites", &wrong).await.problem(422, "invalid");
    assert_eq!(problem["fields"][0]["field"], "expires_at");
}

#[tokio::test]
async fn nobody_but_owner_and_admins_sees_or_makes_invites() {
    let app = spawn_app().await;
    let owner = app.register("owner").await;
    let (_, id) = invited(&owner, 1).await;
    app.register("mod").await;
    assert!(app.shell(&["user", "role", "mod", "moderator"]).0);
    let moderator = app.stranger();
    moderator.post("/login", &[("username", "mod"), ("password", PASSWORD)]).await.is(303);
    let wish = json!({ "label": "x", "uses": 1, "expires_at": in_days(1) });
    for other in [moderator, app.register("ann").await, app.guest("Gus").await] {
        other.get("/admin/invites").await.is(404);
        other.post("/admin/invites", &[("label", "x"), ("uses", "1"), ("days", "1")]).await.is(404);
        other.post(&format!("/admin/invites/{id}/revoke"), &[]).await.is(404);
        other.get("/api/v1/invites").await.problem(403, "admins_only");
        other.send("POST", "/api/v1/invites", &wish).await.problem(403, "admins_only");
        other
            .send("DELETE", &format!("/api/v1/invites/{id}"), &Value::Null)
            .await
            .problem(403, "admins_only");
    }
    app.stranger().get("/admin/invites").await.is(303);
    app.stranger().get("/api/v1/invites").await.problem(401, "sign_in_first");
    let list = owner.get("/api/v1/invites").await.is(200).json();
    assert_eq!(list["invites"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(list["invites"][0]["link"], Value::Null, "shown once");
}

#[tokio::test]
async fn the_list_of_invites_goes_on_where_a_page_ends() {
    let app = spawn_app().await;
    let owner = app.register("owner").await;
    for _ in 0..23 {
        invited(&owner, 1).await;
    }
    let first = owner.get("/api/v1/invites").await.json();
    assert_eq!((first["invites"].as_array().unwrap().len(), &first["more"]), (20, &json!(true)));
    let last = &first["invites"][19]["id"];
    let rest = owner.get(&format!("/api/v1/invites?before={last}")).await.json();
    assert_eq!((rest["invites"].as_array().unwrap().len(), &rest["more"]), (3, &json!(false)));
    owner.get("/admin/invites").await.is(200).has(&format!("/admin/invites?before={last}"));
    let odd = owner.request(Method::GET, "/admin/invites?before=x");
    owner.answer(odd).await.is(400);
}
