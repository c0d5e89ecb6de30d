//! The one error contract of all doors, and the one list of codes (`docs/spec/errors.md` is compared with it).
//!
//! A refusal by policy is not an error: it is a judgment, and travels in an answer.

use serde::{Deserialize, Serialize};

use quorate_terms::Malformed;

/// The longest message that leaves a door, in bytes. Outside text never makes an error unbounded.
pub const MESSAGE_BYTES_MAX: usize = 400;

/// Who has to act on an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The caller: mend the input and ask again.
    Validation,
    /// Nobody: something that the desk depends on failed; back off and ask again.
    Upstream,
    /// The caller: do `requiredAction`, then ask again.
    Flow,
    /// The operator: the credential does not allow this. Stop.
    Auth,
    /// Nobody: wait for `retryAfter` seconds.
    Limit,
    /// Nobody: this desk does not have it.
    NotAvailable,
}

macro_rules! codes {
    ($($name:ident = $text:literal, $category:ident, $retryable:literal, $http:literal, $meaning:literal;)*) => {
        /// What went wrong, one of the published list.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $meaning] #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in the order of the published list.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Who has to act.
            pub const fn category(self) -> Category {
                match self { $(Self::$name => Category::$category,)* }
            }

            /// Whether the same question can succeed later without a change.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }

            /// The HTTP status under which the HTTP doors say it.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $http,)* }
            }

            /// What it means, one line.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidInput = "INVALID_INPUT", Validation, false, 400, "An argument is missing, unknown or has the wrong form.";
    InvalidAddress = "INVALID_ADDRESS", Validation, false, 400, "An address is not one of the named chain, or its checksum fails.";
    InvalidAmount = "INVALID_AMOUNT", Validation, false, 400, "`amount` is not a positive plain decimal, or has more places than the asset.";
    InvalidAmountWei = "INVALID_AMOUNT_WEI", Validation, false, 400, "`amountWei` is not a positive whole number of base units below 2^256.";
    InvalidIdempotencyKey = "INVALID_IDEMPOTENCY_KEY", Validation, false, 400, "`idempotencyKey` is not 1 to 128 visible ASCII characters.";
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT", Validation, false, 409, "The same idempotency key was used for another request.";
    MissingTokenContract = "MISSING_TOKEN_CONTRACT", Validation, false, 400, "A token was meant but `tokenContract` is missing; resolve the asset first.";
    UnknownChain = "UNKNOWN_CHAIN", Validation, false, 400, "The chain is not one that this vault uses.";
    UnknownCurrency = "UNKNOWN_CURRENCY", Validation, false, 400, "The currency is not the one in which this vault reckons.";
    UnknownAsset = "UNKNOWN_ASSET", Validation, false, 400, "The asset is not one that the policy lists, or no token of the chain.";
    UnknownWallet = "UNKNOWN_WALLET", Validation, false, 404, "There is no such wallet.";
    DraftMismatch = "DRAFT_MISMATCH", Validation, false, 409, "The bytes, wallet or chain given are not those of the named draft.";
    TransferWouldFail = "TRANSFER_WOULD_FAIL", Validation, false, 409, "The chain finds that the transfer would fail as it stands now.";
    MalformedMessage = "MALFORMED_MESSAGE", Validation, false, 400, "The body is not strict JSON, or not a JSON-RPC message.";
    MessageTooLarge = "MESSAGE_TOO_LARGE", Validation, false, 413, "The body is larger than this door reads.";
    MethodUnknown = "METHOD_UNKNOWN", Validation, false, 405, "The path takes other methods; `Allow` names them.";
    NotAcceptable = "NOT_ACCEPTABLE", Validation, false, 406, "The path answers in another form than the ones accepted.";
    MediaTypeUnknown = "MEDIA_TYPE_UNKNOWN", Validation, false, 415, "The body is not said to be JSON.";
    Refused = "REFUSED", Validation, false, 409, "The book refuses this as it stands; the message says why, and what to do.";
    HeaderMismatch = "HEADER_MISMATCH", Validation, false, 400, "A protocol header is doubled or disagrees with the body.";
    ConfirmationRequired = "CONFIRMATION_REQUIRED", Flow, false, 409, "`confirmBroadcast` must be true. It replaces no approval.";
    DraftUnknown = "DRAFT_UNKNOWN", Flow, false, 409, "The desk prepared no such draft for this credential, or has forgotten it.";
    DraftStale = "DRAFT_STALE", Flow, false, 409, "The draft's nonce or fee is out of date.";
    BackupRequired = "BACKUP_REQUIRED", Flow, false, 409, "The wallet has no verified backup and the chain is not a development chain.";
    ReceiptNotReady = "RECEIPT_NOT_READY", Flow, true, 409, "The case is not closed, so there is no receipt yet.";
    CredentialMissing = "CREDENTIAL_MISSING", Auth, false, 401, "The request carries no credential.";
    CredentialMalformed = "CREDENTIAL_MALFORMED", Auth, false, 400, "The Authorization header cannot be read, or a credential stands in the URL.";
    CredentialInvalid = "CREDENTIAL_INVALID", Auth, false, 401, "The credential is unknown, revoked or expired.";
    ProofInvalid = "PROOF_INVALID", Auth, false, 401, "The access token is bound to a key, and the proof of that key (DPoP) is missing, does not hold for this request, or was shown before.";
    RoleTooLow = "ROLE_TOO_LOW", Auth, false, 403, "The route takes another kind of credential, or a stronger role.";
    BandTooLow = "BAND_TOO_LOW", Auth, false, 403, "The credential's band does not include the tool.";
    WalletOutOfScope = "WALLET_OUT_OF_SCOPE", Auth, false, 403, "The credential does not name the wallet.";
    SessionNotYours = "SESSION_NOT_YOURS", Auth, false, 403, "The session belongs to another credential.";
    OriginRefused = "ORIGIN_REFUSED", Auth, false, 403, "The Origin is not on the list.";
    HostRefused = "HOST_REFUSED", Auth, false, 403, "The Host is not on the list.";
    Frozen = "FROZEN", Auth, false, 403, "Signing is frozen in this scope until people unfreeze it.";
    RateLimited = "RATE_LIMITED", Limit, true, 429, "Too many requests from this credential.";
    TooManyInFlight = "TOO_MANY_IN_FLIGHT", Limit, true, 429, "Too many requests of this credential are being answered at once.";
    TooManySessions = "TOO_MANY_SESSIONS", Limit, true, 429, "Too many sessions are open.";
    TooManyOpenCases = "TOO_MANY_OPEN_CASES", Limit, true, 429, "The credential holds as many open cases or pending reservations as it may.";
    NodeUnavailable = "NODE_UNAVAILABLE", Upstream, true, 502, "The chain node did not answer, or its answer made no sense.";
    PriceUnavailable = "PRICE_UNAVAILABLE", Upstream, true, 502, "No named source has a fresh price.";
    CosignerUnavailable = "COSIGNER_UNAVAILABLE", Upstream, true, 503, "A cosigner cannot be reached. The case stands and goes on by itself.";
    DeskUnavailable = "DESK_UNAVAILABLE", Upstream, true, 503, "The desk is starting, stopping or busy.";
    Internal = "INTERNAL", Upstream, true, 500, "A mistake of ours. The request id finds it in the desk's log.";
    CaseNotFound = "CASE_NOT_FOUND", NotAvailable, false, 404, "No such case is visible to this credential.";
    TransactionNotFound = "TRANSACTION_NOT_FOUND", NotAvailable, false, 404, "The chain does not know the transaction.";
    NotConfigured = "NOT_CONFIGURED", NotAvailable, false, 404, "This desk is not set up for it.";
    PathNotFound = "PATH_NOT_FOUND", NotAvailable, false, 404, "There is nothing at this path, or not by this method.";
}

/// An error as every door says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Complaint {
    /// Who has to act.
    pub category: Category,
    /// What went wrong.
    pub code: Code,
    /// One lower-case line: what is wrong and what to do next. Never a secret.
    pub message: String,
    /// What to do first. Always and only for [`Category::Flow`].
    pub required_action: Option<String>,
    /// Whether the same question can succeed later without a change.
    pub retryable: bool,
    /// Seconds to wait before asking again, where that is known.
    pub retry_after: Option<u64>,
    /// Finds the request in the desk's log; set by the door.
    pub request_id: String,
    /// The scope that it would take (RFC 6750), for the header of an HTTP answer.
    #[serde(skip)]
    pub needs: Option<&'static str>,
    /// Whether it is said before anybody is known, so that anybody can have it said, as often as they like.
    #[serde(skip)]
    pub stranger: bool,
    /// Whether the log was told of enough such already.
    #[serde(skip)]
    pub(crate) untold: bool,
}

impl Complaint {
    /// A complaint of any category but `flow`; a code of that category gets the code's meaning as its action.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let flow = code.category() == Category::Flow;
        Self {
            category: code.category(),
            code,
            message: bounded(&message.into()),
            required_action: flow.then(|| code.meaning().to_owned()),
            retryable: code.retryable(),
            retry_after: None,
            request_id: String::new(),
            needs: None,
            stranger: false,
            untold: false,
        }
    }

    /// A complaint of category `flow`, with what to do first. For other categories the action is left out.
    pub fn first(code: Code, message: impl Into<String>, action: impl Into<String>) -> Self {
        let mut made = Self::new(code, message);
        if code.category() == Category::Flow {
            made.required_action = Some(bounded(&action.into()));
        }
        made
    }

    /// The same complaint with a number of seconds to wait.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same complaint with the scope that it would take.
    #[must_use]
    pub fn needing(mut self, scope: &'static str) -> Self {
        self.needs = Some(scope);
        self
    }

    /// The same complaint, to somebody whom nobody knows yet.
    #[must_use]
    pub(crate) fn of_a_stranger(self) -> Self {
        Self { stranger: true, ..self }
    }

    /// The same complaint, of which the log is not told.
    #[must_use]
    pub(crate) fn untold(self) -> Self {
        Self { untold: true, ..self }
    }

    /// The same complaint under the door's request id.
    #[must_use]
    pub fn under(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request_id);
        self
    }

    /// A complaint about a field, under the code that fits the field.
    pub fn malformed(code: Code, error: &Malformed) -> Self {
        Self::new(code, error.to_string())
    }
}

/// Holds text to one bounded line without control characters.
pub(crate) fn bounded(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut end = MESSAGE_BYTES_MAX.min(clean.len());
    while !clean.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    clean.get(..end).unwrap_or_default().to_owned()
}

/// The published list, as `docs/spec/errors.md` holds it between its two marks.
pub fn published_list() -> String {
    let mut text = String::from(
        "| Code | Category | Retry | HTTP | Meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let category = match code.category() {
            Category::Validation => "validation",
            Category::Upstream => "upstream",
            Category::Flow => "flow",
            Category::Auth => "auth",
            Category::Limit => "limit",
            Category::NotAvailable => "not_available",
        };
        let retry = if code.retryable() { "yes" } else { "no" };
        let (code, status, meaning) = (code.as_str(), code.http_status(), code.meaning());
        text.push_str(&format!("| `{code}` | {category} | {retry} | {status} | {meaning} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_published_list_is_the_codes_of_the_program() {
        let page = include_str!("../../../docs/spec/errors.md");
        let (_, rest) = page.split_once("<!-- codes -->\n").unwrap();
        let (list, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(list, published_list(), "run `cargo xtask schemas`");
    }

    #[test]
    fn every_code_is_distinct_and_says_itself() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_required_action_stands_always_and_only_with_flow() {
        for code in Code::ALL {
            for made in [Complaint::new(*code, "x"), Complaint::first(*code, "x", "prepare again")]
            {
                let flow = code.category() == Category::Flow;
                assert_eq!(made.required_action.is_some(), flow, "{code:?}");
            }
        }
    }

    #[test]
    fn a_message_is_one_bounded_line() {
        let made = Complaint::new(Code::InvalidInput, "ä\n".repeat(4000));
        assert!(made.message.len() <= MESSAGE_BYTES_MAX && !made.message.contains('\n'));
    }
}
