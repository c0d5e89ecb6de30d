//! A checklist in motion: what of it is done, what the book shows, and what is overdue.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::charter::CharterText;
use quorate_terms::checklist::{Change, Item, Post, Shown};
use quorate_terms::entry::{ChecklistEnd, Done};
use quorate_terms::{CredentialId, Digest, IdempotencyKey, ItemId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::book::Book;

/// The rule of the alert of a task that is overdue.
pub const OVERDUE: &str = "checklist_overdue";

/// A checklist for one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Checklist {
    /// The person whom it is about.
    pub person: PersonId,
    /// What happens to them.
    pub change: Change,
    /// In which post.
    pub post: Post,
    /// Digest of the template that the items come from.
    pub template: Digest,
    /// What is to be done.
    pub items: Vec<Item>,
    /// Who opened it.
    pub by: PersonId,
    /// When.
    pub opened_at: Timestamp,
    /// What people attested.
    pub attested: BTreeMap<ItemId, Attested>,
    /// Tasks of which an alert said that they are overdue.
    pub told: BTreeSet<ItemId>,
    /// How and when it ended, if it did, and what was done then.
    pub ended: Option<(ChecklistEnd, Timestamp, Vec<Done>)>,
}

/// Who attested a task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attested {
    /// Who.
    pub by: PersonId,
    /// Under which credential.
    pub credential: CredentialId,
    /// When, by the book.
    pub at: Timestamp,
    /// Where the paper lies.
    pub reference: Option<IdempotencyKey>,
}

impl Checklist {
    /// Whether nobody has ended it.
    pub const fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// An item by name.
    pub fn item(&self, item: &ItemId) -> Option<&Item> {
        self.items.iter().find(|known| known.item == *item)
    }
}

impl Book {
    /// A checklist, open or ended.
    pub fn checklist(&self, checklist: &Digest) -> Option<&Checklist> {
        self.state.checklists.get(checklist)
    }

    /// Every checklist, in order of their names.
    pub fn checklists(&self) -> impl Iterator<Item = (&Digest, &Checklist)> {
        self.state.checklists.iter()
    }

    /// Whether an item is done at `at`: attested, or shown by the book as it stands.
    pub fn has_done(&self, checklist: &Checklist, item: &Item, at: Timestamp) -> bool {
        match item.shown {
            Some(shown) => self.shows(&checklist.person, shown, at),
            None => checklist.attested.contains_key(&item.item),
        }
    }

    /// What is done of a checklist that were closed at `at`, in the order of its items.
    pub fn done(&self, checklist: &Checklist, at: Timestamp) -> Vec<Done> {
        let done = |item: &Item| match (item.shown, checklist.attested.get(&item.item)) {
            (Some(shown), _) => self.shows(&checklist.person, shown, at).then(|| Done {
                item: item.item.clone(),
                by: None,
                at: None,
            }),
            (None, attested) => attested.map(|said| Done {
                item: item.item.clone(),
                by: Some(said.by.clone()),
                at: Some(said.at),
            }),
        };
        checklist.items.iter().filter_map(done).collect()
    }

    /// Tasks of open checklists that are overdue at `at` and of which no alert has told, by checklist.
    pub(crate) fn untold(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = (&Digest, &Checklist, &Item)> {
        let open = self.state.checklists.iter().filter(|(_, one)| one.is_open());
        open.flat_map(|(name, one)| one.items.iter().map(move |item| (name, one, item))).filter(
            move |(_, one, item)| {
                item.due_at <= at && !one.told.contains(&item.item) && !self.has_done(one, item, at)
            },
        )
    }

    /// Whether the book shows this of a person at `at`. Nobody's word is asked.
    pub fn shows(&self, person: &PersonId, shown: Shown, at: Timestamp) -> bool {
        let coming = self.coming().map(|coming| &coming.text);
        let seats = |charter: &CharterText| {
            charter.approvers.iter().filter(|seat| seat.person == *person).count()
        };
        let keys = |charter: &CharterText| -> usize {
            let own = charter.approvers.iter().filter(|seat| seat.person == *person);
            own.map(|seat| seat.passkeys.len().saturating_add(1)).sum()
        };
        let live = || {
            let all = self.credentials().filter(|one| !one.revoked);
            all.map(|one| &one.credential).filter(|c| c.expires_at > at && c.owner == *person)
        };
        match shown {
            Shown::SeatHeld => seats(self.charter()) > 0,
            Shown::SeatEnded => {
                let seated = seats(self.charter()) > 0 || coming.is_some_and(|c| seats(c) > 0);
                !seated && !self.stands_in(person, at)
            }
            Shown::TwoKeysHeld => keys(self.charter()) >= 2,
            Shown::CredentialHeld => live().any(|credential| credential.role.is_some()),
            Shown::CredentialsEnded => !live().any(|credential| credential.role.is_some()),
            Shown::AgentsHandedOver => !live().any(|credential| credential.role.is_none()),
        }
    }
}

/// What the alert of an overdue task is about.
pub(crate) fn subject(checklist: &Digest, item: &ItemId) -> String {
    format!("{item} of checklist {checklist}")
}

/// The task and the checklist of such an alert.
pub(crate) fn read_subject(subject: &str) -> Option<(ItemId, Digest)> {
    let (item, checklist) = subject.split_once(" of checklist ")?;
    Some((item.parse().ok()?, checklist.parse().ok()?))
}
