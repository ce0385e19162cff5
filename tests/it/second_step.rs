//! How one signs in: another password, a second step, the limits of both.

use crate::app::{App, PASSWORD, spawn_app};
use crate::visitor::{Answer, Visitor};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

const NEW: &str = "a better password";

/// The code that an app shows for a secret at this moment (RFC 6238).
fn shown(secret: &str) -> String {
    let key = data_encoding::BASE32_NOPAD.decode(secret.replace(' ', "").as_bytes()).unwrap();
    let step = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap_or_else(|| panic!("no {before}: {text}")).1.split_once(after).unwrap().0
}

/// Turns somebody's second step on; answers with the secret and the recovery codes. The code that was shown may be
/// used again, as the next half minute isn't waited for.
async fn turn_on(app: &App, who: &Visitor) -> (String, Vec<String>) {
    who.post("/settings/security", &[("do", "begin"), ("current", PASSWORD)]).await.is(303);
    let page = who.get("/settings/security/second").await.is(200).has("<svg class=\"qr\"").text();
    let secret = between(&page, "translate=\"no\">", "</code>").to_owned();
    let page = who.post("/settings/security/second", &[("code", &shown(&secret))]).await.is(200).text();
    let codes = page
        .split("<li><code translate=\"no\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned());
    let codes: Vec<String> = codes.collect();
    assert_eq!(codes.len(), 10, "{page}");
    forget_used(app);
    (secret, codes)
}

/// As if the half minute of the last code had passed.
fn forget_used(app: &App) {
    app.store.accounts("UPDATE second_steps SET last_step = 0");
}

async fn give_password(visitor: &Visitor, username: &str) -> Answer {
    visitor.post("/login", &[("username", username), ("password", PASSWORD), ("next", "/people")]).await
}

async fn give_code(visitor: &Visitor, code: &str) -> Answer {
    visitor.post("/login/code", &[("code", code), ("next", "/people")]).await
}

#[tokio::test]
async fn another_password_ends_all_other_sessions_and_their_sockets() {
    let app = spawn_app().await;
    let here = app.register("ann").await;
    let there = app.stranger();
    give_password(&there, "ann").await.is(303);
    let (mut mine, mut theirs) = (here.socket().await, there.socket().await);
    let token = app.shell(&["token", "add", "ann"]).1;
    let wrong = [("do", "password"), ("current", "not it at all"), ("password", NEW)];
    here.post("/settings/security", &wrong).await.is(422).has("isn&#39;t your password").lacks(NEW);
    let short = [("do", "password"), ("current", PASSWORD), ("password", "short")];
    here.post("/settings/security", &short).await.is(422).has("at least 8");
    there.get("/api/v1/me").await.is(200);
    let right = [("do", "password"), ("current", PASSWORD), ("password", NEW)];
    let done = here.post("/settings/security", &right).await.is(303);
    here.get(&done.header("location")).await.is(200).has("signed out everywhere else");
    assert_eq!(theirs.end().await, 4001);
    there.get("/api/v1/me").await.problem(401, "sign_in_first");
    mine.must(json!({ "type": "ping" })).await;
    give_password(&app.stranger(), "ann").await.is(422);
    let program = app.stranger();
    let call = || program.request(reqwest::Method::GET, "/api/v1/me").bearer_auth(token.trim());
    program.answer(call()).await.is(200);
    let all = [("do", "password"), ("current", NEW), ("password", PASSWORD), ("tokens", "on")];
    here.post("/settings/security", &all).await.is(303);
    program.answer(call()).await.problem(401, "sign_in_first");
    let guest = app.guest("Gus").await;
    guest.get("/settings/security").await.is(200).lacks("name=\"current\"").has("/settings/devices");
    guest.post("/settings/security", &right).await.is(409);
}

#[tokio::test]
async fn the_password_changes_over_the_api_too() {
    let app = spawn_app().await;
    let (here, there) = (app.register("ann").await, app.stranger());
    give_password(&there, "ann").await.is(303);
    let wrong = json!({ "current": "not it at all", "password": NEW });
    let problem = here.send("POST", "/api/v1/me/password", &wrong).await.problem(422, "invalid");
    assert_eq!(problem["fields"][0]["field"], "current");
    here.send("POST", "/api/v1/me/password", &json!({ "current": PASSWORD, "password": NEW })).await.is(204);
    there.get("/api/v1/me").await.problem(401, "sign_in_first");
    here.get("/api/v1/me").await.is(200);
    for _ in 0..9 {
        here.send("POST", "/api/v1/me/password", &wrong).await.problem(422, "invalid");
    }
    let right = json!({ "current": NEW, "password": PASSWORD });
    here.send("POST", "/api/v1/me/password", &right).await.problem(429, "rate_limited");
    let form = [("do", "password"), ("current", NEW), ("password", PASSWORD)];
    here.post("/settings/security", &form).await.is(429).has("quarter of an hour");
}

#[tokio::test]
async fn a_log_in_takes_the_code_and_a_right_password_alone_is_worth_nothing() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let before = ann.me().await["login_count"].as_i64().unwrap();
    let (secret, _) = turn_on(&app, &ann).await;
    let there = app.stranger();
    let asked = give_password(&there, "ann").await.is(303);
    assert!(asked.header("location").starts_with("/login/code?next="), "{}", asked.header("location"));
    there.get(&asked.header("location")).await.is(200).has("value=\"/people\"").has("one-time-code");
    there.get("/api/v1/me").await.problem(401, "sign_in_first");
    assert_eq!(there.get("/dashboard").await.is(303).header("location"), "/login?next=/dashboard");
    there.post("/board", &[("text", "hello")]).await.is(303);
    ann.get("/board").await.is(200).lacks("hello");
    assert_eq!(
        ann.get("/settings").await.text().matches("/revoke\"><button").count(),
        0,
        "not signed in there"
    );
    give_code(&there, "000000").await.is(422).has("isn&#39;t right");
    give_code(&there, "").await.is(422);
    let code = shown(&secret);
    let typed = format!(" {} {} ", &code[..3], &code[3..]);
    assert_eq!(give_code(&there, &typed).await.is(303).header("location"), "/people");
    assert_eq!(there.me().await["login_count"], before + 1, "counted once");
    // The same code once more, by whoever looked over a shoulder.
    let spy = app.stranger();
    give_password(&spy, "ann").await.is(303);
    give_code(&spy, &code).await.is(422).has("used already");
    spy.get("/api/v1/me").await.problem(401, "sign_in_first");
    // Nobody gets to the page without the password.
    let stranger = app.stranger();
    assert!(stranger.get("/login/code").await.is(303).header("location").starts_with("/login?done=late"));
    forget_used(&app);
    assert_eq!(
        give_code(&stranger, &shown(&secret)).await.is(303).header("location"),
        "/login?done=late&next=%2Fpeople"
    );
    stranger.get("/login?done=late").await.is(200).has("That took too long");
    stranger.post("/login", &[("username", "ann"), ("password", "wrong")]).await.is(422);
}

#[tokio::test]
async fn two_who_give_the_same_code_at_once_dont_both_come_in() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, _) = turn_on(&app, &ann).await;
    let mut browsers = Vec::new();
    for _ in 0..6 {
        let browser = app.stranger();
        give_password(&browser, "ann").await.is(303);
        browsers.push(browser);
    }
    let code = shown(&secret);
    let tries = browsers.iter().map(|browser| give_code(browser, &code));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1);
}

#[tokio::test]
async fn a_right_password_waits_five_minutes_and_not_over_a_new_one() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, _) = turn_on(&app, &ann).await;
    let slow = app.stranger();
    give_password(&slow, "ann").await.is(303);
    slow.get("/login/code").await.is(200);
    let long_ago =
        r#"UPDATE sessions SET state = replace(state, '\"at\":1', '\"at\":-1') WHERE user_id IS NULL"#;
    app.store.accounts(long_ago);
    // The row was read a moment ago; a restart forgets what is in memory.
    let mut app = app;
    app.restart().await;
    assert!(
        give_code(&slow, &shown(&secret)).await.is(303).header("location").starts_with("/login?done=late")
    );
    let other = app.stranger();
    give_password(&other, "ann").await.is(303);
    ann.post("/settings/security", &[("do", "password"), ("current", PASSWORD), ("password", NEW)])
        .await
        .is(303);
    give_code(&other, &shown(&secret)).await.is(422);
    other.get("/api/v1/me").await.problem(401, "sign_in_first");
}

#[tokio::test]
async fn each_recovery_code_is_good_for_once_and_new_ones_end_the_old() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, codes) = turn_on(&app, &ann).await;
    let lost = app.stranger();
    give_password(&lost, "ann").await.is(303);
    give_code(&lost, &codes[3].to_uppercase().replace('-', " ")).await.is(303);
    lost.get("/settings/security").await.is(200).has("that are left: 9");
    let again = app.stranger();
    give_password(&again, "ann").await.is(303);
    give_code(&again, &codes[3]).await.is(422);
    give_code(&again, "abcd-efgh-ijkl-mnop").await.is(422);
    let renew = |code: String| [("do", "codes".to_owned()), ("current", PASSWORD.to_owned()), ("code", code)];
    let send = async |form: [(&str, String); 3]| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ann.post("/settings/security", &form).await
    };
    send(renew("000000".into())).await.is(422).has("isn&#39;t right");
    let page = send(renew(shown(&secret))).await.is(200).text();
    let fresh = between(&page, "<li><code translate=\"no\">", "</code>").to_owned();
    give_code(&again, &codes[4]).await.is(422);
    give_code(&again, &fresh).await.is(303);
}

#[tokio::test]
async fn turning_it_off_takes_the_password_and_a_code() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, codes) = turn_on(&app, &ann).await;
    ann.post("/settings/security", &[("do", "begin"), ("current", PASSWORD)]).await.is(409).has("on already");
    for (current, code) in
        [("wrong", codes[0].as_str()), (PASSWORD, "000000"), (PASSWORD, ""), ("", &codes[0])]
    {
        ann.post("/settings/security", &[("do", "off"), ("current", current), ("code", code)]).await.is(422);
    }
    let asked = give_password(&app.stranger(), "ann").await.is(303);
    assert!(asked.header("location").starts_with("/login/code"));
    let off = [("do", "off"), ("current", PASSWORD), ("code", &shown(&secret))];
    ann.post("/settings/security", &off).await.is(303);
    let there = app.stranger();
    assert_eq!(give_password(&there, "ann").await.is(303).header("location"), "/people");
    ann.post("/settings/security", &[("do", "nonsense")]).await.is(400);
    ann.post("/settings/security", &[]).await.is(400);
}

#[tokio::test]
async fn it_isnt_on_before_a_code_has_shown_that_the_app_has_it() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.get("/settings/security/second").await.is(303);
    ann.post("/settings/security/second", &[("code", "123456")]).await.is(303);
    ann.post("/settings/security", &[("do", "begin"), ("current", "wrong")]).await.is(422);
    ann.get("/settings/security/second").await.is(303);
    ann.post("/settings/security", &[("do", "begin"), ("current", PASSWORD)]).await.is(303);
    ann.post("/settings/security/second", &[("code", "000000")]).await.is(422).has("the clock of your phone");
    let there = app.stranger();
    assert_eq!(give_password(&there, "ann").await.is(303).header("location"), "/people");
}

#[tokio::test]
async fn tokens_go_on_and_the_shell_lets_somebody_in_who_has_lost_everything() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let token = app.shell(&["token", "add", "ann"]).1;
    turn_on(&app, &ann).await;
    let program = app.stranger();
    let call = program.request(reqwest::Method::GET, "/api/v1/me").bearer_auth(token.trim());
    program.answer(call).await.is(200);
    assert!(!app.shell(&["user", "totp", "ann"]).0, "it must be said what is to be done");
    let (done, said) = app.shell(&["user", "totp", "ANN", "--off"]);
    assert!(done && said.contains("password alone"), "{said}");
    assert!(app.shell(&["user", "totp", "ann", "--off"]).1.contains("had no second step"));
    assert_eq!(give_password(&app.stranger(), "ann").await.is(303).header("location"), "/people");
}

#[tokio::test]
async fn guessing_codes_runs_out_for_strangers_and_keeps_nobody_out() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, codes) = turn_on(&app, &ann).await;
    // A browser in which she has been signed in.
    let home = app.stranger();
    give_password(&home, "ann").await.is(303);
    give_code(&home, &shown(&secret)).await.is(303);
    home.post("/logout", &[]).await.is(303);
    forget_used(&app);
    let thief = app.stranger();
    give_password(&thief, "ann").await.is(303);
    let mut last = 0;
    for _ in 0..20 {
        let answer = give_code(&thief, "000000").await;
        last = answer.status;
        if last == 429 {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 60);
            answer.has("use a recovery code");
            break;
        }
    }
    assert_eq!(last, 429);
    // Nor does another browser of the thief's help, or the right code there.
    let second = app.stranger();
    give_password(&second, "ann").await.is(303);
    give_code(&second, &shown(&secret)).await.is(429);
    // She herself comes in: where she has been, with the app; elsewhere, with a recovery code.
    give_password(&home, "ann").await.is(303);
    give_code(&home, &shown(&secret)).await.is(303);
    let phone = app.stranger();
    give_password(&phone, "ann").await.is(303);
    give_code(&phone, &codes[0]).await.is(303);
}

#[tokio::test]
async fn the_secret_and_the_codes_stand_nowhere_in_the_database() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (secret, codes) = turn_on(&app, &ann).await;
    let file = app.store.folder().join("data/second-step.key");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    if crate::store::postgres_server().is_some() {
        return;
    }
    let bytes: Vec<u8> = ["accounts.db", "accounts.db-wal"]
        .iter()
        .flat_map(|name| std::fs::read(app.store.folder().join("data").join(name)).unwrap_or_default())
        .collect();
    let secret = secret.replace(' ', "");
    let there = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(there("ann") && !there(&secret) && !there(&codes[0]) && !there(&codes[0].replace('-', "")));
}
