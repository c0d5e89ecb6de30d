//! Forms of closing: report, copy, peer review, summary, certificate, and what ends an audit.

use super::super::made;
use super::{DAY_HINT, FieldText, Kind, StepForm, WHY, field, maybe, step};

/// In the order of work.
pub(super) const CLOSING: &[StepForm] = &[
    StepForm {
        base: made::report,
        ..step(
            "report_written",
            "Write the report",
            "The report as the audit stands now is bound by its digest.",
            &[],
        )
    },
    StepForm {
        finish: made::redacted,
        ..step(
            "redacted",
            "Make the redacted copy",
            "The places that the workflow names are struck out; what opens them is kept in \
            the office's folder `openings` once the step is on record.",
            &[maybe(field(
                "wishes",
                "/_/wishes",
                Kind::JsonList,
                "What else is struck out",
                "A JSON list of {\"at\": \"/pointer/*/field\", \"commit\": true, \"why\": \"...\"}.",
            ))],
        )
    },
    StepForm {
        base: made::copy,
        ..step(
            "redaction_approved",
            "Approve the redacted copy",
            "The entity lets the reviewer read it.",
            &[],
        )
    },
    StepForm {
        base: made::copy,
        ..step(
            "review_opened",
            "Open the peer review",
            "The reviewer reads the newest redacted copy, and nothing else.",
            &[],
        )
    },
    StepForm {
        base: made::next_comment,
        ..step(
            "commented",
            "Ask something as reviewer",
            "A comment on the redacted copy; the auditor answers it.",
            &[
                maybe(field(
                    "on",
                    "/on",
                    Kind::Line,
                    "About which requirement",
                    "Its id, or nothing.",
                )),
                field("text", "/text", Kind::Long, "What is asked", ""),
            ],
        )
    },
    StepForm {
        start: made::on,
        ..step(
            "answered",
            "Answer the reviewer",
            "",
            &[
                field("number", "/number", Kind::Choice(made::comments), "Which comment", ""),
                field("text", "/text", Kind::Long, "The answer", ""),
            ],
        )
    },
    StepForm {
        start: made::on,
        ..step(
            "comment_closed",
            "Close a comment",
            "The reviewer is content with the answer.",
            &[field("number", "/number", Kind::Choice(made::comments), "Which comment", "")],
        )
    },
    StepForm {
        base: made::copy_to_be_signed,
        ..step(
            "review_completed",
            "Complete the review",
            "The reviewer signs the copy that was read, beside the step.",
            &[],
        )
    },
    StepForm {
        finish: made::summary,
        ..step(
            "summary_written",
            "Write the summary",
            "Everything but the description is taken from the audit.",
            &[field(
                "description",
                "/_/description",
                Kind::Long,
                "System and environment, for strangers",
                "No secrets: anybody may read it.",
            )],
        )
    },
    StepForm {
        base: made::summary_to_be_signed,
        ..step(
            "summary_signed",
            "Sign the summary",
            "Auditor and reviewer each sign it, beside the step.",
            &[],
        )
    },
    step(
        "change_disclosed",
        "Disclose a change",
        "What changed in what is audited. A major change after the tested period voids the audit.",
        &[
            field("what", "/what", Kind::Line, "What changed", ""),
            field("at", "/at", Kind::Day, "When", DAY_HINT),
            field(
                "major",
                "/major",
                Kind::YesNo,
                "Is it major: architecture, keys, environment?",
                "",
            ),
        ],
    ),
    StepForm {
        base: made::request,
        finish: made::requested,
        ..step(
            "certificate_asked",
            "Ask for the certificate",
            "The fee is that of the workflow's price list.",
            &[
                field("website", "/website", Kind::Line, "Website", "For the listing."),
                field("contact", "/contact", Kind::Line, "Contact", "For the listing."),
                field("system", "/system", Kind::Line, "The system's name", "For the listing."),
                field("logo", "/logo", Kind::File, "The logo", "PNG or JPEG, at least 500 by 500."),
                maybe(field(
                    "sha256",
                    "/_/sha256",
                    Kind::Line,
                    "The SHA-256 that the file should have",
                    "If it was told to you on another way.",
                )),
                field(
                    "unlapsed",
                    "/unlapsed",
                    Kind::YesNo,
                    "Is an earlier certificate still in date?",
                    "",
                ),
            ],
        )
    },
    filing("certified", "File the certificate", "What a pinned registrar signed for this audit."),
    step("certificate_refused", "Record that the registrar refused", "", &[WHY]),
    filing("accredited", "File the auditor's accreditation", "What a pinned registrar signed."),
    step(
        "decided",
        "Decide on the audit",
        "The scheme says yes or no, with reasons.",
        &[
            field("granted", "/granted", Kind::YesNo, "Is it granted?", ""),
            field("reasons", "/reasons", Kind::Lines, "Reasons", "One a line."),
        ],
    ),
    filing("mark_issued", "File the Trust Mark", "What issuer and auditor signed."),
    step("given_up", "Give the audit up", "It counts for nothing after this.", &[WHY]),
];

const ENVELOPE: &[FieldText] = &[field(
    "envelope",
    "/envelope",
    Kind::Envelope,
    "The signed envelope",
    "As it came. What it says is shown before the step is signed.",
)];

/// A step that files what somebody signed outside.
const fn filing(id: &'static str, title: &'static str, says: &'static str) -> StepForm {
    StepForm { about: made::about_envelope, ..step(id, title, says, ENVELOPE) }
}
