//! How a deployment stands against a standard with levels: the readiness report, and the same for the wallet standard's draft.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed};

use super::cite;
use super::figure::{Drawing, Place};
use super::redacted::Source;
use super::text::{count, moment};
use super::{Block, Card, Cell, Edition, Fact, Field, Figure, Report, Section, Sheet, Table, Tone};
use crate::finding::{Finding, State};
use crate::standard::catalogue::{Catalogue, Control};
use crate::standard::{Automation, Decision, Library};

/// What a report of findings is made from.
pub struct Basis<'a> {
    /// The standards.
    pub library: &'a Library,
    /// The one that was assessed.
    pub catalogue: &'a Catalogue,
    /// Findings and plan; a copy with strokes, for the redacted edition.
    source: Source,
    /// Digests of the findings themselves, by control.
    digests: BTreeMap<String, Digest>,
    /// Digest of the results file.
    results: Digest,
    redacted: bool,
}

impl<'a> Basis<'a> {
    /// Takes findings, or the copy of them that others may read.
    ///
    /// # Errors
    /// [`Malformed`] when the findings are not one for each control of the catalogue, or as [`Source::redacted`].
    pub fn new(
        library: &'a Library,
        catalogue: &'a Catalogue,
        source: Source,
        redacted: bool,
    ) -> Result<Self, Malformed> {
        let found: Vec<&str> =
            source.results.findings.iter().map(|f| f.control.id.as_str()).collect();
        let asked: Vec<&str> = catalogue.controls.iter().map(|c| c.id.as_str()).collect();
        if found != asked || source.results.catalogue != catalogue.digest()? {
            let mend = "assess again with the standards as they are";
            return Err(Malformed::new("results", "are of another text of the standard", mend));
        }
        let digest = |f: &Finding| Ok((f.control.id.clone(), cite::digest(f)?));
        let digests =
            source.results.findings.iter().map(digest).collect::<Result<_, Malformed>>()?;
        let bytes = quorate_terms::canonical::to_bytes(&source.results, "results")?;
        let source = if redacted { source.redacted()? } else { source };
        Ok(Self { library, catalogue, source, digests, results: Digest::sha256(&bytes), redacted })
    }

    /// Findings and plan, as they may be shown.
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// Each control with its finding.
    pub fn controls(&self) -> impl Iterator<Item = (&Control, &Finding)> {
        self.catalogue.controls.iter().zip(&self.source.results.findings)
    }

    pub(super) fn decision(&self, finding: &Finding) -> Option<&Decision> {
        self.library.decisions.get(&finding.control)
    }

    pub(super) fn cited(&self, finding: &Finding) -> Vec<Fact> {
        let own = self.digests.get(&finding.control.id).copied().unwrap_or(Digest::ZERO);
        cite::facts(finding, &own)
    }

    /// Everything of a report but its sections, sheet and title.
    pub(super) fn report(&self, title: String, word: (String, Tone)) -> Report {
        let results = &self.source.results;
        let mut notices = vec![
            "Assessed, not certified: only a registrar's signed certificate says more. Nothing is met by silence.".to_owned(),
        ];
        if !self.catalogue.official {
            notices.push(self.catalogue.note.clone());
        }
        if self.redacted {
            let told = "Redacted edition: words that tell of single rows, and names of people, are struck out. Digests are those of the full findings.";
            notices.push(told.to_owned());
        }
        Report {
            title,
            subject: format!(
                "{} {}, {}",
                self.catalogue.title,
                self.catalogue.version,
                books(self)
            ),
            word: word.0,
            tone: word.1,
            at: results.at,
            edition: Edition::of(self.redacted),
            notices,
            sections: Vec::new(),
            sheet: Sheet::default(),
            fields: Vec::new(),
        }
    }

    pub(super) fn checkpoints(&self) -> Section {
        cite::checkpoints(&self.source.results.heads, &self.results)
    }
}

fn books(basis: &Basis<'_>) -> String {
    let books = u64::try_from(basis.source.results.heads.len()).unwrap_or(0);
    format!("over {}", count(books, "book", "books"))
}

/// The readiness report, or under another title the report on the draft of the wallet standard.
pub fn report(basis: &Basis<'_>, title: &str) -> Report {
    let mut report = basis.report(title.to_owned(), word(basis));
    report.sections.push(short(basis));
    if !basis.catalogue.levels.is_empty() {
        report.sections.push(levels(basis));
    }
    report.sections.push(coverage(basis));
    report.sections.extend(groups(basis));
    report.sections.push(basis.checkpoints());
    report.sheet = sheet(basis);
    report.fields = fields(basis);
    report
}

/// Ready or not for the level that was sought. It is never the word of a registrar.
fn word(basis: &Basis<'_>) -> (String, Tone) {
    let results = &basis.source.results;
    let rank = |level: &Option<String>| basis.catalogue.rank(level.as_deref());
    match (&results.sought, &results.reached.overall) {
        (Some(sought), _) if rank(&results.reached.overall) >= rank(&results.sought) => {
            (format!("ready for level {sought}"), Tone::Good)
        }
        (Some(sought), _) => (format!("not ready for level {sought}"), Tone::Bad),
        (None, Some(level)) => (format!("assessed: level {level} shown"), Tone::Part),
        (None, None) => ("assessed: no level shown".to_owned(), Tone::Wait),
    }
}

/// How many findings stand how.
pub fn counts<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeMap<State, u64> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        let many: &mut u64 = counts.entry(finding.state).or_default();
        *many = many.saturating_add(1);
    }
    counts
}

fn short(basis: &Basis<'_>) -> Section {
    let results = &basis.source.results;
    let level = |level: &Option<String>| level.clone().unwrap_or_else(|| "none".to_owned());
    let mut facts = vec![
        Fact::new("Standard", format!("{} {}", basis.catalogue.title, basis.catalogue.version)),
        Fact::new("Publisher", &basis.catalogue.publisher),
        Fact::exact("Text used", format!("catalogue {}", results.catalogue)),
    ];
    if !basis.catalogue.levels.is_empty() {
        let sought = results.sought.clone().unwrap_or_else(|| "every level".to_owned());
        facts.push(Fact::new("Level sought", sought));
        facts.push(Fact::new("Level shown", level(&results.reached.overall)));
    }
    facts.push(Fact::new("Period", cite::period(results.period)));
    facts.push(Fact::new("Assessed", moment(results.at)));
    let counts = counts(results.findings.iter());
    let row = |state: State| {
        let many = counts.get(&state).copied().unwrap_or(0);
        vec![Cell::state(state), Cell::new(many.to_string()), Cell::new(meaning(state))]
    };
    let columns =
        vec![("State".to_owned(), 26), ("Controls".to_owned(), 12), ("Meaning".to_owned(), 62)];
    let rows = State::ALL.into_iter().map(row).collect();
    let total = u64::try_from(results.findings.len()).unwrap_or(u64::MAX);
    Section::new("In short")
        .with(Block::Facts(facts))
        .with(Block::Text(format!(
            "{} in all. There is no score.",
            count(total, "control", "controls")
        )))
        .with(Block::Table(Table { columns, rows }))
}

const fn meaning(state: State) -> &'static str {
    match state {
        State::Met => "everything that the control asks is shown",
        State::MetComparable => "another control protects as well, with its rationale on file",
        State::Qualified => "met as far as this system goes; the rest is the customer's",
        State::EvidencedNotApplicable => "shown that nothing here falls under it",
        State::Gap => "shown not to be so",
        State::Stale => "was shown once, by evidence that has expired",
        State::Unproven => "not shown: not recorded, not attested, or the question failed",
        State::NotSought => "of a level above the one sought; counts for nothing",
    }
}

fn levels(basis: &Basis<'_>) -> Section {
    let results = &basis.source.results;
    let rows = results.reached.groups.iter().map(|group| {
        let title = basis.catalogue.groups.iter().find(|g| g.id == group.group);
        let stops = group.stopped_by.join(", ");
        vec![
            Cell::exact(&group.group),
            Cell::new(title.map_or("", |g| g.title.as_str())),
            Cell::new(group.level.as_deref().unwrap_or("none")),
            Cell::exact(stops),
        ]
    });
    let columns = [("Group", 10), ("Title", 36), ("Level", 12), ("Stopped by", 42)];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    let rule = basis.catalogue.level_rule.clone().unwrap_or_default();
    Section::new("Levels")
        .with(Block::Text(rule))
        .with(Block::Figure(matrix(basis)))
        .with(Block::Table(Table { columns, rows: rows.collect() }))
}

/// Group by level: how many of the controls asked there pass.
fn matrix(basis: &Basis<'_>) -> Figure {
    let place = |group: &str, level: &str| {
        let of = basis.controls().filter(|(control, _)| {
            control.group == group && control.level.as_deref() == Some(level)
        });
        let states: Vec<State> = of.map(|(_, finding)| finding.state).collect();
        let passed = |state: &&State| {
            matches!(state, State::Met | State::MetComparable | State::EvidencedNotApplicable)
        };
        let (many, all) = (states.iter().filter(passed).count(), states.len());
        if states.is_empty() {
            return Place { text: "nothing asked".to_owned(), tone: Tone::Faint };
        }
        if states.iter().all(|state| *state == State::NotSought) {
            return Place { text: "not sought".to_owned(), tone: Tone::Faint };
        }
        let gap = states.contains(&State::Gap);
        let tone = if many == all {
            Tone::Good
        } else if gap {
            Tone::Bad
        } else {
            Tone::Wait
        };
        Place { text: format!("{many} of {all}"), tone }
    };
    let columns: Vec<String> =
        basis.catalogue.levels.iter().map(|level| format!("Level {}", level.id)).collect();
    let rows: Vec<(String, Vec<Place>)> = basis
        .catalogue
        .groups
        .iter()
        .map(|group| {
            let places = basis.catalogue.levels.iter().map(|level| place(&group.id, &level.id));
            (format!("{} {}", group.id, group.title), places.collect())
        })
        .collect();
    let told = |(title, places): &(String, Vec<Place>)| {
        let places: Vec<String> =
            places.iter().zip(&columns).map(|(place, c)| format!("{c} {}", place.text)).collect();
        format!("{title}: {}", places.join(", "))
    };
    Figure {
        title: "Controls shown at each level. Green: all; red: a gap among them; yellow: not all shown.".to_owned(),
        alt: rows.iter().map(told).collect::<Vec<_>>().join(". "),
        drawing: Drawing::Matrix { columns, rows },
    }
}

/// One bar a row: how many controls stand how.
pub fn bars(title: &str, rows: Vec<(String, BTreeMap<State, u64>)>) -> Figure {
    let sign = |state: State| match state {
        State::Met => " met",
        State::MetComparable => " comparable",
        State::Qualified => " qualified",
        State::EvidencedNotApplicable => " n/a",
        State::Gap => " gap",
        State::Stale => " stale",
        State::Unproven => " unproven",
        State::NotSought => " not sought",
    };
    let told = rows.iter().map(|(title, counts)| {
        let counts: Vec<String> =
            counts.iter().map(|(state, many)| format!("{many} {}", state.words())).collect();
        format!("{title}: {}", counts.join(", "))
    });
    let alt = told.collect::<Vec<_>>().join(". ");
    let cut = |(title, counts): (String, BTreeMap<State, u64>)| {
        let part = |state: State| {
            let many = counts.get(&state).copied().unwrap_or(0);
            (sign(state).to_owned(), Tone::from(state), many)
        };
        (title, State::ALL.into_iter().map(part).collect())
    };
    let drawing = Drawing::Bars { rows: rows.into_iter().map(cut).collect() };
    Figure { title: title.to_owned(), alt, drawing }
}

fn coverage(basis: &Basis<'_>) -> Section {
    let by_group = basis.catalogue.groups.iter().map(|group| {
        let of = basis.controls().filter(|(control, _)| control.group == group.id);
        (format!("{} {}", group.id, group.title), counts(of.map(|(_, finding)| finding)))
    });
    let ways = [
        ("by the ledger alone", Some(Automation::Ledger)),
        ("by captured configuration", Some(Automation::Configuration)),
        ("by records and people", Some(Automation::Hybrid)),
        ("by people", Some(Automation::Human)),
        ("through other standards", None),
    ];
    let by_way = ways.into_iter().map(|(title, way)| {
        let of =
            basis.source.results.findings.iter().filter(|finding| {
                basis.decision(finding).map(|decision| decision.automation) == way
            });
        (title.to_owned(), counts(of))
    });
    let by_way = by_way.filter(|(_, counts)| !counts.is_empty()).collect();
    let encoded = basis.source.results.findings.iter().filter(|finding| finding.machine.is_some());
    let encoded = u64::try_from(encoded.count()).unwrap_or(0);
    Section::new("Coverage")
        .with(Block::Text(format!(
            "{} decided by queries over verified entries in this run; all else is a person's, or not yet recorded.",
            count(encoded, "control was", "controls were")
        )))
        .with(Block::Figure(bars("Controls of each group, by state", by_group.collect())))
        .with(Block::Figure(bars("Controls by how they are decided", by_way)))
}

fn groups<'a>(basis: &'a Basis<'_>) -> impl Iterator<Item = Section> + 'a {
    basis.catalogue.groups.iter().map(|group| {
        let mut section = Section::new(format!("{} {}", group.id, group.title));
        if let Some(scope) = &group.scope {
            section.blocks.push(Block::Text(scope.clone()));
        }
        let of = basis.controls().filter(|(control, _)| control.group == group.id);
        section
            .blocks
            .extend(of.map(|(control, finding)| Block::Card(card(basis, control, finding))));
        section
    })
}

fn card(basis: &Basis<'_>, control: &Control, finding: &Finding) -> Card {
    let mut facts = vec![Fact::new("Asks", &control.text)];
    for criterion in &control.criteria {
        facts.push(Fact::new("", criterion));
    }
    if let Some(level) = &control.level {
        facts.push(Fact::new("Level", level));
    }
    facts.push(Fact::new("Stands at", &control.citation));
    if let Some(decision) = basis.decision(finding) {
        facts.push(Fact::new("Decided by", decision.automation.word()));
        if let Some(predicate) = &decision.predicate {
            facts.push(Fact::new("Question", predicate));
        }
        if let Some(human) = &decision.human {
            facts.push(Fact::new("People show", human));
        }
    }
    if matches!(finding.state, State::Unproven | State::Stale | State::Gap) {
        facts.extend(control.guided().map(|(label, said)| Fact::new(label, said)));
    }
    if finding.state != State::NotSought {
        facts.extend(basis.cited(finding));
    } else {
        facts.extend(finding.reasons.iter().map(|reason| Fact::new("Because", reason)));
    }
    Card {
        id: control.id.clone(),
        title: control.title.clone(),
        word: finding.state.words().to_owned(),
        tone: finding.state.into(),
        facts,
    }
}

const COLUMNS: [&str; 16] = [
    "standard",
    "version",
    "control",
    "title",
    "group",
    "level",
    "state",
    "reasons",
    "query",
    "population",
    "exceptions",
    "entries",
    "evidence",
    "period",
    "verified under",
    "finding sha256",
];

fn sheet(basis: &Basis<'_>) -> Sheet {
    let mut sheet = Sheet::new(&COLUMNS);
    for (control, finding) in basis.controls() {
        let part = finding.machine.as_ref();
        let tags: Vec<&str> = finding.evidence.iter().map(|e| e.tag.as_str()).collect();
        let of = |value: Option<String>| value.unwrap_or_default();
        let heads = part.map(|part| {
            let head = |h: &crate::finding::Head| format!("{}@{} {}", h.book, h.size, h.root);
            part.heads.iter().map(head).collect::<Vec<_>>().join("; ")
        });
        sheet.rows.push(vec![
            finding.control.standard.clone(),
            finding.control.version.clone(),
            control.id.clone(),
            control.title.clone(),
            control.group.clone(),
            control.level.clone().unwrap_or_default(),
            finding.state.words().to_owned(),
            finding.reasons.join("; "),
            of(part.map(|part| part.query.to_string())),
            of(part.map(|part| part.population.to_string())),
            of(part.map(|part| part.exceptions.to_string())),
            of(part.map(|part| cite::entries(&part.cited).join("; "))),
            tags.join(" "),
            cite::period(finding.period),
            of(heads),
            of(basis.digests.get(&control.id).map(ToString::to_string)),
        ]);
    }
    sheet
}

fn fields(basis: &Basis<'_>) -> Vec<Field> {
    let results = &basis.source.results;
    let level = |level: &Option<String>| level.clone().unwrap_or_else(|| "none".to_owned());
    let mut fields = vec![
        Field::new("standard", &basis.catalogue.id),
        Field::new("version", &basis.catalogue.version),
        Field::new("assessed", moment(results.at)),
        Field::new("period.from", moment(results.period.from)),
        Field::new("period.to", moment(results.period.to)),
        Field::new("level.sought", level(&results.sought)),
        Field::new("level.shown", level(&results.reached.overall)),
        Field::new("results.sha256", basis.results.to_string()),
    ];
    for group in &results.reached.groups {
        fields.push(Field::new(format!("group.{}.level", group.group), level(&group.level)));
    }
    for (control, finding) in basis.controls() {
        let name = |what: &str| format!("control.{}.{what}", control.id);
        fields.push(Field::new(name("state"), finding.state.words()));
        fields.push(Field::new(name("reasons"), finding.reasons.join("; ")));
    }
    fields
}
