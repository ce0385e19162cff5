//! Who is here now, in which state: written by the ChatServer, read by every page that shows people.

use super::protocol;
use crate::clock::now_ms;
use crate::ids::UserId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// One person's connections and status.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Here {
    connections: usize,
    state: &'static str,
    text: String,
}

/// The table of all who have at least one connection.
#[derive(Clone, Default)]
pub struct Presence {
    here: Arc<RwLock<HashMap<UserId, Here>>>,
    /// Who has left since it was last written down, and when, ms.
    left: Arc<RwLock<HashMap<UserId, i64>>>,
}

impl Presence {
    /// One more connection; `true` when the person was away before.
    pub fn arrive(&self, user: UserId, state: &'static str, text: &str) -> bool {
        let mut here = self.here.write().unwrap_or_else(PoisonError::into_inner);
        let entry = here.entry(user).or_insert_with(|| Here { connections: 0, state, text: text.to_owned() });
        entry.connections += 1;
        entry.connections == 1
    }

    /// One connection less; `true` when it was the last.
    pub fn depart(&self, user: UserId) -> bool {
        let mut here = self.here.write().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = here.get_mut(&user) else { return false };
        entry.connections = entry.connections.saturating_sub(1);
        let last = entry.connections == 0;
        if last {
            here.remove(&user);
            self.left.write().unwrap_or_else(PoisonError::into_inner).insert(user, now_ms());
        }
        last
    }

    /// Sets the status of somebody who is here; `false` for one who isn't.
    pub fn set(&self, user: UserId, state: &'static str, text: &str) -> bool {
        let mut here = self.here.write().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = here.get_mut(&user) else { return false };
        entry.state = state;
        text.clone_into(&mut entry.text);
        true
    }

    /// The state of each, `offline` for those who aren't here.
    pub fn of(&self, users: &[UserId]) -> Vec<protocol::Presence> {
        let here = self.here.read().unwrap_or_else(PoisonError::into_inner);
        let now = |user: &UserId| match here.get(user) {
            Some(entry) => protocol::Presence { user: *user, state: entry.state, text: entry.text.clone() },
            None => protocol::Presence { user: *user, state: "offline", text: String::new() },
        };
        users.iter().map(now).collect()
    }

    /// Who has left since the last call and has not come back, and when, ms. Going from page to page is no leaving.
    pub fn take_left(&self) -> Vec<(UserId, i64)> {
        let here = self.here.read().unwrap_or_else(PoisonError::into_inner);
        let left = std::mem::take(&mut *self.left.write().unwrap_or_else(PoisonError::into_inner));
        left.into_iter().filter(|(user, _)| !here.contains_key(user)).collect()
    }

    /// Those who are here, at most `limit` of them.
    pub fn everybody(&self, limit: usize) -> Vec<UserId> {
        let here = self.here.read().unwrap_or_else(PoisonError::into_inner);
        here.keys().copied().take(limit).collect()
    }

    /// How many people are here.
    pub fn count(&self) -> usize {
        self.here.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl crate::accounts::Presence for Presence {
    fn online(&self, users: &[UserId]) -> Vec<bool> {
        let here = self.here.read().unwrap_or_else(PoisonError::into_inner);
        users.iter().map(|user| here.contains_key(user)).collect()
    }

    fn left_at(&self, user: UserId) -> Option<i64> {
        self.left.read().unwrap_or_else(PoisonError::into_inner).get(&user).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_here_until_the_last_connection_has_gone() {
        let (presence, ann) = (Presence::default(), UserId(1));
        assert!(presence.arrive(ann, "online", ""));
        assert!(!presence.arrive(ann, "online", ""));
        assert!(presence.set(ann, "dnd", "writing"));
        assert!(!presence.depart(ann));
        assert_eq!(presence.of(&[ann])[0].state, "dnd");
        assert!(presence.depart(ann));
        assert_eq!((presence.of(&[ann])[0].state, presence.count()), ("offline", 0));
        assert!(!presence.set(ann, "away", ""));
    }

    #[test]
    fn who_has_left_is_told_once_and_only_if_they_stayed_away() {
        let (presence, ann, bob) = (Presence::default(), UserId(1), UserId(2));
        for user in [ann, bob] {
            presence.arrive(user, "online", "");
            presence.depart(user);
        }
        presence.arrive(bob, "online", "");
        let left: Vec<UserId> = presence.take_left().into_iter().map(|(user, _)| user).collect();
        assert_eq!(left, [ann]);
        assert!(presence.take_left().is_empty());
    }
}
