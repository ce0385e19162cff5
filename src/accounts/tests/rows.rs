//! What happens to rows: races, expiry, renewal.

use super::*;
use crate::clock::now_ms;
use crate::db::schema::accounts::sessions;
use diesel::prelude::*;

const DAY: i64 = 24 * 3600 * 1000;

/// Makes every session as old as `age`, as if nobody had come since.
async fn let_time_pass(accounts: &Accounts, age: i64) {
    let change = move |conn: &mut Conn| {
        diesel::update(sessions::table)
            .set((
                sessions::seen_at.eq(now_ms() - age),
                sessions::expires_at.eq(sessions::created_at + session::LIFE - age),
            ))
            .execute(conn)
            .map_err(Into::into)
    };
    accounts.db.write(change).await.unwrap();
}

async fn expiries(accounts: &Accounts) -> Vec<i64> {
    accounts.db.read(|conn| Ok(sessions::table.select(sessions::expires_at).load(conn)?)).await.unwrap()
}

#[actix_web::test]
async fn of_many_who_register_the_same_name_at_once_one_gets_it_and_one_owns_the_place() {
    let place = place(&[]).await;
    let mut browsers: Vec<Browser> = (0..20).map(|_| Browser::default()).collect();
    let answers = futures_util::future::join_all(browsers.iter_mut().enumerate().map(|(i, browser)| {
        let place = &place;
        async move {
            let name = if i % 2 == 0 { "Ann".to_owned() } else { format!("bob{i}") };
            let fields = [("username", name.as_str()), ("password", "correct horse")];
            place.post(browser, "/register", &fields).await.status
        }
    }))
    .await;
    assert_eq!(answers.iter().step_by(2).filter(|status| **status == 303).count(), 1);
    assert!(answers.iter().skip(1).step_by(2).all(|status| *status == 303), "{answers:?}");
    assert!(answers.iter().all(|status| [303, 422].contains(status)), "{answers:?}");
    let query = user::PeopleQuery { limit: 100, ..user::PeopleQuery::default() };
    let (people, _) = place.accounts.db.read(move |conn| user::page(conn, &query)).await.unwrap();
    assert_eq!(people.len(), 11);
    assert_eq!(people.iter().filter(|p| p.role == user::Role::Owner).count(), 1);
}

#[actix_web::test]
async fn guests_who_come_at_once_are_all_called_after_their_ids() {
    let place = place(&[]).await;
    let name = || super::super::DisplayName::parse("Gus").unwrap();
    let guests = futures_util::future::join_all((0..20).map(|_| place.accounts.enter_as_guest(name()))).await;
    for guest in guests.into_iter().map(Result::unwrap) {
        assert_eq!(guest.username, format!("guest-{}", guest.id));
        assert_eq!(guest.username, guest.username_key);
    }
}

#[actix_web::test]
async fn a_session_is_renewed_after_a_day_and_then_rests_for_another() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    let_time_pass(&place.accounts, 2 * DAY).await;
    let before = expiries(&place.accounts).await;
    ann.set_cookie.clear();
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 200);
    assert!(ann.set_cookie.contains("Max-Age=2592000"), "the browser keeps it longer too");
    let after = expiries(&place.accounts).await;
    assert!(after[0] > before[0] + DAY);
    ann.set_cookie.clear();
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 200);
    assert_eq!((ann.set_cookie.as_str(), expiries(&place.accounts).await), ("", after));
}

#[actix_web::test]
async fn an_expired_session_ends_and_its_row_goes_an_hour_later() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    let_time_pass(&place.accounts, session::LIFE + 1000).await;
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 401);
    place.accounts.sweep().await.unwrap();
    assert!(
        matches!(place.ended.lock().unwrap().as_slice(), [Event::CredentialsEnded(ids)] if ids.len() == 1)
    );
    assert_eq!(expiries(&place.accounts).await.len(), 1);
    let later = Accounts::open(place.accounts.config.clone(), Events::default()).unwrap();
    let_time_pass(&later, session::LIFE + 2 * 3600 * 1000).await;
    later.sweep().await.unwrap();
    assert_eq!(expiries(&later).await.len(), 0);
}

#[actix_web::test]
async fn the_database_never_holds_the_key_of_a_cookie() {
    let place = place(&[]).await;
    let ann = place.registered("ann").await;
    let row: (String, String, Option<i64>, String) = place
        .accounts
        .db
        .read(|conn| {
            let columns = (sessions::key_hash, sessions::state, sessions::user_id, sessions::device);
            Ok(sessions::table.select(columns).first(conn)?)
        })
        .await
        .unwrap();
    // The signature comes first, then the key.
    let cookie = ann.cookie.unwrap();
    let key = &cookie[cookie.len() - 43..];
    assert!(!row.0.contains(key) && row.0.len() == 64);
    assert_eq!((row.1.as_str(), row.2, row.3.as_str()), ("{}", Some(1), "A browser"));
}

#[actix_web::test]
async fn a_hash_of_another_cost_is_made_anew_at_log_in() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let dear = super::super::Password::parse("correct horse", 8).unwrap().hash_blocking(5).unwrap();
    place.accounts.db.write(move |conn| user::set_password(conn, UserId(1), &dear)).await.unwrap();
    let mut browser = Browser::default();
    let wrong = [("username", "ann"), ("password", "wrong horse")];
    assert_eq!(place.post(&mut browser, "/login", &wrong).await.status, 422);
    for _ in 0..2 {
        let right = [("username", "ann"), ("password", "correct horse")];
        assert_eq!(place.post(&mut browser, "/login", &right).await.status, 303);
        let kept = place.accounts.db.read(|conn| user::credentials(conn, "ann")).await.unwrap();
        assert!(kept.unwrap().password_hash.unwrap().starts_with("$2b$04$"));
    }
}
