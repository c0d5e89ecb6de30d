//! Entries about checklists: opened for one person, each task attested by whoever carried it out, closed when all is done.

use serde::{Deserialize, Serialize};

use crate::checklist::{Change, Item, Post};
use crate::digest::Digest;
use crate::id::{CredentialId, IdempotencyKey, ItemId, PersonId};
use crate::time::Timestamp;

/// A checklist was opened for a person who comes, changes post or leaves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChecklistOpened {
    /// Its name: the digest of vault, opener and key.
    pub checklist: Digest,
    /// The opener's own name for the request.
    pub key: IdempotencyKey,
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
    /// The credential under which they did; none on the desk's own machine.
    pub credential: Option<CredentialId>,
}

/// A person attested that they carried out one task of a checklist.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChecklistAttested {
    /// The checklist.
    pub checklist: Digest,
    /// The task.
    pub item: ItemId,
    /// The person whom the checklist is about.
    pub person: PersonId,
    /// Who carried it out and says so; never the person whom it is about.
    pub by: PersonId,
    /// Their own credential, in force.
    pub credential: CredentialId,
    /// Where the paper lies, as a short code such as a ticket's number. Never a name.
    pub reference: Option<IdempotencyKey>,
}

/// A checklist ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChecklistClosed {
    /// The checklist.
    pub checklist: Digest,
    /// The person whom it was about.
    pub person: PersonId,
    /// What happened to them.
    pub change: Change,
    /// In which post.
    pub post: Post,
    /// How it ended.
    pub end: ChecklistEnd,
    /// What was done, by whom and when.
    pub done: Vec<Done>,
    /// Who closed it.
    pub by: PersonId,
    /// The credential under which they did; none on the desk's own machine.
    pub credential: Option<CredentialId>,
}

/// How a checklist ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecklistEnd {
    /// Everything on it was done.
    Done,
    /// It was opened in error, or what it prepared will not happen.
    Withdrawn,
}

/// A task that was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The task.
    pub item: ItemId,
    /// Who attested it; none where the book itself shows it.
    pub by: Option<PersonId>,
    /// When they did; none where the book itself shows it.
    pub at: Option<Timestamp>,
}
