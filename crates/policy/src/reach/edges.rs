//! Where the answers of two policies can change: every number, name, hour and day that either of them compares something with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use quorate_terms::policy::{AssetInfo, Budget, PolicyDocument};
use quorate_terms::{AccountId, AgentId, Amount, AssetId, ChainId, PersonId, Timestamp, WalletId};

use super::times::{Moment, moments};
use crate::checks::comparable;
use crate::context::scaled;
use crate::form::Kind;
use crate::policy::Policy;
use crate::schema::SCALE;
use crate::words::clause::fact;

/// The most amounts that are asked about, of all assets together, and how many each asset has room for at least.
const AMOUNTS_MAX: usize = 50_000;
const EACH_MIN: usize = 8;
/// The most numbers of one kind, fees or worths, that are asked about on every side.
const NUMBERS_MAX: usize = 1_000;

/// The edges of two policies.
#[derive(Default)]
pub(super) struct Edges {
    pub(super) agents: BTreeSet<AgentId>,
    pub(super) people: BTreeSet<PersonId>,
    pub(super) wallets: BTreeSet<WalletId>,
    pub(super) accounts: BTreeSet<AccountId>,
    /// Assets of either policy, with the amounts to ask about, in order.
    pub(super) assets: BTreeMap<AssetId, (AssetInfo, BTreeSet<Amount>)>,
    /// Fees to ask about, in millionths of a chain's coin; empty where neither weighs a fee.
    pub(super) fees: BTreeSet<i64>,
    /// Worths to ask about, in cents; empty where neither weighs what an amount is worth.
    pub(super) values: BTreeSet<i64>,
    pub(super) bands: bool,
    pub(super) screening: bool,
    /// When to ask, one moment at least.
    pub(super) times: Vec<Moment>,
    pub(super) unreached: BTreeSet<String>,
    /// Whether more numbers are compared than are asked about. Of what lies between two amounts nothing is known then.
    pub(super) is_cut: bool,
}

/// Numbers and texts that rules compare facts with.
#[derive(Default)]
struct Literals {
    numbers: BTreeMap<String, BTreeSet<i64>>,
    texts: BTreeMap<String, BTreeSet<String>>,
    is_odd: bool,
}

/// What a budget of a chain's coin leaves for a fee, and whose fees it counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct FeeLimit<'a> {
    coin: &'a AssetId,
    millionths: i64,
    wallets: &'a BTreeSet<WalletId>,
    agents: &'a BTreeSet<AgentId>,
    counterparties: &'a BTreeSet<AccountId>,
}

impl<'a> FeeLimit<'a> {
    fn all(document: &'a PolicyDocument) -> BTreeSet<Self> {
        let coins = document.assets.iter().filter(|info| info.asset.is_native());
        let places: BTreeMap<&AssetId, u8> =
            coins.map(|info| (&info.asset, info.decimals)).collect();
        let limit = |budget: &'a Budget| {
            let millionths = scaled(budget.amount?, *places.get(&budget.asset)?)?;
            Some(Self {
                coin: &budget.asset,
                millionths,
                wallets: &budget.wallets,
                agents: &budget.agents,
                counterparties: &budget.counterparties,
            })
        };
        document.budgets.iter().filter_map(limit).collect()
    }
}

impl Edges {
    /// Two accounts that neither policy names: of a stranger, and of the wallet that pays. Whoever writes a policy must not
    /// know which they are.
    pub(super) fn unnamed_accounts(&self, chain: &ChainId) -> Option<[AccountId; 2]> {
        let account = |number| format!("{chain}:0x{number:0>40x}").parse::<AccountId>().ok();
        let numbers = 0xa_11ce_u64..;
        let mut free = numbers
            .take(self.accounts.len().saturating_add(2))
            .filter_map(account)
            .filter(|account| !self.accounts.contains(account));
        Some([free.next()?, free.next()?])
    }

    pub(super) fn of(old: &Policy, new: &Policy, at: Timestamp) -> Self {
        let mut literals = Literals::default();
        let mut edges = Self::default();
        for policy in [old, new] {
            edges.read(policy, &mut literals);
        }
        let numbers = |name: &str| literals.numbers.get(name).cloned().unwrap_or_default();
        let texts = |name: &str| literals.texts.get(name).cloned().unwrap_or_default();
        edges.fees = edges.fees_of((old.document(), new.document()), numbers("fee"));
        edges.values = around(&edges.capped(numbers("value_cents")), (0, i64::MAX));
        edges.bands = !texts("band").is_empty();
        edges.screening = !texts("screening").is_empty();
        edges.amounts(&[old.document(), new.document()], &numbers("amount"));
        edges.times = moments((old, new), at, (&numbers("hour"), &numbers("weekday")));
        edges
    }

    /// The recipients that a policy names, in the form in which two spellings of one are equal.
    pub(super) fn accounts_of(policy: &Policy) -> BTreeSet<AccountId> {
        let mut edges = Self::default();
        edges.read(policy, &mut Literals::default());
        edges.accounts
    }

    fn read(&mut self, policy: &Policy, literals: &mut Literals) {
        self.read_rules(policy, literals);
        self.read_typed(policy.document());
        let named = literals.texts.get("recipient.account").into_iter().flatten();
        self.accounts.extend(named.filter_map(|text| text.parse().ok()));
        self.accounts = self.accounts.iter().map(comparable).collect();
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

    /// As many as are asked about.
    fn capped(&mut self, numbers: BTreeSet<i64>) -> BTreeSet<i64> {
        self.is_cut |= numbers.len() > NUMBERS_MAX;
        numbers.into_iter().take(NUMBERS_MAX).collect()
    }

    /// A fee is charged to the budgets of the chain's coin too, whatever it is that the transfer moves. The same numbers may be
    /// limits of other coins, or of other people's fees, than they were.
    fn fees_of(
        &mut self,
        (old, new): (&PolicyDocument, &PolicyDocument),
        weighed: BTreeSet<i64>,
    ) -> BTreeSet<i64> {
        let (was, is) = (FeeLimit::all(old), FeeLimit::all(new));
        let mut fees = self.capped(weighed);
        if !fees.is_empty() || was != is {
            let limits = was.union(&is).map(|limit| limit.millionths).collect();
            fees.extend(self.capped(limits));
        }
        let fees = around(&fees, (0, i64::MAX));
        // A coin with fewer places than rules weigh has fees in steps: the step below a number, and the one above it.
        let known = old.assets.iter().chain(&new.assets).filter(|info| info.asset.is_native());
        let steps = known.filter_map(|info| step(info.decimals)).filter(|step| *step > 1);
        let steps: BTreeSet<i64> = steps.collect();
        let stepped = steps.into_iter().flat_map(|step| {
            let below = move |fee: &i64| fee.checked_sub(fee.checked_rem(step)?);
            let both = move |below: i64| [Some(below), below.checked_add(step)];
            fees.iter().filter_map(below).flat_map(both).flatten()
        });
        let stepped: BTreeSet<i64> = stepped.collect();
        fees.into_iter().chain(stepped).collect()
    }

    fn amounts(&mut self, documents: &[&PolicyDocument], literals: &BTreeSet<i64>) {
        let each = AMOUNTS_MAX.checked_div(self.assets.len()).unwrap_or(AMOUNTS_MAX).max(EACH_MIN);
        let budgets = || documents.iter().flat_map(|document| &document.budgets);
        // What a rule weighs can turn on either side of its number: `<` turns below it, `<=` above.
        let turns = literals.iter().flat_map(|n| [n.checked_sub(1), Some(*n)]).flatten();
        let turns: BTreeSet<i64> = turns.filter(|n| *n >= 0).collect();
        let fees = &self.fees;
        let mut is_cut = false;
        for (asset, (_, amounts)) in &mut self.assets {
            // Each policy may know the asset with decimals of its own.
            let known = documents.iter().flat_map(|document| &document.assets);
            let places: BTreeSet<u8> =
                known.filter(|info| info.asset == *asset).map(|info| info.decimals).collect();
            let units = |millionths: &i64| -> Vec<Option<Amount>> {
                places.iter().map(|places| base_units(*millionths, *places)).collect()
            };
            // A chain's own coin pays its fee out of the same budget.
            let is_native = asset.is_native();
            let paid = || {
                let paid = fees.iter().filter(move |_| is_native).flat_map(units);
                std::iter::once(Some(Amount::ZERO)).chain(paid)
            };
            let of_budgets =
                budgets().filter(|b| b.asset == *asset).filter_map(|budget| budget.amount);
            let of_budgets = left(of_budgets, paid);
            // What one policy can weigh still and the other cannot: there its answer ends.
            let end = (places.len() > 1).then_some(i64::MAX);
            let ends = end.iter().flat_map(units);
            // Counted before equal ones become one: what is tried is bounded, not only what is kept.
            let tried = ends.chain(of_budgets).chain(turns.iter().flat_map(units));
            let tried: Vec<Option<Amount>> = tried.take(each.saturating_add(1)).collect();
            is_cut |= tried.len() > each;
            let limits: BTreeSet<Amount> = tried.into_iter().flatten().collect();
            for limit in limits {
                amounts.extend(limit.checked_add(Amount::from_u128(1)));
                amounts.extend((!limit.is_zero()).then_some(limit));
            }
        }
        self.is_cut |= is_cut;
    }
}

/// What each limit leaves beside each fee. Nothing is reckoned before it is taken: limits and fees may both be very many.
pub(super) fn left<F: Iterator<Item = Option<Amount>>>(
    limits: impl Iterator<Item = Amount>,
    fees: impl Fn() -> F,
) -> impl Iterator<Item = Option<Amount>> {
    limits.flat_map(move |most| fees().map(move |fee| most.checked_sub(fee?)))
}

/// The millionths of one base unit of a coin with so many decimals; none where a millionth is many base units.
pub(super) fn step(decimals: u8) -> Option<i64> {
    10_i64.checked_pow(u32::from(SCALE.checked_sub(decimals)?))
}

/// Each number and its neighbours, so that something is asked on every side of it; what lies beyond the ends is asked there.
pub(super) fn around(numbers: &BTreeSet<i64>, (least, most): (i64, i64)) -> BTreeSet<i64> {
    let each = |n: &i64| [n.saturating_sub(1), *n, n.saturating_add(1)];
    numbers.iter().flat_map(each).map(|n| n.clamp(least, most)).collect()
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
            // A fact that is true or false: both values are asked about.
            Value::Object(map) if map.contains_key(".") => self.is_odd |= fact(node).is_none(),
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
            ("has", _) => self.guarded(inner),
            _ => self.is_odd = true,
        }
    }

    /// A guard is an edge by itself: with a worth and without one is asked, a balance never is.
    fn guarded(&mut self, guard: &Value) {
        let context = guard.get("left").and_then(|left| left.get("Var")).and_then(Value::as_str);
        let attr = match guard.get("attr") {
            Some(Value::Array(path)) if path.len() == 1 => path.first().and_then(Value::as_str),
            other => other.and_then(Value::as_str),
        };
        match (context, attr) {
            (Some("context"), Some("value_cents")) => {
                self.numbers.entry("value_cents".to_owned()).or_default().insert(0);
            }
            // What every question has is no edge.
            (Some("context"), Some(attr)) if attr != "balance_share_bp" => {}
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
