//! Drafts for agents: composed from one snapshot, remembered for a while, reserving nothing. And the dry run of a judgment.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quorate_chains::{Draft, Effect, FeeMode, Meaning, Snapshot, draft, look_alike, native_asset};
use quorate_custody::case::quorum;
use quorate_custody::rulings::Outside;
use quorate_gateway::answer::{
    Answer, Explanation, JudgmentSaid, PreparedBytes, PreparedTransfer, Review, Untrusted,
    WalletAddress,
};
use quorate_gateway::desk::Caller;
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::question::{HowMuch, Memo, TransferAsk};
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{
    AccountId, Amount, AssetId, ChainId, CredentialId, Digest, IdempotencyKey, Timestamp, WalletId,
};

use super::looking::{decimals, plain};
use super::trouble::{from_chains, from_node, from_refusal, from_trouble, internal, malformed};
use super::{Answers, checked};
use crate::desk::chain::transfer_data;

/// How long a draft is remembered, in seconds.
const REMEMBERED_S: u64 = 900;
/// Drafts remembered in all, and for one credential; the oldest make room.
const DRAFTS_MAX: usize = 4096;
const DRAFTS_EACH_MAX: usize = 64;

/// A draft that a credential asked for.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) transfer: Transfer,
    pub(super) memo: Option<Memo>,
    /// Whether the caller named the fee ceiling itself.
    pub(super) own_ceiling: bool,
    pub(super) draft: Draft,
    pub(super) forgotten_at: Timestamp,
}

/// What is remembered, by credential and draft.
#[derive(Default)]
pub(super) struct Drafts(Mutex<BTreeMap<(CredentialId, Digest), Prepared>>);

impl Drafts {
    pub(super) fn put(&self, owner: &CredentialId, prepared: Prepared, now: Timestamp) {
        let mut drafts = self.lock();
        drafts.retain(|_, known| known.forgotten_at > now);
        let oldest = |drafts: &BTreeMap<(CredentialId, Digest), Prepared>,
                      whose: Option<&CredentialId>| {
            let mine = drafts.iter().filter(|((owner, _), _)| whose.is_none_or(|w| w == owner));
            mine.min_by_key(|(_, known)| known.forgotten_at).map(|(key, _)| key.clone())
        };
        let mine = drafts.keys().filter(|(known, _)| known == owner).count();
        let surplus = if mine >= DRAFTS_EACH_MAX {
            oldest(&drafts, Some(owner))
        } else if drafts.len() >= DRAFTS_MAX {
            oldest(&drafts, None)
        } else {
            None
        };
        if let Some(key) = surplus {
            drafts.remove(&key);
        }
        drafts.insert((owner.clone(), prepared.draft.digest()), prepared);
    }

    pub(super) fn get(
        &self,
        owner: &CredentialId,
        draft: Digest,
        now: Timestamp,
    ) -> Option<Prepared> {
        let found = self.lock().get(&(owner.clone(), draft)).cloned();
        found.filter(|prepared| prepared.forgotten_at > now)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(CredentialId, Digest), Prepared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transfer that was thought through, and the snapshot that it would be drafted from.
pub(super) struct Composed {
    pub(super) transfer: Transfer,
    pub(super) from: AccountId,
    pub(super) snapshot: Snapshot,
}

impl Answers {
    pub(super) async fn prepare(
        &self,
        caller: &Caller,
        ask: &TransferAsk,
        parts: bool,
    ) -> Result<Answer, Complaint> {
        let policy = self.policy().await?;
        let Composed { transfer, from, snapshot } = self.compose(caller, ask, &policy).await?;
        let draft = draft(&transfer, &from, &snapshot).map_err(|e| from_chains(&e))?;
        let review = self.review(&policy, &from, draft.meaning(), ask.memo.as_ref()).await?;
        let now = self.now();
        let prepared = Prepared {
            transfer,
            memo: ask.memo.clone(),
            own_ceiling: ask.fee_ceiling.is_some(),
            draft: draft.clone(),
            forgotten_at: now.plus_s(REMEMBERED_S),
        };
        let forgotten_at = prepared.forgotten_at;
        self.drafts.put(&caller.credential, prepared, now);
        if parts {
            return in_parts(&draft, ask, from, review, forgotten_at);
        }
        Ok(Answer::PreparedBytes(Box::new(PreparedBytes {
            draft: draft.digest(),
            wallet: ask.wallet.clone(),
            chain: ask.chain.clone(),
            unsigned_tx: format!("0x{}", hex::encode(draft.bytes())),
            review,
            forgotten_at,
        })))
    }

    pub(super) async fn explain(
        &self,
        caller: &Caller,
        ask: &TransferAsk,
    ) -> Result<Answer, Complaint> {
        let policy = self.policy().await?;
        let Composed { transfer, .. } = self.compose(caller, ask, &policy).await?;
        let fee_ceiling = transfer.fee_ceiling;
        let (facts, screening) = self.world.facts.for_transfer(&transfer).await;
        let (agent, credential) = (caller.agent.clone(), caller.credential.clone());
        let key = IdempotencyKey::new("explain").map_err(|e| internal(&e.to_string()))?;
        let at = self.now();
        let ruled = self.engine().look(move |book| {
            let requester = Requester::Agent { agent, credential };
            let vault = book.vault().clone();
            let intent = Intent { v: 1, vault, requester, key, action: Action::Transfer(transfer) };
            let ruled =
                book.rule(&intent, &Outside { facts: &facts, screening: &screening }, at)?;
            let judgment = ruled.ruling.judgment;
            let names = judgment.quorums();
            let asked = names.iter().filter_map(|name| quorum(book.charter(), book.policy(), name));
            let quorums: Vec<_> = asked.map(|quorum| (quorum.clone(), None)).collect();
            Ok((JudgmentSaid::new(&judgment, &quorums), book.policy().digest()))
        });
        let (judgment, policy) =
            ruled.await.map_err(from_trouble)?.map_err(|r| from_refusal(&r))?;
        Ok(Answer::Explanation(Explanation { judgment, policy, fee_ceiling, at }))
    }

    pub(super) async fn address(
        &self,
        wallet: &WalletId,
        chain: &ChainId,
    ) -> Result<Answer, Complaint> {
        let account = self.account(wallet, chain).await?;
        Ok(Answer::WalletAddress(WalletAddress {
            wallet: wallet.clone(),
            chain: chain.clone(),
            address: account.address().to_owned(),
            account,
        }))
    }

    /// A wallet's account on a chain.
    pub(super) async fn account(
        &self,
        wallet: &WalletId,
        chain: &ChainId,
    ) -> Result<AccountId, Complaint> {
        let (named, at) = (wallet.clone(), chain.clone());
        let found = self
            .engine()
            .look(move |book| book.wallet(&named).map(|w| w.accounts.get(&at).cloned()));
        match found.await.map_err(from_trouble)? {
            Some(Some(account)) => Ok(account),
            Some(None) => {
                let message = "the wallet is not open on that chain; name one of its chains";
                Err(Complaint::new(Code::UnknownChain, message))
            }
            None => Err(Complaint::new(
                Code::UnknownWallet,
                "there is no such wallet; ask the operator",
            )),
        }
    }

    /// Resolves what was asked into a transfer, with a fee ceiling and a snapshot.
    async fn compose(
        &self,
        caller: &Caller,
        ask: &TransferAsk,
        policy: &PolicyDocument,
    ) -> Result<Composed, Complaint> {
        let from = self.account(&ask.wallet, &ask.chain).await?;
        let to = checked(&ask.to)?;
        let asset = asset_of(&ask.chain, ask.token.as_ref())?;
        let amount = amount_of(policy, &asset, &ask.how_much)?;
        let memo = None;
        let transfer = Transfer {
            wallet: ask.wallet.clone(),
            asset,
            to,
            amount,
            fee_ceiling: Amount::MAX,
            memo,
        };
        let mut snapshot = self
            .chain(&ask.chain)?
            .snapshot(&from, Some(&transfer), self.now())
            .await
            .map_err(|upset| from_node(&upset))?;
        let (owner, mined) = (from.clone(), snapshot.nonce);
        snapshot.nonce = self
            .engine()
            .look(move |book| book.free_nonce(&owner, mined))
            .await
            .map_err(from_trouble)?;
        let fee_ceiling = match ask.fee_ceiling {
            Some(ceiling) => ceiling,
            None => {
                let least = draft(&transfer, &from, &snapshot).map_err(|e| from_chains(&e))?;
                self.default_ceiling(caller, &transfer, least.meaning().fee_max).await?
            }
        };
        Ok(Composed { transfer: Transfer { fee_ceiling, ..transfer }, from, snapshot })
    }

    /// A fee ceiling for a caller that names none: twice what the present fees could reach, so that they may rise while
    /// people agree. Less where so much room would cost the caller a better answer of the policy, which weighs the ceiling as
    /// if it were spent; never less than the present fees.
    async fn default_ceiling(
        &self,
        caller: &Caller,
        transfer: &Transfer,
        least: Amount,
    ) -> Result<Amount, Complaint> {
        let ceilings = ceilings(least).ok_or_else(|| {
            let message = "the node names fees that cannot be; try again later";
            Complaint::new(Code::NodeUnavailable, message)
        })?;
        let (facts, screening) = self.world.facts.for_transfer(transfer).await;
        let (caller, transfer, at) = (caller.clone(), transfer.clone(), self.now());
        let key = IdempotencyKey::new("ceiling").map_err(|e| internal(&e.to_string()))?;
        let ranked = self.engine().look(move |book| {
            let outside = Outside { facts: &facts, screening: &screening };
            let rank = |fee_ceiling| {
                let transfer = Transfer { fee_ceiling, ..transfer.clone() };
                let requester = Requester::Agent {
                    agent: caller.agent.clone(),
                    credential: caller.credential.clone(),
                };
                let (vault, key) = (book.vault().clone(), key.clone());
                let action = Action::Transfer(transfer);
                let intent = Intent { v: 1, vault, requester, key, action };
                book.rule(&intent, &outside, at).map_or(0, |ruled| rank_of(&ruled.ruling.judgment))
            };
            ceilings.map(|ceiling| (ceiling, rank(ceiling)))
        });
        Ok(most_room(&ranked.await.map_err(from_trouble)?).unwrap_or(least))
    }

    async fn review(
        &self,
        policy: &PolicyDocument,
        from: &AccountId,
        m: &Meaning,
        memo: Option<&Memo>,
    ) -> Result<Review, Complaint> {
        let listed = self
            .engine()
            .look(|book| book.listed().map(|(a, at)| (a.clone(), *at)).collect::<Vec<_>>());
        let listed = listed.await.map_err(from_trouble)?;
        let now = self.now();
        let recipient_listed =
            listed.iter().any(|(account, usable)| *account == m.to && *usable <= now);
        let mut warnings = Vec::new();
        if !recipient_listed {
            warnings.push(
                "the recipient is not listed; compare its address with its source".to_owned(),
            );
        }
        if listed.iter().any(|(account, _)| look_alike(account, &m.to)) {
            warnings.push(
                "the address resembles a listed one and is another; compare every digit".to_owned(),
            );
        }
        let native = native_asset(&m.chain).map_err(|e| from_chains(&e))?;
        Ok(Review {
            from: from.clone(),
            to: m.to.clone(),
            moves: plain(policy, &m.asset, m.amount),
            fee_max: m.fee_max,
            fee_max_amount: m.fee_max.to_decimal(decimals(policy, &native).unwrap_or(18)),
            recipient_listed,
            memo: memo.map(|memo| Untrusted::new(memo.as_str())),
            warnings,
        })
    }
}

/// Ceilings to try, the most room first: twice, one and a half times and once what the present fees could reach.
fn ceilings(least: Amount) -> Option<[Amount; 3]> {
    let half = Amount::new(least.units().checked_div(Amount::from_u128(2).units())?);
    Some([least.checked_add(least)?, least.checked_add(half)?, least])
}

/// How good an answer is for who asks.
const fn rank_of(judgment: &Judgment) -> u8 {
    match judgment {
        Judgment::Deny { .. } => 0,
        Judgment::Require { .. } => 1,
        Judgment::Allow { .. } => 2,
    }
}

/// The first ceiling whose answer is as good as the best.
fn most_room(ranked: &[(Amount, u8)]) -> Option<Amount> {
    let best = ranked.iter().map(|(_, rank)| *rank).max()?;
    ranked.iter().find(|(_, rank)| *rank == best).map(|(ceiling, _)| *ceiling)
}

pub(super) fn asset_of(chain: &ChainId, token: Option<&AssetId>) -> Result<AssetId, Complaint> {
    match token {
        Some(token) => quorate_chains::parse_asset(token.as_str())
            .map_err(|e| malformed(Code::InvalidAddress, &e)),
        None => native_asset(chain).map_err(|e| from_chains(&e)),
    }
}

fn amount_of(
    policy: &PolicyDocument,
    asset: &AssetId,
    how_much: &HowMuch,
) -> Result<Amount, Complaint> {
    match how_much {
        HowMuch::Base(amount) => Ok(*amount),
        HowMuch::Human(text) => {
            let places = decimals(policy, asset).ok_or_else(|| {
                let message = "the policy does not list this asset, so its decimals are not known; give `amountWei`";
                Complaint::new(Code::UnknownAsset, message)
            })?;
            Amount::from_decimal(text.as_str(), places)
                .map_err(|e| malformed(Code::InvalidAmount, &e))
        }
    }
}

fn in_parts(
    draft: &Draft,
    ask: &TransferAsk,
    from: AccountId,
    review: Review,
    forgotten_at: Timestamp,
) -> Result<Answer, Complaint> {
    let m = draft.meaning();
    let (envelope_to, value, data) = match m.effect {
        Effect::Erc20 => {
            let data = transfer_data(&m.to, m.amount).map_err(|e| from_node(&e))?;
            (m.asset.reference().to_owned(), Amount::ZERO, data)
        }
        Effect::Native | Effect::SelfSend => (m.to.address().to_owned(), m.amount, "0x".to_owned()),
    };
    Ok(Answer::PreparedTransfer(Box::new(PreparedTransfer {
        draft: draft.digest(),
        wallet: ask.wallet.clone(),
        chain: ask.chain.clone(),
        from,
        envelope_to,
        value,
        data,
        nonce: m.nonce,
        gas_limit: m.gas_limit,
        max_fee_per_gas: m.max_fee_per_gas,
        priority_fee_per_gas: (m.fee_mode == FeeMode::Eip1559).then_some(m.priority_fee),
        review,
        forgotten_at,
    })))
}

#[cfg(test)]
mod tests;
