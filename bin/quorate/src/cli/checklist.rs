//! Checklists for people who come, change post or leave: open one, see what is left, attest what one did, close it.

use std::path::PathBuf;

use clap::Subcommand;
use quorate_gateway::office::{ChecklistAct, ChecklistView, TaskView};
use quorate_host::random::Random;
use quorate_host::ui::{Tone, Ui};
use quorate_terms::entry::ChecklistEnd;
use quorate_terms::{IdempotencyKey, PersonId};

use super::Ended;
use super::client::Desk;
use super::filing::At;
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use crate::shown::{ChecklistSaid, Shown};

/// What to do with checklists.
#[derive(Subcommand, Debug)]
pub(crate) enum ChecklistCommand {
    /// Open one for a person.
    Open {
        /// The person whom it is about, by pseudonym.
        #[arg(value_name = "PERSON")]
        who: String,
        /// What happens to them: `joiner`, `mover` or `leaver`.
        #[arg(long)]
        change: String,
        /// In which post: `approver`, `cosigner`, `operator`, `auditor`, `viewer` or `agent_owner`.
        #[arg(long)]
        post: String,
        /// Your own name for this request; the same key is the same checklist. Drawn at random by default.
        #[arg(long)]
        key: Option<String>,
        /// Who opens it, by pseudonym; never the person whom it is about.
        #[arg(long, default_value = "operator")]
        person: String,
        #[command(flatten)]
        at: At,
    },
    /// List them, those that ended too.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show one: what is done, by whom, and what is left.
    Show {
        /// The checklist, or the first digits of it.
        checklist: String,
        #[command(flatten)]
        at: At,
    },
    /// Attest a task that you carried out, under your own credential.
    Attest {
        /// The checklist, or the first digits of it.
        checklist: String,
        /// The task.
        item: String,
        /// Your own token, the file that `quorate member new` wrote.
        #[arg(long)]
        token_file: PathBuf,
        /// Where the paper lies, as a short code such as a ticket's number. Never a name.
        #[arg(long)]
        reference: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Close one on which everything is done, or withdraw one that was opened in error.
    Close {
        /// The checklist, or the first digits of it.
        checklist: String,
        /// It was opened in error, or what it prepares will not happen.
        #[arg(long)]
        withdraw: bool,
        /// Who closes it, by pseudonym; never the person whom it is about.
        #[arg(long, default_value = "operator")]
        person: String,
        #[command(flatten)]
        at: At,
    },
}

/// Obeys a `member checklist` command.
pub(crate) async fn obey(ui: &Ui, command: &ChecklistCommand) -> Tried<Ended> {
    match command {
        ChecklistCommand::Open { who, change, post, key, person, at } => {
            let key = match key {
                Some(key) => IdempotencyKey::new(key.as_str())?,
                None => IdempotencyKey::new(hex::encode(Random::start()?.salt()?))?,
            };
            let (person, by) = (who.parse()?, person.parse()?);
            let act =
                ChecklistAct::Open { key, person, change: change.parse()?, post: post.parse()? };
            said(ui, &Desk::at(&at.dir).await?, act, Some(by), None).await
        }
        ChecklistCommand::List { at } => {
            let all = all(&Desk::at(&at.dir).await?).await?;
            ui.answer(&all, list(ui, &all))?;
            Ok(Ended::Well)
        }
        ChecklistCommand::Show { checklist, at } => {
            let view = find(&Desk::at(&at.dir).await?, checklist).await?;
            ui.answer(&view, one(ui, &view))?;
            Ok(Ended::Well)
        }
        ChecklistCommand::Attest { checklist, item, token_file, reference, at } => {
            let desk = Desk::at(&at.dir).await?;
            let checklist = find(&desk, checklist).await?.checklist;
            let reference = reference.as_deref().map(IdempotencyKey::new).transpose()?;
            let act = ChecklistAct::Attest { checklist, item: item.parse()?, reference };
            said(ui, &desk, act, None, Some(Shown::read(token_file)?)).await
        }
        ChecklistCommand::Close { checklist, withdraw, person, at } => {
            let desk = Desk::at(&at.dir).await?;
            let checklist = find(&desk, checklist).await?.checklist;
            let act = ChecklistAct::Close { checklist, withdraw: *withdraw };
            said(ui, &desk, act, Some(person.parse()?), None).await
        }
    }
}

async fn said(
    ui: &Ui,
    desk: &Desk,
    act: ChecklistAct,
    person: Option<PersonId>,
    token: Option<Shown>,
) -> Tried<Ended> {
    let view: ChecklistView =
        desk.ask("desk.checklist", &ChecklistSaid { person, token, act }).await?;
    ui.answer(&view, one(ui, &view))?;
    Ok(Ended::Well)
}

async fn all(desk: &Desk) -> Tried<Vec<ChecklistView>> {
    desk.ask("desk.checklists", &()).await
}

/// The one checklist whose digest begins so.
async fn find(desk: &Desk, start: &str) -> Tried<ChecklistView> {
    let all = all(desk).await?;
    let mut found = all.into_iter().filter(|view| view.checklist.to_string().starts_with(start));
    let why = match (found.next(), found.next()) {
        (Some(one), None) => return Ok(one),
        (None, _) => format!("none begins with `{start}`"),
        _ => format!("several begin with `{start}`"),
    };
    let mend = "give digits as `quorate member checklist list` shows them";
    Err(Trouble::new("checklist", why, mend))
}

fn state(view: &ChecklistView) -> Cell {
    let left = view.items.iter().filter(|item| !item.done).count();
    match view.end {
        Some(ChecklistEnd::Done) => Cell::toned(Tone::Good, "done"),
        Some(ChecklistEnd::Withdrawn) => Cell::toned(Tone::Faint, "withdrawn"),
        None if view.items.iter().any(|item| item.overdue) => {
            Cell::toned(Tone::Bad, format!("overdue, {left} left"))
        }
        None => Cell::toned(Tone::Wait, format!("{left} left")),
    }
}

fn list(ui: &Ui, all: &[ChecklistView]) -> String {
    if all.is_empty() {
        let next = "open one with `quorate member checklist open`";
        return format!("no checklist was ever opened; {next}");
    }
    let mut table = Table::new(&["checklist", "person", "change", "post", "since", "state"]);
    for view in all {
        table.row([
            view.checklist.short().into(),
            view.person.as_str().into(),
            view.change.as_str().into(),
            view.post.as_str().into(),
            view.opened_at.utc().into(),
            state(view),
        ]);
    }
    table.show(ui)
}

fn one(ui: &Ui, view: &ChecklistView) -> String {
    let mut about = Table::plain();
    about.row(["checklist".into(), view.checklist.to_string().into()]);
    about.row(["person".into(), view.person.as_str().into()]);
    about.row(["change".into(), format!("{}, {}", view.change, view.post).into()]);
    about.row(["opened by".into(), view.by.as_str().into()]);
    about.row(["template".into(), view.template.to_string().into()]);
    about.row(["state".into(), state(view)]);
    let mut tasks = Table::new(&["task", "done", "due", "what"]);
    for task in &view.items {
        tasks.row([
            task.item.as_str().into(),
            done(task),
            task.due_at.utc().into(),
            task.words.as_str().into(),
        ]);
    }
    format!("{}\n{}", about.show(ui), tasks.show(ui))
}

fn done(task: &TaskView) -> Cell {
    match (&task.by, task.done, task.shown_by_the_book) {
        (Some(by), ..) => Cell::toned(Tone::Good, format!("by {by}")),
        (None, true, _) => Cell::toned(Tone::Good, "the book shows it"),
        (None, false, _) if task.overdue => Cell::toned(Tone::Bad, "overdue"),
        (None, false, true) => Cell::toned(Tone::Wait, "the book will show it"),
        (None, false, false) => Cell::toned(Tone::Wait, "somebody attests it"),
    }
}
