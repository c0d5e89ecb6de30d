//! Every route of the office's API in one table: the router reads it, and so does the description.

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Anybody, without a token.
    Public,
    /// A token that looks, or one that does more.
    Look,
    /// A token that may have the office write.
    File,
    /// A token that may have the office issue marks.
    Mark,
}

/// One route.
pub(crate) struct Route {
    /// `operationId`.
    pub(crate) id: &'static str,
    /// `get` or `post`.
    pub(crate) method: &'static str,
    /// Below [`BASE`], `{name}` standing for one segment.
    pub(crate) path: &'static str,
    pub(crate) scope: Scope,
    /// One sentence.
    pub(crate) says: &'static str,
    /// The numbers of its query.
    pub(crate) query: &'static [Number],
    /// The text of its query.
    pub(crate) text: Option<Text>,
    /// Whether a file comes or goes in the place of JSON.
    pub(crate) file: Way,
    /// What the body is, for a change.
    pub(crate) body: Option<&'static str>,
    /// Refusals beside those that every route may give.
    pub(crate) statuses: &'static [u16],
    /// Whether the answer to a change is kept for whoever asks again under the same key. Not where nothing is recorded: what
    /// opens values about people would outlive their erasure.
    pub(crate) is_kept: bool,
}

/// Which way a file goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Body and answer are JSON.
    None,
    /// The body is a file.
    In,
    /// The answer is a file.
    Out,
}

/// A text that a query must hold.
pub(crate) struct Text {
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) says: &'static str,
    /// The longest, in bytes.
    pub(crate) most: usize,
}

/// A number that a query may hold.
pub(crate) struct Number {
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) says: &'static str,
    pub(crate) least: u64,
    pub(crate) most: u64,
    /// What it is where it is left out.
    pub(crate) otherwise: Option<u64>,
}

/// Where the API is.
pub(crate) const BASE: &str = "/api/v1";

const DAYS: Number = Number {
    name: "days",
    says: "How many days a strip shows.",
    least: 1,
    most: 3660,
    otherwise: Some(30),
};

const LIMIT: Number =
    Number { name: "limit", says: "How many, at most.", least: 1, most: 100, otherwise: Some(20) };

const AFTER: Number = Number {
    name: "after",
    says: "The `next_after` of the page before.",
    least: 0,
    // The largest that every program reads without loss (RFC 8259, section 6).
    most: 9_007_199_254_740_991,
    otherwise: None,
};

const fn look(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route {
        id,
        method: "get",
        path,
        scope: Scope::Look,
        says,
        query: &[],
        text: None,
        file: Way::None,
        body: None,
        statuses: &[],
        is_kept: true,
    }
}

const fn one(id: &'static str, path: &'static str, says: &'static str) -> Route {
    Route { statuses: &[400, 404, 409], ..look(id, path, says) }
}

const fn change(
    id: &'static str,
    path: &'static str,
    says: &'static str,
    body: &'static str,
) -> Route {
    Route {
        method: "post",
        scope: Scope::File,
        body: Some(body),
        statuses: &[400, 404, 408, 409, 413, 415, 422],
        ..look(id, path, says)
    }
}

/// The size that a witness cosigned last.
const OLD: Number = Number {
    name: "old",
    says: "How many entries the witness knows.",
    least: 0,
    most: AFTER.most,
    otherwise: Some(0),
};

/// A change by who issues marks.
const fn marks(
    id: &'static str,
    path: &'static str,
    says: &'static str,
    body: &'static str,
) -> Route {
    Route { scope: Scope::Mark, ..change(id, path, says, body) }
}

/// Every route.
pub(crate) static ROUTES: [Route; 30] = [
    look("me", "/me", "Whose token this is, what it allows, and until when."),
    look("status", "/status", "What this office holds."),
    look("standards", "/standards", "Standards, and how the newest assessment of each stands."),
    Route {
        query: &[LIMIT, AFTER],
        statuses: &[422],
        ..look("assessments", "/assessments", "Assessments on record, the newest first.")
    },
    one("assessment", "/assessments/{digest}", "One assessment, by the digest of its results."),
    change(
        "assess",
        "/assessments",
        "Assesses the book against a standard and records the results.",
        "The standard, such as `ccss 9.0`, and the level that is sought, if one is.",
    ),
    one("control", "/controls/{key}", "One control whole, and how it stands now."),
    Route {
        query: &[DAYS],
        statuses: &[422],
        ..look("history", "/history", "How findings changed while they were watched.")
    },
    look("bulletin", "/bulletin", "What was found newest of each standard, signed by the office."),
    look("workflows", "/workflows", "Workflows, with the digests that engagements name."),
    look("audits", "/audits", "Audits on this office's ledger."),
    one(
        "audit",
        "/audits/{audit}",
        "One audit as its auditor sees it; to a token that only looks, values about people are commitments.",
    ),
    one("calendar", "/audits/{audit}/calendar", "Dates of an audit."),
    one("report", "/audits/{audit}/report", "The report as the audit stands, and its digest."),
    one("evidence", "/audits/{audit}/evidence", "What is on file in an audit, and who opened it."),
    Route {
        is_kept: false,
        ..change(
            "compose_step",
            "/audits/{audit}/steps/composed",
            "Makes a step ready for its person's signature; nothing is recorded.",
            "Who takes the step, and what is recorded; values about people in plain text.",
        )
    },
    Route {
        text: Some(Text { name: "name", says: "What the file is called.", most: 200 }),
        file: Way::In,
        ..change(
            "send_file",
            "/audits/{audit}/files",
            "Seals an evidence file. It is on file once a step that names it as it was answered is taken.",
            "The file.",
        )
    },
    Route {
        file: Way::Out,
        is_kept: false,
        ..change(
            "open_file",
            "/audits/{audit}/files/opened",
            "Takes a signed step that a file is opened, and gives the file.",
            "The step as it was composed, and what `quorate-assessor person sign` wrote for it.",
        )
    },
    change(
        "take_step",
        "/audits/{audit}/steps",
        "Takes a step of an audit that its person has signed.",
        "The step as it was composed, and what `quorate-assessor person sign` wrote for it.",
    ),
    Route { scope: Scope::Public, ..look("marks", "/marks", "The register of marks.") },
    Route { scope: Scope::Public, ..one("mark", "/marks/{mark}", "One mark of the register.") },
    Route {
        is_kept: false,
        ..change(
            "compose_claim",
            "/audits/{audit}/claims/composed",
            "Makes the claim of a mark ready for its auditor's signature; nothing is recorded.",
            "The issuer's offer, the results, what is left out, and until when it may be shown.",
        )
    },
    change(
        "take_claim",
        "/audits/{audit}/claims",
        "Records a claim that its auditor has signed; gives what goes to the issuer.",
        "The claim as it was composed, and what `quorate-assessor person claim` wrote for it.",
    ),
    marks(
        "offer_mark",
        "/register/offers",
        "Gives out a place in the status list.",
        "The mark's name, the list's and the issuer's.",
    ),
    marks(
        "issue_mark",
        "/marks/{mark}/issue",
        "Signs a claim of an assessor whom the token names, and logs it.",
        "The claim as its assessor's office gave it.",
    ),
    Route {
        query: &[OLD],
        statuses: &[422],
        ..look(
            "checkpoint",
            "/register/checkpoint",
            "The register's newest checkpoint, signed, as a request to a witness.",
        )
    },
    marks(
        "finish_mark",
        "/marks/{mark}/finish",
        "Binds entry, proof and cosignatures to the mark's one file.",
        "The request, what witnesses answered, and the policy that verifiers pin.",
    ),
    marks(
        "suspend_mark",
        "/marks/{mark}/suspend",
        "Suspends a mark until people have looked.",
        "Why, in words that may be published.",
    ),
    Route {
        scope: Scope::Public,
        ..one("mark_file", "/marks/{mark}/file", "The mark's one file, as a verifier reads it.")
    },
    Route {
        scope: Scope::Public,
        ..look("status_list", "/register/status", "The status list as the register stands, signed.")
    },
];
