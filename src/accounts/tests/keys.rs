//! Private keys: found by whoever knows them, and by nobody who guesses.

use super::*;
use crate::accounts::PrivateKey;
use crate::db::schema::accounts::users;
use crate::error::{Error, Result};
use crate::site::limit::Address;
use diesel::prelude::*;
use std::net::IpAddr;

const KEY: &str = "seven green bicycles";

fn at(last: u8) -> Address {
    IpAddr::from([192, 0, 2, last]).into()
}

async fn set<S>(place: &Place<S>, id: i64, key: &str) -> Result<Arc<crate::accounts::Person>> {
    place.accounts.set_private_key(UserId(id), at(1), Some(PrivateKey::parse(key).unwrap())).await
}

#[actix_web::test]
async fn whoever_knows_the_key_finds_its_person_and_the_database_does_not_hold_it() {
    let place = place(&[]).await;
    place.registered("ann").await;
    place.registered("bob").await;
    assert!(set(&place, 1, KEY).await.unwrap().has_private_key);
    let found = place.accounts.person_by_key(UserId(2), at(1), &format!(" {KEY} ")).await.unwrap();
    assert_eq!(found.id, UserId(1));
    let stored: Option<String> = place
        .accounts
        .db
        .read(|conn| Ok(users::table.find(UserId(1)).select(users::private_key_hash).first(conn)?))
        .await
        .unwrap();
    let stored = stored.unwrap();
    assert!(stored.len() == 64 && stored.bytes().all(|c| c.is_ascii_hexdigit()), "{stored}");
    assert!(!place.accounts.set_private_key(UserId(1), at(1), None).await.unwrap().has_private_key);
    let gone = place.accounts.person_by_key(UserId(2), at(1), KEY).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
}

#[actix_web::test]
async fn a_key_that_somebody_has_is_refused_in_the_words_for_an_easy_one() {
    let place = place(&[]).await;
    place.registered("ann").await;
    place.registered("bob").await;
    set(&place, 1, KEY).await.unwrap();
    set(&place, 1, KEY).await.unwrap();
    let taken = set(&place, 2, KEY).await.err().unwrap();
    let easy = PrivateKey::parse("x").err().unwrap();
    assert_eq!(taken.fields(), [easy]);
}

#[actix_web::test]
async fn guesses_run_out_for_a_person_and_for_an_address_also_by_setting_keys() {
    let place = place(&[]).await;
    place.registered("ann").await;
    set(&place, 1, KEY).await.unwrap();
    for _ in 0..5 {
        let wrong = place.accounts.person_by_key(UserId(2), at(2), "not the key at all").await;
        assert!(matches!(wrong, Err(Error::NotFound(_))), "{wrong:?}");
        assert!(place.accounts.person_by_key(UserId(2), at(2), KEY).await.is_ok(), "right ones don't count");
    }
    place.registered("bob").await;
    for n in 0..5 {
        set(&place, 2, &format!("another guess {n}")).await.unwrap();
    }
    let refused = place.accounts.person_by_key(UserId(2), at(2), KEY).await;
    assert!(matches!(refused, Err(Error::TooMany { .. })), "{refused:?}");
    assert!(matches!(set(&place, 2, "one more guess").await, Err(Error::TooMany { .. })));
    for guest in 100..155 {
        let _ = place.accounts.person_by_key(UserId(guest), at(2), "not the key at all").await;
    }
    let refused = place.accounts.person_by_key(UserId(200), at(2), KEY).await;
    assert!(matches!(refused, Err(Error::TooMany { .. })), "{refused:?}");
    assert!(place.accounts.person_by_key(UserId(200), at(3), KEY).await.is_ok());
}

#[actix_web::test]
async fn a_key_of_somebody_locked_out_leads_to_nobody() {
    let place = place(&[]).await;
    place.registered("ann").await;
    place.registered("bob").await;
    set(&place, 2, KEY).await.unwrap();
    place.accounts.set_disabled(UserId(1), UserId(2), true).await.unwrap();
    let found = place.accounts.person_by_key(UserId(1), at(1), KEY).await;
    assert!(matches!(found, Err(Error::NotFound(_))), "{found:?}");
}
