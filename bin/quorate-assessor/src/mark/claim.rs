//! The assessor's part: a claim that rests on results and on an audit that was decided, both of this office's own ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use quorate_assessor::audit::record::{Engagement, Summary};
use quorate_assessor::audit::{Record as Act, Role};
use quorate_assessor::mark::claim::{Scope, Signatory, Standard, StatusRef};
use quorate_assessor::mark::{Claim, Envelope, Proposal, Statement, WaitingClaim};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::StandardKey;
use quorate_host::Identity;
use quorate_terms::{Digest, Signature, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::{no, written};
use crate::audit::{Held, open_with};
use crate::cli::Cli;
use crate::commands::moment;
use crate::home::{self, Home};
use crate::library::Shelf;
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::Done;
use crate::{library, run};

/// How long ago a claim that is not on record yet may begin, in seconds.
const BEGUN_S: u64 = 86_400;

/// What is claimed.
#[derive(Args)]
pub(crate) struct Claiming {
    /// The issuer's offer.
    #[arg(long)]
    offer: PathBuf,
    /// The audit, on this office's ledger.
    #[arg(long)]
    audit: String,
    /// SHA-256 of the results, as `assess` prints it.
    #[arg(long)]
    results: Digest,
    /// The auditor's key file.
    #[arg(long)]
    key: PathBuf,
    /// What is left out, in plain words; once for each.
    #[arg(long = "exclude")]
    exclusions: Vec<String>,
    /// The last day on which the mark may be shown.
    #[arg(long)]
    until: String,
    /// Where the claim goes.
    #[arg(long)]
    out: PathBuf,
}

/// A place that an issuer gave out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    pub(crate) v: u8,
    pub(crate) mark: String,
    pub(crate) issuer: Signatory,
    pub(crate) status: StatusRef,
}

/// What is asked for: a claim without what the audit, its results and its parties say.
pub(crate) struct Wish {
    pub(crate) offer: Offer,
    /// SHA-256 of the results.
    pub(crate) results: Digest,
    pub(crate) exclusions: Vec<String>,
    pub(crate) until: Timestamp,
}

/// A claim with what stands beside it, before its auditor signs it.
pub(crate) struct Composed {
    pub(crate) waiting: WaitingClaim,
    results: String,
    certificate: Option<Envelope>,
}

/// A claim on record.
pub(crate) struct Taken {
    pub(crate) entry: u64,
    pub(crate) mark: String,
    /// For the issuer.
    pub(crate) proposal: Proposal,
    /// Whether it was on record before.
    pub(crate) is_old: bool,
}

/// Where the office and its standards lie.
pub(crate) struct Ground<'a> {
    pub(crate) standards: &'a Path,
    pub(crate) shelf: &'a Shelf,
    pub(crate) home: &'a Home,
}

/// Signs a claim, records that, and writes it out.
pub(super) async fn claim(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    asked: &Claiming,
) -> Done<Screen> {
    let shelf = library::load(&cli.standards)?;
    let ground = Ground { standards: &cli.standards, shelf: &shelf, home };
    let offer: Offer = canonical::from_bytes(trimmed(&home::read(&asked.offer)?), "offer")?;
    let (results, exclusions) = (asked.results, asked.exclusions.clone());
    let wish = Wish { offer, results, exclusions, until: moment(&asked.until)? };
    let composed = compose(&ground, office, &asked.audit, (wish, office.now()))?;
    let key = Identity::load(&asked.key)?;
    let answer = key.sign_bytes(&composed.waiting.to_sign()?);
    let taken = record(office, composed, answer).await?;
    let proposal = canonical::to_bytes(&taken.proposal, "proposal")?;
    written(&asked.out, &proposal, "the claim, for its issuer")
}

/// Makes a claim ready for its auditor's signature. Nothing is recorded.
pub(crate) fn compose(
    ground: &Ground<'_>,
    office: &Office,
    audit: &str,
    (wish, valid_from): (Wish, Timestamp),
) -> Done<Composed> {
    if wish.offer.v != 1 {
        return Err(no("malformed", "the offer is of another version", "ask for another"));
    }
    let held = open_with(ground.standards, ground.home, office, audit)?;
    let summary = held
        .state
        .markable(office.now())
        .map_err(|why| no("not_decided", format!("`{audit}`: {why}"), "finish the audit first"))?;
    let engagement = held
        .state
        .engagement()
        .ok_or_else(|| no("not_decided", "nobody is engaged", "begin with a step `engaged`"))?;
    let (results, bytes) = results(ground.home, office, engagement, &wish.results)?;
    let certificate = certificate(office, audit, &held);
    let claim = Claim {
        v: 1,
        mark: wish.offer.mark,
        standard: Standard {
            id: engagement.standard.clone(),
            version: engagement.version.clone(),
            digest: results.catalogue,
            official: results.official,
        },
        level: level(ground.shelf, engagement, summary)?,
        scope: scope(engagement, summary),
        exclusions: wish.exclusions,
        assessor: assessor(&held)?,
        issuer: wish.offer.issuer,
        period: engagement.period,
        heads: results.heads,
        assessed_on: results.at,
        valid_from,
        valid_until: wish.until,
        status: wish.offer.status,
        certificate: certificate.as_ref().map(Envelope::digest).transpose()?,
    };
    let waiting = WaitingClaim::new(audit, Statement::new(claim, bytes.as_bytes())?);
    Ok(Composed { waiting, results: bytes, certificate })
}

/// A claim that was composed before and comes back from where its auditor's key is: composed again from what it says itself,
/// it must be the same to the byte. One that is not on record yet begins at most [`BEGUN_S`] ago.
pub(crate) fn composed_before(
    ground: &Ground<'_>,
    office: &Office,
    waiting: WaitingClaim,
) -> Done<Composed> {
    let (statement, now) = (&waiting.statement, office.now());
    let claim = &statement.predicate;
    let of = statement.results().copied().unwrap_or(Digest::ZERO);
    let (from, issuer) = (claim.valid_from, claim.issuer.clone());
    let offer = Offer { v: 1, mark: claim.mark.clone(), issuer, status: claim.status.clone() };
    let exclusions = claim.exclusions.clone();
    let wish = Wish { offer, results: of, exclusions, until: claim.valid_until };
    let again = compose(ground, office, &waiting.audit, (wish, from))?;
    if again.waiting.statement.to_bytes()? != statement.to_bytes()? {
        let message = "the claim is not what the office would make of it now";
        return Err(no("not_composed", message, "compose it again, and have that one signed"));
    }
    let is_fresh = from <= now && now.since(from) <= BEGUN_S.saturating_mul(1000);
    if !is_fresh && on_record(office, &again.waiting)?.is_none() {
        let message = "the claim begins ahead, or more than a day ago";
        return Err(no("overtaken", message, "compose it again, and have that one signed"));
    }
    Ok(again)
}

/// Records a claim that its auditor signed, once, and gives what goes to the issuer.
pub(crate) async fn record(
    office: &mut Office,
    composed: Composed,
    answer: Signature,
) -> Done<Taken> {
    let Composed { waiting, results, certificate } = composed;
    let envelope = waiting.answered(answer)?;
    let (mark, auditor) = {
        let claim = &waiting.statement.predicate;
        (claim.mark.clone(), claim.assessor.key)
    };
    if !envelope.is_signed_by(&auditor)? {
        let message = "this is not the signature of the audit's auditor";
        return Err(no("not_the_auditor", message, "let the auditor sign"));
    }
    let proposal = Proposal { v: 1, envelope, results, certificate };
    // Read back as the issuer will read it, before anything is said.
    Proposal::from_bytes(&canonical::to_bytes(&proposal, "proposal")?)?;
    if let Some(entry) = on_record(office, &waiting)? {
        return Ok(Taken { entry, mark, proposal, is_old: true });
    }
    let entry = office.append(claimed(&waiting)?).await?;
    Ok(Taken { entry, mark, proposal, is_old: false })
}

/// What is recorded of a claim.
fn claimed(waiting: &WaitingClaim) -> Done<Record> {
    let statement = &waiting.statement;
    Ok(Record::MarkClaimed {
        mark: statement.predicate.mark.clone(),
        audit: waiting.audit.clone(),
        results: statement.results().copied().unwrap_or(Digest::ZERO),
        statement: Digest::sha256(&statement.to_bytes()?),
    })
}

/// The entry of a claim.
fn on_record(office: &Office, waiting: &WaitingClaim) -> Done<Option<u64>> {
    let wanted = claimed(waiting)?;
    let found = office.lines().iter().find(|line| line.body == wanted);
    Ok(found.map(|line| line.index))
}

/// The results of this digest, if this office's ledger says that it found them for the same standard.
fn results(
    home: &Home,
    office: &Office,
    engagement: &Engagement,
    wanted: &Digest,
) -> Done<(Results, String)> {
    let of =
        StandardKey { standard: engagement.standard.clone(), version: engagement.version.clone() };
    let on_record = office.lines().iter().any(|line| {
        matches!(&line.body, Record::Assessed { results, standard, .. } if results == wanted && *standard == of)
    });
    if !on_record {
        let message = format!("this office has found no results {} for {of}", wanted.short());
        return Err(no("no_results", message, "run `assess` and give the digest that it prints"));
    }
    let bytes = home::read(&home.results(&format!("{wanted}.json")))?;
    if Digest::sha256(&bytes) != *wanted {
        let next = "restore the file from a copy, or assess again";
        return Err(no("damaged", "the results on disk are other bytes", next));
    }
    let results: Results = canonical::from_bytes(&bytes, "results")?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| no("damaged", "the results are not text", "assess again"))?;
    Ok((results, text))
}

/// The level's own word, by the rank that the summary says.
fn level(shelf: &Shelf, engagement: &Engagement, summary: &Summary) -> Done<String> {
    let key =
        StandardKey { standard: engagement.standard.clone(), version: engagement.version.clone() };
    let catalogue = run::catalogue(&shelf.library, &key)?;
    let found = catalogue.levels.iter().find(|level| level.rank == summary.level);
    found.map(|level| level.id.clone()).ok_or_else(|| {
        no("no_level", "the audit reached no level", "a mark needs a level that was reached")
    })
}

fn scope(engagement: &Engagement, summary: &Summary) -> Scope {
    Scope {
        entity: engagement.entity.clone(),
        system: engagement.system.clone(),
        designation: Some(engagement.designation.words().to_owned()),
        description: summary.description.clone(),
    }
}

/// The auditor of the audit, who alone may claim.
fn assessor(held: &Held) -> Done<Signatory> {
    let auditor = held.state.party_of(Role::Auditor).ok_or_else(|| {
        no("not_the_auditor", "the audit has no auditor", "a claim is signed by an auditor")
    })?;
    Ok(Signatory { name: format!("{}, {}", auditor.name, auditor.firm), key: auditor.key })
}

/// The registrar's certificate on file, whole, if there is one in date.
fn certificate(office: &Office, audit: &str, held: &Held) -> Option<Envelope> {
    held.state.certificate()?;
    crate::audit::lines(office, audit)
        .filter_map(|line| match &line.record {
            Act::Certified(sealed) => Some(sealed.envelope.clone()),
            _ => None,
        })
        .last()
}

/// A file without the newline that an editor may have put at its end.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

/// Where an issuer keeps a mark that it signed.
pub(super) fn kept(home: &Home, name: &str) -> Done<PathBuf> {
    let dir = home.marks();
    std::fs::create_dir_all(&dir).map_err(|e| quorate_host::Fault::at(&dir, &e))?;
    Ok(Path::new(&dir).join(name))
}
