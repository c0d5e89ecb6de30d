//! The same key of the same token does a thing once, for as long as the pages are served and a day at most.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use quorate_terms::{Digest, Timestamp};

use crate::trouble::{Done, Trouble};

/// How long an answer is kept, in seconds.
const KEPT_S: u64 = 86_400;
/// How many are kept of one token, and how many bytes; the oldest is forgotten first.
const KEPT_MAX: usize = 1024;
const KEPT_BYTES: usize = 16 * 1024 * 1024;

struct Act {
    at: Timestamp,
    /// Which request it was.
    request: Digest,
    /// None while it is being answered.
    answer: Option<Bytes>,
}

/// The acts of each token, by key.
type Kept = BTreeMap<Digest, BTreeMap<String, Act>>;

/// What was done under which key.
#[derive(Clone, Default)]
pub(super) struct Once(Arc<Mutex<Kept>>);

/// What a key leads to.
pub(super) enum Turn {
    /// It was done before, and this was the answer.
    Again(Bytes),
    /// It is to be done now.
    First(First),
}

/// A key that is in use; free again when it is dropped without an answer.
pub(super) struct First {
    once: Once,
    token: Digest,
    key: String,
}

impl Once {
    /// Takes a key of a token for a request, which its digest tells from every other.
    pub(super) fn begin(
        &self,
        (token, key): (Digest, &str),
        request: Digest,
        now: Timestamp,
    ) -> Done<Turn> {
        let mut kept = self.lock();
        // Of every token: one that is asked with no more would keep its answers for good.
        kept.retain(|_, acts| {
            acts.retain(|_, act| act.answer.is_none() || now < act.at.plus_s(KEPT_S));
            !acts.is_empty()
        });
        let acts = kept.entry(token).or_default();
        match acts.get(key) {
            Some(act) if act.request != request => {
                let message = "the key was used for another request";
                let next = "use a new one for another request";
                return Err(Trouble::refused("idempotency_conflict", message, next));
            }
            Some(Act { answer: Some(answer), .. }) => return Ok(Turn::Again(answer.clone())),
            Some(_) => {
                let message = "the same request is being answered";
                return Err(Trouble::refused("in_flight", message, "wait for its answer"));
            }
            None => {}
        }
        make_room(acts);
        acts.insert(key.to_owned(), Act { at: now, request, answer: None });
        Ok(Turn::First(First { once: self.clone(), token, key: key.to_owned() }))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the oldest answers until there is room for one more.
fn make_room(acts: &mut BTreeMap<String, Act>) {
    let bytes = |acts: &BTreeMap<String, Act>| -> usize {
        acts.values().filter_map(|act| act.answer.as_ref()).map(Bytes::len).sum()
    };
    while acts.len() >= KEPT_MAX || bytes(acts) > KEPT_BYTES {
        let done = acts.iter().filter(|(_, act)| act.answer.is_some());
        let oldest = done.min_by_key(|(_, act)| act.at).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else { return };
        acts.remove(&oldest);
    }
}

impl First {
    /// It was done, and this is the answer to every repetition.
    pub(super) fn done(self, answer: &Bytes) {
        let mut kept = self.once.lock();
        let act = kept.get_mut(&self.token).and_then(|acts| acts.get_mut(&self.key));
        if let Some(act) = act {
            act.answer = Some(answer.clone());
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut kept = self.once.lock();
        if let Some(acts) = kept.get_mut(&self.token)
            && acts.get(&self.key).is_some_and(|act| act.answer.is_none())
        {
            acts.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_one_request_once_a_day_and_is_free_again_when_it_failed() {
        let (once, now) = (Once::default(), Timestamp::from_millis(1_000));
        let (token, request) = (Digest::sha256(b"token"), Digest::sha256(b"assess"));
        let Turn::First(failed) = once.begin((token, "k"), request, now).unwrap() else { panic!() };
        let busy = once.begin((token, "k"), request, now).err().unwrap();
        assert_eq!(busy.code, "in_flight");
        drop(failed);
        let Turn::First(first) = once.begin((token, "k"), request, now).unwrap() else { panic!() };
        first.done(&Bytes::from_static(b"{}"));
        let again = once.begin((token, "k"), request, now).unwrap();
        assert!(matches!(again, Turn::Again(said) if said == "{}"));
        let other = once.begin((token, "k"), Digest::sha256(b"other"), now).err().unwrap();
        assert_eq!(other.code, "idempotency_conflict");
        let another = Digest::sha256(b"another");
        assert!(matches!(once.begin((another, "k"), request, now).unwrap(), Turn::First(_)));
        let tomorrow = now.plus_s(KEPT_S);
        assert!(matches!(once.begin((token, "k"), request, tomorrow).unwrap(), Turn::First(_)));
    }
    #[test]
    fn answers_of_a_token_are_bounded_and_end_whoever_asks_next() {
        let (once, start) = (Once::default(), Timestamp::from_millis(1_000));
        let (quiet, busy) = (Digest::sha256(b"quiet"), Digest::sha256(b"busy"));
        let answer = Bytes::from(vec![b' '; KEPT_BYTES / 4]);
        let does = |token: Digest, key: &str, now: Timestamp| {
            let request = Digest::sha256(key.as_bytes());
            match once.begin((token, key), request, now).unwrap() {
                Turn::First(first) => first.done(&answer),
                Turn::Again(_) => panic!("{key} was done before"),
            }
        };
        does(quiet, "k", start);
        for second in 1..=8 {
            does(busy, &format!("k{second}"), start.plus_s(second));
        }
        assert!(once.lock()[&busy].len() <= 5, "the oldest are forgotten");
        assert!(once.lock()[&busy].contains_key("k8"));
        does(busy, "late", start.plus_s(KEPT_S));
        assert!(!once.lock().contains_key(&quiet), "nobody asks with that token any more");
    }
}
