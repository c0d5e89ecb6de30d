//! A drill: proof that a backup can sign, by signing with it a message that is no transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_custody::{Drill, Refusal};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{
    BackupStatement, BackupStatementBody, BackupVerified, Body, DrillJoined,
};
use quorate_terms::{CosignerId, Digest, Timestamp, WalletId};
use serde::{Deserialize, Serialize};

use super::open::{About, not_begun};
use super::running::Kind;
use super::{CallId, Effect, Party, Running, Step};
use crate::session::{CheckpointMark, Purpose};
use crate::share::KeyShare;
use crate::sign::SignRun;

/// What the drilling cosigner tells its peer: the terms of the session, in full.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillCall {
    /// The wallet.
    pub wallet: WalletId,
    /// SHA-256 of the sealed backup.
    pub backup: Digest,
    /// The drilling cosigner's clock, so that no two drills are the same session.
    pub at: Timestamp,
    /// Who takes part.
    pub parties: BTreeSet<CosignerId>,
}

impl Party {
    pub(super) fn backup_read(
        &mut self,
        id: CallId,
        share: Arc<KeyShare>,
        backup: Digest,
        now: Timestamp,
    ) -> Step {
        let mut step = Step::default();
        let parties = self.drill_parties();
        let call = DrillCall { wallet: share.facts().wallet.clone(), backup, at: now, parties };
        match self.begin_drill(&mut step, id, &call, share, Some(backup), now) {
            Ok(()) => {
                let peers = call.parties.iter().filter(|name| **name != self.me);
                let asks: Vec<Effect> = peers
                    .map(|to| Effect::AskDrill { to: to.clone(), call: call.clone() })
                    .collect();
                step.effects.splice(0..0, asks);
            }
            Err(refusal) => step.effects.push(Effect::Drilled { id, result: Err(refusal) }),
        }
        step
    }

    pub(super) fn drill_asked(
        &mut self,
        id: CallId,
        from: &CosignerId,
        call: &DrillCall,
        now: Timestamp,
    ) -> Step {
        let mut step = Step::default();
        let result = self.join_drill(&mut step, id, from, call, now);
        if let Err(refusal) = result {
            step.effects.push(Effect::Drilled { id, result: Err(refusal) });
        }
        step
    }

    fn join_drill(
        &mut self,
        step: &mut Step,
        id: CallId,
        from: &CosignerId,
        call: &DrillCall,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !call.parties.contains(from) {
            return Err(Refusal::new(
                "no_seat",
                "the asker takes no part in the drill",
                "ask as a party of it",
            ));
        }
        let share = self.share(&call.wallet).cloned().ok_or_else(|| {
            Refusal::new(
                "no_share",
                "this cosigner has no unsealed share of the wallet",
                "unseal it first",
            )
        })?;
        self.begin_drill(step, id, call, share, None, now)
    }

    fn begin_drill(
        &mut self,
        step: &mut Step,
        id: CallId,
        call: &DrillCall,
        share: Arc<KeyShare>,
        backup: Option<Digest>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.has_place()?;
        self.unlocked(&call.wallet)?;
        let drill = Drill::issue(&self.charter, self.follower.book(), &call.wallet)?;
        let (wallet, epoch, public_key, charter) = drill.spend();
        if share.facts().public_key.to_string() != public_key || share.facts().epoch != epoch {
            return Err(Refusal::new(
                "other_key",
                "the share is of another key or epoch",
                "make a new backup",
            ));
        }
        let about = About {
            intent: Digest::ZERO,
            purpose: Purpose::Drill { backup: call.backup },
            charter,
            // A drill moves nothing, so it binds no head of the book; the caller's clock keeps sessions apart.
            checkpoint: CheckpointMark { size: call.at.as_millis(), root: Digest::ZERO },
            wallet: wallet.clone(),
            epoch,
            attempt: 0,
        };
        let task = self.task_of_key(about, share.facts(), &call.parties)?;
        let session = task.session();
        self.is_fresh(&session)?;
        let (run, parcels) =
            SignRun::start(self.scheme.as_ref(), share, task, &self.pinned(), &self.identity())
                .map_err(|e| not_begun(&e))?;
        // A share's state is reused from session to session, so no session may ever run twice, a drill's neither.
        let joined = DrillJoined { wallet, backup: call.backup, session };
        self.record(step, Body::DrillJoined(Box::new(joined)), now);
        let run = Kind::Drill { run: Box::new(run), backup };
        let running =
            Running { run, call: id, started_at: now, checkpoint_size: 0, cosignature: None };
        let parcels = self.keep(step, session, running, parcels, now);
        self.send(step, parcels);
        Ok(())
    }

    /// A drill ended in a verified signature: whoever drilled a backup says so, under its own name.
    pub(super) fn drilled(
        &mut self,
        step: &mut Step,
        id: CallId,
        session: &Digest,
        (wallet, backup): (WalletId, Option<Digest>),
        now: Timestamp,
    ) {
        let Some(backup) = backup else {
            step.effects.push(Effect::Drilled { id, result: Ok(None) });
            return;
        };
        let epoch = self.follower.book().wallet(&wallet).map_or(0, |known| known.epoch);
        let body = BackupStatementBody {
            v: 1,
            vault: self.charter.text().vault.clone(),
            wallet: wallet.clone(),
            epoch,
            cosigner: self.me.clone(),
            backup,
            drill: *session,
            at: now,
        };
        let Ok(digest) = body.digest() else { return };
        let statement = BackupStatement { signature: self.keys.identity(&digest), body };
        let proven = BackupVerified { wallet, statement: statement.clone() };
        self.record(step, Body::BackupVerified(Box::new(proven)), now);
        step.effects.push(Effect::Drilled { id, result: Ok(Some(Box::new(statement))) });
    }

    /// Who takes part in a drill of this cosigner: itself and the first others that make a quorum.
    fn drill_parties(&self) -> BTreeSet<CosignerId> {
        let text = self.charter.text();
        let others =
            text.cosigners.iter().map(|seat| &seat.cosigner).filter(|name| **name != self.me);
        let mut parties = BTreeSet::from([self.me.clone()]);
        parties.extend(others.take(usize::from(text.threshold).saturating_sub(1)).cloned());
        parties
    }
}
