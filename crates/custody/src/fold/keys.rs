//! Keys, backups and bars.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chains::Draft;
use quorate_terms::canonical::Term;
use quorate_terms::entry::{BackupVerified, Entry, KeyGenerated, PeerBanned, Signed, WalletOpened};
use quorate_terms::intent::Action;
use quorate_terms::{AccountId, ChainId, CosignerId, Digest};

use super::{need, void};
use crate::book::{Book, Wallet};
use crate::case::{Case, State};
use crate::refusal::Refusal;

impl Book {
    pub(super) fn fold_key(&mut self, made: &KeyGenerated, entry: &Entry) -> Result<(), Refusal> {
        let case = self.open_case(&made.case)?;
        need(case.state == State::AwaitCeremony, "the case awaits no key")?;
        // Each holder asked for agreement at its own time before it took part; here its signed word says that it did.
        let Action::OpenWallet(open) = &case.intent.action else {
            return Err(void("the case opens no wallet"));
        };
        let says = open.wallet == made.wallet
            && open.scheme == made.scheme
            && open.purpose == made.purpose
            && made.method == "dkg";
        need(says, "the key is for another wallet, purpose or scheme")?;
        need(!self.state.wallets.contains_key(&made.wallet), "the wallet has a key already")?;
        self.check_statements(made)?;
        let wallet = Wallet {
            open: open.clone(),
            case: made.case,
            public_key: made.public_key.clone(),
            epoch: 0,
            holders: made.holders.clone(),
            accounts: BTreeMap::new(),
            backups: BTreeSet::new(),
            barred: None,
        };
        accounts(&wallet)?;
        self.state.wallets.insert(made.wallet.clone(), wallet);
        self.state.wallet_entries.entry(made.wallet.clone()).or_default().push(entry.index);
        self.case_mut(&made.case, entry.index).map(|_| ())
    }

    /// Every seated cosigner says the same of the key, under its own signature.
    pub(crate) fn check_statements(&self, made: &KeyGenerated) -> Result<(), Refusal> {
        let mut said = BTreeSet::new();
        for statement in &made.statements {
            let body = &statement.body;
            let seat = self
                .charter
                .cosigner(&body.cosigner)
                .ok_or_else(|| void("a stranger speaks of the key"))?;
            need(
                seat.identity.verifies(&body.digest()?, &statement.signature),
                "a statement is not its holder's own",
            )?;
            let agrees = body.v == 1
                && body.vault == self.charter.vault
                && body.wallet == made.wallet
                && body.epoch == 0
                && body.ceremony == made.ceremony
                && body.public_key == made.public_key;
            need(agrees, "the holders do not say the same of the key")?;
            said.insert(body.cosigner.clone());
        }
        let seats: BTreeSet<CosignerId> =
            self.charter.cosigners.iter().map(|c| c.cosigner.clone()).collect();
        need(said == seats && made.holders == seats, "not every cosigner speaks of the key")?;
        let transcripts: BTreeSet<Digest> =
            made.statements.iter().map(|s| s.body.transcript).collect();
        need(transcripts.len() == 1, "the holders saw different messages")?;
        let shares = u8::try_from(seats.len()).unwrap_or(u8::MAX);
        need(
            made.threshold == self.charter.threshold && made.shares == shares,
            "the threshold is not the charter's",
        )
    }

    pub(super) fn fold_opened(
        &mut self,
        opened: &WalletOpened,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.open_case(&opened.case)?;
        need(case.state == State::AwaitCeremony, "the case awaits no wallet")?;
        let wallet = self.wallet(&opened.wallet).ok_or_else(|| void("the wallet has no key"))?;
        need(
            wallet.case == opened.case && wallet.accounts.is_empty(),
            "the wallet was opened before",
        )?;
        let accounts = accounts(wallet)?;
        let expected = self.wallet_opened(opened.case, wallet)?;
        need(expected == *opened, "the entry does not say what the intent says")?;
        if let Some(wallet) = self.state.wallets.get_mut(&opened.wallet) {
            wallet.accounts = accounts;
        }
        self.state.wallet_entries.entry(opened.wallet.clone()).or_default().push(entry.index);
        self.case_mut(&opened.case, entry.index).map(|case| case.state = State::AwaitAct)
    }

    /// The entry that puts a wallet into service.
    pub(crate) fn wallet_opened(
        &self,
        case: quorate_terms::CaseId,
        wallet: &Wallet,
    ) -> Result<WalletOpened, Refusal> {
        Ok(WalletOpened {
            wallet: wallet.open.wallet.clone(),
            case,
            tier: wallet.open.tier,
            chains: wallet.open.chains.clone(),
            accounts: accounts(wallet)?.into_values().collect(),
            reason: wallet.open.purpose.clone(),
        })
    }

    pub(super) fn fold_backup(&mut self, proven: &BackupVerified) -> Result<(), Refusal> {
        self.check_backup(proven)?;
        let body = &proven.statement.body;
        if let Some(wallet) = self.state.wallets.get_mut(&body.wallet) {
            wallet.backups.insert(body.cosigner.clone());
        }
        Ok(())
    }

    /// Everything that must hold of a holder's word on a backup.
    pub(crate) fn check_backup(&self, proven: &BackupVerified) -> Result<(), Refusal> {
        let body = &proven.statement.body;
        let seat = self
            .charter
            .cosigner(&body.cosigner)
            .ok_or_else(|| void("no such cosigner has a seat"))?;
        need(
            seat.identity.verifies(&body.digest()?, &proven.statement.signature),
            "the statement is not its holder's own",
        )?;
        need(
            body.v == 1 && body.vault == self.charter.vault && body.wallet == proven.wallet,
            "it is about another wallet",
        )?;
        let wallet = self.wallet(&body.wallet).ok_or_else(|| void("there is no such wallet"))?;
        need(
            body.epoch == wallet.epoch && wallet.holders.contains(&body.cosigner),
            "it is about another epoch",
        )
    }

    pub(super) fn fold_barred(&mut self, barred: &PeerBanned) -> Result<(), Refusal> {
        self.check_bar(barred)?;
        if let Some(wallet) = self.state.wallets.get_mut(&barred.wallet) {
            wallet.barred = Some(barred.holder.clone());
        }
        Ok(())
    }

    /// Whether a bar names seats and a wallet that exist. Who says so is not asked: a bar only tightens.
    pub(crate) fn check_bar(&self, barred: &PeerBanned) -> Result<(), Refusal> {
        let seated = |c: &CosignerId| self.charter.cosigner(c).is_some();
        need(seated(&barred.holder) && seated(&barred.by), "no such cosigner has a seat")?;
        need(self.wallet(&barred.wallet).is_some(), "there is no such wallet")
    }

    /// What a signature over a draft of the case makes, checked by libsecp256k1. Session, cosigners, library and checkpoint
    /// are the caller's word.
    pub(crate) fn signed(
        &self,
        case: &Case,
        draft: &Draft,
        rs: [u8; 64],
        recovery: u8,
    ) -> Result<Signed, Refusal> {
        let transfer = case.transfer().ok_or_else(|| void("the case is not a transfer"))?;
        let wallet =
            self.wallet(&transfer.wallet).ok_or_else(|| void("there is no such wallet"))?;
        let key = public_key(&wallet.public_key)?;
        let done = quorate_chains::sign(draft, rs, recovery, &key)?;
        let mut signature = rs.to_vec();
        signature.push(recovery);
        Ok(Signed {
            case: case.id,
            wallet: transfer.wallet.clone(),
            key_epoch: wallet.epoch,
            scheme: wallet.open.scheme,
            library: String::new(),
            draft: draft.digest(),
            sighash: hex::encode(draft.meaning().sighash),
            signature: hex::encode(signature),
            public_key: wallet.public_key.clone(),
            transaction: hex::encode(&done.bytes),
            txid: done.txid,
            cosigners: BTreeSet::new(),
            session: Digest::ZERO,
            checkpoint_size: 0,
            verified_by: VERIFIER.to_owned(),
            purpose: "transaction".to_owned(),
        })
    }
}

/// The independent library that verifies every threshold signature, as entries name it.
pub(crate) const VERIFIER: &str = "libsecp256k1 (secp256k1 0.33)";

/// A public key as entries write it.
pub(crate) fn public_key(text: &str) -> Result<[u8; 33], Refusal> {
    let bytes = hex::decode(text).map_err(|_| void("the public key is not hex"))?;
    bytes.try_into().map_err(|_| void("the public key is not 33 bytes"))
}

/// The account of a wallet's key on each of its chains.
fn accounts(wallet: &Wallet) -> Result<BTreeMap<ChainId, AccountId>, Refusal> {
    let key = public_key(&wallet.public_key)?;
    let on = |chain: &ChainId| Ok((chain.clone(), quorate_chains::account(chain, &key)?));
    wallet.open.chains.iter().map(on).collect()
}
