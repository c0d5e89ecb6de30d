//! A small house of cosigners for tests: identities, terms, a wire that can be tampered with, and one real key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_terms::{CosignerId, Digest, PublicKey, Signature, VaultId, WalletId};
use zeroize::Zeroizing;

use crate::dkls23::Dkls23;
use crate::session::{CheckpointMark, Envelope, Identity, Purpose, Seat, SessionTerms, Task};
use crate::share::{Expected, KeyShare, RawKeyShare};
use crate::{GenerateRun, NewKey, Parcel, Progress, SignRun, State, WalletSignature};

pub(crate) fn name(party: u8) -> CosignerId {
    CosignerId::new(format!("cosigner-{party}")).unwrap()
}

fn secret(party: u8) -> SigningKey {
    SigningKey::from_bytes(&[party; 32])
}

pub(crate) fn identity(party: u8) -> impl Identity {
    move |digest: &Digest| Signature::from_bytes(secret(party).sign(digest.as_bytes()).to_bytes())
}

pub(crate) fn keys() -> BTreeMap<CosignerId, PublicKey> {
    let key = |p| PublicKey::from_bytes(secret(p).verifying_key().to_bytes()).unwrap();
    (1..=3).map(|p| (name(p), key(p))).collect()
}

pub(crate) fn digest(of: &str) -> Digest {
    Digest::of("quorate/test/v1", of.as_bytes())
}

pub(crate) fn terms(purpose: Purpose, t: u8, n: u8, parties: &[u8], attempt: u64) -> SessionTerms {
    SessionTerms {
        v: 1,
        vault: VaultId::new("vault").unwrap(),
        intent: digest("intent"),
        purpose,
        charter: digest("charter"),
        checkpoint: CheckpointMark { size: 7, root: digest("root") },
        wallet: WalletId::new("wallet").unwrap(),
        epoch: 0,
        attempt,
        threshold: t,
        shares: n,
        parties: parties.iter().map(|p| Seat { party: *p, cosigner: name(*p) }).collect(),
    }
}

pub(crate) fn sign_terms(message: &str, attempt: u64) -> SessionTerms {
    let purpose = Purpose::Sign { draft: digest("draft"), sighash: digest(message) };
    terms(purpose, 2, 2, &[1, 2], attempt)
}

pub(crate) fn task(terms: &SessionTerms, party: u8) -> Task {
    Task::new(terms.clone(), &name(party)).unwrap()
}

/// Either protocol, seen from its driver.
pub(crate) trait Side {
    type Out;
    fn hear(&mut self, bytes: &[u8], me: u8) -> Progress<Self::Out>;
}

impl Side for GenerateRun {
    type Out = NewKey;
    fn hear(&mut self, bytes: &[u8], me: u8) -> Progress<NewKey> {
        self.receive(bytes, &identity(me))
    }
}

impl Side for SignRun {
    type Out = WalletSignature;
    fn hear(&mut self, bytes: &[u8], me: u8) -> Progress<WalletSignature> {
        self.receive(bytes, &identity(me))
    }
}

/// Delivers everything until nothing is under way; `tamper` may change bytes on the wire, given sender and round.
pub(crate) fn drive<S: Side>(
    sides: Vec<(u8, S, Vec<Parcel>)>,
    mut tamper: impl FnMut(u8, u8, Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>>,
) -> BTreeMap<u8, State<S::Out>> {
    let mut wire = VecDeque::new();
    let mut runs = BTreeMap::new();
    for (party, run, parcels) in sides {
        wire.extend(parcels);
        runs.insert(party, run);
    }
    let mut ends = BTreeMap::new();
    while let Some(parcel) = wire.pop_front() {
        let envelope = Envelope::from_bytes(&parcel.bytes).unwrap();
        let bytes = tamper(envelope.from(), envelope.round(), parcel.bytes);
        let Some(run) = runs.get_mut(&envelope.to()) else { continue };
        let progress = run.hear(&bytes, envelope.to());
        wire.extend(progress.send);
        if !matches!(progress.state, State::Waiting | State::Duplicate) {
            ends.entry(envelope.to()).or_insert(progress.state);
        }
    }
    ends
}

/// Changes a message's payload and signs it again: what a lying peer, unlike the wire, can do.
pub(crate) fn resign(
    bytes: &[u8],
    party: u8,
    change: impl FnOnce(&mut Vec<u8>),
) -> Zeroizing<Vec<u8>> {
    let old = Envelope::from_bytes(bytes).unwrap();
    let mut payload = Zeroizing::new(old.payload().to_vec());
    change(&mut payload);
    let me = identity(party);
    Envelope::sign(old.session(), old.from(), old.to(), old.round(), payload, &me).to_bytes()
}

pub(crate) fn start_generate(terms: &SessionTerms) -> Vec<(u8, GenerateRun, Vec<Parcel>)> {
    let begin = |party| {
        let (run, parcels) =
            GenerateRun::start(&Dkls23, task(terms, party), &keys(), &identity(party)).unwrap();
        (party, run, parcels)
    };
    terms.parties.iter().map(|s| begin(s.party)).collect()
}

pub(crate) fn start_sign(
    terms: &SessionTerms,
    shares: &BTreeMap<u8, Arc<KeyShare>>,
) -> Vec<(u8, SignRun, Vec<Parcel>)> {
    let begin = |party| {
        let share = shares[&party].clone();
        let (run, parcels) =
            SignRun::start(&Dkls23, share, task(terms, party), &keys(), &identity(party)).unwrap();
        (party, run, parcels)
    };
    terms.parties.iter().map(|s| begin(s.party)).collect()
}

pub(crate) fn done<T>(state: Option<State<T>>) -> T {
    match state {
        Some(State::Done(output)) => output,
        Some(State::Failed(failure)) => panic!("failed: {failure:?}"),
        Some(State::Refused(refusal)) => panic!("refused: {refusal}"),
        _ => panic!("no output"),
    }
}

/// One real 2-of-2 key, made once, as both holders would seal it.
pub(crate) fn sealed() -> &'static BTreeMap<u8, Vec<u8>> {
    static KEY: OnceLock<BTreeMap<u8, Vec<u8>>> = OnceLock::new();
    KEY.get_or_init(|| {
        let terms = terms(Purpose::Generate, 2, 2, &[1, 2], 1);
        let mut ends = drive(start_generate(&terms), |_, _, bytes| bytes);
        let mut bytes = |p| done(ends.remove(&p)).share.encode().unwrap().to_vec();
        BTreeMap::from([(1, bytes(1)), (2, bytes(2))])
    })
}

/// The shares of that key, fresh from their bytes: freezing them freezes nobody else's.
pub(crate) fn shares() -> BTreeMap<u8, Arc<KeyShare>> {
    let wallet = WalletId::new("wallet").unwrap();
    let open = |(party, bytes): (&u8, &Vec<u8>)| {
        let expected = Expected { wallet: &wallet, epoch: 0, party: *party };
        let share = RawKeyShare::decode(bytes).unwrap().validate(&Dkls23, &expected).unwrap();
        (*party, share.shared())
    };
    sealed().iter().map(open).collect()
}
