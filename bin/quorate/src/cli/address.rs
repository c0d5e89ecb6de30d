//! The address book: list a recipient, take one off, show who is on it.

use std::collections::BTreeMap;

use clap::{Subcommand, ValueEnum};
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_terms::Term as _;
use quorate_terms::commitment::Opening;
use quorate_terms::entry::{AddressListed, Body, Entry};
use quorate_terms::intent::{Action, OwnerKind};
use quorate_terms::{AccountId, ChainId};

use super::client::Desk;
use super::filing::{At, Filing};
use super::table::Table;
use super::trouble::{Tried, Trouble};
use super::{Ended, ledger, read};

/// Where a beneficiary stands in its intent.
const BENEFICIARY: &str = "intent.beneficiary";

/// What to do with the address book.
#[derive(Subcommand, Debug)]
pub(crate) enum AddressCommand {
    /// List a recipient; usable after the policy's waiting time.
    Add {
        /// The address (EIP-55, with `--chain`), or account (CAIP-10).
        address: String,
        /// The chain of a bare address.
        #[arg(long)]
        chain: Option<String>,
        /// Who that is. The ledger keeps a commitment; the words can be erased.
        #[arg(long)]
        beneficiary: String,
        /// What the recipient is to us.
        #[arg(long, default_value = "third-party")]
        owner_kind: OwnerArg,
        #[command(flatten)]
        filing: Filing,
    },
    /// Take a recipient off the list, at once.
    Remove {
        /// The address (EIP-55, with `--chain`), or account (CAIP-10).
        address: String,
        /// The chain of a bare address.
        #[arg(long)]
        chain: Option<String>,
        #[command(flatten)]
        filing: Filing,
    },
    /// Show the list, as folded from the ledger.
    List {
        #[command(flatten)]
        at: At,
    },
}

/// What a recipient is to us.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum OwnerArg {
    /// Our own account elsewhere.
    Own,
    /// A client's.
    Client,
    /// Somebody else's.
    ThirdParty,
}

/// Obeys an `address` command.
pub(crate) async fn obey(ui: &Ui, command: &AddressCommand) -> Tried<Ended> {
    match command {
        AddressCommand::Add { address, chain, beneficiary, owner_kind, filing } => {
            let account = account(address, chain.as_deref())?;
            let opening = Opening::new(Random::start()?.salt()?, BENEFICIARY, beneficiary)?;
            let action = Action::ListAddress {
                account,
                beneficiary: opening.commitment()?,
                owner_kind: match owner_kind {
                    OwnerArg::Own => OwnerKind::Own,
                    OwnerArg::Client => OwnerKind::Client,
                    OwnerArg::ThirdParty => OwnerKind::ThirdParty,
                },
            };
            let desk = Desk::at(&filing.at.dir).await?;
            filing.file_and_show(ui, &desk, action, vec![opening]).await
        }
        AddressCommand::Remove { address, chain, filing } => {
            let action = Action::RemoveAddress { account: account(address, chain.as_deref())? };
            let desk = Desk::at(&filing.at.dir).await?;
            filing.file_and_show(ui, &desk, action, Vec::new()).await
        }
        AddressCommand::List { at } => {
            let desk = Desk::at(&at.dir).await?;
            let mut book = BTreeMap::new();
            ledger::each(ui, &desk, |line| fold(&mut book, line)).await?;
            let listed: Vec<&AddressListed> = book.values().collect();
            ui.answer(&listed, text(ui, &listed))?;
            Ok(Ended::Well)
        }
    }
}

fn account(text: &str, chain: Option<&str>) -> Tried<AccountId> {
    let chain: ChainId = match (chain, text.rsplit_once(':')) {
        (Some(chain), _) => read::chain(chain)?,
        (None, Some((chain, _))) => read::chain(chain)?,
        (None, None) => {
            let mend = "give CAIP-10 such as `eip155:1:0x…`, or `--chain`";
            return Err(Trouble::new("address", "names no chain", mend));
        }
    };
    Ok(quorate_chains::parse_account(text, &chain)?)
}

fn fold(book: &mut BTreeMap<AccountId, AddressListed>, line: &str) -> Tried<()> {
    match Entry::from_canonical(line.as_bytes())?.body {
        Body::AddressListed(listed) => {
            book.insert(listed.address.clone(), *listed);
        }
        Body::AddressRemoved(removed) => {
            book.remove(&removed.address);
        }
        _ => {}
    }
    Ok(())
}

fn text(ui: &Ui, listed: &[&AddressListed]) -> String {
    if listed.is_empty() {
        return "no recipients are listed".to_owned();
    }
    let mut table = Table::new(&["recipient", "kind", "usable from", "case"]);
    for address in listed {
        let kind = match address.owner_kind {
            OwnerKind::Own => "own",
            OwnerKind::Client => "client",
            OwnerKind::ThirdParty => "third party",
        };
        table.row([
            address.address.as_str().into(),
            kind.into(),
            address.usable_from.utc().into(),
            address.case.intent().short().into(),
        ]);
    }
    table.show(ui)
}
