//! From the book's state to the facts that policy asks about, and from its ruling to the entry that records it.

use std::collections::BTreeSet;

use quorate_policy::{Ask, Facts, Policy, Ruling, Usage};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Judged, PrincipalKind};
use quorate_terms::fact::{CounterpartyCheck, Fact, SignedFact};
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::judgment::Judgment;
use quorate_terms::{Amount, CaseId, SourceId, Timestamp};

use crate::book::Book;
use crate::case::{Case, State};
use crate::limits;
use crate::refusal::Refusal;

/// What the doors bring to a judgment from outside the book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outside<'a> {
    /// Signed facts.
    pub facts: &'a [SignedFact],
    /// Whether the recipient was screened.
    pub screening: &'a CounterpartyCheck,
}

/// A ruling with what it was based on.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// The policy's answer.
    pub ruling: Ruling,
    /// The worth in cents of the reference currency, where any price was known.
    pub value: Option<Amount>,
}

impl Book {
    /// What policy says of `intent` at `at`. The same function serves the dry run, the entry, its replay and the warrant.
    ///
    /// # Errors
    /// [`Refusal`] when a fact is not signed by a source that the charter names, or is stale.
    pub fn rule(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
    ) -> Result<Ruled, Refusal> {
        self.rule_over(intent, outside, at, &self.state.usage, None)
    }

    /// As [`Book::rule`], over another usage and without counting the case's own reservation.
    pub(crate) fn rule_over(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
        usage: &Usage,
        exclude: Option<CaseId>,
    ) -> Result<Ruled, Refusal> {
        self.check_facts(outside.facts, at)?;
        self.check_reach(intent, at)?;
        let base = self.facts(intent, outside, at, exclude);
        Ok(self.weigh(intent, outside, at, usage, (base, exclude)))
    }

    /// Whether the quorums of a proposed policy can muster the parties that they demand: nobody is asked to agree to one that
    /// could never be met, nor to a delegation or a credential that could never be granted; and nobody is told that a stand-in
    /// was stopped by what stops agents alone. Policy knows no charter, so it is asked here.
    fn check_reach(&self, intent: &Intent, at: Timestamp) -> Result<(), Refusal> {
        match &intent.action {
            Action::ChangePolicy { policy } => {
                let mut quorums = policy.quorums.iter();
                Ok(quorums.try_for_each(|quorum| self.charter.check_parties(quorum))?)
            }
            Action::Delegate { delegation } => self.check_delegation(delegation, at),
            Action::IssueCredential { credential } => self.check_unstood(&credential.credential),
            Action::RevokeCredential { credential } => self.check_revocable(credential, at),
            _ => Ok(()),
        }
    }

    /// The same question at a later time, over another usage: facts were checked when the case was judged.
    pub(crate) fn rule_again(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
        usage: &Usage,
        case: CaseId,
    ) -> Result<Ruling, Refusal> {
        outside.facts.iter().try_for_each(|fact| self.check_fact(fact, at, None))?;
        // How much a requester may have waiting bounds filing; what was filed later must not stop what was agreed to.
        let base = Facts {
            open_cases: 0,
            pending_reservations: 0,
            ..self.facts(intent, outside, at, Some(case))
        };
        Ok(self.weigh(intent, outside, at, usage, (base, Some(case))).ruling)
    }

    fn weigh(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
        usage: &Usage,
        (base, exclude): (Facts, Option<CaseId>),
    ) -> Ruled {
        let prices = self.prices(intent, outside.facts);
        let value = prices.values().max().copied();
        let ask = |value_cents| {
            let facts = Facts { value_cents, ..base.clone() };
            let governance = &self.charter.governance;
            quorate_policy::judge(
                &self.policy,
                &Ask { intent, at, facts: &facts, governance, exclude },
                usage,
            )
        };
        let ruling = match (value, prices.len()) {
            (None, _) => ask(None),
            // One source alone can only tighten: the stricter of knowing its word and knowing nothing.
            (Some(_), 1) => stricter(ask(value), ask(None)),
            (Some(_), _) => ask(value),
        };
        Ruled { ruling, value }
    }

    /// The entry that records a ruling.
    ///
    /// # Errors
    /// [`Refusal`] as [`Book::rule`].
    pub fn judged(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
    ) -> Result<Judged, Refusal> {
        let exclude = Some(intent.case()?);
        let ruled = self.rule_over(intent, outside, at, &self.state.usage, exclude)?;
        self.judged_as(intent, outside, at, ruled)
    }

    pub(crate) fn judged_as(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
        ruled: Ruled,
    ) -> Result<Judged, Refusal> {
        let digest = intent.digest()?;
        let Ruled { ruling, value } = ruled;
        let transfer = match &intent.action {
            Action::Transfer(transfer) => Some(transfer),
            _ => None,
        };
        let (principal, principal_kind) = match &intent.requester {
            Requester::Agent { agent, .. } => (agent.to_string(), PrincipalKind::Agent),
            Requester::Person { person } => (person.to_string(), PrincipalKind::Person),
        };
        let info = transfer.and_then(|t| asset_info(&self.policy, t));
        let denied = ruling.judgment.is_deny();
        let reserved = if denied { None } else { ruling.claim.as_ref().map(|c| c.charges.clone()) };
        Ok(Judged {
            case: CaseId::of_intent(digest),
            intent: digest,
            kind: action_kind(&intent.action).to_owned(),
            principal,
            principal_kind,
            policy: self.policy.digest(),
            reasons: ruling.judgment.reasons().to_vec(),
            judgment: ruling.judgment,
            quorum_m: ruling.quorum_m,
            quorum_members: ruling.quorum_members,
            wallet: transfer.map(|t| t.wallet.clone()),
            chain: transfer.map(|t| t.asset.chain()),
            asset: transfer.map(|t| t.asset.clone()),
            amount: transfer.map(|t| t.amount),
            value,
            decimals: info,
            recipient: transfer.map(|t| t.to.clone()),
            budget: ruling.budgets,
            reserved: reserved.unwrap_or_default(),
            idempotency_key: intent.key.clone(),
            risk_class: ruling.risk_class,
            facts: outside.facts.to_vec(),
            counterparty_check: outside.screening.clone(),
            expires_at: at.plus_s(self.policy.document().limits.case_ttl_s),
        })
    }

    fn facts(
        &self,
        intent: &Intent,
        outside: &Outside<'_>,
        at: Timestamp,
        exclude: Option<CaseId>,
    ) -> Facts {
        let transfer = match &intent.action {
            Action::Transfer(transfer) => Some(transfer),
            _ => None,
        };
        let admitted = match &intent.requester {
            Requester::Agent { credential, .. } => self.credential(credential),
            Requester::Person { .. } => None,
        };
        let live = admitted.filter(|a| !a.revoked && a.credential.expires_at > at);
        let credential =
            live.map(|a| &a.credential).filter(|c| Some(&c.agent) == intent.requester.agent());
        let wallet = transfer.and_then(|t| self.wallet(&t.wallet));
        let (open_cases, pending_reservations) = self.open_of(&intent.requester, exclude);
        Facts {
            band: credential.map(|c| c.band),
            credential_wallets: credential.map(|c| c.wallets.clone()).unwrap_or_default(),
            credential_expires_at: credential.map(|c| c.expires_at),
            recipient_usable_from: transfer.and_then(|t| self.state.listed.get(&t.to)).copied(),
            recipient_known: transfer.is_some_and(|t| self.state.known.contains(&t.to)),
            value_cents: None,
            screening: self.screened(intent, outside),
            open_cases,
            pending_reservations,
            wallet_exists: wallet.is_some(),
            wallet_chains: wallet.map(|w| w.accounts.keys().cloned().collect()).unwrap_or_default(),
            wallet_account: transfer
                .and_then(|t| wallet.and_then(|w| w.accounts.get(&t.asset.chain())))
                .cloned(),
            balance: None,
            frozen: self.frozen_for(intent).map(|digest| format!("freeze {}", digest.short())),
            own_case: self.owns_target(intent),
        }
    }

    fn frozen_for(&self, intent: &Intent) -> Option<quorate_terms::Digest> {
        let transfer = matches!(intent.action, Action::Transfer(_));
        let probe = Case::new(
            CaseId::of_intent(quorate_terms::Digest::ZERO),
            intent.clone(),
            Timestamp::ZERO,
            0,
        );
        if transfer { self.frozen(&probe) } else { None }
    }

    fn owns_target(&self, intent: &Intent) -> bool {
        let Action::Cancel { case } = &intent.action else { return false };
        self.case(case).is_some_and(|target| target.intent.requester == intent.requester)
    }

    fn open_of(&self, requester: &Requester, exclude: Option<CaseId>) -> (u32, u32) {
        let mine = || self.cases_of(requester).filter(|c| Some(c.id) != exclude);
        let waits = |c: &&Case| c.state == State::AwaitApprovals && c.transfer().is_some();
        let (open, pending) = (mine().count(), mine().filter(waits).count());
        (u32::try_from(open).unwrap_or(u32::MAX), u32::try_from(pending).unwrap_or(u32::MAX))
    }

    /// An unsigned "clear" has no weight; an unsigned "listed" tightens.
    fn screened(&self, intent: &Intent, outside: &Outside<'_>) -> CounterpartyCheck {
        let Action::Transfer(transfer) = &intent.action else {
            return CounterpartyCheck::NotPerformed;
        };
        let signed: Vec<(&SourceId, bool)> = outside
            .facts
            .iter()
            .filter_map(|fact| match &fact.body.fact {
                Fact::Screening { account, flagged } if *account == transfer.to => {
                    Some((&fact.body.source, *flagged))
                }
                _ => None,
            })
            .collect();
        let flagged_word =
            matches!(outside.screening, CounterpartyCheck::Performed { flagged: true, .. });
        match signed.first() {
            _ if flagged_word => outside.screening.clone(),
            Some((source, _)) => {
                let flagged = signed.iter().any(|(_, flagged)| *flagged);
                CounterpartyCheck::Performed { provider: source.to_string(), flagged }
            }
            None if matches!(outside.screening, CounterpartyCheck::Failed { .. }) => {
                outside.screening.clone()
            }
            None => CounterpartyCheck::NotPerformed,
        }
    }

    /// Each source's price of the transfer's asset, as the worth of the amount in cents, rounded up.
    fn prices(
        &self,
        intent: &Intent,
        facts: &[SignedFact],
    ) -> std::collections::BTreeMap<SourceId, Amount> {
        let Action::Transfer(transfer) = &intent.action else { return Default::default() };
        let Some(places) = asset_info(&self.policy, transfer) else { return Default::default() };
        let mut worths = std::collections::BTreeMap::new();
        for fact in facts {
            let Fact::Price { asset, decimals, micro } = &fact.body.fact else { continue };
            if *asset == transfer.asset && *decimals == places {
                // A worth too large to reckon is the largest worth, never none; of a source's words the dearest counts.
                let worth = cents(transfer.amount, *micro, places).unwrap_or(Amount::MAX);
                let dearest = worths.entry(fact.body.source.clone()).or_insert(worth);
                *dearest = worth.max(*dearest);
            }
        }
        worths
    }

    /// Refuses facts that nobody with a seat signed, facts about another vault, and stale ones.
    pub(crate) fn check_facts(&self, facts: &[SignedFact], at: Timestamp) -> Result<(), Refusal> {
        if facts.len() > limits::FACTS_PER_CASE_MAX {
            return Err(Refusal::new(
                "too_many_facts",
                "too many facts came with one intent",
                "send fewer",
            ));
        }
        let age = self.policy.document().limits.fact_age_s.min(limits::FACT_AGE_MAX_S);
        facts.iter().try_for_each(|fact| self.check_fact(fact, at, Some(age)))
    }

    /// One fact: right vault, a seated source for its kind, its signature, not older than `age_s`, not from the future.
    pub(crate) fn check_fact(
        &self,
        fact: &SignedFact,
        at: Timestamp,
        age_s: Option<u64>,
    ) -> Result<(), Refusal> {
        let body = &fact.body;
        let refuse = |why: &str, next: &str| Err(Refusal::new("bad_fact", why, next));
        let Some(seat) = self.charter.source(&body.source, body.fact.kind()) else {
            return refuse(
                "no such source has a seat for facts of this kind",
                "name the source in the charter",
            );
        };
        if body.v != 1 || body.vault != self.charter.vault || !fact.is_signed_by(&seat.key)? {
            return refuse(
                "a fact is not its source's own word to this vault",
                "fetch it again from the source",
            );
        }
        if body.at > at.plus_s(limits::CLOCK_SKEW_MAX_S) {
            return refuse("a fact is from the future", "set the clocks of desk and source");
        }
        if age_s.is_some_and(|age| at > body.at.plus_s(age)) {
            return refuse("a fact is stale", "fetch it again from the source");
        }
        Ok(())
    }
}

/// The stricter of two rulings on the same intent.
fn stricter(a: Ruling, b: Ruling) -> Ruling {
    match (&a.judgment, &b.judgment) {
        (Judgment::Deny { .. }, _) => a,
        (_, Judgment::Deny { .. }) => b,
        (
            Judgment::Require { quorums: qa, reasons: ra },
            Judgment::Require { quorums: qb, reasons: rb },
        ) => {
            let quorums: BTreeSet<_> = qa.union(qb).cloned().collect();
            let mut reasons: Vec<_> = ra.iter().chain(rb).cloned().collect();
            reasons.sort();
            reasons.dedup();
            let members = a.quorum_members.union(&b.quorum_members).cloned().collect();
            let quorum_m = a.quorum_m.max(b.quorum_m);
            Ruling {
                judgment: Judgment::Require { quorums, reasons },
                quorum_members: members,
                quorum_m,
                ..a
            }
        }
        (Judgment::Require { .. }, Judgment::Allow { .. }) => a,
        (Judgment::Allow { .. }, _) => b,
    }
}

/// Worth in cents: amount x millionths / 10^decimals / 10^4, rounded up.
fn cents(amount: Amount, micro: Amount, decimals: u8) -> Option<Amount> {
    let product = amount.units().checked_mul(micro.units())?;
    let places = u32::from(decimals).checked_add(4)?;
    let scale = (0..places)
        .try_fold(Amount::from_u128(1), |scale, _| scale.checked_mul(Amount::from_u128(10)))?;
    let whole = product.checked_div(scale.units())?;
    let rest = product.checked_rem(scale.units())?;
    let up = if rest.is_zero() { Amount::ZERO } else { Amount::from_u128(1) };
    Amount::new(whole).checked_add(up)
}

fn asset_info(policy: &Policy, transfer: &Transfer) -> Option<u8> {
    let assets = &policy.document().assets;
    assets.iter().find(|info| info.asset == transfer.asset).map(|info| info.decimals)
}

/// The kind of an action, as entries and policies name it.
pub const fn action_kind(action: &Action) -> &'static str {
    match action {
        Action::Transfer(_) => "transfer",
        Action::Cancel { .. } => "cancel",
        Action::OpenWallet(_) => "open_wallet",
        Action::ChangePolicy { .. } => "change_policy",
        Action::ChangeCharter { .. } => "change_charter",
        Action::IssueCredential { .. } => "issue_credential",
        Action::RevokeCredential { .. } => "revoke_credential",
        Action::ListAddress { .. } => "list_address",
        Action::RemoveAddress { .. } => "remove_address",
        Action::Delegate { .. } => "delegate",
        Action::EndDelegation { .. } => "end_delegation",
        Action::Freeze { .. } => "freeze",
        Action::Unfreeze { .. } => "unfreeze",
    }
}
