//! What fired and still needs a person: seen, taken and ended. Each is an entry, so nobody closes an alert unseen.

use clap::{Args, Subcommand};
use quorate_host::ui::{Tone, Ui};
use quorate_terms::entry::Severity;
use quorate_terms::{Digest, PersonId};

use super::Ended;
use super::client::Desk;
use super::filing::At;
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use quorate_gateway::office::{AlertRequest, AlertView};

/// What can be done with alerts.
#[derive(Subcommand, Debug)]
pub(crate) enum AlertCommand {
    /// List the alerts that nobody has closed.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Take an alert: say that you look into it.
    Take(One),
    /// End an alert, with what came of it.
    Close {
        #[command(flatten)]
        one: One,
        /// What came of it, as a short code such as `mended` or `false_alarm`.
        #[arg(long)]
        disposition: String,
    },
}

/// One alert, and who deals with it.
#[derive(Args, Debug)]
pub(crate) struct One {
    #[command(flatten)]
    at: At,
    /// The alert, or the first digits of it.
    alert: String,
    /// The person who deals with it, by pseudonym.
    #[arg(long, default_value = "operator")]
    person: String,
}

/// Obeys an `alert` command.
pub(crate) async fn obey(ui: &Ui, command: &AlertCommand) -> Tried<Ended> {
    let left = match command {
        AlertCommand::List { at } => Desk::at(&at.dir).await?.status().await?.alerts,
        AlertCommand::Take(one) => one.deal(None).await?,
        AlertCommand::Close { one, disposition } => one.deal(Some(disposition.clone())).await?,
    };
    ui.answer(&left, text(ui, &left))?;
    Ok(Ended::Well)
}

impl One {
    async fn deal(&self, disposition: Option<String>) -> Tried<Vec<AlertView>> {
        let person: PersonId = self.person.parse()?;
        let desk = Desk::at(&self.at.dir).await?;
        let alert = find(&desk.status().await?.alerts, &self.alert)?;
        desk.ask("desk.alert", &AlertRequest { alert, person, disposition }).await
    }
}

/// The one open alert whose digest begins so.
fn find(open: &[AlertView], start: &str) -> Tried<Digest> {
    let mut found = open.iter().filter(|view| view.alert.to_string().starts_with(start));
    let mend = "give more digits, as `quorate alert list` shows them";
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.alert),
        (None, _) => {
            Err(Trouble::new("alert", format!("no open alert begins with `{start}`"), mend))
        }
        _ => Err(Trouble::new("alert", format!("several open alerts begin with `{start}`"), mend)),
    }
}

fn text(ui: &Ui, open: &[AlertView]) -> String {
    if open.is_empty() {
        return "no open alerts\n".to_owned();
    }
    let mut table = Table::new(&["alert", "rule", "severity", "about", "since", "taken by"]);
    for AlertView { alert, open } in open {
        let severity = match open.severity {
            Severity::Low => Cell::toned(Tone::Wait, "low"),
            Severity::High => Cell::toned(Tone::Bad, "high"),
            Severity::Critical => Cell::toned(Tone::Bad, "critical"),
        };
        let taken = open.taken_by.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        table.row([
            alert.short().into(),
            open.rule.as_str().into(),
            severity,
            open.subject.as_str().into(),
            open.raised_at.utc().into(),
            taken.into(),
        ]);
    }
    table.show(ui)
}
