//! Where the answers of two policies can change: every number, name, hour and day that either of them compares something with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::{AccountId, AgentId, Amount, AssetId, PersonId, Timestamp, WalletId};

use crate::calendar;
use crate::checks::comparable;
use crate::form::Kind;
use crate::policy::Policy;
use crate::schema::SCALE;
use crate::words::clause::fact;

/// The edges of two policies.
pub(super) struct Edges {
    pub(super) agents: BTreeSet<AgentId>,
    pub(super) people: BTreeSet<PersonId>,
    pub(super) wallets: BTreeSet<WalletId>,
    pub(super) accounts: BTreeSet<AccountId>,
    /// Assets of either policy, with the amounts to ask about, in order.
    pub(super) assets: BTreeMap<AssetId, (AssetInfo, BTreeSet<Amount>)>,
    /// Millionths of a chain's coin.
    pub(super) fees: BTreeSet<i64>,
    pub(super) values: BTreeSet<i64>,
    pub(super) bands: bool,
    pub(super) screening: bool,
    /// Times to ask at, with their hour and day where those matter.
    pub(super) times: Vec<(Timestamp, Option<(i64, i64)>)>,
    pub(super) unreached: BTreeSet<String>,
}

/// Numbers and texts that rules compare facts with.
#[derive(Default)]
struct Literals {
    numbers: BTreeMap<String, BTreeSet<i64>>,
    texts: BTreeMap<String, BTreeSet<String>>,
    is_odd: bool,
}

impl Edges {
    pub(super) fn of(old: &Policy, new: &Policy, at: Timestamp) -> Self {
        let mut literals = Literals::default();
        let mut edges = Self {
            agents: BTreeSet::new(),
            people: BTreeSet::new(),
            wallets: BTreeSet::new(),
            accounts: BTreeSet::new(),
            assets: BTreeMap::new(),
            fees: BTreeSet::new(),
            values: BTreeSet::new(),
            bands: false,
            screening: false,
            times: Vec::new(),
            unreached: BTreeSet::new(),
        };
        for policy in [old, new] {
            edges.read_rules(policy, &mut literals);
            edges.read_typed(policy.document());
        }
        let numbers = |name: &str| literals.numbers.get(name).cloned().unwrap_or_default();
        let texts = |name: &str| literals.texts.get(name).cloned().unwrap_or_default();
        edges.fees = numbers("fee");
        edges.values = numbers("value_cents").into_iter().filter(|cents| *cents >= 0).collect();
        edges.bands = !texts("band").is_empty();
        edges.screening = !texts("screening").is_empty();
        let named = texts("recipient.account");
        edges.accounts.extend(named.iter().filter_map(|text| text.parse().ok()));
        edges.accounts = edges.accounts.iter().map(comparable).collect();
        edges.amounts(&[old.document(), new.document()], &numbers("amount"));
        edges.times = times((old, new), at, (&numbers("hour"), &numbers("weekday")));
        edges
    }

    fn read_rules(&mut self, policy: &Policy, literals: &mut Literals) {
        for rule in &policy.0.rules {
            match &rule.principal {
                Some((kind, id)) if kind == "Agent" => self.agents.extend(id.parse::<AgentId>()),
                Some((_, id)) => self.people.extend(id.parse::<PersonId>()),
                None => {}
            }
            self.wallets.extend(rule.wallet.iter().filter_map(|id| id.parse().ok()));
            let tree = rule.cedar.to_json().unwrap_or_default();
            literals.is_odd = false;
            let clauses = tree.get("conditions").and_then(Value::as_array);
            let mut clauses: Vec<&Value> = clauses.into_iter().flatten().collect();
            if matches!(rule.kind, Kind::Require(_)) {
                // The last clause asks for approval, and is not weighed.
                clauses.pop();
            }
            let bodies = clauses.into_iter().filter_map(|clause| clause.get("body"));
            bodies.for_each(|body| literals.read(body));
            let scopes =
                ["principal", "resource"].map(|name| tree.get(name).and_then(|s| s.get("op")));
            let plain = |op: Option<&Value>| {
                op.and_then(Value::as_str).is_some_and(|op| ["All", "==", "is"].contains(&op))
            };
            if literals.is_odd || !scopes.into_iter().all(plain) {
                self.unreached.insert(rule.id.to_string());
            }
        }
    }

    fn read_typed(&mut self, document: &PolicyDocument) {
        for budget in &document.budgets {
            self.agents.extend(budget.agents.iter().cloned());
            self.wallets.extend(budget.wallets.iter().cloned());
            self.accounts.extend(budget.counterparties.iter().cloned());
        }
        self.accounts.extend(document.addresses.deny.iter().cloned());
        for info in &document.assets {
            let fresh = || (info.clone(), BTreeSet::from([Amount::from_u128(1)]));
            self.assets.entry(info.asset.clone()).or_insert_with(fresh);
        }
    }

    fn amounts(&mut self, documents: &[&PolicyDocument], literals: &BTreeSet<i64>) {
        let budgets = || documents.iter().flat_map(|document| &document.budgets);
        for (asset, (_, amounts)) in &mut self.assets {
            // Each policy may know the asset with decimals of its own.
            let known = documents.iter().flat_map(|document| &document.assets);
            let places: BTreeSet<u8> =
                known.filter(|info| info.asset == *asset).map(|info| info.decimals).collect();
            let of_rules = literals.iter().flat_map(|millionths| {
                places.iter().filter_map(|places| base_units(*millionths, *places))
            });
            let of_budgets =
                budgets().filter(|b| b.asset == *asset).filter_map(|budget| budget.amount);
            let limits: Vec<Amount> = of_rules.chain(of_budgets).collect();
            for limit in limits {
                amounts.extend(limit.checked_add(Amount::from_u128(1)));
                amounts.extend((!limit.is_zero()).then_some(limit));
            }
        }
    }
}

/// The most base units whose millionths, rounded up, are at most this many.
pub(super) fn base_units(millionths: i64, decimals: u8) -> Option<Amount> {
    let millionths = Amount::from_u128(u128::try_from(millionths).ok()?);
    let ten = |places: u8| Amount::from_decimal("1", places).ok();
    match decimals.checked_sub(SCALE) {
        Some(places) => millionths.checked_mul(ten(places)?),
        None => {
            let by = ten(SCALE.checked_sub(decimals)?)?;
            Some(Amount::new(millionths.units().checked_div(by.units())?))
        }
    }
}

impl Literals {
    fn read(&mut self, node: &Value) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(map) => {
                for (key, inner) in map {
                    self.read_operator(key, inner);
                }
            }
            _ => {}
        }
    }

    fn read_operator(&mut self, key: &str, inner: &Value) {
        let sides = inner.get("left").zip(inner.get("right"));
        match (key, sides) {
            ("==" | "!=" | "<" | "<=" | ">" | ">=", Some((left, right))) => {
                if !self.compared(left, right) && !self.compared(right, left) {
                    self.is_odd = true;
                }
            }
            ("contains", Some((set, item))) => {
                let items = set.get("Set").and_then(Value::as_array);
                let taken = items.is_some_and(|all| all.iter().all(|one| self.compared(item, one)));
                self.is_odd |= !taken;
            }
            ("&&" | "||" | "left" | "right" | "!" | "arg", _) => self.read(inner),
            // Facts that are true or false, and guards: both values are asked about.
            ("." | "has", _) => {}
            _ => self.is_odd = true,
        }
    }

    fn compared(&mut self, side: &Value, literal: &Value) -> bool {
        let (Some(path), Some(value)) = (fact(side), literal.get("Value")) else { return false };
        let name = path.join(".");
        match value {
            Value::Number(number) => match number.as_i64() {
                Some(number) if name != "balance_share_bp" => {
                    self.numbers.entry(name).or_default().insert(number)
                }
                _ => return false,
            },
            Value::String(text) => self.texts.entry(name).or_default().insert(text.clone()),
            Value::Bool(_) => true,
            _ => return false,
        };
        true
    }
}

const HOUR_MS: u64 = 3_600_000;
const WEEK_HOURS: u64 = 168;

/// One time for each hour and day on either side of an edge, from the week before `at`; `at` alone where neither is weighed.
fn times(
    (old, new): (&Policy, &Policy),
    at: Timestamp,
    (hours, days): (&BTreeSet<i64>, &BTreeSet<i64>),
) -> Vec<(Timestamp, Option<(i64, i64)>)> {
    if hours.is_empty() && days.is_empty() {
        return vec![(at, None)];
    }
    let around = |edges: &BTreeSet<i64>| -> BTreeSet<i64> {
        edges
            .iter()
            .flat_map(|edge| [edge.saturating_sub(1), *edge, edge.saturating_add(1)])
            .collect()
    };
    let other_zone = old.document().zone != new.document().zone;
    let wanted = |edges: &BTreeSet<i64>, value: i64, first: Option<i64>| {
        if edges.is_empty() {
            first.is_none_or(|first| first == value)
        } else {
            around(edges).contains(&value)
        }
    };
    let mut found: BTreeMap<(i64, i64), Timestamp> = BTreeMap::new();
    let mut first = (None, None);
    for back in 0..WEEK_HOURS {
        let time =
            Timestamp::from_millis(at.as_millis().saturating_sub(back.saturating_mul(HOUR_MS)));
        let Some((hour, day)) = calendar::hour_and_weekday(time, &new.0.zone) else { continue };
        let hour_fits = other_zone || wanted(hours, hour, first.0);
        if hour_fits && wanted(days, day, first.1) {
            first = (first.0.or(Some(hour)), first.1.or(Some(day)));
            found.entry((day, hour)).or_insert(time);
        }
    }
    found.into_iter().map(|((day, hour), time)| (time, Some((hour, day)))).collect()
}
