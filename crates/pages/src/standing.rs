//! How many things stand: tiles that lead to each, bars that show how many, and a strip of days. Each state has a sign, a height
//! and words besides its colour.

use askama::Template;

use crate::Markup;
use crate::frame::local;

/// How one thing of many stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Look {
    /// As it should be.
    Well,
    /// It does not apply, and that was shown.
    Aside,
    /// It was shown once, and is too old.
    Old,
    /// Not shown.
    Open,
    /// Wrong.
    Wrong,
    /// Nobody asked.
    Unasked,
}

impl Look {
    /// The class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Well => "good",
            Self::Aside => "note",
            Self::Old | Self::Open => "warn",
            Self::Wrong => "bad",
            Self::Unasked => "unasked",
        }
    }

    /// One letter that says the same as the colour.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Well => "+",
            Self::Aside => "n",
            Self::Old => "~",
            Self::Open => "?",
            Self::Wrong => "\u{d7}",
            Self::Unasked => "-",
        }
    }

    /// How much of a bar's height it fills, of 20: what is worse stands higher.
    const fn height(self) -> u32 {
        match self {
            Self::Unasked => 3,
            Self::Well => 8,
            Self::Aside => 10,
            Self::Open => 14,
            Self::Old => 16,
            Self::Wrong => 20,
        }
    }
}

/// One thing that stands somehow.
pub struct Tile {
    /// Where more of it is told, a path of the same origin.
    pub href: String,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub look: Look,
    /// The same in words.
    pub said: String,
}

#[derive(Template)]
#[template(path = "tiles.html")]
struct Tiles<'a> {
    tiles: Vec<(&'a Tile, &'a str)>,
}

/// Tiles side by side.
pub fn tiles(tiles: &[Tile]) -> Markup {
    let tiles = tiles.iter().map(|tile| (tile, local(&tile.href))).collect();
    Markup::of(&Tiles { tiles })
}

#[derive(Template)]
#[template(path = "key.html")]
struct Key<'a> {
    looks: &'a [(Look, &'a str)],
}

/// What the signs mean.
pub fn look_key(looks: &[(Look, &str)]) -> Markup {
    Markup::of(&Key { looks })
}

struct Bar {
    class: &'static str,
    from: u64,
    top: u32,
    width: u64,
    height: u32,
}

impl Bar {
    const fn of(look: Look, from: u64, width: u64) -> Self {
        let height = look.height();
        Self { class: look.class(), from, top: 20_u32.saturating_sub(height), width, height }
    }
}

/// One whole and its parts.
pub struct Share {
    /// Where more of it is told, a path of the same origin.
    pub href: String,
    /// What it is.
    pub label: String,
    /// How many stand how, in the order of drawing.
    pub parts: Vec<(Look, u64)>,
    /// The same in words.
    pub said: String,
}

struct ShareRow<'a> {
    href: &'a str,
    label: &'a str,
    said: &'a str,
    bars: Vec<Bar>,
}

#[derive(Template)]
#[template(path = "shares.html")]
struct Shares<'a> {
    caption: &'a str,
    rows: Vec<ShareRow<'a>>,
}

/// One bar for each whole, divided as its parts are.
pub fn shares(caption: &str, shares: &[Share]) -> Markup {
    let rows = shares.iter().map(|share| {
        let Share { href, label, said, parts } = share;
        ShareRow { href: local(href), label, said, bars: divided(parts) }
    });
    Markup::of(&Shares { caption, rows: rows.collect() })
}

fn divided(parts: &[(Look, u64)]) -> Vec<Bar> {
    let whole = parts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    let place = |count: u64| count.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    let mut done = 0_u64;
    let mut bars = Vec::new();
    for (look, count) in parts {
        let (from, upto) = (place(done), place(done.saturating_add(*count)));
        bars.push(Bar::of(*look, from, upto.saturating_sub(from)));
        done = done.saturating_add(*count);
    }
    bars
}

#[derive(Template)]
#[template(path = "strip.html")]
struct Strip<'a> {
    said: &'a str,
    width: u64,
    bars: Vec<Bar>,
}

/// A strip of days, oldest first; a day without a look is empty. `said` tells in words what it shows.
pub fn strip(days: &[Option<Look>], said: &str) -> Markup {
    let width = u64::try_from(days.len()).unwrap_or(u64::MAX).saturating_mul(10).max(10);
    let bar = |(day, look): (u64, &Option<Look>)| {
        look.map(|look| Bar::of(look, day.saturating_mul(10), 9))
    };
    let bars = (0..).zip(days).filter_map(bar).collect();
    Markup::of(&Strip { said, width, bars })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_tiles_and_bars_is_escaped_and_leads_nowhere_else() {
        let hostile = "\"><b>'&".to_owned();
        let tile = Tile {
            href: "//evil.example".to_owned(),
            name: hostile.clone(),
            look: Look::Wrong,
            said: hostile.clone(),
        };
        let share = Share {
            href: "https://evil.example".to_owned(),
            label: hostile.clone(),
            parts: vec![(Look::Well, 1)],
            said: hostile.clone(),
        };
        for part in [tiles(&[tile]), shares(&hostile, &[share]), strip(&[None], &hostile)] {
            assert!(!part.as_str().contains("<b>") && !part.as_str().contains("evil"), "{part}");
        }
    }

    #[test]
    fn parts_fill_the_whole_bar_and_nothing_is_drawn_of_nothing() {
        let bars = divided(&[(Look::Well, 1), (Look::Wrong, 2), (Look::Open, 0)]);
        let drawn: Vec<_> = bars.iter().map(|bar| (bar.from, bar.width)).collect();
        assert_eq!(drawn, [(0, 333), (333, 667), (1000, 0)]);
        assert_eq!(divided(&[(Look::Well, 0)]).iter().map(|bar| bar.width).sum::<u64>(), 0);
    }

    #[test]
    fn a_strip_has_a_bar_for_each_day_that_was_looked_at() {
        let drawn = strip(&[None, Some(Look::Well), Some(Look::Wrong)], "gap since 2026-11-19");
        assert_eq!(drawn.as_str().matches("class=\"bar").count(), 2, "{drawn}");
        assert!(drawn.as_str().contains("viewBox=\"0 0 30 20\""));
        assert!(drawn.as_str().contains("aria-label=\"gap since 2026-11-19\""));
    }
}
