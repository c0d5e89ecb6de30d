//! Taking part in a signature: own warrant, durable mark, then the protocol.

use std::collections::BTreeSet;

use quorate_custody::protocol::Came;
use quorate_custody::witness::Head;
use quorate_custody::{Dossier, Refusal, Warrant};
use quorate_terms::entry::{Body, PeerBanned, RunAborted};
use quorate_terms::{CaseId, CosignerId, Digest, Timestamp, WalletId};

use super::open::{About, not_begun};
use super::running::Kind;
use super::{CallId, Effect, Party, Running, Step};
use crate::abort::{Abort, Failure};
use crate::limits::MESSAGE_BYTES_MAX;
use crate::run::Parcel;
use crate::session::{self, CheckpointMark, Envelope, Purpose};
use crate::sign::{SignRun, WalletSignature};

impl Party {
    pub(super) fn sign(
        &mut self,
        step: &mut Step,
        id: CallId,
        (case, attempt, parties): (&CaseId, u64, &BTreeSet<CosignerId>),
        (head, cosignature): (&Head, Option<String>),
        now: Timestamp,
    ) {
        match self.begin_sign(step, id, (case, attempt, parties), (head, cosignature.clone()), now)
        {
            Ok(parcels) => self.send(step, parcels),
            Err(refusal) => {
                let left = !self.charter.marks(case).is_empty();
                self.answer_refused(step, id, cosignature, refusal, left, now);
            }
        }
    }

    /// The only way from a desk's request to a protocol: warrant, mark, run. The mark is among the step's records, so it is
    /// durable before the first message leaves.
    fn begin_sign(
        &mut self,
        step: &mut Step,
        id: CallId,
        (case, attempt, parties): (&CaseId, u64, &BTreeSet<CosignerId>),
        (head, cosignature): (&Head, Option<String>),
        now: Timestamp,
    ) -> Result<Vec<Parcel>, Refusal> {
        self.has_place()?;
        let dossier = Dossier::of(self.follower.book(), case)?;
        let live = dossier.case().live_draft().ok_or_else(|| {
            Refusal::new(
                "other_draft",
                "the case has no live draft",
                "send the entries up to its warrant",
            )
        })?;
        // The bytes are read back here, by this party, from the replica that it folded.
        let bytes = hex::decode(&live.bytes).unwrap_or_default();
        let draft = quorate_custody::read_back(&live.chain, &bytes)?;
        let warrant = Warrant::issue(&self.charter, &dossier, &draft, now)?;
        let mark = warrant.mark(Digest::ZERO, head.size);
        let leave = warrant.spend();
        self.unlocked(&leave.wallet)?;
        let share = self.share(&leave.wallet).cloned().ok_or_else(|| {
            Refusal::new(
                "no_share",
                "this cosigner has no unsealed share that is the wallet's key in the book",
                "unseal it, or put it back with `quorate-cosigner backup restore`",
            )
        })?;
        if share.facts().public_key.to_string() != leave.public_key {
            return Err(Refusal::new(
                "other_key",
                "the share is of another key than the book's",
                "restore a backup",
            ));
        }
        let about = About {
            intent: case.intent(),
            purpose: Purpose::Sign {
                draft: leave.draft,
                sighash: Digest::from_bytes(leave.sighash),
            },
            charter: leave.charter,
            checkpoint: CheckpointMark { size: head.size, root: head.root },
            wallet: leave.wallet.clone(),
            epoch: leave.epoch,
            attempt,
        };
        let task = self.task_of_key(about, share.facts(), parties)?;
        let session = task.session();
        self.is_fresh(&session)?;
        let mark = quorate_terms::entry::Marked { session, ..mark };
        let (run, parcels) =
            SignRun::start(self.scheme.as_ref(), share, task, &self.pinned(), &self.identity())
                .map_err(|e| not_begun(&e))?;
        self.record(step, Body::Marked(Box::new(mark)), now);
        let run = Kind::Sign { run: Box::new(run), case: *case };
        let running =
            Running { run, call: id, started_at: now, checkpoint_size: head.size, cosignature };
        Ok(self.keep(step, session, running, parcels, now))
    }

    /// A peer that has used up its aborts is left alone until people have looked (row 26).
    pub(super) fn unlocked(&self, wallet: &WalletId) -> Result<(), Refusal> {
        let locked = |name: &CosignerId| *name != self.me && self.aborts.locked(wallet, name);
        let culprit = self
            .charter
            .text()
            .cosigners
            .iter()
            .map(|seat| &seat.cosigner)
            .find(|name| locked(name));
        match culprit {
            None => Ok(()),
            Some(peer) => {
                let message = format!("`{peer}` has broken off too many runs");
                Err(Refusal::new(
                    "locked_out",
                    message,
                    "look at both cosigners, then restart this one",
                ))
            }
        }
    }

    pub(super) fn peer_spoke(&mut self, from: &CosignerId, bytes: &[u8], now: Timestamp) -> Step {
        let mut step = Step::default();
        if bytes.len() > MESSAGE_BYTES_MAX {
            return step;
        }
        let Ok(envelope) = Envelope::from_bytes(bytes) else { return step };
        let session = envelope.session();
        if !self.runs(&session) {
            if !self.charter.knows_session(&session) {
                self.early.keep(from, session, bytes.to_vec());
            }
            return step;
        }
        let parcels = self.hear(&mut step, &session, bytes, now);
        self.send(&mut step, parcels);
        step
    }

    pub(super) fn hear_early(
        &mut self,
        step: &mut Step,
        session: &Digest,
        now: Timestamp,
    ) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        for (_, bytes) in self.early.take(session) {
            parcels.extend(self.hear(step, session, &bytes, now));
        }
        parcels
    }

    /// A peer that signs two messages for one round is caught lying: the first one counts, and people hear of it.
    pub(super) fn contradicted(
        &mut self,
        step: &mut Step,
        refusal: &session::Refusal,
        now: Timestamp,
    ) {
        if let session::Refusal::Conflict(_) = refusal {
            self.alarm(step, "two_messages", &refusal.to_string(), now);
        }
    }

    pub(super) fn signed(
        &mut self,
        step: &mut Step,
        (session, running, now): (&Digest, &Running, Timestamp),
        signature: WalletSignature,
    ) {
        if let Kind::Drill { run, backup } = &running.run {
            let wallet = run.wallet().clone();
            return self.drilled(step, running.call, session, (wallet, *backup), now);
        }
        let came = Came::Signed {
            session: *session,
            rs: hex::encode(signature.rs),
            recovery: signature.recovery,
            checkpoint_size: running.checkpoint_size,
        };
        self.answer(step, running.call, running.cosignature.clone(), came, now);
    }

    /// A ban is recorded, the key is frozen, an alarm is raised, and only then does anybody hear of it.
    pub(super) fn failed(
        &mut self,
        step: &mut Step,
        session: &Digest,
        running: &Running,
        failure: Failure,
        now: Timestamp,
    ) {
        match failure {
            Failure::Banned(pending) => {
                let ban = pending.ban().clone();
                let (wallet, holder, cause) = (ban.wallet, ban.holder, ban.cause);
                let barred = PeerBanned {
                    wallet: wallet.clone(),
                    holder: holder.clone(),
                    by: self.me.clone(),
                    cause: cause.clone(),
                };
                self.record(step, Body::PeerBanned(barred), now);
                self.shares.freeze(&wallet);
                self.alarm(step, "peer_banned", &format!("{holder} for {wallet}: {cause}"), now);
                let culprits = BTreeSet::from([holder]);
                let came =
                    Came::Aborted { run: *session, phase: "banned".to_owned(), cause, culprits };
                let answer = Some(Box::new(self.answered(running.cosignature.clone(), came, now)));
                step.effects.push(Effect::Banned { id: Some(running.call), pending, answer });
            }
            Failure::Aborted(abort) => self.aborted(step, session, running, &abort, now),
            Failure::Bug(bug) => {
                self.alarm(step, "bug", &bug.to_string(), now);
                let cause = "this cosigner found a fault of its own; see its log".to_owned();
                let came = Came::Aborted {
                    run: *session,
                    phase: "bug".to_owned(),
                    cause,
                    culprits: BTreeSet::new(),
                };
                self.answer(step, running.call, running.cosignature.clone(), came, now);
            }
        }
    }

    fn aborted(
        &mut self,
        step: &mut Step,
        session: &Digest,
        running: &Running,
        abort: &Abort,
        now: Timestamp,
    ) {
        let (wallet, case) = match &running.run {
            Kind::Sign { run, case } => (Some(run.wallet().clone()), Some(*case)),
            Kind::Drill { run, .. } => (Some(run.wallet().clone()), None),
            Kind::Generate { .. } => (None, None),
        };
        if let Some(wallet) = wallet {
            self.aborts.record(&wallet, abort);
            let aborted = RunAborted {
                run: *session,
                wallet,
                case,
                phase: abort.phase.to_owned(),
                cause: abort.cause.clone(),
                culprits: abort.culprits.clone(),
            };
            self.record(step, Body::RunAborted(aborted), now);
        }
        let came = Came::Aborted {
            run: *session,
            phase: abort.phase.to_owned(),
            cause: abort.cause.clone(),
            culprits: abort.culprits.clone(),
        };
        self.answer(step, running.call, running.cosignature.clone(), came, now);
    }

    pub(super) fn send(&self, step: &mut Step, parcels: Vec<Parcel>) {
        let send = |parcel: Parcel| Effect::Send { to: parcel.to, bytes: parcel.bytes };
        step.effects.extend(parcels.into_iter().map(send));
    }
}
