//! Fields of a scope, and of what a certified provider answers for: lists in lists, each line with fields of its own.

use super::super::made;
use super::{DAY_HINT, Each, FieldText, Group, Kind, field, maybe};

const LINES: &str = "One a line.";

/// The validated scope. Its entity is the engagement's.
pub(super) const SCOPE: &[FieldText] = &[field(
    "systems",
    "/systems",
    Kind::Many(SYSTEM),
    "Systems",
    "One of them is the system of the engagement. A part of the form in which nothing is written is left out.",
)];

const SYSTEM: &Group = &Group {
    one: "System",
    apart: None,
    fields: &[
        field("name", "/name", Kind::Line, "Its name", "As the entity calls it."),
        field(
            "description",
            "/description",
            Kind::Long,
            "What it does",
            "For a reader who does not know it.",
        ),
        field("sought", "/sought", Kind::Choice(made::ranks), "The level that is sought", ""),
        field(
            "customers_funds",
            "/custody/customers_funds",
            Kind::YesNo,
            "Does it have control of customers' funds?",
            "",
        ),
        field(
            "holds_every_key",
            "/custody/holds_every_key",
            Kind::YesNo,
            "Does it hold every key over the funds in scope?",
            "",
        ),
        field(
            "supplies_only_a_part",
            "/custody/supplies_only_a_part",
            Kind::YesNo,
            "Does it supply only a part?",
            "Yes, if for customers' funds another party controls something that is needed beside it.",
        ),
        maybe(field(
            "providers",
            "/custody/providers",
            Kind::Many(PROVIDER),
            "Providers that it uses",
            "",
        )),
        field("people", "/environment/people", Kind::Lines, "Roles and people", LINES),
        field("processes", "/environment/processes", Kind::Lines, "Processes", LINES),
        field(
            "technology",
            "/environment/technology",
            Kind::Lines,
            "Places, hardware and software",
            LINES,
        ),
        field(
            "validated",
            "/environment/validated",
            Kind::Part(VALIDATED),
            "Who validated this environment",
            "",
        ),
        maybe(field(
            "exclusions",
            "/environment/exclusions",
            Kind::Many(EXCLUSION),
            "What was left out",
            "Nothing that touches key material can be left out.",
        )),
        field(
            "inventory",
            "/inventory",
            Kind::Many(INVENTORY),
            "Key material",
            "An inventory: where it is and who holds it.",
        ),
    ],
};

const PROVIDER: &Group = &Group {
    one: "Provider",
    apart: None,
    fields: &[
        field("name", "/name", Kind::Line, "Its name", ""),
        field("takes_part", "/takes_part", Kind::YesNo, "Does it take part in key management?", ""),
        field(
            "could_affect",
            "/could_affect",
            Kind::YesNo,
            "Could it affect the security of key management?",
            "For example a cloud's access control before a key service.",
        ),
    ],
};

const VALIDATED: &[FieldText] = &[
    field("by", "/by", Kind::Line, "The auditor, by name", "As in the engagement."),
    field("at", "/at", Kind::Day, "When", DAY_HINT),
    field(
        "sources",
        "/sources",
        Kind::Lines,
        "From what",
        "Diagrams, interviews, configurations, a list of providers; one a line.",
    ),
];

const EXCLUSION: &Group = &Group {
    one: "Exclusion",
    apart: None,
    fields: &[
        field("what", "/what", Kind::Line, "What", ""),
        field("why", "/why", Kind::Line, "Why it cannot affect key material", ""),
    ],
};

const INVENTORY: &Group = &Group {
    one: "Inventory line",
    apart: None,
    fields: &[
        field("name", "/name", Kind::Line, "Its name in the inventory", ""),
        field("kind", "/kind", Kind::Line, "What it is", "Seed, private key, key share, backup."),
        field("place", "/place", Kind::Line, "Where it is kept", ""),
        field("class", "/class", Kind::Line, "Its class", ""),
        field("criticality", "/criticality", Kind::Line, "How critical it is", ""),
        field("holders", "/holders", Kind::Lines, "Who holds it", LINES),
        maybe(field(
            "depends_on",
            "/depends_on",
            Kind::Lines,
            "Other lines that it depends on",
            "By name, one a line.",
        )),
    ],
};

/// A provider's report and how it is used. Standard, version and level are the engagement's.
pub(super) const PROVIDED: &[FieldText] = &[
    field(
        "envelope",
        "/envelope",
        Kind::Report,
        "The provider's signed report",
        "The envelope as it came. It counts under the key of a registrar whom this office believes (`quorate-assessor audit \
         registrar`).",
    ),
    field(
        "service",
        "/using/service",
        Kind::Choice(made::services),
        "The service that is used",
        "Those that lie inside the certified system.",
    ),
    maybe(field(
        "reviewed",
        "/using/reviewed",
        Kind::Day,
        "When this vendor was last reviewed",
        DAY_HINT,
    )),
    field(
        "review_months",
        "/using/review_months",
        Kind::Number,
        "How many months a review lasts",
        "",
    ),
    maybe(field(
        "grace",
        "/_/grace",
        Kind::Many(GRACE),
        "Older versions of the standard that are still taken",
        "Where the provider is certified under another version than this audit's.",
    )),
    field(
        "owners",
        "/using/owners",
        Kind::Each(OWNERS),
        "Whose each requirement is",
        "Those of which the report speaks; every other one is the system's own.",
    ),
];

const GRACE: &Group = &Group {
    one: "Older version",
    apart: None,
    fields: &[
        field("version", "/version", Kind::Line, "The version", "As the report names it."),
        field("until", "/until", Kind::Day, "Its last day", DAY_HINT),
    ],
};

const OWNERS: &Each = &Each {
    keys: made::owned,
    choices: &[
        ("system", "the system's own"),
        ("provider", "the provider's alone"),
        ("both", "both have a share"),
    ],
};
