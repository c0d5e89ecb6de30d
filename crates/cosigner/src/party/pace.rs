//! Which steps may overtake which on their way to the world.
//!
//! The rule is that effects follow in the order of the steps, each once its step is durable. Taken alone it makes every run
//! stand still while the disk writes the mark of one. What a run says depends on its own mark and on nothing that another run
//! has recorded since, so it need not wait for those.

use std::collections::BTreeSet;

use quorate_terms::Digest;
use quorate_terms::entry::Body;

use super::{Effect, Step};

/// What a step may pass, and what may pass it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pace {
    runs: BTreeSet<Digest>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Says something for runs that go on, and leaves no record.
    Speaks,
    /// Records that runs began, or follows the book, or answers.
    Begins,
    /// Anything else, such as a freeze, a ban or an alarm: everything after it waits for it.
    Stops,
}

impl Pace {
    /// Whether a step of this pace may be done before an `earlier` one that is not durable yet.
    pub fn passes(&self, earlier: &Self) -> bool {
        self.kind == Kind::Speaks
            && earlier.kind != Kind::Stops
            && self.runs.is_disjoint(&earlier.runs)
    }
}

impl Step {
    /// Its pace.
    pub fn pace(&self) -> Pace {
        Pace { runs: self.runs.clone(), kind: self.kind() }
    }

    fn kind(&self) -> Kind {
        let speaks = |effect: &Effect| matches!(effect, Effect::Send { .. });
        let calm = |effect: &Effect| matches!(effect, Effect::Send { .. } | Effect::Answer { .. });
        let begins = |body: &Body| matches!(body, Body::Marked(_) | Body::DrillJoined(_));
        let unwritten = self.replica.is_empty() && self.records.is_empty();
        if unwritten && self.effects.iter().all(speaks) {
            return Kind::Speaks;
        }
        let calm = self.effects.iter().all(calm);
        match calm && self.records.iter().all(|entry| begins(&entry.body)) {
            true => Kind::Begins,
            false => Kind::Stops,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(kind: Kind, runs: &[&str]) -> Pace {
        let runs = runs.iter().map(|run| Digest::sha256(run.as_bytes())).collect();
        Pace { runs, kind }
    }

    #[test]
    fn only_words_pass_and_only_the_marks_of_other_runs() {
        use Kind::{Begins, Speaks, Stops};
        for (later, earlier, passes) in [
            ((Speaks, &["a"][..]), (Begins, &["b"][..]), true),
            ((Speaks, &["a"]), (Speaks, &["b"]), true),
            ((Speaks, &["a"]), (Begins, &[]), true),
            ((Speaks, &["a"]), (Begins, &["a"]), false),
            ((Speaks, &["a"]), (Speaks, &["a"]), false),
            ((Speaks, &["a"]), (Stops, &["b"]), false),
            ((Begins, &["a"]), (Begins, &["b"]), false),
            ((Stops, &["a"]), (Begins, &["b"]), false),
        ] {
            let (later, earlier) = (pace(later.0, later.1), pace(earlier.0, earlier.1));
            assert_eq!(later.passes(&earlier), passes, "{later:?} {earlier:?}");
        }
    }
}
