//! The judgment as it is defined, in two steps and without shortcuts: what the tests compare the judge with.
//!
//! Evaluate the rules as written; any error is a denial; allow is allow. If every determining rule asks for a quorum,
//! evaluate again with those quorums approved: allow then gives those quorums, anything else is a denial.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Decision, PolicySet, Request, Response};

use quorate_terms::intent::Action;
use quorate_terms::{QuorumName, RuleId};

use crate::ask::Ask;
use crate::context;
use crate::form::Kind;
use crate::policy::{Compiled, Policy};
pub use crate::slice::Verdict;

/// What the rules answer to a transfer once `approved` have agreed; `Failed` for anything but a transfer.
pub fn two_steps(policy: &Policy, ask: &Ask<'_>, approved: &BTreeSet<QuorumName>) -> Verdict {
    let compiled: &Compiled = &policy.0;
    let failed = |why: String| Verdict::Failed(BTreeMap::from([("policy".to_owned(), why)]));
    let set = PolicySet::from_policies(compiled.rules.iter().map(|rule| rule.cedar.clone()));
    let (Action::Transfer(transfer), Ok(set)) = (&ask.intent.action, set) else {
        return failed("no transfer, or no rules".to_owned());
    };
    let ask_with = |approved: &BTreeSet<QuorumName>| {
        context::request(compiled, ask, transfer, approved.iter()).map(|(_, request)| request)
    };
    let evaluate =
        |request: &Request| compiled.authorizer.is_authorized(request, &set, &compiled.entities);
    let first = match ask_with(approved) {
        Ok(request) => evaluate(&request),
        Err(reason) => return failed(reason.message),
    };
    if let Some(errors) = errors(&first) {
        return Verdict::Failed(errors);
    }
    let rules = determining(compiled, &first);
    if first.decision() == Decision::Allow {
        return Verdict::Allow(rules.into_iter().map(|(id, _)| id).collect());
    }
    if rules.is_empty() {
        return Verdict::Silent;
    }
    let plain: Vec<RuleId> =
        rules.iter().filter(|(_, kind)| *kind == Kind::Forbid).map(|(id, _)| id.clone()).collect();
    if !plain.is_empty() {
        return Verdict::Forbidden(plain);
    }
    let asked: BTreeMap<RuleId, QuorumName> = rules
        .into_iter()
        .filter_map(|(id, kind)| match kind {
            Kind::Require(quorum) => Some((id, quorum)),
            Kind::Permit | Kind::Forbid => None,
        })
        .collect();
    let all = approved.iter().chain(asked.values()).cloned().collect();
    match ask_with(&all).map(|request| evaluate(&request)) {
        Ok(second) if second.decision() == Decision::Allow && errors(&second).is_none() => {
            Verdict::Require(asked)
        }
        Ok(_) => Verdict::Silent,
        Err(reason) => failed(reason.message),
    }
}

/// The same, by the one pass that the judge takes, with nobody's approval.
pub fn one_pass(policy: &Policy, ask: &Ask<'_>) -> Verdict {
    let Action::Transfer(transfer) = &ask.intent.action else {
        return Verdict::Silent;
    };
    match context::request(&policy.0, ask, transfer, std::iter::empty()) {
        Ok((key, request)) => policy.0.verdict(&key, &request),
        Err(reason) => Verdict::Failed(BTreeMap::from([("policy".to_owned(), reason.message)])),
    }
}

fn errors(response: &Response) -> Option<BTreeMap<String, String>> {
    let errors: BTreeMap<_, _> = response
        .diagnostics()
        .errors()
        .map(|e| {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(e) = e;
            (e.policy_id().to_string(), e.inner().to_string())
        })
        .collect();
    (!errors.is_empty()).then_some(errors)
}

fn determining(policy: &Compiled, response: &Response) -> Vec<(RuleId, Kind)> {
    let satisfied: BTreeSet<String> =
        response.diagnostics().reason().map(ToString::to_string).collect();
    let rules = policy.rules.iter().filter(|rule| satisfied.contains(rule.id.as_str()));
    rules.map(|rule| (rule.id.clone(), rule.kind.clone())).collect()
}
