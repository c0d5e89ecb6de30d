//! Values that people decide by: amounts, addresses, times, digests. Each is shown whole; grouping is only for the eye.

use askama::Template;
use quorate_terms::Timestamp;

use crate::{Markup, Tone, badge, outside};

/// A thin space: parts digits, and lets a long number break.
const THIN: char = '\u{2009}';
/// Digits and letters up to which an amount keeps to one line.
const SHORT_MAX: usize = 16;

#[derive(Template)]
#[template(path = "amount.html")]
struct Units<'a> {
    is_short: bool,
    whole: String,
    part: String,
    zeros: String,
    symbol: Markup,
    base: &'a str,
}

/// An amount in units with every digit, and beside it in base units. `base_units` is decimal; `decimals` says how many of its
/// digits stand after the point; `symbol` is text from outside. What is no number is shown as it is, and called so.
pub fn amount(base_units: &str, decimals: u8, symbol: &str) -> Markup {
    if base_units.is_empty() || !base_units.bytes().all(|digit| digit.is_ascii_digit()) {
        return Markup::all([outside(base_units), badge(Tone::Bad, "not an amount")]);
    }
    let decimals = usize::from(decimals);
    let padded = format!("{base_units:0>width$}", width = decimals.saturating_add(1));
    let (whole, part) =
        padded.split_at_checked(padded.len().saturating_sub(decimals)).unwrap_or((&padded, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let (part, zeros) = split_zeros(&from_left(part));
    Markup::of(&Units {
        is_short: padded.len().saturating_add(symbol.len()) <= SHORT_MAX,
        whole: from_right(whole),
        part,
        zeros,
        symbol: outside(symbol),
        base: &from_right(base_units),
    })
}

/// Digits in threes, counted from the right.
fn from_right(digits: &str) -> String {
    let first = digits.len().checked_rem(3).unwrap_or(0);
    let (head, rest) = digits.split_at_checked(first).unwrap_or((digits, ""));
    let rest = from_left(rest);
    if head.is_empty() || rest.is_empty() {
        return format!("{head}{rest}");
    }
    format!("{head}{THIN}{rest}")
}

/// Digits in threes, counted from the left.
fn from_left(digits: &str) -> String {
    groups(digits, 3).join(&THIN.to_string())
}

/// The zeros at the end stand apart, so that they can be drawn softer and still be there.
fn split_zeros(part: &str) -> (String, String) {
    let kept = part.trim_end_matches(['0', THIN]);
    let zeros = part.strip_prefix(kept).unwrap_or_default();
    (kept.to_owned(), zeros.to_owned())
}

fn groups(text: &str, size: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(size).map(|group| group.iter().collect()).collect()
}

#[derive(Template)]
#[template(path = "address.html")]
struct Address<'a> {
    head: &'a str,
    groups: Vec<String>,
    name: Option<Markup>,
}

/// An account in CAIP-10 form, whole, in groups of four for the eye; a copy of it has no gaps. `name` is what an address book
/// calls it: text from outside. What is no CAIP-10 account is shown as it is, and called so.
pub fn address(account: &str, name: Option<&str>) -> Markup {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.%:".contains(letter);
    let (chain, local) = account.rsplit_once(':').unwrap_or_default();
    if local.is_empty() || !chain.contains(':') || !account.chars().all(is_plain) {
        return Markup::all([outside(account), badge(Tone::Bad, "not an address")]);
    }
    let bare = local.strip_prefix("0x").unwrap_or(local);
    let head = account.strip_suffix(bare).unwrap_or_default();
    Markup::of(&Address { head, groups: groups(bare, 4), name: name.map(outside) })
}

#[derive(Template)]
#[template(path = "when.html")]
struct Moment {
    exact: String,
    shown: String,
}

/// A time in UTC: to the second for people, to the millisecond for programs. A time that no calendar holds is
/// shown as its number.
pub fn when(at: Timestamp) -> Markup {
    let (exact, shown) = (at.rfc3339(), at.written("%Y-%m-%d %H:%M:%S"));
    if !exact.ends_with('Z') {
        return Markup::text(&exact);
    }
    Markup::of(&Moment { exact, shown })
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Digest {
    groups: Vec<String>,
}

/// A digest in hexadecimal, whole, in groups of four for the eye; one click selects all of it and a copy has no gaps.
/// What is not hexadecimal is shown as it is, and called so.
pub fn digest(hex: &str) -> Markup {
    if hex.is_empty() || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Markup::all([outside(hex), badge(Tone::Bad, "not a digest")]);
    }
    Markup::of(&Digest { groups: groups(hex, 4) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "<img src=x>\u{202e}\"'";

    /// The text of a part without its tags, thin spaces as `_`.
    fn read(part: &Markup) -> String {
        let mut out = String::new();
        for (at, piece) in part.as_str().split('<').enumerate() {
            let text =
                if at == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) };
            out.push_str(text);
        }
        out.replace(THIN, "_")
    }

    #[test]
    fn every_digit_of_an_amount_is_shown() {
        let long = "9".repeat(78);
        let threes = |digits: usize| vec!["999"; digits / 3].join("_");
        let (all, whole, part) = (threes(78), threes(60), threes(18));
        for (base, decimals, shown) in [
            ("0", 0, "0 ETH 0 base units".to_owned()),
            ("1234567", 0, "1_234_567 ETH 1_234_567 base units".to_owned()),
            ("1", 1, "0.1 ETH 1 base units".to_owned()),
            ("10", 1, "1.0 ETH 10 base units".to_owned()),
            ("1", 18, "0.000_000_000_000_000_001 ETH 1 base units".to_owned()),
            (
                "1500000000000000000",
                18,
                "1.500_000_000_000_000_000 ETH 1_500_000_000_000_000_000 base units".to_owned(),
            ),
            ("0012", 2, "0.12 ETH 0_012 base units".to_owned()),
            (&long, 18, format!("{whole}.{part} ETH {all} base units")),
            (&long, 0, format!("{all} ETH {all} base units")),
        ] {
            assert_eq!(read(&amount(base, decimals, "ETH")), shown, "{base} with {decimals}");
        }
    }

    #[test]
    fn what_is_no_value_is_called_so_and_cannot_become_markup() {
        for part in [
            amount(HOSTILE, 18, "ETH"),
            amount("-1", 18, "ETH"),
            amount("1.5", 18, "ETH"),
            amount("", 18, "ETH"),
            address(HOSTILE, None),
            address("0xab16", None),
            address("eip155:1:<b>", None),
            digest(HOSTILE),
            digest("xyz"),
        ] {
            assert!(part.as_str().contains("badge bad"), "{part}");
            assert!(!part.as_str().contains("<img") && !part.as_str().contains("<b>"), "{part}");
            assert!(!part.as_str().contains('\u{202e}'), "{part}");
        }
        for part in [amount("1", 0, HOSTILE), address("eip155:1:0xab16", Some(HOSTILE))] {
            assert!(!part.as_str().contains("<img") && part.as_str().contains("U+202E"), "{part}");
        }
    }

    #[test]
    fn an_address_and_a_digest_are_whole() {
        let account = "eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb";
        assert_eq!(read(&address(account, None)), account);
        assert!(
            address(account, None).as_str().contains("<span class=\"chain\">eip155:1:0x</span>")
        );
        let bitcoin = "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6";
        assert_eq!(read(&address(bitcoin, None)), bitcoin);
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(read(&digest(&hex)), hex);
    }

    #[test]
    fn a_time_names_its_zone() {
        let shown = when(Timestamp::from_millis(1_709_251_199_999));
        assert!(shown.as_str().starts_with("<time datetime=\"2024-02-29T23:59:59.999Z\">"));
        assert_eq!(read(&shown), "2024-02-29 23:59:59 UTC");
        assert_eq!(when(Timestamp::from_millis(u64::MAX)).as_str(), "9007199254740991 ms");
    }
}
