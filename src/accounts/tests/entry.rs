//! Coming in and leaving.

use super::*;

#[actix_web::test]
async fn somebody_registers_leaves_and_logs_in_again() {
    let place = place(&[]).await;
    let mut ann = place.registered("Ann").await;
    for part in ["hubbub_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(ann.set_cookie.contains(part), "{}", ann.set_cookie);
    }
    assert!(!ann.set_cookie.contains("Secure"));
    let me = place.get(&mut ann, "/api/v1/me").await.json();
    assert_eq!(
        (&me["username"], &me["role"], &me["login_count"]),
        (&"Ann".into(), &"owner".into(), &0.into())
    );
    let before = ann.cookie.clone();
    let answer = place.post(&mut ann, "/logout", &[]).await;
    assert_eq!((answer.status, answer.location.as_str(), ann.cookie.is_none()), (303, "/login", true));
    assert!(
        matches!(place.ended.lock().unwrap().as_slice(), [Event::CredentialsEnded(ids)] if ids.len() == 1)
    );
    ann.cookie = before;
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 401, "the old cookie is worth nothing");
    ann.cookie = None;
    let fields = [("username", "ANN"), ("password", "correct horse"), ("next", "/c/café")];
    let answer = place.post(&mut ann, "/login", &fields).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/c/caf%C3%A9"));
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.json()["login_count"], 1);
    assert_eq!(place.get(&mut ann, "/login").await.status, 303, "nobody logs in twice");
}

#[actix_web::test]
async fn wrong_fields_come_back_with_what_was_typed_but_not_the_password() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    let fields = [("username", "a b"), ("password", "zq7"), ("display_name", "x\u{202E}y")];
    let answer = place.post(&mut browser, "/register", &fields).await;
    assert_eq!(answer.status, 422);
    for words in ["letters, digits", "at least 8", "control characters", "value=\"a b\""] {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
    assert!(!answer.body.contains("zq7"));
    let taken = [("username", "ANN"), ("password", "correct horse")];
    let answer = place.post(&mut browser, "/register", &taken).await;
    assert!(answer.status == 422 && answer.body.contains("taken"), "{}", answer.body);
    assert_eq!(place.post(&mut browser, "/guest", &[("display_name", "\u{200B}")]).await.status, 422);
    assert!(browser.cookie.is_none());
}

#[actix_web::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await;
    browser.cookie = None;
    let mut answers = Vec::new();
    for name in ["ann", "nobody", "guest-2"] {
        let answer =
            place.post(&mut browser, "/login", &[("username", name), ("password", "hunter-secret")]).await;
        assert_eq!(answer.status, 422);
        assert!(!answer.body.contains("hunter-secret"));
        answers.push(answer.body.replace(&format!("value=\"{name}\""), ""));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let long = "x".repeat(60_000);
    let answer = place.post(&mut browser, "/login", &[("username", "ann"), ("password", &long)]).await;
    assert_eq!(answer.status, 422);
}

#[actix_web::test]
async fn a_guest_is_marked_and_may_become_a_full_account_with_the_same_id() {
    let place = place(&[]).await;
    let mut gus = Browser::default();
    assert_eq!(place.post(&mut gus, "/guest", &[("display_name", "Gus")]).await.status, 303);
    let me = place.get(&mut gus, "/api/v1/me").await.json();
    assert_eq!(me["username"], format!("guest-{}", me["id"]));
    assert_eq!((&me["guest"], &me["role"]), (&true.into(), &"guest".into()), "a guest never owns the place");
    assert_eq!(place.get(&mut gus, "/register").await.status, 200);
    let fields = [("username", "gus"), ("password", "correct horse"), ("display_name", "Gus Full")];
    assert_eq!(place.post(&mut gus, "/register", &fields).await.status, 303);
    let full = place.get(&mut gus, "/api/v1/me").await.json();
    assert_eq!((&full["id"], &full["guest"], &full["role"]), (&me["id"], &false.into(), &"owner".into()));
}

#[actix_web::test]
async fn the_first_account_on_a_public_address_needs_the_code() {
    let place = place(&[("listen", "0.0.0.0:8080")]).await;
    let code = place.accounts.owner_code().unwrap().to_owned();
    let mut browser = Browser::default();
    assert!(place.get(&mut browser, "/").await.body.contains("name=\"invite\""));
    for wrong in ["", "guess"] {
        let fields = [("username", "mallory"), ("password", "correct horse"), ("invite", wrong)];
        let answer = place.post(&mut browser, "/register", &fields).await;
        assert!(answer.status == 422 && answer.body.contains("the code that the server printed"));
    }
    let fields = [("username", "ann"), ("password", "correct horse"), ("invite", &code)];
    assert_eq!(place.post(&mut browser, "/register", &fields).await.status, 303);
    assert_eq!(place.accounts.owner_code(), None);
    place.registered("bob").await;
}

#[actix_web::test]
async fn closed_doors_say_so() {
    let place = place(&[("registration", "closed"), ("guests", "off")]).await;
    let mut browser = Browser::default();
    let fields = [("username", "ann"), ("password", "correct horse")];
    assert_eq!(place.post(&mut browser, "/register", &fields).await.status, 403);
    assert_eq!(place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await.status, 403);
    let body = place.get(&mut browser, "/").await.body;
    assert!(!body.contains("action=\"/register\"") && !body.contains("action=\"/guest\""));
}

#[actix_web::test]
async fn the_session_gets_a_new_key_at_log_in() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await;
    let guest_cookie = browser.cookie.clone();
    let fields = [("username", "ann"), ("password", "correct horse")];
    place.post(&mut browser, "/login", &fields).await;
    assert_ne!(browser.cookie, guest_cookie);
    let mut old = Browser { cookie: guest_cookie, ..Browser::default() };
    assert_eq!(place.get(&mut old, "/api/v1/me").await.status, 401);
}
