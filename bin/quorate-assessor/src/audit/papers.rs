//! Papers of an audit: the report, its redacted copy, and what people sign.

use std::path::Path;

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::record::Redaction;
use quorate_assessor::audit::redact::{Wish, places, redact};
use quorate_assessor::audit::report::report as whole;
use quorate_assessor::audit::signed::{digest_of, to_sign};
use quorate_host::random::Random;
use quorate_host::{Identity, secret_file};
use quorate_terms::commitment::Opening;
use quorate_terms::{Digest, Malformed, canonical};
use serde_json::{Value, json};

use super::Held;
use super::personal::salted;
use crate::home;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// Writes the report, for its author's eyes. What is about people stands in it as commitments, as its digest binds it.
pub(super) fn report(
    held: &Held,
    out: &Path,
    openings: Option<(&Path, &Openings)>,
) -> Done<Screen> {
    let report = whole(&held.state, &held.requirements);
    let digest = digest_of(&report)?;
    secret_file::create(out, &canonical::to_bytes(&report, "report")?, Random::start()?)?;
    if let Some((path, kept)) = openings {
        let kept: Vec<&Opening> = kept.values().collect();
        secret_file::create(path, &canonical::to_bytes(&kept, "openings")?, Random::start()?)?;
    }
    let echoes = held.state.echoes(&held.rules());
    let mut text = format!("{}\nreport sha256 {digest}", out.display());
    for id in &echoes {
        text.push_str(&format!("\n{id}: the finding only says the requirement again"));
    }
    let screen = Screen::new(text, json!({ "digest": digest, "echoes": echoes }));
    Ok(Screen { well: echoes.is_empty(), ..screen })
}

/// What is wished to be struck out beside what the workflow says.
pub(super) fn wishes(path: Option<&Path>) -> Done<Vec<Wish>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let read: Result<Vec<Wish>, _> = serde_json::from_slice(&home::read(path)?);
    read.map_err(|e| {
        let next = "write a list of {\"at\", \"commit\", \"why\"}";
        Trouble::refused("malformed", format!("the wishes cannot be read ({e})"), next)
    })
}

/// The redacted copy, and what opens its commitments. Keep that before the step is taken: a commitment that nobody can open is
/// worth nothing.
pub(crate) fn redaction(
    held: &Held,
    kept: &Openings,
    wishes: Vec<Wish>,
) -> Done<(Act, Vec<Opening>)> {
    let report = whole(&held.state, &held.requirements);
    let musts =
        held.workflow.text.redact.iter().filter(|must| !places(&report, &must.at).is_empty());
    let mut all: Vec<Wish> = musts
        .map(|must| Wish { at: must.at.clone(), commit: true, why: must.why.clone() })
        .collect();
    all.extend(wishes);
    let count = all.iter().map(|wish| places(&report, &wish.at).len()).sum();
    let made = salted(count, |salt| redact(&report, &all, kept, salt))?;
    let (report, copy) = (digest_of(&report)?, digest_of(&made.copy)?);
    Ok((Act::Redacted(Redaction { report, strokes: made.strokes, copy }), made.openings))
}

/// Writes openings where only their owner reads them; never over others.
pub(crate) fn keep_openings(path: &Path, openings: &[Opening]) -> Done<()> {
    let kept = canonical::to_bytes(&openings, "openings")?;
    Ok(secret_file::create(path, &kept, Random::start()?)?)
}

/// A person's signature over a paper.
pub(super) fn sign(audit: &str, what: &str, paper: &str, by: &str, key: &Path) -> Done<Screen> {
    if !["declaration", "review", "summary"].contains(&what) {
        let bad = Malformed::new(
            "what",
            "is nothing that is signed",
            "say declaration, review or summary",
        );
        return Err(bad.into());
    }
    let digest = match paper.parse::<Digest>() {
        Ok(digest) => digest,
        Err(_) => {
            let value: Value =
                serde_json::from_slice(&home::read(Path::new(paper))?).map_err(|e| {
                    Trouble::refused(
                        "malformed",
                        format!("the paper cannot be read ({e})"),
                        "give JSON",
                    )
                })?;
            digest_of(&value)?
        }
    };
    let person = Identity::load(key)?;
    let signature = person.sign(&to_sign(audit, what, by, &digest)?);
    let hex = json!(signature);
    let text = hex.as_str().unwrap_or_default().to_owned();
    Ok(Screen::new(text, json!({ "digest": digest, "signature": hex, "key": person.public_key() })))
}
