//! Papers of an audit: the report, its redacted copy, and what people sign.

use std::path::{Path, PathBuf};

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::record::Redaction;
use quorate_assessor::audit::redact::{Wish, places, redact, repeats};
use quorate_assessor::audit::report::report as whole;
use quorate_assessor::audit::signed::{digest_of, to_sign};
use quorate_host::random::Random;
use quorate_host::{Fault, Identity, secret_file};
use quorate_terms::commitment::Opening;
use quorate_terms::{Digest, Malformed, canonical};
use serde_json::{Value, json};

use super::Held;
use super::personal::salted;
use crate::home::{self, Home};
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The report as an audit stands. What is about people stands in it as commitments, as its digest binds it.
pub(crate) struct Report {
    report: Value,
    digest: Digest,
    /// Requirements that their findings only say again.
    echoes: Vec<String>,
}

impl Report {
    pub(crate) fn of(held: &Held) -> Done<Self> {
        let report = whole(&held.state, &held.requirements);
        let digest = digest_of(&report)?;
        Ok(Self { report, digest, echoes: held.state.echoes(&held.rules()) })
    }

    /// For programs, whole.
    pub(crate) fn json(&self) -> Value {
        let Self { report, digest, echoes } = self;
        json!({ "digest": digest, "echoes": echoes, "report": report })
    }
}

/// Writes the report, for its author's eyes.
pub(super) fn report(
    held: &Held,
    out: &Path,
    openings: Option<(&Path, &Openings)>,
) -> Done<Screen> {
    let Report { report, digest, echoes } = Report::of(held)?;
    secret_file::create(out, &canonical::to_bytes(&report, "report")?, Random::start()?)?;
    if let Some((path, kept)) = openings {
        let kept: Vec<&Opening> = kept.values().collect();
        secret_file::create(path, &canonical::to_bytes(&kept, "openings")?, Random::start()?)?;
    }
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
pub(super) fn keep_openings(path: &Path, openings: &[Opening]) -> Done<()> {
    let kept = canonical::to_bytes(&openings, "openings")?;
    Ok(secret_file::create(path, &kept, Random::start()?)?)
}

/// Keeps what opens a redacted copy in the office's own folder, under the copy's name: another copy has other salts. Kept again,
/// after an answer that failed to be written, it is the same.
pub(super) fn keep_copy(home: &Home, copy: &Digest, openings: &[Opening]) -> Done<()> {
    let dir = home.openings();
    secret_file::make_dir(&dir)?;
    let kept = canonical::to_bytes(&openings, "openings")?;
    Ok(secret_file::replace(&dir.join(format!("{copy}.json")), &kept, Random::start()?)?)
}

/// Destroys what the folder of redacted copies holds of these words; gives how many openings that were.
pub(super) fn forget(home: &Home, words: &[&str]) -> Done<usize> {
    let mut gone = 0_usize;
    for (path, kept) in kept_copies(home)? {
        let holds = |opening: &Opening| words.iter().any(|word| repeats(word, &opening.value));
        let rest: Vec<&Opening> = kept.iter().filter(|opening| !holds(opening)).collect();
        if rest.len() < kept.len() {
            let bytes = canonical::to_bytes(&rest, "openings")?;
            secret_file::replace(&path, &bytes, Random::start()?)?;
            gone = gone.saturating_add(kept.len().saturating_sub(rest.len()));
        }
    }
    Ok(gone)
}

/// Every file of the folder of redacted copies, read.
pub(super) fn kept_copies(home: &Home) -> Done<Vec<(PathBuf, Vec<Opening>)>> {
    let dir = home.openings();
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(|e| Fault::at(&dir, &e))? {
        let path = entry.map_err(|e| Fault::at(&dir, &e))?.path();
        if path.extension().is_some_and(|end| end == "new") {
            // What a crash left half written: nobody else writes while the office is held.
            std::fs::remove_file(&path).map_err(|e| Fault::at(&path, &e))?;
            continue;
        }
        let bytes = secret_file::read(&path)?;
        let kept = canonical::from_bytes(bytes.expose(), "openings").map_err(|e| {
            let next = format!("mend or remove {}; nothing was erased", path.display());
            Trouble::refused("malformed", format!("`{}` {}", e.field(), e.why()), next)
        })?;
        all.push((path, kept));
    }
    Ok(all)
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
