//! Signing in on another device: one that is signed in shows a code, the other one brings it, and the first one agrees
//! after both have shown the same number.
//!
//! The code is made from the row's number and a secret of the server, so that it can be shown again while it holds and
//! yet stands nowhere. Whoever photographs it gets no further than to a number which the first device doesn't confirm.

use super::key;
use super::user::{self, Person};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::handovers;
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::cookie::Key;
use diesel::prelude::*;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How long a code waits to be brought, ms; and how long the number waits to be confirmed.
const LIFE: i64 = 2 * 60 * 1000;
/// Bytes of a code behind the row's number: 80 bits, as letters and digits.
const CODE: usize = 10;

/// One handover, as the device that began it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = handovers)]
pub struct Handover {
    pub id: i64,
    pub user_id: UserId,
    pub created_at: i64,
    /// Until when the next thing may happen, ms.
    pub expires_at: i64,
    /// What both devices show; nothing before the other one has come.
    pub number: Option<i32>,
    /// Browser and system of the other one, in a few words.
    pub device: String,
    pub allowed: bool,
}

/// What the other device's session keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    id: i64,
    secret: String,
}

/// What the other device is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Show the number, and wait.
    Waiting(i32),
    /// Come in.
    Allowed(UserId),
    /// It was refused, or took too long.
    Over,
}

fn over() -> Error {
    Error::NotFound("That code doesn't hold, or not any more. Show a new one on your other device.")
}

impl Handover {
    /// What the other device brings.
    pub fn code(&self, key: &Key) -> Result<String> {
        let tag = mac(key, self)?.finalize().into_bytes();
        Ok(format!("{}-{}", self.id, data_encoding::BASE32_NOPAD.encode(&tag[..CODE]).to_lowercase()))
    }

    /// Whether the next thing may still happen.
    pub fn holds(&self) -> bool {
        self.expires_at > now_ms()
    }
}

fn mac(key: &Key, handover: &Handover) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.signing()).map_err(Error::internal)?;
    mac.update(format!("handover {} {} {}", handover.id, handover.user_id, handover.created_at).as_bytes());
    Ok(mac)
}

/// Begins one; what the person had begun before is over.
pub(super) fn begin(conn: &mut Conn, user: UserId) -> Result<i64> {
    end(conn, user)?;
    let now = now_ms();
    // Old ones of everybody go too: they are few, and nothing else looks for them.
    diesel::delete(handovers::table.filter(handovers::expires_at.lt(now - LIFE))).execute(conn)?;
    diesel::insert_into(handovers::table)
        .values((
            handovers::user_id.eq(user),
            handovers::created_at.eq(now),
            handovers::expires_at.eq(now + LIFE),
            handovers::allowed.eq(false),
        ))
        .execute(conn)?;
    Ok(handovers::table.filter(handovers::user_id.eq(user)).select(handovers::id).first(conn)?)
}

/// Ends what the person has begun.
pub(super) fn end(conn: &mut Conn, user: UserId) -> Result<()> {
    diesel::delete(handovers::table.filter(handovers::user_id.eq(user))).execute(conn)?;
    Ok(())
}

/// The person's own handover; nothing when it is done, refused, or another one was begun.
pub(super) fn own(conn: &mut Conn, user: UserId, id: i64) -> Result<Option<Handover>> {
    let row = handovers::table.find(id).filter(handovers::user_id.eq(user));
    Ok(row.select(Handover::as_select()).first(conn).optional()?)
}

/// The handover of a code that nobody has brought yet, and whose it is.
///
/// # Errors
/// `NotFound` when there is none, or it is over.
pub(super) fn brought(conn: &mut Conn, key: &Key, code: &str) -> Result<(Handover, Person)> {
    let (id, tag) = code.trim().split_once('-').ok_or_else(over)?;
    let tag = data_encoding::BASE32_NOPAD.decode(tag.to_uppercase().as_bytes()).map_err(|_| over())?;
    let id: i64 = id.parse().map_err(|_| over())?;
    let row = handovers::table.find(id).select(Handover::as_select()).first(conn).optional()?;
    let handover: Handover = row.ok_or_else(over)?;
    let right = tag.len() == CODE && mac(key, &handover)?.verify_truncated_left(&tag).is_ok();
    if !right || !handover.holds() || handover.number.is_some() {
        return Err(over());
    }
    let person = user::find(conn, handover.user_id)?;
    if person.disabled { Err(over()) } else { Ok((handover, person)) }
}

/// Takes a code for the device that has brought it: the first one gets it.
///
/// # Errors
/// `NotFound` when it is over, or somebody else was quicker.
pub(super) fn claim(conn: &mut Conn, key: &Key, code: &str, device: &str) -> Result<Claim> {
    let (handover, _) = brought(conn, key, code)?;
    let claim = Claim { id: handover.id, secret: crate::ids::random()? };
    let mut bits = [0; 4];
    getrandom::fill(&mut bits).map_err(Error::internal)?;
    // Four digits, none of them a leading zero that somebody leaves out.
    let number = 1000 + i32::try_from(u32::from_be_bytes(bits) % 9000).unwrap_or_default();
    let free = handovers::table.find(handover.id).filter(handovers::number.is_null());
    let taken = diesel::update(free)
        .set((
            handovers::number.eq(number),
            handovers::claim_hash.eq(key::fingerprint(&claim.secret)),
            handovers::device.eq(device),
            handovers::expires_at.eq(now_ms() + LIFE),
        ))
        .execute(conn)?;
    if taken == 0 { Err(over()) } else { Ok(claim) }
}

/// Lets the device with this number in.
///
/// # Errors
/// `NotFound` when it is over, or the number another one.
pub(super) fn allow(conn: &mut Conn, user: UserId, id: i64, number: i32) -> Result<()> {
    let row = handovers::table
        .find(id)
        .filter(handovers::user_id.eq(user).and(handovers::number.eq(number)))
        .filter(handovers::expires_at.gt(now_ms()));
    let allowed = (handovers::allowed.eq(true), handovers::expires_at.eq(now_ms() + LIFE));
    if diesel::update(row).set(allowed).execute(conn)? == 0 { Err(over()) } else { Ok(()) }
}

/// How it stands for the device with this claim; whoever is allowed in is so once.
pub(super) fn ask(conn: &mut Conn, claim: &Claim) -> Result<Asked> {
    let row = handovers::table
        .find(claim.id)
        .filter(handovers::claim_hash.eq(key::fingerprint(&claim.secret)))
        .filter(handovers::expires_at.gt(now_ms()));
    let found: Option<Handover> = row.select(Handover::as_select()).first(conn).optional()?;
    let Some(handover) = found else { return Ok(Asked::Over) };
    if !handover.allowed {
        return Ok(Asked::Waiting(handover.number.unwrap_or_default()));
    }
    // Of two requests at once, also on two nodes, one deletes the row.
    if diesel::delete(handovers::table.find(claim.id)).execute(conn)? == 0 {
        return Ok(Asked::Over);
    }
    Ok(if user::find(conn, handover.user_id)?.disabled {
        Asked::Over
    } else {
        Asked::Allowed(handover.user_id)
    })
}
