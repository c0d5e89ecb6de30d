//! Taking part in a key ceremony: own commission, the protocol, then a sealed share before a word is said of the key.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_custody::protocol::Came;
use quorate_custody::witness::Head;
use quorate_custody::{Commission, Dossier, Refusal};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, KeyStatement, PlacementAttested};
use quorate_terms::{CaseId, CosignerId, Digest, Timestamp};

use super::running::Kind;
use super::{CallId, Effect, Party, Placement, RUNS_MAX, Running, Step};
use crate::generate::{GenerateRun, NewKey};
use crate::run::{Parcel, State};
use crate::session::{CheckpointMark, Purpose, SessionTerms, Task};

impl Party {
    pub(super) fn generate(
        &mut self,
        step: &mut Step,
        id: CallId,
        (case, attempt): (&CaseId, u64),
        (head, cosignature): (&Head, Option<String>),
        now: Timestamp,
    ) {
        match self.begin_generate(step, id, (case, attempt), (head, cosignature.clone()), now) {
            Ok(parcels) => self.send(step, parcels),
            Err(refusal) => self.answer_refused(step, id, cosignature, refusal, false, now),
        }
    }

    fn begin_generate(
        &mut self,
        step: &mut Step,
        id: CallId,
        (case, attempt): (&CaseId, u64),
        (head, cosignature): (&Head, Option<String>),
        now: Timestamp,
    ) -> Result<Vec<Parcel>, Refusal> {
        if self.running.len() >= RUNS_MAX {
            return Err(Refusal::new(
                "busy",
                "too many runs are open",
                "try again when some have ended",
            ));
        }
        let dossier = Dossier::of(self.follower.book(), case)?;
        let (case, open, charter) = Commission::issue(&self.charter, &dossier, now)?.spend();
        if open.scheme != self.scheme.name() {
            return Err(Refusal::new(
                "other_scheme",
                "this cosigner does not run that scheme",
                "choose another scheme",
            ));
        }
        let text = self.charter.text();
        let everyone: BTreeSet<CosignerId> =
            text.cosigners.iter().map(|seat| seat.cosigner.clone()).collect();
        let terms = SessionTerms {
            v: 1,
            vault: text.vault.clone(),
            intent: case.intent(),
            purpose: Purpose::Generate,
            charter,
            checkpoint: CheckpointMark { size: head.size, root: head.root },
            wallet: open.wallet.clone(),
            epoch: 0,
            attempt,
            threshold: text.threshold,
            shares: u8::try_from(text.cosigners.len()).unwrap_or(u8::MAX),
            parties: self.seats(&everyone)?,
        };
        let task = Task::new(terms, &self.me)?;
        let session = task.session();
        if self.running.contains_key(&session) {
            return Err(Refusal::new(
                "used_session",
                "this session runs already",
                "ask again with the next attempt",
            ));
        }
        let (run, mut parcels) =
            GenerateRun::start(self.scheme.as_ref(), task, &self.pinned(), &self.identity())
                .map_err(|e| Refusal::new("no_run", e.to_string(), "see the cosigner's log"))?;
        let run = Kind::Generate { run: Box::new(run) };
        let running =
            Running { run, call: id, started_at: now, checkpoint_size: head.size, cosignature };
        self.running.insert(session, running);
        parcels.extend(self.hear_early(step, &session, now));
        Ok(parcels)
    }

    /// Whether the ceremony is over.
    pub(super) fn after_generate(
        &mut self,
        step: &mut Step,
        session: &Digest,
        running: &Running,
        state: State<NewKey>,
        now: Timestamp,
    ) -> bool {
        match state {
            State::Waiting | State::Duplicate | State::Refused(_) => false,
            State::Failed(failure) => {
                self.failed(step, session, running, failure, now);
                true
            }
            State::Done(key) => {
                self.generated(step, running, key, now);
                true
            }
        }
    }

    fn generated(&mut self, step: &mut Step, running: &Running, key: NewKey, now: Timestamp) {
        let Ok(digest) = key.statement.digest() else { return };
        let signature = self.keys.identity(&digest);
        let statement = Box::new(KeyStatement { body: key.statement, signature });
        let share = Arc::new(key.share);
        let wallet = share.facts().wallet.clone();
        self.shares.insert(wallet.clone(), share.clone());
        if let Some(Placement { host, operator, hardware }) = self.placement.clone() {
            let holder = self.me.clone();
            let placed = PlacementAttested { wallet, holder, host, operator, hardware };
            self.record(step, Body::PlacementAttested(Box::new(placed)), now);
        }
        step.effects.push(Effect::Seal { share });
        let library = self.scheme.library().to_owned();
        self.answer(
            step,
            running.call,
            running.cosignature.clone(),
            Came::KeyMade { library, statement },
            now,
        );
    }
}
