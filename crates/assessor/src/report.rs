//! What a report says, before anyone decides how it looks.
//!
//! A [`Report`] is a value: sections of text, facts, tables, figures and cards. Builders make it from findings that are on
//! record; renderers make HTML, Typst markup and CSV from it. Equal findings give equal bytes. Nothing here counts in
//! hundredths: how far a deployment is, is said in numbers of controls.
//!
//! Reading order: outside text made safe to show ([`text`]); how a finding is traced ([`cite`]); the copy without what others
//! may not read ([`redacted`]); who mends what until when ([`plan`]); the reports ([`standing`], [`regulators`], [`gaps`],
//! [`audited`]); drawings ([`figure`]); the forms ([`html`], [`typst`], [`sheet`]).

pub mod text;

pub mod cite;
pub mod plan;
pub mod redacted;

pub mod audited;
pub mod gaps;
pub mod regulators;
pub mod standing;

pub mod figure;

pub mod html;
pub mod sheet;
pub mod typst;

use quorate_terms::Timestamp;
use serde::Serialize;

use crate::finding::State;
pub use figure::Figure;
pub use sheet::Sheet;

/// One report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// What it is called.
    pub title: String,
    /// What it is about, in one line.
    pub subject: String,
    /// The one word or few that may be said of it.
    pub word: String,
    /// How that word stands.
    pub tone: Tone,
    /// Its date: the moment of the findings, so that the same findings give the same report.
    pub at: Timestamp,
    /// For whom it is.
    pub edition: Edition,
    /// What a reader must know first.
    pub notices: Vec<String>,
    /// In reading order.
    pub sections: Vec<Section>,
    /// The same as rows: one for each control.
    pub sheet: Sheet,
    /// Named values for a publisher's own template, as `docs/spec/report.md` lists them.
    pub fields: Vec<Field>,
}

/// For whom a report is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    /// Everything, for those who may read everything.
    Full,
    /// Values were struck out.
    Redacted,
    /// It was written for anybody.
    Public,
}

impl Edition {
    /// Of a report that exists with and without strokes.
    pub const fn of(redacted: bool) -> Self {
        if redacted { Self::Redacted } else { Self::Full }
    }

    /// As it stands at the head of each page.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Full => "full edition, confidential",
            Self::Redacted => "redacted edition",
            Self::Public => "for anybody, nothing in it is confidential",
        }
    }
}

/// One named value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Field {
    /// Its name: words with dots between them.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A part of a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A title within the section.
    Heading(String),
    /// Labels with values.
    Facts(Vec<Fact>),
    /// Rows and columns.
    Table(Table),
    /// A drawing.
    Figure(Figure),
    /// One control.
    Card(Card),
}

/// A label with its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fact {
    /// The label; empty where the value goes on from the line above.
    pub label: String,
    /// The value.
    pub value: String,
    /// Whether each character counts: digests, queries, names of entries.
    pub exact: bool,
}

/// Rows and columns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Table {
    /// Titles, each with its share of the width.
    pub columns: Vec<(String, u8)>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How it stands, for a state.
    pub tone: Option<Tone>,
    /// Whether each character counts.
    pub exact: bool,
}

/// One control with its finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Card {
    /// The control's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How it stands, in words.
    pub word: String,
    /// How it stands.
    pub tone: Tone,
    /// Everything else.
    pub facts: Vec<Fact>,
}

/// How something stands, for the eye. The words always stand beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Shown.
    Good,
    /// Shown in another way or in part.
    Part,
    /// Shown not to be so.
    Bad,
    /// Not shown.
    Wait,
    /// Not asked.
    Faint,
}

impl Tone {
    /// Every tone.
    pub const ALL: [Self; 5] = [Self::Good, Self::Part, Self::Bad, Self::Wait, Self::Faint];

    /// Its name in style sheets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Part => "part",
            Self::Bad => "bad",
            Self::Wait => "wait",
            Self::Faint => "faint",
        }
    }
}

impl From<State> for Tone {
    fn from(state: State) -> Self {
        match state {
            State::Met => Self::Good,
            State::MetComparable | State::Qualified | State::EvidencedNotApplicable => Self::Part,
            State::Gap => Self::Bad,
            State::Stale | State::Unproven => Self::Wait,
            State::NotSought => Self::Faint,
        }
    }
}

impl Section {
    /// A section with nothing in it yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), blocks: Vec::new() }
    }

    /// The same with one more piece.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

impl Fact {
    /// Words.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), exact: false }
    }

    /// A value of which each character counts.
    pub fn exact(label: impl Into<String>, value: impl ToString) -> Self {
        Self { label: label.into(), value: value.to_string(), exact: true }
    }
}

impl Cell {
    /// Words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: None, exact: false }
    }

    /// A value of which each character counts.
    pub fn exact(text: impl ToString) -> Self {
        Self { text: text.to_string(), tone: None, exact: true }
    }

    /// A state in its words.
    pub fn state(state: State) -> Self {
        Self { text: state.words().to_owned(), tone: Some(state.into()), exact: false }
    }

    /// A word in a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone: Some(tone), exact: false }
    }
}

impl Field {
    /// One named value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

#[cfg(test)]
mod tests;
