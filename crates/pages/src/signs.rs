//! Small signs: a badge, the progress of a quorum, the use of a budget. Each says in words what its colour says.

use askama::Template;
use quorate_terms::Amount;

use crate::Markup;

/// How something stands. The words beside it say the same: nobody has to see colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it should be.
    Good,
    /// To know, and nothing to do.
    Note,
    /// Look before going on.
    Warn,
    /// Wrong, refused or stopped.
    Bad,
}

impl Tone {
    /// The class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

#[derive(Template)]
#[template(path = "badge.html")]
struct Badge<'a> {
    tone: &'static str,
    words: &'a str,
}

/// A few words with a tone.
pub fn badge(tone: Tone, words: &str) -> Markup {
    Markup::of(&Badge { tone: tone.class(), words })
}

#[derive(Template)]
#[template(path = "progress.html")]
struct Progress<'a> {
    have: u32,
    need: u32,
    value: u32,
    max: u32,
    words: &'a str,
}

/// How many of a quorum have said yes. A quorum that needs nobody is full.
pub fn progress(have: u32, need: u32, words: &str) -> Markup {
    let (value, max) = if need == 0 { (1, 1) } else { (have.min(need), need) };
    Markup::of(&Progress { have, need, value, max, words })
}

#[derive(Template)]
#[template(path = "gauge.html")]
struct Gauge<'a> {
    words: &'a str,
    said: &'a str,
    is_over: bool,
    spent: u32,
    held: u32,
    spent_words: String,
    held_words: String,
    free_words: String,
}

/// How much of a budget is spent and how much open cases hold, in base units of one asset. What is over the limit fills the bar.
pub fn gauge(words: &str, spent: Amount, held: Amount, limit: Amount) -> Markup {
    let (spent_part, held_part) = (thousandths(spent, limit), thousandths(held, limit));
    let used = spent_part.saturating_add(held_part);
    let [spent_words, held_words, free_words] =
        [spent_part, held_part, 1000_u32.saturating_sub(used)].map(percent);
    let is_over = spent.checked_add(held).is_none_or(|used| used > limit);
    let over = if is_over { "; over the limit" } else { "" };
    let said = format!("{words}: {spent_words} spent, {held_words} held, {free_words} free{over}");
    Markup::of(&Gauge {
        words,
        said: &said,
        is_over,
        spent: spent_part,
        held: held_part.min(1000_u32.saturating_sub(spent_part)),
        spent_words,
        held_words,
        free_words,
    })
}

/// The part of a whole in thousandths, at most 1000, rounded up so that a little never looks like nothing.
pub(crate) fn thousandths(part: Amount, whole: Amount) -> u32 {
    let thousand = Amount::from_u128(1000);
    let (part, step) = match part.checked_mul(thousand) {
        Some(times) => (times.units(), whole.units()),
        // Too large to multiply: then a thousandth of the whole is exact enough.
        None => {
            (part.units(), whole.units().checked_div(thousand.units()).unwrap_or(whole.units()))
        }
    };
    if part.is_zero() {
        return 0;
    }
    let rounded_up = part.checked_div(step).map(|down| {
        let is_exact = part.checked_rem(step).is_some_and(|rest| rest.is_zero());
        u32::try_from(down).unwrap_or(1000).saturating_add(u32::from(!is_exact))
    });
    rounded_up.map_or(1000, |up| up.min(1000))
}

fn percent(thousandths: u32) -> String {
    let (whole, tenth) = (thousandths.checked_div(10), thousandths.checked_rem(10));
    format!("{}.{} %", whole.unwrap_or(0), tenth.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_sign_are_escaped() {
        let hostile = "<b>\"'&";
        let limit = Amount::from_u128(1);
        for part in [
            badge(Tone::Bad, hostile),
            progress(1, 2, hostile),
            gauge(hostile, limit, limit, limit),
        ] {
            assert!(!part.as_str().contains("<b>"), "{part}");
            assert!(!part.as_str().contains("\"'"), "{part}");
        }
    }

    #[test]
    fn a_quorum_is_never_more_than_full() {
        for (have, need, value) in [
            (0, 2, "max=\"2\" value=\"0\""),
            (1, 2, "max=\"2\" value=\"1\""),
            (3, 2, "max=\"2\" value=\"2\""),
            (0, 0, "max=\"1\" value=\"1\""),
        ] {
            let part = progress(have, need, "treasury");
            assert!(part.as_str().contains(value), "{part}");
            assert!(part.as_str().contains(&format!("{have} of {need}")), "{part}");
        }
    }

    #[test]
    fn a_budget_is_told_in_thousandths_without_a_float() {
        let largest: Amount =
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
                .parse()
                .unwrap();
        for (part, whole, expected) in [
            (Amount::from_u128(0), Amount::from_u128(0), 0),
            (Amount::from_u128(1), Amount::from_u128(0), 1000),
            (Amount::from_u128(1), Amount::from_u128(1_000_000), 1),
            (Amount::from_u128(250), Amount::from_u128(1000), 250),
            (Amount::from_u128(2000), Amount::from_u128(1000), 1000),
            (largest, largest, 1000),
        ] {
            assert_eq!(thousandths(part, whole), expected, "{part} of {whole}");
        }
        let one = Amount::from_u128(1);
        let over = gauge("a day", Amount::from_u128(9), one, Amount::from_u128(5));
        assert!(over.as_str().contains("over the limit"), "{over}");
    }
}
