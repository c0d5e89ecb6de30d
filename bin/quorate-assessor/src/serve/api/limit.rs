//! How often a token may ask, and how much at once. Others are served whatever one of them does.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quorate_terms::{Digest, Timestamp};

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
}

/// A request that is answered; over when it is dropped.
pub(super) struct Place {
    limit: Limit,
    token: Digest,
}

impl Limit {
    /// So many requests of one token in a minute.
    pub(super) fn new(a_minute: NonZeroU32) -> Self {
        Self { a_minute: a_minute.get(), spent: Arc::default() }
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
            let left = WINDOW_MS.saturating_sub(now.since(spent.since));
            return Err(left.div_ceil(1_000).max(1));
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
}
