//! Convening the cosigners over a draft.

use std::collections::{BTreeMap, BTreeSet};

use quorate_custody::protocol::{Answer, Ask, Came};
use quorate_custody::{Event, State};
use quorate_terms::{CaseId, CosignerId};

use super::World;
use super::patience::Question;
use crate::desk::engine::Trouble;

impl World {
    pub(super) async fn convene(&self, case: CaseId) -> Result<(), Trouble> {
        let Some(attempt) = self.awaits(case, State::AwaitSignature).await? else { return Ok(()) };
        let parties = self.parties().await?;
        let Some(question) = self.question(case).await? else { return Ok(()) };
        if !self.patience.allows(&case, &question, &parties, self.engine.clock().now()) {
            return Ok(());
        }
        // No cosigner signs before people have agreed to go on; asking would only close the case.
        if self.engine.look(|book| book.voids().next().is_some()).await? {
            return Ok(());
        }
        let ask = Ask::Sign { case, attempt, parties: parties.clone() };
        let asked = std::time::Instant::now();
        let answers = self.cosigners.ask(&parties, &ask).await;
        for answer in answers.values().flatten() {
            self.hear_out(answer).await?;
        }
        if self.take_signature(case, &parties, &answers).await? {
            self.meters.signed(asked.elapsed());
            return Ok(());
        }
        let codes = codes(&answers);
        if !codes.is_empty() {
            self.patience.refused(case, (question, parties), &codes, self.engine.clock().now());
        }
        self.take_refusals(case, &answers).await
    }

    /// What cosigners are asked of a case that awaits a signature.
    async fn question(&self, case: CaseId) -> Result<Option<Question>, Trouble> {
        self.engine
            .look(move |book| {
                let case = book.case(&case)?;
                let (draft, frozen) = (case.live_draft()?.draft, book.frozen(case));
                Some(Question { draft, frozen, charter: book.charter_digest() })
            })
            .await
    }

    /// Which attempt is due, if the case still awaits `state`.
    pub(super) async fn awaits(&self, case: CaseId, state: State) -> Result<Option<u64>, Trouble> {
        self.engine
            .look(move |book| {
                let case = book.case(&case).filter(|case| case.state == state)?;
                Some(u64::from(case.aborts))
            })
            .await
    }

    /// The first cosigners that make a quorum and can be reached.
    async fn parties(&self) -> Result<BTreeSet<CosignerId>, Trouble> {
        let threshold = self.engine.look(|book| usize::from(book.charter().threshold)).await?;
        let views = self.cosigners.views().await;
        let up = |name: &CosignerId| views.iter().any(|v| v.cosigner == name.as_str() && v.up);
        let (mut first, rest): (Vec<_>, Vec<_>) = self.cosigners.names().into_iter().partition(up);
        first.extend(rest);
        Ok(first.into_iter().take(threshold).collect())
    }

    async fn take_signature(
        &self,
        case: CaseId,
        parties: &BTreeSet<CosignerId>,
        answers: &BTreeMap<CosignerId, Result<Answer, String>>,
    ) -> Result<bool, Trouble> {
        for answer in answers.values().flatten() {
            let Came::Signed { session, rs, recovery, checkpoint_size } = &answer.came else {
                continue;
            };
            let Some(rs) = hex::decode(rs).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            else {
                continue;
            };
            let event = Event::SignatureCame {
                case,
                session: *session,
                rs,
                recovery: *recovery,
                cosigners: parties.clone(),
                checkpoint_size: *checkpoint_size,
            };
            match self.engine.tell(event).await {
                Ok(_) => return Ok(true),
                Err(Trouble::Refused(refusal)) => {
                    tracing::error!(cosigner = %answer.cosigner, %refusal, "a signature does not verify");
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(false)
    }

    /// No signature: every refusal and every failed run is recorded, so that the next attempt is another session.
    async fn take_refusals(
        &self,
        case: CaseId,
        answers: &BTreeMap<CosignerId, Result<Answer, String>>,
    ) -> Result<(), Trouble> {
        let mut aborted = false;
        for answer in answers.values().flatten() {
            match &answer.came {
                Came::Refused { reason, left } => {
                    let (cosigner, left) = (answer.cosigner.clone(), *left);
                    tracing::warn!(%cosigner, message = %reason.message, "a cosigner refused");
                    let reason = Box::new(reason.clone());
                    self.tell_case(Event::CosignerRefused { case, cosigner, reason, left }).await?;
                }
                Came::Aborted { run, phase, cause, culprits } if !aborted => {
                    aborted = true;
                    self.tell_case(Event::RunFailed {
                        case,
                        run: *run,
                        phase: phase.clone(),
                        cause: cause.clone(),
                        culprits: culprits.clone(),
                    })
                    .await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells of a case that another answer may have closed meanwhile.
    pub(super) async fn tell_case(&self, event: Event) -> Result<(), Trouble> {
        match self.engine.tell(event).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(refusal)) if refusal.code == "unknown_case" => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Why cosigners refused.
fn codes(answers: &BTreeMap<CosignerId, Result<Answer, String>>) -> BTreeSet<&str> {
    let refused = answers.values().flatten().filter_map(|answer| match &answer.came {
        Came::Refused { reason, .. } => Some(reason.code.as_str()),
        _ => None,
    });
    refused.collect()
}
