//! Questions that nobody asked, put to two policies.

use std::collections::BTreeSet;

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, Amount, AssetId, IdempotencyKey, QuorumName, Timestamp, WalletId};

use super::edges::{Edges, base_units};
use super::{Answer, PROBES_MAX, Row, Way};
use crate::ask::{Ask, Facts};
use crate::policy::Policy;
use crate::usage::Usage;
use crate::words::{fraction, millionths, quoted, span, weekday};

/// All of a question but the amount, as people call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) asset: AssetId,
    pub(super) around: String,
    pub(super) who: String,
    pub(super) wallet: String,
    pub(super) to: String,
}

/// One question with both answers.
pub(super) struct Seen {
    pub(super) asked: Asked,
    pub(super) amount: Amount,
    pub(super) answers: (Answer, Answer),
    pub(super) way: Way,
}

/// Somebody who asks.
struct Who {
    label: String,
    requester: Requester,
}

/// To whom, and how well known.
struct To {
    label: String,
    account: Option<AccountId>,
    known: bool,
    /// Listed so long ago, in seconds.
    listed_s: Option<u64>,
}

/// What is weighed beside the transfer itself.
struct Circumstance {
    label: String,
    at: Timestamp,
    fee: Option<i64>,
    value: Option<Amount>,
    screened: bool,
    band: Band,
}

/// Asks both policies; gives what they said, how many questions that were, and how many there are.
pub(super) fn ask(old: &Policy, new: &Policy, edges: &Edges) -> (Vec<Seen>, usize, usize) {
    let (whos, wallets) = (whos(edges), wallets(edges));
    let (tos, circumstances) = (tos(old, new, edges), circumstances(edges));
    let mut questions = Vec::new();
    for (info, amounts) in edges.assets.values() {
        for who in &whos {
            for wallet in &wallets {
                for to in &tos {
                    for around in &circumstances {
                        let all = amounts.iter();
                        questions.extend(all.map(|amount| Question {
                            info,
                            who,
                            wallet,
                            to,
                            around,
                            amount: *amount,
                        }));
                    }
                }
            }
        }
    }
    let total = questions.len();
    let step = total.div_ceil(PROBES_MAX).max(1);
    let seen: Vec<Seen> =
        questions.iter().step_by(step).filter_map(|one| one.ask(old, new)).collect();
    let asked = seen.len();
    (seen, asked, total)
}

struct Question<'a> {
    info: &'a AssetInfo,
    who: &'a Who,
    wallet: &'a (WalletId, String),
    to: &'a To,
    around: &'a Circumstance,
    amount: Amount,
}

impl Question<'_> {
    /// Both answers; none where the asset's chain has no account to pay.
    fn ask(&self, old: &Policy, new: &Policy) -> Option<Seen> {
        let asset = &self.info.asset;
        let chain = asset.chain();
        let account = |last: &str| format!("{chain}:0x{last:0>40}").parse::<AccountId>().ok();
        let to = match &self.to.account {
            Some(named) if named.chain() == chain => named.clone(),
            Some(_) => return None,
            None => account("a11ce")?,
        };
        let answers = (
            self.answer(old, (&to, account("0fee")?))?,
            self.answer(new, (&to, account("0fee")?))?,
        );
        let way = Way::between((&answers.0, old.document()), (&answers.1, new.document()));
        let asked = Asked {
            asset: asset.clone(),
            around: self.around.label.clone(),
            who: self.who.label.clone(),
            wallet: self.wallet.1.clone(),
            to: self.to.label.clone(),
        };
        Some(Seen { asked, amount: self.amount, answers, way })
    }

    fn answer(&self, policy: &Policy, (to, own): (&AccountId, AccountId)) -> Option<Answer> {
        let asset = &self.info.asset;
        let coin = policy.coin(&asset.chain());
        // An agent that can pay no fee can pay nothing, so a token is never asked about without one.
        let least = if asset.is_native() { Amount::ZERO } else { Amount::from_u128(1) };
        let fee = self.around.fee.zip(coin).and_then(|(fee, coin)| base_units(fee, coin.decimals));
        let intent = Intent {
            v: 1,
            vault: policy.document().vault.clone(),
            requester: self.who.requester.clone(),
            key: IdempotencyKey::new("probe").ok()?,
            action: Action::Transfer(Transfer {
                wallet: self.wallet.0.clone(),
                asset: asset.clone(),
                to: to.clone(),
                amount: self.amount,
                fee_ceiling: fee.unwrap_or(least),
                memo: None,
            }),
        };
        let listed = self.to.listed_s.map(|ago| self.around.at.minus_s(ago));
        let facts = Facts {
            band: self.who.requester.agent().map(|_| self.around.band),
            credential_wallets: BTreeSet::from([self.wallet.0.clone()]),
            credential_expires_at: Some(self.around.at.plus_s(1)),
            wallet_exists: true,
            wallet_chains: BTreeSet::from([asset.chain()]),
            wallet_account: Some(own),
            recipient_usable_from: listed.map(|listed| policy.usable_from(listed)),
            recipient_known: self.to.known,
            value_cents: self.around.value,
            screening: match self.around.screened {
                true => {
                    CounterpartyCheck::Performed { provider: "probe".to_owned(), flagged: false }
                }
                false => CounterpartyCheck::NotPerformed,
            },
            ..Facts::default()
        };
        // Policy, charter and unfreezing are not asked about, so whose the charter's quorum is does not matter.
        let governance =
            Quorum { name: "probe".parse().ok()?, m: 1, members: BTreeSet::new(), parties: None };
        let ask = Ask {
            intent: &intent,
            at: self.around.at,
            facts: &facts,
            governance: &governance,
            exclude: None,
        };
        Some(Answer::of(&crate::judge(policy, &ask, &Usage::default()).judgment))
    }
}

fn whos(edges: &Edges) -> Vec<Who> {
    let mut all = Vec::new();
    let agent = |label: String, id: &str| -> Option<Who> {
        let requester =
            Requester::Agent { agent: id.parse().ok()?, credential: "probe".parse().ok()? };
        Some(Who { label, requester })
    };
    let person = |label: String, id: &str| -> Option<Who> {
        Some(Who { label, requester: Requester::Person { person: id.parse().ok()? } })
    };
    let other =
        |any: bool, one: &str| if any { format!("any {one}") } else { format!("any other {one}") };
    all.extend(
        edges
            .agents
            .iter()
            .filter_map(|id| agent(format!("agent {}", quoted(id.as_str())), id.as_str())),
    );
    all.extend(agent(other(edges.agents.is_empty(), "agent"), "an-agent-that-nobody-names"));
    all.extend(
        edges
            .people
            .iter()
            .filter_map(|id| person(format!("person {}", quoted(id.as_str())), id.as_str())),
    );
    all.extend(person(other(edges.people.is_empty(), "person"), "a-person-whom-nobody-names"));
    all
}

fn wallets(edges: &Edges) -> Vec<(WalletId, String)> {
    let named = edges.wallets.iter();
    let mut all: Vec<_> =
        named.map(|id| (id.clone(), format!("wallet {}", quoted(id.as_str())))).collect();
    let other = if all.is_empty() { "any wallet" } else { "any other wallet" };
    let unnamed = "a-wallet-that-nobody-names".parse().ok();
    all.extend(unnamed.map(|id| (id, other.to_owned())));
    all
}

fn tos(old: &Policy, new: &Policy, edges: &Edges) -> Vec<To> {
    let waits = [old.document().addresses.wait_s, new.document().addresses.wait_s];
    let (least, most) = (*waits.iter().min().unwrap_or(&0), *waits.iter().max().unwrap_or(&0));
    let mut all = Vec::new();
    let named =
        edges.accounts.iter().map(|account| (quoted(account.as_str()), Some(account.clone())));
    let mut whoms: Vec<_> = named.collect();
    whoms.push(("a recipient".to_owned(), None));
    for (whom, account) in whoms {
        let mut push = |how: String, known, listed_s| {
            all.push(To {
                label: format!("{whom} {how}"),
                account: account.clone(),
                known,
                listed_s,
            });
        };
        push("never paid before".to_owned(), false, None);
        push("paid before".to_owned(), true, None);
        push(format!("listed for {} or longer", span(most)), false, Some(most));
        if least != most {
            push(format!("listed {} ago", span(least)), false, Some(least));
        }
    }
    all
}

fn circumstances(edges: &Edges) -> Vec<Circumstance> {
    let around = |numbers: &BTreeSet<i64>| -> Vec<Option<i64>> {
        let each = numbers.iter().flat_map(|n| [Some(*n), n.checked_add(1)]);
        let distinct: BTreeSet<i64> = each.flatten().collect();
        std::iter::once(None).chain(distinct.into_iter().map(Some)).collect()
    };
    let (fees, values) = (around(&edges.fees), around(&edges.values));
    let bands: &[Band] =
        if edges.bands { &[Band::Sign, Band::Broadcast] } else { &[Band::Broadcast] };
    let screenings: &[bool] = if edges.screening { &[false, true] } else { &[false] };
    let mut all = Vec::new();
    for (at, when) in &edges.times {
        for fee in &fees {
            for value in &values {
                for band in bands {
                    for screened in screenings {
                        let said = [
                            when.map(|(hour, day)| {
                                format!("{}, {hour:02}:00 to {hour:02}:59", weekday(day))
                            }),
                            fee.map(|fee| format!("a fee of {} coins", millionths(fee))),
                            match value {
                                Some(cents) => Some(format!("worth {}", fraction(*cents, 2))),
                                None => (values.len() > 1).then(|| "of unknown worth".to_owned()),
                            },
                            edges.bands.then(|| format!("band {band}")),
                            edges.screening.then(|| match screened {
                                true => "screened and clear".to_owned(),
                                false => "not screened".to_owned(),
                            }),
                        ];
                        all.push(Circumstance {
                            label: said.into_iter().flatten().collect::<Vec<_>>().join(", "),
                            at: *at,
                            fee: *fee,
                            value: value
                                .and_then(|v| u128::try_from(v).ok())
                                .map(Amount::from_u128),
                            screened: *screened,
                            band: *band,
                        });
                    }
                }
            }
        }
    }
    all
}

/// Who agrees to administration, where that changes.
pub(super) fn acts(old: &PolicyDocument, new: &PolicyDocument) -> Vec<Row> {
    let (was, is) = (&old.administration, &new.administration);
    let require = |name: &QuorumName| Answer::Require { quorums: BTreeSet::from([name.clone()]) };
    [
        ("any person: open a wallet", &was.wallets, &is.wallets),
        ("any person: admit an agent", &was.credentials, &is.credentials),
        ("any person: list a recipient", &was.addresses, &is.addresses),
    ]
    .into_iter()
    .filter_map(|(what, was, is)| {
        let (was, now) = (require(was), require(is));
        let way = Way::between((&was, old), (&now, new));
        let (was, now) = (was.told(old), now.told(new));
        (way != Way::Same).then(|| Row { way, what: what.to_owned(), was, now })
    })
    .collect()
}
