//! Checklists of people who come, change post and leave, as people ask for them and see them.

use quorate_terms::checklist::{Change, Post};
use quorate_terms::entry::ChecklistEnd;
use quorate_terms::{CredentialId, Digest, IdempotencyKey, ItemId, PersonId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shapes;

/// What somebody does with a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecklistRequest {
    /// Who, by pseudonym.
    pub by: PersonId,
    /// The credential that shows it; none for whoever opens or closes on the desk's own machine.
    pub credential: Option<CredentialId>,
    /// What.
    pub act: ChecklistAct,
}

/// Opening, attesting, closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChecklistAct {
    /// Opens one for a person. The same key again is the same checklist.
    Open {
        /// The opener's own name for the request.
        key: IdempotencyKey,
        /// Whom it is about.
        person: PersonId,
        /// What happens to them.
        change: Change,
        /// In which post.
        post: Post,
    },
    /// Attests a task that one carried out.
    Attest {
        /// The checklist.
        checklist: Digest,
        /// The task.
        item: ItemId,
        /// Where the paper lies, as a short code.
        reference: Option<IdempotencyKey>,
    },
    /// Ends it.
    Close {
        /// The checklist.
        checklist: Digest,
        /// Whether it was opened in error.
        withdraw: bool,
    },
}

/// A checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecklistView {
    /// Its name.
    #[schemars(with = "shapes::Hash")]
    pub checklist: Digest,
    /// Whom it is about, by pseudonym.
    #[schemars(with = "String")]
    pub person: PersonId,
    /// What happens to them.
    #[schemars(with = "shapes::Change")]
    pub change: Change,
    /// In which post.
    #[schemars(with = "shapes::Post")]
    pub post: Post,
    /// Who opened it.
    #[schemars(with = "String")]
    pub by: PersonId,
    /// When.
    #[schemars(with = "u64")]
    pub opened_at: Timestamp,
    /// Digest of the template that its items come from.
    #[schemars(with = "shapes::Hash")]
    pub template: Digest,
    /// What is to be done, in order.
    pub items: Vec<TaskView>,
    /// How it ended, if it did.
    #[schemars(with = "Option<shapes::ChecklistEnd>")]
    pub end: Option<ChecklistEnd>,
    /// When it ended.
    #[schemars(with = "Option<u64>")]
    pub ended_at: Option<Timestamp>,
}

/// One task of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskView {
    /// Its name.
    #[schemars(with = "String")]
    pub item: ItemId,
    /// What is to be done.
    pub words: String,
    /// By when.
    #[schemars(with = "u64")]
    pub due_at: Timestamp,
    /// Whether the book shows it, so that nobody's word counts.
    pub shown_by_the_book: bool,
    /// Whether it is done.
    pub done: bool,
    /// Whether it is not done and its time is over.
    pub overdue: bool,
    /// Who attested it.
    #[schemars(with = "Option<String>")]
    pub by: Option<PersonId>,
    /// When.
    #[schemars(with = "Option<u64>")]
    pub at: Option<Timestamp>,
    /// Where the paper lies.
    #[schemars(with = "Option<String>")]
    pub reference: Option<IdempotencyKey>,
}
