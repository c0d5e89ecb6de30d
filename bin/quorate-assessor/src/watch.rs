//! Watching: the book is followed, and as entries come the controls that read them are asked again. A finding that changes is
//! a line of the office's ledger and a line on the screen.
//!
//! Others may work in the office meanwhile: it is held only while something is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use quorate_assessor::finding::{Finding, State};
use quorate_assessor::record::Record;
use quorate_assessor::standard::ControlKey;
use quorate_host::telemetry::safe;
use quorate_host::ui::Ui;
use quorate_terms::{Timestamp, VaultId};
use serde_json::json;
use tokio::time::Instant;

use crate::book::Seen;
use crate::cli::{Cli, Scope};
use crate::commands;
use crate::desk::{self, Desk, Notes};
use crate::home::Home;
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run::{self, Asked, Evidence, Run};
use crate::screen::{Screen, tone};
use crate::trouble::{Done, Trouble};

/// Between evaluations of everything: periods move and evidence expires though nothing comes.
const SWEEP: Duration = Duration::from_secs(600);

/// What is watched, and what is known of it.
struct Watch<'a> {
    ui: &'a Ui,
    dir: &'a Path,
    shelf: Shelf,
    asked: Asked,
    vault: VaultId,
    desk: Option<Desk>,
    notes: Notes,
    evidence: Evidence,
    /// Controls by the kinds of entries that they read.
    readers: BTreeMap<String, BTreeSet<ControlKey>>,
    /// Controls by those that map to them and decide them.
    mapped: BTreeMap<ControlKey, BTreeSet<ControlKey>>,
    states: BTreeMap<ControlKey, State>,
    /// Lines of the office's ledger that were looked at, and what its file looked like then.
    lines: usize,
    stamp: Stamp,
    swept: Instant,
    reachable: bool,
    changes: u64,
}

/// How a file is told to have changed: length and time of the ledger and of its log.
type Stamp = Vec<Option<(u64, SystemTime)>>;

/// Watches until it is told to end.
pub(crate) async fn watch(
    cli: &Cli,
    ui: &Ui,
    scope: &Scope,
    (every, once): (Duration, bool),
) -> Done<Screen> {
    let mut watch = Watch::start(cli, ui, scope).await?;
    if !once {
        watch.until_told(every).await?;
    }
    let (controls, changes) = (watch.states.len(), watch.changes);
    let size = watch.evidence.copy.size();
    let text = format!("{controls} controls over {size} entries; {changes} findings changed");
    Ok(Screen::new(text, json!({ "controls": controls, "entries": size, "changes": changes })))
}

fn told_to_end() -> Done<impl Future<Output = ()>> {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| Trouble::fault("signals", e.to_string(), "start again"))?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

impl<'a> Watch<'a> {
    /// Catches up with the desk, loads everything and evaluates everything.
    async fn start(cli: &'a Cli, ui: &'a Ui, scope: &Scope) -> Done<Self> {
        if scope.as_of.is_some() {
            let message = "watching is of the present";
            return Err(Trouble::refused("as_of", message, "leave --as-of out, or use `assess`"));
        }
        let home = Home::open(&cli.dir, false)?;
        let mut office = Office::open(&home).await?;
        let shelf = library::load(&cli.standards)?;
        let asked = commands::asked(&shelf, scope)?;
        let vault = run::vault(&home, asked.vault.as_ref())?;
        let is_configured = home.settings()?.desks.contains_key(&vault);
        if is_configured {
            let _reached = desk::follow(&home, &mut office, &vault).await?;
        }
        let desk = is_configured.then(|| Desk::of(&home, &vault)).transpose()?;
        let evidence = Evidence::load(&home, &office, &shelf, &asked)?;
        let readers = readers(&shelf, &evidence);
        let mapped = mapped(&shelf);
        let (notes, swept) = (Notes::of(&home), Instant::now());
        let mut watch = Self {
            ui,
            dir: &cli.dir,
            shelf,
            asked,
            vault,
            desk,
            notes,
            evidence,
            readers,
            mapped,
            states: last_states(&office),
            lines: office.lines().len(),
            stamp: Stamp::new(),
            swept,
            reachable: true,
            changes: 0,
        };
        let all = watch.everything();
        watch.evaluate(&mut office, &all).await?;
        watch.leave(office, home).await;
        Ok(watch)
    }

    /// Looks again and again.
    async fn until_told(&mut self, every: Duration) -> Done<()> {
        let mut end = std::pin::pin!(told_to_end()?);
        loop {
            tokio::select! {
                () = &mut end => return Ok(()),
                () = tokio::time::sleep(every) => {}
            }
            match self.look().await {
                Ok(()) => {}
                // Somebody else works in the office: what came is held until the next look.
                Err(trouble) if matches!(trouble.code, "busy" | "desk") => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn everything(&self) -> BTreeSet<ControlKey> {
        let catalogues = self.shelf.library.catalogues.values();
        let keys = catalogues.flat_map(|c| c.controls.iter().map(|one| c.key().control(&one.id)));
        keys.collect()
    }

    /// Gives the office back, and remembers how its ledger looked.
    async fn leave(&mut self, office: Office, home: Home) {
        self.lines = office.lines().len();
        office.close().await;
        self.stamp = stamp(self.dir);
        drop(home);
    }

    /// One look: what is new at the desk, in the office, and on the clock.
    async fn look(&mut self) -> Done<()> {
        let fetched = self.fetch().await;
        self.say_reach(fetched.as_ref().err());
        fetched?;
        let is_due = self.swept.elapsed() >= SWEEP;
        if !self.evidence.copy.has_news() && !is_due && stamp(self.dir) == self.stamp {
            return Ok(());
        }
        let home = Home::open(self.dir, false)?;
        let mut office = Office::open(&home).await?;
        let touched = self.take(&home, &office);
        let outcome = match touched {
            Ok(mut touched) => {
                if is_due {
                    touched = self.everything();
                    self.swept = Instant::now();
                }
                self.evaluate(&mut office, &touched).await
            }
            Err(trouble) => Err(trouble),
        };
        self.leave(office, home).await;
        outcome
    }

    async fn fetch(&mut self) -> Done<()> {
        let Some(desk) = &self.desk else { return Ok(()) };
        while desk.fetch(&mut self.evidence.copy, &self.notes).await? {
            if self.evidence.copy.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// Says once when the desk goes away and once when it is back.
    fn say_reach(&mut self, trouble: Option<&Trouble>) {
        let lost = trouble.filter(|trouble| trouble.code == "desk");
        if lost.is_some() == self.reachable {
            self.reachable = lost.is_none();
            let event = if self.reachable { "desk_back" } else { "desk_away" };
            let text = lost.map_or("the desk answers again".to_owned(), ToString::to_string);
            let vault = &self.vault;
            self.say(&json!({ "event": event, "vault": vault, "why": text }), &text);
        }
    }

    /// Takes in what is new and says which controls read it.
    fn take(&mut self, home: &Home, office: &Office) -> Done<BTreeSet<ControlKey>> {
        let copy = &mut self.evidence.copy;
        let fresh = if copy.is_newest(home)? { copy.save(home)? } else { None };
        let Some(fresh) = fresh else {
            // Another process took in more, or it is too much to hold: everything is read again.
            self.evidence = Evidence::load(home, office, &self.shelf, &self.asked)?;
            return Ok(self.everything());
        };
        self.evidence.copy.spill(home)?;
        let mut kinds = BTreeSet::new();
        let origin = self.evidence.copy.policy.log.name().to_owned();
        let engine = &self.evidence.engine;
        for (index, at, bytes) in &fresh {
            let seen = Seen { index: *index, at: *at, bytes };
            run::load_entry(engine, &origin, &seen)?;
            if let Some(kind) = crate::book::kind(bytes) {
                kinds.extend(engine.filled_by(kind).map(str::to_owned));
            }
            self.evidence.newest = self.evidence.newest.max(*at);
        }
        let mut touched = BTreeSet::new();
        for line in office.lines().iter().skip(self.lines) {
            if let Some(kind) = run::load_attested(engine, office, line)? {
                kinds.insert(kind.to_owned());
            }
            if let Record::EvidenceShown { control, .. } = &line.body {
                touched.insert(control.clone());
            }
        }
        self.lines = office.lines().len();
        self.evidence.heads = vec![self.evidence.copy.must_reach()?.head, run::own_head(office)];
        touched.extend(kinds.iter().filter_map(|kind| self.readers.get(kind)).flatten().cloned());
        let through: Vec<_> =
            touched.iter().filter_map(|key| self.mapped.get(key)).flatten().cloned().collect();
        touched.extend(through);
        Ok(touched)
    }

    /// Asks these controls, records what changed, and says it.
    async fn evaluate(&mut self, office: &mut Office, keys: &BTreeSet<ControlKey>) -> Done<()> {
        let mut changed: Vec<(Finding, Option<State>)> = Vec::new();
        {
            let run = Run::new(office, &self.shelf, &self.asked, &self.evidence);
            for key in keys {
                let Some(control) = self.shelf.library.control(key) else { continue };
                let finding = run.found(key.clone(), control);
                let before = self.states.get(key).copied();
                if before != Some(finding.state) {
                    changed.push((finding, before));
                }
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let reached = self.evidence.copy.must_reach()?;
        let mut records = vec![Record::BookReached { head: reached.head, newest: reached.newest }];
        records.extend(changed.iter().map(|(finding, before)| Record::FindingChanged {
            control: finding.control.clone(),
            before: *before,
            after: finding.state,
        }));
        office.append_all(records).await?;
        for (finding, before) in changed {
            self.changes = self.changes.saturating_add(1);
            self.states.insert(finding.control.clone(), finding.state);
            self.tell(&finding, before, office.now());
        }
        Ok(())
    }

    /// A finding that changed. The first word on a control is told only where it is a gap.
    fn tell(&self, finding: &Finding, before: Option<State>, at: Timestamp) {
        let passes = |state: State| {
            use State::{EvidencedNotApplicable, Met, MetComparable, Qualified};
            matches!(state, Met | MetComparable | Qualified | EvidencedNotApplicable)
        };
        let is_alert =
            finding.state == State::Gap || (before.is_some_and(passes) && !passes(finding.state));
        if before.is_none() && !is_alert {
            return;
        }
        let why = finding.reasons.join("; ");
        let was = before.map_or("not watched", State::words);
        let word = self.ui.tone(tone(finding.state), finding.state.words());
        let mark = if is_alert { "ALERT" } else { "     " };
        let text = format!("{mark} {}: {word} (was {was}): {}", finding.control, safe(&why));
        let event = json!({
            "event": "finding_changed", "alert": is_alert, "at": at, "before": before, "finding": finding,
        });
        self.say(&event, &text);
    }

    fn say(&self, event: &serde_json::Value, text: &str) {
        if let Err(fault) = self.ui.answer(event, text) {
            tracing::warn!(%fault, "nobody listens to what is watched");
        }
    }
}

/// What each control was when it last changed.
fn last_states(office: &Office) -> BTreeMap<ControlKey, State> {
    let changes = office.lines().iter().filter_map(|line| match &line.body {
        Record::FindingChanged { control, after, .. } => Some((control.clone(), *after)),
        _ => None,
    });
    changes.collect()
}

fn readers(shelf: &Shelf, evidence: &Evidence) -> BTreeMap<String, BTreeSet<ControlKey>> {
    let mut readers: BTreeMap<String, BTreeSet<ControlKey>> = BTreeMap::new();
    for (control, reads) in run::wanted(shelf, &evidence.engine) {
        for kind in reads.into_keys() {
            readers.entry(kind).or_default().insert(control.clone());
        }
    }
    readers
}

fn mapped(shelf: &Shelf) -> BTreeMap<ControlKey, BTreeSet<ControlKey>> {
    let library = &shelf.library;
    let mut mapped: BTreeMap<ControlKey, BTreeSet<ControlKey>> = BTreeMap::new();
    for from in library.decisions.keys() {
        let to = library.maps_from(from).map(|(to, _)| to);
        mapped.entry(from.clone()).or_default().extend(to);
    }
    mapped
}

fn stamp(dir: &Path) -> Stamp {
    let seen = |name: &str| {
        let meta = std::fs::metadata(dir.join(name)).ok()?;
        Some((meta.len(), meta.modified().ok()?))
    };
    ["office.db", "office.db-wal"].map(seen).into()
}
