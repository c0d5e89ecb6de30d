//! One rule in words, from Cedar's own syntax tree. What is not understood whole is not told at all.

use serde_json::Value;

use quorate_terms::policy::{AssetInfo, PolicyDocument};

use super::leaf::{self, Names, account_text, fraction, listed, millionths, quoted};

/// What the words of a rule need beside the rule.
pub(crate) struct Ground<'a> {
    pub(crate) document: &'a PolicyDocument,
    pub(crate) names: &'a Names,
}

/// One rule in words; none where any part of it is not understood.
///
/// Two trees that differ never have the same words: every leaf is quoted or a number, every nesting keeps its brackets.
pub(crate) fn rule(tree: &Value, ground: &Ground<'_>) -> Option<String> {
    let who = principal(tree.get("principal")?)?;
    let what = action(tree.get("action")?)?;
    let from = resource(tree.get("resource")?)?;
    let mut clauses = tree.get("conditions")?.as_array()?.as_slice();
    let empty = serde_json::Map::new();
    let annotations = tree.get("annotations").map_or(Some(&empty), Value::as_object)?;
    let note = |name: &str| annotations.get(name).and_then(Value::as_str);
    let spoken = |(name, value): (&String, &Value)| {
        (name == "require" || name == "note") && value.is_string()
    };
    if !annotations.iter().all(spoken) {
        return None;
    }
    let head = match (tree.get("effect")?.as_str()?, note("require")) {
        ("permit", None) => format!("Allows {who} {what}{from}"),
        ("forbid", None) => format!("Forbids {who} {what}{from}, whoever agrees"),
        ("forbid", Some(quorum)) => {
            clauses = clauses.split_last()?.1;
            format!("Asks for quorum {} before {who} may{}{from}", quoted(quorum), after_to(what))
        }
        _ => return None,
    };
    let mut text = head;
    // Of an asset that the rule itself demands, amounts are told in its symbol.
    let symbol = clauses.iter().find_map(|clause| demanded(clause, &ground.document.assets));
    let unit =
        symbol.map_or_else(|| "whole units of the asset".to_owned(), |info| info.symbol.clone());
    for (place, clause) in clauses.iter().enumerate() {
        let word = match clause.get("kind")?.as_str()? {
            "when" => "when",
            "unless" => "unless",
            _ => return None,
        };
        let said = Speaker { ground, unit: &unit }.whole(clause.get("body")?)?;
        let joint = if place == 0 { "," } else { "; and" };
        text.push_str(&format!("{joint} {word} {said}"));
    }
    text.push('.');
    if let Some(note) = note("note") {
        text.push_str(&format!(" Its author notes: {}.", quoted(note)));
    }
    Some(text)
}

fn after_to(what: &str) -> &str {
    what.strip_prefix("to").unwrap_or(what)
}

fn entity<'a>(scope: &'a Value, kind: &str) -> Option<&'a str> {
    let entity = scope.get("entity")?;
    (entity.get("type")?.as_str()? == kind).then(|| entity.get("id")?.as_str()).flatten()
}

fn principal(scope: &Value) -> Option<String> {
    match scope.get("op")?.as_str()? {
        "All" => Some("anyone".to_owned()),
        "==" => entity(scope, "Agent")
            .map(|id| format!("agent {}", quoted(id)))
            .or_else(|| entity(scope, "Person").map(|id| format!("person {}", quoted(id)))),
        "is" if scope.get("in").is_none() => match scope.get("entity_type")?.as_str()? {
            "Agent" => Some("any agent".to_owned()),
            "Person" => Some("any person".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn action(scope: &Value) -> Option<&'static str> {
    match scope.get("op")?.as_str()? {
        "All" => Some("to do anything that rules weigh"),
        "==" if entity(scope, "Action")? == "transfer" => Some("to transfer"),
        _ => None,
    }
}

fn resource(scope: &Value) -> Option<String> {
    match scope.get("op")?.as_str()? {
        "All" => Some(String::new()),
        "==" => entity(scope, "Wallet").map(|id| format!(" from wallet {}", quoted(id))),
        "is" if scope.get("in").is_none() && scope.get("entity_type")?.as_str()? == "Wallet" => {
            Some(" from any wallet".to_owned())
        }
        _ => None,
    }
}

fn child<'a>(node: &'a Value, key: &str) -> Option<&'a Value> {
    node.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(key))
}

fn sides(node: &Value) -> Option<(&Value, &Value)> {
    let map = node.as_object().filter(|map| map.len() == 2)?;
    Some((map.get("left")?, map.get("right")?))
}

/// The asset that a `when` clause demands at its top, by `context.asset == ".."` among conditions that must all hold.
fn demanded<'a>(clause: &Value, assets: &'a [AssetInfo]) -> Option<&'a AssetInfo> {
    fn search<'a>(node: &Value, assets: &'a [AssetInfo]) -> Option<&'a AssetInfo> {
        if let Some((left, right)) = child(node, "&&").and_then(sides) {
            return search(left, assets).or_else(|| search(right, assets));
        }
        let (left, right) = child(node, "==").and_then(sides)?;
        let id = right.get("Value")?.as_str()?;
        (fact(left)? == ["asset"]).then(|| assets.iter().find(|info| info.asset.as_str() == id))?
    }
    (clause.get("kind")?.as_str()? == "when").then(|| search(clause.get("body")?, assets))?
}

/// The path of `context.a.b`, from the context on.
pub(crate) fn fact(node: &Value) -> Option<Vec<&str>> {
    let map = child(node, ".")?.as_object().filter(|map| map.len() == 2)?;
    let (left, attr) = (map.get("left")?, map.get("attr")?.as_str()?);
    if child(left, "Var").and_then(Value::as_str) == Some("context") {
        return Some(vec![attr]);
    }
    let mut path = fact(left)?;
    path.push(attr);
    Some(path)
}

/// What kind of thing a fact is, and what it is called.
enum Fact {
    /// Whole units of the asset, in millionths.
    Amount,
    /// Whole units of the chain's coin, in millionths.
    Fee,
    Cents,
    Share,
    Hour,
    Weekday,
    Account,
    Text(&'static str),
    /// True or false, in words for both.
    Flag(&'static str, &'static str),
}

fn known(path: &[&str]) -> Option<Fact> {
    Some(match path {
        ["amount"] => Fact::Amount,
        ["fee"] => Fact::Fee,
        ["value_cents"] => Fact::Cents,
        ["balance_share_bp"] => Fact::Share,
        ["hour"] => Fact::Hour,
        ["weekday"] => Fact::Weekday,
        ["asset"] => Fact::Text("the asset"),
        ["symbol"] => Fact::Text("the asset's symbol"),
        ["chain"] => Fact::Text("the chain"),
        ["band"] => Fact::Text("the credential's band"),
        ["screening"] => Fact::Text("the answer of the screening"),
        ["recipient", "chain"] => Fact::Text("the recipient's chain"),
        ["recipient", "account"] => Fact::Account,
        ["native"] => Fact::Flag("the asset is its chain's own coin", "the asset is a token"),
        ["recipient", "listed"] => Fact::Flag(
            "the recipient is on the address list",
            "the recipient is not on the address list",
        ),
        ["recipient", "usable"] => Fact::Flag(
            "the recipient is usable from the address list",
            "the recipient is not usable from the address list",
        ),
        ["recipient", "known"] => {
            Fact::Flag("the recipient was paid before", "the recipient was never paid before")
        }
        _ => return None,
    })
}

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The name of a day of the week, 1 being Monday.
pub(crate) fn weekday(day: i64) -> &'static str {
    let place = day.checked_sub(1).and_then(|day| usize::try_from(day).ok());
    place.and_then(|place| DAYS.get(place)).copied().unwrap_or("no day")
}

struct Speaker<'a> {
    ground: &'a Ground<'a>,
    unit: &'a str,
}

impl Speaker<'_> {
    /// A condition. Chains that lean left are told without brackets; every other nesting keeps them.
    fn whole(&self, node: &Value) -> Option<String> {
        for (operator, word) in [("&&", "and"), ("||", "or")] {
            let Some((left, right)) = child(node, operator).and_then(sides) else { continue };
            let before = match child(left, operator) {
                Some(_) => self.whole(left)?,
                None => self.part(left)?,
            };
            return Some(format!("{before} {word} {}", self.part(right)?));
        }
        self.simple(node)
    }

    fn part(&self, node: &Value) -> Option<String> {
        let joined = child(node, "&&").is_some() || child(node, "||").is_some();
        if joined { self.whole(node).map(|said| format!("({said})")) } else { self.simple(node) }
    }

    fn simple(&self, node: &Value) -> Option<String> {
        if let Some(inner) = child(node, "!").and_then(|not| not.get("arg")) {
            if let Some(Fact::Flag(_, not)) = fact(inner).and_then(|path| known(&path)) {
                return Some(not.to_owned());
            }
            return self.whole(inner).map(|said| format!("it is not so that ({said})"));
        }
        if let Some(guard) = child(node, "has") {
            return self.guard(guard);
        }
        if let Some((set, item)) = child(node, "contains").and_then(sides) {
            return self.one_of(set, item);
        }
        if let Some(path) = fact(node) {
            return match known(&path)? {
                Fact::Flag(yes, _) => Some(yes.to_owned()),
                _ => None,
            };
        }
        self.compared(node)
    }

    fn guard(&self, guard: &Value) -> Option<String> {
        let map = guard.as_object().filter(|map| map.len() == 2)?;
        let context = child(map.get("left")?, "Var").and_then(Value::as_str) == Some("context");
        let attr = match map.get("attr")? {
            Value::Array(path) => match path.as_slice() {
                [one] => one.as_str()?,
                _ => return None,
            },
            other => other.as_str()?,
        };
        match attr {
            "value_cents" if context => Some("the value is known".to_owned()),
            "balance_share_bp" if context => Some("the balance is known".to_owned()),
            _ => None,
        }
    }

    fn one_of(&self, set: &Value, item: &Value) -> Option<String> {
        let (subject, is_account) = match known(&fact(item)?)? {
            Fact::Text(subject) => (subject, false),
            Fact::Account => ("the recipient", true),
            _ => return None,
        };
        let items = child(set, "Set")?.as_array().filter(|items| items.len() > 1)?;
        let items: Option<Vec<String>> = items
            .iter()
            .map(|one| {
                let text = child(one, "Value")?.as_str()?;
                Some(if is_account { self.account(text) } else { quoted(text) })
            })
            .collect();
        Some(format!("{subject} is one of {}", listed(items?, "or")))
    }

    fn account(&self, text: &str) -> String {
        account_text(text, self.ground.names)
    }

    fn compared(&self, node: &Value) -> Option<String> {
        let (operator, both) = node.as_object().filter(|map| map.len() == 1)?.iter().next()?;
        let (left, right) = sides(both)?;
        let subject = known(&fact(left)?)?;
        let value = child(right, "Value")?;
        let number = |said: String, subject: &str| {
            let how = match operator.as_str() {
                "<" => "below",
                "<=" => "at most",
                ">" => "above",
                ">=" => "at least",
                "==" => "exactly",
                "!=" => "anything but",
                _ => return None,
            };
            Some(format!("{subject} is {how} {said}"))
        };
        match subject {
            Fact::Amount => {
                number(format!("{} {}", millionths(value.as_i64()?), self.unit), "the amount")
            }
            Fact::Fee => number(
                format!("{} of the chain's own coin", millionths(value.as_i64()?)),
                "the highest fee",
            ),
            Fact::Cents => {
                let currency = &self.ground.document.currency;
                number(format!("{} {currency}", fraction(value.as_i64()?, 2)), "the value")
            }
            Fact::Share => {
                number(format!("{} % of the balance", fraction(value.as_i64()?, 2)), "the amount")
            }
            Fact::Hour => self.hour(operator, value.as_i64()?),
            Fact::Weekday => {
                let day = value.as_i64()?;
                let name = (1..=7).contains(&day).then(|| weekday(day))?;
                number(format!("{day} ({name})"), "the day of the week, Monday being 1,")
            }
            Fact::Account => text(operator, "the recipient", &self.account(value.as_str()?)),
            Fact::Text("the asset") => {
                let assets = &self.ground.document.assets;
                text(operator, "the asset", &leaf::asset(value.as_str()?, assets))
            }
            Fact::Text(subject) => text(operator, subject, &quoted(value.as_str()?)),
            Fact::Flag(..) => None,
        }
    }

    /// Hours are whole: before 12 means up to 11:59.
    fn hour(&self, operator: &str, hour: i64) -> Option<String> {
        if !(0..=24).contains(&hour) {
            return None;
        }
        let zone = quoted(&self.ground.document.zone);
        let said = match operator {
            "<" => format!("before {hour:02}:00"),
            ">=" => format!("{hour:02}:00 or later"),
            "<=" => format!("no later than {hour:02}:59"),
            ">" => format!("later than {hour:02}:59"),
            "==" => format!("from {hour:02}:00 to {hour:02}:59"),
            "!=" => format!("not from {hour:02}:00 to {hour:02}:59"),
            _ => return None,
        };
        Some(format!("the time in {zone} is {said}"))
    }
}

fn text(operator: &str, subject: &str, said: &str) -> Option<String> {
    match operator {
        "==" => Some(format!("{subject} is {said}")),
        "!=" => Some(format!("{subject} is not {said}")),
        _ => None,
    }
}
