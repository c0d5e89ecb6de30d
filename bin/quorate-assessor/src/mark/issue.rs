//! The issuer's part: places, signatures, entries, proofs.

use std::path::{Path, PathBuf};

use quorate_assessor::audit::signed::{self, CERTIFICATE, Certificate};
use quorate_assessor::ccss::inherit::Pin;
use quorate_assessor::mark::claim::{Signatory, StatusRef};
use quorate_assessor::mark::{Claim, MarkFile, MarkPolicy, Proposal, Register};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::StandardKey;
use quorate_ledger::note::NoteSignature;
use quorate_ledger::{AddCheckpoint, Checkpoint, Misuse, TlogProof, Tree, hash, proof};
use quorate_terms::{PublicKey, Term as _, canonical};
use serde_json::json;

use super::claim::{Offer, kept, trimmed};
use super::{log_key, no, signer, written};
use crate::cli::Cli;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::{library, run};

/// Gives out a place.
pub(super) async fn offer(
    home: &Home,
    office: &mut Office,
    (mark, list, issuer): (&str, &str, &str),
    out: &Path,
) -> Done<Screen> {
    let record = Register::of(office.lines()).offer(mark, list)?;
    let Record::MarkOffered { place, .. } = &record else {
        return Err(no("offer", "no place was given out", "please report this"));
    };
    let (list, mark) = (list.to_owned(), mark.to_owned());
    let issuer = Signatory { name: issuer.to_owned(), key: home.identity()?.public_key() };
    let offer = Offer { v: 1, mark, issuer, status: StatusRef { list, place: *place } };
    office.append(record).await?;
    written(out, &canonical::to_bytes(&offer, "offer")?, "the offer, for the assessor")
}

/// Signs a claim and logs it.
pub(super) async fn issue(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    (path, assessor): (&Path, &PublicKey),
    out: &Path,
) -> Done<Screen> {
    let (proposal, statement) = Proposal::from_bytes(trimmed(&home::read(path)?))?;
    let (claim, key) = (&statement.predicate, home.identity()?);
    if claim.assessor.key != *assessor {
        let message = format!("the claim is by {}, not by {assessor}", claim.assessor.key);
        return Err(no("another_assessor", message, "compare the key out of band"));
    }
    let register = Register::of(office.lines());
    if claim.issuer.key != key.public_key() || register.list.as_ref() != Some(&claim.status.list) {
        let next = "let the assessor claim from this office's offer";
        return Err(no("another_issuer", "the claim names another issuer or list", next));
    }
    fits(cli, claim, &proposal.results)?;
    certified(home, claim, &proposal, office)?;
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    let envelope = proposal.envelope.clone().cosigned(&signer(&key, &sign))?;
    let record = register.issue(&claim.mark, claim.status.place, envelope.digest()?)?;
    let signed = canonical::to_bytes(&Proposal { envelope, ..proposal }, "mark")?;
    home::write(&kept(home, &format!("{}.signed.json", claim.mark))?, &signed)?;
    let entry = office.append(record).await?;
    let screen = written(out, &signed, "the mark with both signatures")?;
    let text = format!("entry {entry}: `{}` is issued\n{}", claim.mark, screen.text);
    Ok(Screen::new(text, json!({ "entry": entry, "mark": claim.mark, "file": screen.json })))
}

/// The claim says of the results what they say themselves, by a catalogue that this office has.
fn fits(cli: &Cli, claim: &Claim, results: &str) -> Done<()> {
    let results: Results = canonical::from_bytes(results.as_bytes(), "results")?;
    let key = StandardKey {
        standard: claim.standard.id.clone(),
        version: claim.standard.version.clone(),
    };
    let shelf = library::load(&cli.standards)?;
    let catalogue = run::catalogue(&shelf.library, &key)?;
    let same = results.standard == key
        && results.catalogue == claim.standard.digest
        && results.official == claim.standard.official
        && results.heads == claim.heads
        && results.at == claim.assessed_on;
    if !same {
        let next = "ask the assessor for a claim that fits its results";
        return Err(no("unfit", "the claim says other things than its results", next));
    }
    if catalogue.digest()? != claim.standard.digest {
        let next = "load the catalogue that was used, and look at what differs";
        return Err(no("another_catalogue", format!("{key} is another text here"), next));
    }
    if !catalogue.levels.iter().any(|level| level.id == claim.level) {
        return Err(no(
            "unknown_level",
            format!("{key} knows no level `{}`", claim.level),
            "mend it",
        ));
    }
    Ok(())
}

/// A certificate that a claim names is a believed registrar's, of this entity, system and standard, and in date.
fn certified(home: &Home, claim: &Claim, proposal: &Proposal, office: &Office) -> Done<()> {
    let Some(envelope) = &proposal.certificate else { return Ok(()) };
    let mut pins = crate::audit::pins(home)?;
    pins.push(Pin { name: "this office".to_owned(), key: home.identity()?.public_key() });
    let (held, _): (Certificate, String) = signed::open(envelope, CERTIFICATE, &pins)?;
    let same = (&held.entity, &held.system, &held.standard, &held.version)
        == (&claim.scope.entity, &claim.scope.system, &claim.standard.id, &claim.standard.version);
    if same && (held.valid_from..=held.valid_until).contains(&office.now()) {
        return Ok(());
    }
    let next = "a mark names only the certificate of the same audit";
    Err(no("another_certificate", "the certificate is another's or not in date", next))
}

/// The office's ledger as a tree.
pub(crate) fn tree(office: &Office) -> Done<Tree> {
    let mut tree = Tree::new();
    for line in office.lines() {
        tree.push(hash::leaf(&line.to_canonical()?));
    }
    Ok(tree)
}

pub(crate) fn bug(misuse: &Misuse) -> Trouble {
    Trouble::fault("proof", misuse.to_string(), "ask for another size")
}

/// Signs the newest checkpoint for a witness that knows `old` entries.
pub(super) fn checkpoint(home: &Home, office: &Office, old: u64, out: &Path) -> Done<Screen> {
    let (head, key) = (office.head(), home.identity()?);
    if old > head.size {
        let message = format!("the register has {} entries and the witness knows {old}", head.size);
        return Err(no("shrunk", message, "restore the register from a copy"));
    }
    let proof = match old {
        0 => Vec::new(),
        old => proof::consistency(&tree(office)?, old, head.size).map_err(|e| bug(&e))?,
    };
    let note = head.sign(&log_key(office, &key)?, |bytes| key.sign_bytes(bytes));
    let request = AddCheckpoint { old, proof, note };
    written(out, request.to_string().as_bytes(), "the request, for the witness")
}

/// What a mark is finished with.
pub(super) struct Given<'a> {
    pub(super) checkpoint: &'a Path,
    pub(super) cosignatures: &'a [PathBuf],
    pub(super) policy: &'a Path,
}

/// Binds everything to one file, and writes it only if a stranger's check of the register would hold.
pub(super) fn finish(
    home: &Home,
    office: &Office,
    mark: &str,
    given: &Given<'_>,
    out: &Path,
) -> Done<Screen> {
    let register = Register::of(office.lines());
    let issued = register.find(mark).and_then(|(_, place)| place.issued.clone());
    let issued = issued
        .ok_or_else(|| no("not_issued", format!("`{mark}` was never issued"), "issue it first"))?;
    let policy = MarkPolicy::from_json(&home::read(given.policy)?)?;
    let mut note = home::read_text(given.checkpoint)?.parse::<AddCheckpoint>()?.note;
    for path in given.cosignatures {
        let line: NoteSignature = home::read_text(path)?.trim_end().parse()?;
        note.signatures.push(line);
    }
    let checkpoint: Checkpoint = note.text.parse()?;
    if checkpoint.size > office.head().size {
        return Err(no(
            "shrunk",
            "the checkpoint is longer than the register",
            "restore the register",
        ));
    }
    let path =
        proof::inclusion(&tree(office)?, issued.entry, checkpoint.size).map_err(|e| bug(&e))?;
    let place = usize::try_from(issued.entry).unwrap_or(usize::MAX);
    let entry = office.lines().get(place).map(quorate_terms::Term::to_canonical).transpose()?;
    let entry = String::from_utf8(entry.unwrap_or_default()).unwrap_or_default();
    let proof = TlogProof { index: issued.entry, path, checkpoint: note.to_string() };
    proof.verify(entry.as_bytes(), &policy.register)?;
    let kept_at = kept(home, &format!("{mark}.signed.json"))?;
    let (signed, _) = Proposal::from_bytes(&home::read(&kept_at)?)?;
    let (envelope, results) = (signed.envelope, signed.results);
    let file = MarkFile { v: 1, envelope, results, entry, proof: proof.to_string() };
    let bytes = file.to_bytes()?;
    home::write(&kept(home, &format!("{mark}.json"))?, &bytes)?;
    written(out, &bytes, "the mark")
}
