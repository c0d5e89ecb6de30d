//! Key generation (Protocol 9.1 of <https://eprint.iacr.org/2023/602>) with the checks that the library leaves open:
//!
//! - commit before reveal: round 2 carries commitments only, round 3 is verified against what round 2 said;
//! - nobody may repeat another party's commitment or point, so no proof is taken for another prover's;
//! - the identity is nobody's point;
//! - at the end all parties compare public key, chain code and everything that was said to all alike.

use std::collections::{BTreeMap, BTreeSet};

use dkls23_core::DkgSession;
use dkls23_core::protocols::dkg::{
    BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, ProofCommitment,
    TransmitInitMulPhase3to4, TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4,
};
use dkls23_core::protocols::{PartiesMessage, Party, PublicKeyPackage};
use dkls23_core::utilities::proofs::DLogProof;
use k256::{AffinePoint, Scalar, Secp256k1};
use quorate_terms::Digest;
use quorate_terms::digest::tag;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Dkls23Share, decode, fault, index, parameters, translate, wallet_key};
use crate::error::{Bug, Error};
use crate::limits::GENERATE_BYTES_MAX;
use crate::scheme::{Begun, Generated, Machine, Outgoing, Step, Stop};
use crate::session::{Inbox, Task};
use crate::share::encode_secret;

type Session = DkgSession<Secp256k1>;
type Proof = ProofCommitment<Secp256k1>;

const SALT_BYTES: usize = 64;
const CAP_1: usize = GENERATE_BYTES_MAX[0];
const CAP_2: usize = GENERATE_BYTES_MAX[1];
const CAP_3: usize = GENERATE_BYTES_MAX[2];

/// Round 2: commitments, and nothing that they commit to.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Committed {
    pub(super) index: u8,
    pub(super) proof: [u8; 32],
    pub(super) zero_seed: [u8; 32],
    pub(super) chain_code: [u8; 32],
}

/// Round 3: the openings, and the start of oblivious transfer.
#[derive(Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) proof: DLogProof<Secp256k1>,
    pub(super) zero_seed: [u8; 32],
    pub(super) zero_salt: Vec<u8>,
    pub(super) mul: TransmitInitMulPhase3to4<Secp256k1>,
    pub(super) chain_code: [u8; 32],
    pub(super) chain_salt: Vec<u8>,
}

/// What one party said to all alike.
struct Said {
    proof: Proof,
    chain_2: BroadcastDerivationPhase2to4,
    chain_3: BroadcastDerivationPhase3to4,
}

pub(super) fn begin(task: &Task) -> Result<Begun<Generated>, Error> {
    let me = index(task.party())?;
    let id = task.session().as_bytes().to_vec();
    let session = Session::new(parameters(task)?, me, id);
    let fragments = Zeroizing::new(session.phase1());
    let fragment = |party: u8| {
        let at = usize::from(party).checked_sub(1);
        at.and_then(|i| fragments.get(i)).ok_or(Bug::new("the library drew too few fragments"))
    };
    let send = each_peer(task, |to| encode_secret(fragment(to)?, CAP_1))?;
    let own = Zeroizing::new(*fragment(task.party())?);
    Ok(Begun { machine: Box::new(Fragments { task: task.clone(), session, own }), send })
}

fn each_peer(
    task: &Task,
    mut say: impl FnMut(u8) -> Result<Zeroizing<Vec<u8>>, Bug>,
) -> Result<Vec<Outgoing>, Bug> {
    task.peers().map(|s| Ok(Outgoing { to: s.party, payload: say(s.party)? })).collect()
}

fn answer(result: Result<Begun<Generated>, Stop>) -> Step<Generated> {
    result.map_or_else(Step::Stopped, Step::Next)
}

/// Waits for round 1: everyone's fragment of our point.
struct Fragments {
    task: Task,
    session: Session,
    own: Zeroizing<Scalar>,
}

impl Machine<Generated> for Fragments {
    fn phase(&self) -> &'static str {
        "generate 1"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<Generated> {
        answer(self.commit(&inbox))
    }
}

impl Fragments {
    fn commit(mut self, inbox: &Inbox) -> Result<Begun<Generated>, Stop> {
        let mut fragments = Zeroizing::new(vec![*self.own]);
        for (from, payload) in inbox {
            let scalar: Option<Scalar> = decode(payload);
            match scalar.filter(|s| !bool::from(s.is_zero())) {
                Some(scalar) => fragments.push(scalar),
                None => return Err(fault(&self.task, "generate 1", *from, "bad fragment")),
            }
        }
        let (proof, zero, chain) = self
            .session
            .phase2(&fragments)
            .map_err(|abort| translate(&self.task, "generate 1", &abort))?;
        let send = each_peer(&self.task, |to| {
            let zero = zero.iter().find(|z| z.parties.receiver.as_u8() == to);
            let zero_seed = zero.ok_or(Bug::new("no zero-share commitment"))?.commitment;
            let committed = Committed {
                index: self.task.party(),
                proof: proof.commitment,
                zero_seed,
                chain_code: chain.cc_commitment,
            };
            encode_secret(&committed, CAP_2)
        })?;
        let next = Commitments { task: self.task, session: self.session, proof, chain };
        Ok(Begun { machine: Box::new(next), send })
    }
}

/// Waits for round 2: everyone's commitments.
struct Commitments {
    task: Task,
    session: Session,
    proof: Proof,
    chain: BroadcastDerivationPhase2to4,
}

impl Machine<Generated> for Commitments {
    fn phase(&self) -> &'static str {
        "generate 2"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<Generated> {
        answer(self.open(&inbox))
    }
}

impl Commitments {
    fn open(mut self, inbox: &Inbox) -> Result<Begun<Generated>, Stop> {
        let heard = self.hear(inbox)?;
        let (zero, mul, chain_3) =
            self.session.phase3().map_err(|abort| translate(&self.task, "generate 2", &abort))?;
        let send = each_peer(&self.task, |to| {
            let missing = Bug::new("the library left out a peer");
            let zero = zero.iter().find(|z| z.parties.receiver.as_u8() == to);
            let mul = mul.iter().find(|m| m.parties.receiver.as_u8() == to);
            let (zero, mul) = (zero.ok_or(missing.clone())?, mul.ok_or(missing)?);
            let opened = Opened {
                proof: self.proof.proof.clone(),
                zero_seed: zero.seed,
                zero_salt: zero.salt.clone(),
                mul: mul.clone(),
                chain_code: chain_3.aux_chain_code,
                chain_salt: chain_3.cc_salt.clone(),
            };
            encode_secret(&opened, CAP_3)
        })?;
        let own = Said { proof: self.proof, chain_2: self.chain, chain_3 };
        let next = Openings { task: self.task, session: self.session, own, heard };
        Ok(Begun { machine: Box::new(next), send })
    }

    /// Reads the commitments and refuses a copied one: a copy can be opened by whoever waits for the original's opening.
    fn hear(&self, inbox: &Inbox) -> Result<BTreeMap<u8, Committed>, Stop> {
        let mut seen = BTreeSet::from([self.proof.commitment, self.chain.cc_commitment]);
        let mut heard = BTreeMap::new();
        for (from, payload) in inbox {
            let refuse = |cause| fault(&self.task, "generate 2", *from, cause);
            let committed: Committed = decode(payload).ok_or_else(|| refuse("bad commitments"))?;
            if committed.index != *from {
                return Err(refuse("commitments under another party's number"));
            }
            let fresh = [committed.proof, committed.zero_seed, committed.chain_code];
            if !fresh.into_iter().all(|c| seen.insert(c)) {
                return Err(refuse("a commitment is a copy"));
            }
            heard.insert(*from, committed);
        }
        Ok(heard)
    }
}

/// Waits for round 3: everyone's openings.
struct Openings {
    task: Task,
    session: Session,
    own: Said,
    heard: BTreeMap<u8, Committed>,
}

impl Machine<Generated> for Openings {
    fn phase(&self) -> &'static str {
        "generate 3"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<Generated> {
        answer(self.finish(&inbox))
    }
}

impl Openings {
    fn finish(self, inbox: &Inbox) -> Result<Begun<Generated>, Stop> {
        let mut received = Received::new(&self.task, self.own)?;
        for (from, payload) in inbox {
            let refuse = |cause| fault(&self.task, "generate 3", *from, cause);
            let opened = decode::<Opened>(payload).ok_or_else(|| refuse("bad openings"))?;
            let committed = self.heard.get(from).ok_or(Bug::new("a round was skipped"))?;
            received.check(&opened, *from).map_err(refuse)?;
            received.add(&self.task, *from, committed, opened)?;
        }
        let proofs: Vec<Proof> = received.proofs.values().cloned().collect();
        let (party, package) = self
            .session
            .phase4(
                &proofs,
                &received.zero_2,
                &received.zero_3,
                &received.mul,
                &received.chain_2,
                &received.chain_3,
                |_| String::new(),
            )
            .map_err(|abort| translate(&self.task, "generate 3", &abort))?;
        let transcript = received.transcript(&self.task, &party)?;
        let generated = generated(&self.task, party, &package, transcript)?;
        let send = each_peer(&self.task, |_| Ok(Zeroizing::new(transcript.as_bytes().to_vec())))?;
        Ok(Begun { machine: Box::new(Confirmation { task: self.task, generated }), send })
    }
}

fn generated(
    task: &Task,
    party: Party<Secp256k1>,
    package: &PublicKeyPackage<Secp256k1>,
    transcript: Digest,
) -> Result<Generated, Stop> {
    let odd = |_| Bug::new("the library made a key that is no point");
    let public_key = wallet_key(&party.pk).map_err(odd)?;
    let mut public_shares = Vec::new();
    for seat in &task.terms().parties {
        let share = package.verifying_share(index(seat.party)?);
        let share = share.ok_or(Bug::new("the library left out a public share"))?;
        // A share of zero is the other parties' word against one party; in 2-of-2 it cannot be, by the proofs.
        public_shares.push(wallet_key(share).map_err(odd)?);
    }
    Ok(Generated {
        material: Box::new(Dkls23Share::new(party)),
        public_key,
        public_shares,
        transcript,
    })
}

/// All that was received, as the library takes it: numbers and directions are the envelope's, never the payload's.
struct Received {
    me: u8,
    proofs: BTreeMap<u8, Proof>,
    zero_2: Vec<TransmitInitZeroSharePhase2to4>,
    zero_3: Vec<TransmitInitZeroSharePhase3to4>,
    mul: Vec<TransmitInitMulPhase3to4<Secp256k1>>,
    chain_2: BTreeMap<dkls23_core::protocols::PartyIndex, BroadcastDerivationPhase2to4>,
    chain_3: BTreeMap<dkls23_core::protocols::PartyIndex, BroadcastDerivationPhase3to4>,
}

impl Received {
    fn new(task: &Task, own: Said) -> Result<Self, Bug> {
        let me = task.party();
        Ok(Self {
            me,
            proofs: BTreeMap::from([(me, own.proof)]),
            zero_2: Vec::new(),
            zero_3: Vec::new(),
            mul: Vec::new(),
            chain_2: BTreeMap::from([(index(me)?, own.chain_2)]),
            chain_3: BTreeMap::from([(index(me)?, own.chain_3)]),
        })
    }

    /// What can be refused before the library looks.
    fn check(&self, opened: &Opened, from: u8) -> Result<(), &'static str> {
        let parties = &opened.mul.parties;
        if parties.sender.as_u8() != from || parties.receiver.as_u8() != self.me {
            return Err("openings under another party's number");
        }
        if opened.zero_salt.len() != SALT_BYTES || opened.chain_salt.len() != SALT_BYTES {
            return Err("an opening of the wrong length");
        }
        let identity = AffinePoint::IDENTITY;
        if opened.proof.point == identity || opened.mul.dlog_proof.point == identity {
            return Err("the identity as a public share");
        }
        if self.proofs.values().any(|p| p.proof.point == opened.proof.point) {
            return Err("a public share is a copy");
        }
        Ok(())
    }

    /// Files the opening against the commitment of round 2; the library then verifies one against the other.
    fn add(&mut self, task: &Task, from: u8, said: &Committed, opened: Opened) -> Result<(), Bug> {
        let sender = index(from)?;
        let parties = || PartiesMessage { sender, receiver: opened.mul.parties.receiver };
        self.zero_2.push(TransmitInitZeroSharePhase2to4 {
            parties: parties(),
            commitment: said.zero_seed,
        });
        self.zero_3.push(TransmitInitZeroSharePhase3to4 {
            parties: parties(),
            seed: opened.zero_seed,
            salt: opened.zero_salt,
        });
        let proof = Proof { index: sender, proof: opened.proof, commitment: said.proof };
        self.proofs.insert(from, proof);
        self.mul.push(opened.mul);
        self.chain_2.insert(
            sender,
            BroadcastDerivationPhase2to4 { sender_index: sender, cc_commitment: said.chain_code },
        );
        self.chain_3.insert(
            sender,
            BroadcastDerivationPhase3to4 {
                sender_index: sender,
                aux_chain_code: opened.chain_code,
                cc_salt: opened.chain_salt,
            },
        );
        if task.name(from).is_none() { Err(Bug::new("a stranger's opening")) } else { Ok(()) }
    }

    /// Digest over the session, the result and everything that was said to all alike.
    fn transcript(&self, task: &Task, party: &Party<Secp256k1>) -> Result<Digest, Bug> {
        let mut bytes = task.session().as_bytes().to_vec();
        bytes.extend_from_slice(wallet_key(&party.pk).map_err(|_| Bug::new("no key"))?.as_bytes());
        bytes.extend_from_slice(&party.derivation_data.chain_code);
        for (number, proof) in &self.proofs {
            bytes.push(*number);
            bytes.extend_from_slice(&proof.commitment);
            let opening = encode_secret(&proof.proof, CAP_3)?;
            bytes.extend_from_slice(Digest::of(tag::TRANSCRIPT, &opening).as_bytes());
        }
        for (two, three) in self.chain_2.values().zip(self.chain_3.values()) {
            bytes.extend_from_slice(&two.cc_commitment);
            bytes.extend_from_slice(&three.aux_chain_code);
            bytes.extend_from_slice(&three.cc_salt);
        }
        Ok(Digest::of(tag::TRANSCRIPT, &bytes))
    }
}

/// Waits for round 4: everyone's word that they saw the same.
struct Confirmation {
    task: Task,
    generated: Generated,
}

impl Machine<Generated> for Confirmation {
    fn phase(&self) -> &'static str {
        "generate 4"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<Generated> {
        let wanted = self.generated.transcript;
        let differs =
            |(_, payload): &(&u8, &Zeroizing<Vec<u8>>)| payload[..] != wanted.as_bytes()[..];
        match inbox.iter().find(differs) {
            None => Step::Done(self.generated),
            Some((from, _)) => Step::Stopped(fault(
                &self.task,
                "generate 4",
                *from,
                "the parties saw different public keys, chain codes or messages",
            )),
        }
    }
}
