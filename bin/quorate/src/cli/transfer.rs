//! A person's transfer. It takes the same path as an agent's.

use clap::Args;
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_terms::commitment::Opening;
use quorate_terms::intent::{Action, Transfer};
use quorate_terms::policy::AssetInfo;
use quorate_terms::{AccountId, Amount};

use super::client::Desk;
use super::filing::Filing;
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::StatusView;

/// Where a memo stands in its intent.
const MEMO: &str = "intent.memo";

/// What to move.
#[derive(Args, Debug)]
pub(crate) struct TransferArgs {
    /// From this wallet.
    #[arg(long)]
    wallet: String,
    /// To this address (EIP-55), or account (CAIP-10).
    #[arg(long)]
    to: String,
    /// So much, in whole units such as `1.5`. Exactly one of this and `--amount-wei`.
    #[arg(long)]
    amount: Option<String>,
    /// So many base units.
    #[arg(long)]
    amount_wei: Option<String>,
    /// The asset: a symbol of the policy, or CAIP-19.
    #[arg(long)]
    asset: String,
    /// At most so much in fees, in whole units of the chain's own coin.
    #[arg(long)]
    fee_ceiling: String,
    /// A note. The ledger keeps a commitment; the words can be erased.
    #[arg(long)]
    memo: Option<String>,
    #[command(flatten)]
    filing: Filing,
}

/// Files a transfer.
pub(crate) async fn obey(ui: &Ui, args: &TransferArgs) -> Tried<Ended> {
    args.one_amount()?;
    let desk = Desk::at(&args.filing.at.dir).await?;
    let status = desk.status().await?;
    let transfer = args.compose(&status)?;
    if let Some(known) = look_alike(&transfer.to, &status) {
        return Err(Trouble::new(
            "to",
            format!("looks like wallet account `{known}` and is another"),
            "compare every digit with its source; poisoned histories hold such addresses",
        ));
    }
    let opening = match &args.memo {
        Some(memo) => Some(Opening::new(Random::start()?.salt()?, MEMO, memo)?),
        None => None,
    };
    let memo = opening.as_ref().map(Opening::commitment).transpose()?;
    let action = Action::Transfer(Transfer { memo, ..transfer });
    args.filing.file_and_show(ui, &desk, action, opening.into_iter().collect()).await
}

impl TransferArgs {
    fn one_amount(&self) -> Tried<()> {
        if self.amount.is_some() == self.amount_wei.is_some() {
            let why = if self.amount.is_some() { "is given twice" } else { "is missing" };
            let mend = "give exactly one of `--amount` and `--amount-wei`";
            return Err(Trouble::new("amount", why, mend));
        }
        Ok(())
    }

    fn compose(&self, status: &StatusView) -> Tried<Transfer> {
        let assets = &status.policy_document.assets;
        let info = read::asset(&self.asset, assets)?;
        let chain = info.asset.chain();
        let native = quorate_chains::native_asset(&chain)?;
        let coin = read::asset(native.as_str(), assets)?;
        let fee_ceiling = Amount::from_decimal(&self.fee_ceiling, coin.decimals)
            .map_err(|e| Trouble::new("fee-ceiling", e.why(), e.mend()))?;
        Ok(Transfer {
            wallet: self.wallet.parse()?,
            asset: info.asset.clone(),
            to: quorate_chains::parse_account(&self.to, &chain)?,
            amount: self.units(info)?,
            fee_ceiling,
            memo: None,
        })
    }

    fn units(&self, info: &AssetInfo) -> Tried<Amount> {
        let amount = match (&self.amount, &self.amount_wei) {
            (Some(decimal), _) => Amount::from_decimal(decimal, info.decimals)?,
            (None, units) => units.as_deref().unwrap_or_default().parse()?,
        };
        if amount.is_zero() {
            return Err(Trouble::new("amount", "is nothing", "give more than zero"));
        }
        Ok(amount)
    }
}

/// One of our own accounts that `to` only resembles.
fn look_alike<'a>(to: &AccountId, status: &'a StatusView) -> Option<&'a AccountId> {
    let mut ours = status.wallets.iter().flat_map(|wallet| wallet.accounts.values());
    ours.find(|account| quorate_chains::look_alike(to, account))
}
