//! When a room's members are told of what changes often: at once after a quiet moment, then once a second.

use crate::ids::RoomId;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A second less a little, so that a tick that comes early by a hair doesn't skip a turn.
const EVERY: Duration = Duration::from_millis(900);

#[derive(Debug)]
struct Turn {
    told: Instant,
    has_news: bool,
}

/// The rooms that were told of something a moment ago.
#[derive(Debug, Default)]
pub struct Pace(HashMap<RoomId, Turn>);

impl Pace {
    /// Something has changed; `true` when it is to be told now, otherwise it [comes due](Self::due).
    pub fn changed(&mut self, room: RoomId, now: Instant) -> bool {
        if let Some(turn) = self.0.get_mut(&room)
            && now.duration_since(turn.told) < EVERY
        {
            turn.has_news = true;
            return false;
        }
        self.told(room, now);
        true
    }

    /// The room has been told everything.
    pub fn told(&mut self, room: RoomId, now: Instant) {
        self.0.insert(room, Turn { told: now, has_news: false });
    }

    /// The rooms that are to be told by `now`; one that has been quiet for long enough is forgotten.
    pub fn due(&mut self, now: Instant) -> Vec<RoomId> {
        let mut due = Vec::new();
        self.0.retain(|room, turn| {
            if now.duration_since(turn.told) < EVERY {
                return true;
            }
            if std::mem::take(&mut turn.has_news) {
                due.push(*room);
                turn.told = now;
                return true;
            }
            false
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(5);

    #[test]
    fn the_first_change_is_told_at_once_and_a_storm_once_a_second() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut told = 0;
        for number in 0..200 {
            let now = start + Duration::from_millis(10 * number);
            told += usize::from(pace.changed(ROOM, now));
            if number % 100 == 99 {
                told += pace.due(now).len();
            }
        }
        assert_eq!(told, 3, "at the beginning, and once a second from there");
        assert_eq!(pace.due(start + Duration::from_secs(3)), [ROOM], "and how it ended");
        let later = start + Duration::from_secs(5);
        assert!(pace.due(later).is_empty() && pace.0.is_empty(), "a quiet room is forgotten");
        assert!(pace.changed(ROOM, later));
    }
}
