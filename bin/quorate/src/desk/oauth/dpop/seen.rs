//! The proofs that were shown: each opens once. What is kept in mind is bounded for each subject; when that is full it refuses,
//! and it forgets nothing that could be shown again. Subjects are few: each was admitted by a quorum.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use quorate_gateway::tokens::Proven;
use quorate_terms::Digest;

use super::{AGE_S, AHEAD_S, Bad};

/// The most proofs of one subject at a time: some 180 a second.
const EACH_MAX: usize = 16_384;

/// What was shown.
pub(in crate::desk::oauth) struct Seen(Mutex<Kept>);

struct Kept {
    /// Names of proofs by the second in which they were made, and by subject.
    seconds: BTreeMap<u64, BTreeMap<Digest, BTreeSet<Digest>>>,
    /// The first second of which all is known. What was made before may have been shown and forgotten, even if a clock that was
    /// set back says that it is new.
    from: u64,
}

impl Seen {
    /// Knows nothing of what was shown before now. What says that it was made up to [`AHEAD_S`] from now may have been shown too.
    pub(in crate::desk::oauth) fn since(now_s: u64) -> Self {
        let from = now_s.saturating_add(AHEAD_S).saturating_add(1);
        Self(Mutex::new(Kept { seconds: BTreeMap::new(), from }))
    }

    /// Spends a proof of a subject.
    pub(in crate::desk::oauth) fn take(
        &self,
        subject: Digest,
        proof: Proven,
        now_s: u64,
    ) -> Result<(), Bad> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late = now_s.saturating_sub(AGE_S);
        kept.forget_before(late);
        if proof.made_s < kept.from.max(late) {
            return Err(Bad::Old);
        }
        let mut own = 0_usize;
        for names in kept.seconds.values().filter_map(|of| of.get(&subject)) {
            if names.contains(&proof.name) {
                return Err(Bad::Shown);
            }
            own = own.saturating_add(names.len());
        }
        if own >= EACH_MAX {
            return Err(Bad::Full);
        }
        let of = kept.seconds.entry(proof.made_s).or_default();
        of.entry(subject).or_default().insert(proof.name);
        Ok(())
    }
}

impl Kept {
    fn forget_before(&mut self, second: u64) {
        let rest = self.seconds.split_off(&second);
        if let Some((last, _)) = self.seconds.last_key_value() {
            self.from = self.from.max(last.saturating_add(1));
        }
        self.seconds = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000;
    const AFTER: u64 = START + AGE_S + 1;
    /// When the memory began, so that all is known from the start on.
    const BEGUN: u64 = START - AHEAD_S - 1;

    fn name(text: &str) -> Digest {
        Digest::sha256(text.as_bytes())
    }

    fn check(
        seen: &Seen,
        (who, what): (&str, &str),
        (made_s, now_s): (u64, u64),
    ) -> Result<(), Bad> {
        seen.take(name(who), Proven { name: name(what), made_s }, now_s)
    }

    #[test]
    fn a_proof_opens_once_for_as_long_as_it_could_be_shown() {
        let seen = Seen::since(BEGUN);
        assert_eq!(check(&seen, ("bot", "a"), (START, START)), Ok(()));
        for later in [0, 1, 30, AGE_S] {
            assert_eq!(
                check(&seen, ("bot", "a"), (START, START.saturating_add(later))),
                Err(Bad::Shown)
            );
        }
        // Under another time it is still the same name.
        assert_eq!(check(&seen, ("bot", "a"), (START + 9, START + 9)), Err(Bad::Shown));
        assert_eq!(check(&seen, ("bot", "b"), (START, START)), Ok(()));
        assert_eq!(check(&seen, ("other", "a"), (START, START)), Ok(()), "somebody else's name");
        assert_eq!(check(&seen, ("bot", "a"), (START, AFTER)), Err(Bad::Old));
    }

    #[test]
    fn a_clock_that_is_set_back_opens_nothing_again() {
        let seen = Seen::since(BEGUN);
        assert_eq!(check(&seen, ("bot", "a"), (START, START)), Ok(()));
        assert_eq!(check(&seen, ("bot", "b"), (START + 900, START + 900)), Ok(()));
        // The first is forgotten now, and by the clock it is new again.
        assert_eq!(check(&seen, ("bot", "a"), (START, START)), Err(Bad::Old));
        assert_eq!(check(&seen, ("bot", "c"), (START + 1, START + 1)), Ok(()));
    }

    #[test]
    fn a_proof_that_may_have_been_shown_before_the_start_is_refused() {
        let seen = Seen::since(BEGUN);
        for made_s in [BEGUN - 1, BEGUN, BEGUN + AHEAD_S] {
            assert_eq!(check(&seen, ("bot", "a"), (made_s, START)), Err(Bad::Old), "{made_s}");
        }
        assert_eq!(check(&seen, ("bot", "a"), (START, START)), Ok(()));
    }

    #[test]
    fn a_full_memory_refuses_its_subject_alone_and_forgets_nothing() {
        let seen = Seen::since(BEGUN);
        for number in 0..EACH_MAX {
            assert_eq!(check(&seen, ("bot", &number.to_string()), (START, START)), Ok(()));
        }
        assert_eq!(check(&seen, ("bot", "more"), (START, START)), Err(Bad::Full));
        assert_eq!(check(&seen, ("bot", "more"), (START + 5, START + 5)), Err(Bad::Full));
        assert_eq!(check(&seen, ("bot", "0"), (START, START)), Err(Bad::Shown));
        assert_eq!(check(&seen, ("other", "more"), (START, START)), Ok(()));
        assert_eq!(check(&seen, ("bot", "more"), (AFTER, AFTER)), Ok(()));
    }
}
