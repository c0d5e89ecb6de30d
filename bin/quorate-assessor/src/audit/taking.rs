//! Taking a step: committed, judged, signed, written, and only then shown. The command line, the pages and programs go this way.

use std::collections::BTreeMap;
use std::path::Path;

use quorate_assessor::audit::file::FileEntry;
use quorate_assessor::audit::personal::Personal;
use quorate_assessor::audit::signed::step_to_sign;
use quorate_assessor::audit::waiting::{Answer, Waiting};
use quorate_assessor::audit::{self, Audit as State, Event, Record as Act, Step};
use quorate_assessor::ccss::Objection;
use quorate_assessor::record::Record;
use quorate_host::Identity;
use quorate_terms::Digest;
use quorate_terms::commitment::Opening;
use serde_json::{Value, json};

use super::{Held, held, lines, machine, open_with, papers, personal};
use crate::cli::Cli;
use crate::home::Home;
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// A step that waits for its person's signature.
pub(crate) struct Composed {
    pub(crate) waiting: Waiting,
    /// What opens a redacted copy that the step records. It is kept when the step is taken, and not before.
    pub(crate) copy: Vec<Opening>,
}

/// A step on record.
pub(crate) struct Taken {
    pub(crate) entry: u64,
    pub(crate) act: String,
    pub(crate) stage: String,
    pub(crate) word: &'static str,
    /// What the file is called whose opening is on record now, and its digest.
    pub(crate) opened: Option<(String, Digest)>,
}

impl Taken {
    fn screen(&self) -> Screen {
        let Self { entry, act, stage, word, .. } = self;
        let text = format!("entry {entry}: {act} is on record; stage {stage}; {word}");
        Screen::new(text, self.json())
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        let Self { entry, act, stage, word, .. } = self;
        json!({ "entry": entry, "act": act, "stage": stage, "word": word })
    }
}

/// Judges one step, signs it with the key that was given, writes it, and says how the audit stands.
pub(crate) async fn take(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    audit: Option<&str>,
    mut event: Event,
) -> Done<Screen> {
    let openings = committed(&mut event.record)?;
    let held = ground(&cli.standards, home, office, audit, &event.record)?;
    let event = signed(cli, &held, event)?;
    let step = judged(office, &held, &event)?;
    is_known(home, office, &held, &event.record).await?;
    Ok(write(office, &event, step, &openings).await?.screen())
}

/// Makes a step ready for its person's signature. Whatever stands against it, but for the signature, is said now.
pub(crate) async fn compose(
    standards: &Path,
    (home, office): (&Home, &Office),
    audit: Option<&str>,
    (by, mut record): (&str, Act),
) -> Done<Composed> {
    let openings = committed(&mut record)?;
    let held = ground(standards, home, office, audit, &record)?;
    let event = Event { by: by.to_owned(), record, signature: None };
    let reasons = audit::before_signing(&held.state, &event, office.now(), &held.rules());
    if !reasons.is_empty() {
        return Err(objections(event.record.kind(), &reasons));
    }
    personal::readable(office, &held, &event.record).await?;
    let audit = audit_of(&held, &event.record);
    let before = u64::try_from(held.state.done().len()).unwrap_or(u64::MAX);
    let Event { by, record, .. } = event;
    let waiting = Waiting { v: 1, audit, before, by, record, openings };
    Ok(Composed { waiting, copy: Vec::new() })
}

/// A step that was not composed here, if it holds what [`compose`] would have made of it: values about people as commitments,
/// each with its opening, and none that was used before.
pub(crate) fn composed_elsewhere(
    office: &Office,
    waiting: Waiting,
    sent: &[FileEntry],
) -> Done<Composed> {
    begun_or_made_here(&waiting.record, sent)?;
    if let Act::ExhibitFiled(filing) = &waiting.record {
        let mut opened = BTreeMap::new();
        for opening in &waiting.openings {
            opened.insert(opening.commitment()?.digest(), opening.path.as_str());
        }
        let mut all = filing.exhibit.personal().into_iter();
        let is_kept = |(name, value): (&str, &Personal)| {
            let path = value.commitment().and_then(|one| opened.get(&one.digest()));
            path.is_some_and(|path| *path == format!("exhibit.{name}"))
        };
        if !all.all(is_kept) {
            let message = "a value about people has no commitment with its opening";
            let next = "commit to each value about people, and send what opens it";
            return Err(Trouble::refused("not_composed", message, next));
        }
        personal::is_new(office, &filing.exhibit)?;
    }
    Ok(Composed { waiting, copy: Vec::new() })
}

/// Refuses what only the office itself does. Whoever begins an audit names the keys of its people, who sign in to the pages; and
/// whoever names a file that was not sent for their audit would read another's.
pub(crate) fn begun_or_made_here(record: &Act, sent: &[FileEntry]) -> Done<()> {
    let (message, next) = match record {
        Act::Engaged(_) => (
            "an audit is begun by the office, whose word its people's keys are",
            "begin it in the pages, or with `audit step` where the office lies",
        ),
        Act::ExhibitFiled(filing)
            if filing.exhibit.file.as_ref().is_some_and(|file| !sent.contains(file)) =>
        {
            (
                "the file was not sent here for this audit since the pages are served",
                "send it first, and name it as it was answered: POST /audits/AUDIT/files",
            )
        }
        Act::Redacted(_) => (
            "a redacted copy is made where the report is",
            "take it in the pages, or with `audit redact`",
        ),
        _ => return Ok(()),
    };
    Err(Trouble::refused("not_composed", message, next))
}

/// Whether a composed step would be taken with its person's answer, as things stand.
pub(crate) fn would_take(
    standards: &Path,
    (home, office): (&Home, &Office),
    waiting: &Waiting,
    answer: &Answer,
) -> Done<()> {
    weighed(standards, (home, office), waiting, answer).map(drop)
}

fn weighed(
    standards: &Path,
    (home, office): (&Home, &Office),
    waiting: &Waiting,
    answer: &Answer,
) -> Done<(Held, Event, Step)> {
    let event = waiting.answered(answer);
    let held = ground(standards, home, office, Some(&waiting.audit), &event.record)?;
    let before = u64::try_from(held.state.done().len()).unwrap_or(u64::MAX);
    if before != waiting.before {
        let message = "another step was taken since this one was composed";
        let next = "compose it again; nothing was recorded";
        return Err(Trouble::refused("overtaken", message, next));
    }
    let step = judged(office, &held, &event)?;
    Ok((held, event, step))
}

/// Takes a composed step with its person's answer.
pub(crate) async fn answer(
    standards: &Path,
    (home, office): (&Home, &mut Office),
    composed: &Composed,
    answer: &Answer,
) -> Done<Taken> {
    let waiting = &composed.waiting;
    let (held, event, step) = weighed(standards, (home, office), waiting, answer)?;
    is_known(home, office, &held, &event.record).await?;
    if let Act::Redacted(redaction) = &event.record {
        // Before it is on record: a commitment that nobody can open is worth nothing.
        papers::keep_copy(home, &redaction.copy, &composed.copy)?;
    }
    write(office, &event, step, &waiting.openings).await
}

/// Commitments in the place of values about people; an engagement that says nothing has its steps signed.
fn committed(record: &mut Act) -> Done<Vec<Opening>> {
    let openings = personal::commit(record)?;
    if let Act::Engaged(engagement) = record {
        engagement.signed_steps.get_or_insert(true);
    }
    Ok(openings)
}

/// The audit that a record belongs to.
fn ground(
    standards: &Path,
    home: &Home,
    office: &Office,
    audit: Option<&str>,
    record: &Act,
) -> Done<Held> {
    let held = match (record, audit) {
        (Act::Engaged(engagement), _) => {
            if lines(office, &engagement.audit).next().is_some() {
                let message = format!("there is an audit `{}`", engagement.audit);
                return Err(Trouble::refused("engaged_once", message, "give it another id"));
            }
            let key = (&engagement.standard, &engagement.version);
            held(standards, home, State::default(), engagement.workflow, key)?
        }
        (_, Some(audit)) => open_with(standards, home, office, audit)?,
        (_, None) => {
            return Err(Trouble::refused("which", "no audit is named", "name it with --audit"));
        }
    };
    Ok(held)
}

/// Whether a record says nothing that this office never found. It reads much, so that it comes after the signature.
async fn is_known(home: &Home, office: &Office, held: &Held, record: &Act) -> Done<()> {
    machine::named(home, office, held, record)?;
    personal::readable(office, held, record).await
}

/// The step that an event is, or every reason why it is none.
fn judged(office: &Office, held: &Held, event: &Event) -> Done<Step> {
    audit::step(&held.state, event, office.now(), &held.rules())
        .map_err(|refusal| objections(&refusal.act, &refusal.reasons))
}

/// Writes a step. It is durable when this returns.
async fn write(
    office: &mut Office,
    event: &Event,
    step: Step,
    openings: &[Opening],
) -> Done<Taken> {
    let lines = step.records.into_iter().map(|line| Record::Audited(Box::new(line))).collect();
    office.append_opened(lines, openings).await?;
    Ok(Taken {
        entry: office.head().size.saturating_sub(1),
        act: event.record.kind().to_owned(),
        stage: step.next.stage().to_owned(),
        word: step.next.word(office.now()),
        opened: opened(&event.record, &step.next),
    })
}

fn opened(record: &Act, audit: &State) -> Option<(String, Digest)> {
    let Act::ExhibitOpened(about) = record else { return None };
    let file = audit.exhibits().get(&about.tag)?.file.as_ref()?;
    Some((format!("{}-{}", about.tag, file.name), file.digest))
}

fn objections(act: &str, reasons: &[Objection]) -> Trouble {
    let mut trouble = Trouble::refused(
        "objections",
        format!("{} objections to {act}", reasons.len()),
        "mend what is listed; nothing was recorded",
    );
    trouble.problems = reasons.iter().map(ToString::to_string).collect();
    trouble
}

fn audit_of(held: &Held, record: &Act) -> String {
    match record {
        Act::Engaged(engagement) => engagement.audit.clone(),
        _ => held.state.engagement().map(|e| e.audit.clone()).unwrap_or_default(),
    }
}

/// The event with the person's signature, if a key was given.
fn signed(cli: &Cli, held: &Held, event: Event) -> Done<Event> {
    let Some(path) = &cli.sign_with else { return Ok(event) };
    let id = audit_of(held, &event.record);
    let message = step_to_sign(&id, held.state.done().len(), &event.by, &event.record)?;
    let signature = Some(Identity::load(path)?.sign(&message));
    Ok(Event { signature, ..event })
}
