//! What the console asks: a case told entry by entry, what people type read as an act, budgets, the address book.

use std::collections::BTreeMap;

use async_trait::async_trait;
use quorate_chains::{look_alike, native_asset, parse_account};
use quorate_custody::book::Wallet;
use quorate_custody::{Book, Refusal};
use quorate_gateway::console::paperwork::{
    BudgetUse, Composed, Flow, Grain, Held, Listed, ListingTyped, Moment, Paperwork, Review,
    Runbook, Said, Simulation, TransferTyped, Tried,
};
use quorate_gateway::office::{CosignerView, Reply};
use quorate_host::random::Random;
use quorate_policy::{Kept, Policy, Usage, settled, used};
use quorate_terms::commitment::Opening;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::intent::{Action, Tier, Transfer};
use quorate_terms::policy::{AssetInfo, Budget, PolicyDocument, Window};
use quorate_terms::{
    AccountId, Amount, ApproverId, AssetId, CaseId, ChainId, CredentialId, PersonId, Term as _,
    Timestamp, WalletId,
};

use super::{Here, refusal, runbook, simulated, view};

/// Where commitments stand in an intent.
const MEMO: &str = "intent.memo";
const BENEFICIARY: &str = "intent.beneficiary";
/// The most entries of a case that are told.
const TOLD_MAX: usize = 500;

#[async_trait]
impl Paperwork for Here {
    async fn story(&self, case: CaseId) -> Reply<Vec<Moment>> {
        let found = self.0.engine.look(move |book| {
            let open = book.case(&case).map(|case| case.entries.clone());
            let told = open.or_else(|| book.closed(&case).map(|case| case.entries.clone()));
            (told.unwrap_or_default(), stand_ins(book))
        });
        let (mut told, stand_ins) = found.await.map_err(refusal)?;
        told.truncate(TOLD_MAX);
        let unread = |why: String| Refusal::new("unreadable", why, "run `quorate doctor`");
        let read = self.0.engine.store().read_these(&told).await;
        let read = read.map_err(|e| unread(e.to_string()))?;
        if read.len() != told.len() {
            return Err(unread("an entry of the case is missing".to_owned()));
        }
        read.into_iter().map(|(index, bytes)| moment(index, &bytes, &stand_ins)).collect()
    }

    async fn runbook(&self, case: CaseId) -> Reply<Option<Runbook>> {
        runbook::of(&self.0.engine, case).await
    }

    async fn cosigners(&self) -> Reply<Vec<CosignerView>> {
        Ok(self.0.cosigners.views().await)
    }

    async fn transfer(&self, typed: TransferTyped) -> Reply<Composed> {
        let policy = self.policy().await?;
        let wanted: AssetId = typed.asset.parse()?;
        let info = asset(&policy, &wanted)?;
        let coin = asset(&policy, &native_asset(&wanted.chain())?)?;
        let to = parse_account(typed.to.trim(), &wanted.chain())?;
        self.distinct(&to).await?;
        let opening = match typed.memo.as_str() {
            "" => None,
            memo => Some(Opening::new(salt()?, MEMO, memo)?),
        };
        let transfer = Transfer {
            wallet: typed.wallet.parse()?,
            asset: wanted.clone(),
            to: to.clone(),
            amount: Amount::from_decimal(typed.amount.trim(), info.decimals)?,
            fee_ceiling: Amount::from_decimal(typed.fee_ceiling.trim(), coin.decimals)?,
            memo: opening.as_ref().map(Opening::commitment).transpose()?,
        };
        if transfer.amount.is_zero() {
            return Err(Refusal::new("malformed", "the amount is nothing", "give more than zero"));
        }
        self.composed(Action::Transfer(transfer), opening.into_iter().collect(), to).await
    }

    async fn listing(&self, typed: ListingTyped) -> Reply<Composed> {
        let chain: ChainId = typed.chain.parse()?;
        let account = parse_account(typed.account.trim(), &chain)?;
        self.distinct(&account).await?;
        let opening = Opening::new(salt()?, BENEFICIARY, &typed.beneficiary)?;
        let action = Action::ListAddress {
            account: account.clone(),
            beneficiary: opening.commitment()?,
            owner_kind: typed.owner_kind,
        };
        self.composed(action, vec![opening], account).await
    }

    async fn listed(&self) -> Reply<Vec<Listed>> {
        self.0.engine.look(listed).await.map_err(refusal)
    }

    async fn budgets(&self) -> Reply<Vec<BudgetUse>> {
        let now = self.0.engine.clock().now();
        let told = self.0.engine.look(move |book| {
            let budgets = &book.policy().document().budgets;
            let each = budgets.iter();
            each.flat_map(|budget| uses(book.policy(), budget, book.usage(), now)).collect()
        });
        told.await.map_err(refusal)
    }

    async fn words(&self) -> Reply<Vec<Said>> {
        self.in_words().await
    }

    async fn review(&self, text: String) -> Reply<Review> {
        self.reviewed(document(&text)?).await
    }

    async fn proposed(&self, case: CaseId) -> Reply<Option<Review>> {
        match self.in_case(case).await? {
            Some(document) => self.reviewed(document).await.map(Some),
            None => Ok(None),
        }
    }

    async fn flow(&self, from: Timestamp) -> Reply<Vec<Flow>> {
        let told = self.0.engine.look(move |book| {
            let assets = book.policy().document().assets.iter();
            let of_asset = |info: &AssetInfo| {
                let all = settled(book.usage(), &info.asset, from).into_iter();
                let flow = |one: quorate_policy::Settled| Flow {
                    at: one.at,
                    wallet: one.wallet,
                    asset: info.asset.clone(),
                    amount: one.amount,
                };
                all.map(flow).collect::<Vec<_>>()
            };
            assets.flat_map(of_asset).collect()
        });
        told.await.map_err(refusal)
    }

    async fn tiers(&self) -> Reply<BTreeMap<WalletId, Tier>> {
        let told = self.0.engine.look(|book| {
            let of_wallet = |(id, wallet): (&WalletId, &Wallet)| (id.clone(), wallet.open.tier);
            book.wallets().map(of_wallet).collect()
        });
        told.await.map_err(refusal)
    }

    async fn held(&self, from: Timestamp, grain: Grain) -> Reply<Vec<Held>> {
        Ok(self.0.balances.since(from, grain))
    }

    async fn simulated(&self, what: Tried) -> Reply<Option<Simulation>> {
        simulated::of(&self.0, what).await
    }
}

impl Here {
    async fn policy(&self) -> Reply<PolicyDocument> {
        self.0.engine.look(|book| book.policy().document().clone()).await.map_err(refusal)
    }

    /// Refuses a recipient that only resembles one of ours, of the list or once paid.
    async fn distinct(&self, to: &AccountId) -> Reply<()> {
        let wanted = to.clone();
        let found = self.0.engine.look(move |book| alike(book, &wanted)).await.map_err(refusal)?;
        let Some(known) = found else { return Ok(()) };
        let message = format!("`{to}` looks like `{known}` and is another");
        let next = "compare every digit with its source; poisoned histories hold such addresses";
        Err(Refusal::new("look_alike", message, next))
    }

    async fn composed(
        &self,
        action: Action,
        openings: Vec<Opening>,
        to: AccountId,
    ) -> Reply<Composed> {
        let summary = view::summary(&self.policy().await?, &action);
        let from = self.0.engine.look(move |book| {
            let mut listed = book.listed();
            listed.find(|(account, _)| **account == to).map(|(_, from)| *from)
        });
        Ok(Composed { action, openings, summary, usable_from: from.await.map_err(refusal)? })
    }
}

/// Who stood in for a seat, by that seat and the credential that spoke for it.
type StandIns = BTreeMap<(ApproverId, CredentialId), PersonId>;

fn stand_ins(book: &Book) -> StandIns {
    let all = book.delegations().map(|(_, granted)| &granted.delegation);
    let held = all.flat_map(|one| {
        let names = one.stand_in.credentials();
        names.map(|name| ((one.seat.clone(), name.clone()), one.stand_in.person.clone()))
    });
    held.collect()
}

/// An entry of a case, as a line of its story.
fn moment(index: u64, bytes: &[u8], stand_ins: &StandIns) -> Reply<Moment> {
    let entry = Entry::from_canonical(bytes)?;
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let kind = value.pointer("/body/type").and_then(serde_json::Value::as_str);
    let kind = kind.unwrap_or("unknown").to_owned();
    Ok(Moment { index, at: entry.at, kind, said: said(&entry.body, stand_ins) })
}

fn salt() -> Reply<[u8; 16]> {
    let drawn = Random::start().and_then(|random| random.salt());
    drawn.map_err(|e| Refusal::new("not_now", e.to_string(), "run `quorate doctor`"))
}

fn asset<'a>(policy: &'a PolicyDocument, wanted: &AssetId) -> Reply<&'a AssetInfo> {
    policy.assets.iter().find(|info| info.asset == *wanted).ok_or_else(|| {
        let message = format!("`{wanted}` is not in the policy");
        Refusal::new("unknown_asset", message, "use one of the policy's assets")
    })
}

/// An account of ours, of the list or once paid that this one could be taken for.
fn alike(book: &Book, account: &AccountId) -> Option<AccountId> {
    let ours = book.wallets().flat_map(|(_, wallet)| wallet.accounts.values());
    let listed = book.listed().map(|(listed, _)| listed);
    let mut known = ours.chain(listed).chain(book.paid());
    known.find(|known| look_alike(account, known)).cloned()
}

fn listed(book: &Book) -> Vec<Listed> {
    let line = |(account, from): (&AccountId, &Timestamp)| Listed {
        account: account.clone(),
        usable_from: *from,
        looks_like: alike(book, account),
    };
    book.listed().map(line).collect()
}

pub(super) fn uses(
    policy: &Policy,
    budget: &Budget,
    usage: &Usage,
    now: Timestamp,
) -> Vec<BudgetUse> {
    let all = used(policy, budget, usage, now).into_iter();
    let one = |(kept, used): (Kept, quorate_policy::Used)| BudgetUse {
        words: words(budget, &kept),
        asset: budget.asset.clone(),
        spent: used.spent.amount,
        held: used.held.amount,
        limit: budget.amount,
        count: (used.spent.count.saturating_add(used.held.count), budget.count),
    };
    all.map(one).collect()
}

fn words(budget: &Budget, kept: &Kept) -> String {
    let window = match &budget.window {
        Window::Each => "in one intent".to_owned(),
        Window::Rolling { seconds } => format!("in any {seconds} s"),
        Window::Day => "today".to_owned(),
        Window::Week => "this week".to_owned(),
        Window::Month => "this month".to_owned(),
    };
    let of = [
        kept.wallet.as_ref().map(|wallet| format!(", wallet {wallet}")),
        kept.agent.as_ref().map(|agent| format!(", agent {agent}")),
        kept.counterparty.as_ref().map(|to| format!(", to {to}")),
    ];
    let of: String = of.into_iter().flatten().collect();
    format!("{} {window}{of}", budget.id)
}

/// A policy that was pasted: JSON, or TOML as `quorate policy` reads it.
fn document(text: &str) -> Reply<PolicyDocument> {
    let bad = |why: String| Refusal::new("malformed", why, "mend this and look again");
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|e| bad(format!("the policy: {e}")));
    }
    quorate_host::config::parse(text, "the policy").map_err(|e| bad(e.to_string()))
}

/// What an entry of a case says beyond its kind, in one line.
fn said(body: &Body, stand_ins: &StandIns) -> String {
    match body {
        Body::Judged(judged) => {
            let answer = match &judged.judgment {
                quorate_terms::judgment::Judgment::Allow { .. } => "allowed".to_owned(),
                quorate_terms::judgment::Judgment::Deny { .. } => "denied".to_owned(),
                quorate_terms::judgment::Judgment::Require { quorums, .. } => {
                    let names: Vec<&str> = quorums.iter().map(|name| name.as_str()).collect();
                    format!("asks for {}", names.join(", "))
                }
            };
            format!("{answer}, for {}", judged.principal)
        }
        Body::Approved(approved) => {
            let (approver, by) = (&approved.approver, &approved.credential);
            match stand_ins.get(&(approver.clone(), by.clone())) {
                Some(person) => format!("by {person} standing in for {approver}"),
                None => format!("by {approver}"),
            }
        }
        Body::Warranted(warranted) => format!("nonce {}", warranted.nonce),
        Body::Refused(refused) => refused.reason.message.clone(),
        Body::Signed(signed) => {
            let who: Vec<&str> = signed.cosigners.iter().map(|who| who.as_str()).collect();
            format!("by {}", who.join(" and "))
        }
        Body::Broadcast(sent) => sent.txid.clone(),
        Body::TransferObserved(seen) => match seen.block {
            Some(block) => format!("in block {block}"),
            None => "not in a block".to_owned(),
        },
        Body::Closed(closed) => closed.reason.clone(),
        _ => String::new(),
    }
}
