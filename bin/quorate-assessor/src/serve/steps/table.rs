//! Which fields each step asks for, and where each goes in the record. What follows from the audit itself is not asked: see
//! [`super::made`].

mod beginning;
mod closing;
mod parties;
mod scope;
mod testing;

use super::made::{self, Grounds};
pub(super) use beginning::ENGAGED;

use crate::trouble::Done;
use quorate_assessor::audit::Record as Act;
use serde_json::Value;

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// One line of text.
    Line,
    /// Many lines of text.
    Long,
    /// A list of texts, one a line.
    Lines,
    /// A day or a moment.
    Day,
    /// A whole number of at most 32 bits: no record counts further.
    Number,
    /// Yes or no.
    YesNo,
    /// JSON, a list; nothing written is an empty one.
    JsonList,
    /// JSON that is one of a few values, each with its words.
    Choice(fn(&Grounds<'_>) -> Vec<(String, String)>),
    /// Tags of the register between spaces; nothing written says that it is not applicable.
    Tags,
    /// Somebody's public key.
    Key,
    /// A file.
    File,
    /// Several of one kind, each with fields of its own. One in which nothing is written is none.
    Many(&'static Group),
    /// Fields that belong together.
    Part(&'static [FieldText]),
    /// One choice for each of several things.
    Each(&'static Each),
    /// A provider's signed report, as it came.
    Report,
    /// Something else that was signed outside, as it came.
    Envelope,
}

/// What one of several consists of.
pub(super) struct Group {
    /// What it is called.
    pub(super) one: &'static str,
    /// The field that says which one it is: no two rows have the same there, whatever its letters' case.
    pub(super) apart: Option<&'static str>,
    pub(super) fields: &'static [FieldText],
}

/// One choice for each of several things.
pub(super) struct Each {
    /// What is chosen for: a key of the record, and words about it.
    pub(super) keys: fn(&Grounds<'_>) -> Vec<(String, String)>,
    /// Values with their words. The first is the rule, and is not recorded.
    pub(super) choices: &'static [(&'static str, &'static str)],
}

/// One field.
#[derive(Clone, Copy)]
pub(super) struct FieldText {
    pub(super) name: &'static str,
    /// Where it goes: a JSON pointer into the record, or into what the field is a part of. Below `/_` it is for
    /// [`StepForm::finish`], which takes it away.
    pub(super) at: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    pub(super) optional: bool,
}

/// One step as a form.
#[derive(Clone, Copy)]
pub(super) struct StepForm {
    /// The kind of record; for an exhibit with the technique after a dot.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it is for.
    pub(super) says: &'static str,
    pub(super) fields: &'static [FieldText],
    /// What the audit itself says.
    pub(super) base: fn(&Grounds<'_>) -> Done<Value>,
    /// What is worked out from the fields.
    pub(super) finish: fn(&Grounds<'_>, &mut Value) -> Done<()>,
    /// What stands in a field at first.
    pub(super) start: fn(&Grounds<'_>, &str) -> String,
    /// A record, or a part of one, that the form shows at first.
    pub(super) begins: fn(&Grounds<'_>) -> Value,
    /// Whether a field is asked for already: some follow from what stands in another.
    pub(super) asks: fn(&Grounds<'_>, &str) -> bool,
    /// Of which places of the record each objection speaks, as JSON pointers, in their order. What is left out speaks of none.
    pub(super) about: fn(&Act, &[String]) -> Vec<Vec<String>>,
}

const fn field(
    name: &'static str,
    at: &'static str,
    kind: Kind,
    label: &'static str,
    hint: &'static str,
) -> FieldText {
    FieldText { name, at, label, hint, kind, optional: false }
}

const fn maybe(field: FieldText) -> FieldText {
    FieldText { optional: true, ..field }
}

const fn step(
    id: &'static str,
    title: &'static str,
    says: &'static str,
    fields: &'static [FieldText],
) -> StepForm {
    StepForm {
        id,
        title,
        says,
        fields,
        base: made::nothing,
        finish: made::as_it_is,
        start: made::empty,
        begins: made::no_record,
        asks: made::always,
        about: made::no_place,
    }
}

const WHY: FieldText =
    field("why", "/why", Kind::Line, "Why", "In plain words; it stays for good.");
const DAY_HINT: &str = "As 2026-11-20, or RFC 3339 with a zone.";

/// Every step of an audit that has begun, in the order of work.
pub(super) fn steps() -> impl Iterator<Item = &'static StepForm> {
    beginning::BEGINNING.iter().chain(testing::TESTING).chain(closing::CLOSING)
}

/// The form of that id.
pub(super) fn form(id: &str) -> Option<&'static StepForm> {
    steps().find(|form| form.id == id)
}

/// The kind of record that a form makes.
pub(super) fn act(id: &str) -> &str {
    id.split_once('.').map_or(id, |(act, _)| act)
}
