//! Cases: list, show, watch; give one up, raise its fees, take its receipt, erase its personal values.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use quorate_custody::State;
use quorate_host::ui::{Tone, Ui};
use quorate_terms::entry::Outcome;
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;
use quorate_terms::{CaseId, Digest, PersonId};
use serde_json::json;

use super::client::Desk;
use super::filing::{At, Filing, follow, verdict};
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::{
    CaseRequest, CaseView, CasesRequest, EraseRequest, ReceiptAnswer, outcome_word,
};

/// How many cases are looked through for the beginning of an id.
const SEARCHED: u32 = 10_000;

/// What to do with cases.
#[derive(Subcommand, Debug)]
pub(crate) enum CaseCommand {
    /// List the open cases, newest last.
    List {
        #[command(flatten)]
        at: At,
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one case.
    Show(One),
    /// Watch one case until it is over.
    Watch {
        #[command(flatten)]
        one: One,
        /// Give up watching after so long; the case goes on.
        #[arg(long, default_value = "1h")]
        timeout: String,
    },
}

/// One case.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// The case: its 64 hex digits, or the first few of them.
    case: String,
    #[command(flatten)]
    at: At,
}

/// A case to give up.
#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// The case to give up.
    case: String,
    #[command(flatten)]
    filing: Filing,
}

/// Values to destroy.
#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    one: One,
    /// Whose values they are, by pseudonym; it stays in the ledger for ever.
    #[arg(long)]
    subject: String,
    /// The person who erases, by pseudonym.
    #[arg(long, default_value = "operator")]
    person: String,
}

/// A receipt to take.
#[derive(Args, Debug)]
pub(crate) struct ReceiptArgs {
    #[command(flatten)]
    one: One,
    /// Write it to a new file instead of standard output.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Obeys a `case` command.
pub(crate) async fn obey(ui: &Ui, command: &CaseCommand) -> Tried<Ended> {
    match command {
        CaseCommand::List { at, all, limit } => {
            let desk = Desk::at(&at.dir).await?;
            let request = CasesRequest { all: *all, limit: *limit };
            let views: Vec<CaseView> = desk.ask("desk.cases", &request).await?;
            ui.answer(&views, cases_text(ui, &views))?;
            Ok(Ended::Well)
        }
        CaseCommand::Show(one) => {
            let desk = Desk::at(&one.at.dir).await?;
            let view = one.view(&desk).await?;
            ui.answer(&view, case_text(ui, &view))?;
            Ok(Ended::Well)
        }
        CaseCommand::Watch { one, timeout } => {
            let within = read::seconds("timeout", timeout)?;
            let desk = Desk::at(&one.at.dir).await?;
            let view = one.view(&desk).await?;
            let view = follow(ui, &desk, view, within).await?;
            ui.answer(&view, case_text(ui, &view))?;
            Ok(verdict(&view))
        }
    }
}

/// Asks that a case be given up.
pub(crate) async fn cancel(ui: &Ui, args: &CancelArgs) -> Tried<Ended> {
    let desk = Desk::at(&args.filing.at.dir).await?;
    let case = find(&desk, &args.case).await?;
    args.filing.file_and_show(ui, &desk, Action::Cancel { case }, Vec::new()).await
}

/// Asks for a draft of the same nonce with higher fees.
pub(crate) async fn speed_up(ui: &Ui, one: &One) -> Tried<Ended> {
    let desk = Desk::at(&one.at.dir).await?;
    let case = find(&desk, &one.case).await?;
    let view: CaseView = desk.ask("desk.replace", &CaseRequest { case }).await?;
    ui.answer(&view, case_text(ui, &view))?;
    Ok(Ended::Well)
}

/// Takes a case's receipt.
pub(crate) async fn receipt(ui: &Ui, args: &ReceiptArgs) -> Tried<Ended> {
    let desk = Desk::at(&args.one.at.dir).await?;
    let case = find(&desk, &args.one.case).await?;
    let answer: ReceiptAnswer = desk.ask("desk.receipt", &CaseRequest { case }).await?;
    let Some(path) = &args.out else {
        let value =
            json!({ "case": case, "witnesses": answer.witnesses, "receipt": answer.receipt });
        ui.answer(&value, &answer.receipt)?;
        return Ok(Ended::Well);
    };
    read::write_new(path, answer.receipt.as_bytes())?;
    let path = path.display().to_string();
    let value = json!({ "case": case, "witnesses": answer.witnesses, "file": path });
    let text = format!(
        "receipt    {path}\nwitnesses  {}\nverify it with `quorate-verify receipt {path} --policy verify.json`",
        answer.witnesses
    );
    ui.answer(&value, text)?;
    Ok(Ended::Well)
}

/// Destroys the personal values of a case.
pub(crate) async fn erase(ui: &Ui, args: &EraseArgs) -> Tried<Ended> {
    let person = args.person.parse()?;
    args.subject.parse::<PersonId>().map_err(|e| Trouble::new("subject", e.why(), e.mend()))?;
    let desk = Desk::at(&args.one.at.dir).await?;
    let case = find(&desk, &args.one.case).await?;
    let request = EraseRequest { case, subject: args.subject.clone(), person };
    let erased: Vec<Digest> = desk.ask("desk.erase", &request).await?;
    let mut text = String::new();
    for field in &erased {
        text.push_str(&format!("erased  {field}\n"));
    }
    text.push_str(
        "the values are gone here for good; copies in backups of this machine are yours to rotate",
    );
    ui.answer(&json!({ "case": case, "erased": erased }), text)?;
    Ok(Ended::Well)
}

impl One {
    async fn view(&self, desk: &Desk) -> Tried<CaseView> {
        let case = find(desk, &self.case).await?;
        desk.ask("desk.case", &CaseRequest { case }).await
    }
}

/// A case by its id or by the beginning of it.
async fn find(desk: &Desk, text: &str) -> Tried<CaseId> {
    if text.len() == 64 {
        return Ok(text.parse()?);
    }
    if text.len() < 4 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        let mend = "give at least 4 of the hex digits that `quorate case list --all` shows";
        return Err(Trouble::new("case", format!("`{text}` is no case id"), mend));
    }
    let request = CasesRequest { all: true, limit: SEARCHED };
    let views: Vec<CaseView> = desk.ask("desk.cases", &request).await?;
    one_of(text, &views)
}

fn one_of(start: &str, views: &[CaseView]) -> Tried<CaseId> {
    let found: Vec<CaseId> =
        views.iter().map(|v| v.case).filter(|c| c.to_string().starts_with(start)).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let why = format!("no case begins with `{start}`");
            Err(Trouble::new("case", why, "look with `quorate case list --all`"))
        }
        several => {
            let why = format!("{} cases begin with `{start}`", several.len());
            Err(Trouble::new("case", why, "give more digits"))
        }
    }
}

/// What a case awaits, in words.
pub(crate) fn state_word(state: &State) -> String {
    let word = match state {
        State::AwaitJudgment => "awaits judgment",
        State::AwaitApprovals => "awaits approvals",
        State::AwaitAct => "awaits its act",
        State::AwaitSnapshot => "awaits the chain",
        State::AwaitSignature => "awaits signatures",
        State::AwaitCeremony => "awaits key generation",
        State::AwaitBroadcast => "awaits broadcast",
        State::AwaitConfirmation => "awaits finality",
        State::AwaitDelay => "awaits its delay",
        State::Closed(outcome) => return outcome_word(*outcome).to_owned(),
    };
    word.to_owned()
}

const fn tone(state: &State) -> Tone {
    match state {
        State::Closed(Outcome::Settled | Outcome::Done) => Tone::Good,
        State::Closed(Outcome::Replaced | Outcome::Cancelled | Outcome::Expired) => Tone::Faint,
        State::Closed(_) => Tone::Bad,
        _ => Tone::Wait,
    }
}

/// A table of cases.
fn cases_text(ui: &Ui, views: &[CaseView]) -> String {
    if views.is_empty() {
        return "no cases".to_owned();
    }
    let mut table = Table::new(&["case", "filed", "by", "state", "what"]);
    for view in views {
        table.row([
            view.case.intent().short().into(),
            view.filed_at.utc().into(),
            view.requester.as_str().into(),
            Cell::toned(tone(&view.state), state_word(&view.state)),
            view.summary.as_str().into(),
        ]);
    }
    table.show(ui)
}

/// One case in full.
pub(crate) fn case_text(ui: &Ui, view: &CaseView) -> String {
    case_table(view).show(ui)
}

/// One case in full, to which rows may be added.
pub(crate) fn case_table(view: &CaseView) -> Table {
    let mut table = Table::plain();
    table.row(["case".into(), view.case.to_string().into()]);
    table.row(["what".into(), view.summary.as_str().into()]);
    table.row(["kind".into(), view.kind.as_str().into()]);
    table.row(["by".into(), view.requester.as_str().into()]);
    table.row(["state".into(), Cell::toned(tone(&view.state), state_word(&view.state))]);
    table.row(["filed".into(), view.filed_at.utc().into()]);
    if let (Some(at), false) = (view.expires_at, matches!(view.state, State::Closed(_))) {
        table.row(["expires".into(), at.utc().into()]);
    }
    if let Some(judgment) = &view.judgment {
        judgment_rows(&mut table, judgment);
    }
    for tally in &view.tallies {
        let who: Vec<&str> = tally.counted.iter().map(|a| a.as_str()).collect();
        let mut count = format!("{}: {} of {}", tally.quorum, who.len(), tally.need);
        if !who.is_empty() {
            count.push_str(&format!(" ({})", who.join(", ")));
        }
        if let Some(parties) = &tally.parties {
            count.push_str(&format!(", {parties}"));
        }
        let met = if tally.is_met() { Tone::Good } else { Tone::Wait };
        table.row(["agreed".into(), Cell::toned(met, count)]);
    }
    if let Some(txid) = &view.txid {
        table.row(["transaction".into(), txid.as_str().into()]);
    }
    if let Some(reason) = &view.reason {
        table.row(["because".into(), reason.as_str().into()]);
    }
    table
}

fn judgment_rows(table: &mut Table, judgment: &Judgment) {
    let (word, tone) = match judgment {
        Judgment::Allow { .. } => ("allow", Tone::Good),
        Judgment::Deny { .. } => ("deny", Tone::Bad),
        Judgment::Require { .. } => ("require", Tone::Wait),
    };
    table.row(["judgment".into(), Cell::toned(tone, word)]);
    for reason in judgment.reasons() {
        table.row(["reason".into(), format!("{} ({})", reason.message, reason.rule).into()]);
        if !matches!(judgment, Judgment::Allow { .. }) && !reason.next.is_empty() {
            table.row(["next".into(), reason.next.as_str().into()]);
        }
    }
}
