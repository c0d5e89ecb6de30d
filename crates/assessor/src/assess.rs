//! From controls and rows to findings. Silence is never *met*; an error is never *met*; a person's part is never skipped.

mod derive;
mod level;
mod parameter;

use std::collections::BTreeMap;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Timestamp, canonical};
use serde_json::json;

use crate::evidence::model::instant;
use crate::evidence::{Answer, NoAnswer, Row, Rows, Value};
use crate::finding::{
    CITED_MAX, EXCEPTIONS_MAX, EntryRef, EvidenceRef, Exception, Finding, Head, MachinePart,
    Period, State,
};
use crate::standard::decision::{Automation, Decision, OnEmpty};
use crate::standard::{ControlKey, catalogue::Fixed};

pub use crate::standard::measure::{seconds, tightened};
pub use derive::derive;
pub use level::{GroupLevel, Reached, reached};

#[cfg(test)]
mod tests;

/// What one control is assessed with.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The control.
    pub control: ControlKey,
    /// How it is decided; none for a control that nobody wrote a decision for.
    pub decision: Option<&'a Decision>,
    /// The parameters, tightened by a profile where there is one.
    pub parameters: BTreeMap<String, Fixed>,
    /// Names that the decision reads and this build does not record.
    pub not_recorded: Vec<String>,
    /// The period under assessment.
    pub period: Period,
    /// The moment of assessment.
    pub now: Timestamp,
    /// The heads that the rows were verified against, and the time of the newest entry under them.
    pub heads: &'a [Head],
    /// When the newest entry was written.
    pub newest: Timestamp,
    /// What people showed for this control and an auditor accepted.
    pub evidence: Vec<EvidenceRef>,
}

/// Assesses one control.
pub fn assess(question: &Question<'_>, rows: &dyn Rows) -> Finding {
    let mut finding = Finding {
        control: question.control.clone(),
        state: State::Unproven,
        reasons: Vec::new(),
        machine: None,
        evidence: question.evidence.clone(),
        period: question.period,
        at: question.now,
    };
    let Some(decision) = question.decision else {
        finding.reasons.push("nobody has written how this control is decided".to_owned());
        return finding;
    };
    (finding.state, finding.reasons) = if decision.automation == Automation::Human {
        person(decision, question, "a person must judge this")
    } else {
        machine(decision, question, rows, &mut finding.machine)
    };
    finding
}

type Verdict = (State, Vec<String>);

fn machine(
    decision: &Decision,
    question: &Question<'_>,
    rows: &dyn Rows,
    part: &mut Option<MachinePart>,
) -> Verdict {
    let (Some(population), Some(exceptions)) = (&decision.population, &decision.exceptions) else {
        return (State::Unproven, vec![not_recorded(question)]);
    };
    match ask(population, exceptions, question, rows) {
        Err(no) => (State::Unproven, vec![format!("the question has no answer: {}", no.why)]),
        Ok(answered) => {
            let verdict = judge(decision, question, rows, &answered);
            *part = Some(answered);
            verdict
        }
    }
}

fn not_recorded(question: &Question<'_>) -> String {
    if question.not_recorded.is_empty() {
        return "not yet recorded: no query is written for this control".to_owned();
    }
    format!("not yet recorded: {}", question.not_recorded.join(", "))
}

fn judge(
    decision: &Decision,
    question: &Question<'_>,
    rows: &dyn Rows,
    part: &MachinePart,
) -> Verdict {
    if part.exceptions > 0 {
        let why = format!("{} exceptions, population {}", part.exceptions, part.population);
        let shown = part.shown.iter().take(3).map(|exception| exception.why.clone());
        return (State::Gap, [why].into_iter().chain(shown).collect());
    }
    if part.population == 0 {
        return empty(decision);
    }
    match unknown(decision, question, rows) {
        Err(no) => return (State::Unproven, vec![no.why]),
        Ok(reasons) if !reasons.is_empty() => return (State::Unproven, reasons),
        Ok(_) => {}
    }
    if let Some(why) = stale(decision, question, rows) {
        return (State::Stale, vec![why]);
    }
    let shown = format!("all {} keep to it", part.population);
    if decision.automation == Automation::Hybrid && decision.human.is_some() {
        let (state, mut reasons) = person(decision, question, "a person's part is missing");
        reasons.insert(0, format!("the records show it: {shown}"));
        return (state, reasons);
    }
    (State::Met, vec![shown])
}

/// What the records do not tell. Silence about a row is no proof that it keeps to the control.
fn unknown(
    decision: &Decision,
    question: &Question<'_>,
    rows: &dyn Rows,
) -> Result<Vec<String>, NoAnswer> {
    let Some(query) = &decision.unknown else { return Ok(Vec::new()) };
    let answer = rows.ask(query, &bound(question)?, EXCEPTIONS_MAX)?;
    if answer.count == 0 {
        return Ok(Vec::new());
    }
    let told = format!("the records do not tell of {} rows", answer.count);
    let why = shown(&answer)?.into_iter().take(3).map(|exception| exception.why);
    Ok([told].into_iter().chain(why).collect())
}

fn empty(decision: &Decision) -> Verdict {
    let nothing = "no record falls under it in the period";
    match decision.on_empty {
        Some(OnEmpty::NotApplicable) => {
            let accept = "an auditor must accept that an empty record shows this";
            (State::EvidencedNotApplicable, vec![nothing.to_owned(), accept.to_owned()])
        }
        Some(OnEmpty::Gap) => (State::Gap, vec![nothing.to_owned()]),
        Some(OnEmpty::Unproven) | None => (State::Unproven, vec![nothing.to_owned()]),
    }
}

/// What people showed decides, if it is there and has not expired.
fn person(decision: &Decision, question: &Question<'_>, missing: &str) -> Verdict {
    let live = |e: &&EvidenceRef| e.expires.is_none_or(|until| until >= question.now);
    let tags: Vec<&str> = question.evidence.iter().filter(live).map(|e| e.tag.as_str()).collect();
    if !tags.is_empty() {
        return (State::Met, vec![format!("shown by people: {}", tags.join(", "))]);
    }
    if !question.evidence.is_empty() {
        return (State::Stale, vec!["what people showed has expired; show it again".to_owned()]);
    }
    let what = decision.human.as_deref().unwrap_or("see the control's guide");
    (State::Unproven, vec![format!("{missing}: {what}")])
}

/// Records are as fresh as the newest entry of their book; configuration is as fresh as each party's newest capture.
fn stale(decision: &Decision, question: &Question<'_>, rows: &dyn Rows) -> Option<String> {
    let limit = decision.freshness.as_deref()?;
    let Some(limit_s) = seconds(limit) else {
        return Some(format!("its freshness `{limit}` is no duration"));
    };
    let oldest = question.now.minus_s(limit_s);
    if question.newest < oldest {
        return Some(format!("the newest entry is from {}", instant(question.newest)));
    }
    if decision.configuration.is_empty() {
        return None;
    }
    let query = "SELECT party, max(at) AS at FROM ConfigurationCaptured GROUP BY party HAVING max(at) < :oldest";
    let bound = BTreeMap::from([("oldest".to_owned(), Value::Text(instant(oldest)))]);
    match rows.ask(query, &bound, 1) {
        Err(no) => Some(no.why),
        Ok(answer) if answer.count == 0 => None,
        Ok(answer) => Some(format!("{} parties have no capture newer than {limit}", answer.count)),
    }
}

fn ask(
    population: &str,
    exceptions: &str,
    question: &Question<'_>,
    rows: &dyn Rows,
) -> Result<MachinePart, NoAnswer> {
    let parameters = bound(question)?;
    let all = rows.ask(population, &parameters, CITED_MAX)?;
    let broken = rows.ask(exceptions, &parameters, EXCEPTIONS_MAX)?;
    Ok(MachinePart {
        query: query_digest(population, exceptions, &parameters)?,
        population: all.count,
        exceptions: broken.count,
        shown: shown(&broken)?,
        cited: all.rows.iter().filter_map(entry_of).collect(),
        heads: question.heads.to_vec(),
    })
}

/// How many rows a question finds of each sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    population: u64,
    exceptions: u64,
    unknown: u64,
}

impl Counts {
    /// Whether a verdict stays what it was, if all that came changed a part of the rows from `before` to these. `whole` is
    /// the population that the verdict speaks about.
    pub const fn change_nothing(self, before: Self, whole: u64) -> bool {
        let is_as_empty = self.population == before.population
            || (whole > 0 && self.population > before.population);
        is_as_empty && self.exceptions == before.exceptions && self.unknown == before.unknown
    }
}

/// Counts what the question of a machine finds among some rows.
///
/// # Errors
/// [`NoAnswer`] as for the question itself, and where none is written.
pub fn counts(question: &Question<'_>, rows: &dyn Rows) -> Result<Counts, NoAnswer> {
    let parameters = bound(question)?;
    let count = |query: &Option<String>| match query {
        Some(query) => rows.ask(query, &parameters, 0).map(|answer| answer.count),
        None => Ok(0),
    };
    let Some(decision) = question.decision.filter(|d| d.population.is_some()) else {
        return Err(NoAnswer { why: "no query is written for this control".to_owned() });
    };
    Ok(Counts {
        population: count(&decision.population)?,
        exceptions: count(&decision.exceptions)?,
        unknown: count(&decision.unknown)?,
    })
}

fn shown(answer: &Answer) -> Result<Vec<Exception>, NoAnswer> {
    let exception = |row: &Row| match row.get("why") {
        Some(Value::Text(why)) => Ok(Exception { entry: entry_of(row), why: why.clone() }),
        _ => Err(NoAnswer { why: "an exception gives no reason; name a column `why`".to_owned() }),
    };
    answer.rows.iter().map(exception).collect()
}

fn entry_of(row: &Row) -> Option<EntryRef> {
    let (Some(Value::Text(book)), Some(Value::Integer(index))) = (row.get("book"), row.get("idx"))
    else {
        return None;
    };
    Some(EntryRef { book: book.clone(), index: u64::try_from(*index).ok()? })
}

/// Every name that a query may use: the period, the moment, and the control's own parameters.
/// What the names in a control's queries stand for: the period, the moment of asking, and the control's own parameters.
///
/// # Errors
/// [`NoAnswer`] for a parameter that no query can carry.
pub fn bound(question: &Question<'_>) -> Result<BTreeMap<String, Value>, NoAnswer> {
    let mut bound = BTreeMap::from([
        ("from".to_owned(), Value::Text(instant(question.period.from))),
        ("to".to_owned(), Value::Text(instant(question.period.to))),
        ("now".to_owned(), Value::Text(instant(question.now))),
    ]);
    for (name, fixed) in &question.parameters {
        bound.extend(parameter::bind(name, fixed)?);
    }
    Ok(bound)
}

/// What an auditor must record of a question: its text and its parameters. The moment of asking is left out, so that the
/// same question has the same digest tomorrow.
fn query_digest(
    population: &str,
    exceptions: &str,
    parameters: &BTreeMap<String, Value>,
) -> Result<Digest, NoAnswer> {
    let own: BTreeMap<_, _> = parameters
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "from" | "to" | "now"))
        .collect();
    let question = json!({
        "population": population, "exceptions": exceptions, "parameters": own,
    });
    let bytes =
        canonical::to_bytes(&question, "query").map_err(|e| NoAnswer { why: e.to_string() })?;
    Ok(Digest::of(tag::QUERY, &bytes))
}
