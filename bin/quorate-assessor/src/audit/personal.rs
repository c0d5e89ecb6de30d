//! Values about people in an audit: committed before a step is judged, opened for who may read them, erased on request.
//!
//! They lie in the office's own store beside the ledger, and nowhere else here.

use std::collections::BTreeSet;

use clap::Args;
use quorate_assessor::audit::exhibit::Exhibit;
use quorate_assessor::audit::personal::{Openings, Personal};
use quorate_assessor::audit::redact::{apply, holds_opened};
use quorate_assessor::audit::report::report as whole;
use quorate_assessor::audit::{Audit, Line, Record as Act};
use quorate_assessor::record::Record;
use quorate_host::random::Random;
use quorate_terms::commitment::Opening;
use quorate_terms::{Digest, Malformed, PersonId, canonical};
use serde_json::json;

use super::{Held, open, papers};
use crate::cli::Cli;
use crate::home::Home;
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// What is to be erased.
#[derive(Args)]
pub(crate) struct Erasing {
    /// The audit.
    audit: String,
    /// The exhibit whose values about people go, as `INTERVIEW_1`; once for each.
    #[arg(long = "tag", required = true)]
    tags: Vec<String>,
    /// Who sees to it, by id.
    #[arg(long)]
    by: PersonId,
    /// Why, without the values.
    #[arg(long)]
    why: String,
}

/// Puts commitments into a record that somebody wrote in plain text, and gives what opens them.
pub(super) fn commit(record: &mut Act) -> Done<Vec<Opening>> {
    let Act::ExhibitFiled(filing) = record else { return Ok(Vec::new()) };
    if filing.exhibit.personal().iter().any(|(_, value)| value.commitment().is_some()) {
        let next = "write the value itself: this office commits to it and keeps the opening";
        return Err(Trouble::refused("committed", "a value is a commitment already", next));
    }
    salted(filing.exhibit.personal().len(), |salt| filing.exhibit.commit(salt))
}

/// Makes something with up to `count` salts of 128 bits, drawn before, so that a failing generator stops the command.
pub(super) fn salted<T>(
    count: usize,
    make: impl FnOnce(&mut dyn FnMut() -> [u8; 16]) -> Result<T, Malformed>,
) -> Done<T> {
    let random = Random::start()?;
    let mut salts: Vec<[u8; 16]> = (0..count).map(|_| random.bytes()).collect::<Result<_, _>>()?;
    let mut short = false;
    let made = make(&mut || {
        salts.pop().unwrap_or_else(|| {
            short = true;
            [0; 16]
        })
    })?;
    if short {
        return Err(Trouble::fault("salt", "there were too few salts", "please report this"));
    }
    Ok(made)
}

/// What opens an audit's commitments, but for what was erased.
pub(crate) async fn openings(office: &Office, audit: &Audit) -> Done<Openings> {
    let mut all = Openings::new();
    let values = audit.exhibits().values().flat_map(|exhibit| exhibit.personal());
    for commitment in values.filter_map(|(_, value)| value.commitment()) {
        let digest = commitment.digest();
        if let Some(opening) = office.opening(&digest).await? {
            all.insert(digest, opening);
        }
    }
    Ok(all)
}

/// Refuses commitments that an exhibit of this office held before: what destroys one value would destroy the other's too, and
/// what was destroyed would come back.
pub(super) fn is_new(office: &Office, exhibit: &Exhibit) -> Done<()> {
    let of = |exhibit: &Exhibit| -> BTreeSet<Digest> {
        let values = exhibit.personal();
        values.iter().filter_map(|(_, value)| Some(value.commitment()?.digest())).collect()
    };
    let ours = of(exhibit);
    let filed = office.lines().iter().filter_map(|line| match &line.body {
        Record::Audited(step) => match &step.record {
            Act::ExhibitFiled(filing) => Some(&filing.exhibit),
            _ => None,
        },
        _ => None,
    });
    if filed.into_iter().any(|exhibit| !of(exhibit).is_disjoint(&ours)) {
        let next = "commit to the value anew, under a new salt";
        return Err(Trouble::refused("not_composed", "a commitment was used before", next));
    }
    Ok(())
}

/// Refuses a copy in which words that its readers are shown repeat what was struck out.
pub(super) async fn readable(office: &Office, held: &Held, record: &Act) -> Done<()> {
    let Act::Redacted(redaction) = record else { return Ok(()) };
    let report = whole(&held.state, &held.requirements);
    let openings = openings(office, &held.state).await?;
    let copy = apply(&report, &redaction.strokes)?;
    Ok(holds_opened(&report, &redaction.strokes, &copy, &openings)?)
}

/// Erases: first the line that says so, then the values.
pub(crate) async fn erase(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    asked: &Erasing,
) -> Done<Screen> {
    let held = open(cli, home, office, &asked.audit)?;
    let all = named(&held.state, office, asked)?;
    let mut kept = Openings::new();
    for digest in &all {
        if let Some(opening) = office.opening(digest).await? {
            kept.insert(*digest, opening);
        }
    }
    if kept.is_empty() {
        // An erasure that was interrupted may have left them in the disk's log.
        office.destroy(all).await?;
        let next = "nothing: these exhibits have no such values, or they are gone";
        return Err(Trouble::refused("nothing_kept", "nothing that could be erased is kept", next));
    }
    if kept.values().any(|opening| asked.why.contains(&opening.value)) {
        let next = "say it without the values: the reason stays for good";
        return Err(Trouble::refused("repeated", "the reason repeats what is to be erased", next));
    }
    let also = still_standing(office, &asked.audit, &kept)?;
    // Read before anything is on record: a file of openings that nobody can read might hold the words.
    papers::kept_copies(home)?;
    let fields: Vec<Digest> = kept.keys().copied().collect();
    let (audit, by, why) = (asked.audit.clone(), asked.by.clone(), asked.why.clone());
    let index = office.append(Record::Erased { audit, fields: fields.clone(), by, why }).await?;
    let words: Vec<&str> = kept.values().map(|opening| opening.value.as_str()).collect();
    let copies = papers::forget(home, &words)?;
    office.destroy(fields.clone()).await?;
    let mut text = format!(
        "entry {index}: {} values are erased, and {copies} openings of redacted copies that held them; every proof still \
         holds. sealed files are kept apart, and stay; so do openings that were written elsewhere with `--openings`",
        fields.len()
    );
    if !also.is_empty() {
        let at: Vec<String> = also.iter().map(ToString::to_string).collect();
        text.push_str(&format!(
            "\nthe same words stand in plain text in entries {}, which nobody can change",
            at.join(", ")
        ));
    }
    let json = json!({ "entry": index, "erased": fields, "copies": copies, "also_at": also });
    Ok(Screen::new(text, json))
}

/// The commitments that are meant, where the audit lets go of them.
fn named(audit: &Audit, office: &Office, asked: &Erasing) -> Done<Vec<Digest>> {
    let running = audit.word(office.now()) == "under audit";
    let mut all = BTreeSet::new();
    for tag in &asked.tags {
        let Some(exhibit) = audit.exhibits().get(tag) else {
            let message = format!("no exhibit `{tag}` is on file");
            return Err(Trouble::refused("no_exhibit", message, "see `audit evidence list`"));
        };
        if running && !audit.is_struck(tag) {
            let message = format!("`{tag}` is evidence of an audit that goes on");
            let next = "strike it first (a step `exhibit_struck`), or wait until the audit is over";
            return Err(Trouble::refused("audit_open", message, next));
        }
        let personal = exhibit.personal().into_iter();
        all.extend(personal.filter_map(|(_, value)| value.commitment()).map(|held| held.digest()));
    }
    Ok(all.into_iter().collect())
}

/// Lines of the audit in which a value stands in plain text, as somebody wrote it there.
fn still_standing(office: &Office, audit: &str, kept: &Openings) -> Done<Vec<u64>> {
    let holds = |line: &Line| -> Done<bool> {
        let text = String::from_utf8(canonical::to_bytes(line, "audit line")?).unwrap_or_default();
        Ok(kept.values().any(|opening| text.contains(&opening.value)))
    };
    let mut found = Vec::new();
    for line in office.lines() {
        if let Record::Audited(step) = &line.body
            && step.audit == audit
            && holds(step)?
        {
            found.push(line.index);
        }
    }
    Ok(found)
}

/// Values that are neither kept nor recorded as erased: the store lost them. Gives how many are kept.
pub(crate) async fn lost(office: &Office) -> Done<usize> {
    let (mut committed, mut erased) = (BTreeSet::new(), BTreeSet::new());
    for line in office.lines() {
        match &line.body {
            Record::Audited(step) => {
                if let Act::ExhibitFiled(filing) = &step.record {
                    let personal = filing.exhibit.personal().into_iter();
                    committed.extend(personal.filter_map(|(_, value)| Personal::commitment(value)));
                }
            }
            Record::Erased { fields, .. } => erased.extend(fields.iter().copied()),
            _ => {}
        }
    }
    let mut count = 0_usize;
    for digest in committed.iter().map(|held| held.digest()) {
        match office.opening(&digest).await? {
            Some(_) => count = count.saturating_add(1),
            None if erased.contains(&digest) => {}
            None => {
                let message = format!("the value of {} is gone and was not erased", digest.short());
                return Err(Trouble::refused("lost", message, "restore office.db from a copy"));
            }
        }
    }
    Ok(count)
}
