//! The canonical form of a rule, read from Cedar's own JSON syntax tree.
//!
//! A rule that asks for approval is `forbid (..) when { .. } unless { context.approved_by.contains("Q") };` with that
//! clause last, the same name in `@require("Q")`, and `approved_by` nowhere else. Only in this form is it true that no
//! approval can turn a denial into anything else.

use cedar_policy::{Effect, Policy as CedarPolicy, PolicyId};
use miette::Diagnostic;
use serde_json::Value;

use quorate_terms::policy::CedarRule;
use quorate_terms::{QuorumName, RuleId};

use crate::nesting;
use crate::problem::{Problem, line_of};

/// What a satisfied rule says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Yes.
    Permit,
    /// No, whoever agrees.
    Forbid,
    /// Not before this quorum agrees.
    Require(QuorumName),
}

/// A rule in canonical form.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) kind: Kind,
    /// The sentence of `@note`, if the author gave one.
    pub(crate) note: Option<String>,
    /// Type and id of the one principal that the scope names, if it names one with `==`.
    pub(crate) principal: Option<(String, String)>,
    /// The one wallet that the scope names with `==`.
    pub(crate) wallet: Option<String>,
    /// The rule as written.
    pub(crate) cedar: CedarPolicy,
    /// The same with its effect rewritten to `permit`, so that one evaluation names every satisfied rule.
    pub(crate) satisfied: CedarPolicy,
}

/// Reads one rule.
pub(crate) fn read(rule: &CedarRule) -> Result<Rule, Vec<Problem>> {
    let field = format!("rules.{}", rule.id);
    if let Some(why) = nesting::too_much(&rule.text) {
        return Err(vec![Problem::new(field, why, "split it into smaller rules")]);
    }
    let id = PolicyId::new(rule.id.as_str());
    let cedar = CedarPolicy::parse(Some(id.clone()), &rule.text).map_err(|errors| {
        let problem = |error: &cedar_policy::ParseError| {
            let offset = error.labels().and_then(|mut all| all.next()).map(|label| label.offset());
            Problem::new(&field, error.to_string(), "write one cedar policy, ending in `;`")
                .at(offset.and_then(|offset| line_of(&rule.text, offset)))
        };
        errors.iter().map(problem).collect::<Vec<_>>()
    })?;
    let tree = cedar.to_json().map_err(|e| {
        vec![Problem::new(&field, e.to_string(), "write the rule without special forms")]
    })?;
    let kind = canonical(rule, &field, &cedar, &tree)?;
    let satisfied = as_permit(id, tree.clone())
        .map_err(|why| vec![Problem::new(&field, why, "write the rule without special forms")])?;
    let wallet = named(&tree, "resource").and_then(|(kind, id)| (kind == "Wallet").then_some(id));
    let note = cedar.annotation("note").map(crate::problem::one_line);
    let principal = named(&tree, "principal");
    Ok(Rule { id: rule.id.clone(), kind, note, principal, wallet, cedar, satisfied })
}

fn as_permit(id: PolicyId, mut tree: Value) -> Result<CedarPolicy, String> {
    if let Some(effect) = tree.get_mut("effect") {
        *effect = Value::String("permit".to_owned());
    }
    CedarPolicy::from_json(Some(id), tree).map_err(|e| e.to_string())
}

/// The entity that a scope names with `==`.
fn named(tree: &Value, variable: &str) -> Option<(String, String)> {
    let scope = tree.get(variable)?;
    let entity = scope.get("entity")?;
    let text = |key: &str| entity.get(key).and_then(Value::as_str).map(str::to_owned);
    (scope.get("op")?.as_str()? == "==").then_some((text("type")?, text("id")?))
}

fn canonical(
    rule: &CedarRule,
    field: &str,
    cedar: &CedarPolicy,
    tree: &Value,
) -> Result<Kind, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut complain = |token: &str, why: &str, mend: &str| {
        let line = rule.text.find(token).and_then(|offset| line_of(&rule.text, offset));
        problems.push(Problem::new(field, why, mend).at(line));
    };
    for (name, _) in cedar.annotations().filter(|(name, _)| !["require", "note"].contains(name)) {
        complain(
            name,
            "has an unknown annotation",
            "use only `@require(\"quorum\")` and `@note(\"..\")`",
        );
    }
    let empty = Vec::new();
    let mut clauses = tree.get("conditions").and_then(Value::as_array).unwrap_or(&empty).as_slice();
    let permit = cedar.effect() == Effect::Permit;
    let mut kind = if permit { Kind::Permit } else { Kind::Forbid };
    if let Some(name) = cedar.annotation("require") {
        match (permit, name.parse::<QuorumName>()) {
            (true, _) => complain(
                "require",
                "puts `@require` on a permit, where it would mean nothing",
                "put `@require` on a `forbid`, or remove it",
            ),
            (_, Err(_)) => complain(
                "require",
                "names no quorum",
                "name a quorum of this document: `@require(\"treasury\")`",
            ),
            (false, Ok(quorum)) => {
                match clauses.split_last() {
                    Some((last, rest)) if asks_for(last, &quorum) => clauses = rest,
                    _ => complain(
                        "require",
                        "does not end in the approval clause of the same quorum",
                        "end with `unless { context.approved_by.contains(\"..\") }`, same name as in `@require`",
                    ),
                }
                kind = Kind::Require(quorum);
            }
        }
    }
    for clause in clauses {
        let body = clause.get("body").unwrap_or(&Value::Null);
        if !plain_context(body) {
            complain(
                "approved_by",
                "reads `approved_by`, or the context as a whole, outside the last clause",
                "use `approved_by` only in the last `unless` of a rule with `@require`",
            );
        }
        // A guard helps only where a missing fact makes the answer stricter.
        let unless = clause.get("kind").and_then(Value::as_str) == Some("unless");
        let safe = if permit == unless { !has_guard(body) } else { guards_are_positive(body) };
        if !safe {
            complain(
                "has",
                "fails open when the fact is missing",
                "write `forbid .. unless { context has x && context.x <= n }` or `permit .. when { context has x && .. }`",
            );
        }
    }
    if problems.is_empty() { Ok(kind) } else { Err(problems) }
}

/// Whether a clause is exactly `unless { context.approved_by.contains("Q") }`.
fn asks_for(clause: &Value, quorum: &QuorumName) -> bool {
    let wanted = serde_json::json!({
        "kind": "unless",
        "body": { "contains": {
            "left": { ".": { "left": { "Var": "context" }, "attr": "approved_by" } },
            "right": { "Value": quorum.as_str() },
        }},
    });
    *clause == wanted
}

fn child<'a>(node: &'a Value, key: &str) -> Option<&'a Value> {
    node.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(key))
}

fn children(node: &Value) -> Vec<&Value> {
    match node {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

/// Whether the context appears only as `context.x` or `context has x` with x other than `approved_by`.
fn plain_context(node: &Value) -> bool {
    if child(node, "Var").and_then(Value::as_str) == Some("context") {
        return false;
    }
    if let Some(access) = child(node, ".").or_else(|| child(node, "has")) {
        let left = access.get("left").unwrap_or(&Value::Null);
        let on_context = child(left, "Var").and_then(Value::as_str) == Some("context");
        let attr = access.get("attr").map(|attr| match attr {
            Value::Array(path) => path.first().and_then(Value::as_str).unwrap_or("approved_by"),
            other => other.as_str().unwrap_or("approved_by"),
        });
        return if on_context { attr != Some("approved_by") } else { plain_context(left) };
    }
    children(node).into_iter().all(plain_context)
}

fn has_guard(node: &Value) -> bool {
    child(node, "has").is_some() || children(node).into_iter().any(has_guard)
}

/// Whether every `has` stands where false makes the whole clause false: under `&&` and `||` only.
fn guards_are_positive(node: &Value) -> bool {
    for operator in ["&&", "||"] {
        if let Some(sides) = child(node, operator) {
            return children(sides).into_iter().all(guards_are_positive);
        }
    }
    if let Some(guard) = child(node, "has") {
        return !has_guard(guard.get("left").unwrap_or(&Value::Null));
    }
    !has_guard(node)
}
