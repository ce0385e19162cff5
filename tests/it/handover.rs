//! Signing in on another device with a code that the first one shows.

use crate::app::{App, spawn_app};
use crate::visitor::Visitor;

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap_or_else(|| panic!("no {before}: {text}")).1.split_once(after).unwrap().0
}

/// Shows a code on the first device: its page, and what the other one opens.
async fn show(app: &App, first: &Visitor) -> (String, String) {
    let page = first.post("/settings/devices", &[]).await.is(303).header("location");
    let text = first.get(&page).await.is(200).has("<svg class=\"qr\"").has("data-stage=\"shown\"").text();
    let link = between(&text, "value=\"http://", "\"");
    assert!(app.origin().ends_with(&link[..link.find('/').unwrap()]), "{link}");
    (page, link[link.find('/').unwrap()..].to_owned())
}

/// Brings the code on the other device; answers with the number that it shows then.
async fn bring(other: &Visitor, link: &str) -> String {
    let code = link.split_once("code=").unwrap().1;
    let next = other.post("/handover", &[("code", code)]).await.is(303).header("location");
    assert_eq!(next, "/handover/wait");
    let text = other.get(&next).await.is(200).has("data-stage=\"waiting\"").text();
    between(&text, "handover-number", "</p>").rsplit('>').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_other_device_comes_in_after_both_have_shown_the_same_number() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let count = ann.me().await["login_count"].clone();
    let (page, link) = show(&app, &ann).await;
    let phone = app.stranger();
    phone.get(&link).await.is(200).has("@ann").has("action=\"/handover\"");
    phone.get("/api/v1/me").await.problem(401, "sign_in_first");
    let number = bring(&phone, &link).await;
    assert!(number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()), "{number}");
    phone.get("/api/v1/me").await.problem(401, "sign_in_first");
    ann.get(&page)
        .await
        .is(200)
        .has("data-stage=\"asked\"")
        .has(&format!("</span>{number}</p>"))
        .has("A browser");
    ann.post(&page, &[("do", "allow"), ("number", &number)]).await.is(303);
    ann.get(&page).await.is(200).has("data-stage=\"allowed\"");
    phone.get("/handover/wait").await.is(303);
    let me = phone.me().await;
    assert_eq!((&me["username"], &me["login_count"]), (&serde_json::json!("ann"), &count));
    let sessions = ann.get("/settings").await.is(200).text();
    assert_eq!(sessions.matches("class=\"session\"").count(), 2, "it stands in the list");
    ann.get(&page).await.is(200).has("data-stage=\"over\"");
    phone.get("/handover/wait").await.is(404);
    app.stranger().get(&link).await.is(404).has("not any more");
}

#[tokio::test]
async fn a_photographed_code_is_worth_nothing() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (page, link) = show(&app, &ann).await;
    let thief = app.stranger();
    let number = bring(&thief, &link).await;
    // Who comes second gets no number, so there is nothing that could be the same.
    let code = link.split_once("code=").unwrap().1;
    app.stranger().post("/handover", &[("code", code)]).await.is(404);
    thief.get("/handover/wait").await.is(200);
    let other = if number == "1234" { "1235" } else { "1234" };
    ann.post(&page, &[("do", "allow"), ("number", other)]).await.is(404);
    ann.post(&page, &[("do", "refuse")]).await.is(303);
    thief.get("/handover/wait").await.is(404).has("said no");
    thief.get("/api/v1/me").await.problem(401, "sign_in_first");
    ann.post(&page, &[("do", "allow"), ("number", &number)]).await.is(404);
}

#[tokio::test]
async fn of_two_who_bring_a_code_one_gets_the_number() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (_, link) = show(&app, &ann).await;
    let code = link.split_once("code=").unwrap().1;
    let tries = (0..6).map(|_| {
        let stranger = app.stranger();
        async move { stranger.post("/handover", &[("code", code)]).await.status }
    });
    let mut answers = futures_util::future::join_all(tries).await;
    answers.sort_unstable();
    assert_eq!(answers, [vec![303], vec![404; 5]].concat());
}

#[tokio::test]
async fn a_code_ends_with_its_time_with_a_newer_one_and_with_a_new_password() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (_, link) = show(&app, &ann).await;
    app.store.accounts("UPDATE handovers SET expires_at = 1");
    app.stranger().get(&link).await.is(404);
    let (_, older) = show(&app, &ann).await;
    let (page, newer) = show(&app, &ann).await;
    app.stranger().get(&older).await.is(404);
    app.stranger().get(&newer).await.is(200);
    let phone = app.stranger();
    let number = bring(&phone, &newer).await;
    app.store.accounts("UPDATE handovers SET expires_at = 1");
    ann.post(&page, &[("do", "allow"), ("number", &number)]).await.is(404);
    phone.get("/handover/wait").await.is(404);
    let (page, link) = show(&app, &ann).await;
    let phone = app.stranger();
    let number = bring(&phone, &link).await;
    ann.post(&page, &[("do", "allow"), ("number", &number)]).await.is(303);
    let change = [("do", "password"), ("current", crate::app::PASSWORD), ("password", "a better password")];
    ann.post("/settings/security", &change).await.is(303);
    phone.get("/handover/wait").await.is(404);
    for odd in ["", "1-", "1-aaaaaaaaaaaaaaaa", "x-y", "99999999999999999999-aaaaaaaaaaaaaaaa", "-"] {
        app.stranger().get(&format!("/handover?code={odd}")).await.is(404);
        app.stranger().post("/handover", &[("code", odd)]).await.is(404);
    }
    app.stranger().get("/handover/wait").await.is(404);
}

#[tokio::test]
async fn nobody_answers_for_somebody_else() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let (page, link) = show(&app, &ann).await;
    let phone = app.stranger();
    let number = bring(&phone, &link).await;
    bob.get(&page).await.is(200).has("data-stage=\"over\"").lacks(&number);
    bob.post(&page, &[("do", "allow"), ("number", &number)]).await.is(404);
    bob.post(&page, &[("do", "refuse")]).await.is(303);
    phone.get("/handover/wait").await.is(200);
    app.stranger().get(&page).await.is(303);
    app.stranger().post(&page, &[("do", "allow"), ("number", &number)]).await.is(303).header("location");
    phone.get("/handover/wait").await.is(200);
    phone.get("/api/v1/me").await.problem(401, "sign_in_first");
}

#[tokio::test]
async fn a_guest_goes_on_as_the_same_guest_on_another_device() {
    let app = spawn_app().await;
    let guest = app.guest("Gus").await;
    let (page, link) = show(&app, &guest).await;
    let phone = app.stranger();
    let number = bring(&phone, &link).await;
    guest.post(&page, &[("do", "allow"), ("number", &number)]).await.is(303);
    phone.get("/handover/wait").await.is(303);
    assert_eq!(phone.me().await["id"], guest.me().await["id"]);
}
