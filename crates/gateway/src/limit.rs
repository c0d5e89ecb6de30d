//! Bounds on one credential: how often, and how much at once. Others are served whatever one of them does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use quorate_terms::CredentialId;

use crate::errors::{Code, Complaint};
use quorate_web::Sparse;

/// A clock that only goes forward, in milliseconds from anywhere. The caller passes it in.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How much one credential may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Requests a minute, on average.
    pub per_minute: u64,
    /// Requests at once after a pause.
    pub burst: u64,
    /// Requests being answered at the same time.
    pub in_flight: usize,
    /// Event streams open at the same time.
    pub streams: usize,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_minute: 600, burst: 60, in_flight: 8, streams: 8 }
    }
}

/// A place among the requests of one credential; dropped when the answer is complete.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// What a place is taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// A request and its answer.
    Request,
    /// A stream that stays open.
    Stream,
}

struct Bucket {
    /// Thousandths of a request: what may be asked now.
    milli: u64,
    /// When it was last filled.
    at: u64,
    flight: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// How much the log was told of what is beyond them.
    beyond: Sparse,
}

/// The bounds of every credential that was seen. Credentials are few: each was admitted by a quorum.
pub struct Limiter {
    rate: Rate,
    clock: Clock,
    buckets: Mutex<BTreeMap<CredentialId, Bucket>>,
    strangers: Sparse,
}

impl Limiter {
    /// Bounds of this rate by this clock.
    pub fn new(rate: Rate, clock: Clock) -> Self {
        Self { rate, clock, buckets: Mutex::default(), strangers: Sparse::new() }
    }

    /// Whether the log is told of one more refusal of somebody whom nobody knows, and how many were left out before it.
    pub(crate) fn told(&self) -> Option<u64> {
        self.strangers.at((self.clock)())
    }

    /// Takes one request, or says how long to wait.
    ///
    /// # Errors
    /// [`Complaint`] of category `limit`.
    pub fn enter(&self, credential: &CredentialId, what: Use) -> Result<Place, Complaint> {
        let now = (self.clock)();
        let mut buckets = self.lock();
        let bucket = buckets.entry(credential.clone()).or_insert_with(|| Bucket {
            milli: self.rate.burst.saturating_mul(1000),
            at: now,
            flight: Arc::new(Semaphore::new(self.rate.in_flight)),
            streams: Arc::new(Semaphore::new(self.rate.streams)),
            beyond: Sparse::new(),
        });
        bucket.fill(self.rate, now);
        if bucket.milli < 1000 {
            let wait = seconds_until(1000_u64.saturating_sub(bucket.milli), self.rate.per_minute);
            let message = format!("too many requests; wait {wait} seconds and ask less often");
            let complaint = Complaint::new(Code::RateLimited, message).after(wait);
            return Err(bucket.told(complaint, credential, now));
        }
        let places = match what {
            Use::Request => &bucket.flight,
            Use::Stream => &bucket.streams,
        };
        let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
            let message = "too many requests at once; wait for an answer before asking again";
            let complaint = Complaint::new(Code::TooManyInFlight, message).after(1);
            return Err(bucket.told(complaint, credential, now));
        };
        bucket.milli = bucket.milli.saturating_sub(1000);
        Ok(Place { _permit: permit })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CredentialId, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// The complaint to a credential that asks too much. Nothing else bounds those, so the log is told of so many a minute.
    fn told(&self, complaint: Complaint, credential: &CredentialId, now: u64) -> Complaint {
        let Some(left_out) = self.beyond.at(now) else { return complaint.untold() };
        let code = complaint.code.as_str();
        tracing::info!(%credential, code, left_out, "a credential asks more than it may");
        complaint
    }

    fn fill(&mut self, rate: Rate, now: u64) {
        // milli-requests a millisecond = per_minute * 1000 / 60_000 = per_minute / 60.
        let passed = now.saturating_sub(self.at);
        let gained = passed.saturating_mul(rate.per_minute) / 60;
        if gained > 0 {
            self.milli = self.milli.saturating_add(gained).min(rate.burst.saturating_mul(1000));
            self.at = now;
        }
    }
}

fn seconds_until(milli: u64, per_minute: u64) -> u64 {
    let millis = milli.saturating_mul(60).checked_div(per_minute).unwrap_or(60_000);
    millis.div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn limiter(rate: Rate) -> (Limiter, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(0));
        let hand = Arc::clone(&now);
        (Limiter::new(rate, Arc::new(move || hand.load(Ordering::SeqCst))), now)
    }

    fn id(text: &str) -> CredentialId {
        text.parse().unwrap()
    }

    #[test]
    fn row_59_ten_thousand_calls_of_one_credential_leave_the_other_served() {
        let rate = Rate { per_minute: 60, burst: 10, in_flight: 4, streams: 1 };
        let (limiter, now) = limiter(rate);
        let served =
            (0..10_000).filter(|_| limiter.enter(&id("loop"), Use::Request).is_ok()).count();
        assert_eq!(served, 10);
        assert!(limiter.enter(&id("other"), Use::Request).is_ok());
        let complaint = limiter.enter(&id("loop"), Use::Request).unwrap_err();
        assert_eq!((complaint.code, complaint.retry_after), (Code::RateLimited, Some(1)));
        now.store(1000, Ordering::SeqCst);
        assert!(limiter.enter(&id("loop"), Use::Request).is_ok());
        assert!(limiter.enter(&id("loop"), Use::Request).is_err());
    }

    #[test]
    fn row_59_requests_at_once_are_bounded_and_places_come_back() {
        let rate = Rate { per_minute: 60, burst: 100, in_flight: 2, streams: 1 };
        let (limiter, _) = limiter(rate);
        let a = limiter.enter(&id("a"), Use::Request).unwrap();
        let _b = limiter.enter(&id("a"), Use::Request).unwrap();
        let complaint = limiter.enter(&id("a"), Use::Request).unwrap_err();
        assert_eq!(complaint.code, Code::TooManyInFlight);
        let _stream = limiter.enter(&id("a"), Use::Stream).unwrap();
        assert!(limiter.enter(&id("a"), Use::Stream).is_err());
        drop(a);
        assert!(limiter.enter(&id("a"), Use::Request).is_ok());
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_fills_nothing() {
        let rate = Rate { per_minute: 60, burst: 1, in_flight: 9, streams: 1 };
        let (limiter, now) = limiter(rate);
        now.store(5000, Ordering::SeqCst);
        assert!(limiter.enter(&id("a"), Use::Request).is_ok());
        now.store(0, Ordering::SeqCst);
        assert!(limiter.enter(&id("a"), Use::Request).is_err());
    }
}
