//! Parties: legal entities that run views. A quorum may demand approvals through views of several, so that no single one
//! decides what everybody who approved was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::charter::CharterText;
use crate::error::Malformed;
use crate::id::PersonId;
use crate::quorum::Quorum;

/// How far a quorum has come with the parties that it demands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parties {
    /// How many are needed.
    pub need: u32,
    /// Those through whose views somebody approved.
    pub counted: BTreeSet<String>,
}

impl Parties {
    /// Whether there are enough.
    pub fn is_met(&self) -> bool {
        u32::try_from(self.counted.len()).is_ok_and(|have| have >= self.need)
    }
}

/// In words: `1 of 2 parties`.
impl fmt::Display for Parties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} parties", self.counted.len(), self.need)
    }
}

/// By which parties each person may stand.
pub(crate) type Ways<'a> = BTreeMap<&'a PersonId, BTreeSet<&'a str>>;

/// The most parties that can each have a person of their own: whoever approves through two views still brings one party.
pub(crate) fn most<'a>(ways: &Ways<'a>) -> BTreeSet<&'a str> {
    let mut taken = BTreeMap::new();
    for person in ways.keys() {
        place(person, ways, &mut taken, &mut BTreeSet::new());
    }
    taken.into_keys().collect()
}

/// Gives `person` a party, moving others to another of theirs where that helps (augmenting paths).
fn place<'a>(
    person: &'a PersonId,
    ways: &Ways<'a>,
    taken: &mut BTreeMap<&'a str, &'a PersonId>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    for party in ways.get(person).into_iter().flatten() {
        let is_new = tried.insert(party);
        let holder = taken.get(party).copied();
        if is_new && holder.is_none_or(|other| place(other, ways, taken, tried)) {
            taken.insert(party, person);
            return true;
        }
    }
    false
}

impl CharterText {
    /// Checks that passkeys of a quorum's members can bring the parties that it demands.
    ///
    /// # Errors
    /// [`Malformed`] when their views have too few operators.
    pub fn check_parties(&self, quorum: &Quorum) -> Result<(), Malformed> {
        let Some(need) = quorum.parties else { return Ok(()) };
        let mut ways = Ways::new();
        for seat in quorum.members.iter().filter_map(|member| self.approver(member)) {
            let views = seat.passkeys.iter().filter_map(|passkey| self.view(&passkey.view));
            ways.entry(&seat.person).or_default().extend(views.map(|view| view.operator.as_str()));
        }
        let parties = most(&ways);
        if u32::try_from(parties.len()).is_ok_and(|have| have >= need) {
            return Ok(());
        }
        let names: Vec<_> = parties.iter().map(|name| format!("`{name}`")).collect();
        let have = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(Malformed::new(
            format!("quorum `{}`.parties", quorum.name),
            format!("asks for {need}; through the charter's views its members can bring {have}"),
            "seat a view of another operator and a member's passkey made there, or ask for fewer",
        ))
    }

    /// Each operator is spelt one way, because two spellings would count as two parties.
    pub(crate) fn check_operators(&self) -> Result<(), Malformed> {
        let mut spelt = BTreeMap::new();
        for view in &self.views {
            let words: Vec<_> = view.operator.split_whitespace().map(str::to_lowercase).collect();
            let other = spelt.insert(words.concat(), &view.operator);
            if other.is_some_and(|other| *other != view.operator) {
                return Err(Malformed::new(
                    format!("view `{}`.operator", view.view),
                    "is another view's operator in another spelling",
                    "spell each operator one way",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(people: &[(&str, &[&'static str])], parties: &[&str]) {
        let people: Vec<(PersonId, &[&str])> =
            people.iter().map(|(person, may)| (person.parse().unwrap(), *may)).collect();
        let ways = people.iter().map(|(person, may)| (person, may.iter().copied().collect()));
        assert_eq!(most(&ways.collect()), parties.iter().copied().collect(), "{people:?}");
    }

    #[test]
    fn each_person_brings_one_party_at_most() {
        check(&[], &[]);
        check(&[("ann", &["home", "provider"])], &["home"]);
        check(&[("ann", &["home"]), ("bo", &["home"])], &["home"]);
        check(&[("ann", &["home"]), ("bo", &[])], &["home"]);
    }

    #[test]
    fn whoever_has_a_choice_makes_room_for_whoever_has_none() {
        check(&[("ann", &["home", "provider"]), ("bo", &["home"])], &["home", "provider"]);
        check(&[("ann", &["home"]), ("bo", &["home", "provider"])], &["home", "provider"]);
        let three: [(&str, &[&'static str]); 3] =
            [("a", &["x", "y"]), ("b", &["x", "z"]), ("c", &["x"])];
        check(&three, &["x", "y", "z"]);
    }
}
