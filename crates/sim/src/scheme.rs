//! A deterministic stand-in for threshold signing: real rounds with real checks, and real secp256k1 signatures.
//!
//! Each simulated share carries the whole test key, made from the ceremony's digest. It protects nothing; it is named
//! `simulated`, and no product binary can load it.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_cosigner::abort::AbortKind;
use quorate_cosigner::error::Bug;
use quorate_cosigner::scheme::{Begun, Generated, Machine, Material, Outgoing, Scheme, Step, Stop};
use quorate_cosigner::session::{Inbox, Task};
use quorate_cosigner::{Abort, Error, KeyShare, ShareFacts, WalletKey};
use quorate_terms::intent::SchemeName;
use quorate_terms::{Digest, Malformed};
use secp256k1::ecdsa::Signature;
use secp256k1::{Message, PublicKey, SecretKey};
use zeroize::Zeroizing;

const TAG: &str = "quorate/simulated/v1";
static CAPS: [usize; 2] = [64, 64];

/// The simulator's scheme.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulated;

struct Whole([u8; 32]);

impl Drop for Whole {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl Material for Whole {
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Bug> {
        Ok(Zeroizing::new(self.0.to_vec()))
    }
}

fn key_of(ceremony: &Digest) -> [u8; 32] {
    *Digest::of(TAG, ceremony.as_bytes()).as_bytes()
}

fn public_of(secret: [u8; 32]) -> Option<WalletKey> {
    let secret = SecretKey::from_secret_bytes(secret).ok()?;
    WalletKey::from_bytes(PublicKey::from_secret_key(&secret).serialize()).ok()
}

impl Scheme for Simulated {
    fn name(&self) -> SchemeName {
        SchemeName::Simulated
    }

    fn library(&self) -> &'static str {
        "simulated"
    }

    fn generate_caps(&self) -> &'static [usize] {
        &CAPS
    }

    fn sign_caps(&self) -> &'static [usize] {
        &CAPS
    }

    fn generate(&self, task: &Task) -> Result<Begun<Generated>, Error> {
        let talk = Talk::new(task, *task.session().as_bytes());
        let send = talk.say(1);
        Ok(Begun { machine: Box::new(Generating(talk)), send })
    }

    fn sign(&self, share: Arc<KeyShare>, task: &Task) -> Result<Begun<[u8; 64]>, Error> {
        share.material::<Whole>()?;
        let message = task.terms().message()?.ok_or(Bug::new("nothing to sign"))?;
        let talk = Talk::new(task, message);
        let send = talk.say(1);
        Ok(Begun { machine: Box::new(Signing { talk, share, message }), send })
    }

    fn load(&self, facts: &ShareFacts, material: &[u8]) -> Result<Box<dyn Material>, Malformed> {
        let bad = || Malformed::new("share.material", "is not this key's", "restore it");
        let secret: [u8; 32] = material.try_into().map_err(|_| bad())?;
        if secret != key_of(&facts.ceremony) || public_of(secret) != Some(facts.public_key) {
            return Err(bad());
        }
        Ok(Box::new(Whole(secret)))
    }
}

/// Two rounds in which every word is bound to session, subject, sender, recipient and round.
struct Talk {
    task: Task,
    subject: [u8; 32],
    round: u8,
}

impl Talk {
    fn new(task: &Task, subject: [u8; 32]) -> Self {
        Self { task: task.clone(), subject, round: 1 }
    }

    fn word(&self, from: u8, to: u8, round: u8) -> Vec<u8> {
        let mut bytes = self.task.session().as_bytes().to_vec();
        bytes.extend_from_slice(&self.subject);
        bytes.extend_from_slice(&[from, to, round]);
        Digest::of(TAG, &bytes).as_bytes().to_vec()
    }

    fn say(&self, round: u8) -> Vec<Outgoing> {
        let me = self.task.party();
        let to = |seat: &quorate_cosigner::session::Seat| Outgoing {
            to: seat.party,
            payload: Zeroizing::new(self.word(me, seat.party, round)),
        };
        self.task.peers().map(to).collect()
    }

    /// A wrong first word costs the run; a wrong second one bars the peer, as a failed check on reusable state does.
    fn hear(&self, inbox: &Inbox) -> Result<(), Stop> {
        for (from, heard) in inbox {
            if heard.as_slice() == self.word(*from, self.task.party(), self.round) {
                continue;
            }
            let culprit = self.task.name(*from).cloned();
            let kind = match &culprit {
                Some(name) if self.round == 2 => AbortKind::Ban(name.clone()),
                _ => AbortKind::Recoverable,
            };
            let culprits: BTreeSet<_> = culprit.into_iter().collect();
            let phase = if self.round == 1 { "simulated 1" } else { "simulated 2" };
            return Err(Abort { phase, kind, cause: "a wrong word".into(), culprits }.into());
        }
        Ok(())
    }
}

struct Generating(Talk);

impl Machine<Generated> for Generating {
    fn phase(&self) -> &'static str {
        "simulated generate"
    }

    fn step(mut self: Box<Self>, inbox: Inbox) -> Step<Generated> {
        if let Err(stop) = self.0.hear(&inbox) {
            return Step::Stopped(stop);
        }
        if self.0.round == 1 {
            self.0.round = 2;
            let send = self.0.say(2);
            return Step::Next(Begun { machine: self, send });
        }
        let session = self.0.task.session();
        let secret = key_of(&session);
        let Some(public_key) = public_of(secret) else {
            return Step::Stopped(Bug::new("a digest is no key").into());
        };
        let parties = self.0.task.terms().parties.len();
        Step::Done(Generated {
            material: Box::new(Whole(secret)),
            public_key,
            public_shares: vec![public_key; parties],
            transcript: Digest::of(TAG, session.as_bytes()),
        })
    }
}

struct Signing {
    talk: Talk,
    share: Arc<KeyShare>,
    message: [u8; 32],
}

impl Machine<[u8; 64]> for Signing {
    fn phase(&self) -> &'static str {
        "simulated sign"
    }

    fn step(mut self: Box<Self>, inbox: Inbox) -> Step<[u8; 64]> {
        if let Err(stop) = self.talk.hear(&inbox) {
            return Step::Stopped(stop);
        }
        if self.talk.round == 1 {
            self.talk.round = 2;
            let send = self.talk.say(2);
            return Step::Next(Begun { machine: self, send });
        }
        let bug = || Step::Stopped(Bug::new("a simulated share signs nothing").into());
        let Ok(whole) = self.share.material::<Whole>() else { return bug() };
        let Ok(secret) = SecretKey::from_secret_bytes(whole.0) else { return bug() };
        let made: Signature = secp256k1::ecdsa::sign(Message::from_digest(self.message), &secret);
        Step::Done(made.serialize_compact())
    }
}
