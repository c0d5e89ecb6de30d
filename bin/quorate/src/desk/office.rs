//! What people ask of the running desk, whichever door they come through. What they file takes the same path as everything
//! else.

pub(super) mod checklists;
mod paperwork;
mod proposal;
mod runbook;
mod simulated;
mod status;
mod view;

use std::sync::Arc;

use async_trait::async_trait;
use quorate_custody::{Event, Refusal};
use quorate_gateway::office::{
    AddressView, AlertRequest, AlertView, BookAnswer, BookRequest, CasePage, CaseView,
    CasesRequest, ChecklistRequest, ChecklistView, DelegationView, EraseRequest, FileRequest,
    FreezeView, Office, PageRequest, ProofAnswer, ProofRequest, ReceiptAnswer, Reply, StatusView,
};
use quorate_gateway::proposal::{ReplayAnswer, ReplayRequest, Whom};
use quorate_terms::approval::Approval;
use quorate_terms::entry::{AlertAcknowledged, AlertClosed, Body};
use quorate_terms::intent::{Action, Intent, Requester};
use quorate_terms::{CaseId, Digest, IdempotencyKey, PersonId};

use super::book_door::{read, refusal};
use super::effects::World;
use super::engine::Trouble;
use super::{erasing, proofs, receipts};

/// The most cases that one question is answered with.
const CASES_MAX: u32 = 1000;
/// The most openings that come with one intent.
const OPENINGS_MAX: usize = 16;

/// The office in the desk's own process.
pub(crate) struct Here(pub(crate) Arc<World>);

#[async_trait]
impl Office for Here {
    async fn file(&self, ask: FileRequest) -> Reply<CaseView> {
        let openings = openings(&ask)?;
        let vault = self.0.engine.look(|book| book.vault().clone()).await.map_err(refusal)?;
        let requester = Requester::Person { person: ask.person };
        let intent = Intent { v: 1, vault, requester, key: ask.key, action: ask.action };
        let (facts, screening, snapshot) = match &intent.action {
            Action::Transfer(transfer) => {
                let (facts, screening) = self.0.facts.for_transfer(transfer).await;
                (facts, screening, self.0.snapshot(transfer).await.map_err(refusal)?)
            }
            _ => (Vec::new(), quorate_terms::fact::CounterpartyCheck::NotPerformed, None),
        };
        let case = intent.case()?;
        let event = Event::Filed {
            intent: Box::new(intent),
            facts,
            screening,
            snapshot: snapshot.map(Box::new),
        };
        self.0.engine.tell_with(event, openings).await.map_err(refusal)?;
        self.case(case).await
    }

    async fn case(&self, case: CaseId) -> Reply<CaseView> {
        view::of(&self.0.engine, case).await.map_err(refusal)?.ok_or_else(|| {
            Refusal::new(
                "unknown_case",
                "there is no such case",
                "look at `quorate case list --all`",
            )
        })
    }

    async fn cases(&self, ask: CasesRequest) -> Reply<Vec<CaseView>> {
        let CasesRequest { all, limit } = ask;
        let mut page = self.page(PageRequest { all, limit, after: None }).await?;
        page.cases.reverse();
        Ok(page.cases)
    }

    async fn page(&self, ask: PageRequest) -> Reply<CasePage> {
        let PageRequest { all, limit, after } = ask;
        let most = usize::try_from(limit.min(CASES_MAX)).unwrap_or(0);
        let found = self.0.engine.look(move |book| {
            let known = |id: &CaseId| book.case(id).is_some() || book.closed(id).is_some();
            if after.as_ref().is_some_and(|after| !known(after)) {
                return None;
            }
            let wanted = most.saturating_add(1);
            Some(match all {
                true => book.cases_back(after.as_ref()).take(wanted).collect::<Vec<CaseId>>(),
                false => book.open_back(after.as_ref()).take(wanted).collect(),
            })
        });
        let mut page = found.await.map_err(refusal)?.ok_or_else(lost_place)?;
        let more = page.len() > most;
        page.truncate(most);
        let next_after = page.last().copied().filter(|_| more);
        let cases = view::all(&self.0.engine, page).await.map_err(refusal)?;
        Ok(CasePage { cases, next_after })
    }

    async fn addresses(&self) -> Reply<Vec<AddressView>> {
        let listed = self.0.engine.look(|book| {
            let listed = book.listed();
            listed
                .map(|(account, at)| AddressView { account: account.clone(), listed_at: *at })
                .collect()
        });
        listed.await.map_err(refusal)
    }

    async fn freezes(&self) -> Reply<Vec<FreezeView>> {
        let found = self.0.engine.look(|book| {
            let view = |(freeze, scope): (&Digest, &quorate_terms::freeze::Scope)| FreezeView {
                freeze: *freeze,
                scope: scope.clone(),
            };
            book.freezes().map(view).collect()
        });
        found.await.map_err(refusal)
    }

    async fn delegations(&self) -> Reply<Vec<DelegationView>> {
        let now = self.0.engine.clock().now();
        let found = self.0.engine.look(move |book| DelegationView::all(book, now));
        found.await.map_err(refusal)
    }

    async fn replay(&self, ask: ReplayRequest, whom: Whom) -> Reply<ReplayAnswer> {
        self.replayed(ask, whom).await
    }

    async fn approve(&self, approval: Approval) -> Reply<CaseView> {
        let case = CaseId::of_intent(approval.body.intent);
        self.0.engine.tell(Event::ApprovalCame(Box::new(approval))).await.map_err(refusal)?;
        self.case(case).await
    }

    async fn receipt(&self, case: CaseId) -> Reply<ReceiptAnswer> {
        let made =
            receipts::make(&self.0.engine, &self.0.cosigners, case).await.map_err(refusal)?;
        let bytes = made.to_bytes()?;
        let witnesses = self.0.cosigners.newest().await.map_or(0, |newest| newest.witnesses);
        Ok(ReceiptAnswer { receipt: String::from_utf8_lossy(&bytes).into_owned(), witnesses })
    }

    async fn replace(&self, case: CaseId) -> Reply<CaseView> {
        self.0.replace(case).await.map_err(refusal)?;
        self.case(case).await
    }

    /// A person takes an alert, or ends it.
    async fn alert(&self, ask: AlertRequest) -> Reply<Vec<AlertView>> {
        let AlertRequest { alert, person, disposition } = ask;
        let body = match disposition {
            None => Body::AlertAcknowledged(AlertAcknowledged { alert, person }),
            Some(disposition) => {
                IdempotencyKey::new(disposition.as_str())?;
                Body::AlertClosed(AlertClosed { alert, person, disposition })
            }
        };
        self.0.engine.tell(Event::Noted(Box::new(body))).await.map_err(refusal)?;
        status::of(&self.0).await.map(|status| status.alerts).map_err(refusal)
    }

    async fn checklists(&self) -> Reply<Vec<ChecklistView>> {
        self.all_lists().await
    }

    async fn checklist(&self, ask: ChecklistRequest) -> Reply<ChecklistView> {
        self.deal(ask).await
    }

    /// The subject stays for ever, so it has the form of a pseudonym.
    async fn erase(&self, ask: EraseRequest) -> Reply<Vec<Digest>> {
        ask.subject.parse::<PersonId>()?;
        erasing::erase(&self.0.engine, ask).await.map_err(refusal)
    }

    async fn status(&self) -> Reply<StatusView> {
        status::of(&self.0).await.map_err(refusal)
    }

    async fn book(&self, ask: BookRequest) -> Reply<BookAnswer> {
        let (entries, checkpoint) =
            read(&self.0.engine, &self.0.cosigners, ask.from, ask.limit).await.map_err(
                |refused| Refusal::new(&refused.code, refused.message, "run `quorate doctor`"),
            )?;
        Ok(BookAnswer { entries, checkpoint: Some(checkpoint).filter(|note| !note.is_empty()) })
    }

    async fn proof(&self, ask: ProofRequest) -> Reply<ProofAnswer> {
        proofs::make(&self.0.engine, &self.0.cosigners, ask).await
    }

    async fn beyond(&self, size: u64) -> Reply<u64> {
        self.0.engine.beyond(size).await.map_err(refusal)
    }
}

fn lost_place() -> Refusal {
    Refusal::new("unknown_case", "there is no such case to go on from", "begin at the first page")
}

/// The openings of an intent, keyed by the commitments that they open: nothing else is kept.
fn openings(ask: &FileRequest) -> Reply<Vec<(Digest, String)>> {
    if ask.openings.len() > OPENINGS_MAX {
        return Err(Refusal::new(
            "too_many_openings",
            "too many openings came with one intent",
            "send fewer",
        ));
    }
    let mut kept = Vec::new();
    for opening in &ask.openings {
        let text = serde_json::to_string(opening)
            .map_err(|e| Refusal::new("malformed", e.to_string(), "report this"))?;
        kept.push((opening.commitment()?.digest(), text));
    }
    Ok(kept)
}

/// A refusal of the engine, for modules of this one.
type Told<T> = Result<T, Trouble>;
