//! An office of tests: one case, one alert, three entries, and a memory of what it was asked to change.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use quorate_custody::{Phase, Refusal, State};
use quorate_gateway::office::{
    AddressView, AlertRequest, AlertView, BookAnswer, BookRequest, CasePage, CaseView,
    CasesRequest, ChecklistRequest, ChecklistView, DelegationView, EraseRequest, FileRequest,
    FreezeView, Office, PageRequest, ProofAnswer, ProofRequest, ReceiptAnswer, Reply, StatusView,
};
use quorate_gateway::proposal::{ReplayAnswer, ReplayRequest, Totals, Whom};
use quorate_terms::approval::Approval;
use quorate_terms::freeze::Scope;
use quorate_terms::{CaseId, Digest, Timestamp};
use tokio::sync::watch;

#[derive(Default)]
pub(crate) struct FakeOffice {
    pub(crate) filed: Mutex<Vec<FileRequest>>,
    pub(crate) noted: Mutex<Vec<AlertRequest>>,
    pub(crate) erased: Mutex<Vec<EraseRequest>>,
    pub(crate) dealt: Mutex<Vec<ChecklistRequest>>,
    /// Whether it says that it cannot tell how it is, and does not break.
    pub(crate) busy: AtomicBool,
    /// What it says of how it is; it breaks where this is not set.
    pub(crate) status: Mutex<Option<StatusView>>,
    /// How many entries there are beyond the three.
    pub(crate) more: watch::Sender<u64>,
}

fn checklist() -> ChecklistView {
    ChecklistView {
        checklist: Digest::ZERO,
        person: "cy".parse().unwrap(),
        change: quorate_terms::checklist::Change::Leaver,
        post: quorate_terms::checklist::Post::Approver,
        by: "olga".parse().unwrap(),
        opened_at: Timestamp::ZERO,
        template: Digest::ZERO,
        items: vec![],
        end: None,
        ended_at: None,
    }
}

/// The name of a freeze.
pub(crate) fn freeze(number: u8) -> Digest {
    Digest::sha256(&[number])
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

    async fn freezes(&self) -> Reply<Vec<FreezeView>> {
        let agent = Scope::Agent { agent: "bot".parse().unwrap() };
        let named = [(0, Scope::Vault), (1, agent), (2, Scope::Vault)];
        let view = |(number, scope)| FreezeView { freeze: freeze(number), scope };
        Ok(named.map(view).to_vec())
    }

    async fn delegations(&self) -> Reply<Vec<DelegationView>> {
        Ok(vec![DelegationView {
            id: "leave-1".parse().unwrap(),
            seat: "ann".parse().unwrap(),
            holder: Some("p-ann".parse().unwrap()),
            stand_in: "p-sam".parse().unwrap(),
            credential: "key-sam".parse().unwrap(),
            views: vec![],
            from: Timestamp::ZERO,
            until: Timestamp::ZERO.plus_s(60),
            above: None,
            phase: Phase::Standing,
            case: known(),
            granted_at: Timestamp::ZERO,
            ended_at: None,
            ended_by: None,
            cause: None,
        }])
    }

    async fn replay(&self, ask: ReplayRequest, _whom: Whom) -> Reply<ReplayAnswer> {
        if ask.days == 0 {
            return Err(Refusal::new("malformed", "no days", "give 1 to 366 days"));
        }
        Ok(ReplayAnswer {
            policy: Digest::ZERO,
            version: ask.policy.version,
            changes: vec![],
            reach: vec![],
            is_whole: true,
            caveats: vec![],
            from: Timestamp::ZERO,
            to: Timestamp::ZERO.plus_s(u64::from(ask.days) * 86_400),
            totals: Totals::default(),
            rows: vec![],
        })
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

    async fn checklists(&self) -> Reply<Vec<ChecklistView>> {
        Ok(vec![checklist()])
    }

    async fn checklist(&self, ask: ChecklistRequest) -> Reply<ChecklistView> {
        self.dealt.lock().unwrap().push(ask);
        Ok(checklist())
    }

    async fn erase(&self, ask: EraseRequest) -> Reply<Vec<Digest>> {
        self.erased.lock().unwrap().push(ask);
        Ok(vec![Digest::ZERO])
    }

    /// A mistake of ours, on purpose, unless it is busy or was told what to say.
    async fn status(&self) -> Reply<StatusView> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(Refusal::new("not_now", "the fake office is busy", "try again"));
        }
        if let Some(status) = self.status.lock().unwrap().clone() {
            return Ok(status);
        }
        std::panic::resume_unwind(Box::new("the fake office breaks here on purpose"))
    }

    async fn book(&self, ask: BookRequest) -> Reply<BookAnswer> {
        let last = ask.from.saturating_add(ask.limit).min(3);
        let entries = (ask.from..last).map(|index| format!("{{\"index\":{index}}}")).collect();
        Ok(BookAnswer { entries, checkpoint: Some("a note".into()) })
    }

    async fn proof(&self, ask: ProofRequest) -> Reply<ProofAnswer> {
        match ask {
            ProofRequest::Entry { index } if index >= 3 => {
                Err(Refusal::new("unknown_entry", "no such entry", "look at the entries"))
            }
            ProofRequest::Extension { from, to } if from == 0 || from > to || to > 3 => {
                Err(Refusal::new("malformed", "no such sizes", "give sizes of the ledger"))
            }
            _ => Ok(ProofAnswer {
                hashes: vec![Digest::ZERO],
                checkpoint: "a note".into(),
                log: "a key".into(),
            }),
        }
    }

    async fn beyond(&self, size: u64) -> Reply<u64> {
        let mut more = self.more.subscribe();
        let grown = more.wait_for(|more| size < more.saturating_add(3)).await;
        let grown = grown.map_err(|_| Refusal::new("not_now", "the fake office closed", "go"))?;
        Ok(grown.saturating_add(3))
    }
}
