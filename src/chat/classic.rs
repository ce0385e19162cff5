//! `/ws/classic`: one WebSocket of the old protocol as an actor. What it does is in `classic_talk`.
//!
//! It takes one thing after the other: a command waits until the one before it is answered, and so does a delivery.

use super::classic_protocol::{self as classic, FRAME_BYTES, Said};
use super::server::Meet;
use super::shard::{Ears, Local, PersonChanged};
use super::socket::{self, Frame, Link, Protocol};

use super::{Chat, classic_talk};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::{Message as Stored, room};
use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, StreamHandler, WrapFuture};
use actix_web_actors::ws::WebsocketContext;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How often each connection looks whether people or groups have changed; the protocol promises 5 s.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// Bytes that may wait for one connection: a whole history, or two of the largest pictures, and what arrives meanwhile.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// Deliveries that may wait for one connection; a client that falls further behind is ended.
const DELIVERIES: usize = 1024;

type Context = WebsocketContext<Classic>;

/// The actor.
pub struct Classic {
    link: Link,
    /// The last `Status` that was sent; none before `Connect`.
    status: Option<Bytes>,
}

impl Classic {
    /// Sends the `Status` again when it is another one by now.
    fn look(&mut self, ctx: &mut Context) {
        if self.status.is_none() {
            return;
        }
        let (chat, user) = (self.link.chat.clone(), self.link.person.id);
        let work = async move { classic_talk::status(&chat, user).await };
        ctx.wait(work.into_actor(self).map(|status: Result<Bytes>, classic, _| {
            if let Ok(frame) = status
                && classic.status.as_ref() != Some(&frame)
            {
                classic.status = Some(frame.clone());
                classic.link.send(frame);
            }
        }));
    }
}

impl Protocol for Classic {
    const NAMES: &'static [&'static str] = &[];
    const FRAME_BYTES: usize = FRAME_BYTES;
    const TOO_LARGE: &'static str = "A frame has at most 6 MiB.";
    const WAITING_BYTES: usize = WAITING_BYTES;

    fn new(link: Link) -> Self {
        Self { link, status: None }
    }

    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn error(code: &'static str, message: &str) -> Bytes {
        classic::error(code, message)
    }

    fn text(&mut self, frame: &str, ctx: &mut Context) {
        let said = match serde_json::from_str::<Said>(frame) {
            Ok(said) => said,
            Err(error) if error.is_data() => {
                let words = "This server doesn't know that type of frame, or something in it is missing.";
                return self.link.send(classic::error("bad_request", words));
            }
            Err(_) => {
                return self.link.patience.strike("not_json", "A frame is one JSON object with a Type.");
            }
        };
        let answers_with_status = !matches!(said, Said::Send(_) | Said::Join { .. });
        let Link { chat, person, address, .. } = &self.link;
        let (chat, person, address) = (chat.clone(), person.clone(), *address);
        let work = async move { classic_talk::run(&chat, &person, address, said).await };
        ctx.wait(work.into_actor(self).map(move |answer, classic, _| match answer {
            Ok(Some(frame)) => {
                if answers_with_status {
                    classic.status = Some(frame.clone());
                }
                classic.link.send(frame);
            }
            Ok(None) => {}
            Err(error) => classic.link.send(classic::refusal(&error)),
        }));
    }
}

/// The rooms that this protocol knows: every group and private conversation.
async fn subscribe(chat: Chat, local: Local, key: u64, user: UserId) -> Result<()> {
    let read = move |conn: &mut _| {
        Ok((room::company(conn, user, i64::MAX)?, room::company(conn, user, super::company::GROUP_MEMBERS)?))
    };
    let (all, company) = chat.rooms.db.snapshot(read).await?;
    local.subscribe_all(key, all);
    chat.server.send(Meet { user, rooms: company }).await.map_err(|e| Error::internal(e.to_string()))?;
    Ok(())
}

impl Actor for Classic {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        ctx.set_mailbox_capacity(DELIVERIES);
        self.link.arrive(Ears::Classic(ctx.address()));
        let Link { chat, local, key, person, .. } = &self.link;
        let work = subscribe(chat.clone(), local.clone(), *key, person.id);
        ctx.wait(work.into_actor(self).map(|subscribed, classic, _| {
            classic.link.ready(subscribed.map(|()| Bytes::new()));
        }));
        ctx.run_interval(LOOKS_EVERY, Self::look);
    }

    fn stopped(&mut self, _: &mut Context) {
        self.link.depart();
    }
}

impl StreamHandler<Frame> for Classic {
    fn handle(&mut self, frame: Frame, ctx: &mut Context) {
        socket::handle(self, frame, ctx);
    }
}

/// A message in one of the rooms.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heard(pub Arc<Stored>);

impl Handler<Heard> for Classic {
    type Result = ();

    fn handle(&mut self, Heard(message): Heard, ctx: &mut Context) {
        let (chat, reader) = (self.link.chat.clone(), self.link.person.id);
        let work = async move { classic_talk::heard(&chat, reader, &message).await };
        ctx.wait(work.into_actor(self).map(|frames: Result<Vec<Bytes>>, classic, _| match frames {
            Ok(frames) => frames.into_iter().for_each(|frame| classic.link.send(frame)),
            // The room was deleted in this moment.
            Err(Error::NotFound(_)) => {}
            // A client that misses one message must come back and ask for the history.
            Err(_) => classic.link.rope.cut(),
        }));
    }
}

impl Handler<PersonChanged> for Classic {
    type Result = ();

    fn handle(&mut self, PersonChanged(person): PersonChanged, _: &mut Context) {
        self.link.person = person;
    }
}
