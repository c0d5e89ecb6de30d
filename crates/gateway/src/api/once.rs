//! The same key of the same credential does a thing once. Intents and transactions keep their keys in the ledger; this is for the
//! small acts beside them, for as long as the desk runs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use quorate_terms::{CredentialId, Digest, IdempotencyKey};

use crate::errors::{Code, Complaint};

/// How many answers are kept; the oldest is forgotten first.
const KEPT_MAX: usize = 4096;

type Name = (CredentialId, String);

#[derive(Default)]
struct Kept {
    acts: BTreeMap<Name, (Digest, Option<Bytes>)>,
    order: VecDeque<Name>,
}

/// What was done under which key.
#[derive(Default)]
pub(super) struct Once(Mutex<Kept>);

/// What a key leads to.
pub(super) enum Turn<'a> {
    /// It was done before, and this was the answer.
    Again(Bytes),
    /// It is to be done now.
    First(First<'a>),
}

/// A key that is in use; free again when it is dropped without an answer.
pub(super) struct First<'a> {
    once: &'a Once,
    name: Name,
}

impl Once {
    /// Takes a key for an act, which the digest tells from every other.
    ///
    /// # Errors
    /// [`Complaint`] when the key stands for another act, or the same act is being done right now.
    pub(super) fn begin(
        &self,
        who: &CredentialId,
        key: &IdempotencyKey,
        act: Digest,
    ) -> Result<Turn<'_>, Complaint> {
        let name = (who.clone(), key.as_str().to_owned());
        let mut kept = self.lock();
        match kept.acts.get(&name) {
            Some((other, _)) if *other != act => Err(Complaint::new(
                Code::IdempotencyConflict,
                "the key was used for another request; use a new one for another request",
            )),
            Some((_, Some(answer))) => Ok(Turn::Again(answer.clone())),
            Some((_, None)) => {
                let message = "the same request is being answered; wait for its answer";
                Err(Complaint::new(Code::TooManyInFlight, message).after(1))
            }
            None => {
                kept.acts.insert(name.clone(), (act, None));
                Ok(Turn::First(First { once: self, name }))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First<'_> {
    /// It was done, and this is the answer to every repetition.
    pub(super) fn done(self, answer: &Bytes) {
        let mut kept = self.once.lock();
        if let Some(act) = kept.acts.get_mut(&self.name) {
            act.1 = Some(answer.clone());
        }
        kept.order.push_back(self.name.clone());
        if kept.order.len() > KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.acts.remove(&oldest);
        }
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        let mut kept = self.once.lock();
        if kept.acts.get(&self.name).is_some_and(|(_, answer)| answer.is_none()) {
            kept.acts.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_one_act_once_and_is_free_again_when_the_act_failed() {
        let once = Once::default();
        let (who, key) = ("olga-1".parse().unwrap(), IdempotencyKey::new("k").unwrap());
        let act = Digest::sha256(b"take");
        let Turn::First(failed) = once.begin(&who, &key, act).unwrap() else { panic!() };
        let busy = once.begin(&who, &key, act).err().unwrap();
        assert_eq!(busy.code, Code::TooManyInFlight);
        drop(failed);
        let Turn::First(first) = once.begin(&who, &key, act).unwrap() else { panic!() };
        first.done(&Bytes::from_static(b"[]"));
        assert!(matches!(once.begin(&who, &key, act).unwrap(), Turn::Again(said) if said == "[]"));
        let other = once.begin(&who, &key, Digest::sha256(b"close")).err().unwrap();
        assert_eq!(other.code, Code::IdempotencyConflict);
        let another = "per-1".parse().unwrap();
        assert!(matches!(once.begin(&another, &key, act).unwrap(), Turn::First(_)));
    }
}
