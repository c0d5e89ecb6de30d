//! A warrant: unforgeable leave to sign exactly one draft. Everything that keeps funds safe meets here.
//!
//! It has private fields, no `Clone`, no encoding and one constructor; signing consumes it. Each of the four tests below
//! differs from one that compiles in the one line that is forbidden. It is used once:
//!
//! ```
//! fn once(warrant: quorate_custody::Warrant) -> [u8; 32] { warrant.spend().sighash }
//! fn mark(mark: &quorate_terms::entry::Marked) -> String { serde_json::to_string(mark).unwrap() }
//! ```
//!
//! It cannot be forged:
//!
//! ```compile_fail,E0451
//! fn forge(warrant: quorate_custody::Warrant, case: quorate_terms::CaseId) -> quorate_custody::Warrant {
//!     quorate_custody::Warrant { case, ..warrant }
//! }
//! ```
//!
//! nor cloned:
//!
//! ```compile_fail,E0599
//! fn twice(warrant: quorate_custody::Warrant) -> [u8; 32] { warrant.clone().spend().sighash }
//! ```
//!
//! nor sent:
//!
//! ```compile_fail,E0277
//! fn encode(warrant: &quorate_custody::Warrant) -> String { serde_json::to_string(warrant).unwrap() }
//! ```
//!
//! nor spent twice:
//!
//! ```compile_fail,E0382
//! fn twice(warrant: quorate_custody::Warrant) -> [u8; 32] { warrant.spend(); warrant.spend().sighash }
//! ```

use std::collections::BTreeSet;

use quorate_chains::{Draft, Effect as OnChain};
use quorate_policy::Usage;
use quorate_terms::entry::{Charge, Marked};
use quorate_terms::intent::SchemeName;
use quorate_terms::judgment::Judgment;
use quorate_terms::{CaseId, CosignerId, Digest, Timestamp, WalletId};

use crate::book::Wallet;
use crate::case::{Case, State};
use crate::charter::Charter;
use crate::dossier::Dossier;
use crate::limits;
use crate::refusal::Refusal;
use crate::rulings::Outside;

/// Leave to sign exactly these bytes for exactly this intent.
pub struct Warrant {
    case: CaseId,
    draft: Digest,
    sighash: [u8; 32],
    wallet: WalletId,
    epoch: u64,
    scheme: SchemeName,
    public_key: String,
    charter: Digest,
    mark: Marked,
}

/// What a spent warrant leaves: what is to be signed, by whom and with which key.
pub struct Leave {
    /// The case.
    pub case: CaseId,
    /// Digest of the draft.
    pub draft: Digest,
    /// The 32 bytes to sign.
    pub sighash: [u8; 32],
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of its shares.
    pub epoch: u64,
    /// How its key signs.
    pub scheme: SchemeName,
    /// Its public key, 33 bytes lower-case hex.
    pub public_key: String,
    /// Digest of the charter under which leave was given.
    pub charter: Digest,
}

impl Warrant {
    /// The only mint. Every rule that stands between a lying desk and the money is called from here, on the party's own
    /// fold, its own charter and its own clock.
    ///
    /// # Errors
    /// [`Refusal`] that says which rule forbids it, and what to do next.
    pub fn issue(
        charter: &Charter,
        dossier: &Dossier<'_>,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let case = dossier.case();
        let wallet = dossier.wallet().ok_or_else(|| {
            Refusal::new(
                "no_wallet",
                "the case spends from no known wallet",
                "open the wallet first",
            )
        })?;
        ground(charter, dossier, now)?;
        unfrozen(charter, dossier, &wallet.open.wallet)?;
        live(dossier, draft)?;
        if !bound(dossier, draft) {
            agreed(charter, dossier, now)?;
            within_policy(charter, dossier, now)?;
        }
        one_live_draft(charter, dossier, draft)?;
        safe_to_use(charter, wallet, draft)?;
        Ok(Self {
            case: case.id,
            draft: draft.digest(),
            sighash: draft.meaning().sighash,
            wallet: wallet.open.wallet.clone(),
            epoch: wallet.epoch,
            scheme: wallet.open.scheme,
            public_key: wallet.public_key.clone(),
            charter: charter.digest(),
            mark: mark(dossier, draft)?,
        })
    }

    /// The mark that the party makes durable before it takes part in `session`.
    pub fn mark(&self, session: Digest, checkpoint_size: u64) -> Marked {
        Marked { session, checkpoint_size, ..self.mark.clone() }
    }

    /// The case.
    pub const fn case(&self) -> CaseId {
        self.case
    }

    /// Digest of the draft.
    pub const fn draft(&self) -> Digest {
        self.draft
    }

    /// Consumes the warrant: signing takes what is left.
    pub fn spend(self) -> Leave {
        Leave {
            case: self.case,
            draft: self.draft,
            sighash: self.sighash,
            wallet: self.wallet,
            epoch: self.epoch,
            scheme: self.scheme,
            public_key: self.public_key,
            charter: self.charter,
        }
    }
}

/// The book is sound and this party's own charter is the one in force.
pub(crate) fn ground(
    charter: &Charter,
    dossier: &Dossier<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let book = dossier.book();
    if let Some((index, _)) = book.voids().next() {
        let message = format!("entry {index} of the book is void");
        let next = "find out who wrote it; the charter's quorum signs `resume`";
        return Err(Refusal::new("void_entry", message, next));
    }
    if book.charter_digest() != charter.digest() {
        let next = "wait for the delay of the charter change on this party's own clock";
        return Err(Refusal::new(
            "other_charter",
            "the book is under another charter than this party's",
            next,
        ));
    }
    if book.last_at() > now.plus_s(limits::CLOCK_SKEW_MAX_S) {
        let next = "set the clocks of desk and cosigner; `doctor` shows both";
        return Err(Refusal::new(
            "clock_skew",
            "the book's last entry is from this party's future",
            next,
        ));
    }
    Ok(())
}

fn unfrozen(charter: &Charter, dossier: &Dossier<'_>, wallet: &WalletId) -> Result<(), Refusal> {
    let case = dossier.case();
    let frozen = dossier.book().frozen(case).or_else(|| charter.frozen(Some(wallet), Some(case)));
    match frozen {
        None => Ok(()),
        Some(freeze) => Err(Refusal::new(
            "frozen",
            format!("signing is frozen by {}", freeze.short()),
            "the charter's quorum agrees to `quorate unfreeze`",
        )),
    }
}

/// The draft is the live one of a case that awaits a signature, and its bytes carry out the intent.
fn live(dossier: &Dossier<'_>, draft: &Draft) -> Result<(), Refusal> {
    let case = dossier.case();
    let live = case.live_draft().filter(|_| case.state == State::AwaitSignature);
    if live.is_none_or(|live| live.draft != draft.digest()) {
        let next = "send the entries up to the case's warrant and the draft that it names";
        return Err(Refusal::new("other_draft", "these bytes are not the case's live draft", next));
    }
    let mut before = case.clone();
    before.drafts.pop();
    dossier.book().check_draft(&before, draft)
}

/// Whether this draft cannot move more than can move anyway: it gives the case up, or the book holds a verified signature
/// that already carries the transfer out. A mark alone is no such proof; a run that failed has moved nothing.
fn bound(dossier: &Dossier<'_>, draft: &Draft) -> bool {
    draft.meaning().effect == OnChain::SelfSend || dossier.case().is_carried_out()
}

/// Approvals and expiry hold at this party's own now, under the policy in force.
fn agreed(charter: &Charter, dossier: &Dossier<'_>, now: Timestamp) -> Result<(), Refusal> {
    let (book, case) = (dossier.book(), &counted(charter, dossier));
    if now >= case.expires_at() {
        return Err(Refusal::new(
            "expired",
            "the case has expired by this party's clock",
            "file the intent again",
        ));
    }
    if case.policy() != Some(book.policy().digest()) {
        return Err(Refusal::new(
            "old_policy",
            "the case was judged under another policy",
            "file the intent again",
        ));
    }
    if case.is_agreed(book.charter(), book.policy(), now) {
        return Ok(());
    }
    let next = "file the intent again";
    Err(Refusal::new(
        "quorum_not_met",
        "the required quorums do not agree at this party's own time",
        next,
    ))
}

/// The case as this party counts it: a delegation that was taken back at its own door speaks for nobody, whatever the desk
/// says.
fn counted(charter: &Charter, dossier: &Dossier<'_>) -> Case {
    dossier.case().without(|delegation| charter.has_ended(delegation))
}

/// The judgment stands at this party's own now, and at the book's time where that is later: over the book's reservations,
/// and over all that this party has itself signed. What it has marked for this very case is charged there already.
fn within_policy(charter: &Charter, dossier: &Dossier<'_>, now: Timestamp) -> Result<(), Refusal> {
    let (book, case) = (dossier.book(), dossier.case());
    let met: BTreeSet<_> = counted(charter, dossier)
        .tallies(book.charter(), book.policy(), now)
        .into_iter()
        .filter(|tally| tally.is_met())
        .map(|tally| tally.quorum)
        .collect();
    let own = Some(charter.spent()).filter(|_| charter.marks(&case.id).is_empty());
    let later = Some(book.last_at()).filter(|at| *at > now);
    for at in std::iter::once(now).chain(later) {
        for usage in std::iter::once(book.usage()).chain(own) {
            stands(dossier, usage, at, &met)?;
        }
    }
    Ok(())
}

fn stands(
    dossier: &Dossier<'_>,
    usage: &Usage,
    at: Timestamp,
    met: &BTreeSet<quorate_terms::QuorumName>,
) -> Result<(), Refusal> {
    let (book, case) = (dossier.book(), dossier.case());
    let judged = case.judged.as_ref().ok_or_else(|| {
        Refusal::new(
            "not_judged",
            "the case has not been judged",
            "send the entries up to its judgment",
        )
    })?;
    // Facts were fresh when the case was judged; what they can do now is only to tighten, so their age is left aside.
    let outside = Outside { facts: &judged.facts, screening: &judged.counterparty_check };
    let ruling = book.rule_again(&case.intent, &outside, at, usage, case.id)?;
    match ruling.judgment {
        Judgment::Allow { .. } => Ok(()),
        Judgment::Require { quorums, .. } if quorums.is_subset(met) => Ok(()),
        Judgment::Require { .. } => {
            let next = "file the intent again so that the right people are asked";
            Err(Refusal::new(
                "quorum_not_met",
                "policy now asks for a quorum that has not agreed",
                next,
            ))
        }
        Judgment::Deny { reasons } => {
            let first = reasons.into_iter().next();
            let message = first.as_ref().map_or("policy denies it now".to_owned(), |r| {
                format!("policy denies it now: {}", r.message)
            });
            let code = first.as_ref().map_or("denied", |r| r.code.as_str()).to_owned();
            let next = first.map_or("change the policy or the intent".to_owned(), |r| r.next);
            Err(Refusal::new(&code, message, next))
        }
    }
}

/// Whatever this party has signed for the case conflicts on chain with this draft, and no other open case holds its nonce.
///
/// A nonce that was marked for a case that has since closed without it is free again: the two drafts conflict, so at most
/// one is ever on chain, and this party's own record goes on counting both. Otherwise one refused run would stop the
/// wallet for good.
fn one_live_draft(charter: &Charter, dossier: &Dossier<'_>, draft: &Draft) -> Result<(), Refusal> {
    let case = dossier.case();
    let live = case.live_draft().ok_or_else(|| {
        Refusal::new(
            "other_draft",
            "the case has no live draft",
            "send the entries up to its warrant",
        )
    })?;
    let next = "wait until what was signed is final";
    let conflicts =
        |mark: &Marked| mark.account == live.account && mark.nonce == draft.meaning().nonce;
    if !charter.marks(&case.id).iter().all(conflicts) {
        return Err(Refusal::new(
            "second_draft",
            "this party has signed a draft that this one does not conflict with",
            next,
        ));
    }
    match charter.case_of_nonce(&live.account, draft.meaning().nonce) {
        Some(other) if other != case.id && dossier.book().case(&other).is_some() => Err(
            Refusal::new("nonce_taken", "this party has signed another case with this nonce", next),
        ),
        _ => Ok(()),
    }
}

/// The key is not barred, and off development chains every share has a proven backup.
fn safe_to_use(charter: &Charter, wallet: &Wallet, draft: &Draft) -> Result<(), Refusal> {
    if wallet.barred.is_some() || charter.is_barred(&wallet.open.wallet) {
        let next = "only new shares, agreed to by two sides, bring this key back";
        return Err(Refusal::new("key_barred", "a cosigner is barred for this wallet", next));
    }
    let development = quorate_chains::is_development(&draft.meaning().chain);
    let missing: Vec<&CosignerId> = wallet.holders.difference(&wallet.backups).collect();
    if development || missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let message = format!("no proven backup of the shares of {}", names.join(", "));
    Err(Refusal::new(
        "no_backup",
        message,
        "run `quorate-cosigner backup make` and `backup verify` at each",
    ))
}

fn mark(dossier: &Dossier<'_>, draft: &Draft) -> Result<Marked, Refusal> {
    let case = dossier.case();
    let (Some(transfer), Some(live)) = (case.transfer(), case.live_draft()) else {
        return Err(Refusal::new("no_transfer", "the case is not a transfer", "report this"));
    };
    let charges: Vec<Charge> = case.judged.as_ref().map(|j| j.reserved.clone()).unwrap_or_default();
    Ok(Marked {
        case: case.id,
        session: Digest::ZERO,
        draft: draft.digest(),
        account: live.account.clone(),
        nonce: draft.meaning().nonce,
        wallet: transfer.wallet.clone(),
        requester: case.intent.requester.clone(),
        counterparty: transfer.to.clone(),
        charges,
        checkpoint_size: 0,
    })
}
