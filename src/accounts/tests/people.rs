//! What people do with their account, and see of each other.

use super::*;

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_at_once() {
    let place = place(&[]).await;
    let mut here = place.registered("ann").await;
    let fields = [("username", "ann"), ("password", "correct horse")];
    let (mut there, mut elsewhere) = (Browser::default(), Browser::default());
    for browser in [&mut there, &mut elsewhere] {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let login = TestRequest::post().uri("/login").insert_header(("user-agent", agent)).set_form(fields);
        assert_eq!(place.send(browser, login).await.status, 303);
    }
    let page = place.get(&mut here, "/settings").await.body;
    assert_eq!(page.matches("Firefox on Linux</strong>").count(), 2, "{page}");
    let there_id = place.get(&mut there, "/session").await.body;
    let mut mallory = place.registered("mallory").await;
    let revoke = format!("/settings/sessions/{there_id}/revoke");
    assert_eq!(place.post(&mut mallory, &revoke, &[]).await.status, 404, "not hers");
    assert_eq!(place.post(&mut here, &revoke, &[]).await.status, 303);
    assert_eq!(place.get(&mut there, "/session").await.status, 303);
    assert_eq!(place.get(&mut elsewhere, "/session").await.status, 200);
    assert_eq!(place.post(&mut here, "/settings/sessions/revoke-others", &[]).await.status, 303);
    assert_eq!(place.get(&mut elsewhere, "/session").await.location, "/login?next=/session");
    let here_id = place.get(&mut here, "/session").await.body;
    assert_eq!(place.ended.lock().unwrap().len(), 2);
    assert_eq!(
        place.post(&mut here, &format!("/settings/sessions/{here_id}/revoke"), &[]).await.location,
        "/login"
    );
    assert!(here.cookie.is_none());
}

#[actix_web::test]
async fn an_account_disabled_from_the_shell_is_out_with_the_next_sweep() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut bob = place.registered("bob").await;
    assert_eq!(place.get(&mut bob, "/api/v1/me").await.status, 200);
    // What `hubbub user disable bob` does, with a connection of its own.
    let shell = open_database(&place.accounts.config).unwrap();
    let change = |conn: &mut Conn| {
        user::set_disabled(conn, UserId(2), true)?;
        session::revoke(conn, UserId(2), |_| true)
    };
    assert_eq!(shell.write(change).await.unwrap().len(), 1);
    shell.close();
    place.accounts.sweep().await.unwrap();
    assert!(matches!(place.ended.lock().unwrap().as_slice(), [Event::CredentialsEnded(_)]));
    assert_eq!(place.get(&mut bob, "/api/v1/me").await.status, 401);
    place.accounts.sweep().await.unwrap();
    assert_eq!(place.ended.lock().unwrap().len(), 1, "told once");
    let fields = [("username", "bob"), ("password", "correct horse")];
    assert_eq!(place.post(&mut Browser::default(), "/login", &fields).await.status, 422);
}

#[actix_web::test]
async fn a_profile_is_changed_by_form_and_by_api() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", "Ann Lee")]).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/settings?done=saved"));
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.json()["display_name"], "Ann Lee");
    assert!(place.ended.lock().unwrap().contains(&Event::ProfileChanged(UserId(1))));
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", " ")]).await;
    assert!(answer.status == 422 && answer.body.contains("that others will see"));
    let patch = |body: &'static str| {
        TestRequest::patch()
            .uri("/api/v1/me")
            .insert_header(("content-type", "application/json"))
            .set_payload(body)
    };
    let good = r#"{"color":200,"sounds":false,"status":{"state":"dnd","text":"soldering"}}"#;
    let me = place.send(&mut ann, patch(good)).await.json();
    assert_eq!(
        (&me["color"], &me["sounds"], &me["status"]["state"]),
        (&200.into(), &false.into(), &"dnd".into())
    );
    assert_eq!(
        place.send(&mut ann, patch(r#"{"color":null}"#)).await.json()["color"],
        serde_json::Value::Null
    );
    for (body, status) in
        [(r#"{"color":360}"#, 422), (r#"{"colour":1}"#, 422), ("{", 400), (r#"{"display_name":""}"#, 422)]
    {
        let answer = place.send(&mut ann, patch(body)).await;
        assert_eq!((answer.status, answer.kind.as_str()), (status, "application/problem+json"), "{body}");
        let problem = answer.json();
        assert!(problem["request_id"].is_string() && problem["detail"].as_str().unwrap().ends_with('.'));
        assert_eq!(problem["fields"].is_array(), status == 422);
    }
}

#[actix_web::test]
async fn people_are_found_by_how_their_names_begin_and_listed_a_page_at_a_time() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    for name in ["Bob", "bo_b", "boris"] {
        place.registered(name).await;
    }
    let names = |answer: &Answer| {
        answer.json()["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["username"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let page = place.get(&mut ann, "/api/v1/users?limit=2").await;
    assert_eq!(page.json()["more"], true);
    let last = names(&page)[1].clone();
    let rest = place.get(&mut ann, &format!("/api/v1/users?after={last}")).await;
    assert_eq!((names(&page).len() + names(&rest).len(), rest.json()["more"].clone()), (4, false.into()));
    assert_eq!(names(&place.get(&mut ann, "/api/v1/users?query=BO").await).len(), 3);
    assert_eq!(names(&place.get(&mut ann, "/api/v1/users?query=bo_").await), ["bo_b"], "not a wildcard");
    assert!(names(&place.get(&mut ann, "/api/v1/users?query=%25").await).is_empty());
    let bob = place.get(&mut ann, "/api/v1/users/BOB").await.json();
    assert_eq!((&bob["username"], &bob["online"]), (&"Bob".into(), &false.into()));
    assert_eq!(place.get(&mut ann, "/api/v1/users/nobody").await.status, 404);
    assert_eq!(place.get(&mut ann, "/api/v1/users?limit=x").await.status, 400);
    assert!(place.get(&mut ann, "/people?query=bo").await.body.contains("boris"));
}

#[actix_web::test]
async fn the_last_place_is_where_the_start_leads() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    assert_eq!(place.get(&mut ann, "/").await.location, "/dashboard");
    let person = place.accounts.directory.get(UserId(1)).await.unwrap().unwrap();
    place.accounts.remember_place(&person, "/c/general").await.unwrap();
    assert_eq!(place.get(&mut ann, "/").await.location, "/c/general");
}
