//! Times, spans and amounts as people write them.

use quorate_host::telemetry::safe;
use quorate_policy::Policy;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Requester;
use quorate_terms::parties::Parties;
use quorate_terms::{Amount, AssetId, Malformed, time};
use serde::Serialize;

/// About how long ago, or for how long still, in the largest fitting units. What people agree to is told whole, by
/// [`quorate_policy::words::span`].
pub(crate) fn span(millis: u64) -> String {
    let s = millis / 1000;
    let (d, h, m) = (s / 86_400, s / 3600 % 24, s / 60 % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, m) => format!("{m} min"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// Reads `90s`, `15m`, `1h` or `2d` as seconds.
///
/// # Errors
/// [`Malformed`] for anything else, and for zero.
pub(crate) fn seconds(text: &str) -> Result<u64, Malformed> {
    let bad = || Malformed::new("ttl", "is not a span of time", "give `90s`, `15m`, `1h` or `2d`");
    time::seconds(text).filter(|seconds| *seconds > 0).ok_or_else(bad)
}

/// Up to how much a stand-in speaks, and what counts.
pub(crate) fn limit(limit: Amount, asset: &AssetId, policy: &Policy) -> String {
    format!("{}, fees included", amount(limit, asset, policy))
}

/// Whole units with their symbol as the policy names them, and always the base units beside them.
pub(crate) fn amount(amount: Amount, asset: &AssetId, policy: &Policy) -> String {
    match policy.asset(asset) {
        Some(info) => format!(
            "{} {} ({amount} base units, {} decimals)",
            amount.to_decimal(info.decimals),
            safe(&info.symbol),
            info.decimals
        ),
        None => format!("{amount} base units of an asset that the policy does not know ({asset})"),
    }
}

/// Who asks, in a few words.
pub(crate) fn requester(requester: &Requester) -> String {
    match requester {
        Requester::Agent { agent, .. } => format!("agent {agent}"),
        Requester::Person { person } => format!("person {person}"),
    }
}

/// What is frozen, in a few words.
pub(crate) fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Vault => "the whole vault".to_owned(),
        Scope::Wallet { wallet } => format!("wallet {wallet}"),
        Scope::Agent { agent } => format!("agent {agent}"),
    }
}

/// Through whose views a quorum was agreed to so far.
pub(crate) fn parties(parties: &Parties) -> String {
    let names: Vec<String> = parties.counted.iter().map(|name| safe(name)).collect();
    match (names.is_empty(), parties.is_met()) {
        (true, _) => format!("{parties}; a key in a file brings none, a passkey at a view does"),
        (false, true) => format!("{parties}: {}", names.join(", ")),
        (false, false) => {
            format!("{parties}: {}; approve at another party's view", names.join(", "))
        }
    }
}

/// A seat in a few words.
pub(crate) fn seat(seat: &ApproverSeat) -> String {
    format!("{} (person {})", seat.approver, seat.person)
}

/// A word of `terms` as its JSON writes it (`await_approvals`), with spaces.
pub(crate) fn plain(value: &impl Serialize) -> String {
    let text = match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map
            .iter()
            .map(|(key, value)| format!("{key}: {}", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    };
    safe(&text.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_exactly_or_refused() {
        for (text, wanted) in [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800)] {
            assert_eq!(seconds(text).unwrap(), wanted);
        }
        for bad in ["", "1", "h", "0h", "-1h", "1.5h", "1 h", "1w", "99999999999999999999s", "1é"]
        {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn how_far_the_parties_have_come_is_said_in_words() {
        let said = |need, names: &[&str]| {
            parties(&Parties { need, counted: names.iter().map(|&name| name.to_owned()).collect() })
        };
        assert!(said(2, &[]).starts_with("0 of 2 parties; a key in a file brings none"));
        assert_eq!(said(2, &["Acme"]), "1 of 2 parties: Acme; approve at another party's view");
        assert_eq!(said(2, &["Acme", "Host"]), "2 of 2 parties: Acme, Host");
        assert!(!said(1, &["Acme\u{1b}[2J"]).contains('\u{1b}'), "text of others stays text");
    }

    #[test]
    fn times_are_written_in_utc() {
        for (millis, text) in
            [(999, "0 s"), (61_000, "1 min"), (3_660_000, "1 h 1 min"), (90_000_000, "1 d 1 h")]
        {
            assert_eq!(span(millis), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_span_panic(text in ".*") {
            let _any = seconds(&text);
        }
    }
}
