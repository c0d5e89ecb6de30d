//! The bare protocol of both parties on one thread: the baseline that benches divide by. No sessions, no signatures on
//! messages, no checks of ours; every message is still encoded and decoded. Its key is made and lost in memory, so it can
//! sign for nobody.

use dkls23_core::SignSession;
use dkls23_core::protocols::re_key::re_key;
use dkls23_core::protocols::signing::{Broadcast3to4, SignData};
use dkls23_core::protocols::{Parameters, Party};
use k256::{Scalar, Secp256k1};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{decode, index, wallet_key};
use crate::error::Bug;
use crate::share::{WalletKey, encode_secret};

const CAP: usize = 64 * 1024;

/// Both halves of a throw-away key.
pub struct RawPair {
    one: Party<Secp256k1>,
    two: Party<Secp256k1>,
}

impl RawPair {
    /// Deals a key that nobody will ever use.
    ///
    /// # Errors
    /// [`Bug`] when the library cannot.
    pub fn deal() -> Result<Self, Bug> {
        let parameters = Parameters::new(2, 2).map_err(|_| Bug::new("two of two is no quorum"))?;
        let (parties, _) =
            re_key::<Secp256k1>(&parameters, &[7; 32], &draw()?, None, |_| String::new());
        let [one, two]: [Party<Secp256k1>; 2] =
            parties.try_into().map_err(|_| Bug::new("the library dealt more than two"))?;
        Ok(Self { one, two })
    }

    /// The public key.
    ///
    /// # Errors
    /// [`Bug`] when it is no point.
    pub fn public_key(&self) -> Result<WalletKey, Bug> {
        wallet_key(&self.one.pk).map_err(|_| Bug::new("the dealt key is no point"))
    }
}

fn draw() -> Result<Scalar, Bug> {
    let data = dkls23_core::protocols::dkg::SessionData {
        parameters: Parameters::new(2, 2).map_err(|_| Bug::new("two of two is no quorum"))?,
        party_index: index(1)?,
        session_id: vec![7; 32],
    };
    let drawn = dkls23_core::protocols::dkg::phase1::<Secp256k1>(&data);
    drawn.first().copied().ok_or(Bug::new("the library drew nothing"))
}

fn wire<T: Serialize + DeserializeOwned>(message: &T) -> Result<T, Bug> {
    decode(&encode_secret(message, CAP)?).ok_or(Bug::new("a message did not come back"))
}

/// Both parties sign once, in turn, on the calling thread; r and s, low-s.
///
/// # Errors
/// [`Bug`] when the protocol fails, which between honest halves it does not.
pub fn raw_sign_once(pair: &RawPair, id: u64, hash: [u8; 32]) -> Result<[u8; 64], Bug> {
    let failed = |_| Bug::new("the raw protocol failed");
    let data = |other: u8| -> Result<SignData, Bug> {
        let counterparties = vec![index(other)?];
        Ok(SignData { sign_id: id.to_be_bytes().to_vec(), counterparties, message_hash: hash })
    };
    let (mut s1, a1) = SignSession::new(&pair.one, data(2)?).map_err(failed)?;
    let (mut s2, a2) = SignSession::new(&pair.two, data(1)?).map_err(failed)?;
    let b1 = s1.phase2(&wire(&a2)?).map_err(failed)?;
    let b2 = s2.phase2(&wire(&a1)?).map_err(failed)?;
    let c1 = s1.phase3(&wire(&b2)?).map_err(failed)?;
    let c2 = s2.phase3(&wire(&b1)?).map_err(failed)?;
    let (d1, d2): (Broadcast3to4<Secp256k1>, _) = (wire(&c1)?, wire(&c2)?);
    let r1 = s1.phase4(&[c1, d2], true).map_err(failed)?;
    let r2 = s2.phase4(&[d1, c2], true).map_err(failed)?;
    if r1 == r2 { Ok(r1.to_bytes()) } else { Err(Bug::new("two signatures from one session")) }
}
