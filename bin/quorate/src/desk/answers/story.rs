//! A case told from the book: open ones from its fold, closed ones from their entries.

use std::collections::{BTreeMap, BTreeSet};

use quorate_custody::case::quorum;
use quorate_custody::{Book, State};
use quorate_gateway::answer::{Answer, CaseList, CaseSaid, JudgmentSaid, ReceiptSaid, Untrusted};
use quorate_gateway::desk::Caller;
use quorate_gateway::errors::{Code, Complaint};
use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::entry::{Body, Closed, Entry, Judged, Outcome};
use quorate_terms::intent::{Action, Intent, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::quorum::{Quorum, Tally};
use quorate_terms::{AccountId, CaseId, Timestamp, WalletId};

use super::Answers;
use super::looking::plain;
use super::trouble::{from_trouble, internal};
use crate::desk::engine::{Engine, Trouble};
use crate::desk::receipts;

/// What can be told of a case.
pub(in crate::desk) struct Story {
    pub(in crate::desk) id: CaseId,
    pub(in crate::desk) intent: Intent,
    pub(in crate::desk) state: State,
    pub(in crate::desk) filed_at: Timestamp,
    pub(in crate::desk) judged: Option<Judged>,
    pub(in crate::desk) tallies: Vec<Tally>,
    pub(in crate::desk) quorums: Vec<(Quorum, Option<Tally>)>,
    /// Transaction ids and bytes (hex), oldest first.
    pub(in crate::desk) signed: Vec<(String, String)>,
    pub(in crate::desk) drafted: bool,
    pub(in crate::desk) closed: Option<Closed>,
}

impl Story {
    /// The case, open or closed.
    pub(in crate::desk) async fn of(engine: &Engine, id: CaseId) -> Result<Option<Self>, Trouble> {
        Self::of_all(engine, vec![id]).await.map(|mut stories| stories.pop())
    }

    /// Cases, open or closed, in this order; those that there are not are left out. However many they are, the book is
    /// looked at twice and the ledger is asked once.
    pub(in crate::desk) async fn of_all(
        engine: &Engine,
        ids: Vec<CaseId>,
    ) -> Result<Vec<Self>, Trouble> {
        let now = engine.clock().now();
        let look =
            move |book: &Book| ids.into_iter().filter_map(|id| found(book, id, now)).collect();
        let found: Vec<Found> = engine.look(look).await?;
        let over = |one: &Found| match one {
            Found::Open(_) => Vec::new(),
            Found::Over(_, entries) => entries.clone(),
        };
        let read = read(engine, &found.iter().flat_map(over).collect::<Vec<u64>>()).await?;
        let mut stories = Vec::new();
        for one in found {
            match one {
                Found::Open(story) => stories.push(*story),
                Found::Over(id, entries) => stories.extend(closed(id, &entries, &read)?),
            }
        }
        if !read.is_empty() {
            stories = engine.look(move |book| with_quorums(book, stories)).await?;
        }
        Ok(stories)
    }

    pub(in crate::desk) const fn transfer(&self) -> Option<&Transfer> {
        match &self.intent.action {
            Action::Transfer(transfer) => Some(transfer),
            _ => None,
        }
    }

    /// The transaction: the one that closed it, or the newest that was signed.
    pub(in crate::desk) fn txid(&self) -> Option<String> {
        let closing = self.closed.as_ref().and_then(|closed| closed.txid.clone());
        closing.or_else(|| self.signed.last().map(|(txid, _)| txid.clone()))
    }

    /// An agent sees what it filed itself, and what moves from wallets that its credential names.
    fn is_visible(&self, caller: &Caller) -> bool {
        let own = self.intent.requester.agent() == Some(&caller.agent);
        own || self.transfer().is_some_and(|t| caller.wallets.contains(&t.wallet))
    }
}

fn open(book: &Book, id: CaseId, now: Timestamp) -> Option<Story> {
    let case = book.case(&id)?;
    let tallies = case.tallies(book.charter(), book.policy(), now);
    let counted =
        |quorum: &Quorum| tallies.iter().find(|tally| tally.quorum == quorum.name).cloned();
    let names = case.quorums();
    let asked = names.iter().filter_map(|name| quorum(book.charter(), book.policy(), name));
    let quorums = asked.map(|quorum| (quorum.clone(), counted(quorum))).collect();
    Some(Story {
        id,
        intent: case.intent.clone(),
        state: case.state,
        filed_at: case.filed_at,
        judged: case.judged.clone(),
        quorums,
        tallies,
        signed: case.signed.iter().map(|s| (s.txid.clone(), s.transaction.clone())).collect(),
        drafted: !case.drafts.is_empty(),
        closed: None,
    })
}

/// A case as the book has it.
enum Found {
    Open(Box<Story>),
    /// One that is over, with the indices of its entries.
    Over(CaseId, Vec<u64>),
}

fn found(book: &Book, id: CaseId, now: Timestamp) -> Option<Found> {
    let over = || book.closed(&id).map(|case| Found::Over(id, case.entries.clone()));
    open(book, id, now).map(|story| Found::Open(Box::new(story))).or_else(over)
}

fn unread(why: String) -> Trouble {
    Trouble::Refused(quorate_custody::Refusal::new("unreadable", why, "run `quorate doctor`"))
}

async fn read(engine: &Engine, indices: &[u64]) -> Result<BTreeMap<u64, Entry>, Trouble> {
    if indices.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = engine.store().read_these(indices).await.map_err(|e| unread(e.to_string()))?;
    let entry = |(index, bytes): (u64, Vec<u8>)| {
        Ok((index, Entry::read_again(&bytes).map_err(|e| unread(e.to_string()))?))
    };
    rows.into_iter().map(entry).collect()
}

/// A case that is over, without its quorums.
fn closed(
    id: CaseId,
    entries: &[u64],
    read: &BTreeMap<u64, Entry>,
) -> Result<Option<Story>, Trouble> {
    let (mut filed, mut judged, mut end) = (None, None, None);
    let (mut signed, mut drafted) = (Vec::new(), false);
    for index in entries {
        let entry = read.get(index).ok_or_else(|| unread("an entry is missing".to_owned()))?;
        match entry.body.clone() {
            Body::Filed(body) if body.case == id => filed = Some((body.intent, entry.at)),
            Body::Judged(body) if body.case == id => judged = Some(*body),
            Body::Warranted(body) if body.case == id => drafted = true,
            Body::Signed(body) if body.case == id => signed.push((body.txid, body.transaction)),
            Body::Closed(body) if body.case == id => end = Some(*body),
            _ => {}
        }
    }
    let (Some((intent, filed_at)), Some(end)) = (filed, end) else { return Ok(None) };
    Ok(Some(Story {
        id,
        intent,
        state: State::Closed(end.outcome),
        filed_at,
        judged,
        quorums: Vec::new(),
        tallies: Vec::new(),
        signed,
        drafted,
        closed: Some(end),
    }))
}

/// The quorums that cases which are over were asked for, as they stand now.
fn with_quorums(book: &Book, mut stories: Vec<Story>) -> Vec<Story> {
    for story in stories.iter_mut().filter(|story| story.closed.is_some()) {
        let names = story.judged.as_ref().map(|j| j.judgment.quorums()).unwrap_or_default();
        let found = names.iter().filter_map(|name| quorum(book.charter(), book.policy(), name));
        story.quorums = found.map(|quorum| (quorum.clone(), None)).collect();
    }
    stories
}

impl Answers {
    pub(super) async fn case(&self, caller: &Caller, id: CaseId) -> Result<Answer, Complaint> {
        let story = self.seen(caller, id).await?;
        self.said(&story, false).await.map(|said| Answer::Case(Box::new(said)))
    }

    pub(super) async fn list(
        &self,
        caller: &Caller,
        wallet: Option<WalletId>,
        open_only: bool,
        limit: u8,
        after: Option<CaseId>,
    ) -> Result<Answer, Complaint> {
        let mut known = self.known(caller, wallet, open_only).await?;
        known.sort_by(|a, b| b.cmp(a));
        let start = after.map_or(0, |last| {
            let at = known.iter().position(|(_, id)| *id == last);
            at.map_or(known.len(), |at| at.saturating_add(1))
        });
        let (mut cases, mut next_after) = (Vec::new(), None);
        for (_, id) in known.iter().skip(start) {
            if cases.len() >= usize::from(limit) {
                next_after = cases.last().map(|said: &CaseSaid| said.case);
                break;
            }
            let story = Story::of(self.engine(), *id).await.map_err(from_trouble)?;
            if let Some(story) = story.filter(|story| story.is_visible(caller)) {
                cases.push(self.said(&story, false).await?);
            }
        }
        Ok(Answer::Cases(CaseList { cases, next_after }))
    }

    /// Cases that may be visible: time of filing and id.
    async fn known(
        &self,
        caller: &Caller,
        wallet: Option<WalletId>,
        open_only: bool,
    ) -> Result<Vec<(Timestamp, CaseId)>, Complaint> {
        let (agent, wallets) = (caller.agent.clone(), caller.wallets.clone());
        let found = self.engine().look(move |book| {
            let named = |of: Option<&WalletId>| match (&wallet, of) {
                (Some(wanted), of) => of == Some(wanted),
                (None, Some(of)) => wallets.contains(of),
                (None, None) => false,
            };
            let own = |case: &quorate_custody::Case| {
                wallet.is_none() && case.intent.requester.agent() == Some(&agent)
            };
            let open = book.open_cases().filter(|case| named(case.wallet()) || own(case));
            let mut known: Vec<_> = open.map(|case| (case.filed_at, case.id)).collect();
            if !open_only {
                let closed = book.closed_cases().filter(|(_, case)| named(case.wallet.as_ref()));
                known.extend(closed.map(|(id, case)| (case.filed_at, *id)));
            }
            known
        });
        found.await.map_err(from_trouble)
    }

    pub(super) async fn receipt(&self, caller: &Caller, id: CaseId) -> Result<Answer, Complaint> {
        let story = self.seen(caller, id).await?;
        if story.closed.is_none() {
            let message = "the case is still open, so there is no receipt yet";
            return Err(Complaint::first(
                Code::ReceiptNotReady,
                message,
                "ask `get_case` until it is closed",
            )
            .after(5));
        }
        let made =
            receipts::make(self.engine(), &self.world.cosigners, id).await.map_err(from_trouble)?;
        let receipt = serde_json::to_value(&made).map_err(|e| internal(&e.to_string()))?;
        Ok(Answer::Receipt(ReceiptSaid { case: id, receipt }))
    }

    /// The case, if the caller may see it.
    async fn seen(&self, caller: &Caller, id: CaseId) -> Result<Story, Complaint> {
        let story = Story::of(self.engine(), id).await.map_err(from_trouble)?;
        story.filter(|story| story.is_visible(caller)).ok_or_else(|| {
            let message = "no such case is visible to this credential; see `list_cases`";
            Complaint::new(Code::CaseNotFound, message)
        })
    }

    /// The case for which a transaction was signed, if the caller may see it. One look into the book, however long it is.
    pub(super) async fn story_of_tx(
        &self,
        caller: &Caller,
        txid: &str,
    ) -> Result<Option<Story>, Complaint> {
        let txid = txid.to_ascii_lowercase();
        let found = self.engine().look(move |book| book.case_of_txid(&txid));
        match found.await.map_err(from_trouble)? {
            Some(id) => self.visible(caller, id).await,
            None => Ok(None),
        }
    }

    /// A case, if there is one and the caller may see it.
    pub(super) async fn visible(
        &self,
        caller: &Caller,
        id: CaseId,
    ) -> Result<Option<Story>, Complaint> {
        let story = Story::of(self.engine(), id).await.map_err(from_trouble)?;
        Ok(story.filter(|story| story.is_visible(caller)))
    }

    /// The newest settled cases whose transactions left an account and are not among `seen`.
    pub(super) async fn settled(
        &self,
        account: &AccountId,
        seen: BTreeSet<String>,
        most: usize,
    ) -> Result<Vec<CaseId>, Complaint> {
        let account = account.clone();
        let found = self.engine().look(move |book| {
            let ours = book.wallets().find(|(_, w)| w.accounts.values().any(|a| *a == account));
            let Some((wallet, _)) = ours else { return Vec::new() };
            let known: BTreeSet<CaseId> =
                seen.iter().filter_map(|txid| book.case_of_txid(txid)).collect();
            let mut cases: Vec<(Timestamp, CaseId)> = book
                .closed_cases()
                .filter(|(id, case)| {
                    case.wallet.as_ref() == Some(wallet)
                        && case.outcome == Outcome::Settled
                        && !known.contains(id)
                })
                .map(|(id, case)| (case.filed_at, *id))
                .collect();
            cases.sort_by(|a, b| b.cmp(a));
            cases.truncate(most);
            cases.into_iter().map(|(_, id)| id).collect()
        });
        found.await.map_err(from_trouble)
    }

    /// A case in the words of the doors. `signing` shows the signed bytes to who asked for them.
    pub(super) async fn said(&self, story: &Story, signing: bool) -> Result<CaseSaid, Complaint> {
        let policy = self.policy().await?;
        let transfer = story.transfer();
        let memo = match transfer.and_then(|t| t.memo.as_ref()) {
            Some(memo) => self.opening(memo).await.map(|opening| Untrusted::new(&opening.value)),
            None => None,
        };
        let pending = Judgment::Require { quorums: Default::default(), reasons: Vec::new() };
        let judgment = story.judged.as_ref().map_or(&pending, |judged| &judged.judgment);
        let open = story.closed.is_none();
        Ok(CaseSaid {
            case: story.id,
            stage: stage(story).to_owned(),
            closed: !open,
            judgment: JudgmentSaid::new(judgment, &story.quorums),
            wallet: transfer.map(|t| t.wallet.clone()),
            moves: transfer.map(|t| plain(&policy, &t.asset, t.amount)),
            to: transfer.map(|t| t.to.clone()),
            memo,
            tx_hash: story.txid(),
            signed_tx: story
                .signed
                .last()
                .filter(|_| signing)
                .map(|(_, bytes)| format!("0x{bytes}")),
            expires_at: story.judged.as_ref().filter(|_| open).map(|judged| judged.expires_at),
            next: next(story).to_owned(),
        })
    }

    /// The value behind a commitment, unless it was erased.
    pub(super) async fn opening(&self, commitment: &Commitment) -> Option<Opening> {
        let text = self.engine().store().opening(&commitment.digest()).await.ok()??;
        serde_json::from_str(&text).ok()
    }
}

const fn stage(story: &Story) -> &'static str {
    match story.state {
        State::AwaitJudgment => "filed",
        State::AwaitApprovals => "awaiting_approvals",
        State::AwaitAct => "awaiting_act",
        State::AwaitSnapshot => "drafting",
        State::AwaitSignature => "signing",
        State::AwaitCeremony => "generating_key",
        State::AwaitBroadcast => "signed",
        State::AwaitConfirmation => "broadcast",
        State::AwaitDelay => "awaiting_delay",
        State::Closed(outcome) => quorate_gateway::office::outcome_word(outcome),
    }
}

/// What happens next, in our own words.
const fn next(story: &Story) -> &'static str {
    match story.state {
        State::AwaitJudgment | State::AwaitSnapshot => {
            "the desk drafts the transaction; ask again in a moment"
        }
        State::AwaitApprovals => "people must approve, outside of this door; ask again later",
        State::AwaitAct | State::AwaitCeremony => "the desk is at work; ask again in a moment",
        State::AwaitSignature => "the cosigners sign; ask again in a moment",
        State::AwaitBroadcast => "it is signed and not yet on its way; ask again in a moment",
        State::AwaitConfirmation => "the chain has it; ask again until it is final",
        State::AwaitDelay => "a delay of the charter runs; ask again later",
        State::Closed(Outcome::Settled | Outcome::Done) => "nothing; the receipt is ready",
        State::Closed(Outcome::Refused) => {
            "nothing moved; read the reasons before asking again under a new key"
        }
        State::Closed(Outcome::Rejected) => {
            "nothing moved; an approver said no, so ask people before asking again"
        }
        State::Closed(Outcome::Reverted) => {
            "only the fee was paid; find out why before asking again under a new key"
        }
        State::Closed(_) => {
            "nothing moved by it; file it again under a new key if it is still wanted"
        }
    }
}
