//! The issuer's part: places, signatures, entries, proofs.

use std::path::{Path, PathBuf};

use quorate_assessor::audit::signed::{self, CERTIFICATE, Certificate};
use quorate_assessor::ccss::inherit::Pin;
use quorate_assessor::mark::claim::{Signatory, StatusRef};
use quorate_assessor::mark::{Claim, MarkFile, MarkPolicy, Proposal, Register, Statement};
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
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// Gives out a place.
pub(super) async fn offer(
    home: &Home,
    office: &mut Office,
    asked: (&str, &str, &str),
    out: &Path,
) -> Done<Screen> {
    let (_, offer) = give_out(home, office, asked).await?;
    written(out, &canonical::to_bytes(&offer, "offer")?, "the offer, for the assessor")
}

/// Records that a place is given out. Gives the entry, and what goes to the assessor.
pub(crate) async fn give_out(
    home: &Home,
    office: &mut Office,
    (mark, list, issuer): (&str, &str, &str),
) -> Done<(u64, Offer)> {
    let record = Register::of(office.lines()).offer(mark, list)?;
    let Record::MarkOffered { place, .. } = &record else {
        return Err(no("offer", "no place was given out", "please report this"));
    };
    let (list, mark) = (list.to_owned(), mark.to_owned());
    let issuer = Signatory { name: issuer.to_owned(), key: home.identity()?.public_key() };
    let offer = Offer { v: 1, mark, issuer, status: StatusRef { list, place: *place } };
    let entry = office.append(record).await?;
    Ok((entry, offer))
}

/// Signs a claim and logs it.
pub(super) async fn issue(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    (path, assessor): (&Path, &PublicKey),
    out: &Path,
) -> Done<Screen> {
    let read = Proposal::from_bytes(trimmed(&home::read(path)?))?;
    let shelf = library::load(&cli.standards)?;
    let signed = sign(&shelf, (home, office), read, &[*assessor]).await?;
    let bytes = canonical::to_bytes(&signed.proposal, "mark")?;
    let screen = written(out, &bytes, "the mark with both signatures")?;
    let Signed { entry, mark, .. } = signed;
    let text = format!("entry {entry}: `{mark}` is issued\n{}", screen.text);
    Ok(Screen::new(text, json!({ "entry": entry, "mark": mark, "file": screen.json })))
}

/// A mark that was issued.
pub(crate) struct Signed {
    pub(crate) entry: u64,
    pub(crate) mark: String,
    /// With both signatures.
    pub(crate) proposal: Proposal,
}

/// Looks at a claim of one of these assessors, signs it, keeps it and logs it.
pub(crate) async fn sign(
    shelf: &Shelf,
    (home, office): (&Home, &mut Office),
    (proposal, statement): (Proposal, Statement),
    assessors: &[PublicKey],
) -> Done<Signed> {
    let (claim, key) = (&statement.predicate, home.identity()?);
    if !assessors.contains(&claim.assessor.key) {
        let whose: Vec<String> = assessors.iter().map(ToString::to_string).collect();
        let by = claim.assessor.key;
        let message = format!("the claim is by {by}, not by {}", whose.join(" or "));
        return Err(no("another_assessor", message, "compare the key out of band"));
    }
    let register = Register::of(office.lines());
    if claim.issuer.key != key.public_key() || register.list.as_ref() != Some(&claim.status.list) {
        let next = "let the assessor claim from this office's offer";
        return Err(no("another_issuer", "the claim names another issuer or list", next));
    }
    fits(shelf, claim, &proposal.results)?;
    certified(home, claim, &proposal, office)?;
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    let envelope = proposal.envelope.clone().cosigned(&signer(&key, &sign))?;
    let record = register.issue(&claim.mark, claim.status.place, envelope.digest()?)?;
    let proposal = Proposal { envelope, ..proposal };
    let signed = canonical::to_bytes(&proposal, "mark")?;
    home::write(&kept(home, &format!("{}.signed.json", claim.mark))?, &signed)?;
    let entry = office.append(record).await?;
    Ok(Signed { entry, mark: claim.mark.clone(), proposal })
}

/// The claim says of the results what they say themselves, by a catalogue that this office has.
fn fits(shelf: &Shelf, claim: &Claim, results: &str) -> Done<()> {
    let results: Results = canonical::from_bytes(results.as_bytes(), "results")?;
    let key = StandardKey {
        standard: claim.standard.id.clone(),
        version: claim.standard.version.clone(),
    };
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

/// Signs the newest checkpoint for a witness that knows `old` entries, and writes the request out.
pub(super) fn checkpoint(home: &Home, office: &Office, old: u64, out: &Path) -> Done<Screen> {
    let request = for_a_witness(home, office, old)?;
    written(out, request.to_string().as_bytes(), "the request, for the witness")
}

/// Signs the newest checkpoint for a witness that knows `old` entries.
pub(crate) fn for_a_witness(home: &Home, office: &Office, old: u64) -> Done<AddCheckpoint> {
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
    Ok(AddCheckpoint { old, proof, note })
}

/// The files that a mark is finished with.
pub(super) struct Given<'a> {
    pub(super) checkpoint: &'a Path,
    pub(super) cosignatures: &'a [PathBuf],
    pub(super) policy: &'a Path,
}

impl Given<'_> {
    fn read(&self) -> Done<Witnessed> {
        let line = |path: &PathBuf| Ok(home::read_text(path)?.trim_end().parse()?);
        Ok(Witnessed {
            policy: MarkPolicy::from_json(&home::read(self.policy)?)?,
            checkpoint: home::read_text(self.checkpoint)?.parse()?,
            cosignatures: self.cosignatures.iter().map(line).collect::<Done<_>>()?,
        })
    }
}

/// What a mark is finished with.
pub(crate) struct Witnessed {
    /// What verifiers pin.
    pub(crate) policy: MarkPolicy,
    /// What the witnesses saw.
    pub(crate) checkpoint: AddCheckpoint,
    pub(crate) cosignatures: Vec<NoteSignature>,
}

/// Binds everything to one file, and writes it out.
pub(super) fn finish(
    home: &Home,
    office: &Office,
    mark: &str,
    given: &Given<'_>,
    out: &Path,
) -> Done<Screen> {
    let bytes = bound(home, office, mark, given.read()?)?.to_bytes()?;
    keep(home, mark, &bytes)?;
    written(out, &bytes, "the mark")
}

/// Keeps a mark's one file, for whoever asks for it.
pub(crate) fn keep(home: &Home, mark: &str, bytes: &[u8]) -> Done<()> {
    home::write(&kept(home, &format!("{mark}.json"))?, bytes)
}

/// The mark's one file that was kept, if it was finished.
pub(crate) fn finished(home: &Home, mark: &str) -> Done<Option<Vec<u8>>> {
    let path = kept(home, &format!("{mark}.json"))?;
    path.exists().then(|| home::read(&path)).transpose()
}

/// Everything bound to one file, only if a stranger's check of the register would hold.
pub(crate) fn bound(home: &Home, office: &Office, mark: &str, given: Witnessed) -> Done<MarkFile> {
    let register = Register::of(office.lines());
    let issued = register.find(mark).and_then(|(_, place)| place.issued.clone());
    let issued = issued
        .ok_or_else(|| no("not_issued", format!("`{mark}` was never issued"), "issue it first"))?;
    let key = home.identity()?;
    let is_ours = given.policy.issuer == key.public_key()
        && given.policy.register.log == log_key(office, &key)?;
    if !is_ours {
        let next = "give the policy that this office wrote: mark policy";
        return Err(no("another_policy", "the policy trusts another issuer or register", next));
    }
    let mut note = given.checkpoint.note;
    note.signatures.extend(given.cosignatures);
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
    proof.verify(entry.as_bytes(), &given.policy.register)?;
    let kept_at = kept(home, &format!("{mark}.signed.json"))?;
    let (signed, _) = Proposal::from_bytes(&home::read(&kept_at)?)?;
    let (envelope, results) = (signed.envelope, signed.results);
    Ok(MarkFile { v: 1, envelope, results, entry, proof: proof.to_string() })
}
