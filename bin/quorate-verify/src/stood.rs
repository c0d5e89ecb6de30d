//! Who stood in for whom, by the entries of a receipt alone, and which words count where a seat has two voices.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::approval::{Approval, ApprovalBody};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::Delegation;
use quorate_terms::intent::{Action, Intent};
use quorate_terms::quorum::Vote;
use quorate_terms::{ApproverId, CredentialId, DelegationId, PersonId, Timestamp};

use crate::charter::Charters;
use crate::story::Story;

/// Every delegation that the receipt shows, in order.
pub(crate) struct Delegations(Vec<Stood>);

/// A delegation, with the entry that grants it and the first that ends it.
pub(crate) struct Stood {
    pub(crate) delegation: Delegation,
    pub(crate) from: u64,
    pub(crate) until: Option<u64>,
}

/// A yes: where it stands, what was signed, how it counts, and under which delegation a stand-in gave it.
pub(crate) struct Yes<'a> {
    pub(crate) index: u64,
    pub(crate) said: &'a Approval,
    pub(crate) vote: Vote,
    pub(crate) stood: Option<&'a Stood>,
}

impl Delegations {
    /// Reads the delegations, and checks each as everyone does who folds the book.
    pub(crate) fn read(story: &Story, charters: &Charters) -> Result<Self, String> {
        let mut all: Vec<Stood> = Vec::new();
        for granted in story.delegated() {
            let (index, delegation) = (granted.entry.index, &granted.body.delegation);
            let wrong = |why: String| format!("the delegation of entry {index}: {why}");
            delegation.check().map_err(|why| wrong(why.to_string()))?;
            let charter = charters.at(index)?;
            delegation.check_fit(charter).map_err(|why| wrong(why.to_string()))?;
            let again = all.iter().any(|one| {
                one.delegation.id == delegation.id
                    || one.delegation.stand_in.shares(&delegation.stand_in)
            });
            if again {
                return Err(wrong("its name or a key of it was used before".into()));
            }
            let (at, of) = (granted.entry.at, charter.approver(&delegation.seat));
            if delegation.until <= at {
                return Err(wrong("its time was over when it was granted".into()));
            }
            let stands = |one: &Stood| at < one.delegation.until && one.lasts(charters, index);
            let same = |one: &Stood| {
                let seat = charter.approver(&one.delegation.seat);
                seat.map(|seat| &seat.person) == of.map(|seat| &seat.person)
            };
            if all.iter().any(|one| same(one) && stands(one)) {
                return Err(wrong("another of the same person had not ended".into()));
            }
            let until = ended(story, &delegation.id, index);
            all.push(Stood { delegation: delegation.clone(), from: index, until });
        }
        Ok(Self(all))
    }

    /// The delegation under which a credential that is not the seat's own speaks for it at an entry.
    pub(crate) fn of(
        &self,
        index: u64,
        seat: &ApproverSeat,
        credential: &CredentialId,
    ) -> Option<&Stood> {
        self.0.iter().filter(|_| !seat.holds(credential)).find(|one| {
            one.from < index
                && one.delegation.seat == seat.approver
                && one.delegation.stand_in.holds(credential)
        })
    }

    pub(crate) fn says(&self) -> Option<String> {
        let said = |one: &Stood| {
            let (id, seat) = (&one.delegation.id, &one.delegation.seat);
            format!("`{id}`: {} for {seat}", one.delegation.stand_in.person)
        };
        let all: Vec<_> = self.0.iter().map(said).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// The first entry that ends a delegation. Whoever wrote it, and however well: what is said to be over counts no more.
fn ended(story: &Story, id: &DelegationId, after: u64) -> Option<u64> {
    let ends = story.delegations_ended();
    let mut ends = ends.iter().filter(|end| end.entry.index > after && end.body.id == *id);
    ends.next().map(|end| end.entry.index)
}

impl Stood {
    /// Whether it stood at the entry of a word that was given under it, and let its stand-in speak so.
    pub(crate) fn allows(
        &self,
        (index, at): (u64, Timestamp),
        said: &ApprovalBody,
        (intent, holder): (&Intent, &PersonId),
    ) -> Result<(), String> {
        let delegation = &self.delegation;
        let over = self.until.is_some_and(|until| until < index);
        if over || !delegation.stands_at(at) || said.issued_at < delegation.from {
            return Err(format!("was given while delegation `{}` did not stand", delegation.id));
        }
        let Action::Transfer(transfer) = &intent.action else {
            return Err("is a stand-in's on something else than a transfer".into());
        };
        if !delegation.covers(transfer) {
            return Err(format!("is above the limit of delegation `{}`", delegation.id));
        }
        if intent.requester.person() == Some(holder) {
            return Err("is a stand-in's on a request of the person stood in for".into());
        }
        Ok(())
    }

    /// Whether it was still standing just before an entry: nobody had ended it, nor had a charter.
    pub(crate) fn lasts(&self, charters: &Charters, until: u64) -> bool {
        self.until.is_none_or(|ended| ended >= until)
            && charters.outlived(&self.delegation, self.from, until)
    }
}

/// At most one vote for each seat before an entry: its own last word if it is in force at `at`, otherwise its stand-in's. It is
/// the choice that `Case::votes` makes for everyone who folds the book.
pub(crate) fn standing<'a>(
    votes: &'a [Yes<'_>],
    charters: &Charters,
    (until, at): (u64, Timestamp),
) -> Vec<&'a Vote> {
    let kept = |yes: &&Yes<'_>| yes.index < until && charters.keep(yes.said, yes.index, until);
    let mut own: BTreeMap<&ApproverId, &Vote> = BTreeMap::new();
    for yes in votes.iter().filter(kept).filter(|yes| yes.stood.is_none()) {
        own.insert(&yes.vote.approver, &yes.vote);
    }
    own.retain(|_, vote| vote.expires_at > at);
    let back: BTreeSet<&PersonId> = own.values().map(|vote| &vote.person).collect();
    let mut all = own.clone();
    for yes in votes.iter().filter(kept) {
        let Some(stood) = yes.stood else { continue };
        let seat = charters.at(yes.index).ok().and_then(|c| c.approver(&yes.vote.approver));
        let is_back = seat.is_none_or(|seat| back.contains(&seat.person));
        if !own.contains_key(&yes.vote.approver) && !is_back && stood.lasts(charters, until) {
            all.insert(&yes.vote.approver, &yes.vote);
        }
    }
    all.into_values().collect()
}
