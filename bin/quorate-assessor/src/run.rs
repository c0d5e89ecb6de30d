//! One run of an assessment: load what is verified, ask every control, work out levels, record, then answer.

use std::cell::RefCell;
use std::collections::BTreeMap;

use quorate_assessor::assess::{self, Question};
use quorate_assessor::evidence::Model;
use quorate_assessor::finding::{EvidenceRef, Finding, Head, Period, State};
use quorate_assessor::record::{Line, Record, Results};
use quorate_assessor::standard::catalogue::{Catalogue, Control, Fixed};
use quorate_assessor::standard::{ControlKey, Decision, Library, StandardKey};
use quorate_terms::{Digest, Timestamp, VaultId, canonical};

use crate::book::{self, Copy, Seen};
use crate::engine::{Engine, Reads};
use crate::home::{self, Home};
use crate::library::Shelf;
use crate::office::Office;
use crate::trouble::{Done, Trouble};
use crate::trust::{BookId, Trust};

/// What is asked of a run.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The level that is sought; all, when none.
    pub(crate) level: Option<String>,
    /// How long the period is, in days, ending with the newest entry.
    pub(crate) days: u64,
    /// The profile that tightens parameters.
    pub(crate) profile: Option<String>,
    /// The moment of assessment; now, when none. What came later is not looked at.
    pub(crate) as_of: Option<Timestamp>,
    /// The vault, where more than one is pinned.
    pub(crate) vault: Option<VaultId>,
}

/// Verified evidence in tables, with what it rests on.
pub(crate) struct Evidence {
    pub(crate) engine: Engine,
    pub(crate) heads: Vec<Head>,
    pub(crate) newest: Timestamp,
    /// The vault's book.
    pub(crate) copy: Copy,
    /// Cosigners' own ledgers, as far as they were handed over.
    pub(crate) own: Vec<Copy>,
}

/// The vault that is meant. Names of wallets and people are a vault's own, so that books are never mixed.
pub(crate) fn vault(home: &Home, named: Option<&VaultId>) -> Done<VaultId> {
    let mut pinned = home.pinned()?;
    if let Some(named) = named {
        let _is_pinned = home.read_pin(named)?;
        return Ok(named.clone());
    }
    match (pinned.pop(), pinned.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => {
            let next = "run `quorate-assessor pin` with the policy of a vault";
            Err(Trouble::refused("not_pinned", "no book is pinned", next))
        }
        (Some(_), false) => {
            let message = "more than one book is pinned";
            Err(Trouble::refused("which_vault", message, "name the vault with --vault"))
        }
    }
}

/// What a control reads, by control; and what all of them read together.
pub(crate) fn wanted(shelf: &Shelf, engine: &Engine) -> BTreeMap<ControlKey, Reads> {
    let mut wanted = BTreeMap::new();
    for (control, decision) in &shelf.library.decisions {
        let mut reads = Reads::new();
        let queries = [&decision.population, &decision.exceptions, &decision.unknown];
        for query in queries.into_iter().flatten() {
            // A query that cannot be prepared reads nothing; asking it says why.
            for (kind, columns) in engine.reads(query).unwrap_or_default() {
                reads.entry(kind).or_default().extend(columns);
            }
        }
        if decision.freshness.is_some() && !decision.configuration.is_empty() {
            let columns = reads.entry("ConfigurationCaptured".to_owned()).or_default();
            columns.insert("party".to_owned());
        }
        wanted.insert(control.clone(), reads);
    }
    wanted
}

impl Evidence {
    /// Loads a pinned book and what people attested, up to a moment where one is given.
    pub(crate) fn load(home: &Home, office: &Office, shelf: &Shelf, asked: &Asked) -> Done<Self> {
        let vault = vault(home, asked.vault.as_ref())?;
        let mut engine = Engine::new(shelf.model.clone(), &shelf.views)?;
        for reads in wanted(shelf, &engine).into_values() {
            engine.want(reads);
        }
        engine.batch(true)?;
        let last = asked.as_of.unwrap_or(Timestamp::from_millis(u64::MAX));
        let mut newest = Timestamp::ZERO;
        let copy = Copy::open(home, &BookId::of(&vault), |trust, seen| {
            if seen.at <= last {
                newest = newest.max(seen.at);
                load_entry(&engine, trust, seen)?;
            }
            Ok(())
        })?;
        let mut own = Vec::new();
        for id in home.own_ledgers(&vault)? {
            own.push(Copy::open(home, &id, |trust, seen| {
                if seen.at <= last { load_entry(&engine, trust, seen) } else { Ok(()) }
            })?);
        }
        for line in office.lines().iter().filter(|line| line.at <= last) {
            let _kinds = load_attested(&engine, office, line)?;
        }
        engine.batch(false)?;
        let mut evidence = Self { engine, heads: Vec::new(), newest, copy, own };
        evidence.heads = evidence.heads_with(office)?;
        Ok(evidence)
    }

    /// The heads of everything that counts: the vault's book, cosigners' own ledgers, the office's.
    pub(crate) fn heads_with(&self, office: &Office) -> Done<Vec<Head>> {
        let books = [&self.copy].into_iter().chain(&self.own);
        let mut heads: Vec<Head> =
            books.map(|copy| Ok(copy.must_reach()?.head)).collect::<Done<_>>()?;
        heads.push(own_head(office));
        Ok(heads)
    }
}

/// The head of the office's own ledger.
pub(crate) fn own_head(office: &Office) -> Head {
    let own = office.head();
    Head { book: own.origin, size: own.size, root: own.root }
}

/// One verified entry of a book as rows, if some query reads its kind.
pub(crate) fn load_entry(engine: &Engine, trust: &Trust, seen: &Seen<'_>) -> Done<()> {
    if let Some(kind) = book::kind(seen.bytes).filter(|kind| engine.wants(kind)) {
        // What a cosigner may say of itself depends on more than what is loaded.
        let is_own = !trust.is_witnessed();
        let body = book::body(seen.bytes, &|name| is_own || engine.reads_of(kind, name))?;
        if trust.may_say(&body) {
            let signer = trust.signer();
            engine.load((trust.origin(), seen.index), seen.at, &body, signer.as_deref())?;
        }
    }
    Ok(())
}

/// What a person attested as a row. Only a statement under the person's own signature is one. Gives its kind.
pub(crate) fn load_attested<'a>(
    engine: &Engine,
    office: &Office,
    line: &'a Line,
) -> Done<Option<&'a str>> {
    let Record::Attested(said) = &line.body else { return Ok(None) };
    if !said.is_signed()? || said.body.office != *office.name() {
        let message =
            format!("line {} of the office's ledger was not signed as it says", line.index);
        let next = "restore office.db from a copy; nothing is assessed on forged words";
        return Err(Trouble::refused("forged", message, next));
    }
    let (place, at) = ((office.origin(), line.index), said.body.represents);
    engine.load(place, at, &said.row(), Some(said.body.person.as_str()))?;
    Ok(Some(&said.body.kind))
}

/// Assesses one standard and records the results.
pub(crate) async fn assess(
    home: &Home,
    office: &mut Office,
    run: &Run<'_>,
    standard: &StandardKey,
) -> Done<(Results, Digest)> {
    let results = run.results(standard)?;
    let bytes = canonical::to_bytes(&results, "results")?;
    let digest = Digest::sha256(&bytes);
    // The whole file first, then the line that names it: results without a line never happened.
    home::write(&home.results(&format!("{digest}.json")), &bytes)?;
    let record = Record::Assessed {
        standard: standard.clone(),
        results: digest,
        sought: run.asked.level.clone(),
        reached: results.reached.overall.clone(),
        heads: results.heads.clone(),
    };
    office.append(record).await?;
    Ok((results, digest))
}

/// The catalogue of a standard, or the versions that there are.
pub(crate) fn catalogue<'a>(library: &'a Library, key: &StandardKey) -> Done<&'a Catalogue> {
    library.catalogues.get(key).ok_or_else(|| {
        let all: Vec<String> = library.catalogues.keys().map(ToString::to_string).collect();
        let next = format!("choose one of: {}", all.join(", "));
        Trouble::refused("unknown_standard", format!("`{key}` is not loaded"), next)
    })
}

fn sought(catalogue: &Catalogue, level: Option<&str>) -> Done<u8> {
    let Some(level) = level else { return Ok(u8::MAX) };
    match catalogue.rank(Some(level)) {
        0 => {
            let all: Vec<&str> = catalogue.levels.iter().map(|l| l.id.as_str()).collect();
            let next = format!("choose one of: {}", all.join(", "));
            Err(Trouble::refused("unknown_level", format!("there is no level `{level}`"), next))
        }
        rank => Ok(rank),
    }
}

/// What stays the same for every control of a run.
pub(crate) struct Run<'a> {
    shelf: &'a Shelf,
    asked: &'a Asked,
    evidence: &'a Evidence,
    shown: BTreeMap<ControlKey, Vec<EvidenceRef>>,
    period: Period,
    now: Timestamp,
    /// What was found already: a control is asked once, however many others map to it.
    found: RefCell<BTreeMap<ControlKey, Finding>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        office: &Office,
        shelf: &'a Shelf,
        asked: &'a Asked,
        evidence: &'a Evidence,
    ) -> Self {
        let now = asked.as_of.unwrap_or_else(|| office.now());
        let to = evidence.newest.min(now);
        let period = Period { from: to.minus_s(asked.days.saturating_mul(86_400)), to };
        let shown = shown(office, now);
        Self { shelf, asked, evidence, shown, period, now, found: RefCell::default() }
    }

    /// Every control of a standard, and the levels that follow.
    pub(crate) fn results(&self, standard: &StandardKey) -> Done<Results> {
        let catalogue = catalogue(&self.shelf.library, standard)?;
        let sought = sought(catalogue, self.asked.level.as_deref())?;
        let findings: Vec<Finding> = catalogue
            .controls
            .iter()
            .map(|control| {
                let key = standard.control(&control.id);
                if catalogue.rank(control.level.as_deref()) > sought {
                    return self.not_sought(key);
                }
                self.found(key, control)
            })
            .collect();
        let passes = |state: State| {
            matches!(state, State::Met | State::MetComparable | State::EvidencedNotApplicable)
        };
        Ok(Results {
            v: 1,
            standard: standard.clone(),
            catalogue: catalogue.digest()?,
            official: catalogue.official,
            period: self.period,
            at: self.now,
            heads: self.evidence.heads.clone(),
            sought: self.asked.level.clone(),
            reached: assess::reached(catalogue, &findings, passes),
            findings,
        })
    }

    /// How one control stands.
    pub(crate) fn found(&self, key: ControlKey, control: &Control) -> Finding {
        let library: &'a Library = &self.shelf.library;
        match library.decisions.get(&key) {
            Some(decision) => self.decided(key, Some(decision)),
            None if control.level.is_none() => self.derived(key),
            None => self.decided(key, None),
        }
    }

    fn decided(&self, key: ControlKey, decision: Option<&'a Decision>) -> Finding {
        if let Some(found) = self.found.borrow().get(&key) {
            return found.clone();
        }
        let finding = assess::assess(&self.question(&key, decision), &self.evidence.engine);
        self.found.borrow_mut().insert(key, finding.clone());
        finding
    }

    /// What a control is assessed with in this run.
    pub(crate) fn question(
        &self,
        key: &ControlKey,
        decision: Option<&'a Decision>,
    ) -> Question<'a> {
        Question {
            evidence: self.shown.get(key).cloned().unwrap_or_default(),
            parameters: decision.map(|d| self.parameters(key, d)).unwrap_or_default(),
            control: key.clone(),
            decision,
            not_recorded: decision.map(|d| missing(&self.shelf.model, d)).unwrap_or_default(),
            period: self.period,
            now: self.now,
            heads: &self.evidence.heads,
            newest: self.evidence.newest,
        }
    }

    /// Takes what is known of decided controls that nothing new touches: others may be derived from them.
    pub(crate) fn knowing(self, found: BTreeMap<ControlKey, Finding>) -> Self {
        Self { found: RefCell::new(found), ..self }
    }

    /// What is known now.
    pub(crate) fn known(self) -> BTreeMap<ControlKey, Finding> {
        self.found.into_inner()
    }

    /// A control of a standard without decisions of its own stands as those that map to it.
    fn derived(&self, key: ControlKey) -> Finding {
        let library: &'a Library = &self.shelf.library;
        let maps: Vec<_> = library.maps_to(&key).collect();
        let mapped = maps.iter().filter_map(|(from, map)| {
            let decision = library.decisions.get(from)?;
            Some((self.decided(from.clone(), Some(decision)), *map))
        });
        let mapped: Vec<_> = mapped.collect();
        let (state, reasons) = assess::derive(mapped.iter().map(|(finding, map)| (finding, *map)));
        Finding { state, reasons, ..self.blank(key) }
    }

    fn not_sought(&self, key: ControlKey) -> Finding {
        let level = self.asked.level.as_deref().unwrap_or_default();
        let reasons = vec![format!("this assessment seeks level {level} only")];
        Finding { state: State::NotSought, reasons, ..self.blank(key) }
    }

    fn blank(&self, control: ControlKey) -> Finding {
        Finding {
            control,
            state: State::Unproven,
            reasons: Vec::new(),
            machine: None,
            evidence: Vec::new(),
            period: self.period,
            at: self.now,
        }
    }

    /// The control's parameters, tightened by the profile that was asked for.
    fn parameters(&self, control: &ControlKey, decision: &Decision) -> BTreeMap<String, Fixed> {
        let mut parameters = decision.parameters.clone();
        let profile =
            self.asked.profile.as_ref().and_then(|id| self.shelf.library.profiles.get(id));
        if let Some(profile) = profile {
            profile.tighten(control, &mut parameters);
        }
        parameters
    }
}

/// What a decision reads that this build does not record.
pub(crate) fn missing(model: &Model, decision: &Decision) -> Vec<String> {
    model.missing(decision)
}

/// What people had shown by a moment, by control.
fn shown(office: &Office, now: Timestamp) -> BTreeMap<ControlKey, Vec<EvidenceRef>> {
    let mut all: BTreeMap<ControlKey, Vec<EvidenceRef>> = BTreeMap::new();
    for line in office.lines().iter().filter(|line| line.at <= now) {
        if let Record::EvidenceShown { control, evidence, .. } = &line.body {
            all.entry(control.clone()).or_default().push(evidence.clone());
        }
    }
    all
}
