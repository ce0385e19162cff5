//! The first frame of a connection: who one is, and where one's rooms stand.

use super::shard::Local;
use super::{Chat, protocol};
use crate::accounts::Person;
use crate::accounts::api::Me;
use crate::error::Result;
use crate::ids::UserId;
use crate::rooms::{RoomView, room};
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
    /// Direct partners and members of groups who are here. There are neither yet.
    online: [UserId; 0],
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
    sends_per_second: u32,
    sends_burst: u32,
}

/// Subscribes the connection, then reads the snapshot: what is committed in between is delivered after `ready`.
pub async fn load(chat: Chat, local: Local, key: u64, person: Arc<Person>) -> Result<Bytes> {
    let user = person.id;
    let joined = chat.rooms.db.read(move |conn| room::joined_ids(conn, user)).await?;
    local.subscribe_all(key, joined);
    let (mut rooms, more) = chat.rooms.db.snapshot(move |conn| room::joined(conn, user, ROOMS)).await?;
    chat.rooms.marks.overlay(user, &mut rooms);
    Ok(protocol::frame(&Ready {
        user: Me::from(&*person),
        rooms,
        more,
        online: [],
        node: &chat.node,
        version: env!("CARGO_PKG_VERSION"),
        epoch: &chat.epoch,
        limits: Limits {
            text: 4000,
            frame: protocol::FRAME_BYTES,
            page: crate::rooms::message::PAGE,
            sends_per_second: crate::site::limit::SENDS_PER_SECOND,
            sends_burst: crate::site::limit::SENDS_BURST,
        },
    }))
}
