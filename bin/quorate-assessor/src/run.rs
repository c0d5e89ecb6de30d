//! One run of an assessment: load what is verified, ask every control, work out levels, record, then answer.

use std::collections::BTreeMap;

use quorate_assessor::assess::{self, Question};
use quorate_assessor::evidence::Model;
use quorate_assessor::finding::{EvidenceRef, Finding, Head, Period, State};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::catalogue::{Catalogue, Control, Fixed};
use quorate_assessor::standard::{ControlKey, Decision, Library, StandardKey};
use quorate_terms::{Digest, Timestamp, canonical};

use crate::book;
use crate::engine::Engine;
use crate::home::{self, Home};
use crate::library::Shelf;
use crate::office::Office;
use crate::trouble::{Done, Trouble};

/// What is asked of a run.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) standard: StandardKey,
    /// The level that is sought; all, when none.
    pub(crate) level: Option<String>,
    /// How long the period is, in days, ending with the newest entry.
    pub(crate) days: u64,
    /// The profile that tightens parameters.
    pub(crate) profile: Option<String>,
}

/// Verified evidence in tables, with what it rests on.
pub(crate) struct Evidence {
    pub(crate) engine: Engine,
    pub(crate) heads: Vec<Head>,
    pub(crate) newest: Timestamp,
}

/// Loads every pinned book and what people attested, for the controls of one standard.
pub(crate) fn evidence(home: &Home, office: &Office, shelf: &Shelf) -> Done<Evidence> {
    let mut engine = Engine::new(shelf.model.clone(), &shelf.views)?;
    let queries =
        shelf.library.decisions.values().flat_map(|d| [&d.population, &d.exceptions, &d.unknown]);
    let mut kinds = std::collections::BTreeSet::from(["ConfigurationCaptured".to_owned()]);
    for query in queries.flatten() {
        // A query that cannot be prepared reads nothing; asking it says why.
        kinds.extend(engine.reads(query).unwrap_or_default());
    }
    engine.want(kinds);
    engine.batch(true)?;
    let mut heads = Vec::new();
    let mut newest = Timestamp::ZERO;
    for vault in home.pinned()? {
        let reached = book::load(home, &vault, &engine)?;
        newest = newest.max(reached.newest);
        heads.push(reached.head);
    }
    for line in office.lines() {
        if let Record::Attested(said) = &line.body {
            let (place, at) = ((office.origin(), line.index), said.body.represents);
            engine.load(place, at, &said.row(), Some(said.body.person.as_str()))?;
        }
    }
    engine.batch(false)?;
    let own = office.head();
    heads.push(Head { book: own.origin, size: own.size, root: own.root });
    Ok(Evidence { engine, heads, newest })
}

/// Assesses one standard and records the results.
pub(crate) async fn assess(
    home: &Home,
    office: &mut Office,
    shelf: &Shelf,
    asked: &Asked,
) -> Done<(Results, Digest)> {
    let catalogue = catalogue(&shelf.library, &asked.standard)?;
    let evidence = evidence(home, office, shelf)?;
    let results = results(office, shelf, catalogue, asked, &evidence)?;
    let bytes = canonical::to_bytes(&results, "results")?;
    let digest = Digest::sha256(&bytes);
    home::write(&home.results(&format!("{digest}.json")), &bytes)?;
    let record = Record::Assessed {
        standard: asked.standard.clone(),
        results: digest,
        sought: asked.level.clone(),
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

fn results(
    office: &Office,
    shelf: &Shelf,
    catalogue: &Catalogue,
    asked: &Asked,
    evidence: &Evidence,
) -> Done<Results> {
    let sought = sought(catalogue, asked.level.as_deref())?;
    let now = office.now();
    let to = evidence.newest.min(now);
    let period = Period { from: to.minus_s(asked.days.saturating_mul(86_400)), to };
    let run = Run { office, shelf, asked, evidence, period, now };
    let findings = catalogue
        .controls
        .iter()
        .map(|control| {
            let key = asked.standard.control(&control.id);
            if catalogue.rank(control.level.as_deref()) > sought {
                return run.not_sought(key);
            }
            run.found(key, control)
        })
        .collect::<Vec<_>>();
    let passes =
        |state| matches!(state, State::Met | State::MetComparable | State::EvidencedNotApplicable);
    Ok(Results {
        v: 1,
        standard: asked.standard.clone(),
        catalogue: catalogue.digest()?,
        official: catalogue.official,
        period,
        at: now,
        heads: evidence.heads.clone(),
        sought: asked.level.clone(),
        reached: assess::reached(catalogue, &findings, passes),
        findings,
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
struct Run<'a> {
    office: &'a Office,
    shelf: &'a Shelf,
    asked: &'a Asked,
    evidence: &'a Evidence,
    period: Period,
    now: Timestamp,
}

impl Run<'_> {
    fn found(&self, key: ControlKey, control: &Control) -> Finding {
        let library = &self.shelf.library;
        match library.decisions.get(&key) {
            Some(decision) => self.decided(key, Some(decision)),
            None if control.level.is_none() => self.derived(key),
            None => self.decided(key, None),
        }
    }

    fn decided(&self, key: ControlKey, decision: Option<&Decision>) -> Finding {
        let question = Question {
            evidence: shown(self.office, &key),
            parameters: decision.map(|d| self.parameters(&key, d)).unwrap_or_default(),
            control: key,
            decision,
            not_recorded: decision.map(|d| missing(&self.shelf.model, d)).unwrap_or_default(),
            period: self.period,
            now: self.now,
            heads: &self.evidence.heads,
            newest: self.evidence.newest,
        };
        assess::assess(&question, &self.evidence.engine)
    }

    /// A control of a standard without decisions of its own stands as those that map to it.
    fn derived(&self, key: ControlKey) -> Finding {
        let library = &self.shelf.library;
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
    model.not_recorded(decision.entries.iter())
}

/// What people showed for a control.
fn shown(office: &Office, key: &ControlKey) -> Vec<EvidenceRef> {
    let shown = office.lines().iter().filter_map(|line| match &line.body {
        Record::EvidenceShown { control, evidence, .. } if control == key => Some(evidence.clone()),
        _ => None,
    });
    shown.collect()
}
