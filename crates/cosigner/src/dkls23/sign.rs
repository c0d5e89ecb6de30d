//! Three-round signing (Protocol 3.6 of <https://eprint.iacr.org/2023/765>). Each state is consumed by its round and lives
//! in memory only: a crash ends the run, and the next attempt draws everything anew under a new session.

use std::collections::BTreeMap;
use std::sync::Arc;

use dkls23_core::protocols::PartyIndex;
use dkls23_core::protocols::signing::{
    Broadcast3to4, KeepPhase1to2, KeepPhase2to3, SignData, TransmitPhase1to2, TransmitPhase2to3,
    UniqueKeep1to2, UniqueKeep2to3,
};
use k256::{AffinePoint, Secp256k1};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Dkls23Share, decode, fault, index, translate};
use crate::error::{Bug, Error, Misuse};
use crate::limits::SIGN_BYTES_MAX;
use crate::scheme::{Begun, Machine, Outgoing, Step, Stop};
use crate::session::{Inbox, Task};
use crate::share::{KeyShare, encode_secret};

type Kept<T> = BTreeMap<PartyIndex, T>;

const CAP_1: usize = SIGN_BYTES_MAX[0];
const CAP_2: usize = SIGN_BYTES_MAX[1];
const CAP_3: usize = SIGN_BYTES_MAX[2];

/// What every round needs.
struct Core {
    task: Task,
    share: Arc<KeyShare>,
    data: SignData,
}

impl Core {
    fn material(&self) -> Result<&Dkls23Share, Stop> {
        self.share.material().map_err(|_| Bug::new("the share changed under a run").into())
    }

    fn refuse(&self, phase: &'static str, from: u8, cause: &str) -> Stop {
        fault(&self.task, phase, from, cause)
    }

    /// One message to each peer, found by its receiver's number.
    fn each<T: Serialize>(
        &self,
        messages: &[T],
        receiver: impl Fn(&T) -> u8,
        cap: usize,
    ) -> Result<Vec<Outgoing>, Bug> {
        let missing = Bug::new("the library left out a peer");
        self.task
            .peers()
            .map(|seat| {
                let message = messages.iter().find(|m| receiver(m) == seat.party);
                let payload = encode_secret(message.ok_or(missing.clone())?, cap)?;
                Ok(Outgoing { to: seat.party, payload })
            })
            .collect()
    }

    /// Reads everyone's message of a round; `sound` says what is wrong with one.
    fn read<T: DeserializeOwned>(
        &self,
        phase: &'static str,
        inbox: &Inbox,
        sound: impl Fn(&T, u8) -> Result<(), &'static str>,
    ) -> Result<Vec<T>, Stop> {
        inbox
            .iter()
            .map(|(from, payload)| {
                let message: T =
                    decode(payload).ok_or_else(|| self.refuse(phase, *from, "bad message"))?;
                sound(&message, *from).map_err(|cause| self.refuse(phase, *from, cause))?;
                Ok(message)
            })
            .collect()
    }
}

pub(super) fn begin(share: Arc<KeyShare>, task: &Task) -> Result<Begun<[u8; 64]>, Error> {
    let message = task.terms().message()?;
    let data = SignData {
        sign_id: task.session().as_bytes().to_vec(),
        counterparties: task.peers().map(|s| index(s.party)).collect::<Result<_, _>>()?,
        message_hash: message.ok_or(Misuse::new("these terms sign nothing", "use purpose sign"))?,
    };
    let material: &Dkls23Share = share.material()?;
    // Nothing of a peer's is in here yet, so a refusal is about our own share or terms.
    let (unique, kept, transmit) = material
        .party()
        .sign_phase1(&data)
        .map_err(|_| Bug::new("a checked share cannot begin to sign"))?;
    let core = Core { task: task.clone(), share: share.clone(), data };
    let send = core.each(&transmit, |m| m.parties.receiver.as_u8(), CAP_1)?;
    Ok(Begun { machine: Box::new(First { core, unique, kept }), send })
}

fn answer(result: Result<Begun<[u8; 64]>, Stop>) -> Step<[u8; 64]> {
    result.map_or_else(Step::Stopped, Step::Next)
}

/// Waits for round 1: commitments to the nonce shares, and the start of two multiplications.
struct First {
    core: Core,
    unique: UniqueKeep1to2<Secp256k1>,
    kept: Kept<KeepPhase1to2<Secp256k1>>,
}

impl Machine<[u8; 64]> for First {
    fn phase(&self) -> &'static str {
        "sign 1"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<[u8; 64]> {
        answer(self.multiply(&inbox))
    }
}

impl First {
    fn multiply(self, inbox: &Inbox) -> Result<Begun<[u8; 64]>, Stop> {
        let Self { core, unique, kept } = self;
        let me = core.task.party();
        let received = core.read("sign 1", inbox, |m: &TransmitPhase1to2, from| {
            addressed(m.parties.sender, m.parties.receiver, from, me)
        })?;
        let (unique, kept, transmit) = core
            .material()?
            .party()
            .sign_phase2(&core.data, unique, kept, &received)
            .map_err(|abort| translate(&core.task, "sign 1", &abort))?;
        let send = core.each(&transmit, |m| m.parties.receiver.as_u8(), CAP_2)?;
        Ok(Begun { machine: Box::new(Second { core, unique, kept }), send })
    }
}

/// Waits for round 2: openings, products and the values that check them.
struct Second {
    core: Core,
    unique: UniqueKeep2to3<Secp256k1>,
    kept: Kept<KeepPhase2to3<Secp256k1>>,
}

impl Machine<[u8; 64]> for Second {
    fn phase(&self) -> &'static str {
        "sign 2"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<[u8; 64]> {
        answer(self.check(&inbox))
    }
}

impl Second {
    fn check(self, inbox: &Inbox) -> Result<Begun<[u8; 64]>, Stop> {
        let Self { core, unique, kept } = self;
        let me = core.task.party();
        let received = core.read("sign 2", inbox, |m: &TransmitPhase2to3<Secp256k1>, from| {
            addressed(m.parties.sender, m.parties.receiver, from, me)?;
            let points = [&m.gamma_u, &m.gamma_v, &m.public_share, &m.instance_point];
            if points.iter().any(|p| **p == AffinePoint::IDENTITY) {
                return Err("the identity in place of a point");
            }
            Ok(())
        })?;
        let (x, own) = core
            .material()?
            .party()
            .sign_phase3(&core.data, unique, kept, &received)
            .map_err(|abort| translate(&core.task, "sign 2", &abort))?;
        let payload = encode_secret(&own, CAP_3)?;
        let peers = core.task.peers();
        let send = peers.map(|s| Outgoing { to: s.party, payload: payload.clone() }).collect();
        Ok(Begun { machine: Box::new(Third { core, x, own }), send })
    }
}

fn addressed(
    sender: PartyIndex,
    receiver: PartyIndex,
    from: u8,
    me: u8,
) -> Result<(), &'static str> {
    if sender.as_u8() == from && receiver.as_u8() == me {
        return Ok(());
    }
    Err("a message under another party's number")
}

/// Waits for round 3: everyone's fraction of s.
struct Third {
    core: Core,
    x: String,
    own: Broadcast3to4<Secp256k1>,
}

impl Machine<[u8; 64]> for Third {
    fn phase(&self) -> &'static str {
        "sign 3"
    }

    fn step(self: Box<Self>, inbox: Inbox) -> Step<[u8; 64]> {
        match self.assemble(&inbox) {
            Ok(rs) => Step::Done(rs),
            Err(stop) => Step::Stopped(stop),
        }
    }
}

impl Third {
    fn assemble(self, inbox: &Inbox) -> Result<[u8; 64], Stop> {
        let Self { core, x, own } = self;
        let mut received: Vec<Broadcast3to4<Secp256k1>> =
            core.read("sign 3", inbox, |_, _| Ok(()))?;
        received.push(own);
        let (s, _) = core
            .material()?
            .party()
            .sign_phase4(&core.data, &x, &received, false)
            .map_err(|abort| translate(&core.task, "sign 3", &abort))?;
        let mut rs = [0; 64];
        hex::decode_to_slice(x + &s, &mut rs).map_err(|_| Bug::new("r or s is not hex"))?;
        Ok(rs)
    }
}
