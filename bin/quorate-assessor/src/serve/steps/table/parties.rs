//! Fields of people who take part in an audit, and of audits that were before it: one fieldset for each.

use super::super::made;
use super::{DAY_HINT, FieldText, Group, Kind, field, maybe};

const PERSON: FieldText = field(
    "person",
    "/person",
    Kind::Line,
    "Id in this audit",
    "Short, as `ann`. Steps are signed under it; no two people share one.",
);
const NAME: FieldText = field("name", "/name", Kind::Line, "The person's name", "");
const FIRM: FieldText = field("firm", "/firm", Kind::Line, "Firm", "");
const KEY: FieldText = field(
    "key",
    "/key",
    Kind::Key,
    "Public key",
    "What `quorate-assessor person key` shows where the key is.",
);

/// Who takes part from the start.
pub(super) const PARTY: &Group = &Group {
    one: "Party",
    // What the parties may not share is the audit's own judgement.
    apart: None,
    fields: &[
        PERSON,
        field("role", "/role", Kind::Choice(made::roles), "As what", ""),
        NAME,
        FIRM,
        maybe(field(
            "number",
            "/number",
            Kind::Line,
            "Number of accreditation",
            "That the programme gave.",
        )),
        maybe(field(
            "audits",
            "/audits",
            Kind::Number,
            "Audits that this person completed",
            "Of an auditor. Where nothing is written it is none.",
        )),
        KEY,
    ],
};

/// Who may be engaged as reviewer. Whom the audit means is found by the id alone.
pub(super) const REVIEWER: &Group = &Group {
    one: "Reviewer",
    apart: Some("person"),
    fields: &[
        PERSON,
        NAME,
        field(
            "number",
            "/number",
            Kind::Line,
            "Number of accreditation",
            "That the programme gave.",
        ),
        FIRM,
        field(
            "steering",
            "/steering",
            Kind::YesNo,
            "Is this person of the steering committee?",
            "",
        ),
        KEY,
    ],
};

/// An audit that was before this one.
pub(super) const PAST: &Group = &Group {
    one: "Earlier audit",
    apart: None,
    fields: &[
        field("system", "/system", Kind::Line, "The audited system", ""),
        field("entity", "/entity", Kind::Line, "The audited body", ""),
        field("auditor", "/auditor", Kind::Line, "Who audited", "By id."),
        maybe(field("reviewer", "/reviewer", Kind::Line, "Who reviewed", "By id, if anybody.")),
        field("at", "/at", Kind::Day, "When the review was complete", DAY_HINT),
    ],
};
