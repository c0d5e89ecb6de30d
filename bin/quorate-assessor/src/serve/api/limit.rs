//! How often a token may ask, and how much at once. Others are served whatever one of them does.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quorate_terms::{Digest, Timestamp};

/// Assessments in any hour: each is kept for good.
const ASSESSMENTS: usize = 12;
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
    /// When each token had something assessed, or has it now, the oldest first.
    assessed: Arc<Mutex<BTreeMap<Digest, VecDeque<Timestamp>>>>,
}

/// An assessment that is counted; counted no more when this is dropped before it was made.
pub(super) struct Assessing {
    limit: Limit,
    token: Digest,
    at: Timestamp,
    is_made: bool,
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

    /// Counts one assessment more, or says after how many seconds there may be one.
    pub(super) fn assesses(&self, token: Digest, now: Timestamp) -> Result<Assessing, u64> {
        let mut all = self.all_assessed();
        all.retain(|_, made| {
            made.retain(|at| now.since(*at) < HOUR_MS);
            !made.is_empty()
        });
        let made = all.entry(token).or_default();
        if let Some(oldest) = made.front().filter(|_| made.len() >= ASSESSMENTS) {
            return Err(wait_s(HOUR_MS, now.since(*oldest)));
        }
        made.push_back(now);
        Ok(Assessing { limit: self.clone(), token, at: now, is_made: false })
    }

    fn all_assessed(&self) -> MutexGuard<'_, BTreeMap<Digest, VecDeque<Timestamp>>> {
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

impl Assessing {
    /// It was made, and stays counted.
    pub(super) fn made(mut self) {
        self.is_made = true;
    }
}

impl Drop for Assessing {
    fn drop(&mut self) {
        if self.is_made {
            return;
        }
        let mut all = self.limit.all_assessed();
        if let Some(made) = all.get_mut(&self.token)
            && let Some(own) = made.iter().position(|at| *at == self.at)
        {
            made.remove(own);
        }
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

    #[test]
    fn a_token_has_so_much_assessed_in_any_hour_and_what_is_being_made_counts() {
        let limit = Limit::new(NonZeroU32::new(600_000).unwrap());
        let (start, one) = (Timestamp::from_millis(5_000_000), Digest::sha256(b"one"));
        let asks = |seconds: u64| limit.assesses(one, start.plus_s(seconds));
        asks(0).ok().unwrap().made();
        let last = u64::try_from(ASSESSMENTS).unwrap() - 1;
        let mut made: Vec<Assessing> =
            (1..=last).map(|at| asks(3_000 + at).ok().unwrap()).collect();
        assert_eq!(asks(3_100).err(), Some(500), "while they are being made");
        drop(made.pop());
        let instead = asks(3_100).ok().unwrap();
        made.push(instead);
        made.into_iter().for_each(Assessing::made);
        assert_eq!(asks(3_200).err(), Some(400));
        asks(3_600).ok().unwrap().made();
        assert_eq!(asks(3_601).err(), Some(3_000), "the others are not");
        assert!(limit.assesses(Digest::sha256(b"other"), start.plus_s(3_601)).is_ok());
    }
}
