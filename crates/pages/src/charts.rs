//! What happened over time: a line of moments, and bars whose heights are exact to a thousandth. No float comes near an amount.

use askama::Template;
use quorate_terms::{Amount, Timestamp};

use crate::signs::thousandths;
use crate::{Markup, when};

/// One bar.
pub struct Bar {
    /// What it stands for, such as a day.
    pub label: String,
    /// How high it is.
    pub amount: Amount,
    /// The amount in words, with its unit.
    pub said: String,
}

#[derive(Template)]
#[template(path = "bars.html")]
struct Bars<'a> {
    words: &'a str,
    said: String,
    width: u64,
    bars: Vec<Drawn<'a>>,
}

struct Drawn<'a> {
    x: u64,
    y: u32,
    height: u32,
    bar: &'a Bar,
}

/// The width of a bar and its gap, in units of the drawing.
const STEP: u64 = 40;
/// The height of the drawing in its units: a thousandth of the largest amount is a fifth of one.
const HEIGHT: u32 = 200;

/// Bars from the oldest to the newest, each in part of the largest; the same in numbers stands folded beneath.
pub fn bars(words: &str, bars: &[Bar]) -> Markup {
    let largest = bars.iter().map(|bar| bar.amount).max().unwrap_or(Amount::ZERO);
    let drawn = bars.iter().zip(0_u64..).map(|(bar, at)| {
        let part = if bar.amount.is_zero() { 0 } else { thousandths(bar.amount, largest) };
        let height = part.saturating_mul(HEIGHT).checked_div(1000).unwrap_or(0);
        let height = if bar.amount.is_zero() { 0 } else { height.max(2) };
        Drawn { x: at.saturating_mul(STEP), y: HEIGHT.saturating_sub(height), height, bar }
    });
    let drawn: Vec<Drawn<'_>> = drawn.collect();
    let highest = bars.iter().max_by_key(|bar| bar.amount);
    let most = highest
        .map_or_else(String::new, |bar| format!(" The most was {} on {}.", bar.said, bar.label));
    let said = format!("{words}, {} bars.{most}", bars.len());
    let width = STEP.saturating_mul(u64::try_from(bars.len()).unwrap_or(1)).max(STEP);
    Markup::of(&Bars { words, said, width, bars: drawn })
}

#[derive(Template)]
#[template(path = "timeline.html")]
struct Timeline {
    moments: Vec<(Markup, Markup)>,
}

/// Moments in order, each with what happened.
pub fn timeline(moments: Vec<(Timestamp, Markup)>) -> Markup {
    let moments = moments.into_iter().map(|(at, what)| (when(at), what)).collect();
    Markup::of(&Timeline { moments })
}

#[derive(Template)]
#[template(source = "<h2>{{ words }}</h2>", ext = "html")]
struct Heading<'a> {
    words: &'a str,
}

/// A heading of the second rank, in words of our own.
pub fn heading(words: &str) -> Markup {
    Markup::of(&Heading { words })
}

#[derive(Template)]
#[template(
    source = "<a href=\"{{ href }}\" rel=\"noopener noreferrer\">{{ words }}</a>",
    ext = "html"
)]
struct Elsewhere<'a> {
    href: &'a str,
    words: Markup,
}

/// A way to another origin, shown as it is: `https`, or plain HTTP on this machine. Anything else stands as text.
pub fn elsewhere(origin: &str) -> Markup {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".-:/[]".contains(letter);
    let is_known = ["https://", "http://localhost:", "http://127.0.0.1:"]
        .iter()
        .any(|start| origin.starts_with(start));
    if !is_known || !origin.chars().all(is_plain) {
        return crate::outside(origin);
    }
    Markup::of(&Elsewhere { href: origin, words: crate::outside(origin) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(units: u128) -> Bar {
        Bar { label: "<b>".to_owned(), amount: Amount::from_u128(units), said: "\"'".to_owned() }
    }

    #[test]
    fn a_bar_is_a_part_of_the_largest_and_nothing_has_no_height() {
        let shown = bars("<i>", &[bar(0), bar(1), bar(500), bar(1000)]);
        for height in ["height=\"0\"", "height=\"2\"", "height=\"100\"", "height=\"200\""] {
            assert!(shown.as_str().contains(height), "{height}: {shown}");
        }
        assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains("<i>"), "{shown}");
        assert!(bars("none", &[]).as_str().contains("0 bars"));
    }

    #[test]
    fn another_origin_is_a_link_only_where_it_can_be_trusted_to_be_one() {
        for (origin, is_link) in [
            ("https://view.example", true),
            ("http://localhost:7430", true),
            ("http://view.example", false),
            ("javascript:alert(1)", false),
            ("https://a\"><b>", false),
            ("https://user@evil", false),
        ] {
            let shown = elsewhere(origin);
            assert_eq!(shown.as_str().starts_with("<a "), is_link, "{shown}");
            assert!(!shown.as_str().contains("<b>"), "{shown}");
        }
    }
}
