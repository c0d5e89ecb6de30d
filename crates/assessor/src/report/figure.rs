//! Drawings as SVG, made here: levels by group, and states as bars. Counts only.
//!
//! Colours stand as attributes, so that a drawing is whole by itself; each shape also has a class, by which a page's style
//! sheet may colour it anew. No state is told by colour alone: each box and bar says its number, each state has its sign.

use serde::Serialize;

use super::Tone;
use super::text::{cut, html};

/// A drawing with its words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Figure {
    /// What it shows, in one line.
    pub title: String,
    /// The same for people who cannot see it.
    pub alt: String,
    /// The drawing.
    pub drawing: Drawing,
}

/// What is drawn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub enum Drawing {
    /// Rows by columns.
    Matrix {
        /// Titles of the columns.
        columns: Vec<String>,
        /// Rows: title, and for each column what stands there.
        rows: Vec<(String, Vec<Place>)>,
    },
    /// One bar for each row, cut into states.
    Bars {
        /// Rows: title, and how many of each state, in the order in which they are drawn.
        rows: Vec<(String, Vec<Part>)>,
    },
}

/// One place of a matrix.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// What it says.
    pub text: String,
    /// How it stands.
    pub tone: Tone,
}

/// A piece of a bar: its sign, its tone, and how many it stands for.
pub type Part = (String, Tone, u64);

/// The width of every drawing.
const WIDTH: u32 = 720;
/// Where boxes and bars begin.
const LEFT: u32 = 330;
/// The height of a row.
const ROW: u32 = 26;
/// The most characters of a row's title.
const TITLE_MAX: usize = 44;

impl Tone {
    /// Fill and ink of a shape.
    pub const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("#1b7f4d", "#ffffff"),
            Self::Part => ("#2a6fb5", "#ffffff"),
            Self::Bad => ("#b3261e", "#ffffff"),
            Self::Wait => ("#f0c36a", "#3a2a00"),
            Self::Faint => ("#dfe2e6", "#4a5057"),
        }
    }
}

impl Figure {
    /// The drawing as one SVG element.
    pub fn svg(&self) -> String {
        let (height, body) = match &self.drawing {
            Drawing::Matrix { columns, rows } => matrix(columns, rows),
            Drawing::Bars { rows } => bars(rows),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             role=\"img\" font-family=\"Libertinus Serif, Georgia, serif\" font-size=\"13\"><title>{}</title><desc>{}</desc>{body}</svg>",
            html(&self.title),
            html(&self.alt)
        )
    }
}

fn at(start: u32, place: usize, step: u32) -> u32 {
    start.saturating_add(u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(step))
}

fn label(x: u32, y: u32, anchor: &str, ink: &str, class: &str, text: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{ink}\" class=\"{class}\">{}</text>",
        html(text)
    )
}

fn shape((x, y): (u32, u32), (width, height): (u32, u32), tone: Tone) -> String {
    let (fill, _) = tone.colours();
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"2\" fill=\"{fill}\" class=\"f-{}\"/>",
        tone.name()
    )
}

fn matrix(columns: &[String], rows: &[(String, Vec<Place>)]) -> (u32, String) {
    let room = WIDTH.saturating_sub(LEFT);
    let step = room.checked_div(u32::try_from(columns.len()).unwrap_or(1)).unwrap_or(room);
    let wide = step.saturating_sub(6);
    let mut out = String::new();
    for (place, column) in columns.iter().enumerate() {
        let x = at(LEFT, place, step).saturating_add(wide / 2);
        out.push_str(&label(x, 16, "middle", "#1d2227", "ink", &cut(column, 30)));
    }
    for (row, (title, boxes)) in rows.iter().enumerate() {
        let y = at(24, row, ROW);
        let line = y.saturating_add(16);
        out.push_str(&label(0, line, "start", "#1d2227", "ink", &cut(title, TITLE_MAX)));
        for (place, one) in boxes.iter().enumerate() {
            let x = at(LEFT, place, step);
            out.push_str(&shape((x, y), (wide, ROW.saturating_sub(4)), one.tone));
            let (_, ink) = one.tone.colours();
            let class = format!("i-{}", one.tone.name());
            let middle = x.saturating_add(wide / 2);
            out.push_str(&label(middle, line, "middle", ink, &class, &cut(&one.text, 30)));
        }
    }
    (at(28, rows.len(), ROW), out)
}

fn bars(rows: &[(String, Vec<Part>)]) -> (u32, String) {
    let total = |parts: &[Part]| parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.2));
    let longest = rows.iter().map(|(_, parts)| total(parts)).max().unwrap_or(0).max(1);
    let room = u64::from(WIDTH.saturating_sub(LEFT).saturating_sub(36));
    let mut out = String::new();
    for (row, (title, parts)) in rows.iter().enumerate() {
        let y = at(4, row, ROW);
        let line = y.saturating_add(16);
        out.push_str(&label(0, line, "start", "#1d2227", "ink", &cut(title, TITLE_MAX)));
        let mut before = 0_u64;
        for (sign, tone, many) in parts.iter().filter(|part| part.2 > 0) {
            let edge = |count: u64| {
                let far = count.saturating_mul(room).checked_div(longest).unwrap_or(0);
                LEFT.saturating_add(u32::try_from(far).unwrap_or(0))
            };
            let (x, end) = (edge(before), edge(before.saturating_add(*many)));
            let wide = end.saturating_sub(x).saturating_sub(1).max(1);
            out.push_str(&shape((x, y), (wide, ROW.saturating_sub(4)), *tone));
            let fits = |says: &String| {
                let room = u32::try_from(says.chars().count()).unwrap_or(9).saturating_mul(8);
                wide >= room
            };
            let says = [format!("{many}{sign}"), many.to_string()].into_iter().find(fits);
            if let Some(says) = says {
                let (_, ink) = tone.colours();
                let class = format!("i-{}", tone.name());
                let middle = x.saturating_add(wide / 2);
                out.push_str(&label(middle, line, "middle", ink, &class, &says));
            }
            before = before.saturating_add(*many);
        }
        let far = before.saturating_mul(room).checked_div(longest).unwrap_or(0);
        let x = LEFT.saturating_add(u32::try_from(far).unwrap_or(0)).saturating_add(6);
        out.push_str(&label(x, line, "start", "#1d2227", "ink", &before.to_string()));
    }
    (at(6, rows.len(), ROW), out)
}
