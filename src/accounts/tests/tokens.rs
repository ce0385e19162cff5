//! API tokens as a program meets them.

use super::*;
use crate::accounts::{TokenLabel, token};
use crate::clock::now_ms;
use crate::db::schema::accounts::tokens;
use crate::ids::{Credential, TokenId};
use diesel::prelude::*;

fn with(token: &str, path: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header((header::AUTHORIZATION, format!("Bearer {token}")))
}

fn label() -> TokenLabel {
    TokenLabel::parse("backup script").unwrap()
}

#[actix_web::test]
async fn a_token_stands_for_its_person_with_the_api_and_nowhere_else() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    place.registered("bob").await;
    let token = place.accounts.tokens.add(UserId(2), label()).await.unwrap();
    assert!(token.starts_with("hubbub_") && token.len() == 7 + 43, "{token}");
    let mut program = Browser::default();
    assert_eq!(place.send(&mut program, with(&token, "/api/v1/me")).await.json()["username"], "bob");
    assert_eq!(place.send(&mut program, with(&token, "/settings")).await.location, "/login?next=/settings");
    // A token decides, right or wrong, whatever cookie comes with it.
    assert_eq!(place.send(&mut ann, with(&token, "/api/v1/me")).await.json()["username"], "bob");
    let wrong = place.send(&mut ann, with("hubbub_wrong", "/api/v1/me")).await;
    let challenge = wrong.headers.get(header::WWW_AUTHENTICATE).unwrap().to_str().unwrap().to_owned();
    assert_eq!((wrong.status, challenge.contains("invalid_token")), (401, true), "{challenge}");
    let nobody = place.get(&mut program, "/api/v1/me").await;
    assert_eq!(nobody.headers.get(header::WWW_AUTHENTICATE).unwrap(), "Bearer realm=\"Hubbub\"");
    // Another scheme, say of a proxy in front, is none of our business.
    let basic = TestRequest::get().uri("/api/v1/me").insert_header(("authorization", "Basic YTpi"));
    assert_eq!(place.send(&mut ann, basic).await.json()["username"], "ann");
}

#[actix_web::test]
async fn a_token_from_another_sites_page_is_refused() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let token = place.accounts.tokens.add(UserId(1), label()).await.unwrap();
    let patch = |origin: Option<&'static str>| {
        let request = TestRequest::patch().uri("/api/v1/me").set_json(serde_json::json!({ "sounds": true }));
        let request = request.insert_header(("authorization", format!("bearer {token}")));
        match origin {
            Some(origin) => request.insert_header(("origin", origin)),
            None => request,
        }
    };
    let mut program = Browser::default();
    assert_eq!(place.send(&mut program, patch(Some("http://evil.example"))).await.status, 403);
    assert_eq!(place.send(&mut program, patch(None)).await.status, 200);
}

#[actix_web::test]
async fn a_revoked_token_is_over_at_once_and_told_to_its_sockets() {
    let place = place(&[]).await;
    place.registered("ann").await;
    place.registered("mallory").await;
    let token = place.accounts.tokens.add(UserId(1), label()).await.unwrap();
    let mut program = Browser::default();
    assert_eq!(place.send(&mut program, with(&token, "/api/v1/me")).await.status, 200);
    assert!(place.accounts.tokens.revoke(UserId(2), TokenId(1)).await.is_err(), "not hers");
    place.accounts.tokens.revoke(UserId(1), TokenId(1)).await.unwrap();
    assert_eq!(place.send(&mut program, with(&token, "/api/v1/me")).await.status, 401);
    let told = Event::CredentialsEnded(vec![Credential::Token(TokenId(1))]);
    assert_eq!(*place.ended.lock().unwrap(), [told]);
    assert!(place.accounts.tokens.list(UserId(1)).await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_locked_out_persons_tokens_end_also_when_the_shell_does_it() {
    let place = place(&[]).await;
    place.registered("ann").await;
    place.registered("bob").await;
    let token = place.accounts.tokens.add(UserId(2), label()).await.unwrap();
    let mut program = Browser::default();
    assert_eq!(place.send(&mut program, with(&token, "/api/v1/me")).await.status, 200);
    let shell = open_database(&place.accounts.config).unwrap();
    shell.write(|conn| token::revoke(conn, UserId(2), None)).await.unwrap();
    shell.close();
    place.accounts.sweep().await.unwrap();
    assert_eq!(place.send(&mut program, with(&token, "/api/v1/me")).await.status, 401);
    let other = place.accounts.tokens.add(UserId(2), label()).await.unwrap();
    place.accounts.set_disabled(UserId(1), UserId(2), true).await.unwrap();
    assert_eq!(place.send(&mut program, with(&other, "/api/v1/me")).await.status, 401);
    assert_eq!(place.ended.lock().unwrap().iter().filter(|e| matches!(e, Event::CredentialsEnded(ids) if ids.iter().any(|id| matches!(id, Credential::Token(_))))).count(), 2);
}

#[actix_web::test]
async fn a_token_is_stored_as_its_hash_and_its_use_by_the_day() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let token = place.accounts.tokens.add(UserId(1), label()).await.unwrap();
    let mut program = Browser::default();
    let row = || async {
        let read = |conn: &mut Conn| {
            Ok(tokens::table
                .select((tokens::token_hash, tokens::used_at))
                .first::<(String, Option<i64>)>(conn)?)
        };
        place.accounts.db.read(read).await.unwrap()
    };
    let (hash, used) = row().await;
    assert!(!hash.contains(&token[7..]) && hash.len() == 64 && used.is_none());
    place.send(&mut program, with(&token, "/api/v1/me")).await;
    let first = row().await.1.unwrap();
    assert!((now_ms() - first) < 60_000);
    place.send(&mut program, with(&token, "/api/v1/me")).await;
    assert_eq!(row().await.1, Some(first), "written once a day");
}

#[actix_web::test]
async fn a_person_has_so_many_tokens_and_no_more() {
    let place = place(&[]).await;
    place.registered("ann").await;
    for _ in 0..50 {
        place.accounts.tokens.add(UserId(1), label()).await.unwrap();
    }
    let refused = place.accounts.tokens.add(UserId(1), label()).await.err().unwrap();
    assert_eq!((refused.status(), refused.code()), (409, "too_many_tokens"));
    for wrong in ["", "\u{200B}", "a\nb", &"x".repeat(49)] {
        assert!(TokenLabel::parse(wrong).is_err(), "{wrong:?}");
    }
}
