//! Coming in, leaving, and who one is.

use crate::app::{PASSWORD, spawn_app, spawn_app_with};
use crate::visitor::{Answer, Visitor};
use serde_json::json;
use std::process::Command;

/// Tries to register and answers with the page.
async fn try_register(visitor: &Visitor, username: &str, password: &str) -> Answer {
    visitor
        .post("/register", &[("username", username), ("password", password), ("display_name", "Ann Lee")])
        .await
}

#[tokio::test]
async fn whoever_registers_is_signed_in_and_the_first_one_is_the_owner() {
    let app = spawn_app().await;
    assert!(app.running().awaits_owner && app.running().owner_code.is_none());
    app.stranger().get("/").await.is(200).has("The first one to register becomes the owner");
    let ann = app.stranger();
    let answer = try_register(&ann, "ann", PASSWORD).await.is(303);
    assert_eq!(answer.header("location"), "/dashboard");
    let me = ann.me().await;
    assert_eq!((&me["username"], &me["display_name"]), (&json!("ann"), &json!("Ann Lee")));
    assert_eq!((&me["role"], &me["guest"]), (&json!("owner"), &json!(false)));
    let bob = app.register("bob").await;
    assert_eq!(bob.me().await["role"], "member");
    app.stranger().get("/").await.is(200).lacks("becomes the owner");
}

#[tokio::test]
async fn a_guest_who_comes_first_owns_nothing() {
    let app = spawn_app().await;
    let guest = app.guest("Early Bird").await;
    let me = guest.me().await;
    assert_eq!((&me["role"], &me["guest"]), (&json!("guest"), &json!(true)));
    assert!(me["username"].as_str().is_some_and(|name| name.starts_with("guest-")), "{me}");
    let ann = app.register("ann").await;
    assert_eq!(ann.me().await["role"], "owner");
}

#[tokio::test]
async fn a_guest_who_registers_keeps_the_id() {
    let app = spawn_app().await;
    app.register("owner").await;
    let guest = app.guest("Early Bird").await;
    let before = guest.me().await;
    guest.post("/register", &[("username", "bird"), ("password", PASSWORD)]).await.is(303);
    let after = guest.me().await;
    assert_eq!(
        (&before["id"], &json!("bird"), &json!(false)),
        (&after["id"], &after["username"], &after["guest"])
    );
}

#[tokio::test]
async fn a_wrong_field_is_named_and_what_was_typed_is_kept() {
    let app = spawn_app().await;
    app.register("taken").await;
    let long = "x".repeat(72);
    for (username, password, sentence) in [
        ("TaKeN", PASSWORD, "That user name is taken. Choose another one."),
        ("ann", "1234567", "A password has at least 8 characters."),
        ("ann", long.as_str(), "A password has at most 71 bytes"),
        ("a b", PASSWORD, "A user name is made of letters, digits, _ - and . only."),
        ("_ann", PASSWORD, "A user name starts with a letter or a digit."),
        ("guest-9", PASSWORD, "That user name is reserved."),
        ("", PASSWORD, "user name"),
    ] {
        let page = try_register(&app.stranger(), username, password).await.is(422).has(sentence);
        page.has(&format!("value=\"{username}\"")).has("value=\"Ann Lee\"").lacks(password);
    }
    let page = app.stranger().post("/guest", &[("display_name", "\u{200B}")]).await.is(422);
    page.has("aria-invalid");
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let app = spawn_app().await;
    app.register("asdfghjkl").await;
    let page = |name: &'static str, password: &'static str| {
        let stranger = app.stranger();
        async move {
            let answer = stranger.post("/login", &[("username", name), ("password", password)]).await.is(422);
            assert_eq!(stranger.cookie(), "");
            answer.has(&format!("value=\"{name}\"")).lacks(password).text().replace(name, "NAME")
        }
    };
    let unknown = page("qwertyuiop", "not this one").await;
    assert_eq!(unknown, page("asdfghjkl", "not this one").await);
    assert!(unknown.contains("belong together"), "{unknown}");
}

#[tokio::test]
async fn logging_in_counts_and_any_case_of_the_name_will_do() {
    let app = spawn_app().await;
    let first = app.register("Ann").await.me().await["login_count"].as_i64().unwrap();
    let again = app.stranger();
    for more in 1..=2 {
        again.post("/login", &[("username", "aNN"), ("password", PASSWORD)]).await.is(303);
        assert_eq!(again.me().await["login_count"], first + more);
    }
    again.get("/dashboard").await.is(200).has("Ann");
}

#[tokio::test]
async fn a_page_that_needs_somebody_leads_to_the_login_and_back() {
    let app = spawn_app().await;
    app.register("ann").await;
    let stranger = app.stranger();
    for page in ["/dashboard", "/board", "/channels", "/people", "/media", "/settings"] {
        let answer = stranger.get(page).await.is(303);
        assert_eq!(answer.header("location"), format!("/login?next={page}"));
    }
    stranger.get("/login?next=/people").await.is(200).has("name=\"next\" value=\"/people\"");
    let form = [("username", "ann"), ("password", PASSWORD), ("next", "/people")];
    assert_eq!(stranger.post("/login", &form).await.is(303).header("location"), "/people");
}

#[tokio::test]
async fn next_never_leads_to_another_site() {
    let app = spawn_app().await;
    app.register("ann").await;
    for next in ["//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"] {
        let form = [("username", "ann"), ("password", PASSWORD), ("next", next)];
        let answer = app.stranger().post("/login", &form).await.is(303);
        assert_eq!(answer.header("location"), "/dashboard", "{next}");
    }
}

#[tokio::test]
async fn the_session_cookie_is_for_this_site_alone_and_lasts_30_days() {
    let app = spawn_app().await;
    let stranger = app.stranger();
    let answer = stranger.post("/guest", &[("display_name", "Ann")]).await.is(303);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("hubbub_session="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie} lacks {part}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP: {cookie}");
}

#[tokio::test]
async fn the_session_is_a_new_one_at_every_login() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let old = Visitor::with_cookie_of(&ann);
    ann.post("/login", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    assert_ne!(ann.cookie(), old.cookie());
    ann.get("/dashboard").await.is(200);
}

#[tokio::test]
async fn logging_out_ends_the_session_on_the_server_and_closes_its_sockets() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let copy = Visitor::with_cookie_of(&ann);
    let mut socket = ann.socket().await;
    assert_eq!(ann.post("/logout", &[]).await.is(303).header("location"), "/login");
    assert_eq!(socket.end().await, 4001);
    copy.get("/api/v1/me").await.problem(401, "sign_in_first");
    assert_eq!(copy.get("/dashboard").await.status, 303);
}

/// The path of the first form on the settings page that revokes a session.
fn revoke_path(page: &str) -> String {
    let start = page.find("/settings/sessions/").unwrap();
    page[start..].split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_revoked_session_is_over_and_its_socket_closed_while_the_own_one_stays() {
    let app = spawn_app().await;
    let here = app.register("ann").await;
    let there = app.stranger();
    there.post("/login", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    let (mut mine, mut theirs) = (here.socket().await, there.socket().await);
    let page = here.get("/settings").await.is(200).has("this one").text();
    assert_eq!(page.matches("<li class=\"session\">").count(), 2);
    here.post(&revoke_path(&page), &[]).await.is(303);
    assert_eq!(theirs.end().await, 4001);
    there.get("/api/v1/me").await.problem(401, "sign_in_first");
    mine.must(json!({ "type": "ping" })).await;
    here.get("/dashboard").await.is(200);
}

#[tokio::test]
async fn nobody_revokes_the_session_of_somebody_else() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let second = app.stranger();
    second.post("/login", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    let path = revoke_path(&ann.get("/settings").await.text());
    let bob = app.register("bob").await;
    bob.post(&path, &[]).await.is(404);
    second.get("/dashboard").await.is(200);
}

#[tokio::test]
async fn all_other_sessions_can_be_ended_at_once() {
    let app = spawn_app().await;
    let here = app.register("ann").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let other = app.stranger();
        other.post("/login", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
        others.push(other);
    }
    here.post("/settings/sessions/revoke-others", &[]).await.is(303);
    for other in others {
        other.get("/api/v1/me").await.problem(401, "sign_in_first");
    }
    here.get("/dashboard").await.is(200);
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let mut app = spawn_app().await;
    let ann = app.register("ann").await;
    app.restart().await;
    assert_eq!(ann.me().await["username"], "ann");
    ann.socket().await.must(json!({ "type": "ping" })).await;
}

#[tokio::test]
async fn the_display_name_changes_at_once_everywhere() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut socket = ann.socket().await;
    ann.send("PATCH", "/api/v1/me", &json!({ "display_name": "Ann of the Hill" })).await.is(200);
    let id = ann.me().await["id"].clone();
    socket
        .hear("profile", |frame| {
            frame["type"] == "profile" && frame["user"] == id && frame["name"] == "Ann of the Hill"
        })
        .await;
    ann.get("/dashboard").await.is(200).has("Ann of the Hill");
    ann.post("/settings/profile", &[("display_name", "Ann")]).await.is(303);
    assert_eq!(ann.me().await["display_name"], "Ann");
    ann.post("/settings/profile", &[("display_name", "\u{202E}nnA")]).await.is(422);
    let problem =
        ann.send("PATCH", "/api/v1/me", &json!({ "display_name": "" })).await.problem(422, "invalid");
    assert_eq!(problem["fields"][0]["field"], "display_name");
}

#[tokio::test]
async fn closed_doors_say_so() {
    let app = spawn_app_with(&[("registration", "closed"), ("guests", "off")]).await;
    app.stranger().get("/").await.is(200).lacks("action=\"/register\"").lacks("action=\"/guest\"");
    try_register(&app.stranger(), "ann", PASSWORD).await.is(403).has("Nobody can register here");
    app.stranger().post("/guest", &[("display_name", "Ann")]).await.is(403).has("Guests can");
}

#[tokio::test]
async fn disabling_somebody_from_the_shell_ends_their_sessions() {
    let app = spawn_app().await;
    app.register("owner").await;
    let ann = app.register("ann").await;
    let mut socket = ann.socket().await;
    let hubbub = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.args(["user"]).args(arguments).args(app.flags()).current_dir(app.store.folder());
        command
    };
    let output = hubbub(&["disable", "ANN"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(socket.end().await, 4001);
    ann.get("/api/v1/me").await.problem(401, "sign_in_first");
    let form = [("username", "ann"), ("password", PASSWORD)];
    app.stranger().post("/login", &form).await.is(422);
    let list = hubbub(&["list"]).output().unwrap();
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("ann") && list.contains("(disabled)"), "{list}");
    let output = hubbub(&["disable", "nobody"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("There is nobody by that name."));
}

#[tokio::test]
async fn a_forged_cookie_is_nobody() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    for cookie in [
        "hubbub_session=",
        "hubbub_session=abc",
        "hubbub_session=%00%ff",
        &ann.cookie()[..ann.cookie().len() - 3],
    ] {
        let stranger = app.stranger();
        let request =
            crate::visitor::with_cookie(stranger.request(reqwest::Method::GET, "/api/v1/me"), cookie);
        stranger.answer(request).await.problem(401, "sign_in_first");
    }
}

#[tokio::test]
async fn a_cookie_from_before_signing_in_is_worth_nothing_after_it() {
    let app = spawn_app().await;
    app.register("ann").await;
    // Somebody else's session, and one that was made up: what an attacker might plant in a browser.
    let planted = app.guest("Eve").await;
    for cookie in [planted.cookie(), "hubbub_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()]
    {
        let browser = app.stranger();
        let request = browser.request(reqwest::Method::POST, "/login");
        let form = request.form(&[("username", "ann"), ("password", PASSWORD)]);
        let answer = browser.answer(crate::visitor::with_cookie(form, &cookie)).await.is(303);
        let fresh = answer.header("set-cookie");
        assert!(!fresh.is_empty() && !fresh.starts_with(&cookie), "{fresh}");
        let attacker = app.stranger();
        let me = crate::visitor::with_cookie(attacker.request(reqwest::Method::GET, "/api/v1/me"), &cookie);
        let me = attacker.answer(me).await;
        assert!(me.status == 401 || me.json()["username"] != "ann", "{}", me.text());
    }
}
