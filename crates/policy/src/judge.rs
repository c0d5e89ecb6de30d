//! The judge: one question, one policy, what has been used; one answer. Default deny.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::entry::RiskClass;
use quorate_terms::intent::{Action, Transfer};
use quorate_terms::judgment::{Judgment, Reason};
use quorate_terms::quorum::Quorum;
use quorate_terms::{BudgetId, QuorumName, RuleId};

use crate::administration::{self, Act};
use crate::ask::{Ask, Ruling};
use crate::policy::{Compiled, Policy};
use crate::reason::{ask_to_approve, reason};
use crate::slice::Verdict;
use crate::usage::{Claim, Usage};
use crate::{budget, checks, context};

/// Judges an intent.
///
/// The same arguments give the same answer on every machine. A transfer passes the built-in checks, then the exact
/// budgets, then the rules; each refusal adds its reasons and every reason is told at once. `explain` is this function
/// without an entry after it.
pub fn judge(policy: &Policy, ask: &Ask<'_>, usage: &Usage) -> Ruling {
    match &ask.intent.action {
        Action::Transfer(transfer) => judge_transfer(policy, ask, transfer, usage),
        _ => judge_act(policy, ask),
    }
}

/// How grave a mistake with this action would be.
pub const fn risk_class(action: &Action) -> RiskClass {
    match action {
        Action::Transfer(_)
        | Action::Cancel { .. }
        | Action::RevokeCredential { .. }
        | Action::RemoveAddress { .. }
        | Action::EndDelegation { .. }
        | Action::Freeze { .. } => RiskClass::Standard,
        Action::OpenWallet(_)
        | Action::ChangePolicy { .. }
        | Action::ChangeCharter { .. }
        | Action::IssueCredential { .. }
        | Action::ListAddress { .. }
        | Action::Delegate { .. }
        | Action::Unfreeze { .. } => RiskClass::High,
    }
}

fn judge_act(policy: &Policy, ask: &Ask<'_>) -> Ruling {
    let blank = Ruling {
        judgment: Judgment::Deny { reasons: Vec::new() },
        claim: None,
        budgets: Vec::new(),
        risk_class: risk_class(&ask.intent.action),
        quorum_m: None,
        quorum_members: BTreeSet::new(),
    };
    match administration::judge(policy, ask) {
        Act::Deny(reasons) => Ruling { judgment: deny(reasons), ..blank },
        Act::Allow(because) => {
            Ruling { judgment: Judgment::Allow { because: vec![because] }, ..blank }
        }
        Act::Require(quorum, reason) => require(&[&quorum], vec![reason], blank),
    }
}

fn judge_transfer(policy: &Policy, ask: &Ask<'_>, transfer: &Transfer, usage: &Usage) -> Ruling {
    let compiled: &Compiled = &policy.0;
    let mut reasons = checks::transfer(compiled, ask, transfer);
    let claim = budget::claim(compiled, ask.intent, transfer);
    let mut budgets = Vec::new();
    match &claim {
        Some(claim) => {
            let (ids, refused) = budget::check(compiled, ask, claim, usage);
            budgets = ids;
            reasons.extend(refused);
        }
        None if compiled.coins.contains_key(&transfer.asset.chain()) => {
            let message = "amount and fee ceiling together are 2^256 or more";
            reasons.push(reason("check:amount", "amount_too_large", message, "ask for less"));
        }
        // The unknown chain has been told already.
        None => {}
    }
    let verdict = match context::request(compiled, ask, transfer, std::iter::empty()) {
        Ok((key, request)) => compiled.verdict(&key, &request),
        Err(denial) => {
            reasons.push(denial);
            Verdict::Forbidden(Vec::new())
        }
    };
    answer(compiled, ask, verdict, reasons, claim, budgets)
}

fn answer(
    policy: &Compiled,
    ask: &Ask<'_>,
    verdict: Verdict,
    mut reasons: Vec<Reason>,
    claim: Option<Claim>,
    budgets: Vec<BudgetId>,
) -> Ruling {
    let pending = ask.facts.pending_reservations;
    let most = policy.document.limits.pending_reservations;
    if matches!(verdict, Verdict::Require(_)) && pending >= most {
        let message =
            format!("the requester has {pending} amounts held for approval; {most} is the most");
        let next = "wait for approvals, or cancel a case";
        reasons.push(reason("check:pending", "too_many_pending", message, next));
    }
    let because = spoken(policy, &verdict);
    let blank = Ruling {
        judgment: Judgment::Deny { reasons: Vec::new() },
        claim: None,
        budgets,
        risk_class: RiskClass::Standard,
        quorum_m: None,
        quorum_members: BTreeSet::new(),
    };
    let refused = !reasons.is_empty();
    match verdict {
        Verdict::Allow(_) if !refused => {
            Ruling { judgment: Judgment::Allow { because }, claim, ..blank }
        }
        Verdict::Require(rules) if !refused => {
            let quorums = quorums(policy, &rules);
            let whole = quorums.len() == rules.values().collect::<BTreeSet<_>>().len();
            if !whole || quorums.is_empty() {
                return Ruling { judgment: deny(because), ..blank };
            }
            require(&quorums, because, Ruling { claim, ..blank })
        }
        // Once something refuses, what would have allowed is of no interest.
        Verdict::Allow(_) | Verdict::Require(_) => Ruling { judgment: deny(reasons), ..blank },
        Verdict::Failed(_) | Verdict::Forbidden(_) | Verdict::Silent => {
            reasons.extend(because);
            Ruling { judgment: deny(reasons), ..blank }
        }
    }
}

fn quorums<'a>(policy: &'a Compiled, rules: &BTreeMap<RuleId, QuorumName>) -> Vec<&'a Quorum> {
    let names: BTreeSet<&QuorumName> = rules.values().collect();
    names.into_iter().filter_map(|name| policy.quorums.get(name)).collect()
}

fn deny(mut reasons: Vec<Reason>) -> Judgment {
    reasons.sort();
    reasons.dedup();
    if reasons.is_empty() {
        reasons.push(reason("policy", "no_rule_allows", "nothing allows it", "ask the operator"));
    }
    Judgment::Deny { reasons }
}

fn require(quorums: &[&Quorum], mut reasons: Vec<Reason>, blank: Ruling) -> Ruling {
    reasons.sort();
    let names = quorums.iter().map(|quorum| quorum.name.clone()).collect();
    Ruling {
        judgment: Judgment::Require { quorums: names, reasons },
        quorum_m: quorums.iter().map(|quorum| quorum.m).max(),
        quorum_members: quorums.iter().flat_map(|quorum| quorum.members.iter().cloned()).collect(),
        ..blank
    }
}

/// What the rules say, as reasons.
fn spoken(policy: &Compiled, verdict: &Verdict) -> Vec<Reason> {
    let note = |id: &RuleId, otherwise: &str| {
        let place = policy.places.get(id.as_str()).copied();
        let rule = place.and_then(|place| policy.rules.get(place));
        rule.and_then(|rule| rule.note.clone()).unwrap_or_else(|| otherwise.to_owned())
    };
    let name = |id: &RuleId| format!("rule:{id}");
    match verdict {
        Verdict::Failed(errors) => errors
            .iter()
            .map(|(id, why)| {
                let message =
                    crate::problem::one_line(&format!("the rule could not be evaluated: {why}"));
                reason(
                    format!("rule:{id}"),
                    "rule_failed",
                    message,
                    "ask the operator to mend the rule",
                )
            })
            .collect(),
        Verdict::Forbidden(rules) => rules
            .iter()
            .map(|id| {
                let next = "change the request so that the rule does not apply";
                reason(name(id), "rule_forbids", note(id, "the rule forbids it"), next)
            })
            .collect(),
        Verdict::Silent => {
            let next = "ask the operator for a rule that permits it";
            vec![reason("policy", "no_rule_allows", "no rule permits it", next)]
        }
        Verdict::Require(rules) => rules
            .iter()
            .map(|(id, quorum)| {
                let otherwise = format!("`{quorum}` must agree");
                let who = format!("the members of `{quorum}`");
                let next = policy.quorums.get(quorum).map(|asked| ask_to_approve(&who, asked));
                reason(name(id), "quorum_required", note(id, &otherwise), &next.unwrap_or_default())
            })
            .collect(),
        Verdict::Allow(rules) => rules
            .iter()
            .map(|id| reason(name(id), "rule_allows", note(id, "the rule permits it"), "nothing"))
            .collect(),
    }
}
