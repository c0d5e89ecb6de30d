//! When cosigners that refused a case are asked about it again.
//!
//! Most refusals end a case. One of which something may have left, or whose earlier draft may still settle, goes on awaiting a
//! signature; and each refusal is an entry. So the desk waits longer each time: up to a minute for what passes by itself or is
//! soon mended, up to hours for what is not. While a freeze stands it does not ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use quorate_terms::{CaseId, CosignerId, Digest, Timestamp};

/// How long the desk waits after the first refusal, in seconds; twice as long after each further one.
const FIRST_S: u64 = 2;
/// The longest wait, in seconds, after a refusal that passes.
const PASSING_S: u64 = 60;
/// The longest wait after any other.
const LASTING_S: u64 = 6 * 3_600;
/// Codes of refusals that say nothing of the case: the cosigner is not ready, or somebody is about to mend something.
const PASSING: [&str; 15] = [
    "behind",
    "busy",
    "clock_skew",
    // Of a freeze that the book does not know yet: one at the cosigner's own door.
    "frozen",
    "key_barred",
    "locked_out",
    "no_backup",
    "no_run",
    "no_share",
    "nonce_taken",
    "other_charter",
    "other_key",
    "second_draft",
    "too_many",
    "void_entry",
];

/// What the cosigners are about to be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Question {
    /// What they would sign.
    pub(super) draft: Digest,
    /// The freeze that stops it.
    pub(super) frozen: Option<Digest>,
    /// The charter under which they would.
    pub(super) charter: Digest,
}

struct Refused {
    question: Question,
    /// Whoever was asked it so far.
    parties: BTreeSet<BTreeSet<CosignerId>>,
    wait_s: u64,
    again: Timestamp,
}

/// The cases that were refused and still await a signature. It is kept in memory: a desk that starts again asks once more.
#[derive(Default)]
pub(super) struct Patience(Mutex<BTreeMap<CaseId, Refused>>);

impl Patience {
    /// Whether to ask now. Another draft is another question, and so is one under another charter, or after a freeze. Parties
    /// that were not asked it yet are asked at once, each set of them once, so that a link that comes and goes hurries nothing.
    pub(super) fn allows(
        &self,
        case: &CaseId,
        question: &Question,
        parties: &BTreeSet<CosignerId>,
        now: Timestamp,
    ) -> bool {
        let all = self.lock();
        let Some(refused) = all.get(case) else { return true };
        let before = &refused.question;
        if *before != (Question { frozen: before.frozen, ..question.clone() })
            || !refused.parties.contains(parties)
        {
            return true;
        }
        match (before.frozen, question.frozen) {
            (_, Some(_)) => false,
            (Some(_), None) => true,
            (None, None) => now >= refused.again,
        }
    }

    /// The cosigners refused it, with these codes.
    pub(super) fn refused(
        &self,
        case: CaseId,
        (question, parties): (Question, BTreeSet<CosignerId>),
        codes: &BTreeSet<&str>,
        now: Timestamp,
    ) {
        let passes = codes.iter().all(|code| PASSING.contains(code));
        let longest_s = if passes { PASSING_S } else { LASTING_S };
        let mut all = self.lock();
        let before = all.remove(&case).filter(|refused| refused.question == question);
        let wait_s = before.as_ref().map_or(FIRST_S, |refused| refused.wait_s.saturating_mul(2));
        let wait_s = wait_s.min(longest_s);
        let mut asked = before.map(|refused| refused.parties).unwrap_or_default();
        asked.insert(parties);
        let refused = Refused { question, parties: asked, wait_s, again: now.plus_s(wait_s) };
        all.insert(case, refused);
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

    fn question(draft: &[u8], freeze: Option<&[u8]>) -> Question {
        let (draft, frozen) = (Digest::sha256(draft), freeze.map(Digest::sha256));
        Question { draft, frozen, charter: Digest::sha256(b"charter") }
    }

    fn of(names: [&str; 2]) -> BTreeSet<CosignerId> {
        names.map(|name| name.parse().unwrap()).into()
    }

    fn both() -> BTreeSet<CosignerId> {
        of(["east", "west"])
    }

    fn says(code: &str) -> BTreeSet<&str> {
        BTreeSet::from([code])
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus_s(seconds)
    }

    #[test]
    fn each_refusal_is_waited_out_twice_as_long_as_the_one_before() {
        let (patience, free) = (Patience::default(), question(b"draft", None));
        assert!(patience.allows(&case(), &free, &both(), at(0)), "nobody refused yet");
        let mut now = 0;
        let mut waits = |code: &str, waits: &[u64]| {
            for wait in waits {
                patience.refused(case(), (free.clone(), both()), &says(code), at(now));
                assert!(
                    !patience.allows(&case(), &free, &both(), at(now + wait - 1)),
                    "{code} {wait}"
                );
                now += wait;
                assert!(patience.allows(&case(), &free, &both(), at(now)), "{code} {wait}");
            }
        };
        waits("busy", &[2, 4, 8, 16, 32, 60, 60]);
        waits("old_policy", &[120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600]);
        waits("clock_skew", &[60]);
    }

    #[test]
    fn one_refusal_that_does_not_pass_is_enough_to_wait_long() {
        let (patience, free) = (Patience::default(), question(b"draft", None));
        let mixed = BTreeSet::from(["busy", "expired"]);
        (0..9).for_each(|_| patience.refused(case(), (free.clone(), both()), &mixed, at(0)));
        assert!(!patience.allows(&case(), &free, &both(), at(500)));
    }

    #[test]
    fn while_a_freeze_stands_nobody_is_asked_twice_and_once_it_is_lifted_at_once() {
        let (patience, free) = (Patience::default(), question(b"draft", None));
        let frozen = question(b"draft", Some(b"freeze"));
        assert!(patience.allows(&case(), &frozen, &both(), at(0)), "a refusal may end the case");
        patience.refused(case(), (frozen.clone(), both()), &says("frozen"), at(0));
        assert!(!patience.allows(&case(), &frozen, &both(), at(1_000_000)));
        assert!(!patience.allows(
            &case(),
            &question(b"draft", Some(b"another")),
            &both(),
            at(1_000_000)
        ));
        assert!(patience.allows(&case(), &free, &both(), at(1)));
        patience.refused(case(), (free.clone(), both()), &says("busy"), at(1));
        assert!(
            !patience.allows(&case(), &free, &both(), at(2)),
            "for another reason than the freeze"
        );
        assert!(
            !patience.allows(&case(), &frozen, &both(), at(1_000)),
            "frozen after it was refused"
        );
    }

    #[test]
    fn another_draft_or_charter_is_another_question() {
        let (patience, first) = (Patience::default(), question(b"draft", Some(b"freeze")));
        patience.refused(case(), (first.clone(), both()), &says("frozen"), at(0));
        let fee = question(b"higher fee", Some(b"freeze"));
        assert!(patience.allows(&case(), &fee, &both(), at(0)));
        let changed = Question { charter: Digest::sha256(b"new seats"), ..first.clone() };
        assert!(patience.allows(&case(), &changed, &both(), at(0)));
        assert!(!patience.allows(&case(), &first, &both(), at(0)));
    }

    #[test]
    fn others_are_asked_at_once_and_a_link_that_comes_and_goes_hurries_nothing() {
        let (patience, free) = (Patience::default(), question(b"draft", None));
        let (others, mut asked) = (of(["east", "north"]), 0);
        for second in 0..600 {
            let up = if second % 2 == 0 { both() } else { others.clone() };
            if patience.allows(&case(), &free, &up, at(second)) {
                patience.refused(case(), (free.clone(), up), &says("busy"), at(second));
                asked += 1;
            }
        }
        // At the start, the others, and then after 4, 8, 16, 32 and each time 60 seconds more.
        assert_eq!(asked, 14);
    }

    #[test]
    fn every_code_that_passes_is_a_published_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/refusals.md");
        let rows = std::fs::read_to_string(path).unwrap();
        for code in PASSING {
            assert!(rows.contains(&format!("\n| `{code}` |")), "{code}");
        }
    }

    #[test]
    fn a_case_that_awaits_no_signature_any_more_is_forgotten() {
        let (patience, free) = (Patience::default(), question(b"draft", None));
        patience.refused(case(), (free.clone(), both()), &says("busy"), at(0));
        patience.keep(&BTreeSet::from([case()]));
        assert!(!patience.allows(&case(), &free, &both(), at(0)));
        patience.keep(&BTreeSet::new());
        assert!(patience.allows(&case(), &free, &both(), at(0)));
    }
}
