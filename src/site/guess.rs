//! How often somebody may guess at a secret: what fails counts, what was right doesn't.

use super::limit::Address;
use crate::error::{Error, Result};
use crate::ids::UserId;
use moka::sync::Cache;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long wrong guesses are held against whoever made them.
const WINDOW: Duration = Duration::from_mins(15);
/// Wrong guesses of one person in that time.
const PER_PERSON: u32 = 10;
/// And from one address: guests are made faster than people, so that the person alone would be no limit. A class
/// behind one address still mistypes within it.
const PER_ADDRESS: u32 = 60;
/// Guessers that are remembered.
const REMEMBERED: u64 = 100_000;

/// Wrong guesses since a moment.
struct Strikes {
    since: Instant,
    count: AtomicU32,
}

struct Counter<K> {
    most: u32,
    strikes: Cache<K, Arc<Strikes>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Counter<K> {
    fn new(most: u32) -> Self {
        Self { most, strikes: Cache::builder().max_capacity(REMEMBERED).time_to_live(WINDOW).build() }
    }

    /// Counts a guess before it is known to be wrong: many at once must not slip through together.
    fn count(&self, key: K) -> Result<Arc<Strikes>> {
        let first = || Arc::new(Strikes { since: Instant::now(), count: AtomicU32::new(0) });
        let strikes = self.strikes.get_with(key, first);
        if strikes.count.fetch_add(1, Ordering::AcqRel) < self.most {
            return Ok(strikes);
        }
        strikes.count.fetch_sub(1, Ordering::AcqRel);
        let wait = WINDOW.saturating_sub(strikes.since.elapsed());
        Err(Error::TooMany { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) })
    }
}

/// Who guessed wrong lately. Cheap to clone. These limits stay on in load tests: they guard people, not the machine.
#[derive(Clone)]
pub struct Guesses {
    people: Arc<Counter<UserId>>,
    addresses: Arc<Counter<Address>>,
}

/// A guess that counts as wrong until it is said to be right.
#[must_use = "a guess that was right is to be forgiven"]
pub struct Guess([Arc<Strikes>; 2]);

impl Guess {
    /// It was right, so it doesn't count.
    pub fn was_right(self) {
        for strikes in &self.0 {
            strikes.count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Default for Guesses {
    fn default() -> Self {
        Self { people: Arc::new(Counter::new(PER_PERSON)), addresses: Arc::new(Counter::new(PER_ADDRESS)) }
    }
}

impl Guesses {
    /// Before a guess is compared.
    ///
    /// # Errors
    /// `TooMany`, with the time until the next one is allowed.
    pub fn begin(&self, user: UserId, from: Address) -> Result<Guess> {
        let person = self.people.count(user)?;
        let address = self.addresses.count(from).inspect_err(|_| {
            person.count.fetch_sub(1, Ordering::AcqRel);
        })?;
        Ok(Guess([person, address]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn at(last: u8) -> Address {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[test]
    fn right_guesses_cost_nothing_and_wrong_ones_run_out() {
        let guesses = Guesses::default();
        for _ in 0..200 {
            guesses.begin(UserId(1), at(1)).unwrap().was_right();
        }
        for _ in 0..PER_PERSON {
            drop(guesses.begin(UserId(1), at(1)).unwrap());
        }
        let refused = guesses.begin(UserId(1), at(2)).err().unwrap();
        assert!(matches!(refused, Error::TooMany { retry_after_ms: 800_000..=900_000 }), "{refused:?}");
        assert!(guesses.begin(UserId(2), at(1)).is_ok());
    }

    #[test]
    fn many_guests_from_one_address_share_its_guesses() {
        let guesses = Guesses::default();
        let allowed = (0..1000).filter(|id| guesses.begin(UserId(*id), at(1)).is_ok()).count();
        assert_eq!(allowed, 60);
        assert!(guesses.begin(UserId(2000), at(2)).is_ok());
    }
}
