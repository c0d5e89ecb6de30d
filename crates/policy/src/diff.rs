//! What a change of policy changes, in plain words.

use std::collections::BTreeMap;

use serde::Serialize;

use quorate_terms::Amount;
use quorate_terms::policy::{Budget, CedarRule, PolicyDocument};

use crate::words::{self, Names, Sentence};

/// Which way a change goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More becomes possible, or fewer must agree.
    Widens,
    /// Not to be told without reading it.
    Unclear,
    /// Less becomes possible, or more must agree.
    Tightens,
}

/// One change. Sorted with what widens first: that is what approvers must read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Change {
    /// Which way it goes.
    pub direction: Direction,
    /// What changes (`rules.large`, `budgets.daily`).
    pub field: String,
    /// One line for people.
    pub text: String,
}

/// Every difference between two documents. Accounts are told with what people call them.
pub fn diff(old: &PolicyDocument, new: &PolicyDocument, names: &Names) -> Vec<Change> {
    let mut changes = Vec::new();
    rules((old, new), names, &mut changes);
    budgets((old, new), names, &mut changes);
    quorums(old, new, &mut changes);
    assets(old, new, &mut changes);
    deny_list((old, new), names, &mut changes);
    scalars(old, new, &mut changes);
    changes.sort();
    changes
}

fn change(direction: Direction, field: impl Into<String>, text: impl Into<String>) -> Change {
    Change { direction, field: field.into(), text: text.into() }
}

type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Items of both sides by name, where they differ.
fn pairs<'a, T: PartialEq>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> String,
) -> BTreeMap<String, Pair<'a, T>> {
    let mut all: BTreeMap<String, Pair<'a, T>> = BTreeMap::new();
    for item in old {
        all.entry(name(item)).or_default().0 = Some(item);
    }
    for item in new {
        all.entry(name(item)).or_default().1 = Some(item);
    }
    all.retain(|_, (was, is)| was != is);
    all
}

fn rules((old, new): (&PolicyDocument, &PolicyDocument), names: &Names, changes: &mut Vec<Change>) {
    // Whether a rule permits is told by its syntax tree, not by its text: a comment may say anything.
    let permits = |rule: &CedarRule| {
        crate::form::read(rule).ok().map(|read| read.kind == crate::form::Kind::Permit)
    };
    let said = |rule: &CedarRule, document| {
        let Sentence { text, in_words, .. } = words::rule(rule, document, names);
        if in_words { text } else { format!("[not told in words; as written] {text}") }
    };
    for (id, pair) in pairs(&old.rules, &new.rules, |rule| rule.id.to_string()) {
        let field = format!("rules.{id}");
        let (text, direction) = match pair {
            (None, Some(rule)) => (
                format!("adds rule `{id}`: {}", said(rule, new)),
                match permits(rule) {
                    Some(true) => Direction::Widens,
                    Some(false) => Direction::Tightens,
                    None => Direction::Unclear,
                },
            ),
            (Some(rule), None) => (
                format!("removes rule `{id}`: {}", said(rule, old)),
                match permits(rule) {
                    Some(true) => Direction::Tightens,
                    Some(false) => Direction::Widens,
                    None => Direction::Unclear,
                },
            ),
            (Some(was), Some(is)) => {
                let (a, b) = (words::tree(was), words::tree(is));
                let text = match a.is_some() && a == b {
                    true => format!("spells rule `{id}` otherwise; it says what it said"),
                    false => format!(
                        "changes rule `{id}`. It was: {} It becomes: {}",
                        said(was, old),
                        said(is, new)
                    ),
                };
                (text, Direction::Unclear)
            }
            (None, None) => continue,
        };
        changes.push(change(direction, field, text));
    }
}

fn budgets(
    (old, new): (&PolicyDocument, &PolicyDocument),
    names: &Names,
    changes: &mut Vec<Change>,
) {
    let described = |budget, document| words::budget(budget, document, names);
    for (id, pair) in pairs(&old.budgets, &new.budgets, |budget| budget.id.to_string()) {
        let field = format!("budgets.{id}");
        changes.push(match pair {
            // A new budget limits, but it can also be what lets an agent move an asset at all.
            (None, Some(is)) => change(
                Direction::Unclear,
                field,
                format!("adds budget `{id}`: {}", described(is, new)),
            ),
            (Some(was), None) => change(
                Direction::Widens,
                field,
                format!("removes budget `{id}`: {}", described(was, old)),
            ),
            (Some(was), Some(is)) => {
                let (direction, verb) = moved(was, is);
                let (was, is) = (described(was, old), described(is, new));
                let text = format!("{verb} budget `{id}`. It was: {was} It becomes: {is}");
                change(direction, field, text)
            }
            (None, None) => continue,
        });
    }
}

/// Raised, lowered or otherwise changed. Only a change of the limits alone has a direction.
fn moved(was: &Budget, is: &Budget) -> (Direction, &'static str) {
    let limits =
        |budget: &Budget| (budget.amount.unwrap_or(Amount::MAX), budget.count.unwrap_or(u32::MAX));
    let same = Budget { amount: was.amount, count: was.count, ..is.clone() } == *was;
    let (was, is) = (limits(was), limits(is));
    match same {
        true if is.0 >= was.0 && is.1 >= was.1 => (Direction::Widens, "raises"),
        true if is.0 <= was.0 && is.1 <= was.1 => (Direction::Tightens, "lowers"),
        _ => (Direction::Unclear, "changes"),
    }
}

fn quorums(old: &PolicyDocument, new: &PolicyDocument, changes: &mut Vec<Change>) {
    for (name, pair) in pairs(&old.quorums, &new.quorums, |quorum| quorum.name.to_string()) {
        let field = format!("quorums.{name}");
        changes.push(match pair {
            (None, Some(is)) => {
                let text = format!("adds quorum `{name}`. {}", words::quorum(is));
                change(Direction::Unclear, field, text)
            }
            (Some(_), None) => {
                change(Direction::Unclear, field, format!("removes quorum `{name}`"))
            }
            (Some(was), Some(is)) => {
                let easier = is.m <= was.m
                    && is.members.is_superset(&was.members)
                    && is.parties <= was.parties;
                let harder = is.m >= was.m
                    && is.members.is_subset(&was.members)
                    && is.parties >= was.parties;
                let direction = match (easier, harder) {
                    (true, false) => Direction::Widens,
                    (false, true) => Direction::Tightens,
                    _ => Direction::Unclear,
                };
                let (was, is) = (words::quorum(was), words::quorum(is));
                let text = format!("changes quorum `{name}`. It was: {was} It becomes: {is}");
                change(direction, field, text)
            }
            (None, None) => continue,
        });
    }
}

fn assets(old: &PolicyDocument, new: &PolicyDocument, changes: &mut Vec<Change>) {
    for (id, pair) in pairs(&old.assets, &new.assets, |info| info.asset.to_string()) {
        let field = format!("assets.{id}");
        changes.push(match pair {
            (None, Some(is)) => change(
                Direction::Widens,
                field,
                format!("adds asset `{}`, {} decimals", is.symbol, is.decimals),
            ),
            (Some(was), None) => {
                change(Direction::Tightens, field, format!("removes asset `{}`", was.symbol))
            }
            (Some(was), Some(is)) => {
                // Decimals move every threshold that rules read.
                let text = format!(
                    "changes asset `{}`, {} decimals, to `{}`, {} decimals, called {}",
                    was.symbol, was.decimals, is.symbol, is.decimals, is.name
                );
                change(Direction::Unclear, field, text)
            }
            (None, None) => continue,
        });
    }
}

fn deny_list(
    (old, new): (&PolicyDocument, &PolicyDocument),
    names: &Names,
    changes: &mut Vec<Change>,
) {
    let (was, is) = (&old.addresses.deny, &new.addresses.deny);
    let field = "addresses.deny";
    let said = |one| words::account(one, names);
    changes.extend(
        is.difference(was)
            .map(|a| change(Direction::Tightens, field, format!("refuses recipient {}", said(a)))),
    );
    changes.extend(was.difference(is).map(|a| {
        change(Direction::Widens, field, format!("no longer refuses recipient {}", said(a)))
    }));
}

fn scalars(old: &PolicyDocument, new: &PolicyDocument, changes: &mut Vec<Change>) {
    let mut text = |field: &str, was: &str, is: &str| {
        if was != is {
            changes.push(change(
                Direction::Unclear,
                field,
                format!("changes `{field}` from `{was}` to `{is}`"),
            ));
        }
    };
    text("vault", old.vault.as_str(), new.vault.as_str());
    text("zone", &old.zone, &new.zone);
    text("currency", &old.currency, &new.currency);
    let (was, is) = (&old.administration, &new.administration);
    text("administration.wallets", was.wallets.as_str(), is.wallets.as_str());
    text("administration.credentials", was.credentials.as_str(), is.credentials.as_str());
    text("administration.addresses", was.addresses.as_str(), is.addresses.as_str());
    let (a, b) = (&old.limits, &new.limits);
    for (field, was, is) in [
        ("limits.open_cases", u64::from(a.open_cases), u64::from(b.open_cases)),
        (
            "limits.pending_reservations",
            a.pending_reservations.into(),
            b.pending_reservations.into(),
        ),
        ("limits.case_ttl_s", a.case_ttl_s, b.case_ttl_s),
        ("limits.approval_ttl_s", a.approval_ttl_s, b.approval_ttl_s),
        ("limits.fact_age_s", a.fact_age_s, b.fact_age_s),
    ] {
        number(field, was, is, Direction::Widens, changes);
    }
    // A longer wait is the stricter one.
    number(
        "addresses.wait_s",
        old.addresses.wait_s,
        new.addresses.wait_s,
        Direction::Tightens,
        changes,
    );
}

fn number(field: &str, was: u64, is: u64, raised: Direction, changes: &mut Vec<Change>) {
    if was == is {
        return;
    }
    let lowered = if raised == Direction::Widens { Direction::Tightens } else { Direction::Widens };
    let (verb, direction) = if is > was { ("raises", raised) } else { ("lowers", lowered) };
    let said =
        |number| if field.ends_with("_s") { words::span(number) } else { format!("{number}") };
    let text = format!("{verb} `{field}` from {} to {}", said(was), said(is));
    changes.push(change(direction, field, text));
}
