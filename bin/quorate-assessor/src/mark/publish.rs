//! What strangers get: the policy to pin, the status list, badge, credential, and the public register.

use std::path::{Path, PathBuf};

use clap::Args;
use quorate_assessor::evidence::model::instant;
use quorate_assessor::mark::page::{Shown, page, standing};
use quorate_assessor::mark::register::Place;
use quorate_assessor::mark::verify::Accepted;
use quorate_assessor::mark::{
    Claim, Envelope, MarkFile, MarkPolicy, Proposal, Register, Statement, badge as picture,
    credential as wrapper,
};
use quorate_assessor::standard::StandardKey;
use quorate_host::Fault;
use quorate_host::random::Random;
use quorate_ledger::{LogPolicy, VerifierKey, WitnessKey};
use quorate_terms::{Digest, PublicKey, Timestamp, canonical};
use serde_json::{Value, json};

use super::claim::{kept, trimmed};
use super::{day, log_key, no, signer, written};
use crate::cli::Cli;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::Done;
use crate::{library, run};

/// Whom and what verifiers shall trust.
#[derive(Args)]
pub(crate) struct Trusting {
    /// An assessor's key; once for each.
    #[arg(long = "assessor", required = true)]
    assessors: Vec<PublicKey>,
    /// A witness's key as `mark witness` prints it; once for each.
    #[arg(long = "witness", required = true)]
    witnesses: Vec<VerifierKey>,
    /// How many of them must have cosigned.
    #[arg(long, default_value_t = 1)]
    quorum: usize,
    /// A standard that counts, as `wd 0.1.0`; once for each.
    #[arg(long = "standard", required = true)]
    accepted: Vec<StandardKey>,
    /// The oldest status list that tells anything, in hours.
    #[arg(long, default_value_t = 48)]
    max_age: u64,
    /// Where it goes.
    #[arg(long)]
    out: PathBuf,
}

/// Writes the policy.
pub(super) fn policy(cli: &Cli, home: &Home, office: &Office, asked: &Trusting) -> Done<Screen> {
    let shelf = library::load(&cli.standards)?;
    let accept = |key: &StandardKey| {
        let digest = run::catalogue(&shelf.library, key)?.digest()?;
        Ok(Accepted { id: key.standard.clone(), version: key.version.clone(), digest })
    };
    let key = home.identity()?;
    let witness =
        |key: &VerifierKey| WitnessKey { key: key.clone(), operator: key.name().to_owned() };
    let log = log_key(office, &key)?;
    let text = log.to_string();
    let policy = MarkPolicy {
        v: 1,
        assessors: asked.assessors.clone(),
        issuer: key.public_key(),
        register: LogPolicy {
            v: 1,
            vault: office.name().clone(),
            // A register is no vault and has no charter.
            charter: Digest::ZERO,
            log,
            witnesses: asked.witnesses.iter().map(witness).collect(),
            quorum: asked.quorum,
        },
        standards: asked.accepted.iter().map(accept).collect::<Done<_>>()?,
        status_max_age_s: asked.max_age.saturating_mul(3600),
    };
    let bytes = canonical::to_bytes(&policy, "policy")?;
    MarkPolicy::from_json(&bytes)?;
    let mut screen = written(&asked.out, &bytes, "the policy, to compare out of band and pin")?;
    screen.text.push_str(&format!("\nlog {text}"));
    Ok(Screen { json: json!({ "policy": policy, "log": text }), ..screen })
}

/// Signs the list as the register stands, and writes it out.
pub(super) fn status(home: &Home, office: &Office, hours: u64, out: &Path) -> Done<Screen> {
    let (sealed, until) = listed(home, office, hours)?;
    let mut screen =
        written(out, &canonical::to_bytes(&sealed, "status list")?, "the status list")?;
    screen.text.push_str(&format!("\nfresh until {}", instant(until)));
    Ok(screen)
}

/// The list as the register stands, signed, and until when it tells anything.
pub(crate) fn listed(home: &Home, office: &Office, hours: u64) -> Done<(Envelope, Timestamp)> {
    let (key, now) = (home.identity()?, office.now());
    let until = now.plus_s(hours.saturating_mul(3600));
    let register = Register::of(office.lines());
    if register.list.is_none() {
        let message = "this register has given out no place";
        return Err(no("no_list", message, "offer a place first: mark offer"));
    }
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    Ok((register.status(now, until)?.seal(&signer(&key, &sign))?, until))
}

fn read(path: &Path) -> Done<(MarkFile, Claim)> {
    let file = MarkFile::from_bytes(trimmed(&home::read(path)?))?;
    let claim = Statement::from_bytes(&file.envelope.payload()?)?.predicate;
    Ok((file, claim))
}

/// Draws the badge.
pub(super) fn badge(file: &Path, page: &str, out: &Path) -> Done<Screen> {
    let (file, claim) = read(file)?;
    written(out, picture::svg(&file, &claim, page, day)?.as_bytes(), "the badge")
}

/// Wraps a mark of this issuer.
pub(super) fn credential(home: &Home, file: &Path, out: &Path) -> Done<Screen> {
    let ((file, claim), key, random) = (read(file)?, home.identity()?, Random::start()?);
    if claim.issuer.key != key.public_key() {
        return Err(no("another_issuer", "another issuer gave out this mark", "ask that issuer"));
    }
    let salts = [random.bytes()?, random.bytes()?, random.bytes()?, random.bytes()?];
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    let text = wrapper::issue(&file, &claim, &signer(&key, &sign), &salts, instant)?;
    written(out, text.as_bytes(), "the credential, with all disclosures")
}

/// One mark of this issuer.
pub(crate) struct Issued {
    pub(crate) place: Place,
    pub(crate) claim: Claim,
    /// Its file's name and bytes; none while no witnessed proof was bound to it.
    pub(crate) file: Option<(String, Vec<u8>)>,
}

impl Issued {
    /// As pages show it.
    pub(crate) fn shown(&self) -> Shown<'_> {
        let file = self.file.as_ref().map(|(name, _)| name.clone());
        Shown { place: &self.place, claim: &self.claim, file }
    }
}

/// Every mark that was issued, in the register's order.
pub(crate) fn issued(home: &Home, register: &Register) -> Done<Vec<Issued>> {
    let mut all = Vec::new();
    for place in register.places.iter().filter(|place| place.issued.is_some()) {
        let signed = kept(home, &format!("{}.signed.json", place.mark))?;
        let (_, statement) = Proposal::from_bytes(&home::read(&signed)?)?;
        let name = format!("{}.json", place.mark);
        let path = kept(home, &name)?;
        let bytes = path.exists().then(|| home::read(&path)).transpose()?;
        let file = bytes.map(|bytes| (name, bytes));
        all.push(Issued { place: place.clone(), claim: statement.predicate, file });
    }
    Ok(all)
}

/// What the register says of a mark, as data.
pub(crate) fn data(shown: &Shown<'_>, now: Timestamp) -> Value {
    json!({
        "claim": shown.claim, "standing": standing(shown, now),
        "withdrawn": shown.place.withdrawn, "file": shown.file,
    })
}

/// Writes the public folder.
pub(super) fn register(
    home: &Home,
    office: &Office,
    issuer: &str,
    hours: u64,
    out: &Path,
) -> Done<Screen> {
    std::fs::create_dir_all(out).map_err(|e| Fault::at(out, &e))?;
    let (register, now) = (Register::of(office.lines()), office.now());
    let all = issued(home, &register)?;
    for mark in &all {
        if let Some((name, bytes)) = &mark.file {
            home::write(&out.join(name), bytes)?;
        }
    }
    let shown: Vec<Shown<'_>> = all.iter().map(Issued::shown).collect();
    let list = register.list.clone().unwrap_or_default();
    home::write(&out.join("index.html"), page(issuer, &list, &shown, now, instant).as_bytes())?;
    let marks: Vec<Value> = shown.iter().map(|shown| data(shown, now)).collect();
    let json = json!({ "v": 1, "issuer": issuer, "list": list, "written": now, "marks": marks });
    home::write(&out.join("register.json"), &canonical::to_bytes(&json, "register")?)?;
    status(home, office, hours, &out.join("status.json"))?;
    let text = format!("{} marks in {}", shown.len(), out.display());
    Ok(Screen::new(text, json!({ "marks": shown.len(), "list": list })))
}
