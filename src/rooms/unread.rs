//! Read marks: visible at once, written together every two seconds and at the end.

use crate::db::Conn;
use crate::db::schema::messages::{memberships, rooms};
use crate::ids::{BOARD, RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::room::RoomView;

/// A mark that is not in the database yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    seq: i64,
    /// Set by "mark unread from here": it may go back, and holds whatever is stored.
    back: bool,
}

/// Where a person's read mark has just come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReadMark {
    pub room: RoomId,
    pub seq: i64,
    /// It may stand before where it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
    /// How many messages after it call them.
    pub mentions: i64,
}

/// The marks of this process that wait to be written.
#[derive(Clone, Default)]
pub struct ReadMarks {
    waiting: Arc<Mutex<HashMap<(UserId, RoomId), Mark>>>,
}

/// Marks on their way into the database.
#[derive(Debug, Default)]
pub struct Batch(Vec<((UserId, RoomId), Mark)>);

impl ReadMarks {
    fn lock(&self) -> MutexGuard<'_, HashMap<(UserId, RoomId), Mark>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a mark: forward only, unless `back`.
    pub fn set(&self, user: UserId, room: RoomId, seq: i64, back: bool) {
        let mut waiting = self.lock();
        let mark = waiting.entry((user, room)).or_insert(Mark { seq, back });
        if back {
            *mark = Mark { seq, back };
        } else {
            mark.seq = mark.seq.max(seq);
        }
    }

    /// Puts what isn't written yet over what was read from the database.
    pub fn overlay(&self, user: UserId, views: &mut [RoomView]) {
        let waiting = self.lock();
        if waiting.is_empty() {
            return;
        }
        for view in views.iter_mut().filter(|v| v.joined) {
            if let Some(mark) = waiting.get(&(user, view.id)) {
                let seq = if mark.back { mark.seq } else { mark.seq.max(view.read_seq) };
                view.read_seq = seq.clamp(0, view.last_seq);
            }
        }
    }

    /// What should be written now; it stays visible here until [`written`](Self::written).
    pub fn batch(&self) -> Batch {
        Batch(self.lock().iter().map(|(key, mark)| (*key, *mark)).collect())
    }

    /// Forgets the marks of a committed batch, but not those that moved on meanwhile.
    pub fn written(&self, batch: &Batch) {
        let mut waiting = self.lock();
        for (key, mark) in &batch.0 {
            if waiting.get(key) == Some(mark) {
                waiting.remove(key);
            }
        }
    }

    /// Forgets a mark: the person has left the room.
    pub fn forget(&self, user: UserId, room: RoomId) {
        self.lock().remove(&(user, room));
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the marks inside the open transaction, never past a room's newest message.
    pub fn store(&self, conn: &mut Conn) -> QueryResult<()> {
        let mut newest: HashMap<RoomId, i64> = HashMap::new();
        for ((user, room), mark) in &self.0 {
            let last = match newest.get(room) {
                Some(last) => *last,
                None => {
                    let last =
                        rooms::table.find(*room).select(rooms::last_seq).first(conn).optional()?.unwrap_or(0);
                    newest.insert(*room, last);
                    last
                }
            };
            let seq = mark.seq.clamp(0, last);
            if *room == BOARD {
                meet_board(conn, *user)?;
            }
            let row = memberships::table.find((*user, *room));
            if mark.back {
                diesel::update(row).set(memberships::read_seq.eq(seq)).execute(conn)?;
            } else {
                diesel::update(row.filter(memberships::read_seq.lt(seq)))
                    .set(memberships::read_seq.eq(seq))
                    .execute(conn)?;
            }
        }
        Ok(())
    }
}

/// Nobody joins the board: its row is made by the first mark.
pub(super) fn meet_board(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    let row = (
        memberships::user_id.eq(user),
        memberships::room_id.eq(BOARD),
        memberships::joined_at.eq(0),
        memberships::read_seq.eq(0),
    );
    on_conn!(conn, c => diesel::insert_into(memberships::table).values(row).on_conflict_do_nothing().execute(c)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(read_seq: i64) -> RoomView {
        RoomView { read_seq, ..RoomView::for_tests() }
    }

    #[test]
    fn a_mark_is_visible_at_once_and_moves_forward_only_unless_it_is_put_back() {
        let (marks, user) = (ReadMarks::default(), UserId(7));
        let seen = |stored| {
            let mut views = [view(stored)];
            marks.overlay(user, &mut views);
            views[0].read_seq
        };
        assert_eq!(seen(3), 3);
        marks.set(user, RoomId(2), 5, false);
        marks.set(user, RoomId(2), 4, false);
        assert_eq!((seen(3), seen(6)), (5, 6));
        marks.set(user, RoomId(2), 2, true);
        assert_eq!(seen(6), 2);
        marks.set(user, RoomId(2), 99, false);
        assert_eq!(seen(0), 10);
    }

    #[test]
    fn a_mark_that_moved_while_it_was_written_is_written_again() {
        let (marks, user) = (ReadMarks::default(), UserId(7));
        marks.set(user, RoomId(2), 5, false);
        let batch = marks.batch();
        marks.set(user, RoomId(2), 6, false);
        marks.written(&batch);
        assert!(!marks.batch().is_empty());
        marks.written(&marks.batch());
        assert!(marks.batch().is_empty());
    }
}
