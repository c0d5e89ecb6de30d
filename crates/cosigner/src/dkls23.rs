//! DKLs23 threshold ECDSA (<https://eprint.iacr.org/2023/765>) by `dkls23-core`, which is *unaudited*, behind the rules
//! that it leaves to its caller.
//!
//! The library draws its own randomness (`ThreadRng`) and takes no other, so this folder is exempt from the rule that the
//! core has no ambient randomness; [`start_up_test`] looks at that source before it is relied on. The library prints
//! shares in its `Debug` and hands out copies; neither leaves this folder.

mod generate;
mod material;
mod sign;

pub mod raw;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use dkls23_core::protocols::dkg::{SessionData, phase1};
use dkls23_core::protocols::{self, AbortReason, Parameters, PartyIndex};
use k256::elliptic_curve::group::GroupEncoding as _;
use k256::{AffinePoint, Secp256k1};
use quorate_terms::intent::SchemeName;
use quorate_terms::{CosignerId, Malformed};
use serde::de::DeserializeOwned;

use crate::abort::{Abort, AbortKind};
use crate::error::{Bug, Error};
use crate::limits::{GENERATE_BYTES_MAX, SIGN_BYTES_MAX};
use crate::scheme::{Begun, Generated, Material, Scheme, Stop};
use crate::session::Task;
use crate::share::{KeyShare, ShareFacts, WalletKey};

use material::Dkls23Share;

/// The product's scheme.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dkls23;

impl Scheme for Dkls23 {
    fn name(&self) -> SchemeName {
        SchemeName::Dkls23Secp256k1
    }

    fn library(&self) -> &'static str {
        "dkls23-core 0.6.2"
    }

    fn generate_caps(&self) -> &'static [usize] {
        &GENERATE_BYTES_MAX
    }

    fn sign_caps(&self) -> &'static [usize] {
        &SIGN_BYTES_MAX
    }

    fn generate(&self, task: &Task) -> Result<Begun<Generated>, Error> {
        generate::begin(task)
    }

    fn sign(&self, share: Arc<KeyShare>, task: &Task) -> Result<Begun<[u8; 64]>, Error> {
        sign::begin(share, task)
    }

    fn load(&self, facts: &ShareFacts, material: &[u8]) -> Result<Box<dyn Material>, Malformed> {
        Ok(Box::new(material::load(facts, material)?))
    }
}

/// Draws from the library's random source and refuses one that repeats itself or gives nothing.
///
/// It cannot prove that a source is good; it catches the ones that are broken. Run it before the first session.
///
/// # Errors
/// [`Bug`] when the source is visibly broken.
pub fn start_up_test() -> Result<(), Bug> {
    let broken = |_| Bug::new("the random source failed");
    let parameters = Parameters::new(2, 2).map_err(|_| Bug::new("two of two is no quorum"))?;
    let party_index = PartyIndex::new(1).map_err(|_| Bug::new("party 1 does not exist"))?;
    let data = SessionData { parameters, party_index, session_id: vec![0; 32] };
    let draw = || -> Vec<[u8; 32]> {
        phase1::<Secp256k1>(&data).into_iter().map(|s| s.to_bytes().into()).collect()
    };
    let draws = std::panic::catch_unwind(|| [draw(), draw(), draw(), draw()].concat());
    plausible(&draws.map_err(broken)?)
}

/// Whether these 32-byte draws could come from a random source: all distinct, none of one repeated byte.
fn plausible(draws: &[[u8; 32]]) -> Result<(), Bug> {
    let distinct: BTreeSet<&[u8; 32]> = draws.iter().collect();
    let flat = |d: &[u8; 32]| d.iter().all(|b| Some(b) == d.first());
    if draws.is_empty() || distinct.len() != draws.len() || draws.iter().any(flat) {
        return Err(Bug::new("the random source repeats itself"));
    }
    Ok(())
}

fn parameters(task: &Task) -> Result<Parameters, Bug> {
    Parameters::new(task.terms().threshold, task.terms().shares)
        .map_err(|_| Bug::new("checked terms have an impossible threshold"))
}

fn index(party: u8) -> Result<PartyIndex, Bug> {
    PartyIndex::new(party).map_err(|_| Bug::new("checked terms have a party zero"))
}

/// Decodes a payload in full; trailing bytes are refused.
fn decode<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(payload) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

/// The compressed form; none for the identity.
fn wallet_key(point: &AffinePoint) -> Result<WalletKey, Malformed> {
    WalletKey::from_bytes(point.to_bytes().into())
}

/// A recoverable abort at one peer's fault.
fn fault(task: &Task, phase: &'static str, party: u8, cause: &str) -> Stop {
    let culprits = task.name(party).cloned().into_iter().collect();
    Abort { phase, kind: AbortKind::Recoverable, cause: cause.into(), culprits }.into()
}

/// The library's abort in our terms. It decides what bans; we decide who is told and when.
fn translate(task: &Task, phase: &'static str, abort: &protocols::Abort) -> Stop {
    let (kind, banned) = match &abort.kind {
        protocols::AbortKind::Recoverable => (AbortKind::Recoverable, None),
        protocols::AbortKind::BanCounterparty(party) => match task.name(party.as_u8()) {
            Some(name) => (AbortKind::Ban(name.clone()), Some(name.clone())),
            None => return Bug::new("the library bans a party that is not here").into(),
        },
    };
    let mut culprits: BTreeSet<CosignerId> = culprits(task, &abort.reason);
    culprits.extend(banned);
    Abort { phase, kind, cause: abort.description(), culprits }.into()
}

/// Whom a reason points at. Where the library names nobody for a check over everyone's values, two parties know whom.
fn culprits(task: &Task, reason: &AbortReason) -> BTreeSet<CosignerId> {
    use AbortReason as R;
    let party = match reason {
        R::SessionBindingMismatch { counterparty: p }
        | R::ProofVerificationFailed { counterparty: p }
        | R::CommitmentMismatch { counterparty: p }
        | R::TrivialInstancePoint { counterparty: p }
        | R::OtConsistencyCheckFailed { counterparty: p }
        | R::MultiplicationVerificationFailed { counterparty: p, .. }
        | R::GammaUInconsistency { counterparty: p }
        | R::ZeroShareDecommitFailed { counterparty: p }
        | R::ChainCodeCommitmentFailed { party: p }
        | R::MissingMessageFromParty { party: p }
        | R::UnexpectedSender { sender: p }
        | R::DuplicateSender { sender: p } => Some(p.as_u8()),
        R::SignatureVerificationFailed
        | R::ZeroDenominator
        | R::PolynomialInconsistency
        | R::TrivialPublicKey => sole_peer(task),
        _ => None,
    };
    let ours = task.party();
    party.filter(|p| *p != ours).and_then(|p| task.name(p)).cloned().into_iter().collect()
}

fn sole_peer(task: &Task) -> Option<u8> {
    let mut peers = task.peers();
    let first = peers.next()?;
    peers.next().is_none().then_some(first.party)
}
