//! Approval quorums and the one tally that counts them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Malformed;
use crate::id::{ApproverId, PersonId, QuorumName};
use crate::parties::{Parties, Ways, most};
use crate::time::Timestamp;

/// A threshold over named approvers: `m` distinct members must agree, and where `parties` are demanded, through views of so many.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// What rules and reasons call it.
    pub name: QuorumName,
    /// How many distinct members must agree; at least one.
    pub m: u32,
    /// Who may count towards it.
    pub members: BTreeSet<ApproverId>,
    /// Through views of how many parties they must have approved by passkey, each person for one; none if it does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<u32>,
}

/// One verified yes, as the tally sees it. Whoever makes one has checked the signature first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vote {
    /// The seat that voted.
    pub approver: ApproverId,
    /// The person in that seat.
    pub person: PersonId,
    /// Who runs the view that the vote came through; none for a key in a file, which belongs to no view.
    pub party: Option<String>,
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
    /// How far it has come with the parties that it demands, if it demands any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<Parties>,
}

impl Tally {
    /// Whether enough distinct members agree, through views of enough parties.
    pub fn is_met(&self) -> bool {
        u32::try_from(self.counted.len()).is_ok_and(|have| have >= self.need)
            && self.parties.as_ref().is_none_or(Parties::is_met)
    }
}

/// In words, without the quorum's name: `2 of 2 approved, 1 of 2 parties`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} approved", self.counted.len(), self.need)?;
        self.parties.iter().try_for_each(|parties| write!(f, ", {parties}"))
    }
}

impl Quorum {
    /// Checks that the quorum can be met and is not empty.
    ///
    /// # Errors
    /// [`Malformed`] when `m` is zero or more than there are members, or `parties` is zero or more than `m`.
    pub fn check(&self) -> Result<(), Malformed> {
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        if self.m == 0 || self.m > members {
            return Err(Malformed::new(
                format!("quorum `{}`", self.name),
                format!("asks for {} of {members} members", self.m),
                "ask for at least 1 and at most as many as there are members",
            ));
        }
        if self.parties.is_some_and(|parties| parties == 0 || parties > self.m) {
            return Err(Malformed::new(
                format!("quorum `{}`.parties", self.name),
                format!("is not 1 to {}: each person brings one party", self.m),
                "ask for at least 1 and at most `m`, or leave it out",
            ));
        }
        Ok(())
    }

    /// The same people, whatever views they use: for words that are never given at a view.
    #[must_use]
    pub fn of_people(&self) -> Self {
        Self { parties: None, ..self.clone() }
    }

    /// Counts distinct, unexpired members other than the requester, each person once and for one party.
    ///
    /// This is the only place in the house where approvals are counted.
    pub fn tally<'a>(
        &self,
        votes: impl IntoIterator<Item = &'a Vote>,
        requester: Option<&PersonId>,
        now: Timestamp,
    ) -> Tally {
        let mut counted = BTreeSet::new();
        let mut persons = Ways::new();
        for vote in votes {
            let lapsed = vote.expires_at <= now;
            let own = requester == Some(&vote.person);
            if lapsed || own || !self.members.contains(&vote.approver) {
                continue;
            }
            if !persons.contains_key(&vote.person) {
                counted.insert(vote.approver.clone());
            }
            persons.entry(&vote.person).or_default().extend(vote.party.as_deref());
        }
        let parties = self.parties.map(|need| Parties {
            need,
            counted: most(&persons).into_iter().map(str::to_owned).collect(),
        });
        Tally { quorum: self.name.clone(), need: self.m, counted, parties }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(approver: &str, person: &str, expires: u64) -> Vote {
        Vote {
            approver: approver.parse().unwrap(),
            person: person.parse().unwrap(),
            party: None,
            expires_at: Timestamp::from_millis(expires),
        }
    }

    fn check(votes: &[Vote], requester: Option<&str>, met: bool) {
        let quorum = Quorum {
            name: "treasury".parse().unwrap(),
            m: 2,
            members: ["a", "b", "c"].iter().map(|m| m.parse().unwrap()).collect(),
            parties: None,
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
            let name = "q".parse().unwrap();
            assert!(Quorum { name, m, members, parties: None }.check().is_err());
        }
    }

    /// What a quorum of two people and so many parties says of these votes: seat, person and party.
    fn says(parties: u32, votes: &[(&str, &str, Option<&str>)]) -> (String, bool) {
        let quorum = Quorum {
            name: "treasury".parse().unwrap(),
            m: 2,
            members: ["a", "b", "c"].iter().map(|m| m.parse().unwrap()).collect(),
            parties: Some(parties),
        };
        let votes: Vec<Vote> = votes
            .iter()
            .map(|(seat, who, party)| Vote {
                party: party.map(str::to_owned),
                ..vote(seat, who, 200)
            })
            .collect();
        let tally = quorum.tally(&votes, None, Timestamp::from_millis(100));
        (tally.to_string(), tally.is_met())
    }

    #[test]
    fn two_people_at_two_views_of_one_party_are_not_two_parties() {
        let one = [("a", "ann", Some("acme")), ("b", "bo", Some("acme"))];
        assert_eq!(says(2, &one), ("2 of 2 approved, 1 of 2 parties".to_owned(), false));
        assert!(says(1, &one).1);
        let two = [("a", "ann", Some("acme")), ("b", "bo", Some("host"))];
        assert_eq!(says(2, &two), ("2 of 2 approved, 2 of 2 parties".to_owned(), true));
    }

    #[test]
    fn a_key_in_a_file_is_a_person_s_word_and_no_party_s() {
        let files = [("a", "ann", None), ("b", "bo", None)];
        assert_eq!(says(1, &files), ("2 of 2 approved, 0 of 1 parties".to_owned(), false));
        let third = [("a", "ann", None), ("b", "bo", Some("acme")), ("c", "cy", Some("host"))];
        assert!(says(2, &third).1);
    }

    #[test]
    fn row_38_one_person_in_two_seats_is_not_two_parties() {
        let ann = [("a", "ann", Some("acme")), ("b", "ann", Some("host")), ("c", "cy", None)];
        assert_eq!(says(2, &ann), ("2 of 2 approved, 1 of 2 parties".to_owned(), false));
    }

    #[test]
    fn a_quorum_asks_for_no_more_parties_than_people() {
        for (parties, sound) in [(0, false), (1, true), (2, true), (3, false)] {
            let quorum = Quorum {
                name: "q".parse().unwrap(),
                m: 2,
                members: ["a", "b", "c"].iter().map(|m| m.parse().unwrap()).collect(),
                parties: Some(parties),
            };
            assert_eq!(quorum.check().is_ok(), sound, "{parties}");
        }
    }

    #[test]
    fn a_quorum_without_parties_has_the_bytes_that_it_always_had() {
        let text = r#"{"m":1,"members":["a"],"name":"q"}"#;
        let quorum: Quorum = serde_json::from_str(text).unwrap();
        assert_eq!(crate::canonical::to_bytes(&quorum, "quorum").unwrap(), text.as_bytes());
        let votes = [vote("a", "ann", 200)];
        let tally = quorum.tally(&votes, None, Timestamp::ZERO);
        assert!(!serde_json::to_string(&tally).unwrap().contains("parties"));
    }
}
