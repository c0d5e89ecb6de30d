//! Looking closer: one control whole, the entries behind its finding with their proofs, and how findings changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quorate_assessor::assess;
use quorate_assessor::evidence::{Answer, NoAnswer, Rows as _};
use quorate_assessor::finding::{EntryRef, Finding, State};
use quorate_assessor::record::Record;
use quorate_assessor::standard::{ControlKey, StandardKey};
use quorate_host::Fault;
use quorate_host::ui::{Table, Ui};
use quorate_terms::Timestamp;
use serde_json::json;

use crate::book::Copy;
use crate::commands::control_key;
use crate::home::{self, Home};
use crate::library::Shelf;
use crate::office::Office;
use crate::run::{self, Asked, Evidence, Run};
use crate::screen::{self, Screen, tone};
use crate::trouble::{Done, Trouble};
use crate::trust::{BookId, Trust};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Days of the strip that `show` prints.
pub(crate) const STRIP_DAYS: u32 = 30;
/// Rows of an answer that are shown.
const ROWS_SHOWN: usize = 50;

/// One control as it stands now, with what was asked to know it.
pub(crate) struct Looked {
    pub(crate) finding: Finding,
    /// The first rows of the population and of the exceptions, where queries decide; or why they have no answer.
    pub(crate) rows: Vec<(&'static str, Result<Answer, NoAnswer>)>,
}

/// Looks at one control. Nothing is recorded: looking is no act.
pub(crate) fn control(
    (office, shelf): (&Office, &Shelf),
    (key, asked): (&ControlKey, &Asked),
    evidence: &Evidence,
) -> Done<Looked> {
    let control = shelf.library.control(key).ok_or_else(|| {
        Trouble::refused("unknown_control", format!("`{key}` is no control"), "mend it")
    })?;
    let run = Run::new(office, shelf, asked, evidence);
    let finding = run.found(key.clone(), control);
    let decision = shelf.library.decisions.get(key);
    let queries = decision.map(|d| [("population", &d.population), ("exceptions", &d.exceptions)]);
    let asks = |(name, query): (&'static str, &Option<String>)| {
        let question = run.question(key, decision);
        let answer = |query| evidence.engine.ask(query, &assess::bound(&question)?, ROWS_SHOWN);
        query.as_deref().map(|query| (name, answer(query)))
    };
    let rows = queries.into_iter().flatten().filter_map(asks).collect();
    Ok(Looked { finding, rows })
}

/// One control as it stands now.
pub(crate) fn show(
    ui: &Ui,
    (home, office, shelf): (&Home, &Office, &Shelf),
    (key, asked): (&ControlKey, &Asked),
    proofs: Option<&Path>,
) -> Done<Screen> {
    let Some(control) = shelf.library.control(key) else {
        return Err(Trouble::refused(
            "unknown_control",
            format!("`{key}` is no control"),
            "mend it",
        ));
    };
    let evidence = Evidence::load(home, office, shelf, asked)?;
    let finding = Run::new(office, shelf, asked, &evidence).found(key.clone(), control);
    let strip = strips(office, STRIP_DAYS, office.now()).remove(key).unwrap_or_default();
    let decision = shelf.library.decisions.get(key);
    let mut screen = screen::control(ui, (control, decision), &finding, &strip_text(ui, &strip));
    if let Some(dir) = proofs {
        let written = write_proofs(home, &evidence, &finding, dir)?;
        screen.text.push_str(&format!("\n{written} entries with proofs in {}\n", dir.display()));
        if let Some(json) = screen.json.as_object_mut() {
            json.insert("proofs".to_owned(), json!({ "dir": dir, "entries": written }));
        }
    }
    Ok(screen)
}

/// Writes each entry that a finding cites, with a C2SP tlog-proof that anyone can check offline.
fn write_proofs(home: &Home, evidence: &Evidence, finding: &Finding, dir: &Path) -> Done<usize> {
    let part = finding.machine.iter();
    let cited = part.flat_map(|part| {
        part.shown.iter().filter_map(|exception| exception.entry.as_ref()).chain(&part.cited)
    });
    let cited: BTreeSet<_> = cited.collect();
    std::fs::create_dir_all(dir).map_err(|e| Fault::at(dir, &e))?;
    let mut written = 0_usize;
    for copy in [&evidence.copy].into_iter().chain(&evidence.own) {
        let of_it = cited.iter().filter(|entry| entry.book == copy.trust.origin());
        let wanted: BTreeSet<u64> = of_it.map(|entry| entry.index).collect();
        let whose = copy.trust.id.cosigner.as_ref().map(|c| format!("{c}-")).unwrap_or_default();
        for (entry, proof) in &copy.prove(home, &wanted)? {
            let name = format!("{whose}entry-{}", proof.index);
            home::write(&dir.join(format!("{name}.json")), entry)?;
            let proof_file = dir.join(format!("{name}.tlog-proof"));
            home::write(&proof_file, proof.to_string().as_bytes())?;
            written = written.saturating_add(1);
        }
    }
    Ok(written)
}

/// One entry of a copy, with its proof as text.
pub(crate) fn proven(home: &Home, asked: &Asked, entry: &EntryRef) -> Done<(Vec<u8>, String)> {
    let vault = run::vault(home, asked.vault.as_ref())?;
    let mut ids = vec![BookId::of(&vault)];
    ids.extend(home.own_ledgers(&vault)?);
    for id in ids {
        if Trust::of(home, &id)?.origin() == entry.book {
            let copy = Copy::open(home, &id, |_, _| Ok(()))?;
            let found = copy.prove(home, &BTreeSet::from([entry.index]))?.into_iter().next();
            if let Some((bytes, proof)) = found {
                return Ok((bytes, proof.to_string()));
            }
        }
    }
    let message = format!("there is no entry {} of `{}` here", entry.index, entry.book);
    Err(Trouble::refused("unknown_entry", message, "follow a link of a control's page"))
}

/// A control's worst state on each day, oldest first; none before it was first found.
pub(crate) type Strip = Vec<Option<State>>;

/// How findings changed while watched.
pub(crate) fn history(
    ui: &Ui,
    office: &Office,
    shelf: &Shelf,
    what: Option<&str>,
    days: u32,
) -> Done<Screen> {
    let chosen = what.map(|text| chosen(shelf, text)).transpose()?;
    let strips = strips(office, days, office.now());
    let mut table = Table::new(&["control", "days, newest last", "now"]);
    let mut all = Vec::new();
    for (key, strip) in strips.iter().filter(|(key, _)| chosen.as_ref().is_none_or(|c| c.is(key))) {
        let now = strip.last().copied().flatten();
        let word = now.map_or("", State::words);
        table.row([key.to_string(), strip_text(ui, strip), word.to_owned()]);
        let changes: Vec<_> = changes(office, key).collect();
        let changes: Vec<_> =
            changes.iter().map(|(at, state)| json!({ "at": at, "state": state })).collect();
        let alerts: Vec<_> = alerts(office, key).collect();
        all.push(json!({ "control": key, "days": strip, "changes": changes, "alerts": alerts }));
    }
    let legend =
        "+ met  n not applicable, evidenced  x gap  ~ stale  ? unproven  . not watched yet";
    let text = format!("{table}\n{legend}; a day shows the worst of it");
    Ok(Screen::new(text, json!({ "history": all })))
}

enum Chosen {
    Standard(StandardKey),
    Control(ControlKey),
}

impl Chosen {
    fn is(&self, key: &ControlKey) -> bool {
        match self {
            Self::Standard(standard) => key.of() == *standard,
            Self::Control(control) => key == control,
        }
    }
}

fn chosen(shelf: &Shelf, text: &str) -> Done<Chosen> {
    if let Ok(standard) = text.parse::<StandardKey>()
        && run::catalogue(&shelf.library, &standard).is_ok()
    {
        return Ok(Chosen::Standard(standard));
    }
    Ok(Chosen::Control(control_key(shelf, text)?))
}

/// When a control became what it is, while it was watched.
pub(crate) fn changes<'a>(
    office: &'a Office,
    key: &'a ControlKey,
) -> impl Iterator<Item = (Timestamp, State)> + 'a {
    office.lines().iter().filter_map(move |line| match &line.body {
        Record::FindingChanged { control, after, .. } if control == key => Some((line.at, *after)),
        _ => None,
    })
}

fn alerts<'a>(
    office: &'a Office,
    key: &'a ControlKey,
) -> impl Iterator<Item = serde_json::Value> + 'a {
    office.lines().iter().filter_map(move |line| match &line.body {
        Record::AlertRaised { control, state, why, entry } if control == key => {
            Some(json!({ "at": line.at, "state": state, "why": why, "entry": entry }))
        }
        _ => None,
    })
}

/// The strip of each control that ever changed while watched.
pub(crate) fn strips(office: &Office, days: u32, now: Timestamp) -> BTreeMap<ControlKey, Strip> {
    let mut changed: BTreeMap<ControlKey, Vec<(Timestamp, State)>> = BTreeMap::new();
    for line in office.lines() {
        if let Record::FindingChanged { control, after, .. } = &line.body {
            changed.entry(control.clone()).or_default().push((line.at, *after));
        }
    }
    changed.into_iter().map(|(key, changes)| (key, strip(&changes, days, now))).collect()
}

fn strip(changes: &[(Timestamp, State)], days: u32, now: Timestamp) -> Strip {
    let today = now.as_millis() / DAY_MS;
    let first = today.saturating_sub(u64::from(days.saturating_sub(1)));
    (first..=today)
        .map(|day| {
            let (from, to) =
                (day.saturating_mul(DAY_MS), day.saturating_add(1).saturating_mul(DAY_MS));
            let at_start = changes.iter().rev().find(|(at, _)| at.as_millis() < from);
            let within = changes.iter().filter(|(at, _)| (from..to).contains(&at.as_millis()));
            at_start.into_iter().chain(within).map(|(_, state)| *state).max_by_key(|s| badness(*s))
        })
        .collect()
}

/// How bad a state is to see on a day.
pub(crate) const fn badness(state: State) -> u8 {
    match state {
        State::NotSought => 0,
        State::Met | State::MetComparable | State::Qualified => 1,
        State::EvidencedNotApplicable => 2,
        State::Unproven => 3,
        State::Stale => 4,
        State::Gap => 5,
    }
}

fn strip_text(ui: &Ui, strip: &[Option<State>]) -> String {
    let mark = |state: &Option<State>| {
        let Some(state) = *state else { return ".".to_owned() };
        let sign = match state {
            State::Met | State::MetComparable | State::Qualified => "+",
            State::EvidencedNotApplicable => "n",
            State::Gap => "x",
            State::Stale => "~",
            State::Unproven => "?",
            State::NotSought => "-",
        };
        ui.tone(tone(state), sign)
    };
    strip.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u64, hour: u64) -> Timestamp {
        Timestamp::from_millis(
            day.saturating_mul(DAY_MS).saturating_add(hour.saturating_mul(3_600_000)),
        )
    }

    #[test]
    fn a_day_shows_its_worst_state_and_carries_it_on_until_it_changes() {
        let changes = [
            (at(10, 1), State::Met),
            (at(12, 9), State::Gap),
            (at(12, 11), State::Met),
            (at(14, 5), State::Stale),
        ];
        let strip = strip(&changes, 7, at(15, 1));
        let shown: String = strip_text(&Ui::new(true, true), &strip);
        assert_eq!(shown, ".++x+~~", "days 9 to 15");
    }

    #[test]
    fn a_strip_of_no_changes_is_empty_days() {
        assert_eq!(strip(&[], 3, at(9, 0)), [None, None, None]);
    }
}
