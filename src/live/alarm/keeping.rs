//! What people and the server itself do about alarms, over all streams.

use super::bell::{News, Ring};
use super::row::{self, Alarm};
use crate::accounts::Person;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::{AlarmId, UserId};
use crate::live::stream::Stream;
use crate::live::studio::{Live, Running};
use crate::rooms::talk::Deed;
use crate::rooms::{About, Outcome, Request, Target};

impl Live {
    /// Starts the stations of the streams that have rules or alarms that stand, and says what a sudden end left unsaid.
    pub async fn guard_all(&self) -> Result<()> {
        for name in self.db().read(row::guarded).await? {
            let running = match self.find(&name).await {
                // Deleted meanwhile.
                Err(Error::NotFound(_)) => continue,
                found => found?,
            };
            let standing: Vec<AlarmId> = running.store().alarms.iter().map(|alarm| alarm.id).collect();
            if !standing.is_empty() {
                self.tell(&running, standing);
            }
        }
        Ok(())
    }

    fn tell(&self, running: &Running, ids: Vec<AlarmId>) {
        let news = News::Told(ids);
        self.bell().ring(Ring::new(running.row().id, running.station.clone(), news));
    }

    /// Writes down that this person has an alarm. They are in the stream's talk then, and so hear what becomes of it.
    ///
    /// # Errors
    /// `NotFound`; what keeps them out of the talk.
    pub async fn acknowledge(&self, running: &Running, id: AlarmId, who: &Person) -> Result<Alarm> {
        let (row, by) = (running.row(), who.id);
        let stream = row.id;
        let alarm = self.db().read(move |conn| row::find(conn, stream, id)).await?;
        if alarm.acknowledged_at.is_some() {
            return Ok(alarm);
        }
        self.bring_in(by, &row).await?;
        let name = who.display_name.clone();
        let (alarm, changed) =
            self.db().write(move |conn| row::acknowledge(conn, (stream, id), (by, &name), now_ms())).await?;
        if !changed.is_empty() {
            self.tell(running, changed);
        }
        Ok(alarm)
    }

    /// Brings in whoever has asked to be called by this stream. The rules are stored: what keeps them out of the talk is no
    /// reason to say that they weren't.
    pub(in crate::live) async fn bring_caller_in(&self, who: UserId, row: &Stream) {
        if let Err(error) = self.bring_in(who, row).await {
            tracing::warn!(%error, "somebody who set alarms could not join the stream's talk");
        }
    }

    /// Makes somebody a member of the stream's talk, who is told there.
    async fn bring_in(&self, who: UserId, row: &Stream) -> Result<()> {
        let (about, name) = (About::stream(row.id), row.called().to_owned());
        let open = Request::Talk(Deed::Open { by: Some(who), about, name });
        if let Outcome::Opened { room, .. } = self.db().carry_out(open).await?
            && !room.joined
        {
            self.db().carry_out(Request::Join { user: who, target: Target::Id(room.id) }).await?;
        }
        Ok(())
    }
}
