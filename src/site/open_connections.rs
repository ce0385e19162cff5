//! How many connections stay open at once: per person and per address.

use super::limit::Address;
use crate::error::{Error, Result};
use crate::ids::UserId;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// When somebody with too many may ask again, milliseconds.
const AGAIN: u64 = 10_000;

/// Counts of what is open; nothing with the count 0.
type Counts<K> = Mutex<HashMap<K, usize>>;

#[derive(Default)]
struct Open {
    people: Counts<UserId>,
    addresses: Counts<Address>,
}

/// WebSockets and event streams that are open now, and how many may be.
pub struct OpenConnections {
    open: Arc<Open>,
    per_person: usize,
    per_address: usize,
}

impl OpenConnections {
    pub fn new(per_person: usize, per_address: usize) -> Self {
        Self { open: Arc::default(), per_person, per_address }
    }

    /// Counts one more, for as long as the answer lives.
    ///
    /// # Errors
    /// `TooMany` when the person or the address has as many as they may.
    pub fn enter(&self, person: Option<UserId>, address: Address) -> Result<Held> {
        take(&self.open.addresses, address, self.per_address)?;
        // From here on it is given back however this ends.
        let mut held = Held { open: self.open.clone(), person: None, address };
        if let Some(person) = person {
            take(&self.open.people, person, self.per_person)?;
            held.person = Some(person);
        }
        Ok(held)
    }
}

/// A place among the open connections; given back when it is dropped.
pub struct Held {
    open: Arc<Open>,
    person: Option<UserId>,
    address: Address,
}

impl Drop for Held {
    fn drop(&mut self) {
        give_back(&self.open.addresses, &self.address);
        if let Some(person) = &self.person {
            give_back(&self.open.people, person);
        }
    }
}

fn take<K: Eq + Hash>(counts: &Counts<K>, key: K, most: usize) -> Result<()> {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(key).or_default();
    if *count >= most {
        return Err(Error::TooMany { retry_after_ms: AGAIN });
    }
    *count += 1;
    Ok(())
}

fn give_back<K: Eq + Hash>(counts: &Counts<K>, key: &K) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn whoever_leaves_makes_room_for_one_more_and_nothing_is_remembered_of_them() {
        let open = OpenConnections::new(2, 3);
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        let ann = Some(UserId(1));
        let (first, second) = (open.enter(ann, here).unwrap(), open.enter(ann, there).unwrap());
        assert!(open.enter(ann, here).is_err(), "a third of the same person");
        // A refusal leaves nothing behind: this address has room for two more.
        let others: Vec<Held> = [Some(UserId(2)), None].map(|who| open.enter(who, here).unwrap()).into();
        assert!(open.enter(None, here).is_err(), "a fourth of the same address");
        drop(first);
        let again = open.enter(ann, here).unwrap();
        assert!(open.enter(None, here).is_err());
        drop((second, others, again));
        assert!(
            open.open.people.lock().unwrap().is_empty() && open.open.addresses.lock().unwrap().is_empty()
        );
    }
}
