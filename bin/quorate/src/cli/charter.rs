//! The charter: show it, propose a change of it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_host::ui::Ui;
use quorate_policy::Policy;
use quorate_terms::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::intent::Action;

use super::client::Desk;
use super::filing::{At, Filing, show};
use super::lost::{self, LostArgs};
use super::policy::pretty;
use super::trouble::{Tried, Trouble};
use super::{Ended, read};

/// What to do with the charter.
#[derive(Subcommand, Debug)]
pub(crate) enum CharterCommand {
    /// Show the charter in force, as JSON.
    Show {
        #[command(flatten)]
        at: At,
    },
    /// Propose a charter; it comes in force once the present quorum has agreed and the delay has passed.
    Propose {
        /// The new charter. Its version and predecessor are set for you.
        file: PathBuf,
        #[command(flatten)]
        filing: Filing,
    },
    /// A key is lost: propose the charter without it, and open the checklist that goes with it.
    Lost(Box<LostArgs>),
}

/// Obeys a `charter` command.
pub(crate) async fn obey(ui: &Ui, command: &CharterCommand) -> Tried<Ended> {
    match command {
        CharterCommand::Show { at } => {
            let status = Desk::at(&at.dir).await?.status().await?;
            ui.answer(&status.charter_text, pretty(&status.charter_text)?)?;
            Ok(Ended::Well)
        }
        CharterCommand::Propose { file, filing } => propose(ui, file, filing).await,
        CharterCommand::Lost(args) => lost::obey(ui, args).await,
    }
}

/// Checks what must hold of any charter, policy included.
///
/// # Errors
/// [`Trouble`] naming the first field that breaks a rule.
pub(crate) fn check(charter: &CharterText) -> Tried<()> {
    charter.check()?;
    Policy::load(&charter.policy).map(drop).map_err(|problems| {
        let first = problems.into_iter().next().map(Trouble::from);
        let unnamed = || Trouble::new("policy", "has a problem", "run `quorate policy check`");
        first.unwrap_or_else(unnamed).within("charter.policy")
    })
}

async fn propose(ui: &Ui, file: &Path, filing: &Filing) -> Tried<Ended> {
    let mut charter: CharterText = read::document(file)?;
    let desk = Desk::at(&filing.at.dir).await?;
    let status = desk.status().await?;
    charter.version = status.charter_text.version.saturating_add(1);
    charter.previous = Some(status.charter);
    check(&charter)?;
    if charter.vault != status.charter_text.vault {
        let mend = format!("name `{}`", status.charter_text.vault);
        return Err(Trouble::new("charter.vault", "is another vault", mend));
    }
    if !ui.is_json() {
        super::note(&format!("approvers will see charter digest {}", charter.digest()?));
    }
    let action = Action::ChangeCharter { charter: Box::new(charter) };
    let (key, view) = filing.file(ui, &desk, action, Vec::new()).await?;
    show(ui, &key, &view)
}
