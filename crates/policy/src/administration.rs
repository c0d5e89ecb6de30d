//! Administration, judged by typed data: who must agree to wallets, credentials, recipients, policy and charter.
//!
//! Agents never administer. What only tightens is allowed to people at once. Policy, charter and unfreezing belong to
//! the charter's own quorum, which no policy can lower.

use quorate_terms::charter::CharterText;
use quorate_terms::intent::{Action, Requester};
use quorate_terms::judgment::Reason;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::quorum::Quorum;

use crate::ask::Ask;
use crate::checks;
use crate::policy::{Compiled, Policy};
use crate::reason::{ask_to_approve, reason};

/// The outcome of judging an act of administration.
pub(crate) enum Act {
    /// Refused.
    Deny(Vec<Reason>),
    /// Allowed at once.
    Allow(Reason),
    /// Needs this quorum.
    Require(Quorum, Reason),
}

pub(crate) fn judge(policy: &Policy, ask: &Ask<'_>) -> Act {
    let compiled: &Compiled = &policy.0;
    let reasons = checks::identity(compiled, ask);
    if !reasons.is_empty() {
        return Act::Deny(reasons);
    }
    let agent = matches!(ask.intent.requester, Requester::Agent { .. });
    if agent && !matches!(ask.intent.action, Action::Cancel { .. }) {
        let next = "ask a person to file it at the command line";
        let message = "agents may ask for transfers and cancel their own cases, nothing else";
        return Act::Deny(vec![reason(
            "check:requester",
            "agents_do_not_administer",
            message,
            next,
        )]);
    }
    let names = &compiled.document.administration;
    match &ask.intent.action {
        Action::Cancel { .. } if agent && !ask.facts.own_case => {
            let message = "the case is not the agent's own";
            Act::Deny(vec![reason(
                "check:own-case",
                "not_own_case",
                message,
                "cancel only cases of this credential",
            )])
        }
        Action::Cancel { .. }
        | Action::RevokeCredential { .. }
        | Action::RemoveAddress { .. }
        | Action::EndDelegation { .. }
        | Action::Freeze { .. } => {
            Act::Allow(reason("check:tightens", "tightens", "it only takes leave away", "nothing"))
        }
        Action::OpenWallet(_) => named(policy, ask, &names.wallets, "wallets"),
        Action::IssueCredential { .. } => named(policy, ask, &names.credentials, "credentials"),
        Action::ListAddress { .. } => named(policy, ask, &names.addresses, "addresses"),
        Action::ChangePolicy { policy: next } => governance(ask, successor(policy, next)),
        Action::ChangeCharter { charter } => governance(ask, sound(charter)),
        Action::Unfreeze { .. } | Action::Delegate { .. } => governance(ask, Vec::new()),
        // Transfers are judged elsewhere; to be refused here is the safe side of a mistake.
        Action::Transfer(_) => Act::Deny(vec![reason(
            "check:kind",
            "no_rule_allows",
            "a transfer is no administration",
            "report this",
        )]),
    }
}

fn named(policy: &Policy, ask: &Ask<'_>, name: &quorate_terms::QuorumName, field: &str) -> Act {
    let reasons = checks::common(&policy.0, ask);
    if !reasons.is_empty() {
        return Act::Deny(reasons);
    }
    let rule = format!("administration:{field}");
    match policy.quorum(name) {
        Some(quorum) => {
            let message = format!("`{name}` must agree, {} of {}", quorum.m, quorum.members.len());
            let next = ask_to_approve("its members", quorum);
            Act::Require(quorum.clone(), reason(rule, "administration_quorum", message, &next))
        }
        // The lint makes this impossible; silence would be worse.
        None => Act::Deny(vec![reason(
            rule,
            "policy_malformed",
            "the policy names no such quorum",
            "mend the policy",
        )]),
    }
}

/// Governance may act while the vault is frozen: it is who mends it.
fn governance(ask: &Ask<'_>, reasons: Vec<Reason>) -> Act {
    if !reasons.is_empty() {
        return Act::Deny(reasons);
    }
    let quorum = ask.governance.clone();
    if let Err(e) = quorum.check() {
        return Act::Deny(vec![reason(
            "charter:governance",
            "charter_malformed",
            e.why(),
            e.mend(),
        )]);
    }
    let message =
        format!("the charter's quorum must agree, {} of {}", quorum.m, quorum.members.len());
    let next = ask_to_approve("its members", &quorum);
    let reason = reason("charter:governance", "governance_quorum", message, &next);
    Act::Require(quorum, reason)
}

/// A proposed policy must load, and must follow the one in force.
fn successor(policy: &Policy, next: &PolicyDocument) -> Vec<Reason> {
    let now = policy.document();
    let malformed = |message: String| {
        reason("check:policy", "policy_malformed", message, "run `quorate policy check`")
    };
    let follows = next.vault == now.vault
        && Some(next.version) == now.version.checked_add(1)
        && next.previous == Some(policy.digest());
    if !follows {
        let message = format!(
            "the proposed policy does not follow version {} of vault `{}`, digest {}",
            now.version,
            now.vault,
            policy.digest()
        );
        return vec![malformed(message)];
    }
    let problems = Policy::load(next).err().unwrap_or_default();
    problems.iter().take(16).map(|problem| malformed(problem.to_string())).collect()
}

/// A proposed charter must be sound, and so must the policy in it.
fn sound(charter: &CharterText) -> Vec<Reason> {
    if let Err(e) = charter.check() {
        let message = format!("`{}`: {}", e.field(), e.why());
        return vec![reason("check:charter", "charter_malformed", message, e.mend())];
    }
    let problems = Policy::load(&charter.policy).err().unwrap_or_default();
    let next = "mend the policy in the charter";
    let reasons = problems.iter().take(16);
    reasons.map(|p| reason("check:charter", "charter_malformed", p.to_string(), next)).collect()
}
