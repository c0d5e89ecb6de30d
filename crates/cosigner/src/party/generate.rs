//! Taking part in a key ceremony: own commission, the protocol, then a sealed share before a word is said of the key.

use std::sync::Arc;

use quorate_custody::protocol::Came;
use quorate_custody::witness::Head;
use quorate_custody::{Commission, Dossier, Refusal};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, KeyStatement, PlacementAttested};
use quorate_terms::{CaseId, Digest, Timestamp, WalletId};

use super::open::{About, not_begun};
use super::running::Kind;
use super::{CallId, Effect, Party, Placement, Running, Step};
use crate::generate::{GenerateRun, NewKey};
use crate::run::Parcel;
use crate::session::{CheckpointMark, Purpose};

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
        self.has_place()?;
        let dossier = Dossier::of(self.follower.book(), case)?;
        let (case, open, charter) = Commission::issue(&self.charter, &dossier, now)?.spend();
        if open.scheme != self.scheme.name() {
            return Err(Refusal::new(
                "other_scheme",
                "this cosigner does not run that scheme",
                "choose another scheme",
            ));
        }
        self.shares.has_room(&open.wallet)?;
        let task = self.task_of_all(About {
            intent: case.intent(),
            purpose: Purpose::Generate,
            charter,
            checkpoint: CheckpointMark { size: head.size, root: head.root },
            wallet: open.wallet.clone(),
            epoch: 0,
            attempt,
        })?;
        let session = task.session();
        self.is_fresh(&session)?;
        let (run, parcels) =
            GenerateRun::start(self.scheme.as_ref(), task, &self.pinned(), &self.identity())
                .map_err(|e| not_begun(&e))?;
        let run = Kind::Generate { run: Box::new(run) };
        let running =
            Running { run, call: id, started_at: now, checkpoint_size: head.size, cosignature };
        Ok(self.keep(step, session, running, parcels, now))
    }

    pub(super) fn generated(
        &mut self,
        step: &mut Step,
        (_, running, now): (&Digest, &Running, Timestamp),
        key: NewKey,
    ) {
        let Ok(digest) = key.statement.digest() else { return };
        let signature = self.keys.identity(&digest);
        let statement = Box::new(KeyStatement { body: key.statement, signature });
        let share = Arc::new(key.share);
        let wallet = share.facts().wallet.clone();
        self.shares.put(share.clone());
        self.placed(step, wallet, now);
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

    /// Says of every share in memory where it runs now: a word of a year ago tells an auditor nothing of today.
    pub(super) fn unsealed(&mut self, now: Timestamp) -> Step {
        let mut step = Step::default();
        let wallets: Vec<WalletId> = self.shares.wallets().cloned().collect();
        wallets.into_iter().for_each(|wallet| self.placed(&mut step, wallet, now));
        step
    }

    fn placed(&mut self, step: &mut Step, wallet: WalletId, now: Timestamp) {
        let Some(Placement { host, operator, hardware }) = self.placement.clone() else { return };
        let holder = self.me.clone();
        let placed = PlacementAttested { wallet, holder, host, operator, hardware };
        self.record(step, Body::PlacementAttested(Box::new(placed)), now);
    }
}
