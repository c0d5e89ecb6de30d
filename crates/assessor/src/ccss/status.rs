//! What a report prints: five statuses. "Not applicable" has two meanings, and they never count alike.

use serde::{Deserialize, Serialize};

use crate::finding::State;

/// The five finding statuses of CCSS.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In place.
    InPlace,
    /// In place by a comparable control.
    Comparable,
    /// The part under this system's control is met; the rest belongs to the customer's system.
    Qualified,
    /// Not in place.
    NotInPlace,
    /// Not applicable, in one of its two meanings.
    NotApplicable(NotApplicable),
}

/// Why a requirement is printed as not applicable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotApplicable {
    /// Tested: nothing here could fall under the requirement.
    Evidenced,
    /// Of a level above the one sought. Says nothing about the requirement.
    NotSought,
}

impl Status {
    /// As a report prints it. Both meanings of not applicable print the same first words, then say which.
    pub const fn words(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Comparable => "in place with comparable control",
            Self::Qualified => "qualified for in place",
            Self::NotInPlace => "not in place",
            Self::NotApplicable(NotApplicable::Evidenced) => "not applicable (evidenced)",
            Self::NotApplicable(NotApplicable::NotSought) => "not applicable (level not sought)",
        }
    }
}

/// As printed. What is stale or unproven is not in place: silence is never a pass.
impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Met => Self::InPlace,
            State::MetComparable => Self::Comparable,
            State::Qualified => Self::Qualified,
            State::Gap | State::Stale | State::Unproven => Self::NotInPlace,
            State::EvidencedNotApplicable => Self::NotApplicable(NotApplicable::Evidenced),
            State::NotSought => Self::NotApplicable(NotApplicable::NotSought),
        }
    }
}

impl From<Status> for State {
    fn from(status: Status) -> Self {
        match status {
            Status::InPlace => Self::Met,
            Status::Comparable => Self::MetComparable,
            Status::Qualified => Self::Qualified,
            Status::NotInPlace => Self::Gap,
            Status::NotApplicable(NotApplicable::Evidenced) => Self::EvidencedNotApplicable,
            Status::NotApplicable(NotApplicable::NotSought) => Self::NotSought,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_from_its_state() {
        let all = [
            Status::InPlace,
            Status::Comparable,
            Status::Qualified,
            Status::NotInPlace,
            Status::NotApplicable(NotApplicable::Evidenced),
            Status::NotApplicable(NotApplicable::NotSought),
        ];
        for status in all {
            assert_eq!(Status::from(State::from(status)), status);
        }
    }

    #[test]
    fn stale_and_unproven_print_as_not_in_place() {
        for state in [State::Gap, State::Stale, State::Unproven] {
            assert_eq!(Status::from(state), Status::NotInPlace);
        }
    }

    #[test]
    fn the_two_meanings_of_not_applicable_are_told_apart_in_words() {
        let [one, other] =
            [NotApplicable::Evidenced, NotApplicable::NotSought].map(Status::NotApplicable);
        assert_ne!(one.words(), other.words());
    }
}
