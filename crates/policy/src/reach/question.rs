//! A question that nobody asked, put to two policies.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::policy::AssetInfo;
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, Amount, AssetId, IdempotencyKey, WalletId};

use super::edges::{Edges, base_units};
use super::times::Moment;
use super::{Answer, Way};
use crate::ask::{Ask, Facts};
use crate::policy::Policy;
use crate::usage::Usage;
use crate::words::{fraction, millionths};

/// All of a question but the amount.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) asset: AssetId,
    pub(super) around: Around,
    pub(super) who: String,
    pub(super) wallet: String,
    pub(super) to: To,
}

/// One question with both answers.
pub(super) struct Seen {
    pub(super) asked: Asked,
    pub(super) amount: Amount,
    /// By their numbers: an answer may name very many quorums.
    pub(super) answers: (usize, usize),
    pub(super) way: Way,
}

/// Every answer once, with its number.
#[derive(Default)]
pub(super) struct Numbered(BTreeMap<Answer, usize>);

impl Numbered {
    fn number(&mut self, answer: Answer) -> usize {
        let next = self.0.len();
        *self.0.entry(answer).or_insert(next)
    }

    /// The answers, each in its place.
    pub(super) fn all(self) -> Vec<Answer> {
        let mut all: Vec<(Answer, usize)> = self.0.into_iter().collect();
        all.sort_by_key(|(_, number)| *number);
        all.into_iter().map(|(answer, _)| answer).collect()
    }
}

/// Somebody who asks.
pub(super) struct Who {
    pub(super) label: String,
    pub(super) requester: Requester,
}

/// How long a recipient has been on the address list, as far as either policy weighs it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Listing {
    /// Not at all.
    Not,
    /// At least so many seconds, and less than so many where more would be usable elsewhere too.
    For { least_s: u64, below_s: Option<u64> },
}

/// To whom, and how well known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct To {
    /// None for whom neither policy names.
    pub(super) account: Option<AccountId>,
    pub(super) listing: Listing,
    pub(super) known: bool,
}

/// What came of screening a recipient. Who is flagged is denied by every policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Screened {
    Not,
    Clear,
    Unanswered,
}

/// What is weighed beside the transfer itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Around {
    pub(super) when: Moment,
    /// Millionths of the chain's coin; none for the least.
    pub(super) fee: Option<i64>,
    /// Cents; none where nobody knows it.
    pub(super) value: Option<i64>,
    /// None for people, and where neither policy weighs it.
    pub(super) band: Option<Band>,
    /// None where neither policy weighs it.
    pub(super) screened: Option<Screened>,
}

impl Around {
    /// In words, as far as either policy weighs it.
    pub(super) fn told(&self, edges: &Edges) -> String {
        let fee = match self.fee {
            Some(fee) => format!("a fee of {} coins", millionths(fee)),
            None => "the least fee".to_owned(),
        };
        let value = match self.value {
            Some(cents) => format!("worth {}", fraction(cents, 2)),
            None => "of unknown worth".to_owned(),
        };
        let screened = self.screened.map(|screened| match screened {
            Screened::Not => "not screened",
            Screened::Clear => "screened and clear",
            Screened::Unanswered => "screening failed",
        });
        let said = [
            self.when.told(),
            (!edges.fees.is_empty()).then_some(fee),
            (!edges.values.is_empty()).then_some(value),
            self.band.map(|band| format!("band {band}")),
            screened.map(str::to_owned),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// One question.
pub(super) struct Question<'a> {
    pub(super) info: &'a AssetInfo,
    pub(super) who: &'a Who,
    pub(super) wallet: &'a (WalletId, String),
    pub(super) to: &'a To,
    /// Whom it pays, and whose own account it is not.
    pub(super) account: AccountId,
    /// The wallet's own account.
    pub(super) own: AccountId,
    pub(super) around: Around,
    pub(super) amount: Amount,
}

impl Question<'_> {
    /// Both answers; none where it cannot be put as an intent.
    pub(super) fn ask(
        &self,
        (old, new): (&Policy, &Policy),
        numbered: &mut Numbered,
    ) -> Option<Seen> {
        let (was, is) = (self.answer(old)?, self.answer(new)?);
        let way = Way::between((&was, old.document()), (&is, new.document()));
        let answers = (numbered.number(was), numbered.number(is));
        let asked = Asked {
            asset: self.info.asset.clone(),
            around: self.around,
            who: self.who.label.clone(),
            wallet: self.wallet.1.clone(),
            to: self.to.clone(),
        };
        Some(Seen { asked, amount: self.amount, answers, way })
    }

    fn answer(&self, policy: &Policy) -> Option<Answer> {
        let intent = self.intent(policy)?;
        let facts = self.facts(policy);
        // Policy, charter and unfreezing are not asked about, so whose the charter's quorum is does not matter.
        let governance =
            Quorum { name: "probe".parse().ok()?, m: 1, members: BTreeSet::new(), parties: None };
        let ask = Ask {
            intent: &intent,
            at: self.around.when.at,
            facts: &facts,
            governance: &governance,
            exclude: None,
        };
        Some(Answer::of(&crate::judge(policy, &ask, &Usage::default()).judgment))
    }

    fn intent(&self, policy: &Policy) -> Option<Intent> {
        let asset = &self.info.asset;
        let coin = policy.coin(&asset.chain());
        // An agent that can pay no fee can pay nothing, so a token is never asked about without one.
        let least = if asset.is_native() { Amount::ZERO } else { Amount::from_u128(1) };
        let fee = self.around.fee.zip(coin).and_then(|(fee, coin)| base_units(fee, coin.decimals));
        Some(Intent {
            v: 1,
            vault: policy.document().vault.clone(),
            requester: self.who.requester.clone(),
            key: IdempotencyKey::new("probe").ok()?,
            action: Action::Transfer(Transfer {
                wallet: self.wallet.0.clone(),
                asset: asset.clone(),
                to: self.account.clone(),
                amount: self.amount,
                fee_ceiling: fee.unwrap_or(least),
                memo: None,
            }),
        })
    }

    fn facts(&self, policy: &Policy) -> Facts {
        let at = self.around.when.at;
        let listed = match self.to.listing {
            Listing::Not => None,
            Listing::For { least_s, .. } => Some(at.minus_s(least_s)),
        };
        let provider = || "probe".to_owned();
        Facts {
            band: self.who.requester.agent().map(|_| self.around.band.unwrap_or(Band::Broadcast)),
            credential_wallets: BTreeSet::from([self.wallet.0.clone()]),
            credential_expires_at: Some(at.plus_s(1)),
            wallet_exists: true,
            wallet_chains: BTreeSet::from([self.info.asset.chain()]),
            wallet_account: Some(self.own.clone()),
            recipient_usable_from: listed.map(|listed| policy.usable_from(listed)),
            recipient_known: self.to.known,
            value_cents: self
                .around
                .value
                .and_then(|cents| u128::try_from(cents).ok())
                .map(Amount::from_u128),
            screening: match self.around.screened {
                Some(Screened::Clear) => {
                    CounterpartyCheck::Performed { provider: provider(), flagged: false }
                }
                Some(Screened::Unanswered) => {
                    CounterpartyCheck::Failed { provider: provider(), error: "none".to_owned() }
                }
                Some(Screened::Not) | None => CounterpartyCheck::NotPerformed,
            },
            ..Facts::default()
        }
    }
}
