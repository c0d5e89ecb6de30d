//! What a cosigner says of itself.

use std::collections::{BTreeMap, BTreeSet};

use quorate_cosigner::Party;
use quorate_host::ui::{Table, Tone, Ui};
use quorate_terms::freeze::Scope;
use quorate_terms::{CosignerId, Digest, Timestamp, VaultId, WalletId};
use serde::{Deserialize, Serialize};

/// The answer to `status`, and its JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    pub(crate) cosigner: CosignerId,
    pub(crate) vault: VaultId,
    /// Whether the daemon answered.
    pub(crate) running: bool,
    /// Digest of the charter in force here.
    pub(crate) charter: Digest,
    /// Entries in the replica.
    pub(crate) size: u64,
    /// Digest of its last entry.
    pub(crate) head: Digest,
    /// Root of its tree: what a checkpoint of this size must say.
    pub(crate) root: Digest,
    /// When the replica's last entry was made, by the desk's clock.
    pub(crate) book_at: Timestamp,
    /// Entries in the own ledger.
    pub(crate) own: u64,
    /// When its last entry was made.
    pub(crate) own_at: Timestamp,
    pub(crate) wallets: Vec<WalletView>,
    pub(crate) freezes: Vec<FreezeView>,
    /// Void entries that nobody has resumed from.
    pub(crate) voids: Vec<u64>,
    pub(crate) peers: BTreeMap<CosignerId, String>,
    /// Until when this cosigner may have signed what its own ledger does not say: since a restore without a record.
    pub(crate) forgotten_until: Option<Timestamp>,
    /// Alarms since the daemon started, by rule.
    pub(crate) alarms: BTreeMap<String, u64>,
    /// This cosigner's clock, in milliseconds since the epoch.
    pub(crate) clock: Timestamp,
}

/// One wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletView {
    pub(crate) wallet: WalletId,
    /// The book's public key; none while the book does not know the wallet.
    pub(crate) public_key: Option<String>,
    pub(crate) epoch: u64,
    /// Whether its share is unsealed here.
    pub(crate) share: bool,
    /// Whether somebody is barred, so that the key is frozen.
    pub(crate) barred: bool,
    /// Whether this cosigner's backup is proven.
    pub(crate) backup: bool,
    /// Holders without a proven backup: while there is one, the wallet signs on development chains only.
    pub(crate) unproven: BTreeSet<CosignerId>,
}

/// One freeze at this cosigner's own door or in the book.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreezeView {
    pub(crate) freeze: Digest,
    pub(crate) scope: Scope,
}

impl Status {
    pub(crate) fn of(party: &Party, now: Timestamp) -> Self {
        let (follower, charter) = (party.follower(), party.charter());
        let book = follower.book();
        let mut freezes: BTreeMap<Digest, Scope> = BTreeMap::new();
        freezes.extend(book.freezes().chain(charter.freezes()).map(|(d, s)| (*d, s.clone())));
        Self {
            cosigner: party.me().clone(),
            vault: book.vault().clone(),
            running: false,
            charter: charter.digest(),
            size: follower.size(),
            head: book.head(),
            root: follower.frontier().root(),
            book_at: book.last_at(),
            own: party.own().size(),
            own_at: party.own().last_at(),
            wallets: wallets(party),
            freezes: freezes
                .into_iter()
                .map(|(freeze, scope)| FreezeView { freeze, scope })
                .collect(),
            voids: book.voids().map(|(index, _)| index).collect(),
            peers: BTreeMap::new(),
            forgotten_until: charter.forgotten_until(),
            alarms: BTreeMap::new(),
            clock: now,
        }
    }

    pub(crate) fn to_text(&self, ui: Ui) -> String {
        let running = if self.running {
            ui.tone(Tone::Good, "runs")
        } else {
            ui.tone(Tone::Wait, "does not run")
        };
        let mut table = Table::new(&["wallet", "share", "key", "backup"]);
        for wallet in &self.wallets {
            let share = if wallet.share { "unsealed" } else { "sealed or none" };
            let key = if wallet.barred { "frozen" } else { "usable" };
            table.row([
                wallet.wallet.as_str(),
                share,
                key,
                if wallet.backup { "proven" } else { "not proven" },
            ]);
        }
        let mut text = format!(
            "{} of vault {} {running}\ncharter  {}\nreplica  {} entries, head {}, root {}\nown      {} entries\n{table}",
            self.cosigner,
            self.vault,
            self.charter,
            self.size,
            self.head.short(),
            self.root.short(),
            self.own,
        );
        for wallet in self.wallets.iter().filter(|wallet| !wallet.unproven.is_empty()) {
            let names: Vec<&str> = wallet.unproven.iter().map(CosignerId::as_str).collect();
            text.push_str(&format!(
                "{} {} signs on development chains only: no proven backup of {}; run `backup make` and `backup verify` there\n",
                ui.tone(Tone::Wait, "held back"),
                wallet.wallet,
                names.join(", "),
            ));
        }
        if let Some(until) = &self.forgotten_until {
            text.push_str(&format!(
                "record   a share was restored without its record: what it signed before {until} is not known here\n"
            ));
        }
        for (peer, state) in &self.peers {
            text.push_str(&format!("peer     {peer} {}\n", quorate_host::telemetry::safe(state)));
        }
        for freeze in &self.freezes {
            let scope = serde_json::to_string(&freeze.scope).unwrap_or_default();
            text.push_str(&format!(
                "{} {} {scope}\n",
                ui.tone(Tone::Bad, "frozen"),
                freeze.freeze.short()
            ));
        }
        for index in &self.voids {
            text.push_str(&format!("{} entry {index}\n", ui.tone(Tone::Bad, "void")));
        }
        for (rule, count) in &self.alarms {
            text.push_str(&format!("{} {rule} {count}\n", ui.tone(Tone::Bad, "alarm")));
        }
        text
    }
}

fn wallets(party: &Party) -> Vec<WalletView> {
    let book = party.follower().book();
    let mut views: BTreeMap<WalletId, WalletView> = BTreeMap::new();
    for wallet in party.wallets() {
        views.insert(wallet.clone(), view(party, wallet));
    }
    for (wallet, _) in book.wallets() {
        views.insert(wallet.clone(), view(party, wallet));
    }
    views.into_values().collect()
}

fn view(party: &Party, wallet: &WalletId) -> WalletView {
    let known = party.follower().book().wallet(wallet);
    WalletView {
        wallet: wallet.clone(),
        public_key: known.map(|w| w.public_key.clone()),
        epoch: known.map_or(0, |w| w.epoch),
        share: party.share(wallet).is_some(),
        barred: known.is_some_and(|w| w.barred.is_some()) || party.charter().is_barred(wallet),
        backup: known.is_some_and(|w| w.backups.contains(party.me())),
        unproven: known
            .map(|w| w.holders.difference(&w.backups).cloned().collect())
            .unwrap_or_default(),
    }
}
