//! Delegations: let somebody stand in for a seat for a while, end it, show who stands in for whom.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_custody::Phase;
use quorate_gateway::office::{DelegationView, StatusView};
use quorate_host::random::Random;
use quorate_host::ui::{Tone, Ui};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::{DELEGATION_S_MAX, Delegation};
use quorate_terms::intent::Action;
use quorate_terms::policy::AssetInfo;
use quorate_terms::{Amount, AssetId, DelegationId, Timestamp};

use super::client::Desk;
use super::filing::{At, Filing};
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};

/// What to do with delegations.
#[derive(Subcommand, Debug)]
pub(crate) enum DelegationCommand {
    /// Ask the charter's quorum to let somebody stand in for a seat, on transfers alone.
    New(Box<NewArgs>),
    /// End a delegation at once; nobody need agree.
    End {
        /// The delegation.
        delegation: String,
        #[command(flatten)]
        filing: Filing,
    },
    /// Show who stands in for whom, until when, and how it ended.
    List {
        #[command(flatten)]
        at: At,
    },
}

/// Who stands in, and how far.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The enrolment that the stand-in made with `quorate-approvals enrol --approver SEAT --stand-in`.
    #[arg(long, value_name = "FILE")]
    enrolment: PathBuf,
    /// For how long: at most `30d`.
    #[arg(long = "for", value_name = "TIME")]
    length: String,
    /// How long from now it begins.
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// The seat itself must speak above this amount in whole units, fees included, and on every asset that is not named. A
    /// token needs its chain's coin beside it, for fees. Once or more.
    #[arg(long, value_name = "ASSET=AMOUNT")]
    above: Vec<String>,
    /// Its name, used once in the life of the vault. Made of the seat and chance by default.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    filing: Filing,
}

/// Obeys a `delegation` command.
pub(crate) async fn obey(ui: &Ui, command: &DelegationCommand) -> Tried<Ended> {
    match command {
        DelegationCommand::New(args) => {
            let seat: ApproverSeat = read::document(&args.enrolment)?;
            let desk = Desk::at(&args.filing.at.dir).await?;
            let delegation = args.compose(seat, &desk.status().await?)?;
            if !ui.is_json() {
                super::note(&words(&delegation));
            }
            let action = Action::Delegate { delegation: Box::new(delegation) };
            args.filing.file_and_show(ui, &desk, action, Vec::new()).await
        }
        DelegationCommand::End { delegation, filing } => {
            let action = Action::EndDelegation { delegation: delegation.parse()? };
            let desk = Desk::at(&filing.at.dir).await?;
            filing.file_and_show(ui, &desk, action, Vec::new()).await
        }
        DelegationCommand::List { at } => {
            let desk = Desk::at(&at.dir).await?;
            let all: Vec<DelegationView> = desk.ask("desk.delegations", &()).await?;
            ui.answer(&all, list(ui, &all))?;
            Ok(Ended::Well)
        }
    }
}

impl NewArgs {
    /// The delegation that these words ask for, by the desk's clock and the policy's assets.
    fn compose(&self, seat: ApproverSeat, status: &StatusView) -> Tried<Delegation> {
        let length = read::seconds("for", &self.length)?;
        if length == 0 || length > DELEGATION_S_MAX {
            let why = format!("`{}` is nothing or more than 30 days", self.length);
            let mend = "give at most `30d`; then delegate again";
            return Err(Trouble::new("for", why, mend));
        }
        let after = self.after.as_deref().map(|text| read::seconds("after", text)).transpose()?;
        let from = status.now.plus_s(after.unwrap_or(0));
        let above = limits(&self.above, &status.policy_document.assets)?;
        let time = (from, from.plus_s(length));
        let delegation = Delegation::of_enrolment(self.id(&seat)?, seat, time, above)?;
        delegation.check()?;
        let fit = delegation.check_fit(&status.charter_text);
        fit.map_err(|why| {
            let mend =
                "name a seat of the charter and somebody who holds none, with keys of their own";
            Trouble::new("enrolment", format!("does not fit: {why}"), mend)
        })?;
        Ok(delegation)
    }

    fn id(&self, seat: &ApproverSeat) -> Tried<DelegationId> {
        match &self.name {
            Some(name) => Ok(name.parse()?),
            None => {
                let chance = hex::encode(Random::start()?.bytes::<4>()?);
                Ok(Delegation::name_of(&seat.approver, &chance)?)
            }
        }
    }
}

/// The limits of `ASSET=AMOUNT` pairs; none where there are none.
fn limits(pairs: &[String], assets: &[AssetInfo]) -> Tried<Option<BTreeMap<AssetId, Amount>>> {
    let mut above = BTreeMap::new();
    for text in pairs {
        let (asset, amount) = read::pair("above", text, "`ASSET=AMOUNT`, such as `ETH=1.5`")?;
        let info = read::asset(asset, assets)?;
        let amount = Amount::from_decimal(amount, info.decimals)
            .map_err(|e| Trouble::new("above", e.why(), e.mend()))?;
        if above.insert(info.asset.clone(), amount).is_some() {
            let why = format!("names `{asset}` twice");
            return Err(Trouble::new("above", why, "give each asset once"));
        }
    }
    Ok((!above.is_empty()).then_some(above))
}

fn words(one: &Delegation) -> String {
    format!(
        "{} stands in for `{}` from {} until {}, as delegation {}",
        one.stand_in.person,
        one.seat,
        one.from.utc(),
        one.until.utc(),
        one.id
    )
}

fn list(ui: &Ui, all: &[DelegationView]) -> String {
    if all.is_empty() {
        return "nobody stands in for anybody; let somebody with `quorate delegation new`"
            .to_owned();
    }
    let mut table = Table::new(&["delegation", "stands in", "for", "from", "until", "state"]);
    for one in all {
        let holder = one.holder.as_ref().map_or_else(String::new, |who| format!(" ({who})"));
        table.row([
            one.id.as_str().into(),
            one.stand_in.as_str().into(),
            format!("{}{holder}", one.seat).into(),
            one.from.utc().into(),
            one.until.utc().into(),
            state(one),
        ]);
    }
    table.show(ui)
}

fn state(one: &DelegationView) -> Cell {
    let told = |at: Option<Timestamp>| at.map(|at| format!(" at {}", at.utc())).unwrap_or_default();
    match one.phase {
        Phase::Standing => Cell::toned(Tone::Good, "stands"),
        Phase::Granted => Cell::toned(Tone::Wait, "begins later"),
        Phase::Ended => {
            let cause = one.cause.as_deref().unwrap_or("over").replace('_', " ");
            let by = one.ended_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("{cause}{by}{}", told(one.ended_at)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Vec<AssetInfo> {
        let asset = "eip155:31337/slip44:60".parse().unwrap();
        vec![AssetInfo { asset, symbol: "DEV".to_owned(), name: "DEV".to_owned(), decimals: 18 }]
    }

    fn read(pairs: &[&str]) -> Tried<Option<BTreeMap<AssetId, Amount>>> {
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        limits(&pairs, &assets())
    }

    #[test]
    fn limits_are_read_in_whole_units_of_assets_that_the_policy_knows() {
        assert_eq!(read(&[]).unwrap(), None);
        let above = read(&["DEV=1.5"]).unwrap().unwrap();
        let units: Vec<String> = above.values().map(ToString::to_string).collect();
        assert_eq!(units, ["1500000000000000000"]);
        for bad in [&["DEV"][..], &["DEV="], &["XYZ=1"], &["DEV=-1"], &["DEV=1", "DEV=2"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
