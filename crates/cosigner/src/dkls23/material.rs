//! The secret part of a DKLs23 share: what it must satisfy before it is used, and how it is written down.

use std::collections::BTreeMap;

use dkls23_core::protocols::{Party, PartyIndex};
use k256::{AffinePoint, ProjectivePoint, Scalar, Secp256k1};
use quorate_terms::Malformed;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{decode, wallet_key};
use crate::error::Bug;
use crate::limits::SHARE_BYTES_MAX;
use crate::scheme::Material;
use crate::share::{ShareFacts, encode_secret};

/// The library's `Party`, which zeroizes itself on drop. It prints its secrets, so it never leaves this wrapper.
pub(crate) struct Dkls23Share(Party<Secp256k1>);

impl Dkls23Share {
    pub(super) fn new(party: Party<Secp256k1>) -> Self {
        Self(party)
    }

    pub(super) fn party(&self) -> &Party<Secp256k1> {
        &self.0
    }
}

impl Material for Dkls23Share {
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Bug> {
        encode_secret(&self.0, SHARE_BYTES_MAX)
    }
}

/// Reads and checks a share against its facts.
pub(super) fn load(facts: &ShareFacts, bytes: &[u8]) -> Result<Dkls23Share, Malformed> {
    let share =
        decode::<Party<Secp256k1>>(bytes).map(Dkls23Share).ok_or_else(|| bad("cannot be read"))?;
    let party = share.party();
    check_identity(facts, party)?;
    check_key(facts, party)?;
    check_pairs(facts, party)?;
    Ok(share)
}

fn bad(why: &str) -> Malformed {
    Malformed::new("share.material", why, "restore it from a backup")
}

/// Threshold, number and ceremony are the ones on the label.
fn check_identity(facts: &ShareFacts, party: &Party<Secp256k1>) -> Result<(), Malformed> {
    let same = party.parameters.threshold == facts.threshold
        && usize::from(party.parameters.share_count) == facts.holders.len()
        && party.party_index.as_u8() == facts.party
        && party.session_id == facts.ceremony.as_bytes();
    if same { Ok(()) } else { Err(bad("is another party's or another ceremony's")) }
}

/// The secret belongs to the public share, and the public shares to the public key.
fn check_key(facts: &ShareFacts, party: &Party<Secp256k1>) -> Result<(), Malformed> {
    let secret = &party.poly_point;
    if bool::from(secret.is_zero()) || bool::from(secret.ct_eq(&Scalar::ONE)) {
        return Err(bad("has a trivial secret"));
    }
    if !bool::from(secret.ct_eq(&party.derivation_data.poly_point)) {
        return Err(bad("holds two secrets"));
    }
    let public = wallet_key(&party.pk)?;
    if public != facts.public_key || party.derivation_data.pk != party.pk {
        return Err(bad("is of another public key"));
    }
    let own = wallet_key(&public_of(secret))?;
    let place = usize::from(facts.party).checked_sub(1);
    if place.and_then(|i| facts.public_shares.get(i)) != Some(&own) {
        return Err(bad("does not belong to its public share"));
    }
    for window in facts.public_shares.windows(usize::from(facts.threshold)).enumerate() {
        if interpolate(window)? != party.pk {
            return Err(bad("has public shares that do not make the public key"));
        }
    }
    Ok(())
}

#[expect(clippy::arithmetic_side_effects, reason = "curve arithmetic neither overflows nor panics")]
fn public_of(secret: &Scalar) -> AffinePoint {
    (ProjectivePoint::GENERATOR * secret).to_affine()
}

/// Lagrange interpolation at zero in the exponent, over consecutive party numbers from `first + 1`.
#[expect(clippy::arithmetic_side_effects, reason = "field arithmetic neither overflows nor panics")]
fn interpolate(
    (first, shares): (usize, &[crate::share::WalletKey]),
) -> Result<AffinePoint, Malformed> {
    let number = |i: usize| Scalar::from(first.saturating_add(i).saturating_add(1) as u64);
    let mut sum = ProjectivePoint::IDENTITY;
    for (i, share) in shares.iter().enumerate() {
        let (mut above, mut below) = (Scalar::ONE, Scalar::ONE);
        for j in (0..shares.len()).filter(|j| *j != i) {
            above *= number(j);
            below *= number(j) - number(i);
        }
        let inverse =
            Option::<Scalar>::from(below.invert()).ok_or_else(|| bad("repeats a party"))?;
        sum += point(share)? * (above * inverse);
    }
    Ok(sum.to_affine())
}

fn point(key: &crate::share::WalletKey) -> Result<ProjectivePoint, Malformed> {
    k256::PublicKey::from_sec1_bytes(key.as_bytes())
        .map(|p| p.to_projective())
        .map_err(|_| bad("has a public share off the curve"))
}

/// Correlated state exists with every other party, once, in the right sizes.
fn check_pairs(facts: &ShareFacts, party: &Party<Secp256k1>) -> Result<(), Malformed> {
    let n = party.parameters.share_count;
    let others: Vec<u8> = (1..=n).filter(|p| *p != facts.party).collect();
    let keys = |map: Vec<&PartyIndex>| map.into_iter().map(PartyIndex::as_u8).collect::<Vec<_>>();
    if keys(party.mul_senders.keys().collect()) != others
        || keys(party.mul_receivers.keys().collect()) != others
    {
        return Err(bad("lacks the state of a pair"));
    }
    let sound = party.mul_senders.values().all(|s| s.check_state().is_ok())
        && party.mul_receivers.values().all(|r| r.check_state(None).is_ok());
    if !sound {
        return Err(bad("has state of the wrong size"));
    }
    let seeds: BTreeMap<u8, bool> = party
        .zero_share
        .seeds
        .iter()
        .map(|s| (s.index_counterparty.as_u8(), s.lowest_index))
        .collect();
    let wanted: BTreeMap<u8, bool> = others.iter().map(|p| (*p, facts.party < *p)).collect();
    if party.zero_share.seeds.len() != others.len() || seeds != wanted {
        return Err(bad("lacks the zero-share seed of a pair"));
    }
    Ok(())
}
