//! Wallets: open one, list them.

use std::collections::BTreeSet;

use clap::{Subcommand, ValueEnum};
use quorate_host::ui::{Tone, Ui};
use quorate_terms::intent::{Action, OpenWallet, SchemeName, Tier};

use super::client::Desk;
use super::filing::{At, Filing};
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::{StatusView, WalletView};

/// What to do with wallets.
#[derive(Subcommand, Debug)]
pub(crate) enum WalletCommand {
    /// Open a wallet; the cosigners generate its key once the quorum has agreed.
    New {
        /// Its name.
        name: String,
        /// A chain on which it may be used (CAIP-2); repeat for more, all of one family.
        #[arg(long = "chain", required = true)]
        chains: Vec<String>,
        /// How exposed it is.
        #[arg(long, default_value = "hot")]
        tier: TierArg,
        /// What it is for, as a short code.
        #[arg(long, default_value = "operations")]
        purpose: String,
        #[command(flatten)]
        filing: Filing,
    },
    /// List the wallets with their accounts and backups.
    List {
        #[command(flatten)]
        at: At,
    },
}

/// How exposed a wallet is.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum TierArg {
    /// Signs on its own under policy.
    Hot,
    /// Signs with people.
    Warm,
    /// Signs in ceremonies.
    Cold,
}

/// Obeys a `wallet` command.
pub(crate) async fn obey(ui: &Ui, command: &WalletCommand) -> Tried<Ended> {
    match command {
        WalletCommand::New { name, chains, tier, purpose, filing } => {
            let open = opening(name, chains, *tier, purpose)?;
            let desk = Desk::at(&filing.at.dir).await?;
            reachable(&open, &desk.status().await?)?;
            filing.file_and_show(ui, &desk, Action::OpenWallet(open), Vec::new()).await
        }
        WalletCommand::List { at } => {
            let status = Desk::at(&at.dir).await?.status().await?;
            ui.answer(&status.wallets, wallets_text(ui, &status.wallets))?;
            Ok(Ended::Well)
        }
    }
}

/// A wallet on a chain that the desk reaches no node of could not be used, so people are not asked to agree to one.
fn reachable(open: &OpenWallet, status: &StatusView) -> Tried<()> {
    for chain in &open.chains {
        if !status.chains.contains_key(chain) {
            let why = format!("the desk has no node of `{chain}`");
            let mend = format!(
                "add `[chains.\"{chain}\"]` with its `rpc` to desk.toml and start the desk again"
            );
            return Err(Trouble::new("chain", why, mend));
        }
    }
    Ok(())
}

fn opening(name: &str, chains: &[String], tier: TierArg, purpose: &str) -> Tried<OpenWallet> {
    let chains = chains.iter().map(|c| read::chain(c)).collect::<Tried<BTreeSet<_>>>()?;
    let code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if purpose.is_empty() || purpose.len() > 64 || !purpose.bytes().all(code) {
        let mend = "give a short code of a-z, 0-9 and `-`; it stays in the ledger for ever";
        return Err(Trouble::new("purpose", "is not a short code", mend));
    }
    let tier = match tier {
        TierArg::Hot => Tier::Hot,
        TierArg::Warm => Tier::Warm,
        TierArg::Cold => Tier::Cold,
    };
    Ok(OpenWallet {
        wallet: name.parse()?,
        chains,
        scheme: SchemeName::Dkls23Secp256k1,
        tier,
        purpose: purpose.to_owned(),
    })
}

/// A table of wallets, one line for each account.
pub(crate) fn wallets_text(ui: &Ui, wallets: &[WalletView]) -> String {
    if wallets.is_empty() {
        return "no wallets; open one with `quorate wallet new`".to_owned();
    }
    let mut table = Table::new(&["wallet", "account", "backups", "key"]);
    for wallet in wallets {
        let backups = format!("{} of {}", wallet.backups.len(), wallet.holders.len());
        let proven = wallet.backups.len() >= wallet.holders.len();
        let tone = if proven { Tone::Good } else { Tone::Wait };
        let key = match &wallet.barred {
            Some(who) => Cell::toned(Tone::Bad, format!("frozen: {who} is barred")),
            None => Cell::toned(Tone::Good, "usable"),
        };
        let mut key = Some(key);
        for account in wallet.accounts.values() {
            let key = key.take().unwrap_or_else(|| "".into());
            let backups = Cell::toned(tone, &backups);
            table.row([wallet.wallet.as_str().into(), account.as_str().into(), backups, key]);
        }
    }
    table.show(ui)
}
