//! Forms of testing: what is put on file by each technique, samples, rulings, findings.

use super::super::made;
use super::{DAY_HINT, FieldText, Kind, StepForm, WHY, field, maybe, step};

/// Fields that every exhibit has.
macro_rules! exhibit {
    ($kind:literal, $at:literal, [$(($name:literal, $label:literal, $hint:literal, $of:expr)),* $(,)?]) => {
        &[
            $(field($name, concat!("/exhibit/item/", $kind, "/", $name), $of, $label, $hint),)*
            field("at", concat!("/exhibit/item/", $kind, "/at"), Kind::Day, $at, DAY_HINT),
            maybe(field("open", concat!("/exhibit/item/", $kind, "/open"), Kind::Lines,
                "What is still open", "One question a line; nothing when all is answered.")),
            field("owner", "/exhibit/owner", Kind::Line, "Who answers for it at the entity", "A name. It is kept as a \
                commitment and can be erased."),
            field("from", "/exhibit/represents/from", Kind::Day, "It speaks about the time from", DAY_HINT),
            field("to", "/exhibit/represents/to", Kind::Day, "to", DAY_HINT),
            maybe(field("expires", "/exhibit/expires", Kind::Day, "It may be relied on until", DAY_HINT)),
            maybe(field("file", "/exhibit/file", Kind::File, "The file",
                "PDF, PNG, JPEG, ZIP and office documents, or plain text. It is sealed here, and only ever given back as a download.")),
            maybe(field("sha256", "/_/sha256", Kind::Line, "The SHA-256 that the file should have",
                "If it was told to you on another way, an upload that differs is refused.")),
            maybe(field("kept_there", "/exhibit/kept_there", Kind::Line, "Why there is no file",
                "Where it may not leave the entity.")),
        ]
    };
}

const DOCUMENT: &[FieldText] = exhibit!(
    "document",
    "When it was last reviewed",
    [
        ("title", "Its title", "", Kind::Line),
        ("purpose", "What it is for", "", Kind::Line),
        ("version", "Its version", "", Kind::Line),
        ("place", "Where it is kept", "", Kind::Line),
        ("findings", "What was found in it", "", Kind::Long),
    ]
);
const RECORD: &[FieldText] = exhibit!(
    "record",
    "When it was generated",
    [
        ("name", "Its name", "", Kind::Line),
        ("how", "How it was generated", "", Kind::Line),
        ("roles", "By which roles", "", Kind::Line),
        ("purpose", "What it is for", "", Kind::Line),
        ("findings", "What was found in it", "", Kind::Long),
    ]
);
const OBSERVATION: &[FieldText] = exhibit!(
    "observation",
    "When",
    [
        ("process", "The process that was watched", "", Kind::Line),
        ("document", "The document that governs it", "", Kind::Line),
        ("place", "Where", "", Kind::Line),
        ("who", "Who, by name and role", "Kept as a commitment; can be erased.", Kind::Line),
        ("outcome", "What came out", "", Kind::Long),
    ]
);
const REPERFORMANCE: &[FieldText] = exhibit!(
    "reperformance",
    "When",
    [
        ("process", "The process that was done again", "", Kind::Line),
        ("authority", "The written authority", "", Kind::Line),
        ("description", "What was done", "", Kind::Long),
        ("outputs", "What came out", "", Kind::Line),
        ("findings", "What follows", "", Kind::Line),
    ]
);
const INTERVIEW: &[FieldText] = exhibit!(
    "interview",
    "When",
    [
        (
            "name",
            "Who was asked",
            "A name. It is kept as a commitment and can be erased.",
            Kind::Line
        ),
        ("role", "As what", "", Kind::Line),
        ("place", "Where", "", Kind::Line),
        ("duration", "How long", "", Kind::Line),
        ("topics", "About what", "", Kind::Line),
        ("findings", "What was said", "Kept as a commitment; can be erased.", Kind::Long),
    ]
);
const INSPECTION: &[FieldText] = exhibit!(
    "inspection",
    "When",
    [
        ("system", "The system or place", "", Kind::Line),
        ("data", "Where the data sits", "", Kind::Line),
        (
            "access",
            "Who gave access",
            "A name. It is kept as a commitment and can be erased.",
            Kind::Line
        ),
        ("findings", "What was found", "", Kind::Long),
    ]
);
const DECISION: &[FieldText] = exhibit!(
    "decision",
    "When",
    [
        ("question", "What was asked", "", Kind::Line),
        ("answer", "What was decided", "", Kind::Long),
        ("reference", "Where it can be found", "", Kind::Line),
    ]
);

/// In the order of work.
pub(super) const TESTING: &[StepForm] = &[
    exhibit("exhibit_filed.document", "Put a document on file", DOCUMENT),
    exhibit("exhibit_filed.record", "Put a business record on file", RECORD),
    exhibit("exhibit_filed.interview", "Record an interview", INTERVIEW),
    exhibit("exhibit_filed.observation", "Record an observation", OBSERVATION),
    exhibit("exhibit_filed.inspection", "Record an inspection", INSPECTION),
    exhibit("exhibit_filed.reperformance", "Record a reperformance", REPERFORMANCE),
    exhibit("exhibit_filed.decision", "Record an answer of the committee", DECISION),
    StepForm {
        start: made::on,
        ..step(
            "exhibit_opened",
            "Open a file",
            "The opening is on record before the file is given, once.",
            &[field("tag", "/tag", Kind::Choice(made::files), "Which", ""), WHY],
        )
    },
    StepForm {
        start: made::on,
        ..step(
            "exhibit_struck",
            "Strike an exhibit",
            "It may not be cited any more, and stays on file.",
            &[field("tag", "/tag", Kind::Choice(made::exhibits), "Which", ""), WHY],
        )
    },
    StepForm {
        finish: made::sampled,
        ..step(
            "sampled",
            "Draw a sample",
            "The same list and seed give anybody the same sample.",
            &[
                field("name", "/name", Kind::Line, "The name by which findings cite it", ""),
                field("of", "/sample/population/of", Kind::Line, "What is listed", ""),
                field("source", "/sample/population/source", Kind::Line, "From which system", ""),
                field(
                    "query",
                    "/sample/population/query",
                    Kind::Long,
                    "The query, word for word",
                    "",
                ),
                field("by", "/sample/population/by", Kind::Line, "Who ran it", ""),
                field("at", "/sample/population/at", Kind::Day, "When", DAY_HINT),
                field(
                    "ids",
                    "/_/ids",
                    Kind::Lines,
                    "The whole list",
                    "One id a line; the sample is drawn from it here.",
                ),
                maybe(field(
                    "rhythm",
                    "/sample/rhythm",
                    Kind::Line,
                    "A rhythm of the table",
                    "annual, quarterly, monthly, or nothing.",
                )),
                field(
                    "risk",
                    "/sample/risk",
                    Kind::Choice(made::risks),
                    "The risk that is assumed",
                    "",
                ),
                field("size", "/_/size", Kind::Number, "How many are drawn", ""),
                field(
                    "rationale",
                    "/sample/rationale",
                    Kind::Long,
                    "Why this risk and this size",
                    "",
                ),
                field(
                    "seed",
                    "/sample/seed/text",
                    Kind::Line,
                    "The seed",
                    "Best is the root of a checkpoint made after the list was captured.",
                ),
                field(
                    "seed_source",
                    "/sample/seed/source",
                    Kind::Line,
                    "Where the seed comes from",
                    "",
                ),
            ],
        )
    },
    StepForm {
        start: made::on,
        ..step(
            "ruling_asked",
            "Ask the steering committee",
            "How wording fits technology; the answer becomes an exhibit.",
            &[
                field(
                    "requirement",
                    "/requirement",
                    Kind::Choice(made::requirements),
                    "About which requirement",
                    "",
                ),
                field("question", "/question", Kind::Long, "What is asked", ""),
            ],
        )
    },
    StepForm {
        finish: made::found,
        start: made::found_start,
        ..step(
            "found",
            "Judge a requirement",
            "The auditor's own judgement; what the machine found decides nothing.",
            &[
                field("id", "/id", Kind::Choice(made::requirements), "The requirement", ""),
                field("status", "/status", Kind::Choice(made::statuses), "How it stands", ""),
                field(
                    "statement",
                    "/statement",
                    Kind::Long,
                    "What was found",
                    "In your own words, not the requirement's.",
                ),
                maybe(field(
                    "rationale",
                    "/rationale",
                    Kind::Long,
                    "Why a comparable control is as good, or why a qualified finding passes",
                    "",
                )),
                maybe(field(
                    "interviews",
                    "/slots/interviews",
                    Kind::Tags,
                    "Interviews that it rests on",
                    TAGS,
                )),
                maybe(field(
                    "observations",
                    "/slots/observations",
                    Kind::Tags,
                    "Observations",
                    TAGS,
                )),
                maybe(field("documents", "/slots/documents", Kind::Tags, "Documents", TAGS)),
                maybe(field("inspections", "/slots/inspections", Kind::Tags, "Inspections", TAGS)),
                maybe(field(
                    "decisions",
                    "/slots/decisions",
                    Kind::Tags,
                    "Decisions of the committee",
                    TAGS,
                )),
                maybe(field(
                    "samples",
                    "/samples",
                    Kind::Lines,
                    "Samples that it rests on",
                    "One name a line.",
                )),
                maybe(field(
                    "machine",
                    "/machine",
                    Kind::Line,
                    "The machine's finding, by its digest",
                    "Where it was read; the newest stands here.",
                )),
            ],
        )
    },
];

const TAGS: &str = "Tags such as INTERVIEW_1, between spaces; left empty: not applicable.";

const fn exhibit(id: &'static str, title: &'static str, fields: &'static [FieldText]) -> StepForm {
    let says = "It gets the next tag of its technique. What is dated after today is a promise, and no evidence.";
    StepForm {
        base: made::exhibit,
        finish: made::filed,
        start: made::exhibit_start,
        ..step(id, title, says, fields)
    }
}
