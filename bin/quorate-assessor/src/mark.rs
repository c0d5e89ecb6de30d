//! Trust Marks by the command line. Four hands, four keys, four steps: an issuer gives out a place, an assessor claims, the
//! issuer signs and logs, a witness cosigns. No process holds two of the keys.

pub(crate) mod claim;
pub(crate) mod issue;
pub(crate) mod publish;
mod witness;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_assessor::evidence::model::instant;
use quorate_assessor::mark::{Register, Signer, Standing};
use quorate_host::Identity;
use quorate_ledger::{KeyKind, VerifierKey};
use quorate_terms::{Digest, PublicKey, Signature, Timestamp};
use serde_json::json;

use crate::cli::Cli;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Mark {
    /// Issuer: give out a place in the status list. The file goes to the assessor.
    Offer {
        /// The mark's name, a word.
        mark: String,
        /// The name of this register's status list.
        #[arg(long)]
        list: String,
        /// The issuer's name as marks say it.
        #[arg(long)]
        issuer: String,
        /// Where the offer goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Assessor: claim a mark for an audit that was decided. Signed with the auditor's key.
    Claim(Box<claim::Claiming>),
    /// Issuer: look at a claim, sign it, and log it in this office's ledger.
    Issue {
        /// The assessor's claim.
        proposal: PathBuf,
        /// The assessor's key, compared out of band.
        #[arg(long)]
        assessor: PublicKey,
        /// Where the mark with both signatures goes; an audit files its envelope as `mark_issued`.
        #[arg(long)]
        out: PathBuf,
    },
    /// Issuer: sign the register's newest checkpoint, as a request to a witness (C2SP tlog-witness).
    Checkpoint {
        /// The size that the witness cosigned last.
        #[arg(long, default_value_t = 0)]
        old: u64,
        /// Where the request goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Witness: cosign a checkpoint if it extends every one before. Needs no office.
    Witness(Box<witness::Witnessing>),
    /// Issuer: bind entry, proof and cosignatures to the mark's one file.
    Finish {
        /// The mark's name.
        mark: String,
        /// The request that the witnesses saw.
        #[arg(long)]
        checkpoint: PathBuf,
        /// A witness's cosignature.
        #[arg(long = "cosignature")]
        cosignatures: Vec<PathBuf>,
        /// The policy that verifiers pin; the file is written only if its register is satisfied.
        #[arg(long)]
        policy: PathBuf,
        /// Where the mark goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Issuer: suspend a mark until it is reinstated or revoked.
    Suspend(Withdrawing),
    /// Issuer: revoke a mark for good.
    Revoke(Withdrawing),
    /// Issuer: lift a suspension.
    Reinstate(Withdrawing),
    /// Issuer: sign the status list as it stands.
    Status {
        /// For how many hours it tells anything.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// Where it goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Issuer: write the policy that verifiers pin.
    Policy(Box<publish::Trusting>),
    /// Draw the badge of a mark: an SVG that carries it and links to its page.
    Badge {
        /// The mark.
        file: PathBuf,
        /// The `https` address of the register's page.
        #[arg(long)]
        page: String,
        /// Where it goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Issuer: wrap a mark as a W3C Verifiable Credential 2.0 (SD-JWT).
    Credential {
        /// The mark.
        file: PathBuf,
        /// Where it goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Issuer: write the public register: a page, the same as data, a fresh status list, the files of marks.
    Register {
        /// The issuer's name.
        #[arg(long)]
        issuer: String,
        /// For how many hours the status list tells anything.
        #[arg(long, default_value_t = 24)]
        hours: u64,
        /// The folder, made if it is not there.
        #[arg(long)]
        out: PathBuf,
    },
}

/// A mark and a reason.
#[derive(clap::Args)]
pub(crate) struct Withdrawing {
    /// The mark's name.
    mark: String,
    /// Why, in words that may be published.
    #[arg(long)]
    reason: String,
}

/// Runs one command.
pub(crate) async fn run(cli: &Cli, command: &Mark) -> Done<Screen> {
    match command {
        Mark::Witness(asked) => return witness::witness(asked),
        Mark::Badge { file, page, out } => return publish::badge(file, page, out),
        _ => {}
    }
    let home = Home::open(&cli.dir, false)?;
    let mut office = Office::open(&home).await?;
    match command {
        Mark::Offer { mark, list, issuer, out } => {
            issue::offer(&home, &mut office, (mark, list, issuer), out).await
        }
        Mark::Claim(claiming) => claim::claim(cli, &home, &mut office, claiming).await,
        Mark::Issue { proposal, assessor, out } => {
            issue::issue(cli, &home, &mut office, (proposal, assessor), out).await
        }
        Mark::Checkpoint { old, out } => issue::checkpoint(&home, &office, *old, out),
        Mark::Finish { mark, checkpoint, cosignatures, policy, out } => {
            let given = issue::Given { checkpoint, cosignatures, policy };
            issue::finish(&home, &office, mark, &given, out)
        }
        Mark::Suspend(asked) => withdraw(&mut office, asked, Standing::Suspended).await,
        Mark::Revoke(asked) => withdraw(&mut office, asked, Standing::Revoked).await,
        Mark::Reinstate(asked) => {
            let record = Register::of(office.lines()).reinstate(&asked.mark, &asked.reason)?;
            let entry = office.append(record).await?;
            Ok(recorded(entry, &asked.mark, "stands again"))
        }
        Mark::Status { hours, out } => publish::status(&home, &office, *hours, out),
        Mark::Policy(trusting) => publish::policy(cli, &home, &office, trusting),
        Mark::Credential { file, out } => publish::credential(&home, file, out),
        Mark::Register { issuer, hours, out } => {
            publish::register(&home, &office, issuer, *hours, out)
        }
        Mark::Witness(_) | Mark::Badge { .. } => Ok(Screen::new("", json!({}))),
    }
}

/// Withdraws a mark that was issued here. Gives the entry.
pub(crate) async fn withdrawn(
    office: &mut Office,
    mark: &str,
    (to, reason): (Standing, &str),
) -> Done<u64> {
    let record = Register::of(office.lines()).withdraw(mark, to, reason)?;
    office.append(record).await
}

async fn withdraw(office: &mut Office, asked: &Withdrawing, to: Standing) -> Done<Screen> {
    let entry = withdrawn(office, &asked.mark, (to, &asked.reason)).await?;
    Ok(recorded(entry, &asked.mark, &format!("is {}", to.word())))
}

fn recorded(entry: u64, mark: &str, how: &str) -> Screen {
    let text = format!("entry {entry}: `{mark}` {how}; sign a status list now: mark status");
    Screen::new(text, json!({ "entry": entry, "mark": mark }))
}

/// This office's key as the key of its log.
fn log_key(office: &Office, key: &Identity) -> Done<VerifierKey> {
    Ok(VerifierKey::new(office.origin(), KeyKind::Log, key.public_key())?)
}

/// A key that signs, as a signer.
fn signer<'a>(key: &Identity, sign: &'a dyn Fn(&[u8]) -> Signature) -> Signer<'a> {
    Signer { key: key.public_key(), sign }
}

/// A day, as `2026-11-20`.
fn day(at: Timestamp) -> String {
    instant(at).get(..10).unwrap_or_default().to_owned()
}

fn written(out: &Path, bytes: &[u8], what: &str) -> Done<Screen> {
    home::write(out, bytes)?;
    let digest = Digest::sha256(bytes);
    let text = format!("{what}: {}\nsha256 {digest}", out.display());
    Ok(Screen::new(text, json!({ "file": out.display().to_string(), "sha256": digest })))
}

fn no(code: &'static str, message: impl Into<String>, next: &str) -> Trouble {
    Trouble::refused(code, message, next)
}
