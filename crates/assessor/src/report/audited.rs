//! Reports of an audit by people: the report on compliance, from the very value whose digest reviewer and summary bind (or
//! from its redacted copy), and the summary that the entity may show to anybody.
//!
//! Our own layout. A publisher's template is filled from [`Report::fields`].

mod requirement;
mod value;

use quorate_terms::{Digest, Malformed, Timestamp};
use serde_json::{Value, json};

use self::value::{V, facts_of};
use super::figure::{Drawing, Place};
use super::redacted::flat;
use super::text::{count, day, moment};
use super::{
    Block, Card, Cell, Edition, Fact, Field, Figure, Report, Section, Sheet, Table, Tone, cite,
};
use crate::audit::Audit;
use crate::audit::personal::{self, Openings};
use crate::audit::redact::{apply, leaks};
use crate::audit::report::report as whole;
use crate::audit::signed::digest_of;
use crate::ccss::requirement::requirements;
use crate::record::Results;
use crate::standard::Catalogue;

/// What a report of an audit is made from.
pub struct Basis<'a> {
    /// The audit.
    pub audit: &'a Audit,
    /// The standard that it is about.
    pub catalogue: &'a Catalogue,
    /// The machine's findings, where there are any on record.
    pub results: Option<&'a Results>,
    /// The moment, for what may be said of a certificate.
    pub now: Timestamp,
    /// Values about people that were not erased.
    pub openings: &'a Openings,
}

/// Where the parts of a report come from.
struct Made<'a> {
    basis: &'a Basis<'a>,
    /// The report's value, or the copy with strokes, as words.
    value: Value,
    /// Digest of the whole report.
    digest: Digest,
    redacted: bool,
}

/// The report on compliance; the redacted edition is exactly the copy that the reviewer was given.
///
/// # Errors
/// [`Malformed`] when nobody was engaged yet, and for the redacted edition when there is no redaction of this report on file.
pub fn roc(basis: &Basis<'_>, redacted: bool) -> Result<Report, Malformed> {
    if basis.audit.engagement().is_none() {
        return Err(Malformed::new("audit", "has not begun", "take the step `engaged` first"));
    }
    let report = whole(basis.audit, &requirements(basis.catalogue));
    let digest = digest_of(&report)?;
    let strokes = match &basis.audit.redaction {
        _ if !redacted => Vec::new(),
        Some(redaction) if redaction.report == digest => redaction.strokes.clone(),
        _ => {
            let mend = "make one: quorate-assessor audit redact";
            return Err(Malformed::new("redaction", "of this report is not on file", mend));
        }
    };
    let open = |value: &Value| personal::read(value, basis.openings);
    let value = if redacted { flat(open(&apply(&report, &strokes)?)) } else { open(&report) };
    let made = Made { basis, value, digest, redacted };
    let mut out = made.cover();
    out.sections.push(made.parties());
    out.sections.push(made.levels());
    out.sections.push(made.environment());
    out.sections.push(made.inherited());
    let hidden = |facts: Vec<Fact>| {
        let texts: Vec<&str> = facts.iter().map(|fact| fact.value.as_str()).collect();
        if leaks(&open(&report), &strokes, &json!(texts)).is_empty() {
            return facts;
        }
        vec![Fact::new("Machine", "[redacted: repeats what was struck out]")]
    };
    out.sections.extend(requirement::sections(&made, &hidden)?);
    out.sections.extend(made.evidence());
    if let Some(results) = basis.results {
        let bytes = quorate_terms::canonical::to_bytes(results, "results")?;
        out.sections.push(cite::checkpoints(&results.heads, &Digest::sha256(&bytes)));
    }
    out.sheet = requirement::sheet(&made);
    out.fields = made.fields();
    out.fields.extend(requirement::fields(&made));
    Ok(out)
}

/// The summary on file.
///
/// # Errors
/// [`Malformed`] when none is.
pub fn summary(basis: &Basis<'_>) -> Result<Report, Malformed> {
    let Some(summary) = &basis.audit.summary else {
        let mend = "take the step `summary_written` first";
        return Err(Malformed::new("summary", "is not on file", mend));
    };
    let value = json!(summary);
    let digest = digest_of(summary)?;
    let made = Made { basis, value, digest, redacted: false };
    let mut report = made.blank("Summary report on compliance", &summary.system, summary.on);
    report.edition = Edition::Public;
    let level = |rank: u8| made.level(u64::from(rank));
    let mut facts = vec![
        Fact::new("Entity", &summary.entity),
        Fact::new("System", &summary.system),
        Fact::new("Standard", format!("{} {}", basis.catalogue.title, summary.version)),
        Fact::new("Designation", summary.designation.words()),
        Fact::new("Level sought", level(summary.sought)),
        Fact::new("Level found", level(summary.level)),
        Fact::new("Testing period", cite::period(summary.period)),
        Fact::new("Date", day(summary.on)),
        Fact::new("Auditor", &summary.auditor),
        Fact::new("Reviewer", summary.reviewer.as_deref().unwrap_or("none")),
        Fact::exact("Report", format!("sha256 {}", summary.report)),
        Fact::exact("Summary", format!("sha256 {digest}")),
    ];
    let signed: Vec<String> =
        basis.audit.signed.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
    facts.push(Fact::new(
        "Signed by",
        if signed.is_empty() { "nobody yet".to_owned() } else { signed.join(", ") },
    ));
    report.sections.push(Section::new("In short").with(Block::Facts(facts)));
    report.sections.push(
        Section::new("System and environment").with(Block::Text(summary.description.clone())),
    );
    let ranks: Vec<(String, u64)> =
        summary.aspects.iter().map(|(id, rank)| (id.clone(), u64::from(*rank))).collect();
    report.sections.push(
        Section::new("Levels").with(Block::Figure(made.ladder(&ranks, u64::from(summary.sought)))),
    );
    report.sections.extend(made.certificate());
    report.fields = facts_as_fields("summary", &facts_of(&made.value));
    report.sheet = Sheet::of(&report.fields);
    Ok(report)
}

fn facts_as_fields(prefix: &str, facts: &[Fact]) -> Vec<Field> {
    let name = |fact: &Fact| format!("{prefix}.{}", fact.label.replace(' ', "."));
    facts.iter().map(|fact| Field::new(name(fact), &fact.value)).collect()
}

impl Made<'_> {
    fn v(&self) -> V<'_> {
        V(&self.value)
    }

    /// A rank by its name.
    fn level(&self, rank: u64) -> String {
        let named = self.basis.catalogue.levels.iter().find(|level| u64::from(level.rank) == rank);
        named.map_or("none".to_owned(), |level| level.id.clone())
    }

    fn blank(&self, title: &str, subject: &str, at: Timestamp) -> Report {
        let word = self.basis.audit.word(self.basis.now);
        let tone = match word {
            "certified" | "marked" => Tone::Good,
            "assessed" => Tone::Part,
            "void" => Tone::Bad,
            _ => Tone::Wait,
        };
        let mut notices = Vec::new();
        if self.basis.audit.engagement().is_some_and(|e| e.signed_steps != Some(true)) {
            notices.push(
                "Steps were not signed: that they were taken by the people named rests on the office's word."
                    .to_owned(),
            );
        }
        if !matches!(word, "certified" | "marked") {
            notices.push(
                "No certificate in date is on file. This report certifies nothing.".to_owned(),
            );
        }
        notices.extend(self.basis.audit.void().map(|why| format!("This audit is void: {why}")));
        if !self.basis.catalogue.official {
            notices.push(self.basis.catalogue.note.clone());
        }
        Report {
            title: title.to_owned(),
            subject: subject.to_owned(),
            word: word.to_owned(),
            tone,
            at,
            edition: Edition::of(self.redacted),
            notices,
            sections: Vec::new(),
            sheet: Sheet::default(),
            fields: Vec::new(),
        }
    }

    fn cover(&self) -> Report {
        let v = self.v();
        let subject = format!("{}, system {}", v.text("/entity"), v.text("/system"));
        let at = self.basis.audit.done().last().map_or(Timestamp::ZERO, |done| done.at);
        let mut report = self.blank("Report on compliance", &subject, at);
        report.notices.push("Our own layout: it is not the publisher's form, which is filled from the named fields.".to_owned());
        if self.redacted {
            report.notices.push(
                "Redacted edition: exactly the copy that was made for peer review.".to_owned(),
            );
        }
        report
    }

    fn parties(&self) -> Section {
        let v = self.v();
        let mut rows = Vec::new();
        for role in ["entity", "implementer", "auditor", "reviewer"] {
            for party in v.list(&format!("/parties/{role}")) {
                let cell = |at: &str| Cell::new(party.text(at));
                rows.push(vec![Cell::new(role), cell("/name"), cell("/number"), cell("/firm")]);
            }
        }
        let columns = [("Role", 18), ("Name", 30), ("Number", 20), ("Organisation", 32)];
        let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
        let first = if v.text("/period/first") == "true" { "yes" } else { "no" };
        let facts = vec![
            Fact::new("Audit", v.text("/audit")),
            Fact::new(
                "Standard",
                format!("{} {}", self.basis.catalogue.title, v.text("/standard/version")),
            ),
            Fact::new("Testing period", v.period("/period/testing")),
            Fact::new("First audit", first),
            Fact::new("Evidence kept", v.text("/retention")),
            Fact::exact("Whole report", format!("sha256 {}", self.digest)),
        ];
        Section::new("Parties and period")
            .with(Block::Facts(facts))
            .with(Block::Table(Table { columns, rows }))
    }

    fn levels(&self) -> Section {
        let v = self.v();
        let mut facts = vec![
            Fact::new("Designation", v.word("/designation/is")),
            Fact::new("Level sought", self.level(v.number("/sought"))),
            Fact::new("Level found", self.level(v.number("/grade/level"))),
        ];
        if !v.text("/designation/why").is_empty() {
            facts.insert(1, Fact::new("Explanation", v.text("/designation/why")));
        }
        let mut ranks = Vec::new();
        let mut rows = Vec::new();
        for (id, aspect) in v.table("/grade/aspects") {
            let title = self.basis.catalogue.groups.iter().find(|g| g.id == id);
            // A group with no requirement above what was sought is not of that level for it.
            let level = aspect.number("/level").min(v.number("/sought"));
            ranks.push((id.clone(), level));
            rows.push(vec![
                Cell::exact(&id),
                Cell::new(title.map_or("", |g| g.title.as_str())),
                Cell::new(self.level(level)),
                requirement::status_cell(&aspect, "/status"),
                Cell::exact(aspect.text("/stops")),
            ]);
        }
        let columns =
            [("Group", 10), ("Title", 34), ("Level", 12), ("Status", 22), ("Stopped by", 22)];
        let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
        Section::new("Levels")
            .with(Block::Facts(facts))
            .with(Block::Figure(self.ladder(&ranks, v.number("/sought"))))
            .with(Block::Table(Table { columns, rows }))
    }

    /// Group by level: found or not, as far as it was sought. Of what was not sought nothing was looked at.
    fn ladder(&self, ranks: &[(String, u64)], sought: u64) -> Figure {
        let levels = &self.basis.catalogue.levels;
        let place = |found: u64, rank: u64| match (rank > sought, found >= rank) {
            (true, _) => Place { text: "not sought".to_owned(), tone: Tone::Faint },
            (false, true) => Place { text: "found".to_owned(), tone: Tone::Good },
            (false, false) => Place { text: "not found".to_owned(), tone: Tone::Bad },
        };
        let row = |(id, found): &(String, u64)| {
            let title = self.basis.catalogue.groups.iter().find(|g| g.id == *id);
            let title = format!("{id} {}", title.map_or("", |g| g.title.as_str()));
            (title, levels.iter().map(|level| place(*found, u64::from(level.rank))).collect())
        };
        let told = ranks.iter().map(|(id, found)| format!("{id}: {}", self.level(*found)));
        Figure {
            title: "Levels found, by group. The system has the lowest.".to_owned(),
            alt: told.collect::<Vec<_>>().join(". "),
            drawing: Drawing::Matrix {
                columns: levels.iter().map(|level| format!("Level {}", level.id)).collect(),
                rows: ranks.iter().map(row).collect(),
            },
        }
    }

    fn environment(&self) -> Section {
        let v = self.v();
        let mut section = Section::new("Trusted environment");
        if v.at("/scope").is_none() {
            return section.with(Block::Text("The scope has not been set.".to_owned()));
        }
        for system in v.list("/scope/systems") {
            let lines = |at: &str| system.text(&format!("/environment/{at}"));
            let facts = vec![
                Fact::new("Description", system.text("/description")),
                Fact::new("Level sought", self.level(system.number("/sought"))),
                Fact::new("People", lines("people")),
                Fact::new("Processes", lines("processes")),
                Fact::new("Technology", lines("technology")),
                Fact::new("Validated by", lines("validated/by")),
                Fact::new("Validated", system.moment("/environment/validated/at")),
                Fact::new("From", lines("validated/sources")),
            ];
            section.blocks.push(Block::Heading(system.text("/name")));
            section.blocks.push(Block::Facts(facts));
            section.blocks.push(exclusions(&system));
            section.blocks.push(inventory(&system));
        }
        section
    }

    fn inherited(&self) -> Section {
        let v = self.v();
        let mut rows = Vec::new();
        for (id, share) in v.table("/inherited/shares") {
            rows.push(vec![
                Cell::exact(id),
                Cell::new(share.word("/owner")),
                requirement::status_cell(&share, "/inherited"),
            ]);
        }
        let section = Section::new("Inherited from providers");
        if rows.is_empty() {
            return section.with(Block::Text("Nothing is inherited.".to_owned()));
        }
        let until = |(name, at): (String, V<'_>)| {
            Fact::new(name, format!("certificate until {}", at.moment("")))
        };
        let providers = v.table("/inherited/providers").into_iter().map(until).collect();
        let columns = [("Requirement", 20), ("Owner", 30), ("Provider's status", 50)];
        let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
        section.with(Block::Facts(providers)).with(Block::Table(Table { columns, rows }))
    }

    /// Everything on file, by tag; samples; the certificate.
    fn evidence(&self) -> Vec<Section> {
        let v = self.v();
        let exhibits = v.table("/exhibits");
        let many = u64::try_from(exhibits.len()).unwrap_or(0);
        let mut section = Section::new("Evidence on file")
            .with(Block::Text(format!("{} on file.", count(many, "exhibit", "exhibits"))));
        let struck = v.text("/struck");
        for (tag, exhibit) in exhibits {
            let gone = struck.split(", ").any(|one| one == tag);
            section.blocks.push(Block::Card(Card {
                title: exhibit.kind("/item"),
                word: if gone { "struck, not to be cited" } else { "on file" }.to_owned(),
                tone: if gone { Tone::Bad } else { Tone::Faint },
                facts: facts_of(exhibit.0),
                id: tag,
            }));
        }
        let mut sections = vec![section];
        let samples = v.table("/samples");
        if !samples.is_empty() {
            let mut section = Section::new("Samples");
            for (name, sample) in samples {
                section.blocks.push(Block::Heading(name));
                section.blocks.push(Block::Facts(facts_of(sample.0)));
            }
            sections.push(section);
        }
        sections.extend(self.certificate());
        sections
    }

    fn certificate(&self) -> Option<Section> {
        let held = self.basis.audit.certificate()?;
        let facts = vec![
            Fact::new("Number", &held.number),
            Fact::new("Level", self.level(u64::from(held.level))),
            Fact::new(
                "Valid",
                format!("{} to {}", moment(held.valid_from), moment(held.valid_until)),
            ),
            Fact::exact("Rests on", format!("summary sha256 {}", held.summary)),
        ];
        // A certificate names entity and system, which a redacted copy may not.
        Some(Section::new("Certificate on file").with(Block::Facts(facts)))
    }

    fn fields(&self) -> Vec<Field> {
        let v = self.v();
        let mut fields = vec![
            Field::new("report.sha256", self.digest.to_string()),
            Field::new("entity", v.text("/entity")),
            Field::new("system", v.text("/system")),
            Field::new("standard", v.text("/standard/id")),
            Field::new("version", v.text("/standard/version")),
            Field::new("designation", v.word("/designation/is")),
            Field::new("designation.explanation", v.text("/designation/why")),
            Field::new("period.from", v.moment("/period/testing/from")),
            Field::new("period.to", v.moment("/period/testing/to")),
            Field::new("level.sought", self.level(v.number("/sought"))),
            Field::new("level.found", self.level(v.number("/grade/level"))),
            Field::new("retention", v.text("/retention")),
        ];
        for role in ["entity", "implementer", "auditor", "reviewer"] {
            for (place, party) in v.list(&format!("/parties/{role}")).iter().enumerate() {
                for what in ["name", "number", "firm"] {
                    let name = format!("party.{role}.{}.{what}", place.saturating_add(1));
                    fields.push(Field::new(name, party.text(&format!("/{what}"))));
                }
            }
        }
        for (id, aspect) in v.table("/grade/aspects") {
            fields.push(Field::new(
                format!("aspect.{id}.level"),
                self.level(aspect.number("/level")),
            ));
            fields.push(Field::new(
                format!("aspect.{id}.status"),
                requirement::status_words(&aspect, "/status"),
            ));
        }
        for (tag, exhibit) in v.table("/exhibits") {
            fields.extend(facts_as_fields(&format!("evidence.{tag}"), &facts_of(exhibit.0)));
        }
        fields
    }
}

fn exclusions(system: &V<'_>) -> Block {
    let row = |x: &V<'_>| vec![Cell::new(x.text("/what")), Cell::new(x.text("/why"))];
    let rows: Vec<_> = system.list("/environment/exclusions").iter().map(row).collect();
    if rows.is_empty() {
        return Block::Text("Nothing was left out.".to_owned());
    }
    let columns = vec![("Left out".to_owned(), 40), ("Why".to_owned(), 60)];
    Block::Table(Table { columns, rows })
}

fn inventory(system: &V<'_>) -> Block {
    let parts = ["/name", "/kind", "/place", "/class", "/criticality", "/holders"];
    let row = |x: &V<'_>| parts.iter().map(|at| Cell::new(x.text(at))).collect();
    let columns = [
        ("Key material", 22),
        ("Kind", 14),
        ("Place", 20),
        ("Class", 12),
        ("Critical", 13),
        ("Holders", 19),
    ];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    Block::Table(Table { columns, rows: system.list("/inventory").iter().map(row).collect() })
}
