//! Passwords: their rules, and the hashing, which takes a core for a fifth of a second and therefore has a queue.

use crate::error::{Error, FieldError, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes. Bcrypt looks at 72, the last of which ends the password.
const MAX: usize = 71;
/// How long the last in the queue may wait, ms. Browsers and people give up soon after.
const LONGEST_WAIT: usize = 20_000;
/// What a hash of cost 0 would take, in nanoseconds; each step of the cost doubles it. Measured: 207 ms at cost 12.
const NANOS_AT_COST_0: usize = 50_000;

/// A password that keeps the rules; it has no `Debug`, so that no log line can show it.
pub struct Password(String);

impl Password {
    /// # Errors
    /// For the field `password`, the sentence for the first rule that is broken.
    pub fn parse(typed: &str, min: usize) -> Result<Self, FieldError> {
        let wrong = |words: String| Err(FieldError::new("password", words));
        if typed.chars().count() < min {
            return wrong(format!("A password has at least {min} characters."));
        }
        if typed.len() > MAX {
            return wrong(format!(
                "A password has at most {MAX} bytes: {MAX} plain letters, fewer with accents or other scripts."
            ));
        }
        if typed.contains('\0') {
            return wrong("A password can't contain the character NUL.".to_owned());
        }
        Ok(Self(typed.to_owned()))
    }

    /// One that has just been compared with its hash, and so kept the rules of its day.
    pub(super) fn proven(typed: String) -> Self {
        Self(typed)
    }

    /// The salted hash, on the caller's own thread.
    pub fn hash_blocking(&self, cost: u32) -> Result<String> {
        bcrypt::non_truncating_hash(&self.0, cost).map_err(Error::internal)
    }
}

/// Hashes and compares passwords, no more at once than there are cores.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    cost: u32,
    /// Compared with when there is nothing to compare with, so that it takes as long.
    dummy: String,
    cores: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// One place in the queue; given back however the wait ends.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hasher {
    pub fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        let each = (NANOS_AT_COST_0 << cost.min(31)) / 1_000_000;
        Self(Arc::new(Inner {
            cost,
            // A salt and a digest of zeros: no password has it, and comparing costs what it costs for a real one.
            dummy: format!("$2b${cost:02}${}", ".".repeat(22 + 31)),
            cores: Semaphore::new(cores),
            waiting: AtomicUsize::new(0),
            most_waiting: (LONGEST_WAIT * cores / each.max(1)).clamp(cores, 10_000),
        }))
    }

    /// # Errors
    /// `Busy` when too many wait already.
    pub async fn hash(&self, password: Password) -> Result<String> {
        let cost = self.0.cost;
        self.run(move || password.hash_blocking(cost)).await?
    }

    /// Whether `typed` is the password of `hash`. Without a hash the answer is no, after the same time.
    ///
    /// # Errors
    /// `Busy` when too many wait already.
    pub async fn verify(&self, typed: String, hash: Option<String>) -> Result<bool> {
        // Past these, bcrypt would compare something else than what was typed.
        let comparable = typed.len() <= MAX && !typed.contains('\0');
        let real = hash.filter(|_| comparable);
        let known = real.is_some();
        let hash = real.unwrap_or_else(|| self.0.dummy.clone());
        let equal = self.run(move || bcrypt::verify(typed, &hash)).await?.map_err(Error::internal)?;
        Ok(known && equal)
    }

    /// Whether a hash costs what the setting says; one that doesn't would tell by its time that the name exists.
    pub fn is_current(&self, hash: &str) -> bool {
        hash.split('$').nth(2).and_then(|cost| cost.parse().ok()) == Some(self.0.cost)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = self.wait().await?;
        // The core stays taken until the work ends, even when whoever asked has gone away meanwhile.
        permit.forget();
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let _core = GiveBack(&inner.cores);
            work()
        })
        .await
        .map_err(Error::internal)
    }

    async fn wait(&self) -> Result<SemaphorePermit<'_>> {
        let before = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.0.waiting);
        if before >= self.0.most_waiting {
            return Err(Error::Busy("Too many people are signing in just now. Try again in a moment."));
        }
        self.0.cores.acquire().await.map_err(Error::internal)
    }
}

/// Gives the core back even when the work panics.
struct GiveBack<'a>(&'a Semaphore);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_passwords_has_its_own_sentence() {
        let refusal = |typed: &str| Password::parse(typed, 8).err().map(|e| e.message.into_owned());
        assert_eq!(refusal("pässwörd"), None);
        assert_eq!(refusal(&"x".repeat(71)), None);
        assert!(refusal("seven77").unwrap().contains("at least 8"));
        assert!(refusal(&"x".repeat(72)).unwrap().contains("at most 71"));
        assert!(refusal(&"é".repeat(36)).unwrap().contains("at most 71"));
        assert!(refusal("nul\0 nul\0").unwrap().contains("NUL"));
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let hasher = Hasher::new(4);
        let hash = hasher.hash(Password::parse(&"x".repeat(71), 8).unwrap()).await.unwrap();
        assert!(hasher.verify("x".repeat(71), Some(hash.clone())).await.unwrap());
        for other in ["x".repeat(70), "x".repeat(72), format!("{}\0y", "x".repeat(71)), String::new()] {
            assert!(!hasher.verify(other, Some(hash.clone())).await.unwrap());
        }
    }

    #[tokio::test]
    async fn nobody_has_the_dummy_password_and_it_is_as_costly_as_a_real_one() {
        let hasher = Hasher::new(5);
        let hash = hasher.hash(Password::parse("password", 8).unwrap()).await.unwrap();
        let dummy = hasher.0.dummy.clone();
        // The cost is all that a comparison's time depends on; a hash that can't be read would fail at once instead.
        let cost = |hash: &str| hash.split('$').nth(2).map(str::to_owned);
        assert_eq!((cost(&dummy), dummy.len()), (cost(&hash), hash.len()));
        assert!(matches!(bcrypt::verify("wrong", &dummy), Ok(false)));
        assert!(!hasher.verify("wrong".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        let hasher = Hasher::new(4);
        hasher.0.waiting.store(hasher.0.most_waiting, Ordering::Relaxed);
        assert!(matches!(hasher.verify("x".into(), None).await, Err(Error::Busy(_))));
        hasher.0.waiting.store(0, Ordering::Relaxed);
        assert!(!hasher.verify("x".into(), None).await.unwrap());
    }
}
