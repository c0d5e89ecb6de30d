//! People at the console and the HTTP API: admit one in a role, list them, end a credential. Owners and approvers hold seats in
//! the charter instead.

use std::collections::BTreeSet;

use clap::Subcommand;
use quorate_gateway::office::CredentialView;
use quorate_host::ui::Ui;
use quorate_terms::Timestamp;
use quorate_terms::credential::Band;
use quorate_terms::intent::Action;

use super::Ended;
use super::agent::{Holder, NewCredential, state};
use super::checklist::{self, ChecklistCommand};
use super::client::Desk;
use super::filing::{At, Filing};
use super::table::Table;
use super::trouble::Tried;

/// What to do with people.
#[derive(Subcommand, Debug)]
pub(crate) enum MemberCommand {
    /// Admit a person; the token that signs them in goes to a new file of mode 0600 and is never printed.
    New {
        /// The person, by pseudonym.
        #[arg(value_name = "PERSON")]
        who: String,
        /// What they may do: `viewer`, `auditor` or `operator`.
        #[arg(long)]
        role: String,
        #[command(flatten)]
        credential: NewCredential,
    },
    /// List people with their roles.
    List {
        #[command(flatten)]
        at: At,
    },
    /// End a credential at once, and with it every session that it opened.
    Revoke {
        /// The credential.
        credential: String,
        #[command(flatten)]
        filing: Filing,
    },
    /// What is done, and who attested it, when people come, change post and leave.
    #[command(subcommand)]
    Checklist(ChecklistCommand),
}

/// Obeys a `member` command.
pub(crate) async fn obey(ui: &Ui, command: &MemberCommand) -> Tried<Ended> {
    match command {
        MemberCommand::New { who, role, credential } => {
            credential.admit(ui, who, holder(who, role)?).await
        }
        MemberCommand::List { at } => {
            let status = Desk::at(&at.dir).await?.status().await?;
            let people = |one: &CredentialView| one.role.is_some();
            let people: Vec<_> = status.credentials.into_iter().filter(people).collect();
            ui.answer(&people, list(ui, &people, status.now))?;
            Ok(Ended::Well)
        }
        MemberCommand::Checklist(command) => checklist::obey(ui, command).await,
        MemberCommand::Revoke { credential, filing } => {
            let action = Action::RevokeCredential { credential: credential.parse()? };
            let desk = Desk::at(&filing.at.dir).await?;
            filing.file_and_show(ui, &desk, action, Vec::new()).await
        }
    }
}

/// A person in a role.
pub(super) fn holder(who: &str, role: &str) -> Tried<Holder> {
    Ok(Holder {
        agent: "console".parse()?,
        owner: who.parse()?,
        band: Band::Read,
        wallets: BTreeSet::new(),
        role: Some(role.parse()?),
    })
}

fn list(ui: &Ui, people: &[CredentialView], now: Timestamp) -> String {
    if people.is_empty() {
        return "nobody has a role; admit somebody with `quorate member new`".to_owned();
    }
    let mut table = Table::new(&["person", "role", "credential", "expires", "state"]);
    for one in people {
        table.row([
            one.owner.as_str().into(),
            one.role.map_or("", |role| role.as_str()).into(),
            one.credential.as_str().into(),
            one.expires_at.utc().into(),
            state(one, now),
        ]);
    }
    table.show(ui)
}
