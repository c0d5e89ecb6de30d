//! What a policy document must be before it may judge: bounded, consistent, canonical, and valid against the schema.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use jiff::tz::TimeZone;
use miette::Diagnostic;

use quorate_terms::policy::{Budget, CedarRule, PolicyDocument, Window};

use crate::calendar;
use crate::checks::comparable;
use crate::form::{self, Kind, Rule};
use crate::problem::{Problem, line_of};
use crate::schema::SCHEMA;
use crate::usage::MEMORY_S;

/// The most rules of a policy.
pub const RULES_MAX: usize = 10_000;
/// The most bytes of all rules together.
pub const RULES_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The most budgets, quorums or assets.
pub const ITEMS_MAX: usize = 1_000;
/// The most refused recipients, and the most names in one budget.
pub const NAMES_MAX: usize = 10_000;
/// The longest life of a case, of an approval, of a fact, and the longest wait, in seconds.
pub const SECONDS_MAX: u64 = MEMORY_S;
/// The most open cases of one requester.
pub const CASES_MAX: u32 = 10_000;

/// What a clean document yields.
pub(crate) struct Checked {
    pub(crate) zone: TimeZone,
    pub(crate) rules: Vec<Rule>,
}

pub(crate) fn check(document: &PolicyDocument) -> Result<Checked, Vec<Problem>> {
    // Sizes come first: nothing below looks at an oversize document.
    let sizes = sizes(document);
    if !sizes.is_empty() {
        return Err(sorted(sizes));
    }
    let mut problems = head(document);
    problems.extend(quorums(document));
    problems.extend(assets(document));
    problems.extend(document.budgets.iter().flat_map(|budget| self::budget(document, budget)));
    problems.extend(twice(document.budgets.iter().map(|b| &b.id), "budgets"));
    problems.extend(twice(document.rules.iter().map(|r| &r.id), "rules"));
    problems.extend(limits(document));
    let zone = calendar::zone(&document.zone);
    if zone.is_none() {
        problems.push(Problem::new(
            "zone",
            "is no IANA time zone",
            "use a name such as `UTC` or `Europe/Zurich`",
        ));
    }
    let rules = rules(document, &mut problems);
    match zone {
        Some(zone) if problems.is_empty() => Ok(Checked { zone, rules }),
        _ => Err(sorted(problems)),
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}

fn sizes(document: &PolicyDocument) -> Vec<Problem> {
    let bytes = document.rules.iter().fold(0_usize, |sum, r| sum.saturating_add(r.text.len()));
    let longest = document.budgets.iter().fold(0_usize, |most, b| {
        most.max(b.wallets.len()).max(b.agents.len()).max(b.counterparties.len())
    });
    let quorum = document.quorums.iter().map(|q| q.members.len()).max().unwrap_or(0);
    [
        ("rules", document.rules.len(), RULES_MAX, "rules"),
        ("rules", bytes, RULES_BYTES_MAX, "bytes of rules"),
        ("budgets", document.budgets.len(), ITEMS_MAX, "budgets"),
        ("budgets", longest, NAMES_MAX, "names in one budget"),
        ("quorums", document.quorums.len(), ITEMS_MAX, "quorums"),
        ("quorums", quorum, ITEMS_MAX, "members of one quorum"),
        ("assets", document.assets.len(), ITEMS_MAX, "assets"),
        ("addresses.deny", document.addresses.deny.len(), NAMES_MAX, "refused recipients"),
    ]
    .into_iter()
    .filter(|(_, have, most, _)| have > most)
    .map(|(field, have, most, what)| {
        Problem::new(field, format!("has {have} {what}; {most} is the most"), "make it smaller")
    })
    .collect()
}

fn head(document: &PolicyDocument) -> Vec<Problem> {
    let mut problems = Vec::new();
    if document.v != 1 {
        problems.push(Problem::new("v", "is not 1", "use a program that knows this version"));
    }
    if document.version == 0 || (document.version == 1) != document.previous.is_none() {
        problems.push(Problem::new(
            "version",
            "does not fit `previous`",
            "begin at 1 without `previous`; then add one and name the digest that it replaces",
        ));
    }
    let currency = &document.currency;
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        problems.push(Problem::new("currency", "is no ISO 4217 code", "use a code such as `USD`"));
    }
    problems
}

fn twice<T: Ord + ToString>(names: impl Iterator<Item = T>, field: &str) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for name in names {
        let text = name.to_string();
        if !seen.insert(name) {
            let field = format!("{field}.{text}");
            problems.push(Problem::new(field, "is there twice", "give each a name of its own"));
        }
    }
    problems
}

fn quorums(document: &PolicyDocument) -> Vec<Problem> {
    let mut problems = twice(document.quorums.iter().map(|q| &q.name), "quorums");
    for quorum in &document.quorums {
        if let Err(e) = quorum.check() {
            problems.push(Problem::new(format!("quorums.{}", quorum.name), e.why(), e.mend()));
        }
    }
    let administration = &document.administration;
    for (field, name) in [
        ("administration.wallets", &administration.wallets),
        ("administration.credentials", &administration.credentials),
        ("administration.addresses", &administration.addresses),
    ] {
        if !document.quorums.iter().any(|quorum| quorum.name == *name) {
            let why = format!("names `{name}`, which is no quorum of this document");
            problems.push(Problem::new(field, why, "name one of `quorums`"));
        }
    }
    problems
}

fn assets(document: &PolicyDocument) -> Vec<Problem> {
    let ids = document.assets.iter().map(|a| a.asset.to_string().to_ascii_lowercase());
    let mut problems = twice(ids, "assets");
    let mut symbols = BTreeSet::new();
    for info in &document.assets {
        let field = format!("assets.{}", info.asset);
        let mut complain = |why: &str, mend| problems.push(Problem::new(&field, why, mend));
        let plain = info.symbol.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain || info.symbol.is_empty() || info.symbol.len() > 16 {
            complain("has no plain symbol", "use 1 to 16 of A-Z, a-z, 0-9");
        }
        if !symbols.insert((info.asset.chain(), info.symbol.to_ascii_uppercase())) {
            complain("shares its symbol with another asset of the chain", "give it another symbol");
        }
        if info.name.is_empty() || info.name.len() > 64 || info.name.chars().any(char::is_control) {
            complain("has no plain name", "use 1 to 64 characters without control characters");
        }
        if info.decimals > 36 {
            complain("has more than 36 decimal places", "check its contract");
        }
        let chain = info.asset.chain();
        let coins =
            document.assets.iter().filter(|a| a.asset.is_native() && a.asset.chain() == chain);
        if coins.count() != 1 {
            complain(
                "is on a chain without exactly one coin of its own here",
                "list the chain's own coin once, so that fees can be counted",
            );
        }
    }
    problems
}

fn budget(document: &PolicyDocument, budget: &Budget) -> Vec<Problem> {
    let mut problems = Vec::new();
    let field = format!("budgets.{}", budget.id);
    let mut complain = |why: &str, mend| problems.push(Problem::new(&field, why, mend));
    if !document.assets.iter().any(|info| info.asset == budget.asset) {
        complain("counts an asset that is not in `assets`", "list the asset, in the same spelling");
    }
    if budget.amount.is_none() && budget.count.is_none() {
        complain("limits nothing", "give it an `amount`, a `count` or both");
    }
    if budget.window == Window::Each && budget.count.is_some() {
        complain("counts single intents one by one", "remove `count`, or choose another window");
    }
    if let Window::Rolling { seconds } = budget.window
        && !(1..=MEMORY_S).contains(&seconds)
    {
        complain("rolls over no time or over more than 366 days", "choose 1 to 31622400 seconds");
    }
    problems
}

fn limits(document: &PolicyDocument) -> Vec<Problem> {
    let limits = &document.limits;
    let mut problems = Vec::new();
    for (field, seconds) in [
        ("limits.case_ttl_s", limits.case_ttl_s),
        ("limits.approval_ttl_s", limits.approval_ttl_s),
        ("limits.fact_age_s", limits.fact_age_s),
    ] {
        if !(1..=SECONDS_MAX).contains(&seconds) {
            problems.push(Problem::new(field, "is no usable time", "choose 1 to 31622400 seconds"));
        }
    }
    if document.addresses.wait_s > SECONDS_MAX {
        problems.push(Problem::new("addresses.wait_s", "is longer than 366 days", "wait less"));
    }
    for (field, cases) in [
        ("limits.open_cases", limits.open_cases),
        ("limits.pending_reservations", limits.pending_reservations),
    ] {
        if !(1..=CASES_MAX).contains(&cases) {
            problems.push(Problem::new(field, "is no usable cap", "choose 1 to 10000"));
        }
    }
    let mut seen = BTreeSet::new();
    for account in &document.addresses.deny {
        if !seen.insert(comparable(account)) {
            let why = format!("names `{account}` in two spellings");
            problems.push(Problem::new("addresses.deny", why, "name each recipient once"));
        }
    }
    problems
}

fn rules(document: &PolicyDocument, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for rule in &document.rules {
        match form::read(rule) {
            Ok(read) => rules.push(read),
            Err(found) => problems.extend(found),
        }
    }
    for rule in &rules {
        if let Kind::Require(name) = &rule.kind
            && !document.quorums.iter().any(|quorum| quorum.name == *name)
        {
            let why = format!("asks for `{name}`, which is no quorum of this document");
            problems.push(Problem::new(format!("rules.{}", rule.id), why, "name one of `quorums`"));
        }
    }
    if problems.is_empty() {
        problems.extend(validate(document, &rules));
    }
    rules
}

/// Strict validation against the schema; a warning (a rule that can never speak, a confusable name) is refused as well.
fn validate(document: &PolicyDocument, rules: &[Rule]) -> Vec<Problem> {
    let texts: BTreeMap<&str, &CedarRule> =
        document.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let schema = match Schema::from_cedarschema_str(SCHEMA) {
        Ok((schema, _)) => schema,
        Err(e) => return vec![Problem::new("schema", e.to_string(), "report this")],
    };
    let set = match PolicySet::from_policies(rules.iter().map(|rule| rule.cedar.clone())) {
        Ok(set) => set,
        Err(e) => return vec![Problem::new("rules", e.to_string(), "give each rule its own name")],
    };
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let problem = |id: String, why: String, offset: Option<usize>| {
        let line = offset.and_then(|offset| line_of(&texts.get(id.as_str())?.text, offset));
        let mend =
            "use the facts of docs/spec/reasons.md in their types; guard optional ones with `has`";
        Problem::new(format!("rules.{id}"), why, mend).at(line)
    };
    let errors = result.validation_errors().map(|e| {
        let offset = e.labels().and_then(|mut all| all.next()).map(|label| label.offset());
        problem(e.policy_id().to_string(), e.to_string(), offset)
    });
    let warnings = result
        .validation_warnings()
        .map(|w| problem(w.policy_id().to_string(), w.to_string(), None));
    errors.chain(warnings).collect()
}
