//! What a wallet held and what left it, as time goes by.

use std::collections::BTreeMap;
use std::ops::Range;

use quorate_pages::{Bar, Level, Markup, bars, levels};
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Amount, AssetId, Timestamp};

use crate::console::paper;
use crate::console::paperwork::{Flow, Grain, Held};

/// A stretch of time that ends now.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// How finely it is told.
    pub(super) grain: Grain,
    /// How many hours or days.
    pub(super) count: u64,
}

/// What stands for each wallet on the page of all.
pub(super) const MONTH: Span = Span { grain: Grain::Day, count: 30 };
/// As long as hours are known.
pub(super) const WEEK: Span = Span { grain: Grain::Hour, count: 168 };
/// As long as days are known.
pub(super) const LONG: Span = Span { grain: Grain::Day, count: 400 };

impl Span {
    /// When it begins.
    pub(super) fn begin(self, now: Timestamp) -> Timestamp {
        self.grain.begin(self.numbers(now).start)
    }

    /// The numbers of its hours or days.
    fn numbers(self, now: Timestamp) -> Range<u64> {
        let last = self.grain.of(now);
        last.saturating_sub(self.count.saturating_sub(1))..last.saturating_add(1)
    }

    fn label(self, number: u64) -> String {
        let form = match self.grain {
            Grain::Hour => "%Y-%m-%d %H:%M",
            Grain::Day => "%Y-%m-%d",
        };
        self.grain.begin(number).written(form)
    }

    const fn word(self) -> &'static str {
        match self.grain {
            Grain::Hour => "hour",
            Grain::Day => "day",
        }
    }
}

/// A chart of what was held of each asset. An hour or day in which no node said anything is a gap.
pub(super) fn held(
    policy: &PolicyDocument,
    (span, now): (Span, Timestamp),
    held: &[&Held],
) -> BTreeMap<AssetId, Markup> {
    let numbers = span.numbers(now);
    let mut known: BTreeMap<&AssetId, BTreeMap<u64, Amount>> = BTreeMap::new();
    for one in held.iter().filter(|one| numbers.contains(&span.grain.of(one.at))) {
        known.entry(&one.asset).or_default().insert(span.grain.of(one.at), one.amount);
    }
    let chart = |(asset, known): (&AssetId, BTreeMap<u64, Amount>)| {
        let level = |number: u64| {
            let amount = known.get(&number).copied();
            let words = |units| paper::sum_words(policy, asset, units);
            let said = amount.map_or_else(|| "not known".to_owned(), words);
            Level { label: span.label(number), amount, said }
        };
        let drawn: Vec<Level> = numbers.clone().map(level).collect();
        let (called, each) = (paper::called(policy, asset), span.word());
        let words = format!("{called} held when the node last spoke in each {each} (UTC)");
        (asset.clone(), levels(&words, &drawn))
    };
    known.into_iter().map(chart).collect()
}

/// A chart of what left for good of each asset.
pub(super) fn left(
    policy: &PolicyDocument,
    (span, now): (Span, Timestamp),
    flow: &[&Flow],
) -> BTreeMap<AssetId, Markup> {
    let mut left: BTreeMap<&AssetId, BTreeMap<u64, Amount>> = BTreeMap::new();
    for one in flow {
        let number = span.grain.of(one.at);
        let sum = left.entry(&one.asset).or_default().entry(number).or_insert(Amount::ZERO);
        *sum = sum.checked_add(one.amount).unwrap_or(Amount::MAX);
    }
    let chart = |(asset, sums): (&AssetId, BTreeMap<u64, Amount>)| {
        let bar = |number: u64| {
            let amount = sums.get(&number).copied().unwrap_or(Amount::ZERO);
            let said = paper::sum_words(policy, asset, amount);
            Bar { label: span.label(number), amount, said }
        };
        let drawn: Vec<Bar> = span.numbers(now).map(bar).collect();
        let (called, each) = (paper::called(policy, asset), span.word());
        let words = format!("{called} that left for good, fees included, each {each} (UTC)");
        (asset.clone(), bars(&words, &drawn))
    };
    left.into_iter().map(chart).collect()
}

#[cfg(test)]
mod tests {
    use quorate_terms::policy::AssetInfo;

    use super::*;
    use crate::shapes::tests::policy;

    const fn day(number: u64) -> u64 {
        Grain::Day.begin(number).as_millis()
    }

    const fn hour(number: u64) -> u64 {
        Grain::Hour.begin(number).as_millis()
    }

    fn asset() -> AssetId {
        "eip155:31337/slip44:60".parse().unwrap()
    }

    fn with_coin() -> PolicyDocument {
        let info =
            AssetInfo { asset: asset(), symbol: "DEV".into(), name: "Dev".into(), decimals: 1 };
        PolicyDocument { assets: vec![info], ..policy() }
    }

    fn word(at: u64, units: u128) -> Held {
        let (wallet, at) = ("ops".parse().unwrap(), Timestamp::from_millis(at));
        Held { wallet, asset: asset(), at, amount: Amount::from_u128(units) }
    }

    fn drawn(span: Span, now: u64, all: &[Held]) -> Option<String> {
        let all: Vec<&Held> = all.iter().collect();
        let mut drawn = held(&with_coin(), (span, Timestamp::from_millis(now)), &all);
        drawn.remove(&asset()).map(|chart| chart.as_str().to_owned())
    }

    #[test]
    fn a_day_in_which_no_node_spoke_is_a_gap_and_a_zero_is_a_zero() {
        let now = day(100).saturating_add(7);
        let all = [word(day(98), 25), word(day(100), 0)];
        let shown = drawn(MONTH, now, &all).unwrap();
        assert_eq!(shown.matches("<rect").count(), 2, "{shown}");
        for part in [
            "DEV held when the node last spoke in each day (UTC), 2 of 30 known",
            "<dt>1970-04-09</dt><dd>2.5 DEV</dd>",
            "<dt>1970-04-10</dt><dd>not known</dd>",
            "<dt>1970-04-11</dt><dd>0 DEV</dd>",
            "<dt>1970-03-13</dt><dd>not known</dd>",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("1970-03-12") && !shown.contains("1970-04-12"), "{shown}");
    }

    #[test]
    fn an_asset_whose_symbol_stands_twice_is_called_by_its_chain_too() {
        let mut policy = with_coin();
        let other =
            AssetInfo { asset: "eip155:1/slip44:60".parse().unwrap(), ..policy.assets[0].clone() };
        policy.assets.push(other);
        let (now, one) = (Timestamp::from_millis(day(100)), word(day(100), 1));
        let shown = held(&policy, (MONTH, now), &[&one]).remove(&asset()).unwrap();
        assert!(shown.as_str().contains("DEV on eip155:31337 held when the node"), "{shown}");
    }

    #[test]
    fn what_lies_before_or_after_a_chart_is_not_drawn_in_it() {
        let now = day(100);
        for at in [0, day(70), day(101)] {
            assert_eq!(drawn(MONTH, now, &[word(at, 1)]), None, "{at}");
        }
        for at in [day(71), day(101).saturating_sub(1)] {
            assert!(drawn(MONTH, now, &[word(at, 1)]).is_some(), "{at}");
        }
    }

    #[test]
    fn a_week_is_told_hour_by_hour() {
        let shown = drawn(WEEK, hour(1_000), &[word(hour(1_000).saturating_sub(1), 10)]).unwrap();
        assert!(shown.contains("<dt>1970-02-11 15:00</dt><dd>1 DEV</dd>"), "{shown}");
        assert!(shown.contains("each hour (UTC)") && shown.contains("1 of 168 known"), "{shown}");
    }

    #[test]
    fn a_span_begins_where_its_first_hour_or_day_does() {
        for (span, now, begin) in [
            (MONTH, 0, 0),
            (MONTH, day(5), 0),
            (MONTH, day(31).saturating_add(9), day(2)),
            (WEEK, day(8), hour(25)),
            (LONG, day(400), day(1)),
        ] {
            assert_eq!(span.begin(Timestamp::from_millis(now)).as_millis(), begin, "{now}");
        }
    }

    #[test]
    fn what_left_on_one_day_is_one_sum() {
        let flow = |units| {
            let held = word(day(100), units);
            Flow { at: held.at, wallet: held.wallet, asset: held.asset, amount: held.amount }
        };
        let (one, more) = (flow(5), flow(6));
        let now = Timestamp::from_millis(day(100));
        let shown = left(&with_coin(), (MONTH, now), &[&one, &more]).remove(&asset()).unwrap();
        assert!(shown.as_str().contains("<dt>1970-04-11</dt><dd>1.1 DEV</dd>"), "{shown}");
        assert!(shown.as_str().contains("DEV that left for good, fees included, each day (UTC)"));
        assert!(left(&with_coin(), (MONTH, now), &[]).is_empty());
    }
}
