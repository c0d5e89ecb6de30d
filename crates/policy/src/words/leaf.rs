//! The smallest words: names, amounts, spans. Two values that differ never have the same words.

use std::collections::BTreeMap;

use quorate_terms::policy::{AssetInfo, Window};
use quorate_terms::{AccountId, Amount, AssetId, WalletId};
use serde::{Deserialize, Serialize};

use crate::checks::comparable;
use crate::schema::SCALE;

/// What people call accounts. A name stands beside the whole address, never in its place.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Names(BTreeMap<AccountId, Name>);

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Own(WalletId),
    Listed(Option<String>),
}

impl Names {
    /// An account of our own, by its wallet.
    pub fn own(&mut self, account: &AccountId, wallet: &WalletId) {
        self.0.insert(comparable(account), Name::Own(wallet.clone()));
    }

    /// A recipient on the address list, with the name of its beneficiary where that is known. People chose that name, so it can
    /// say nothing but itself: it is quoted. What is our own stays our own.
    pub fn listed(&mut self, account: &AccountId, beneficiary: Option<&str>) {
        let listed = Name::Listed(beneficiary.map(str::to_owned));
        self.0.entry(comparable(account)).or_insert(listed);
    }

    fn of(&self, account: &AccountId) -> Option<String> {
        Some(match self.0.get(&comparable(account))? {
            Name::Own(wallet) => format!("our wallet {}", quoted(wallet.as_str())),
            Name::Listed(None) => "on the address list".to_owned(),
            Name::Listed(Some(name)) => format!("on the address list as {}", quoted(name)),
        })
    }
}

/// A name as it stands, so that its end can be told from the sentence around it: no backtick stands in one.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("`");
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            odd if odd == '`' || odd.is_control() => out.extend(odd.escape_unicode()),
            plain => out.push(plain),
        }
    }
    out.push('`');
    out
}

/// An account with what people call it.
pub(crate) fn account(account: &AccountId, names: &Names) -> String {
    account_text(account.as_str(), names)
}

/// The same for text that a rule compares with accounts, letter by letter as it stands there.
pub(crate) fn account_text(text: &str, names: &Names) -> String {
    let name = text.parse().ok().and_then(|account| names.of(&account));
    name.map_or_else(|| quoted(text), |name| format!("{} ({name})", quoted(text)))
}

/// `a`, `b` and `c`; several are told with `last` before the last of them.
pub(crate) fn listed(names: impl IntoIterator<Item = String>, last: &str) -> String {
    let mut names: Vec<String> = names.into_iter().collect();
    let end = names.pop().unwrap_or_default();
    if names.is_empty() { end } else { format!("{} {last} {end}", names.join(", ")) }
}

/// A span of time in the largest unit that holds it exactly.
pub fn span(seconds: u64) -> String {
    for (unit, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] {
        if let (Some(0), Some(count)) = (seconds.checked_rem(unit), seconds.checked_div(unit))
            && count > 0
        {
            let plural = if count == 1 { "" } else { "s" };
            return format!("{count} {name}{plural}");
        }
    }
    format!("{seconds} second{}", if seconds == 1 { "" } else { "s" })
}

/// A window in words.
pub(crate) fn window(window: &Window) -> String {
    match window {
        Window::Each => "in one transfer".to_owned(),
        Window::Rolling { seconds } => {
            let length = span(*seconds);
            format!("in any {}", length.strip_prefix("1 ").unwrap_or(&length))
        }
        Window::Day => "in a calendar day".to_owned(),
        Window::Week => "in a calendar week".to_owned(),
        Window::Month => "in a calendar month".to_owned(),
    }
}

/// The asset of a policy with this id.
pub(crate) fn info<'a>(assets: &'a [AssetInfo], asset: &AssetId) -> Option<&'a AssetInfo> {
    assets.iter().find(|info| info.asset == *asset)
}

/// An amount in whole units and symbol, or in base units where the policy does not know the asset.
pub(crate) fn sum(amount: Amount, asset: &AssetId, assets: &[AssetInfo]) -> String {
    match info(assets, asset) {
        Some(info) => format!("{} {}", amount.to_decimal(info.decimals), info.symbol),
        None => format!("{amount} base units of {}", quoted(asset.as_str())),
    }
}

/// An asset: its symbol where the policy has one, and always the whole id.
pub(crate) fn asset(id: &str, assets: &[AssetInfo]) -> String {
    match assets.iter().find(|info| info.asset.as_str() == id) {
        Some(info) => format!("{} ({})", info.symbol, quoted(id)),
        None => quoted(id),
    }
}

/// A number of hundredths, millionths and so on as a decimal, without needless zeros.
pub(crate) fn fraction(number: i64, places: u8) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let text = Amount::from_u128(number.unsigned_abs().into()).to_decimal(places);
    format!("{sign}{text}")
}

/// Millionths of a whole unit.
pub(crate) fn millionths(number: i64) -> String {
    fraction(number, SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_the_largest_unit_that_holds_it_exactly() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (90, "90 seconds"),
            (3_600, "1 hour"),
            (5_400, "90 minutes"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }

    #[test]
    fn a_name_cannot_end_its_own_quotes() {
        assert_eq!(quoted("a`, and `b"), "`a\\u{60}, and \\u{60}b`");
        assert_eq!(quoted("a\nb"), "`a\\u{a}b`");
        assert_ne!(quoted("a\\u{60}"), quoted("a`"));
    }
}
