//! The first frame of a connection: who one is, and where one's rooms stand.

use super::company::GROUP_MEMBERS;
use super::server::Meet;
use super::shard::Local;
use super::{Chat, protocol};
use crate::accounts::Person;
use crate::accounts::api::Me;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::{RoomView, block, direct, room};
use bytes::Bytes;
use serde::Serialize;
use std::sync::Arc;

/// Joined rooms in `ready`; `more` says that there are others, and `rooms` pages through them.
const ROOMS: i64 = 500;

#[derive(Serialize)]
#[serde(tag = "type", rename = "ready")]
struct Ready<'a> {
    user: Me,
    rooms: Vec<RoomView>,
    more: bool,
    /// Whom the person has blocked: their messages are folded.
    blocked: Vec<UserId>,
    /// Direct partners and members of groups who are here.
    online: Vec<UserId>,
    node: &'a str,
    version: &'static str,
    epoch: &'a str,
    limits: Limits,
}

#[derive(Serialize)]
struct Limits {
    /// Characters of a message.
    text: usize,
    /// Bytes of a frame.
    frame: usize,
    /// Messages of a page.
    page: i64,
    /// Files of a message, and bytes of each.
    attachments: usize,
    attachment_bytes: u64,
    sends_per_second: u32,
    sends_burst: u32,
}

/// Subscribes the connection, then reads the snapshot: what is committed in between is delivered after `ready`.
pub async fn load(chat: Chat, local: Local, key: u64, person: Arc<Person>) -> Result<Bytes> {
    let user = person.id;
    let read =
        move |conn: &mut _| Ok((room::joined_ids(conn, user)?, room::company(conn, user, GROUP_MEMBERS)?));
    let (joined, company) = chat.rooms.db.snapshot(read).await?;
    local.subscribe_all(key, joined);
    let meet = Meet { user, rooms: company };
    let online = chat.server.send(meet).await.map_err(|e| Error::internal(e.to_string()))?;
    let marks = chat.rooms.marks.clone();
    let (mut rooms, more, blocked) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let (mut rooms, more) = room::joined(conn, user, ROOMS)?;
            marks.see(conn, user, &mut rooms)?;
            Ok((rooms, more, block::blocked_by(conn, user)?))
        })
        .await?;
    direct::introduce(&chat.accounts.directory, user, &mut rooms).await?;
    Ok(protocol::frame(&Ready {
        user: Me::from(&*person),
        rooms,
        more,
        online,
        blocked,
        node: &chat.node,
        version: env!("CARGO_PKG_VERSION"),
        epoch: &chat.epoch,
        limits: Limits {
            text: 4000,
            frame: protocol::FRAME_BYTES,
            page: crate::rooms::message::PAGE,
            attachments: crate::rooms::attachment::PER_MESSAGE,
            attachment_bytes: chat.rooms.uploads.bytes_max,
            sends_per_second: crate::site::limit::SENDS_PER_SECOND,
            sends_burst: crate::site::limit::SENDS_BURST,
        },
    }))
}
