//! Threshold signing between a quorum of holders, from their terms to a signature that an independent library accepts.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_terms::{CosignerId, Digest, PublicKey};
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};

use crate::abort::{Abort, AbortKind, BanPending, Failure};
use crate::error::{Bug, Error, Misuse};
use crate::run::{End, Parcel, Progress, Run, State, frozen, session_of};
use crate::scheme::{Scheme, Stop};
use crate::session::{Identity, Purpose, Task};
use crate::share::{KeyShare, WalletKey};

/// A signature that libsecp256k1 has verified: r and s, low-s, and the recovery id of exactly that pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalletSignature {
    /// r and s, 32 bytes each, big-endian; s is at most half the order (BIP 62, EIP-2).
    pub rs: [u8; 64],
    /// Which public key the signature recovers to, 0 to 3 (SEC 1, 4.1.6).
    pub recovery: u8,
}

/// Verifies r and s with libsecp256k1, after bringing s into its lower half; finds the recovery id anew.
///
/// None when the signature is not this key's over this message. Nothing that this refuses may leave the process.
pub fn verify(key: &WalletKey, message: &[u8; 32], rs: &[u8; 64]) -> Option<WalletSignature> {
    let public = secp256k1::PublicKey::from_byte_array_compressed(*key.as_bytes()).ok()?;
    let mut signature = Signature::from_compact(rs).ok()?;
    signature.normalize_s();
    let digest = Message::from_digest(*message);
    signature.verify(digest, &public).ok()?;
    let rs = signature.serialize_compact();
    let ids = [RecoveryId::Zero, RecoveryId::One, RecoveryId::Two, RecoveryId::Three];
    let recovers = |id: &RecoveryId| {
        RecoverableSignature::from_compact(&rs, *id)
            .and_then(|s| s.recover(digest))
            .is_ok_and(|found| found == public)
    };
    ids.into_iter().find(recovers).map(|id| WalletSignature { rs, recovery: id.to_u8() })
}

/// One party's run of signing.
pub struct SignRun {
    run: Run<[u8; 64]>,
    task: Task,
    share: Arc<KeyShare>,
    message: [u8; 32],
}

impl SignRun {
    /// Starts with this share. `keys` are the identity keys of the charter.
    ///
    /// # Errors
    /// [`Misuse`] for a frozen share, a share that the terms do not name, or terms of another purpose; [`Bug`] when the
    /// random source below us fails.
    pub fn start(
        scheme: &dyn Scheme,
        share: Arc<KeyShare>,
        task: Task,
        keys: &BTreeMap<CosignerId, PublicKey>,
        identity: &dyn Identity,
    ) -> Result<(Self, Vec<Parcel>), Error> {
        let message = fit(&share, &task)?;
        let begin = || scheme.sign(share.clone(), &task);
        let (run, parcels) = Run::start(&task, keys, scheme.sign_caps(), identity, begin)?;
        Ok((Self { run, task, share, message }, parcels))
    }

    /// The session's digest.
    pub fn session(&self) -> Digest {
        session_of(&self.run)
    }

    /// The wallet whose key signs.
    pub fn wallet(&self) -> &quorate_terms::WalletId {
        &self.task.terms().wallet
    }

    /// Takes one message from a peer.
    pub fn receive(&mut self, bytes: &[u8], identity: &dyn Identity) -> Progress<WalletSignature> {
        let share = self.share.clone();
        self.run.receive(bytes, identity, || !share.is_frozen()).settle(|end| self.end(end))
    }

    /// What was worked out for a share that has been frozen since is withheld.
    pub(crate) fn unless_frozen(
        &self,
        progress: Progress<WalletSignature>,
    ) -> Progress<WalletSignature> {
        let ready = matches!(progress.state, State::Waiting | State::Done(_));
        if !ready || !self.share.is_frozen() {
            return progress;
        }
        let state = State::Failed(Failure::Aborted(frozen("sign")));
        Progress { send: Vec::new(), state }
    }

    fn end(&self, end: End<[u8; 64]>) -> State<WalletSignature> {
        match end {
            End::Done(rs) => self.release(&rs),
            End::Stopped(Stop::Bug(bug)) => State::Failed(bug.into()),
            End::Stopped(Stop::Aborted(abort)) => State::Failed(self.fail(abort)),
            // How far a check on reusable state had come is unknown, so the safe reading is that it failed.
            End::Panicked(phase) => State::Failed(self.panicked(phase)),
        }
    }

    fn release(&self, rs: &[u8; 64]) -> State<WalletSignature> {
        match verify(&self.share.facts().public_key, &self.message, rs) {
            Some(signature) => State::Done(signature),
            None => State::Failed(Failure::Aborted(Abort {
                phase: "sign 3",
                kind: AbortKind::Recoverable,
                cause: "the signature does not verify".into(),
                culprits: self.task.others(),
            })),
        }
    }

    /// A ban freezes the share before anything else happens, and waits for the disk before anyone is told.
    fn fail(&self, abort: Abort) -> Failure {
        match abort.kind.clone() {
            AbortKind::Recoverable => Failure::Aborted(abort),
            AbortKind::Ban(holder) => {
                self.share.freeze();
                Failure::Banned(BanPending::new(self.task.terms().wallet.clone(), holder, abort))
            }
        }
    }

    fn panicked(&self, phase: &'static str) -> Failure {
        self.share.freeze();
        let culprits = self.task.others();
        let Some(holder) = culprits.first().cloned() else {
            return Bug::new("a session without peers").into();
        };
        let cause = "the library failed on a peer's bytes".into();
        self.fail(Abort { phase, kind: AbortKind::Ban(holder), cause, culprits })
    }
}

/// Checks that the terms are about this share, and gives the message to sign.
fn fit(share: &KeyShare, task: &Task) -> Result<[u8; 32], Error> {
    let (facts, terms) = (share.facts(), task.terms());
    if share.is_frozen() {
        return Err(
            Misuse::new("the key is frozen", "make new shares by a complete refresh").into()
        );
    }
    let same_key = facts.vault == terms.vault
        && facts.wallet == terms.wallet
        && facts.epoch == terms.epoch
        && facts.threshold == terms.threshold
        && facts.holders.len() == usize::from(terms.shares);
    let same_seats = facts.party == task.party()
        && terms.parties.iter().all(|s| facts.holder(s.party) == Some(&s.cosigner));
    if !same_key || !same_seats {
        return Err(Misuse::new(
            "the terms name another key, epoch or set of holders",
            "make terms from this share's facts",
        )
        .into());
    }
    if terms.purpose == Purpose::Generate {
        return Err(Misuse::new("these terms sign nothing", "use purpose sign or drill").into());
    }
    Ok(terms.message()?.ok_or(Bug::new("a signing session without a message"))?)
}
