//! What a command shows: text for people, the same as one JSON document for programs, and whether all is well.

use std::fmt::Write as _;

use quorate_assessor::finding::{Finding, State};
use quorate_assessor::record::Results;
use quorate_assessor::standard::{Catalogue, Control, Decision};
use quorate_host::telemetry::safe;
use quorate_host::ui::{Table, Tone, Ui};
use quorate_terms::Digest;
use serde_json::{Value, json};

/// One answer.
pub(crate) struct Screen {
    pub(crate) text: String,
    pub(crate) json: Value,
    /// False where the answer is that something is not as it should be.
    pub(crate) well: bool,
}

impl Screen {
    /// An answer that is well.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, well: true }
    }

    /// Several answers as one; a single one stays as it is.
    pub(crate) fn many(mut screens: Vec<Self>) -> Self {
        if screens.len() == 1
            && let Some(only) = screens.pop()
        {
            return only;
        }
        let text: Vec<&str> = screens.iter().map(|screen| screen.text.as_str()).collect();
        let text = text.join("\n");
        let well = screens.iter().all(|screen| screen.well);
        let all: Vec<Value> = screens.into_iter().map(|screen| screen.json).collect();
        Self { text, json: json!({ "assessments": all }), well }
    }
}

/// How a state is coloured.
pub(crate) fn tone(state: State) -> Tone {
    match state {
        State::Met | State::MetComparable | State::Qualified | State::EvidencedNotApplicable => {
            Tone::Good
        }
        State::Gap => Tone::Bad,
        State::Stale | State::Unproven => Tone::Wait,
        State::NotSought => Tone::Faint,
    }
}

/// Levels, counts, and every finding that does not pass (or all of them).
pub(crate) fn results(
    ui: &Ui,
    catalogue: &Catalogue,
    results: &Results,
    digest: &Digest,
    all: bool,
) -> Screen {
    let mut text = String::new();
    let official = if catalogue.official { "" } else { " (our words, not the publisher's)" };
    let _ = writeln!(text, "{} {}{official}\n", catalogue.title, catalogue.version);
    if !catalogue.levels.is_empty() {
        levels(catalogue, results, &mut text);
    }
    let mut counts = Table::new(&["state", "controls"]);
    for state in State::ALL {
        if let Some(count) = results.reached.counts.get(&state) {
            counts.row([state.words().to_owned(), count.to_string()]);
        }
    }
    let _ = writeln!(text, "{counts}");
    let mut findings = Table::new(&["control", "state", "why"]);
    let listed = |state: State| all || matches!(state, State::Gap | State::Stale);
    for finding in results.findings.iter().filter(|finding| listed(finding.state)) {
        let why = finding.reasons.first().map_or("", String::as_str);
        findings.row([finding.control.id.as_str(), finding.state.words(), why]);
    }
    let _ = writeln!(text, "{findings}");
    let _ = writeln!(text, "results sha256 {digest}");
    let _ = writeln!(
        text,
        "{}",
        ui.tone(Tone::Faint, "assessed, not certified; `show` tells more of one control")
    );
    let gaps = results.reached.counts.get(&State::Gap).is_some_and(|count| *count > 0);
    let json = json!({ "results": results, "sha256": digest });
    Screen { well: !gaps, ..Screen::new(text, json) }
}

fn levels(catalogue: &Catalogue, results: &Results, text: &mut String) {
    let reached = &results.reached;
    let mut table = Table::new(&["group", "title", "level", "stopped by"]);
    for group in &reached.groups {
        let title = catalogue.groups.iter().find(|g| g.id == group.group);
        let stops = group.stopped_by.len();
        let mut shown = group.stopped_by.iter().take(4).cloned().collect::<Vec<_>>().join(" ");
        if stops > 4 {
            shown.push_str(&format!(" and {} more", stops.saturating_sub(4)));
        }
        let title = title.map_or("", |g| g.title.as_str());
        table.row([&group.group, title, group.level.as_deref().unwrap_or("none"), &shown]);
    }
    let _ = writeln!(text, "{table}");
    let overall = reached.overall.as_deref().unwrap_or("none");
    let _ = writeln!(text, "overall: {overall} (the lowest of all groups)\n");
}

/// One control, whole.
pub(crate) fn control(
    ui: &Ui,
    (control, decision): (&Control, Option<&Decision>),
    finding: &Finding,
    strip: &str,
) -> Screen {
    let mut text = format!("{}  {}\n\n", control.id, safe(&control.title));
    let mut row = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{label:<13}{}", safe(value));
        }
    };
    row("asks", &control.text);
    row("level", control.level.as_deref().unwrap_or_default());
    row("citation", &control.citation);
    for (label, said) in control.guided() {
        row(&label.to_lowercase(), said);
    }
    if let Some(decision) = decision {
        row("decided by", decision.automation.word());
        row("question", decision.predicate.as_deref().unwrap_or_default());
        row("people show", decision.human.as_deref().unwrap_or_default());
        row("met by", decision.satisfied_by.as_deref().unwrap_or_default());
    }
    row("stands", &ui.tone(tone(finding.state), finding.state.words()));
    for reason in &finding.reasons {
        row("because", reason);
    }
    if let Some(part) = &finding.machine {
        row("query", &part.query.to_string());
        row("population", &part.population.to_string());
        row("exceptions", &part.exceptions.to_string());
        for exception in &part.shown {
            let entry = exception.entry.as_ref();
            let place =
                entry.map_or_else(String::new, |e| format!("{} entry {}: ", e.book, e.index));
            row("exception", &format!("{place}{}", exception.why));
        }
        for head in &part.heads {
            row(
                "verified",
                &format!("{}, {} entries, root {}", head.book, head.size, head.root.short()),
            );
        }
    }
    row("history", strip);
    for (label, query) in [("population", 0), ("exceptions", 1)] {
        let queries = decision.map(|d| [&d.population, &d.exceptions]);
        let query = queries.and_then(|queries| queries.get(query).copied().cloned()).flatten();
        if let Some(query) = query {
            let _ =
                writeln!(text, "\n{label}, as SQL over verified entries:\n{}", query.trim_end());
        }
    }
    let json = json!({ "control": control, "decision": decision, "finding": finding });
    let well = !matches!(finding.state, State::Gap);
    Screen { well, ..Screen::new(text, json) }
}
