//! Looking: balances, prices, fees, assets and what became of transactions. Everything from outside is shown, never believed.

use std::collections::BTreeSet;

use quorate_chains::{draft, native_asset};
use quorate_custody::{Book, State};
use quorate_gateway::answer::{
    Answer, Balance, Balances, Candidate, FeeQuote, Holding, Money, PastTransfer, Price, Resolved,
    TxHistory, TxState, TxStatus, Untrusted, Verdict,
};
use quorate_gateway::desk::Caller;
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::question::{AssetBy, Currency, PriceOf};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Outcome, Stage};
use quorate_terms::fact::{Fact, FactKind, SignedFact};
use quorate_terms::intent::Transfer;
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::{AccountId, Amount, AssetId, ChainId, SourceId, Timestamp, WalletId};

use super::preparing::asset_of;
use super::story::Story;
use super::trouble::{from_chains, from_node, from_trouble, internal, malformed};
use super::{Answers, checked};
use crate::desk::chain::{Claims, Past, Sighting};

/// The most assets that one question is answered for.
const ASSETS_MAX: usize = 50;

/// What sources that the charter names say of an asset: the dearest word counts, as it does for the policy.
struct Quoted {
    micro: Amount,
    decimals: u8,
    sources: Vec<SourceId>,
    at: Timestamp,
}

impl Answers {
    pub(super) async fn balance(
        &self,
        account: &AccountId,
        fiat: &Currency,
    ) -> Result<Answer, Complaint> {
        let account = checked(account)?;
        let native = native_asset(&account.chain()).map_err(|e| from_chains(&e))?;
        let block = self.chain(&account.chain())?.height().await.map_err(|e| from_node(&e))?;
        let holding = self.holding(&self.policy().await?, &account, &native, fiat).await?;
        Ok(Answer::Balance(Balance { account, holding, block, at: self.now() }))
    }

    pub(super) async fn balances(
        &self,
        account: &AccountId,
        fiat: &Currency,
        assets: Option<Vec<AssetId>>,
        include_native: bool,
    ) -> Result<Answer, Complaint> {
        let account = checked(account)?;
        let policy = self.policy().await?;
        let native = native_asset(&account.chain()).map_err(|e| from_chains(&e))?;
        let of_chain = policy.assets.iter().map(|info| info.asset.clone());
        let mut wanted: Vec<AssetId> = match assets {
            Some(named) => named
                .iter()
                .map(|a| {
                    quorate_chains::parse_asset(a.as_str())
                        .map_err(|e| malformed(Code::InvalidAddress, &e))
                })
                .collect::<Result<_, _>>()?,
            None => of_chain.filter(|asset| asset.chain() == account.chain()).collect(),
        };
        wanted.retain(|asset| *asset != native);
        if include_native {
            wanted.push(native);
        }
        wanted.sort();
        wanted.dedup();
        if wanted.len() > ASSETS_MAX {
            let message = format!("more than {ASSETS_MAX} assets; ask for fewer at once");
            return Err(Complaint::new(Code::InvalidInput, message));
        }
        let block = self.chain(&account.chain())?.height().await.map_err(|e| from_node(&e))?;
        let mut holdings = Vec::with_capacity(wanted.len());
        for asset in &wanted {
            holdings.push(self.holding(&policy, &account, asset, fiat).await?);
        }
        Ok(Answer::Balances(Balances { account, holdings, block, at: self.now() }))
    }

    async fn holding(
        &self,
        policy: &PolicyDocument,
        account: &AccountId,
        asset: &AssetId,
        fiat: &Currency,
    ) -> Result<Holding, Complaint> {
        let chain = self.chain(&account.chain())?;
        let units = chain.balance(account, asset).await.map_err(|e| from_node(&e))?;
        let mut holding = plain(policy, asset, units);
        if holding.decimals.is_none() {
            let claims = chain.claims(asset).await.unwrap_or_default();
            holding.claimed_symbol = claims.symbol.map(|symbol| Untrusted::new(&symbol));
        }
        holding.worth = self.worth(policy, asset, units, fiat).await;
        Ok(holding)
    }

    pub(super) async fn price(&self, of: PriceOf, base: &Currency) -> Result<Answer, Complaint> {
        let policy = self.policy().await?;
        let asset = match of {
            PriceOf::Asset(asset) => quorate_chains::parse_asset(asset.as_str())
                .map_err(|e| malformed(Code::InvalidAddress, &e))?,
            PriceOf::Symbol(symbol) => {
                let mut listed = policy.assets.iter().filter(|info| info.symbol == symbol.as_str());
                match (listed.next(), listed.next()) {
                    (Some(info), None) => info.asset.clone(),
                    (None, _) => {
                        return Err(unlisted(
                            "no listed asset has this symbol; see `resolve_asset`",
                        ));
                    }
                    _ => {
                        return Err(unlisted(
                            "several listed assets have this symbol; name one by its chain and contract",
                        ));
                    }
                }
            }
        };
        if base.as_str() != policy.currency {
            let message = format!("prices here are in {}; ask in that currency", policy.currency);
            return Err(Complaint::new(Code::UnknownCurrency, message));
        }
        if decimals(&policy, &asset).is_none() {
            return Err(unlisted("the policy does not list this asset; see `resolve_asset`"));
        }
        let seated = |book: &Book| {
            book.charter().sources.iter().any(|seat| seat.kinds.contains(&FactKind::Price))
        };
        if !self.engine().look(seated).await.map_err(from_trouble)? {
            let message = "no source of prices is seated in the charter; name prices elsewhere, or ask the operator";
            return Err(Complaint::new(Code::NotConfigured, message));
        }
        let quoted = self.quoted(&policy, &asset).await.ok_or_else(|| {
            let message =
                "no source that the charter names has a fresh price of this asset; try again later";
            Complaint::new(Code::PriceUnavailable, message).after(30)
        })?;
        let price = Money { currency: policy.currency, amount: quoted.micro.to_decimal(6) };
        Ok(Answer::Price(Price { asset, price, sources: quoted.sources, at: quoted.at }))
    }

    async fn worth(
        &self,
        policy: &PolicyDocument,
        asset: &AssetId,
        units: Amount,
        fiat: &Currency,
    ) -> Option<Money> {
        if fiat.as_str() != policy.currency {
            return None;
        }
        let quoted = self.quoted(policy, asset).await?;
        let scale = Amount::from_decimal("1", quoted.decimals).ok()?;
        let micro = units.units().checked_mul(quoted.micro.units())?.checked_div(scale.units())?;
        Some(Money { currency: policy.currency.clone(), amount: Amount::new(micro).to_decimal(6) })
    }

    async fn quoted(&self, policy: &PolicyDocument, asset: &AssetId) -> Option<Quoted> {
        let places = decimals(policy, asset)?;
        let facts = self.world.facts.prices(asset).await;
        let charter = self.engine().look(|book| book.charter().clone()).await.ok()?;
        let oldest = self.now().minus_s(policy.limits.fact_age_s);
        quote(&charter, places, &facts, oldest)
    }

    pub(super) async fn fee_quote(
        &self,
        chain: &ChainId,
        (from, to): (&AccountId, &AccountId),
        amount: Amount,
        token: Option<AssetId>,
        fiat: &Currency,
    ) -> Result<Answer, Complaint> {
        let (from, to) = (checked(from)?, checked(to)?);
        let asset = asset_of(chain, token.as_ref())?;
        // Only its asset, recipient and amount are looked at: a quote is for any account, wallet of ours or not.
        let wallet = WalletId::new("quote").map_err(|e| internal(&e.to_string()))?;
        let transfer = Transfer { wallet, asset, to, amount, fee_ceiling: Amount::MAX, memo: None };
        let node = self.chain(chain)?;
        let snapshot =
            node.snapshot(&from, Some(&transfer), self.now()).await.map_err(|e| from_node(&e))?;
        let draft = draft(&transfer, &from, &snapshot).map_err(|e| from_chains(&e))?;
        let m = draft.meaning();
        let policy = self.policy().await?;
        let native = native_asset(chain).map_err(|e| from_chains(&e))?;
        Ok(Answer::FeeQuote(FeeQuote {
            chain: chain.clone(),
            gas_limit: m.gas_limit,
            max_fee_per_gas: m.max_fee_per_gas,
            priority_fee_per_gas: m.priority_fee,
            fee_max: m.fee_max,
            fee_max_amount: m.fee_max.to_decimal(decimals(&policy, &native).unwrap_or(18)),
            worth: self.worth(&policy, &native, m.fee_max, fiat).await,
            block: snapshot.block,
        }))
    }

    pub(super) async fn resolve(
        &self,
        chain: &ChainId,
        by: &AssetBy,
        limit: u8,
    ) -> Result<Answer, Complaint> {
        let policy = self.policy().await?;
        let listed = policy.assets.iter().filter(|info| info.asset.chain() == *chain);
        let mut candidates: Vec<Candidate> = match by {
            AssetBy::Contract(asset) => {
                let asset = asset_of(chain, Some(asset))?;
                let found: Vec<_> =
                    listed.filter(|info| info.asset == asset).map(listed_candidate).collect();
                if found.is_empty() { self.claimed(&asset).await? } else { found }
            }
            AssetBy::Symbol(symbol) => {
                let same = |info: &&AssetInfo| info.symbol.eq_ignore_ascii_case(symbol.as_str());
                listed.filter(same).map(listed_candidate).collect()
            }
            AssetBy::Name(name) => {
                let same = |info: &&AssetInfo| info.name.eq_ignore_ascii_case(name.as_str());
                listed.filter(same).map(listed_candidate).collect()
            }
        };
        let verdict = match candidates.len() {
            0 => Verdict::NotFound,
            1 => Verdict::Unique,
            _ => Verdict::Ambiguous,
        };
        candidates.truncate(usize::from(limit));
        Ok(Answer::Resolved(Resolved { verdict, candidates }))
    }

    /// A contract that the policy does not list, in its own words.
    async fn claimed(&self, asset: &AssetId) -> Result<Vec<Candidate>, Complaint> {
        let claims = self.chain(&asset.chain())?.claims(asset).await.map_err(|e| from_node(&e))?;
        if claims == Claims::default() {
            return Ok(Vec::new());
        }
        Ok(vec![Candidate {
            asset: asset.clone(),
            token_contract: Some(asset.reference().to_owned()),
            listed: false,
            listed_symbol: None,
            claimed_symbol: claims.symbol.map(|symbol| Untrusted::new(&symbol)),
            claimed_name: claims.name.map(|name| Untrusted::new(&name)),
            decimals: claims.decimals,
        }])
    }

    pub(super) async fn status(
        &self,
        caller: &Caller,
        chain: &ChainId,
        txid: &str,
    ) -> Result<Answer, Complaint> {
        let story = self.story_of_tx(caller, txid).await?;
        let node = self.chain(chain)?;
        let sighting = node.sighting(txid).await.map_err(|e| from_node(&e))?;
        let revert_reason = match &sighting {
            // A display only: a node that cannot say why takes nothing from what is known.
            Sighting::Included { success: false, .. } => {
                node.revert_reason(txid).await.ok().flatten().map(|said| Untrusted::new(&said))
            }
            _ => None,
        };
        let stage = match &story {
            Some(story) => self.stage_of(story).await?,
            None => None,
        };
        let (block, depth, fee) = match &sighting {
            Sighting::Included { block, depth, fee, .. } => {
                (Some(*block), Some(*depth), Some(*fee))
            }
            Sighting::Pending | Sighting::Unknown => (None, None, None),
        };
        Ok(Answer::TxStatus(TxStatus {
            chain: chain.clone(),
            tx_hash: txid.to_owned(),
            status: became(&sighting, story.as_ref(), stage, txid),
            block,
            depth,
            fee,
            case: story.map(|story| story.id),
            revert_reason,
        }))
    }

    async fn stage_of(&self, story: &Story) -> Result<Option<Stage>, Complaint> {
        let id = story.id;
        let stage = self.engine().look(move |book| book.case(&id).and_then(|case| case.stage));
        stage.await.map_err(from_trouble)
    }

    pub(super) async fn history(
        &self,
        caller: &Caller,
        account: &AccountId,
        limit: u8,
    ) -> Result<Answer, Complaint> {
        let account = checked(account)?;
        let policy = self.policy().await?;
        let assets: Vec<AssetId> = policy.assets.iter().map(|info| info.asset.clone()).collect();
        let node = self.chain(&account.chain())?;
        let found =
            node.history(&account, &assets, usize::from(limit)).await.map_err(|e| from_node(&e))?;
        let mut transfers = Vec::with_capacity(found.len());
        for past in found {
            transfers.push(self.past(caller, &policy, past).await?);
        }
        let room = usize::from(limit).saturating_sub(transfers.len());
        let seen = transfers.iter().map(|past| past.tx_hash.clone()).collect();
        transfers.extend(self.sent_by_book(caller, &account, &policy, (seen, room)).await?);
        let incomplete = "what came in is told of recent blocks only: coin payments of the newest blocks, and events of \
            listed tokens; what this vault sent is told in full, newest first, up to the limit";
        Ok(Answer::TxHistory(TxHistory {
            account,
            transfers,
            incomplete: Some(incomplete.to_owned()),
        }))
    }

    /// What the book knows to have left an account and the node did not tell of: older than the blocks it was asked for.
    async fn sent_by_book(
        &self,
        caller: &Caller,
        account: &AccountId,
        policy: &PolicyDocument,
        (seen, room): (BTreeSet<String>, usize),
    ) -> Result<Vec<PastTransfer>, Complaint> {
        let mut sent = Vec::new();
        for id in self.settled(account, seen, room).await? {
            let Some(story) = self.visible(caller, id).await? else { continue };
            let (Some(txid), Some(transfer)) = (story.txid(), story.transfer().cloned()) else {
                continue;
            };
            let past = Past {
                txid,
                block: None,
                at: Some(story.filed_at),
                outgoing: true,
                counterparty: Some(transfer.to),
                asset: transfer.asset,
                amount: transfer.amount,
            };
            sent.push(self.past(caller, policy, past).await?);
        }
        Ok(sent)
    }

    async fn past(
        &self,
        caller: &Caller,
        policy: &PolicyDocument,
        past: Past,
    ) -> Result<PastTransfer, Complaint> {
        let story = if past.outgoing { self.story_of_tx(caller, &past.txid).await? } else { None };
        let memo = match story.as_ref().and_then(|s| s.transfer()).and_then(|t| t.memo.as_ref()) {
            Some(memo) => self.opening(memo).await.map(|opening| Untrusted::new(&opening.value)),
            None => None,
        };
        Ok(PastTransfer {
            tx_hash: past.txid,
            block: past.block,
            at: past.at,
            outgoing: past.outgoing,
            counterparty: past.counterparty,
            moved: plain(policy, &past.asset, past.amount),
            case: story.map(|story| story.id),
            memo,
        })
    }
}

/// The dearest price among fresh facts that seated sources signed.
fn quote(
    charter: &CharterText,
    places: u8,
    facts: &[SignedFact],
    oldest: Timestamp,
) -> Option<Quoted> {
    let mut best: Option<Quoted> = None;
    for fact in facts {
        let Fact::Price { decimals, micro, .. } = &fact.body.fact else { continue };
        let seat = charter.source(&fact.body.source, FactKind::Price);
        let signed = seat.is_some_and(|seat| fact.is_signed_by(&seat.key).unwrap_or(false));
        let ours =
            fact.body.vault == charter.vault && fact.body.at >= oldest && *decimals == places;
        if !signed || !ours {
            continue;
        }
        let quoted = best.get_or_insert_with(|| Quoted {
            micro: *micro,
            decimals: places,
            sources: Vec::new(),
            at: fact.body.at,
        });
        quoted.micro = quoted.micro.max(*micro);
        quoted.at = quoted.at.min(fact.body.at);
        quoted.sources.push(fact.body.source.clone());
    }
    best
}

/// What became of a transaction: final only by the book, which rests on a seated source's word.
fn became(sighting: &Sighting, story: Option<&Story>, stage: Option<Stage>, txid: &str) -> TxState {
    let final_by_book =
        story.filter(|story| story.closed.is_some()).map(|story| (story.state, story.txid()));
    match (final_by_book, sighting) {
        (Some((State::Closed(Outcome::Settled), Some(last))), _) if last == txid => TxState::Final,
        (Some((State::Closed(Outcome::Reverted), Some(last))), _) if last == txid => {
            TxState::Reverted
        }
        (Some((State::Closed(_), Some(last))), Sighting::Unknown) if last != txid => {
            TxState::Replaced
        }
        (Some((State::Closed(Outcome::Replaced), _)), _) => TxState::Replaced,
        (_, Sighting::Included { .. }) => TxState::Included,
        (_, Sighting::Pending) => TxState::Pending,
        (_, Sighting::Unknown) => match stage {
            Some(Stage::Replaced) => TxState::Replaced,
            Some(Stage::Dropped | Stage::Reorged) => TxState::Dropped,
            _ => TxState::Unknown,
        },
    }
}

/// An amount with what the policy knows of its asset.
pub(super) fn plain(policy: &PolicyDocument, asset: &AssetId, units: Amount) -> Holding {
    let info = policy.assets.iter().find(|info| info.asset == *asset);
    Holding {
        asset: asset.clone(),
        units,
        amount: info.map(|info| units.to_decimal(info.decimals)),
        decimals: info.map(|info| info.decimals),
        listed_symbol: info.map(|info| info.symbol.clone()),
        claimed_symbol: None,
        worth: None,
    }
}

pub(super) fn decimals(policy: &PolicyDocument, asset: &AssetId) -> Option<u8> {
    policy.assets.iter().find(|info| info.asset == *asset).map(|info| info.decimals)
}

fn listed_candidate(info: &AssetInfo) -> Candidate {
    let token = info.asset.namespace() == "erc20";
    Candidate {
        asset: info.asset.clone(),
        token_contract: token.then(|| info.asset.reference().to_owned()),
        listed: true,
        listed_symbol: Some(info.symbol.clone()),
        claimed_symbol: None,
        claimed_name: None,
        decimals: Some(info.decimals),
    }
}

fn unlisted(message: &str) -> Complaint {
    Complaint::new(Code::UnknownAsset, message)
}
