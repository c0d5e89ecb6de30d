//! A machine inside a session: authenticated messages in, signed messages out, and an end that cannot be misread.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use quorate_terms::{CosignerId, Digest, PublicKey};
use zeroize::Zeroizing;

use crate::abort::{Abort, AbortKind, Failure};
use crate::error::{Bug, Error};
use crate::scheme::{Begun, Machine, Outgoing, Step, Stop};
use crate::session::{Arrival, Identity, Inbox, Refusal, Session, Task};

/// Signed bytes for one peer.
#[derive(Clone)]
pub struct Parcel {
    /// The recipient.
    pub to: CosignerId,
    /// An encoded [`crate::session::Envelope`].
    pub bytes: Zeroizing<Vec<u8>>,
}

/// What one message led to.
pub struct Progress<T> {
    /// Send these, whatever the state.
    pub send: Vec<Parcel>,
    /// Where the run now stands.
    pub state: State<T>,
}

/// Where a run stands.
pub enum State<T> {
    /// More messages are needed.
    Waiting,
    /// The message was heard before; nothing changed.
    Duplicate,
    /// Finished.
    Done(T),
    /// The message was dropped; nothing changed.
    Refused(Refusal),
    /// Over, without an output.
    Failed(Failure),
}

/// What a run makes of an ending that its machine reports.
pub(crate) enum End<T> {
    Done(T),
    Stopped(Stop),
    /// The library panicked while it held these peers' bytes.
    Panicked(&'static str),
}

/// What one message led to, before its protocol has had a word on the end.
pub(crate) struct Heard<T> {
    send: Vec<Parcel>,
    what: What<T>,
}

enum What<T> {
    Refused(Refusal),
    Duplicate,
    Waiting,
    Ended(End<T>),
}

impl<T> Heard<T> {
    fn nothing(what: What<T>) -> Self {
        Self { send: Vec::new(), what }
    }

    /// As the caller sees it; `end` says what the protocol makes of an ending.
    pub(crate) fn settle<O>(self, end: impl FnOnce(End<T>) -> State<O>) -> Progress<O> {
        let state = match self.what {
            What::Refused(refusal) => State::Refused(refusal),
            What::Duplicate => State::Duplicate,
            What::Waiting => State::Waiting,
            What::Ended(ended) => end(ended),
        };
        Progress { send: self.send, state }
    }
}

pub(crate) struct Run<T> {
    session: Session,
    machine: Option<Box<dyn Machine<T>>>,
}

impl<T> Run<T> {
    pub(crate) fn start(
        task: &Task,
        keys: &BTreeMap<CosignerId, PublicKey>,
        caps: &'static [usize],
        identity: &dyn Identity,
        begin: impl FnOnce() -> Result<Begun<T>, Error>,
    ) -> Result<(Self, Vec<Parcel>), Error> {
        let session = Session::open(task, keys, caps)?;
        // No peer's byte is in play yet: a panic here is the library's random source or ourselves.
        let begun = catch_unwind(AssertUnwindSafe(begin))
            .map_err(|_| Bug::new("the signing library failed before the first message"))??;
        let run = Self { session, machine: Some(begun.machine) };
        let parcels = run.post(begun.send, identity)?;
        Ok((run, parcels))
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Files one message and runs every round that it completes. `alive` is asked before each step.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        identity: &dyn Identity,
        alive: impl Fn() -> bool,
    ) -> Heard<T> {
        match self.session.receive(bytes) {
            Err(refusal) => return Heard::nothing(What::Refused(refusal)),
            Ok(Arrival::Duplicate) => return Heard::nothing(What::Duplicate),
            Ok(Arrival::New) if self.machine.is_none() => {
                return Heard::nothing(What::Refused(Refusal::Over));
            }
            Ok(Arrival::New) => {}
        }
        let mut send = Vec::new();
        while let Some(inbox) = self.session.take_round() {
            let Some(machine) = self.machine.take() else { break };
            if !alive() {
                let end = End::Stopped(frozen(machine.phase()).into());
                return Heard::nothing(What::Ended(end));
            }
            match self.step(machine, inbox, identity) {
                Ok(parcels) => send.extend(parcels),
                Err(End::Done(output)) => {
                    return Heard { send, what: What::Ended(End::Done(output)) };
                }
                Err(end) => return Heard::nothing(What::Ended(end)),
            }
        }
        Heard { send, what: What::Waiting }
    }

    /// One step. The machine is moved into the guard and dropped by unwinding, so nothing half-done is ever used again.
    fn step(
        &mut self,
        machine: Box<dyn Machine<T>>,
        inbox: Inbox,
        identity: &dyn Identity,
    ) -> Result<Vec<Parcel>, End<T>> {
        let phase = machine.phase();
        match catch_unwind(AssertUnwindSafe(|| machine.step(inbox))) {
            Err(_) => Err(End::Panicked(phase)),
            Ok(Step::Done(output)) => Err(End::Done(output)),
            Ok(Step::Stopped(stop)) => Err(End::Stopped(stop)),
            Ok(Step::Next(begun)) => {
                self.machine = Some(begun.machine);
                self.post(begun.send, identity).map_err(|bug| End::Stopped(Stop::Bug(bug)))
            }
        }
    }

    fn post(&self, send: Vec<Outgoing>, identity: &dyn Identity) -> Result<Vec<Parcel>, Bug> {
        send.into_iter()
            .map(|out| {
                let to = self.session.peer(out.to).ok_or(Bug::new("a message for a stranger"))?;
                let bytes = self.session.seal(out.to, out.payload, identity);
                Ok(Parcel { to: to.clone(), bytes })
            })
            .collect()
    }
}

/// The session digest over which a run's messages travel.
pub(crate) fn session_of<T>(run: &Run<T>) -> Digest {
    run.session().digest()
}

/// The end of a run whose key was frozen meanwhile.
pub(crate) fn frozen(phase: &'static str) -> Abort {
    Abort {
        phase,
        kind: AbortKind::Recoverable,
        cause: "the key was frozen while the run was under way".into(),
        culprits: std::collections::BTreeSet::new(),
    }
}
