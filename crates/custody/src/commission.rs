//! Leave for what is not a transaction: generating a key, and a drill that proves a backup.

use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, OpenWallet};
use quorate_terms::{CaseId, Digest, Timestamp, WalletId};

use crate::book::Book;
use crate::case::State;
use crate::charter::Charter;
use crate::dossier::Dossier;
use crate::refusal::Refusal;
use crate::warrant::ground;

/// Leave to take part in generating exactly one wallet's key. No `Clone`, no encoding; the ceremony consumes it.
pub struct Commission {
    case: CaseId,
    open: OpenWallet,
    charter: Digest,
}

impl Commission {
    /// The only mint.
    ///
    /// # Errors
    /// [`Refusal`] that says which rule forbids it.
    pub fn issue(
        charter: &Charter,
        dossier: &Dossier<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let (book, case) = (dossier.book(), dossier.case());
        ground(charter, dossier, now)?;
        let Action::OpenWallet(open) = &case.intent.action else {
            return Err(Refusal::new(
                "no_wallet",
                "the case opens no wallet",
                "name the case of `wallet new`",
            ));
        };
        if case.state != State::AwaitCeremony || now >= case.expires_at() {
            return Err(Refusal::new(
                "not_awaited",
                "the case awaits no key, or has expired",
                "file it again",
            ));
        }
        if !case.is_agreed(book.charter(), book.policy(), now) {
            return Err(Refusal::new(
                "quorum_not_met",
                "the required quorums do not agree",
                "have them approve",
            ));
        }
        if case.policy() != Some(book.policy().digest()) {
            let next = "file the intent again";
            return Err(Refusal::new("old_policy", "it was judged under another policy", next));
        }
        let stops = |scope: &Scope| match scope {
            Scope::Vault => true,
            Scope::Wallet { wallet } => *wallet == open.wallet,
            Scope::Agent { .. } => false,
        };
        if book.freezes().chain(charter.freezes()).any(|(_, scope)| stops(scope)) {
            return Err(Refusal::new(
                "frozen",
                "the vault or this wallet is frozen",
                "the charter's quorum agrees to unfreeze",
            ));
        }
        if book.wallet(&open.wallet).is_some() {
            return Err(Refusal::new(
                "has_key",
                "the wallet has a key already",
                "choose another name",
            ));
        }
        Ok(Self { case: case.id, open: open.clone(), charter: charter.digest() })
    }

    /// The case.
    pub const fn case(&self) -> CaseId {
        self.case
    }

    /// Consumes the commission: case, what to open, and the charter under which leave was given.
    pub fn spend(self) -> (CaseId, OpenWallet, Digest) {
        (self.case, self.open, self.charter)
    }
}

/// Leave to take part in one drill: signing a message that is no transaction, with a share from a backup.
pub struct Drill {
    wallet: WalletId,
    epoch: u64,
    public_key: String,
    charter: Digest,
}

impl Drill {
    /// The only mint: a wallet that the book knows and that nobody is barred for.
    ///
    /// # Errors
    /// [`Refusal`] that says which rule forbids it.
    pub fn issue(charter: &Charter, book: &Book, wallet: &WalletId) -> Result<Self, Refusal> {
        let known = book.wallet(wallet).ok_or_else(|| {
            Refusal::new("no_wallet", "there is no such wallet", "open the wallet first")
        })?;
        if book.charter_digest() != charter.digest() {
            let next = "wait for its delay";
            return Err(Refusal::new("other_charter", "the book is under another charter", next));
        }
        if known.barred.is_some() || charter.is_barred(wallet) {
            let next = "make new shares";
            return Err(Refusal::new("key_barred", "a cosigner is barred for this wallet", next));
        }
        Ok(Self {
            wallet: wallet.clone(),
            epoch: known.epoch,
            public_key: known.public_key.clone(),
            charter: charter.digest(),
        })
    }

    /// Consumes the drill: wallet, epoch, public key, and the charter under which leave was given.
    pub fn spend(self) -> (WalletId, u64, String, Digest) {
        (self.wallet, self.epoch, self.public_key, self.charter)
    }
}
