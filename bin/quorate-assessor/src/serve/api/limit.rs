//! How often a token may ask, and how much at once. Others are served whatever one of them does.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quorate_terms::{Digest, Timestamp};

/// Assessments in an hour, and as many more as are made at the same time: each is kept for good.
const ASSESSMENTS: u32 = 12;
/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;
/// Requests that are answered at the same time.
const AT_ONCE: u32 = 4;
/// A minute, in milliseconds.
const WINDOW_MS: u64 = 60_000;

#[derive(Default)]
struct Spent {
    since: Timestamp,
    asked: u32,
    open: u32,
}

/// What every token spent of late.
#[derive(Clone)]
pub(super) struct Limit {
    a_minute: u32,
    spent: Arc<Mutex<BTreeMap<Digest, Spent>>>,
    /// Since when each token had how much assessed.
    assessed: Arc<Mutex<BTreeMap<Digest, (Timestamp, u32)>>>,
}

/// A request that is answered; over when it is dropped.
pub(super) struct Place {
    limit: Limit,
    token: Digest,
}

impl Limit {
    /// So many requests of one token in a minute.
    pub(super) fn new(a_minute: NonZeroU32) -> Self {
        Self { a_minute: a_minute.get(), spent: Arc::default(), assessed: Arc::default() }
    }

    /// Whether there may be one assessment more, or after how many seconds.
    pub(super) fn assesses(&self, token: Digest, now: Timestamp) -> Result<(), u64> {
        let mut all = self.all_assessed();
        all.retain(|_, (since, _)| now.since(*since) < HOUR_MS);
        match all.get(&token) {
            Some((since, count)) if *count >= ASSESSMENTS => {
                Err(wait_s(HOUR_MS, now.since(*since)))
            }
            _ => Ok(()),
        }
    }

    /// Counts an assessment that was made.
    pub(super) fn assessed(&self, token: Digest, now: Timestamp) {
        let mut all = self.all_assessed();
        let (_, count) = all.entry(token).or_insert((now, 0));
        *count = count.saturating_add(1);
    }

    fn all_assessed(&self) -> MutexGuard<'_, BTreeMap<Digest, (Timestamp, u32)>> {
        self.assessed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one request, or after how many seconds there may be one.
    pub(super) fn take(&self, token: Digest, now: Timestamp) -> Result<Place, u64> {
        let mut all = self.lock();
        all.retain(|_, spent| spent.open > 0 || now.since(spent.since) < WINDOW_MS);
        let spent = all.entry(token).or_default();
        if now.since(spent.since) >= WINDOW_MS {
            (spent.since, spent.asked) = (now, 0);
        }
        if spent.asked >= self.a_minute {
            return Err(wait_s(WINDOW_MS, now.since(spent.since)));
        }
        if spent.open >= AT_ONCE {
            return Err(1);
        }
        spent.asked = spent.asked.saturating_add(1);
        spent.open = spent.open.saturating_add(1);
        Ok(Place { limit: self.clone(), token })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Spent>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many seconds are left of a window of which so much is over.
fn wait_s(window_ms: u64, over_ms: u64) -> u64 {
    window_ms.saturating_sub(over_ms).div_ceil(1_000).max(1)
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(spent) = self.limit.lock().get_mut(&self.token) {
            spent.open = spent.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_asks_so_often_a_minute_and_so_much_at_once_and_hinders_no_other() {
        let (limit, start) =
            (Limit::new(NonZeroU32::new(9).unwrap()), Timestamp::from_millis(5_000_000));
        let (one, other) = (Digest::sha256(b"one"), Digest::sha256(b"other"));
        let held: Vec<Place> = (0..AT_ONCE).map(|_| limit.take(one, start).ok().unwrap()).collect();
        assert_eq!(limit.take(one, start).err(), Some(1));
        assert!(limit.take(other, start).is_ok());
        drop(held);
        for _ in AT_ONCE..9 {
            assert!(limit.take(one, start).is_ok());
        }
        assert_eq!(limit.take(one, start.plus_s(20)).err(), Some(40));
        assert!(limit.take(one, start.plus_s(60)).is_ok());
    }

    #[test]
    fn a_token_has_so_much_assessed_an_hour() {
        let limit = Limit::new(NonZeroU32::new(600_000).unwrap());
        let (start, one) = (Timestamp::from_millis(5_000_000), Digest::sha256(b"one"));
        for _ in 0..ASSESSMENTS {
            assert_eq!(limit.assesses(one, start), Ok(()));
            limit.assessed(one, start);
        }
        assert_eq!(limit.assesses(one, start.plus_s(600)), Err(3_000));
        assert_eq!(limit.assesses(Digest::sha256(b"other"), start), Ok(()));
        assert_eq!(limit.assesses(one, start.plus_s(3_600)), Ok(()));
    }
}
