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

use crate::book::{Copy, Seen};
use crate::cli::{Cli, Scope};
use crate::commands;
use crate::desk::{self, Desk, Notes};
use crate::engine::Near;
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
    /// What local controls are asked of first.
    near: Near,
    /// How decided controls stood when they were last asked.
    found: BTreeMap<ControlKey, Finding>,
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
    changed: u64,
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
    let (controls, changes) = (watch.states.len(), watch.changed);
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
        let near = near(&shelf, &evidence)?;
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
            near,
            found: BTreeMap::new(),
            readers,
            mapped,
            states: last_states(&office),
            lines: office.lines().len(),
            stamp: Stamp::new(),
            swept,
            reachable: true,
            changed: 0,
        };
        let all = watch.everything();
        watch.evaluate(&mut office, &all).await?;
        watch.leave(office, home).await;
        watch.say_start();
        Ok(watch)
    }

    /// Says that everything was evaluated and how it stands, in counts.
    fn say_start(&self) {
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        for state in self.states.values() {
            let count = counts.entry(*state).or_default();
            *count = count.saturating_add(1);
        }
        let all = State::ALL.iter().filter_map(|state| Some((state, counts.get(state)?)));
        let words: Vec<String> =
            all.map(|(state, count)| format!("{count} {}", state.words())).collect();
        let (vault, size) = (&self.vault, self.evidence.copy.size());
        let text = format!("watching `{vault}`, {size} entries: {}", words.join(", "));
        self.say(
            &json!({ "event": "watching", "vault": vault, "entries": size, "counts": counts }),
            &text,
        );
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
                Err(trouble) => return Err(self.refuse(trouble).await),
            }
        }
    }

    /// Watching ends with what the desk must not do; it is told and recorded first.
    async fn refuse(&self, trouble: Trouble) -> Trouble {
        let (vault, why) = (&self.vault, trouble.to_string());
        let event = json!({ "event": "book_refused", "alert": true, "vault": vault, "why": why });
        self.say(&event, &format!("ALERT the book of `{vault}` is refused: {}", safe(&why)));
        let opened = async {
            let home = Home::open(self.dir, false)?;
            Ok((Office::open(&home).await?, home))
        };
        match opened.await {
            Ok((mut office, _held)) => office.note_refusal(vault, trouble).await,
            Err(worse) => worse,
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
        let home = Home::open_now(self.dir, false)?;
        let mut office = Office::open(&home).await?;
        let touched = self.take(&home, &office);
        let outcome = match touched {
            Ok(mut touched) => {
                if is_due {
                    touched = self.everything();
                    self.swept = Instant::now();
                }
                self.say_look(touched.len());
                self.evaluate(&mut office, &touched).await
            }
            Err(trouble) => Err(trouble),
        };
        self.leave(office, home).await;
        outcome
    }

    /// Tells programs how much was asked again; people see only what changed.
    fn say_look(&self, controls: usize) {
        if self.ui.is_json() {
            let size = self.evidence.copy.size();
            self.say(&json!({ "event": "evaluated", "controls": controls, "entries": size }), "");
        }
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
        let is_same = copy.is_newest(home)? && handed_over(office, self.lines, copy) == 0;
        let fresh = if is_same { copy.save(home)? } else { None };
        let Some(fresh) = fresh else {
            // Another process took in more, or it is too much to hold: everything is read again.
            self.evidence = Evidence::load(home, office, &self.shelf, &self.asked)?;
            self.near = near(&self.shelf, &self.evidence)?;
            return Ok(self.everything());
        };
        self.evidence.copy.spill(home)?;
        let mut kinds = BTreeSet::new();
        let engine = &self.evidence.engine;
        for (index, at, bytes) in &fresh {
            let seen = Seen { index: *index, at: *at, bytes };
            run::load_entry(engine, &self.evidence.copy.trust, &seen)?;
            run::load_entry(self.near.rare(), &self.evidence.copy.trust, &seen)?;
            if let Some(kind) = crate::book::kind(bytes) {
                kinds.extend(engine.filled_by(kind).map(str::to_owned));
            }
            self.evidence.newest = self.evidence.newest.max(*at);
        }
        let mut touched = BTreeSet::new();
        for line in office.lines().iter().skip(self.lines) {
            if let Some(kind) = run::load_attested(engine, office, line)? {
                run::load_attested(self.near.rare(), office, line)?;
                kinds.insert(kind.to_owned());
            }
            if let Record::EvidenceShown { control, .. } = &line.body {
                touched.insert(control.clone());
            }
        }
        self.lines = office.lines().len();
        self.evidence.heads = self.evidence.heads_with(office)?;
        touched.extend(self.read_by(office, &kinds)?);
        let through: Vec<_> =
            touched.iter().filter_map(|key| self.mapped.get(key)).flatten().cloned().collect();
        touched.extend(through);
        Ok(touched)
    }

    /// The controls that read entries of these kinds and may stand otherwise now.
    fn read_by(&mut self, office: &Office, kinds: &BTreeSet<String>) -> Done<BTreeSet<ControlKey>> {
        let mut touched: BTreeSet<ControlKey> =
            kinds.iter().filter_map(|kind| self.readers.get(kind)).flatten().cloned().collect();
        let rare: BTreeSet<ControlKey> = kinds
            .iter()
            .filter(|kind| !self.near.is_of_cases(kind))
            .filter_map(|kind| self.readers.get(kind))
            .flatten()
            .cloned()
            .collect();
        let run = Run::new(office, &self.shelf, &self.asked, &self.evidence);
        let decisions = &self.shelf.library.decisions;
        let local = touched.difference(&rare).filter_map(|key| {
            let decision = decisions.get(key).filter(|decision| decision.local)?;
            let whole = self.found.get(key).and_then(Near::may_tell)?;
            Some((run.question(key, Some(decision)), whole))
        });
        let questions: Vec<_> = local.collect();
        for key in self.near.unchanged(&self.evidence.engine, &questions)? {
            touched.remove(&key);
        }
        Ok(touched)
    }

    /// Asks these controls, records what changed, and says it.
    async fn evaluate(&mut self, office: &mut Office, keys: &BTreeSet<ControlKey>) -> Done<()> {
        let changes = self.changes(office, keys);
        if changes.is_empty() {
            return Ok(());
        }
        let reached = self.evidence.copy.must_reach()?;
        let mut records = vec![Record::BookReached { head: reached.head, newest: reached.newest }];
        records.extend(changes.iter().flat_map(Change::records));
        office.append_all(records).await?;
        for change in changes {
            self.changed = self.changed.saturating_add(1);
            self.states.insert(change.finding.control.clone(), change.finding.state);
            // The first word on a control is told only where somebody should look.
            if change.before.is_some() || change.is_alert() {
                let (event, text) = change.told(self.ui, office.now());
                self.say(&event, &text);
            }
        }
        Ok(())
    }

    /// How these controls stand now, as far as it is not how they stood.
    fn changes(&mut self, office: &Office, keys: &BTreeSet<ControlKey>) -> Vec<Change> {
        let mut known = std::mem::take(&mut self.found);
        known.retain(|key, _| !keys.contains(key));
        let run = Run::new(office, &self.shelf, &self.asked, &self.evidence).knowing(known);
        let changes = keys.iter().filter_map(|key| {
            let control = self.shelf.library.control(key)?;
            let finding = run.found(key.clone(), control);
            let before = self.states.get(key).copied();
            (before != Some(finding.state)).then_some(Change { finding, before })
        });
        let changes = changes.collect();
        self.found = run.known();
        changes
    }

    fn say(&self, event: &serde_json::Value, text: &str) {
        if let Err(fault) = self.ui.answer(event, text) {
            tracing::warn!(%fault, "nobody listens to what is watched");
        }
    }
}

/// A finding that is not what it was.
struct Change {
    finding: Finding,
    before: Option<State>,
}

impl Change {
    /// Whether somebody should look: a gap, or something that was shown and no longer is.
    fn is_alert(&self) -> bool {
        let after = self.finding.state;
        after == State::Gap || (self.before.is_some_and(passes) && !passes(after))
    }

    fn why(&self) -> String {
        self.finding.reasons.join("; ")
    }

    /// What the office's ledger keeps of it.
    fn records(&self) -> impl Iterator<Item = Record> {
        let (control, after) = (self.finding.control.clone(), self.finding.state);
        let alert = self.is_alert().then(|| {
            let shown = self.finding.machine.iter().flat_map(|part| &part.shown);
            let entry = shown.rev().find_map(|exception| exception.entry.clone());
            Record::AlertRaised { control: control.clone(), state: after, why: self.why(), entry }
        });
        let changed = Record::FindingChanged { control, before: self.before, after };
        [changed].into_iter().chain(alert)
    }

    /// What is said of it, to programs and to people.
    fn told(&self, ui: &Ui, at: Timestamp) -> (serde_json::Value, String) {
        let (finding, before) = (&self.finding, self.before);
        let was = before.map_or("not watched", State::words);
        let word = ui.tone(tone(finding.state), finding.state.words());
        let mark = if self.is_alert() { "ALERT" } else { "     " };
        let why = safe(&self.why());
        let text = format!("{mark} {}: {word} (was {was}): {why}", finding.control);
        let alert = self.is_alert();
        let event = json!({
            "event": "finding_changed", "alert": alert, "at": at, "before": before, "finding": finding,
        });
        (event, text)
    }
}

fn passes(state: State) -> bool {
    use State::{EvidencedNotApplicable, Met, MetComparable, Qualified};
    matches!(state, Met | MetComparable | Qualified | EvidencedNotApplicable)
}

/// Cosigners' own ledgers that were taken in since a line of the office's ledger.
fn handed_over(office: &Office, since: usize, copy: &Copy) -> usize {
    let is_own = |record: &Record| match record {
        Record::BookReached { head, .. } => head.book != copy.trust.origin(),
        _ => false,
    };
    office.lines().iter().skip(since).filter(|line| is_own(&line.body)).count()
}

/// What local controls read, beside the full tables.
fn near(shelf: &Shelf, evidence: &Evidence) -> Done<Near> {
    let local =
        |control: &ControlKey| shelf.library.decisions.get(control).is_some_and(|d| d.local);
    let wanted = run::wanted(shelf, &evidence.engine).into_iter();
    let reads = wanted.filter(|(control, _)| local(control)).map(|(_, reads)| reads);
    Ok(Near::of(&evidence.engine, &shelf.views, reads)?)
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
