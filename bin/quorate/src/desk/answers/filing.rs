//! Signing and sending: a prepared draft becomes an intent, which is judged, agreed to and signed like everybody's.

use std::time::Duration;

use quorate_chains::{Snapshot, draft, is_development};
use quorate_custody::rulings::Outside;
use quorate_custody::{Event, State};
use quorate_gateway::answer::Answer;
use quorate_gateway::bands::manifest;
use quorate_gateway::desk::{Caller, Progress};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::question::SignAsk;
use quorate_host::random::Random;
use quorate_terms::commitment::Opening;
use quorate_terms::entry::{AgentActed, Body};
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::{CaseId, Digest};

use super::preparing::Prepared;
use super::story::Story;
use super::trouble::{from_chains, from_node, from_refusal, from_trouble, internal};
use super::{Answers, detached_key};
use crate::desk::engine::Trouble;

/// How long a caller waits for the cosigners before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(45);
/// The path of a transfer's note in its commitment.
const MEMO: &str = "intent.memo";
/// Steps of a long call: filed, judged, drafted, signed, broadcast.
const STEPS: u32 = 5;

impl Answers {
    pub(super) async fn file(
        &self,
        caller: &Caller,
        ask: SignAsk,
        detached: bool,
        progress: Progress,
    ) -> Result<Answer, Complaint> {
        let case = match self.repeated(caller, &ask, detached).await? {
            Some(case) => case,
            None => match self.file_new(caller, &ask, detached).await {
                // The same request, twice at the same moment: one of them filed it, and took the draft's nonce.
                Err(refused) => match self.repeated(caller, &ask, detached).await {
                    Ok(Some(case)) => case,
                    _ => return Err(refused),
                },
                Ok(case) => case,
            },
        };
        progress.tell(1, STEPS, "filed");
        let story = self.followed(case, detached, &progress).await?;
        self.said(&story, true).await.map(|said| Answer::Case(Box::new(said)))
    }

    /// The case that this credential filed under this key, if what is asked is what was asked then.
    async fn repeated(
        &self,
        caller: &Caller,
        ask: &SignAsk,
        detached: bool,
    ) -> Result<Option<CaseId>, Complaint> {
        let (requester, key) = (requester(caller), ask.key.clone());
        let found = self.engine().look(move |book| book.case_of_key(&requester, &key));
        let Some(case) = found.await.map_err(from_trouble)? else { return Ok(None) };
        let store = self.engine().store();
        let of_draft = store.get(&draft_key(&case)).await.map_err(|e| internal(&e.to_string()))?;
        let was_detached = super::is_detached(self.engine(), &case).await;
        let same_draft = of_draft.as_deref() == Some(ask.draft.as_bytes().as_slice());
        if was_detached == detached && (same_draft || self.same_transfer(caller, ask, case).await?)
        {
            return Ok(Some(case));
        }
        let message = "this idempotency key was used for another request; use a new key, or repeat the first unchanged";
        Err(Complaint::new(Code::IdempotencyConflict, message))
    }

    /// Whether another draft asks for the very transfer of a case: fees and nonce may have moved since.
    async fn same_transfer(
        &self,
        caller: &Caller,
        ask: &SignAsk,
        case: CaseId,
    ) -> Result<bool, Complaint> {
        let Some(prepared) = self.drafts.get(&caller.credential, ask.draft, self.now()) else {
            return Ok(false);
        };
        let Some(story) = Story::of(self.engine(), case).await.map_err(from_trouble)? else {
            return Ok(false);
        };
        let Some(known) = story.transfer() else { return Ok(false) };
        let memo = match &known.memo {
            Some(memo) => self.opening(memo).await.map(|opening| opening.value),
            None => None,
        };
        let same_memo = memo.as_deref() == prepared.memo.as_ref().map(|memo| memo.as_str());
        let fee_ceiling =
            if prepared.own_ceiling { prepared.transfer.fee_ceiling } else { known.fee_ceiling };
        let again = Transfer { memo: known.memo, fee_ceiling, ..prepared.transfer };
        Ok(same_memo && again == *known)
    }

    async fn file_new(
        &self,
        caller: &Caller,
        ask: &SignAsk,
        detached: bool,
    ) -> Result<CaseId, Complaint> {
        let prepared =
            self.drafts.get(&caller.credential, ask.draft, self.now()).ok_or_else(|| {
                let message =
                    "the desk prepared no such draft for this credential, or has forgotten it";
                Complaint::first(
                    Code::DraftUnknown,
                    message,
                    "call `prepare_serialized_unsigned_tx` and use its draft",
                )
            })?;
        matches_draft(&prepared, ask)?;
        self.has_backup(&prepared).await?;
        let snapshot = self.fresh(&prepared).await?;
        let (transfer, openings) = with_memo(&prepared)?;
        let vault = self.engine().look(|book| book.vault().clone()).await.map_err(from_trouble)?;
        let (key, action) = (ask.key.clone(), Action::Transfer(transfer.clone()));
        let intent = Intent { v: 1, vault, requester: requester(caller), key, action };
        let case = intent.case().map_err(|e| internal(&e.to_string()))?;
        let (facts, screening) = self.world.facts.for_transfer(&transfer).await;
        self.has_room(&intent, &facts, &screening).await?;
        self.remember(&case, ask, detached).await?;
        let event = Event::Filed {
            intent: Box::new(intent),
            facts,
            screening,
            snapshot: Some(Box::new(snapshot)),
        };
        self.engine().tell_with(event, openings).await.map_err(from_trouble)?;
        self.note(caller, &prepared, case, detached).await;
        Ok(case)
    }

    /// Kept before filing: whoever publishes must know the caller's wish at once, and a repeated key its draft.
    async fn remember(
        &self,
        case: &CaseId,
        ask: &SignAsk,
        detached: bool,
    ) -> Result<(), Complaint> {
        let store = self.engine().store();
        let full = |_| from_trouble(Trouble::Full);
        if detached {
            store.put(&detached_key(case), vec![1]).await.map_err(full)?;
        }
        store.put(&draft_key(case), ask.draft.as_bytes().to_vec()).await.map_err(full)
    }

    /// A wallet without proven backups is for development chains only.
    async fn has_backup(&self, prepared: &Prepared) -> Result<(), Complaint> {
        if is_development(prepared.draft.chain()) {
            return Ok(());
        }
        let wallet = prepared.transfer.wallet.clone();
        let backed = self.engine().look(move |book| {
            book.wallet(&wallet)
                .is_some_and(|w| w.holders.iter().all(|holder| w.backups.contains(holder)))
        });
        if backed.await.map_err(from_trouble)? {
            return Ok(());
        }
        let message = "the wallet has no proven backup of every share";
        let action =
            "ask the operator to run `quorate-cosigner backup make` and `verify` on each cosigner";
        Err(Complaint::first(Code::BackupRequired, message, action))
    }

    /// A fresh snapshot, under which the prepared draft would still be the one.
    async fn fresh(&self, prepared: &Prepared) -> Result<Snapshot, Complaint> {
        let transfer = &prepared.transfer;
        let chain = prepared.draft.chain();
        let from = self.account(&transfer.wallet, chain).await?;
        let node = self.chain(chain)?;
        let snapshot =
            node.snapshot(&from, Some(transfer), self.now()).await.map_err(|e| from_node(&e))?;
        let (owner, mined) = (from.clone(), snapshot.nonce);
        let nonce = self
            .engine()
            .look(move |book| book.free_nonce(&owner, mined))
            .await
            .map_err(from_trouble)?;
        let m = prepared.draft.meaning();
        let stale = |why: &str| {
            Err(Complaint::first(
                Code::DraftStale,
                why,
                "prepare the transfer again and use the new draft",
            ))
        };
        if nonce != m.nonce {
            return stale("another transfer has taken the draft's nonce");
        }
        if snapshot.base_fee > m.max_fee_per_gas {
            return stale("fees have risen above what the draft offers");
        }
        draft(transfer, &from, &snapshot).map_err(|e| from_chains(&e))?;
        Ok(snapshot)
    }

    /// A requester that holds all it may is told to wait: nothing is recorded for that.
    async fn has_room(
        &self,
        intent: &Intent,
        facts: &[quorate_terms::fact::SignedFact],
        screening: &quorate_terms::fact::CounterpartyCheck,
    ) -> Result<(), Complaint> {
        let (intent, facts, screening, at) =
            (intent.clone(), facts.to_vec(), screening.clone(), self.now());
        let ruled = self.engine().look(move |book| {
            book.rule(&intent, &Outside { facts: &facts, screening: &screening }, at)
                .map(|r| r.ruling.judgment)
        });
        let judgment = ruled.await.map_err(from_trouble)?.map_err(|r| from_refusal(&r))?;
        let Judgment::Deny { reasons } = judgment else { return Ok(()) };
        let full = |code: &str| matches!(code, "too_many_open_cases" | "too_many_pending");
        match reasons.iter().find(|reason| full(&reason.code)) {
            Some(reason) => {
                let message = format!("{}; {}", reason.message, reason.next);
                Err(Complaint::new(Code::TooManyOpenCases, message).after(30))
            }
            None => Ok(()),
        }
    }

    /// Records what the agent did, and whether free text from outside came with it.
    async fn note(&self, caller: &Caller, prepared: &Prepared, case: CaseId, detached: bool) {
        let Ok(manifest) = manifest(caller.band) else { return };
        let tool = if detached { "sign_transaction" } else { "send_transaction" };
        let acted = AgentActed {
            agent: caller.agent.clone(),
            tool: tool.to_owned(),
            band: caller.band,
            manifest,
            untrusted_input: prepared.memo.is_some(),
            case: Some(case),
            result: "OK".to_owned(),
        };
        if let Err(trouble) =
            self.engine().tell(Event::Noted(Box::new(Body::AgentActed(Box::new(acted))))).await
        {
            tracing::error!(%trouble, %case, "an agent's act was not noted");
        }
    }

    /// Waits until the case is where the caller wants it, needs people, or has ended; or until patience does.
    async fn followed(
        &self,
        case: CaseId,
        detached: bool,
        progress: &Progress,
    ) -> Result<Story, Complaint> {
        let deadline = tokio::time::Instant::now().checked_add(PATIENCE);
        loop {
            let size = self.engine().head().size;
            let story = Story::of(self.engine(), case).await.map_err(from_trouble)?;
            let story =
                story.ok_or_else(|| internal("a case that was filed is not in the book"))?;
            tell(&story, progress);
            let left = deadline.map(|d| d.saturating_duration_since(tokio::time::Instant::now()));
            let left = left.unwrap_or_default();
            if is_there(&story, detached) || left.is_zero() {
                return Ok(story);
            }
            drop(tokio::time::timeout(left, self.engine().grown(size)).await);
        }
    }
}

fn requester(caller: &Caller) -> Requester {
    Requester::Agent { agent: caller.agent.clone(), credential: caller.credential.clone() }
}

fn draft_key(case: &CaseId) -> String {
    format!("draft/{case}")
}

fn matches_draft(prepared: &Prepared, ask: &SignAsk) -> Result<(), Complaint> {
    let bytes = format!("0x{}", hex::encode(prepared.draft.bytes()));
    let same_bytes = ask.unsigned.as_ref().is_none_or(|given| given.as_str() == bytes);
    let same_place = prepared.transfer.wallet == ask.wallet && *prepared.draft.chain() == ask.chain;
    if same_bytes && same_place {
        return Ok(());
    }
    let message = "the bytes, wallet or chain given are not those of the named draft; give those of the draft, or prepare again";
    Err(Complaint::new(Code::DraftMismatch, message))
}

/// The transfer with a commitment to its note, and the opening for the erasable table.
fn with_memo(prepared: &Prepared) -> Result<(Transfer, Vec<(Digest, String)>), Complaint> {
    let Some(memo) = &prepared.memo else { return Ok((prepared.transfer.clone(), Vec::new())) };
    let salt = Random::start().and_then(Random::salt).map_err(|e| internal(&e.to_string()))?;
    let opening = Opening::new(salt, MEMO, memo.as_str()).map_err(|e| internal(&e.to_string()))?;
    let commitment = opening.commitment().map_err(|e| internal(&e.to_string()))?;
    let text = serde_json::to_string(&opening).map_err(|e| internal(&e.to_string()))?;
    let transfer = Transfer { memo: Some(commitment), ..prepared.transfer.clone() };
    Ok((transfer, vec![(commitment.digest(), text)]))
}

fn tell(story: &Story, progress: &Progress) {
    let published = matches!(story.state, State::AwaitConfirmation);
    let (done, said) = match () {
        () if published => (5, "broadcast"),
        () if !story.signed.is_empty() => (4, "signed"),
        () if story.drafted => (3, "drafted"),
        () => (2, "judged"),
    };
    progress.tell(done, STEPS, said);
}

/// Whether there is nothing more to wait for.
fn is_there(story: &Story, detached: bool) -> bool {
    match story.state {
        State::Closed(_) | State::AwaitApprovals | State::AwaitConfirmation => true,
        State::AwaitBroadcast => detached,
        _ => false,
    }
}
