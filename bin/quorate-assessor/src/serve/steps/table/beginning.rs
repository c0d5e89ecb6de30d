//! Forms of an audit's beginning: engagement, reviewer, declarations, scope, inheritance.

use super::super::made;
use super::parties::{PARTY, PAST, REVIEWER};
use super::scope::{PROVIDED, SCOPE};
use super::{DAY_HINT, Kind, StepForm, WHY, field, maybe, step};

/// The engagement, which has no audit yet.
pub(in crate::serve::steps) const ENGAGED: StepForm = StepForm {
    base: made::engaged,
    finish: made::engage,
    start: made::engaged_start,
    begins: made::engaged_begins,
    about: made::about_engaged,
    ..step(
        "engaged",
        "Begin an audit",
        "Entity and auditor agreed. Workflow, parties and their keys are fixed by this step, and every later step is signed.",
        &[
            field(
                "audit",
                "/audit",
                Kind::Line,
                "The audit's id",
                "Short; it stands in addresses and file names.",
            ),
            field("workflow", "/workflow", Kind::Choice(made::workflows), "The workflow", ""),
            field("standard", "/_/standard", Kind::Choice(made::standards), "The standard", ""),
            field("entity", "/entity", Kind::Line, "The audited body", ""),
            field(
                "system",
                "/system",
                Kind::Line,
                "The system that is audited",
                "By its name in the scope.",
            ),
            field(
                "designation",
                "/designation",
                Kind::Choice(made::designations),
                "As what it is certified",
                "",
            ),
            maybe(field(
                "designation_why",
                "/designation_why",
                Kind::Line,
                "Why, where the rule gives another",
                "",
            )),
            field(
                "sought",
                "/sought",
                Kind::Number,
                "The rank of the level that is sought",
                "1 is the lowest.",
            ),
            field("from", "/period/from", Kind::Day, "The testing period from", DAY_HINT),
            field("to", "/period/to", Kind::Day, "to", DAY_HINT),
            field("first", "/first", Kind::YesNo, "Is it the first audit of the system?", ""),
            field(
                "parties",
                "/parties",
                Kind::Many(PARTY),
                "Who takes part",
                "One auditor, and somebody of the audited body. The reviewer is chosen later, from the registrar's list.",
            ),
            maybe(field(
                "past",
                "/past",
                Kind::Many(PAST),
                "Earlier audits of this entity",
                "Those of its systems that are known, the oldest first.",
            )),
            maybe(field(
                "readiness",
                "/readiness",
                Kind::Choice(made::readiness),
                "A readiness assessment by the same auditor",
                "",
            )),
            field("contract", "/contract", Kind::Line, "Where the contract is kept", ""),
            field(
                "retention",
                "/retention",
                Kind::Line,
                "How long evidence is kept, and by whom",
                "",
            ),
        ],
    )
};

/// In the order of work.
pub(super) const BEGINNING: &[StepForm] = &[
    step(
        "intent_filed",
        "File the intent to audit",
        "The registrar was told before signing.",
        &[field("reference", "/reference", Kind::Line, "Where the letter can be found", "")],
    ),
    StepForm {
        about: made::about_listed,
        ..step(
            "options_listed",
            "Record the registrar's list of reviewers",
            "The list that the registrar gave.",
            &[
                field("list", "/list", Kind::Line, "The list's id", ""),
                field("reviewers", "/reviewers", Kind::Many(REVIEWER), "Who may be engaged", ""),
                maybe(field(
                    "past",
                    "/past",
                    Kind::Many(PAST),
                    "Earlier audits that the registrar knows of",
                    "",
                )),
            ],
        )
    },
    step(
        "options_asked",
        "Ask for another list of reviewers",
        "The present list and its reviewer are void after this.",
        &[WHY],
    ),
    StepForm {
        base: made::chosen,
        ..step(
            "reviewer_chosen",
            "Engage the reviewer",
            "One of the newest list.",
            &[field("person", "/person", Kind::Choice(made::reviewers), "The reviewer", "")],
        )
    },
    StepForm {
        base: made::to_be_signed,
        start: made::declared_start,
        ..step(
            "declared",
            "Declare independence",
            "Each party declares for itself, and signs the statements beside the step.",
            &[field(
                "statements",
                "/statements",
                Kind::Lines,
                "What is declared",
                "One statement a line.",
            )],
        )
    },
    StepForm {
        base: made::scoped,
        begins: made::scope_begins,
        about: made::about_scope,
        ..step(
            "scope_set",
            "Set the validated scope",
            "Systems, the trusted environment of each, key material, exclusions. Never key material itself.",
            SCOPE,
        )
    },
    StepForm {
        base: made::inheriting,
        begins: made::inherited_begins,
        asks: made::inherited_asks,
        finish: made::inherited,
        about: made::about_inherited,
        ..step(
            "inherited",
            "Take in a provider's report",
            "What a certified provider answers for. The report is read first; then it is said how it is used, and who owns what.",
            PROVIDED,
        )
    },
];
