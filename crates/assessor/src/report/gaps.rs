//! Gaps and their remedy: every control that does not pass, what is missing, who mends it and by when.

use super::redacted::Source;
use super::standing::{Basis, counts};
use super::text::{count, day};
use super::{Block, Card, Cell, Fact, Field, Report, Section, Sheet, Table, Tone};
use crate::finding::{Finding, State};
use crate::standard::catalogue::Control;

/// States that need a remedy, worst first.
const OPEN: [(State, &str); 3] = [
    (State::Gap, "Gaps: shown not to be so"),
    (State::Stale, "Stale: to be shown again"),
    (State::Unproven, "Unproven: to be shown"),
];
/// What stands where nobody was named.
const NOBODY: &str = "nobody yet";
const NO_DAY: &str = "no day yet";

/// One line of the plan with its control.
struct Open<'a> {
    control: &'a Control,
    finding: &'a Finding,
    owner: &'a str,
    due: &'a str,
    action: Option<&'a str>,
    late: bool,
}

/// The report.
pub fn report(basis: &Basis<'_>) -> Report {
    let all = open(basis);
    let gaps = all.iter().filter(|open| open.finding.state == State::Gap).count();
    let word = match (gaps, all.len()) {
        (_, 0) => ("nothing open".to_owned(), Tone::Good),
        (0, many) => (format!("no gap shown, {many} not shown to be met"), Tone::Wait),
        (gaps, many) => (format!("{gaps} of {many} open are gaps"), Tone::Bad),
    };
    let mut report = basis.report("Gaps and remediation plan".to_owned(), word);
    report.sections.push(short(basis, &all));
    report.sections.push(dates(&all));
    for (state, title) in OPEN {
        let mut section = Section::new(title);
        let of = all.iter().filter(|open| open.finding.state == state);
        section.blocks.extend(of.map(|open| Block::Card(card(basis, open))));
        if !section.blocks.is_empty() {
            report.sections.push(section);
        }
    }
    if let Some(section) = done(basis, &all) {
        report.sections.push(section);
    }
    report.sections.push(basis.checkpoints());
    report.sheet = sheet(&all);
    report.fields = fields(&all);
    report
}

fn open<'a>(basis: &'a Basis<'_>) -> Vec<Open<'a>> {
    let Source { results, plan } = basis.source();
    let today = day(results.at);
    let mut all: Vec<Open<'a>> = basis
        .controls()
        .filter(|(_, finding)| OPEN.iter().any(|(state, _)| *state == finding.state))
        .map(|(control, finding)| {
            let step = plan.of(&control.id);
            Open {
                control,
                finding,
                owner: step.map_or(NOBODY, |step| step.owner.as_str()),
                due: step.map_or(NO_DAY, |step| step.due.as_str()),
                action: step.map(|step| step.action.as_str()),
                late: step.is_some_and(|step| step.due < today),
            }
        })
        .collect();
    let worst = |state: State| OPEN.iter().position(|(open, _)| *open == state);
    all.sort_by_key(|open| {
        (worst(open.finding.state), basis.catalogue.rank(open.control.level.as_deref()))
    });
    all
}

fn short(basis: &Basis<'_>, all: &[Open<'_>]) -> Section {
    let many = |is: &dyn Fn(&&Open<'_>) -> bool| {
        let many = u64::try_from(all.iter().filter(is).count()).unwrap_or(u64::MAX);
        count(many, "control", "controls")
    };
    let counts = counts(all.iter().map(|open| open.finding));
    let mut facts: Vec<Fact> = OPEN
        .iter()
        .map(|(state, _)| {
            let many = counts.get(state).copied().unwrap_or(0);
            Fact::new(state.words(), count(many, "control", "controls"))
        })
        .collect();
    facts.push(Fact::new("with an owner", many(&|open| open.owner != NOBODY)));
    facts.push(Fact::new("with no owner", many(&|open| open.owner == NOBODY)));
    facts.push(Fact::new("overdue", many(&|open| open.late)));
    let sought = basis.source().results.sought.clone().unwrap_or_else(|| "every level".to_owned());
    facts.push(Fact::new("Level sought", sought));
    Section::new("In short").with(Block::Facts(facts))
}

fn dates(all: &[Open<'_>]) -> Section {
    let row = |open: &Open<'_>| {
        let due = if open.late { format!("{} (overdue)", open.due) } else { open.due.to_owned() };
        let due = if open.late { Cell::toned(due, Tone::Bad) } else { Cell::new(due) };
        vec![
            Cell::exact(&open.control.id),
            Cell::new(&open.control.title),
            Cell::new(open.control.level.as_deref().unwrap_or("")),
            Cell::state(open.finding.state),
            Cell::new(open.owner),
            due,
        ]
    };
    let columns =
        [("Control", 14), ("Title", 36), ("Level", 11), ("State", 12), ("Owner", 15), ("Due", 16)];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    Section::new("Owners and dates")
        .with(Block::Table(Table { columns, rows: all.iter().map(row).collect() }))
}

fn card(basis: &Basis<'_>, open: &Open<'_>) -> Card {
    let mut facts = vec![Fact::new("Asks", &open.control.text)];
    let decision = basis.decision(open.finding);
    let remedies = [
        ("To do", open.action),
        ("People show", decision.and_then(|d| d.human.as_deref())),
        ("Met here by", decision.and_then(|d| d.satisfied_by.as_deref())),
    ];
    let said = remedies.into_iter().filter_map(|(label, said)| Some(Fact::new(label, said?)));
    facts.push(Fact::new("Owner", open.owner));
    facts.push(Fact::new("Due", open.due));
    facts.extend(said);
    facts.extend(open.control.guided().map(|(label, said)| Fact::new(label, said)));
    facts.extend(basis.cited(open.finding));
    Card {
        id: open.control.id.clone(),
        title: open.control.title.clone(),
        word: open.finding.state.words().to_owned(),
        tone: open.finding.state.into(),
        facts,
    }
}

/// Steps of the plan whose control passes by now.
fn done(basis: &Basis<'_>, all: &[Open<'_>]) -> Option<Section> {
    let done = basis
        .source()
        .plan
        .steps
        .iter()
        .filter(|step| !all.iter().any(|open| open.control.id == step.control));
    let row = |step: &super::plan::Step| {
        vec![
            Cell::exact(&step.control),
            Cell::new(&step.owner),
            Cell::new(&step.due),
            Cell::new(&step.action),
        ]
    };
    let rows: Vec<_> = done.map(row).collect();
    let columns = [("Control", 14), ("Owner", 16), ("Due", 14), ("To do", 56)];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    let table = Block::Table(Table { columns, rows: rows.clone() });
    (!rows.is_empty()).then(|| Section::new("Planned, and no longer open").with(table))
}

fn sheet(all: &[Open<'_>]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "control", "title", "level", "state", "missing", "owner", "due", "overdue", "action",
    ]);
    for open in all {
        sheet.rows.push(vec![
            open.control.id.clone(),
            open.control.title.clone(),
            open.control.level.clone().unwrap_or_default(),
            open.finding.state.words().to_owned(),
            open.finding.reasons.join("; "),
            open.owner.to_owned(),
            open.due.to_owned(),
            if open.late { "yes" } else { "no" }.to_owned(),
            open.action.unwrap_or_default().to_owned(),
        ]);
    }
    sheet
}

fn fields(all: &[Open<'_>]) -> Vec<Field> {
    let of = |open: &Open<'_>| {
        let name = |what: &str| format!("control.{}.{what}", open.control.id);
        [
            Field::new(name("state"), open.finding.state.words()),
            Field::new(name("owner"), open.owner),
            Field::new(name("due"), open.due),
            Field::new(name("action"), open.action.unwrap_or_default()),
        ]
    };
    all.iter().flat_map(of).collect()
}
