//! What every page and call has in common.

use super::*;

#[actix_web::test]
async fn whoever_is_signed_out_is_led_to_log_in_and_back() {
    let place = place(&[]).await;
    let mut nobody = Browser::default();
    let answer = place.get(&mut nobody, "/people?query=a%26b&x=1").await;
    assert_eq!(answer.location, "/login?next=/people%3Fquery%3Da%2526b%26x%3D1");
    assert!(
        place.get(&mut nobody, &answer.location).await.body.contains("value=\"/people?query=a%26b&#38;x=1\"")
    );
    let api = place.get(&mut nobody, "/api/v1/me").await;
    assert_eq!((api.status, api.json()["code"].as_str().unwrap()), (401, "sign_in_first"));
    let mut forged = Browser { cookie: Some("hubbub_session=AAAA".into()), ..Browser::default() };
    assert_eq!(place.get(&mut forged, "/api/v1/me").await.status, 401);
}

#[actix_web::test]
async fn errors_of_every_kind_are_worded_for_who_asked() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    for (path, status) in [("/nowhere", 404), ("/fails", 500)] {
        let answer = place.get(&mut ann, path).await;
        assert_eq!((answer.status, answer.kind.as_str()), (status, "text/html; charset=utf-8"));
        assert!(answer.body.contains("<h2>") && answer.body.contains("Log out"), "{}", answer.body);
        assert!(!answer.body.contains("fire"), "the reason is for the log");
        assert!(answer.headers.contains_key("content-security-policy"));
    }
    let answer = place.get(&mut ann, "/api/fails").await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (500, "internal"));
    assert_eq!(answer.json()["request_id"], answer.headers.get("x-request-id").unwrap().to_str().unwrap());
    let delete = TestRequest::default().method(Method::DELETE).uri("/api/v1/me");
    let answer = place.send(&mut ann, delete).await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (405, "method_not_allowed"));
    assert!(answer.headers.contains_key(header::ALLOW));
    let large = "x".repeat(100_000);
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", &large)]).await;
    assert!(answer.status == 413 && answer.body.contains("64 KiB"), "{}", answer.body);
    let wrong =
        TestRequest::post().uri("/login").insert_header(("content-type", "text/plain")).set_payload("x");
    assert_eq!(place.send(&mut ann, wrong).await.status, 400);
    let foreign = TestRequest::post().uri("/logout").insert_header(("origin", "http://evil.example"));
    assert_eq!(place.send(&mut ann, foreign).await.status, 403);
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 200, "still signed in");
}

#[actix_web::test]
async fn too_many_tries_are_told_when_to_come_back() {
    let place = place(&[("rate_limits", "on")]).await;
    let mut browser = Browser::default();
    let mut last = 0;
    for _ in 0..40 {
        let answer = place.post(&mut browser, "/login", &[("username", "x"), ("password", "y")]).await;
        last = answer.status;
        if last == 429 {
            assert!(answer.headers.contains_key(header::RETRY_AFTER));
            break;
        }
    }
    assert_eq!(last, 429);
}

#[actix_web::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let place = place(&[("public_url", "https://hub.example")]).await;
    let ann = place.registered("ann").await;
    assert!(ann.set_cookie.starts_with("__Host-hubbub_session=") && ann.set_cookie.contains("Secure"));
    assert!(!ann.set_cookie.contains("Domain"));
}
