//! The watchman: a model of its own, beside the product's code, of what must never happen.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Charge, Entry, Marked, Outcome, Warranted};
use quorate_terms::fact::Fact;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::{AccountId, ApproverId, CaseId, Digest, Timestamp};

use crate::chain::{Chain, FINAL, wei};
use crate::people::{AGENT_CAP, ALONE, ALONE_TO_STRANGERS, CHAIN, VAULT_CAP, WINDOW_S, coin, id};

/// What one cosigner is known to have done.
#[derive(Clone, Default)]
struct Known {
    marks: Vec<(Timestamp, Marked)>,
    freezes: BTreeMap<Digest, Scope>,
    lifted: BTreeSet<Digest>,
    intents: BTreeMap<CaseId, Intent>,
    empty: BTreeSet<Digest>,
}

/// The watchman.
#[derive(Clone, Default)]
pub struct Watch {
    cosigners: [Known; 2],
    open: BTreeMap<CaseId, Vec<Charge>>,
    closed: BTreeMap<CaseId, Outcome>,
    spent: u128,
    /// Approvals that people really gave: intent, who, until when.
    pub given: Vec<(Digest, ApproverId, Timestamp)>,
    paid: BTreeSet<AccountId>,
    checked: usize,
}

type Held = Result<(), String>;

impl Watch {
    /// An entry that the desk's own story holds, and that counts.
    pub fn entry(&mut self, entry: &Entry) -> Held {
        match &entry.body {
            Body::Judged(judged) if !judged.judgment.is_deny() => {
                self.open.insert(judged.case, judged.reserved.clone());
            }
            Body::Judged(judged) => {
                self.open.insert(judged.case, Vec::new());
            }
            Body::Closed(closed) => {
                let Some(held) = self.open.remove(&closed.case) else {
                    return Err(format!("case {} closed without being open", closed.case));
                };
                if self.closed.insert(closed.case, closed.outcome).is_some() {
                    return Err(format!("case {} closed twice", closed.case));
                }
                let sum = native(&held);
                let fee = closed.finality.as_ref().map(|fact| match &fact.body.fact {
                    Fact::Finality { fee, .. } => wei(*fee),
                    _ => 0,
                });
                // What is spent on an asset is never more than was held of it in each charge.
                self.spent += match closed.outcome {
                    Outcome::Settled => sum,
                    Outcome::Reverted | Outcome::Replaced => {
                        let fee = fee.unwrap_or_default();
                        held.iter().map(|charge| wei(charge.amount).min(fee)).sum()
                    }
                    _ => 0,
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// No reservation is lost: what the book holds and has spent is what its cases say.
    pub fn reservations(&self, book: &quorate_custody::Book) -> Held {
        let held: u128 = self.open.values().map(|held| native(held)).sum();
        let said = wei(book.usage().total(&coin(), Timestamp::ZERO).amount);
        if said != held + self.spent {
            return Err(format!("the book counts {said}, its cases {}", held + self.spent));
        }
        let lost = book.open_cases().find(|case| {
            let held = self.open.get(&case.id).is_some_and(|held| !held.is_empty());
            held != book.usage().is_open(&case.id)
        });
        lost.map_or(Ok(()), |case| Err(format!("case {} has lost its reservation", case.id)))
    }

    /// What a cosigner read of the book in one step.
    pub fn read(&mut self, who: usize, replica: &[Vec<u8>], good: impl Fn(u64) -> bool) {
        let known = &mut self.cosigners[who];
        for bytes in replica {
            let entry = Entry::from_canonical(bytes).unwrap();
            match entry.body {
                _ if !good(entry.index) => {}
                Body::Filed(filed) => {
                    known.intents.insert(filed.case, filed.intent);
                }
                Body::Warranted(draft) if gives_up(&draft) => {
                    known.empty.insert(draft.draft);
                }
                Body::Frozen(frozen) => known.freeze(frozen.freeze, frozen.scope),
                Body::Unfrozen(unfrozen) => known.lift(&unfrozen.lifts),
                _ => {}
            }
        }
    }

    /// What a cosigner is about to write in its own ledger, checked before it does anything.
    pub fn wrote(&mut self, who: usize, records: &[Entry], now: Timestamp) -> Held {
        for entry in records {
            match &entry.body {
                Body::Frozen(frozen) => {
                    self.cosigners[who].freeze(frozen.freeze, frozen.scope.clone());
                }
                Body::Unfrozen(unfrozen) => self.cosigners[who].lift(&unfrozen.lifts),
                Body::Marked(marked) => self.marked(who, marked, entry.at, now)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn marked(&mut self, who: usize, mark: &Marked, at: Timestamp, now: Timestamp) -> Held {
        let known = &self.cosigners[who];
        let Some(intent) = known.intents.get(&mark.case).cloned() else {
            return Err(format!("cosigner {who} signs for a case that it was never told of"));
        };
        if let Some(freeze) = known.frozen(&intent) {
            return Err(format!("cosigner {who} signs although frozen by {}", freeze.short()));
        }
        let of = |(_, old): &&(Timestamp, Marked)| old.case == mark.case;
        let moves = |mark: &Marked| !known.empty.contains(&mark.draft);
        let first = moves(mark) && !known.marks.iter().filter(of).any(|(_, old)| moves(old));
        if known
            .marks
            .iter()
            .filter(of)
            .any(|(_, old)| old.nonce != mark.nonce || old.account != mark.account)
        {
            return Err(format!(
                "cosigner {who} signs two drafts of {} that do not conflict",
                mark.case
            ));
        }
        if known.marks.iter().any(|(_, old)| old.session == mark.session) {
            return Err(format!("cosigner {who} uses session {} twice", mark.session.short()));
        }
        if first {
            self.agreed(&intent, now)?;
        }
        self.cosigners[who].marks.push((at, mark.clone()));
        if first { self.within_caps(who, at) } else { Ok(()) }
    }

    /// The policy in one glance, written again from its description: who may move this alone, and who needs two people.
    fn agreed(&self, intent: &Intent, now: Timestamp) -> Held {
        let Action::Transfer(transfer) = &intent.action else {
            return Err("a signature for what is no transfer".to_owned());
        };
        let amount = wei(transfer.amount);
        let agent = matches!(intent.requester, Requester::Agent { .. });
        let known = self.paid.contains(&transfer.to);
        if agent && amount <= ALONE && (known || amount <= ALONE_TO_STRANGERS) {
            return Ok(());
        }
        let digest = intent.digest().unwrap();
        let yes: BTreeSet<_> = self
            .given
            .iter()
            .filter(|(of, _, until)| *of == digest && *until > now)
            .map(|(_, who, _)| who)
            .collect();
        if yes.len() >= 2 {
            return Ok(());
        }
        Err(format!("{amount} to {} is signed with {} approvals", transfer.to, yes.len()))
    }

    /// Every window that ends now, counted from the cosigner's own marks: one charge for each case.
    fn within_caps(&self, who: usize, at: Timestamp) -> Held {
        let known = &self.cosigners[who];
        let from = at.minus_s(WINDOW_S);
        let mut seen = BTreeSet::new();
        let moving = known.marks.iter().filter(|(_, mark)| !known.empty.contains(&mark.draft));
        let firsts = moving.filter(|(_, mark)| seen.insert(mark.case));
        let mut vault = 0;
        let mut agents: BTreeMap<String, u128> = BTreeMap::new();
        for (_, mark) in firsts.filter(|(then, _)| *then > from) {
            vault += native(&mark.charges);
            if let Some(agent) = mark.requester.agent() {
                *agents.entry(agent.to_string()).or_default() += native(&mark.charges);
            }
        }
        let over = agents.iter().find(|(_, sum)| **sum > AGENT_CAP);
        if vault > VAULT_CAP || over.is_some() {
            return Err(format!("cosigner {who} signs beyond a budget: {vault}, {agents:?}"));
        }
        Ok(())
    }

    /// Everything on chain: what it was signed for, and that each intent moved at most once.
    pub fn chain(&mut self, chain: &Chain, honest: &[usize]) -> Held {
        let blocks = chain.blocks.len();
        if blocks == self.checked {
            return Ok(());
        }
        self.checked = blocks;
        if chain.blocks.iter().rev().take(FINAL + 1).all(Vec::is_empty) {
            return Ok(());
        }
        let mut moved: BTreeMap<CaseId, String> = BTreeMap::new();
        for tx in chain.included() {
            let draft = &tx.reading.draft;
            for who in honest {
                let known = &self.cosigners[*who];
                let of = |(_, mark): &&(Timestamp, Marked)| mark.draft == draft.digest();
                let Some((_, mark)) = known.marks.iter().find(of) else {
                    return Err(format!(
                        "{} is on chain, unknown to cosigner {who}",
                        tx.reading.txid
                    ));
                };
                let Some(transfer) = known.intents.get(&mark.case).and_then(transfer) else {
                    return Err(format!("{} carries out no transfer", tx.reading.txid));
                };
                let empty = draft.meaning().effect == quorate_chains::Effect::SelfSend;
                if empty {
                    continue;
                }
                if draft.meaning().to != transfer.to || draft.meaning().amount != transfer.amount {
                    return Err(format!("{} is not what was agreed to", tx.reading.txid));
                }
                let other = moved.insert(mark.case, tx.reading.txid.clone());
                if other.is_some_and(|txid| txid != tx.reading.txid) {
                    return Err(format!("case {} was paid twice", mark.case));
                }
            }
        }
        let settled = chain.settled().map(|tx| tx.reading.draft.meaning().to.clone());
        self.paid.extend(settled);
        Ok(())
    }

    /// How a case ended, if it has.
    pub fn outcome(&self, case: &CaseId) -> Option<Outcome> {
        self.closed.get(case).copied()
    }

    /// How many cases ended so.
    pub fn ended(&self, outcome: Outcome) -> usize {
        self.closed.values().filter(|known| **known == outcome).count()
    }

    /// How many marks a cosigner has made for a case.
    pub fn marks(&self, who: usize, case: &CaseId) -> usize {
        self.cosigners[who].marks.iter().filter(|(_, mark)| mark.case == *case).count()
    }
}

impl Known {
    fn freeze(&mut self, digest: Digest, scope: Scope) {
        if !self.lifted.contains(&digest) {
            self.freezes.insert(digest, scope);
        }
    }

    fn lift(&mut self, lifts: &BTreeSet<Digest>) {
        for digest in lifts {
            self.freezes.remove(digest);
            self.lifted.insert(*digest);
        }
    }

    fn frozen(&self, intent: &Intent) -> Option<Digest> {
        let stops = |scope: &Scope| match scope {
            Scope::Vault => true,
            Scope::Wallet { wallet } => transfer(intent).is_some_and(|t| t.wallet == *wallet),
            Scope::Agent { agent } => intent.requester.agent() == Some(agent),
        };
        self.freezes.iter().find(|(_, scope)| stops(scope)).map(|(digest, _)| *digest)
    }
}

/// Whether a draft moves nothing.
fn gives_up(draft: &Warranted) -> bool {
    let bytes = hex::decode(&draft.bytes).unwrap_or_default();
    let read = quorate_chains::read_back(&draft.chain, &bytes);
    read.is_ok_and(|read| read.meaning().effect == quorate_chains::Effect::SelfSend)
}

fn transfer(intent: &Intent) -> Option<&Transfer> {
    match &intent.action {
        Action::Transfer(transfer) => Some(transfer),
        _ => None,
    }
}

fn native(charges: &[Charge]) -> u128 {
    let of_coin = charges.iter().filter(|charge| charge.asset == coin());
    of_coin.map(|charge| wei(charge.amount)).sum()
}

/// The wallet's account, once it is open.
pub fn wallet_account(book: &quorate_custody::Book) -> Option<AccountId> {
    book.wallet(&id(crate::people::WALLET))?.accounts.get(&id(CHAIN)).cloned()
}
