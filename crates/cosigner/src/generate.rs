//! Key generation between all holders of a wallet, from their terms to each one's share and signed word.

use std::collections::BTreeMap;

use quorate_terms::entry::KeyStatementBody;
use quorate_terms::{CosignerId, Digest, PublicKey};

use crate::abort::{Abort, AbortKind, Failure};
use crate::error::{Bug, Error, Misuse};
use crate::run::{End, Parcel, Progress, Run, State, session_of};
use crate::scheme::{Generated, Scheme, Stop};
use crate::session::{Identity, Purpose, Task};
use crate::share::{KeyShare, ShareFacts};
use quorate_terms::intent::SchemeName;

/// One party's run of key generation.
pub struct GenerateRun {
    run: Run<Generated>,
    task: Task,
    scheme: SchemeName,
}

/// A new key, as one holder has it.
#[derive(Debug)]
pub struct NewKey {
    /// The holder's share. Seal it before saying anything.
    pub share: KeyShare,
    /// What the holder says of the key; sign its digest with the identity key.
    pub statement: KeyStatementBody,
}

impl GenerateRun {
    /// Starts. `keys` are the identity keys of the charter.
    ///
    /// # Errors
    /// [`Misuse`] for terms of another purpose; [`Bug`] when the random source below us fails.
    pub fn start(
        scheme: &dyn Scheme,
        task: Task,
        keys: &BTreeMap<CosignerId, PublicKey>,
        identity: &dyn Identity,
    ) -> Result<(Self, Vec<Parcel>), Error> {
        if task.terms().purpose != Purpose::Generate {
            return Err(Misuse::new("these terms do not make a key", "use purpose generate").into());
        }
        let begin = || scheme.generate(&task);
        let (run, parcels) = Run::start(&task, keys, scheme.generate_caps(), identity, begin)?;
        Ok((Self { run, scheme: scheme.name(), task }, parcels))
    }

    /// The session's digest.
    pub fn session(&self) -> Digest {
        session_of(&self.run)
    }

    /// Takes one message from a peer.
    pub fn receive(&mut self, bytes: &[u8], identity: &dyn Identity) -> Progress<NewKey> {
        self.run.receive(bytes, identity, || true).settle(|end| self.end(end))
    }

    fn end(&self, end: End<Generated>) -> State<NewKey> {
        match end {
            End::Done(generated) => match self.new_key(generated) {
                Ok(key) => State::Done(key),
                Err(bug) => State::Failed(bug.into()),
            },
            End::Stopped(Stop::Bug(bug)) => State::Failed(bug.into()),
            // There is no key yet, so there is nothing to freeze: a ban of an unborn key is a plain abort.
            End::Stopped(Stop::Aborted(abort)) => {
                State::Failed(Failure::Aborted(Abort { kind: AbortKind::Recoverable, ..abort }))
            }
            End::Panicked(phase) => State::Failed(Failure::Aborted(Abort {
                phase,
                kind: AbortKind::Recoverable,
                cause: "the library failed on a peer's bytes".into(),
                culprits: self.task.others(),
            })),
        }
    }

    fn new_key(&self, generated: Generated) -> Result<NewKey, Bug> {
        let terms = self.task.terms();
        let ceremony = self.task.session();
        let facts = ShareFacts {
            vault: terms.vault.clone(),
            wallet: terms.wallet.clone(),
            epoch: terms.epoch,
            party: self.task.party(),
            holders: terms.parties.iter().map(|s| s.cosigner.clone()).collect(),
            threshold: terms.threshold,
            scheme: self.scheme,
            public_key: generated.public_key,
            public_shares: generated.public_shares,
            charter: terms.charter,
            ceremony,
            transcript: generated.transcript,
        };
        let statement = KeyStatementBody {
            v: 1,
            vault: terms.vault.clone(),
            wallet: terms.wallet.clone(),
            epoch: terms.epoch,
            cosigner: self.task.cosigner().clone(),
            ceremony,
            public_key: generated.public_key.to_string(),
            transcript: generated.transcript,
        };
        let share = KeyShare::new(facts, generated.material)
            .map_err(|_| Bug::new("key generation made a share that does not hold together"))?;
        Ok(NewKey { share, statement })
    }
}
