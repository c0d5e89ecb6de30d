//! Freezing and unfreezing. Freezing takes nobody's agreement; unfreezing takes the charter's own quorum.

use std::collections::BTreeSet;

use clap::Args;
use quorate_host::ui::Ui;
use quorate_terms::Digest;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;

use super::client::Desk;
use super::filing::{Filing, show};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::StatusView;

/// What to freeze or unfreeze.
#[derive(Args, Debug)]
pub(crate) struct FreezeArgs {
    /// `vault`, `wallet:NAME` or `agent:NAME`.
    #[arg(long)]
    scope: String,
    #[command(flatten)]
    filing: Filing,
}

/// Freezes at once.
pub(crate) async fn freeze(ui: &Ui, args: &FreezeArgs) -> Tried<Ended> {
    let scope = read::scope(&args.scope)?;
    let desk = Desk::at(&args.filing.at.dir).await?;
    args.filing.file_and_show(ui, &desk, Action::Freeze { scope }, Vec::new()).await
}

/// Asks the charter's quorum to lift exactly the freezes of a scope that are in force now.
pub(crate) async fn unfreeze(ui: &Ui, args: &FreezeArgs) -> Tried<Ended> {
    let scope = read::scope(&args.scope)?;
    let desk = Desk::at(&args.filing.at.dir).await?;
    let lifts = in_force(&scope, &desk.status().await?)?;
    if !ui.is_json() {
        for freeze in &lifts {
            super::note(&format!("lifts freeze {freeze} of {}", read::scope_words(&scope)));
        }
    }
    let action = Action::Unfreeze { scope, lifts };
    let (key, view) = args.filing.file(ui, &desk, action, Vec::new()).await?;
    show(ui, &key, &view)
}

fn in_force(scope: &Scope, status: &StatusView) -> Tried<BTreeSet<Digest>> {
    let of_scope = status.freezes.iter().filter(|(_, frozen)| *frozen == scope);
    let lifts: BTreeSet<Digest> = of_scope.map(|(digest, _)| *digest).collect();
    if lifts.is_empty() {
        let others: Vec<String> = status.freezes.values().map(read::scope_words).collect();
        let mend = match others.as_slice() {
            [] => "nothing is frozen; nothing need be done".to_owned(),
            _ => format!("what is frozen: {}", others.join(", ")),
        };
        return Err(Trouble::new("scope", "is not frozen", mend));
    }
    Ok(lifts)
}
