//! Audits by people on this office's ledger: each step is judged by the workflow, written, and only then shown.

pub(crate) mod files;
pub(crate) mod machine;
pub(crate) mod papers;
pub(crate) mod personal;
mod taking;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_assessor::audit::calendar::due;
use quorate_assessor::audit::{
    self, Audit as State, Event, Line, Record as Act, Role, Rules, Workflow,
};
use quorate_assessor::ccss::Requirement;
use quorate_assessor::ccss::inherit::Pin;
use quorate_assessor::ccss::requirement::requirements;
use quorate_assessor::record::Record;
use quorate_assessor::standard::StandardKey;
use quorate_host::Fault;
use quorate_host::ui::Table;
use quorate_terms::{Digest, Malformed, PublicKey, canonical};
use serde_json::json;

use crate::cli::Cli;
use crate::home::{self, Home};
use crate::library;
use crate::office::Office;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

pub(crate) use taking::{
    Composed, Taken, answer, begun_or_made_here, compose, composed_elsewhere, take, would_take,
};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Audit {
    /// The workflows that are loaded, with the digests that engagements name.
    Workflows,
    /// Believe a registrar's key from now on.
    Registrar {
        /// Its name.
        name: String,
        /// Its public key.
        key: PublicKey,
    },
    /// Take one step: `{"act": "found", ...}` as in docs/spec/audit.md.
    Step {
        /// The record, a JSON file.
        record: PathBuf,
        /// The audit; for `engaged` the one that the record names.
        #[arg(long)]
        audit: Option<String>,
        /// Who takes it, by id.
        #[arg(long)]
        by: String,
    },
    /// What one role sees of an audit.
    View {
        /// The audit.
        audit: String,
        /// entity, implementer, auditor, reviewer or registrar.
        #[arg(long)]
        role: String,
    },
    /// Dates of an audit.
    Calendar {
        /// The audit.
        audit: String,
    },
    /// Write the report as the audit stands; its digest is what `report_written` names.
    Report {
        /// The audit.
        audit: String,
        /// Where to; never replaced.
        #[arg(long)]
        out: PathBuf,
        /// Where the values about people go that the report holds as commitments; never replaced.
        #[arg(long)]
        openings: Option<PathBuf>,
    },
    /// Make and record the redacted copy: what the workflow says, and what is wished beside it.
    Redact {
        /// The audit.
        audit: String,
        /// A JSON list of `{"at": "/pointer/*/field", "commit": true, "why": "..."}`.
        #[arg(long)]
        wishes: Option<PathBuf>,
        /// Who redacts, by id.
        #[arg(long)]
        by: String,
        /// Where the openings of the commitments go; never replaced, and never shown to a reviewer.
        #[arg(long)]
        openings: PathBuf,
    },
    /// Sign a paper of an audit with a person's key; gives the signature.
    Sign {
        /// The audit.
        audit: String,
        /// declaration, review or summary.
        what: String,
        /// The paper: a file, digested in canonical form, or its digest.
        paper: String,
        /// Who signs, by id.
        #[arg(long)]
        by: String,
        /// The person's key file.
        #[arg(long)]
        key: PathBuf,
    },
    /// Draft findings from what the machine found. The auditor decides: a draft has no status and no words yet.
    Draft {
        /// The audit.
        audit: String,
        /// SHA-256 of results of this office.
        #[arg(long)]
        results: Digest,
        /// The folder for one draft a requirement; made if it is not there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Files on file, sealed.
    #[command(subcommand)]
    Evidence(files::Evidence),
}

/// One audit with all that its next step is judged by.
pub(crate) struct Held {
    pub(crate) state: State,
    pub(crate) workflow: Workflow,
    pub(crate) requirements: Vec<Requirement>,
    pins: Vec<Pin>,
}

impl Held {
    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules { workflow: &self.workflow, requirements: &self.requirements, pins: &self.pins }
    }
}

/// Runs one command.
pub(crate) async fn run(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    command: &Audit,
) -> Done<Screen> {
    match command {
        Audit::Workflows => list(&cli.standards),
        Audit::Registrar { name, key } => believe(home, name, key),
        Audit::Step { record, audit, by } => {
            let record: Act = serde_json::from_slice(&home::read(record)?).map_err(|e| {
                let next = "write it as docs/spec/audit.md says";
                Trouble::refused("malformed", format!("this is no record ({e})"), next)
            })?;
            take(
                cli,
                home,
                office,
                audit.as_deref(),
                Event { by: by.clone(), record, signature: None },
            )
            .await
        }
        Audit::View { audit, role } => {
            let held = open(cli, home, office, audit)?;
            let role: Role = serde_json::from_value(json!(role)).map_err(|_| {
                let next = "choose entity, implementer, auditor, reviewer or registrar";
                Trouble::refused("unknown_role", format!("there is no role `{role}`"), next)
            })?;
            let openings = personal::openings(office, &held.state).await?;
            let seen = audit::view(&held.state, role, &held.rules(), &openings);
            let word = held.state.word(office.now());
            let text = serde_json::to_string_pretty(&seen).unwrap_or_default();
            Ok(Screen::new(
                format!("{audit}: {word}\n{text}"),
                json!({ "word": word, "seen": seen }),
            ))
        }
        Audit::Calendar { audit } => {
            let held = open(cli, home, office, audit)?;
            Ok(calendar(&held, office))
        }
        Audit::Report { audit, out, openings } => {
            let held = open(cli, home, office, audit)?;
            let kept = personal::openings(office, &held.state).await?;
            papers::report(&held, out, openings.as_deref().map(|path| (path, &kept)))
        }
        Audit::Redact { audit, wishes, by, openings } => {
            let held = open(cli, home, office, audit)?;
            let kept = personal::openings(office, &held.state).await?;
            let wishes = papers::wishes(wishes.as_deref())?;
            let (record, made) = papers::redaction(&held, &kept, wishes)?;
            papers::keep_openings(openings, &made)?;
            take(cli, home, office, Some(audit), Event { by: by.clone(), record, signature: None })
                .await
        }
        Audit::Sign { audit, what, paper, by, key } => papers::sign(audit, what, paper, by, key),
        Audit::Draft { audit, results, out } => {
            machine::draft(home, office, &open(cli, home, office, audit)?, results, out)
        }
        Audit::Evidence(command) => files::run(cli, home, office, command).await,
    }
}

/// An audit, every step of it taken again.
pub(crate) fn open(cli: &Cli, home: &Home, office: &Office, audit: &str) -> Done<Held> {
    open_with(&cli.standards, home, office, audit)
}

/// As [`open`], with the folder of standards.
pub(crate) fn open_with(standards: &Path, home: &Home, office: &Office, audit: &str) -> Done<Held> {
    let lines: Vec<Line> = lines(office, audit).cloned().collect();
    let Some(Act::Engaged(engagement)) = lines.first().map(|line| &line.record) else {
        let message = format!("there is no audit `{audit}`");
        return Err(Trouble::refused("no_audit", message, "begin with a step `engaged`"));
    };
    let key = (&engagement.standard, &engagement.version);
    let mut held = held(standards, home, State::default(), engagement.workflow, key)?;
    held.state = audit::replay(&lines, &held.rules()).map_err(|(place, refusal)| {
        let why = refusal.reasons.first().map(ToString::to_string).unwrap_or_default();
        let message = format!("step {place} of `{audit}` ({}) does not hold: {why}", refusal.act);
        let next = "look whether a registrar's key, the workflow or the catalogue is another one";
        Trouble::refused("refuted", message, next)
    })?;
    Ok(held)
}

pub(crate) fn lines<'a>(office: &'a Office, audit: &'a str) -> impl Iterator<Item = &'a Line> {
    office.lines().iter().filter_map(move |line| match &line.body {
        Record::Audited(step) if step.audit == audit => Some(&**step),
        _ => None,
    })
}

fn held(
    standards: &Path,
    home: &Home,
    state: State,
    workflow: Digest,
    (standard, version): (&String, &String),
) -> Done<Held> {
    let found = workflows(standards)?.into_iter().find(|held| held.digest == workflow);
    let workflow = found.ok_or_else(|| {
        let next = "give the folder that holds it; see `audit workflows`";
        Trouble::refused(
            "no_workflow",
            format!("workflow {} is not loaded", workflow.short()),
            next,
        )
    })?;
    let shelf = library::load(standards)?;
    let key = StandardKey { standard: standard.clone(), version: version.clone() };
    let requirements = requirements(run::catalogue(&shelf.library, &key)?);
    Ok(Held { state, workflow, requirements, pins: pins(home)? })
}

pub(crate) fn workflows(standards: &Path) -> Done<Vec<Workflow>> {
    let dir = standards.join("workflows");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(|e| Fault::at(&dir, &e))? {
        paths.push(entry.map_err(|e| Fault::at(&dir, &e))?.path());
    }
    paths.sort();
    let toml = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "toml"));
    toml.map(|path| Ok(Workflow::from_toml(&home::read_text(path)?)?)).collect()
}

/// The workflows that are loaded.
pub(crate) fn list(standards: &Path) -> Done<Screen> {
    let all = workflows(standards)?;
    let mut table = Table::new(&["workflow", "standard", "digest"]);
    for held in &all {
        table.row([&held.text.id, &held.text.standard, &held.digest.to_string()]);
    }
    let json = all
        .iter()
        .map(|w| json!({ "id": w.text.id, "standard": w.text.standard, "digest": w.digest }));
    Ok(Screen::new(table.to_string(), json.collect()))
}

pub(crate) fn pins(home: &Home) -> Done<Vec<Pin>> {
    let path = home.registrars();
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(canonical::from_bytes(&home::read(&path)?, "registrars")?)
}

fn believe(home: &Home, name: &str, key: &PublicKey) -> Done<Screen> {
    if name.trim().is_empty() {
        return Err(Malformed::new("name", "is empty", "name the registrar").into());
    }
    let mut pins = pins(home)?;
    if pins.iter().any(|pin| pin.name == name || pin.key == *key) {
        let message = format!("`{name}` or its key is believed already");
        return Err(Trouble::refused("pinned", message, "a pin is never changed"));
    }
    pins.push(Pin { name: name.to_owned(), key: *key });
    home::write(&home.registrars(), &canonical::to_bytes(&pins, "registrars")?)?;
    let text = format!("`{name}` is believed; compare the key out of band: {key}");
    Ok(Screen::new(text, json!({ "name": name, "key": key })))
}

/// The dates of an audit.
pub(crate) fn calendar(held: &Held, office: &Office) -> Screen {
    let dates = due(&held.state, &held.workflow);
    let mut table = Table::new(&["what", "by", "met"]);
    let day = |at: quorate_terms::Timestamp| {
        let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |t| t.to_string())
    };
    for due in &dates {
        let waits = if due.is_late(office.now()) { "late" } else { "waits" };
        let met = due.met.map_or_else(|| waits.to_owned(), day);
        table.row([due.title.as_str(), &day(due.by), &met]);
    }
    let late = dates.iter().any(|due| due.met.is_none() && due.is_late(office.now()));
    Screen { well: !late, ..Screen::new(table.to_string(), json!(dates)) }
}
