//! Approval quorums and the one tally that counts them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Malformed;
use crate::id::{ApproverId, PersonId, QuorumName};
use crate::time::Timestamp;

/// A threshold over named approvers: `m` distinct members must agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// What rules and reasons call it.
    pub name: QuorumName,
    /// How many distinct members must agree; at least one.
    pub m: u32,
    /// Who may count towards it.
    pub members: BTreeSet<ApproverId>,
}

/// One verified yes, as the tally sees it. Whoever makes one has checked the signature first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vote {
    /// The seat that voted.
    pub approver: ApproverId,
    /// The person in that seat.
    pub person: PersonId,
    /// When the vote lapses.
    pub expires_at: Timestamp,
}

/// How far a quorum has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// The quorum that was counted.
    pub quorum: QuorumName,
    /// How many distinct members are needed.
    pub need: u32,
    /// The members that count now, in order.
    pub counted: BTreeSet<ApproverId>,
}

impl Tally {
    /// Whether enough distinct members agree.
    pub fn is_met(&self) -> bool {
        u32::try_from(self.counted.len()).is_ok_and(|have| have >= self.need)
    }
}

impl Quorum {
    /// Checks that the quorum can be met and is not empty.
    ///
    /// # Errors
    /// [`Malformed`] when `m` is zero or more than there are members.
    pub fn check(&self) -> Result<(), Malformed> {
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        if self.m == 0 || self.m > members {
            return Err(Malformed::new(
                format!("quorum `{}`", self.name),
                format!("asks for {} of {members} members", self.m),
                "ask for at least 1 and at most as many as there are members",
            ));
        }
        Ok(())
    }

    /// Counts distinct, unexpired members other than the requester, each person once.
    ///
    /// This is the only place in the house where approvals are counted.
    pub fn tally<'a>(
        &self,
        votes: impl IntoIterator<Item = &'a Vote>,
        requester: Option<&PersonId>,
        now: Timestamp,
    ) -> Tally {
        let mut counted = BTreeSet::new();
        let mut persons = BTreeSet::new();
        for vote in votes {
            let lapsed = vote.expires_at <= now;
            let own = requester == Some(&vote.person);
            if lapsed || own || !self.members.contains(&vote.approver) {
                continue;
            }
            if persons.insert(vote.person.clone()) {
                counted.insert(vote.approver.clone());
            }
        }
        Tally { quorum: self.name.clone(), need: self.m, counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(approver: &str, person: &str, expires: u64) -> Vote {
        Vote {
            approver: approver.parse().unwrap(),
            person: person.parse().unwrap(),
            expires_at: Timestamp::from_millis(expires),
        }
    }

    fn check(votes: &[Vote], requester: Option<&str>, met: bool) {
        let quorum = Quorum {
            name: "treasury".parse().unwrap(),
            m: 2,
            members: ["a", "b", "c"].iter().map(|m| m.parse().unwrap()).collect(),
        };
        let requester = requester.map(|p| p.parse().unwrap());
        let tally = quorum.tally(votes, requester.as_ref(), Timestamp::from_millis(100));
        assert_eq!(tally.is_met(), met, "{votes:?}");
    }

    #[test]
    fn two_distinct_members_meet_a_quorum_of_two() {
        check(&[vote("a", "ann", 200), vote("b", "bo", 200)], None, true);
    }

    #[test]
    fn row_38_one_person_twice_is_not_two() {
        check(&[vote("a", "ann", 200), vote("a", "ann", 300)], None, false);
        check(&[vote("a", "ann", 200), vote("b", "ann", 200)], None, false);
    }

    #[test]
    fn row_38_the_requester_does_not_count() {
        check(&[vote("a", "ann", 200), vote("b", "bo", 200)], Some("ann"), false);
        check(
            &[vote("a", "ann", 200), vote("b", "bo", 200), vote("c", "cy", 200)],
            Some("ann"),
            true,
        );
    }

    #[test]
    fn strangers_and_lapsed_votes_do_not_count() {
        check(&[vote("a", "ann", 200), vote("x", "xi", 200)], None, false);
        check(&[vote("a", "ann", 200), vote("b", "bo", 100)], None, false);
    }

    #[test]
    fn a_quorum_that_cannot_be_met_is_malformed() {
        for m in [0, 2] {
            let members = std::iter::once("a".parse().unwrap()).collect();
            assert!(Quorum { name: "q".parse().unwrap(), m, members }.check().is_err());
        }
    }
}
