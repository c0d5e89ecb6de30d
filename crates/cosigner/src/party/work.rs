//! The heavy part of a run: what one message of a peer does to it. Apart from the machine, so that a host can compute for
//! several runs at once while the machine goes on; inline where nobody asks for that.

use std::collections::VecDeque;
use std::sync::Arc;

use quorate_terms::{Digest, Timestamp};
use zeroize::Zeroizing;

use super::running::Kind;
use super::{Keys, Party, Running, Step};
use crate::generate::NewKey;
use crate::run::{Parcel, Progress, State};
use crate::sign::WalletSignature;

/// Messages of one run that may wait while it is worked on.
const LATER_MAX: usize = 64;

/// A run and a message for it. It owns the run: nobody else can touch it meanwhile.
pub struct Work {
    session: Digest,
    running: Running,
    bytes: Zeroizing<Vec<u8>>,
    keys: Arc<dyn Keys>,
}

/// A run after a message.
pub struct Worked {
    session: Digest,
    running: Running,
    outcome: Outcome,
}

enum Outcome {
    Sign(Progress<WalletSignature>),
    Generate(Box<Progress<NewKey>>),
}

impl Work {
    /// Computes, for milliseconds. A panic of the library is an outcome like others.
    pub fn run(self) -> Worked {
        let Self { session, mut running, bytes, keys } = self;
        let identity = move |digest: &Digest| keys.identity(digest);
        let outcome = match &mut running.run {
            Kind::Sign { run, .. } | Kind::Drill { run, .. } => {
                Outcome::Sign(run.receive(&bytes, &identity))
            }
            Kind::Generate { run } => Outcome::Generate(Box::new(run.receive(&bytes, &identity))),
        };
        Worked { session, running, outcome }
    }
}

impl Party {
    /// Leaves the heavy part of each step to the host: [`Step::work`] comes back as [`super::Event::Worked`].
    #[must_use]
    pub fn working_apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// Whether a run of this session is open, worked on or not.
    pub(super) fn runs(&self, session: &Digest) -> bool {
        self.running.contains_key(session) || self.away.contains_key(session)
    }

    /// A message for an open run. One that comes while the run is worked on waits for it.
    pub(super) fn hear(
        &mut self,
        step: &mut Step,
        session: &Digest,
        bytes: &[u8],
        now: Timestamp,
    ) -> Vec<Parcel> {
        if let Some(later) = self.away.get_mut(session) {
            if later.len() < LATER_MAX {
                later.push_back(bytes.to_vec());
            }
            return Vec::new();
        }
        let Some(running) = self.running.remove(session) else { return Vec::new() };
        step.runs.insert(*session);
        let (bytes, keys) = (Zeroizing::new(bytes.to_vec()), Arc::clone(&self.keys));
        let work = Work { session: *session, running, bytes, keys };
        if !self.apart {
            return self.after(step, work.run(), now);
        }
        self.away.insert(*session, VecDeque::new());
        step.work.push(work);
        Vec::new()
    }

    pub(super) fn worked(&mut self, worked: Worked, now: Timestamp) -> Step {
        let mut step = Step::default();
        let session = worked.session;
        let later = self.away.remove(&session).unwrap_or_default();
        let mut parcels = self.after(&mut step, worked, now);
        for bytes in later {
            parcels.extend(self.hear(&mut step, &session, &bytes, now));
        }
        self.send(&mut step, parcels);
        step
    }

    /// What the message led to; the run goes on unless it is over.
    fn after(&mut self, step: &mut Step, worked: Worked, now: Timestamp) -> Vec<Parcel> {
        let Worked { session, running, outcome } = worked;
        step.runs.insert(session);
        let about = (&session, &running, now);
        let (send, goes_on) = match outcome {
            Outcome::Sign(progress) => {
                let Progress { send, state } = self.still_allowed(&running, progress);
                (send, self.stands(step, about, state, Self::signed))
            }
            Outcome::Generate(progress) => {
                let Progress { send, state } = *progress;
                (send, self.stands(step, about, state, Self::generated))
            }
        };
        if goes_on {
            self.running.insert(session, running);
        }
        send
    }

    /// Whether the run goes on; what its end means is said.
    fn stands<T>(
        &mut self,
        step: &mut Step,
        about: (&Digest, &Running, Timestamp),
        state: State<T>,
        done: impl FnOnce(&mut Self, &mut Step, (&Digest, &Running, Timestamp), T),
    ) -> bool {
        let (session, running, now) = about;
        match state {
            State::Waiting | State::Duplicate => return true,
            State::Refused(refusal) => {
                self.contradicted(step, &refusal, now);
                return true;
            }
            State::Failed(failure) => self.failed(step, session, running, failure, now),
            State::Done(output) => done(self, step, about, output),
        }
        false
    }

    /// A key that was frozen while its run was worked on says no more, whatever came of the work.
    fn still_allowed(
        &self,
        running: &Running,
        progress: Progress<WalletSignature>,
    ) -> Progress<WalletSignature> {
        match (&running.run, &progress.state) {
            (_, State::Failed(_)) => progress,
            (Kind::Sign { run, .. } | Kind::Drill { run, .. }, _) => run.unless_frozen(progress),
            (Kind::Generate { .. }, _) => progress,
        }
    }
}
