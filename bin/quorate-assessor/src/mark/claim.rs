//! The assessor's part: a claim that rests on results and on an audit that was decided, both of this office's own ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use quorate_assessor::audit::record::{Engagement, Summary};
use quorate_assessor::audit::{Record as Act, Role};
use quorate_assessor::mark::claim::{Scope, Signatory, Standard, StatusRef};
use quorate_assessor::mark::{Claim, Envelope, Proposal, Statement, dsse};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::StandardKey;
use quorate_host::Identity;
use quorate_terms::{Digest, canonical};
use serde::{Deserialize, Serialize};

use super::{no, signer, written};
use crate::audit::{Held, open};
use crate::cli::Cli;
use crate::commands::moment;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::Done;
use crate::{library, run};

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
pub(super) struct Offer {
    pub(super) v: u8,
    pub(super) mark: String,
    pub(super) issuer: Signatory,
    pub(super) status: StatusRef,
}

/// Signs a claim, records that, and writes it out.
pub(super) async fn claim(
    cli: &Cli,
    home: &Home,
    office: &mut Office,
    asked: &Claiming,
) -> Done<Screen> {
    let held = open(cli, home, office, &asked.audit)?;
    let summary = held.state.markable(office.now()).map_err(|why| {
        no("not_decided", format!("`{}`: {why}", asked.audit), "finish the audit first")
    })?;
    let engagement = held
        .state
        .engagement()
        .ok_or_else(|| no("not_decided", "nobody is engaged", "begin with a step `engaged`"))?;
    let (results, bytes) = results(home, office, engagement, &asked.results)?;
    let offer: Offer = canonical::from_bytes(trimmed(&home::read(&asked.offer)?), "offer")?;
    let certificate = certificate(office, &asked.audit, &held);
    let key = Identity::load(&asked.key)?;
    let claim = Claim {
        v: 1,
        mark: offer.mark,
        standard: Standard {
            id: engagement.standard.clone(),
            version: engagement.version.clone(),
            digest: results.catalogue,
            official: results.official,
        },
        level: level(cli, engagement, summary)?,
        scope: scope(engagement, summary),
        exclusions: asked.exclusions.clone(),
        assessor: assessor(&held, &key)?,
        issuer: offer.issuer,
        period: engagement.period,
        heads: results.heads,
        assessed_on: results.at,
        valid_from: office.now(),
        valid_until: moment(&asked.until)?,
        status: offer.status,
        certificate: certificate.as_ref().map(Envelope::digest).transpose()?,
    };
    let mark = claim.mark.clone();
    let statement = Statement::new(claim, bytes.as_bytes())?.to_bytes()?;
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    let envelope = Envelope::seal(dsse::IN_TOTO, &statement, &[signer(&key, &sign)]);
    let proposal = Proposal { v: 1, envelope, results: bytes, certificate };
    let proposal = canonical::to_bytes(&proposal, "proposal")?;
    // Read back as the issuer will read it, before anything is said.
    Proposal::from_bytes(&proposal)?;
    let (audit, results) = (asked.audit.clone(), asked.results);
    let statement = Digest::sha256(&statement);
    office.append(Record::MarkClaimed { mark, audit, results, statement }).await?;
    written(&asked.out, &proposal, "the claim, for its issuer")
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
fn level(cli: &Cli, engagement: &Engagement, summary: &Summary) -> Done<String> {
    let shelf = library::load(&cli.standards)?;
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
fn assessor(held: &Held, key: &Identity) -> Done<Signatory> {
    let auditor = held.state.party_of(Role::Auditor);
    let auditor = auditor.filter(|party| party.key == key.public_key()).ok_or_else(|| {
        no("not_the_auditor", "this key is not that of the audit's auditor", "let the auditor sign")
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
