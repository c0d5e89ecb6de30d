//! An office of tests: one case, one alert, three entries, and a memory of what it was asked to change.

use std::sync::Mutex;

use async_trait::async_trait;
use quorate_custody::{Refusal, State};
use quorate_gateway::office::{
    AddressView, AlertRequest, AlertView, BookAnswer, BookRequest, CasePage, CaseView,
    CasesRequest, EraseRequest, FileRequest, Office, PageRequest, ReceiptAnswer, Reply, StatusView,
};
use quorate_terms::approval::Approval;
use quorate_terms::{CaseId, Digest, Timestamp};

#[derive(Default)]
pub(crate) struct FakeOffice {
    pub(crate) filed: Mutex<Vec<FileRequest>>,
    pub(crate) noted: Mutex<Vec<AlertRequest>>,
    pub(crate) erased: Mutex<Vec<EraseRequest>>,
}

pub(crate) fn known() -> CaseId {
    CaseId::of_intent(Digest::ZERO)
}

fn view() -> CaseView {
    CaseView {
        case: known(),
        kind: "cancel".into(),
        requester: "olga".into(),
        state: State::AwaitApprovals,
        filed_at: Timestamp::ZERO,
        expires_at: None,
        judgment: None,
        tallies: vec![],
        summary: "give up a case".into(),
        wallet: None,
        txid: None,
        reason: None,
        outcome: None,
    }
}

#[async_trait]
impl Office for FakeOffice {
    async fn file(&self, ask: FileRequest) -> Reply<CaseView> {
        let mut filed = self.filed.lock().unwrap();
        if filed.iter().any(|old| old.key == ask.key && old.action != ask.action) {
            return Err(Refusal::new("key_reused", "the key was used", "use a new one"));
        }
        filed.push(ask);
        Ok(view())
    }

    async fn case(&self, case: CaseId) -> Reply<CaseView> {
        if case == known() {
            return Ok(view());
        }
        Err(Refusal::new("unknown_case", "there is no such case", "look at the list"))
    }

    async fn cases(&self, _: CasesRequest) -> Reply<Vec<CaseView>> {
        Ok(vec![view()])
    }

    async fn page(&self, ask: PageRequest) -> Reply<CasePage> {
        let (cases, next_after) = match ask.after {
            None => (vec![view()], Some(known())),
            Some(_) => (vec![], None),
        };
        Ok(CasePage { cases, next_after })
    }

    async fn addresses(&self) -> Reply<Vec<AddressView>> {
        Ok(vec![])
    }

    async fn approve(&self, _: Approval) -> Reply<CaseView> {
        Err(Refusal::new("no_seat", "nobody sits there", "look at the charter"))
    }

    async fn receipt(&self, _: CaseId) -> Reply<ReceiptAnswer> {
        Ok(ReceiptAnswer { receipt: "{\"v\":1}".into(), witnesses: 2 })
    }

    async fn replace(&self, case: CaseId) -> Reply<CaseView> {
        self.case(case).await
    }

    async fn alert(&self, ask: AlertRequest) -> Reply<Vec<AlertView>> {
        self.noted.lock().unwrap().push(ask);
        Ok(vec![])
    }

    async fn erase(&self, ask: EraseRequest) -> Reply<Vec<Digest>> {
        self.erased.lock().unwrap().push(ask);
        Ok(vec![Digest::ZERO])
    }

    /// A mistake of ours, on purpose.
    async fn status(&self) -> Reply<StatusView> {
        std::panic::resume_unwind(Box::new("the fake office breaks here on purpose"))
    }

    async fn book(&self, ask: BookRequest) -> Reply<BookAnswer> {
        let last = ask.from.saturating_add(ask.limit).min(3);
        let entries = (ask.from..last).map(|index| format!("{{\"index\":{index}}}")).collect();
        Ok(BookAnswer { entries, checkpoint: Some("a note".into()) })
    }

    async fn beyond(&self, size: u64) -> Reply<u64> {
        if size < 3 {
            return Ok(3);
        }
        std::future::pending().await
    }
}
