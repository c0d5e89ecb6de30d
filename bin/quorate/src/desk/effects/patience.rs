//! When cosigners that refused a case are asked about it again.
//!
//! Most refusals end a case. One of which something may have left, or whose earlier draft may still settle, goes on awaiting a
//! signature; and each refusal is an entry. So the desk waits longer each time, and while a freeze stands it does not ask again:
//! what cannot be answered otherwise fills no ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quorate_terms::{CaseId, Digest, Timestamp};

/// How long the desk waits after the first refusal, in seconds; twice as long after each further one.
const FIRST_S: u64 = 2;
/// The longest wait, in seconds.
const LONGEST_S: u64 = 300;

/// How a case stands when the cosigners are about to be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    /// What they would sign.
    pub(super) draft: Digest,
    /// The freeze that stops it.
    pub(super) frozen: Option<Digest>,
}

struct Refused {
    standing: Standing,
    wait_s: u64,
    again: Timestamp,
}

/// The cases that were refused and still await a signature. It is kept in memory: a desk that starts again asks once more.
#[derive(Default)]
pub(super) struct Patience(Mutex<BTreeMap<CaseId, Refused>>);

impl Patience {
    /// Whether to ask now. Another draft is another question, and so is a case whose freeze was lifted.
    pub(super) fn allows(&self, case: &CaseId, standing: Standing, now: Timestamp) -> bool {
        let all = self.lock();
        let Some(refused) = all.get(case) else { return true };
        if refused.standing.draft != standing.draft {
            return true;
        }
        match (refused.standing.frozen, standing.frozen) {
            (_, Some(_)) => false,
            (Some(_), None) => true,
            (None, None) => now >= refused.again,
        }
    }

    /// The cosigners refused it.
    pub(super) fn refused(&self, case: CaseId, standing: Standing, now: Timestamp) {
        let mut all = self.lock();
        let before = all.get(&case).filter(|refused| refused.standing == standing);
        let wait_s = before.map_or(FIRST_S, |refused| refused.wait_s.saturating_mul(2));
        let wait_s = wait_s.min(LONGEST_S);
        all.insert(case, Refused { standing, wait_s, again: now.plus_s(wait_s) });
    }

    /// Forgets every other case.
    pub(super) fn keep(&self, awaiting: &BTreeSet<CaseId>) {
        self.lock().retain(|case, _| awaiting.contains(case));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CaseId, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> CaseId {
        CaseId::of_intent(Digest::sha256(b"intent"))
    }

    fn standing(draft: &[u8], freeze: Option<&[u8]>) -> Standing {
        Standing { draft: Digest::sha256(draft), frozen: freeze.map(Digest::sha256) }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_s(seconds)
    }

    #[test]
    fn each_refusal_is_waited_out_twice_as_long_as_the_one_before() {
        let (patience, free) = (Patience::default(), standing(b"draft", None));
        assert!(patience.allows(&case(), free, at(0)), "nobody refused yet");
        let mut now = 0;
        for wait in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            patience.refused(case(), free, at(now));
            assert!(!patience.allows(&case(), free, at(now + wait - 1)), "{wait}");
            now += wait;
            assert!(patience.allows(&case(), free, at(now)), "{wait}");
        }
    }

    #[test]
    fn while_a_freeze_stands_nobody_is_asked_twice_and_once_it_is_lifted_at_once() {
        let (patience, free) = (Patience::default(), standing(b"draft", None));
        let frozen = standing(b"draft", Some(b"freeze"));
        assert!(patience.allows(&case(), frozen, at(0)), "a refusal may end the case");
        patience.refused(case(), frozen, at(0));
        assert!(!patience.allows(&case(), frozen, at(1_000_000)));
        assert!(!patience.allows(&case(), standing(b"draft", Some(b"another")), at(1_000_000)));
        assert!(patience.allows(&case(), free, at(1)));
        patience.refused(case(), free, at(1));
        assert!(!patience.allows(&case(), free, at(2)), "for another reason than the freeze");
        assert!(!patience.allows(&case(), frozen, at(1_000)), "frozen after it was refused");
    }

    #[test]
    fn another_draft_is_another_question() {
        let (patience, first) = (Patience::default(), standing(b"draft", Some(b"freeze")));
        patience.refused(case(), first, at(0));
        assert!(patience.allows(&case(), standing(b"higher fee", Some(b"freeze")), at(0)));
    }

    #[test]
    fn a_case_that_awaits_no_signature_any_more_is_forgotten() {
        let (patience, free) = (Patience::default(), standing(b"draft", None));
        patience.refused(case(), free, at(0));
        patience.keep(&BTreeSet::from([case()]));
        assert!(!patience.allows(&case(), free, at(0)));
        patience.keep(&BTreeSet::new());
        assert!(patience.allows(&case(), free, at(0)));
    }
}
