//! Reasons, and the one list of their codes (`docs/spec/reasons.md`; a test compares the two).

use quorate_terms::judgment::Reason;
use quorate_terms::quorum::Quorum;

/// Every code that a judgment of this crate can carry, in the order of the published list.
pub const CODES: [&str; 36] = [
    "wrong_vault",
    "unknown_version",
    "frozen",
    "too_many_open_cases",
    "too_many_pending",
    "credential_unknown",
    "credential_expired",
    "band_too_low",
    "wallet_not_granted",
    "unknown_wallet",
    "wallet_not_ready",
    "wallet_wrong_chain",
    "unknown_asset",
    "zero_amount",
    "amount_too_large",
    "recipient_wrong_chain",
    "self_transfer",
    "recipient_denied",
    "recipient_waiting",
    "recipient_flagged",
    "no_budget",
    "budget_exceeded",
    "budget_count_exceeded",
    "beyond_calendar",
    "rule_failed",
    "rule_forbids",
    "no_rule_allows",
    "quorum_required",
    "rule_allows",
    "agents_do_not_administer",
    "not_own_case",
    "administration_quorum",
    "governance_quorum",
    "tightens",
    "policy_malformed",
    "charter_malformed",
];

/// A reason; `code` is one of [`CODES`].
pub(crate) fn reason(
    rule: impl Into<String>,
    code: &str,
    message: impl Into<String>,
    next: &str,
) -> Reason {
    Reason {
        rule: rule.into(),
        code: code.to_owned(),
        message: message.into(),
        next: next.to_owned(),
    }
}

/// What to do next where a quorum must agree: a key in a file is nobody's view, so where parties are demanded that is said.
pub(crate) fn ask_to_approve(who: &str, quorum: &Quorum) -> String {
    let how = quorum.parties.map(|n| format!(", with passkeys at views of {n} parties or more"));
    format!("ask {who} to approve{}", how.unwrap_or_default())
}
