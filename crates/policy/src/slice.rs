//! The rules that can speak about one principal and one wallet, compiled once and remembered.
//!
//! Every rule is compiled as a `permit`, with its true kind in a side table: one evaluation then names every satisfied
//! rule. On canonical rules this is the same as the two-step judge of [`crate::oracle`], which the tests check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use cedar_policy::{PolicySet, Request};

use quorate_terms::{QuorumName, RuleId};

use crate::form::Kind;
use crate::policy::Compiled;

/// Remembered slices; at about 60 KiB each. Past that all are forgotten, which costs time and nothing else.
const SLICES_MAX: usize = 128;

/// Who asks of which wallet: entity type, entity id, wallet.
pub(crate) type Key = (&'static str, String, String);

/// Slices by key.
pub(crate) type Slices = BTreeMap<Key, Arc<PolicySet>>;

/// What the rules say, before budgets and built-in checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Evaluation failed: a denial. One line for each rule that failed.
    Failed(BTreeMap<String, String>),
    /// These rules forbid it.
    Forbidden(Vec<RuleId>),
    /// No rule permits it.
    Silent,
    /// These quorums must agree, for these rules.
    Require(BTreeMap<RuleId, QuorumName>),
    /// These rules permit it and nothing stands against it.
    Allow(Vec<RuleId>),
}

impl Compiled {
    fn slice(&self, key: &Key) -> Result<Arc<PolicySet>, String> {
        let mut slices = self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = slices.get(key) {
            return Ok(Arc::clone(found));
        }
        let (kind, id, wallet) = key;
        let speaks = self.rules.iter().filter(|rule| {
            let principal = rule.principal.as_ref();
            principal.is_none_or(|(k, i)| k == kind && i == id)
                && rule.wallet.as_ref().is_none_or(|w| w == wallet)
        });
        let set = PolicySet::from_policies(speaks.map(|rule| rule.satisfied.clone()));
        let set = Arc::new(set.map_err(|e| e.to_string())?);
        if slices.len() >= SLICES_MAX {
            slices.clear();
        }
        slices.insert(key.clone(), Arc::clone(&set));
        Ok(set)
    }

    /// One pass over the slice.
    pub(crate) fn verdict(&self, key: &Key, request: &Request) -> Verdict {
        let failed = |why: String| Verdict::Failed(BTreeMap::from([("policy".to_owned(), why)]));
        let set = match self.slice(key) {
            Ok(set) => set,
            Err(why) => return failed(why),
        };
        let response = self.authorizer.is_authorized(request, &set, &self.entities);
        let errors: BTreeMap<String, String> = response
            .diagnostics()
            .errors()
            .map(|e| match e {
                cedar_policy::AuthorizationError::PolicyEvaluationError(e) => {
                    (e.policy_id().to_string(), e.inner().to_string())
                }
            })
            .collect();
        if !errors.is_empty() {
            return Verdict::Failed(errors);
        }
        // `reason` is unordered; places are not.
        let satisfied: BTreeSet<usize> = response
            .diagnostics()
            .reason()
            .filter_map(|id| self.places.get(id.to_string().as_str()).copied())
            .collect();
        let (mut permits, mut forbids, mut requires) = (Vec::new(), Vec::new(), BTreeMap::new());
        for rule in satisfied.into_iter().filter_map(|place| self.rules.get(place)) {
            match &rule.kind {
                Kind::Permit => permits.push(rule.id.clone()),
                Kind::Forbid => forbids.push(rule.id.clone()),
                Kind::Require(quorum) => {
                    requires.insert(rule.id.clone(), quorum.clone());
                }
            }
        }
        if !forbids.is_empty() {
            Verdict::Forbidden(forbids)
        } else if permits.is_empty() {
            Verdict::Silent
        } else if requires.is_empty() {
            Verdict::Allow(permits)
        } else {
            Verdict::Require(requires)
        }
    }
}
