//! How much there is: at one time after the other, where nobody knows some of them, and divided in three. No float comes near an
//! amount.

use askama::Template;
use quorate_terms::Amount;

use crate::Markup;
use crate::signs::thousandths;

/// How much there was at one time of many, such as a day.
pub struct Level {
    /// The time.
    pub label: String,
    /// How much there was; none where nobody said.
    pub amount: Option<Amount>,
    /// The same in words, with its unit, or that nobody said.
    pub said: String,
}

#[derive(Template)]
#[template(path = "levels.html")]
struct Levels<'a> {
    words: &'a str,
    said: String,
    width: u64,
    steps: Vec<Step>,
    levels: &'a [Level],
}

struct Step {
    x: u64,
    y: u32,
    height: u32,
}

/// The width of one time, in units of the drawing. Steps touch each other, so that what is missing is seen.
const STEP: u64 = 40;
/// The height of the drawing in its units.
const HEIGHT: u32 = 200;
/// The height of nothing: a line, because a place without one means that nobody said.
const NOTHING: u32 = 2;
/// The least height of something.
const SOMETHING: u32 = 6;

/// A line of steps from the oldest to the newest, each in part of the largest. A time of which nobody said is a gap and never
/// a zero. The same in numbers stands folded beneath.
pub fn levels(words: &str, levels: &[Level]) -> Markup {
    let known = || levels.iter().filter_map(|level| level.amount.map(|amount| (amount, level)));
    let largest = known().map(|(amount, _)| amount).max().unwrap_or(Amount::ZERO);
    let step = |(level, at): (&Level, u64)| {
        let height = height(level.amount?, largest);
        Some(Step { x: at.saturating_mul(STEP), y: HEIGHT.saturating_sub(height), height })
    };
    let steps = levels.iter().zip(0_u64..).filter_map(step).collect();
    let most = known().max_by_key(|(amount, _)| *amount);
    let most = most.map_or_else(String::new, |(_, level)| {
        format!(" The most was {} at {}.", level.said, level.label)
    });
    let last = known().next_back().map_or_else(String::new, |(_, level)| {
        format!(" The last known is {} at {}.", level.said, level.label)
    });
    let said = format!("{words}, {} of {} known.{most}{last}", known().count(), levels.len());
    let width = STEP.saturating_mul(u64::try_from(levels.len()).unwrap_or(1)).max(STEP);
    Markup::of(&Levels { words, said, width, steps, levels })
}

fn height(amount: Amount, largest: Amount) -> u32 {
    if amount.is_zero() {
        return NOTHING;
    }
    let part = thousandths(amount, largest).saturating_mul(HEIGHT);
    part.checked_div(1000).unwrap_or(0).max(SOMETHING)
}

/// One of the three parts of a whole.
pub struct Third {
    /// What it is.
    pub label: String,
    /// How much.
    pub amount: Amount,
    /// The same in words, with its unit.
    pub said: String,
}

#[derive(Template)]
#[template(path = "split.html")]
struct Split<'a> {
    words: &'a str,
    said: String,
    parts: Vec<Drawn<'a>>,
}

struct Drawn<'a> {
    class: &'static str,
    x: u32,
    width: u32,
    part: &'a Third,
}

/// How each of the three is drawn: the classes of a gauge.
const CLASSES: [&str; 3] = ["spent", "held", "track"];
/// The width of the whole.
const WHOLE: u32 = 1000;
/// The least width of something.
const SLIVER: u32 = 6;

/// One bar, divided in three. A part that is something is seen however small it is; one that is nothing is only said.
pub fn split(words: &str, parts: &[Third; 3]) -> Markup {
    let sum = |sum: Amount, part: &Third| sum.checked_add(part.amount).unwrap_or(Amount::MAX);
    let whole = parts.iter().fold(Amount::ZERO, sum);
    let mut done = Amount::ZERO;
    let mut drawn = Vec::new();
    for (part, class) in parts.iter().zip(CLASSES) {
        let from = thousandths(done, whole);
        done = sum(done, part);
        let upto = thousandths(done, whole);
        let least = if part.amount.is_zero() { 0 } else { SLIVER };
        let width = upto.saturating_sub(from).max(least);
        let x = from.min(WHOLE.saturating_sub(width));
        drawn.push(Drawn { class, x, width, part });
    }
    let said: Vec<String> =
        parts.iter().map(|part| format!("{} {}", part.label, part.said)).collect();
    let said = format!("{words}: {}", said.join(", "));
    Markup::of(&Split { words, said, parts: drawn })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(units: Option<u128>) -> Level {
        let said = "\"'".to_owned();
        Level { label: "<b>".to_owned(), amount: units.map(Amount::from_u128), said }
    }

    fn third(units: u128) -> Third {
        let (label, said) = ("<b>".to_owned(), "\"'".to_owned());
        Third { label, amount: Amount::from_u128(units), said }
    }

    #[test]
    fn a_gap_is_never_a_zero_and_a_little_is_never_nothing() {
        let all = [Some(0), None, Some(1), Some(500), None, Some(1000)].map(level);
        let shown = levels("<i>", &all);
        for step in [
            "x=\"0\" y=\"198\" width=\"40\" height=\"2\"",
            "x=\"80\" y=\"194\" width=\"40\" height=\"6\"",
            "x=\"120\" y=\"100\" width=\"40\" height=\"100\"",
            "x=\"200\" y=\"0\" width=\"40\" height=\"200\"",
            "viewBox=\"0 0 240 200\"",
            "4 of 6 known",
        ] {
            assert!(shown.as_str().contains(step), "{step}: {shown}");
        }
        assert_eq!(shown.as_str().matches("<rect").count(), 4, "{shown}");
        assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains("<i>"), "{shown}");
    }

    #[test]
    fn nothing_but_gaps_draws_nothing_and_says_so() {
        let shown = levels("held", &[level(None), level(None)]);
        assert!(shown.as_str().contains("0 of 2 known"), "{shown}");
        assert!(!shown.as_str().contains("<rect") && !shown.as_str().contains("most"), "{shown}");
        assert!(levels("none", &[]).as_str().contains("0 of 0 known"));
    }

    #[test]
    fn three_parts_fill_the_bar_and_none_that_is_something_is_lost() {
        let places = |parts: [u128; 3]| {
            let shown = split("<i>", &parts.map(third));
            assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains("<i>"), "{shown}");
            let place = |class: &str| {
                let rect = shown.as_str().split(&format!("<rect class=\"{class}\"")).nth(1);
                let of = |name: &str| {
                    let text = rect.unwrap().split(&format!("{name}=\"")).nth(1).unwrap();
                    text.split('"').next().unwrap().parse::<u32>().unwrap()
                };
                (of("x"), of("width"))
            };
            CLASSES.map(place)
        };
        assert_eq!(places([1, 1, 2]), [(0, 250), (250, 250), (500, 500)]);
        assert_eq!(places([0, 0, 7]), [(0, 0), (0, 0), (0, 1000)]);
        assert_eq!(places([0, 0, 0]), [(0, 0), (0, 0), (0, 0)]);
        assert_eq!(places([1_000_000, 1, 0]), [(0, 1000), (994, 6), (1000, 0)]);
    }
}
