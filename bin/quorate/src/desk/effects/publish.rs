//! Handing signed bytes to a node, as often as needed, and following them until a source calls them final.

use quorate_custody::Event;
use quorate_terms::entry::Stage;
use quorate_terms::fact::Fact;
use quorate_terms::{AccountId, CaseId, ChainId};

use super::World;
use crate::desk::answers::is_detached;
use crate::desk::chain::Sighting;
use crate::desk::engine::Trouble;
use crate::desk::facts::Ours;

/// What is followed.
struct Followed {
    chain: ChainId,
    account: AccountId,
    nonce: u64,
    /// Transaction id and bytes, oldest draft first.
    signed: Vec<(String, String)>,
    ours: Vec<Ours>,
    stage: Option<Stage>,
}

impl World {
    pub(super) async fn publish(&self, case: CaseId) -> Result<(), Trouble> {
        let Some(followed) = self.followed(case).await? else { return Ok(()) };
        if is_detached(&self.engine, &case).await {
            // Its requester publishes the bytes; the nonce is followed all the same.
            return self.watch(case).await;
        }
        let Some(node) = self.chains.get(&followed.chain) else { return Ok(()) };
        let Some((txid, transaction)) = followed.signed.last() else { return Ok(()) };
        let Ok(bytes) = hex::decode(transaction) else { return Ok(()) };
        match node.publish(&bytes).await {
            Ok(()) => self.tell_case(Event::Published { case, txid: txid.clone() }).await,
            Err(error) => {
                tracing::warn!(%case, %error, "the node does not take the transaction");
                Ok(())
            }
        }
    }

    async fn followed(&self, case: CaseId) -> Result<Option<Followed>, Trouble> {
        self.engine
            .look(move |book| {
                let case = book.case(&case)?;
                let live = case.live_draft()?;
                Some(Followed {
                    chain: live.chain.clone(),
                    account: live.account.clone(),
                    nonce: live.nonce,
                    signed: case
                        .signed
                        .iter()
                        .map(|s| (s.txid.clone(), s.transaction.clone()))
                        .collect(),
                    ours: case
                        .signed_moves()
                        .into_iter()
                        .map(|(txid, moves)| Ours { txid, moves })
                        .collect(),
                    stage: case.stage,
                })
            })
            .await
    }

    /// One task follows a case from its first broadcast to its end.
    pub(super) async fn watch(&self, case: CaseId) -> Result<(), Trouble> {
        let mut unseen = 0_u32;
        while let Some(followed) = self.followed(case).await? {
            if followed.signed.is_empty() {
                return Ok(());
            }
            let seen = self.look_once(case, &followed).await?;
            unseen = if seen { 0 } else { unseen.saturating_add(1) };
            if unseen >= UNSEEN_MAX && followed.stage == Some(Stage::Pending) {
                self.observe(case, &followed, Stage::Dropped, None).await?;
            }
            tokio::time::sleep(self.poll).await;
        }
        Ok(())
    }

    /// Whether any of the case's transactions is seen.
    async fn look_once(&self, case: CaseId, followed: &Followed) -> Result<bool, Trouble> {
        let Some(node) = self.chains.get(&followed.chain) else { return Ok(false) };
        let was_included = followed.stage == Some(Stage::Included);
        let mut pending = false;
        for (txid, _) in &followed.signed {
            match node.sighting(txid).await {
                Ok(Sighting::Included { block, .. }) => {
                    self.observe(case, followed, Stage::Included, Some(block)).await?;
                    self.ask_finality(case, followed).await?;
                    return Ok(true);
                }
                Ok(Sighting::Pending) => pending = true,
                Ok(Sighting::Unknown) => {}
                Err(_) => return Ok(true),
            }
        }
        if was_included {
            self.observe(case, followed, Stage::Reorged, None).await?;
        } else if pending {
            self.observe(case, followed, Stage::Pending, None).await?;
        }
        let used = node.nonce(&followed.account).await.is_ok_and(|mined| mined > followed.nonce);
        if used && !pending {
            // Somebody else's transaction has our nonce, or ours was mined since we looked.
            self.ask_finality(case, followed).await?;
        }
        Ok(pending)
    }

    async fn observe(
        &self,
        case: CaseId,
        followed: &Followed,
        stage: Stage,
        block: Option<u64>,
    ) -> Result<(), Trouble> {
        if followed.stage == Some(stage) {
            return Ok(());
        }
        let txid = followed.signed.last().map(|(txid, _)| txid.clone()).unwrap_or_default();
        self.tell_case(Event::Observed { case, txid, stage, block }).await
    }

    async fn ask_finality(&self, case: CaseId, followed: &Followed) -> Result<(), Trouble> {
        let ours = followed.ours.clone();
        let asked = (followed.chain.clone(), followed.account.clone(), followed.nonce);
        let Some(fact) = self.facts.finality(asked, ours).await else { return Ok(()) };
        let wanted = self.engine.look(|book| book.charter().finality_depth).await?;
        if matches!(fact.body.fact, Fact::Finality { depth, .. } if depth < wanted) {
            return Ok(());
        }
        match self.engine.tell(Event::FinalityCame { case, fact: Box::new(fact) }).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(refusal)) if refusal.code == "unknown_case" => Ok(()),
            Err(Trouble::Refused(refusal)) => {
                tracing::warn!(%case, %refusal, "a source's word on finality has no weight");
                self.alert(
                    "finality_disputed",
                    quorate_terms::entry::Severity::High,
                    case.to_string(),
                )
                .await
            }
            Err(trouble) => Err(trouble),
        }
    }
}

/// Looks without a sight of a pending transaction after which it counts as dropped.
const UNSEEN_MAX: u32 = 20;
