//! What all wallets hold, by tier. What no node told is left out of the sums and named beside them: it is never a zero.

use std::collections::BTreeMap;

use quorate_pages::{
    Markup, Third, Tone, amount, badge, empty, facts, outside, paragraph, split, table,
};
use quorate_terms::intent::Tier;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Amount, AssetId, WalletId};

use super::hearings::Told;
use super::tier_word;
use crate::answer::Holding;
use crate::console::paper;
use crate::office::WalletView;

/// Decimal places of a worth.
const WORTH_PLACES: u8 = 6;
/// In the order of the columns.
const TIERS: [Tier; 3] = [Tier::Hot, Tier::Warm, Tier::Cold];

/// What one tier holds of one asset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sum {
    units: Amount,
    /// In millionths of the reference currency; none where the worth of a part is not known.
    worth: Option<Amount>,
}

/// What every tier holds of one asset.
struct Row<'a> {
    sums: [Sum; 3],
    symbol: &'a str,
    decimals: u8,
    /// Whether anybody told a worth.
    is_priced: bool,
}

impl<'a> Row<'a> {
    fn of(holding: &'a Holding) -> Self {
        let symbol = holding.listed_symbol.as_deref().unwrap_or(holding.asset.as_str());
        let nothing = Sum { units: Amount::ZERO, worth: Some(Amount::ZERO) };
        let decimals = holding.decimals.unwrap_or(0);
        Self { sums: [nothing; 3], symbol, decimals, is_priced: false }
    }

    fn add(&mut self, tier: Tier, holding: &Holding) {
        let worth = holding.worth.as_ref();
        let worth = worth.and_then(|told| Amount::from_decimal(&told.amount, WORTH_PLACES).ok());
        self.is_priced |= worth.is_some();
        let [hot, warm, cold] = &mut self.sums;
        let sum = match tier {
            Tier::Hot => hot,
            Tier::Warm => warm,
            Tier::Cold => cold,
        };
        sum.units = sum.units.checked_add(holding.units).unwrap_or(Amount::MAX);
        sum.worth = match (sum.worth, worth) {
            (Some(sum), Some(more)) => sum.checked_add(more),
            (known, None) if holding.units.is_zero() => known,
            _ => None,
        };
    }

    /// The worth of each tier, where all of it is known.
    fn worths(&self) -> Option<[Amount; 3]> {
        let [hot, warm, cold] = self.sums;
        Some([hot.worth?, warm.worth?, cold.worth?]).filter(|_| self.is_priced)
    }
}

/// The sums of all wallets, each with a picture.
pub(super) fn all(
    policy: &PolicyDocument,
    wallets: &[WalletView],
    tiers: &BTreeMap<WalletId, Tier>,
    told: &Told,
) -> Markup {
    let mut rows: BTreeMap<&AssetId, Row<'_>> = BTreeMap::new();
    let mut missing = Vec::new();
    for wallet in wallets {
        for account in wallet.accounts.values() {
            match (tiers.get(&wallet.wallet), told.get(account)) {
                (Some(tier), Some(heard)) => {
                    let said = heard.parts.iter().filter_map(|part| part.as_ref().ok());
                    for holding in said.flat_map(|said| &said.holdings) {
                        let row = rows.entry(&holding.asset).or_insert_with(|| Row::of(holding));
                        row.add(*tier, holding);
                    }
                    let not_known = heard.parts.iter().filter_map(|part| part.as_ref().err());
                    missing.extend(not_known.map(|why| (wallet, why.as_str())));
                }
                _ => missing.push((wallet, "not known now; load this page again")),
            }
        }
    }
    if rows.is_empty() && missing.is_empty() {
        let next = "once a wallet has an account, what it holds is counted here";
        return empty("No wallet has an account yet.", next);
    }
    let whole = if missing.is_empty() { "All of it" } else { "All that is known" };
    let (sums, pictures) = (sums(policy, &rows, whole), pictures(policy, &rows, whole));
    Markup::all([left_out(&missing), sums, pictures])
}

fn left_out(missing: &[(&WalletView, &str)]) -> Markup {
    let line = |(wallet, why): &(&WalletView, &str)| {
        let words = format!("{}: {why}", wallet.wallet);
        let words = [badge(Tone::Warn, "left out"), Markup::text(" "), outside(&words)];
        ("Not in these sums", Markup::all(words))
    };
    if missing.is_empty() {
        return Markup::default();
    }
    facts(missing.iter().map(line).collect())
}

fn sums(policy: &PolicyDocument, rows: &BTreeMap<&AssetId, Row<'_>>, words: &str) -> Markup {
    if rows.is_empty() {
        return Markup::default();
    }
    let cell = |row: &Row<'_>, sum: &Sum| {
        let units = amount(&sum.units.to_string(), row.decimals, row.symbol);
        let worth = sum.worth.filter(|_| row.is_priced);
        let worth = worth.map(|worth| Markup::text(&money(policy, worth))).unwrap_or_default();
        Markup::all([units, worth])
    };
    let line = |(asset, row): (&&AssetId, &Row<'_>)| {
        let cells = row.sums.iter().map(|sum| cell(row, sum));
        [outside(asset.as_str())].into_iter().chain(cells).collect::<Vec<Markup>>()
    };
    let mut lines: Vec<Vec<Markup>> = rows.iter().map(line).collect();
    if let Some(whole) = whole(rows) {
        let cells = whole.iter().map(|worth| Markup::text(&money(policy, *worth)));
        lines.push([Markup::text(words)].into_iter().chain(cells).collect());
    }
    table("Sums of all wallets", &["Asset", "Hot", "Warm", "Cold"], lines)
}

/// The worth of each tier over all assets; none where the worth of one is not known.
fn whole(rows: &BTreeMap<&AssetId, Row<'_>>) -> Option<[Amount; 3]> {
    let mut sums = [Amount::ZERO; 3];
    for row in rows.values() {
        for (sum, worth) in sums.iter_mut().zip(row.worths()?) {
            *sum = sum.checked_add(worth)?;
        }
    }
    (!rows.is_empty()).then_some(sums)
}

fn pictures(policy: &PolicyDocument, rows: &BTreeMap<&AssetId, Row<'_>>, words: &str) -> Markup {
    let of_asset = |(asset, row): (&&AssetId, &Row<'_>)| {
        let units = row.sums.map(|sum| sum.units);
        let called = paper::called(policy, asset);
        picture(&called, units, |units| paper::sum_words(policy, asset, units))
    };
    let of_worth = whole(rows).map(|whole| {
        let words = format!("{words} in {}", policy.currency);
        picture(&words, whole, |worth| money(policy, worth))
    });
    let said = "Told by the desk's nodes within the last minute. It is shown and decides nothing.";
    let note = paragraph(Markup::text(said));
    Markup::all(rows.iter().map(of_asset).chain(of_worth).chain([note]))
}

fn picture(words: &str, units: [Amount; 3], said: impl Fn(Amount) -> String) -> Markup {
    let [hot, warm, cold] = TIERS;
    let [in_hot, in_warm, in_cold] = units;
    let third = |tier: Tier, amount: Amount| Third {
        label: tier_word(tier).to_owned(),
        amount,
        said: said(amount),
    };
    let thirds = [third(hot, in_hot), third(warm, in_warm), third(cold, in_cold)];
    split(&format!("{words}, by tier"), &thirds)
}

fn money(policy: &PolicyDocument, worth: Amount) -> String {
    format!("{} {}", worth.to_decimal(WORTH_PLACES), policy.currency)
}

#[cfg(test)]
mod tests {
    use quorate_terms::policy::AssetInfo;
    use quorate_terms::{AccountId, ChainId, Timestamp};

    use super::*;
    use crate::answer::{Balances, Money};
    use crate::console::wallets::hearings::Heard;
    use crate::shapes::tests::policy;

    fn asset() -> AssetId {
        "eip155:31337/slip44:60".parse().unwrap()
    }

    fn with_coin() -> PolicyDocument {
        let info =
            AssetInfo { asset: asset(), symbol: "DEV".into(), name: "Dev".into(), decimals: 1 };
        PolicyDocument { assets: vec![info], ..policy() }
    }

    /// A wallet, its tier, and what its node said: base units with a worth, or why nothing.
    type Case = (Tier, Result<(u128, Option<&'static str>), &'static str>);

    fn shown(cases: &[Case]) -> String {
        let chain: ChainId = "eip155:31337".parse().unwrap();
        let (mut wallets, mut tiers, mut told) = (Vec::new(), BTreeMap::new(), Told::new());
        for (at, (tier, said)) in cases.iter().enumerate() {
            let wallet: WalletId = format!("w-{at}").parse().unwrap();
            let account: AccountId = chain.account(&format!("0x{at:040}")).unwrap();
            tiers.insert(wallet.clone(), *tier);
            let said = said.map_err(str::to_owned).map(|(units, worth)| Balances {
                account: account.clone(),
                holdings: vec![holding(units, worth)],
                block: 9,
                at: Timestamp::ZERO,
            });
            told.insert(account.clone(), Heard { at: Timestamp::ZERO, parts: vec![said] });
            wallets.push(WalletView {
                wallet,
                accounts: [(chain.clone(), account)].into(),
                holders: vec![],
                backups: vec![],
                barred: None,
            });
        }
        all(&with_coin(), &wallets, &tiers, &told).as_str().to_owned()
    }

    fn holding(units: u128, worth: Option<&str>) -> Holding {
        let money = |amount: &str| Money { currency: "USD".into(), amount: amount.into() };
        Holding {
            asset: asset(),
            units: Amount::from_u128(units),
            amount: None,
            decimals: Some(1),
            listed_symbol: Some("DEV".into()),
            claimed_symbol: None,
            worth: worth.map(money),
        }
    }

    #[test]
    fn what_wallets_of_one_tier_hold_is_one_exact_sum() {
        let shown = shown(&[
            (Tier::Hot, Ok((30, None))),
            (Tier::Cold, Ok((55, None))),
            (Tier::Hot, Ok((1, None))),
        ]);
        assert!(shown.contains("DEV, by tier: hot 3.1 DEV, warm 0 DEV, cold 5.5 DEV"), "{shown}");
        for part in ["Sums of all wallets", "31 base units", "55 base units", "data-label=\"Warm\""]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("USD") && !shown.contains("left out"), "{shown}");
    }

    #[test]
    fn a_wallet_whose_node_is_away_is_named_and_is_no_zero() {
        let away = (Tier::Cold, Err("the node of <b> is away"));
        let some = shown(&[(Tier::Hot, Ok((30, None))), away]);
        for part in ["left out", "w-1: the node of", "hot 3 DEV"] {
            assert!(some.contains(part), "{part}: {some}");
        }
        assert!(!some.contains("<b>"), "{some}");
        let none = shown(&[away]);
        assert!(none.contains("left out") && !none.contains("Sums of all wallets"), "{none}");
        assert!(!none.contains("cold 0"), "{none}");
        assert!(shown(&[]).contains("No wallet has an account yet."));
    }

    #[test]
    fn what_was_left_out_is_no_part_of_all_of_it() {
        let known = (Tier::Hot, Ok((30, Some("1.5"))));
        let away = (Tier::Cold, Err("the node is away"));
        let (whole, part) = (shown(&[known]), shown(&[known, away]));
        assert!(whole.contains("All of it in USD") && !whole.contains("All that"), "{whole}");
        assert!(part.contains("All that is known in USD") && !part.contains("All of it"), "{part}");
    }

    #[test]
    fn a_worth_is_summed_only_where_all_of_it_is_known() {
        for (cases, words, whole) in [
            ([(30, Some("1.5")), (40, Some("2"))], Some("3.5 USD"), true),
            ([(30, Some("1.5")), (0, None)], Some("1.5 USD"), true),
            ([(30, Some("1.5")), (40, None)], None, false),
            ([(30, None), (40, None)], None, false),
            ([(0, None), (0, None)], None, false),
        ] {
            let [one, other] = cases;
            let said = shown(&[(Tier::Warm, Ok(one)), (Tier::Warm, Ok(other))]);
            assert_eq!(said.contains("All of it in USD"), whole, "{cases:?}: {said}");
            if let Some(words) = words {
                assert!(said.contains(&format!("warm {words}")), "{words}: {said}");
            }
        }
    }
}
