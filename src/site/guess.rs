//! How often somebody may guess at a secret: what fails counts, what was right doesn't.

use super::limit::Address;
use crate::error::{Error, Result};
use crate::ids::UserId;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
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
/// Guessers that are remembered. The one that is forgotten for another is the one that rested longest, so that a
/// flood of other names doesn't set anybody free.
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
        let strikes = Cache::builder()
            .max_capacity(REMEMBERED)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(WINDOW)
            .build();
        Self { most, strikes }
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

/// A guess that counts as wrong until it is said to be right.
#[must_use = "a guess that was right is to be forgiven"]
pub struct Guess(Vec<Arc<Strikes>>);

impl Guess {
    /// It was right, so it doesn't count.
    pub fn was_right(self) {
        for strikes in &self.0 {
            strikes.count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Counts for both, or for neither.
fn both<A, B>(one: &Counter<A>, a: A, other: &Counter<B>, b: B) -> Result<Guess>
where
    A: Hash + Eq + Send + Sync + 'static,
    B: Hash + Eq + Send + Sync + 'static,
{
    let first = one.count(a)?;
    let second = other.count(b).inspect_err(|_| {
        first.count.fetch_sub(1, Ordering::AcqRel);
    })?;
    Ok(Guess(vec![first, second]))
}

/// Who guessed wrong lately. Cheap to clone. These limits stay on in load tests: they guard people, not the machine.
#[derive(Clone)]
pub struct Guesses {
    people: Arc<Counter<UserId>>,
    addresses: Arc<Counter<Address>>,
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
        both(&self.people, user, &self.addresses, from)
    }
}

/// Who tried wrong things at the door lately, by accounts: names that nobody has count like those that somebody has,
/// or the limit itself would tell them apart.
///
/// Strangers share the tries at an account, wherever they come from. A browser that has been in before has tries of
/// its own, so that nobody is kept out by what others do.
#[derive(Clone)]
pub struct Tries {
    accounts: Arc<Counter<[u8; 32]>>,
    browsers: Arc<Counter<[u8; 32]>>,
    addresses: Arc<Counter<Address>>,
}

impl Tries {
    /// How many wrong ones all strangers together may make at one account, and how many a known browser.
    pub fn new(of_strangers: u32, of_a_browser: u32) -> Self {
        Self {
            accounts: Arc::new(Counter::new(of_strangers)),
            browsers: Arc::new(Counter::new(of_a_browser)),
            addresses: Arc::new(Counter::new(PER_ADDRESS)),
        }
    }

    /// Before something is compared. `browser` is the name of one that has been in.
    ///
    /// # Errors
    /// `TooMany`, with the time until the next one is allowed.
    pub fn begin(&self, account: &str, browser: Option<&str>, from: Address) -> Result<Guess> {
        match browser {
            Some(browser) => {
                let own = Sha256::digest(format!("{browser} {account}").as_bytes()).into();
                Ok(Guess(vec![self.browsers.count(own)?]))
            }
            None => {
                let account = Sha256::digest(account.as_bytes()).into();
                both(&self.accounts, account, &self.addresses, from)
            }
        }
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

    #[test]
    fn strangers_share_an_accounts_tries_from_wherever_they_come_and_leave_its_own_browser_alone() {
        let tries = Tries::new(30, 10);
        let allowed = (0..200).filter(|n| tries.begin("ann", None, at(*n)).is_ok()).count();
        assert_eq!(allowed, 30);
        assert!(tries.begin("ann", None, at(250)).is_err());
        for _ in 0..100 {
            tries.begin("ann", Some("her phone"), at(1)).unwrap().was_right();
        }
        let own = (0..20).filter(|_| tries.begin("ann", Some("her phone"), at(1)).is_ok()).count();
        assert_eq!(own, 10, "a stolen browser guesses no more than anybody");
        assert!(tries.begin("ann", Some("her desk"), at(1)).is_ok());
        assert!(tries.begin("bob", None, at(251)).is_ok());
    }

    #[test]
    fn one_address_runs_out_over_many_accounts() {
        let tries = Tries::new(30, 10);
        let allowed = (0..200).filter(|n| tries.begin(&format!("name {n}"), None, at(1)).is_ok()).count();
        assert_eq!(allowed, 60);
        assert!(tries.begin("ann", Some("her phone"), at(1)).is_ok(), "who has been in there doesn't suffer");
    }
}
