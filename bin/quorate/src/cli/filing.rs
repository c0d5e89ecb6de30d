//! Filing an intent as a person, showing the case that came of it, and waiting for it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quorate_custody::State;
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_terms::commitment::Opening;
use quorate_terms::entry::Outcome;
use quorate_terms::intent::Action;
use quorate_terms::{CaseId, IdempotencyKey, PersonId};

use super::Ended;
use super::case::{case_table, state_word};
use super::client::Desk;
use super::read;
use super::trouble::{Tried, Trouble};
use quorate_gateway::office::{CaseRequest, CaseView, FileRequest};

/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(500);

/// Where the desk's folder is.
#[derive(Args, Clone, Debug)]
pub(crate) struct At {
    /// The desk's folder.
    #[arg(long, default_value = "quorate-desk")]
    pub(crate) dir: PathBuf,
}

/// Who files, under which key, and whether to wait.
#[derive(Args, Clone, Debug)]
pub(crate) struct Filing {
    #[command(flatten)]
    pub(crate) at: At,
    /// The person who files, by pseudonym. Such a person's own approvals do not count.
    #[arg(long, default_value = "operator")]
    pub(crate) person: String,
    /// Your own name for this request; the same key with the same request is the same case. Drawn at random by default.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Wait until the case is over.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Give up waiting after so long; the case goes on.
    #[arg(long, default_value = "1h")]
    pub(crate) timeout: String,
}

impl Filing {
    /// Files an action and gives its case, followed to its end if that was asked for.
    ///
    /// # Errors
    /// [`Trouble`] when the request is malformed, no desk runs, or it refuses.
    pub(crate) async fn file(
        &self,
        ui: &Ui,
        desk: &Desk,
        action: Action,
        openings: Vec<Opening>,
    ) -> Tried<(IdempotencyKey, CaseView)> {
        let person: PersonId = self.person.parse()?;
        let within = read::seconds("timeout", &self.timeout)?;
        let key = match &self.key {
            Some(key) => IdempotencyKey::new(key.as_str())?,
            None => IdempotencyKey::new(hex::encode(Random::start()?.salt()?))?,
        };
        let request = FileRequest { person, key: key.clone(), action, openings };
        let view: CaseView = desk.ask("desk.file", &request).await?;
        let view = if self.wait { follow(ui, desk, view, within).await? } else { view };
        Ok((key, view))
    }

    /// Files an action and answers with its case.
    ///
    /// # Errors
    /// As [`Filing::file`].
    pub(crate) async fn file_and_show(
        &self,
        ui: &Ui,
        desk: &Desk,
        action: Action,
        openings: Vec<Opening>,
    ) -> Tried<Ended> {
        let (key, view) = self.file(ui, desk, action, openings).await?;
        show(ui, &key, &view)
    }
}

/// The answer to a filing: the case with the key under which it was filed.
#[derive(serde::Serialize)]
struct FiledAnswer<'a> {
    key: &'a IdempotencyKey,
    #[serde(flatten)]
    case: &'a CaseView,
}

/// Answers with a case that was just filed.
pub(crate) fn show(ui: &Ui, key: &IdempotencyKey, view: &CaseView) -> Tried<Ended> {
    let mut table = case_table(view);
    table.row(["key".into(), key.as_str().into()]);
    ui.answer(&FiledAnswer { key, case: view }, table.show(ui))?;
    Ok(verdict(view))
}

/// Whether a case came to a good end, or is still on its way.
pub(crate) fn verdict(view: &CaseView) -> Ended {
    match view.state {
        State::Closed(Outcome::Settled | Outcome::Done) => Ended::Well,
        // Who gave a case up got what was asked for.
        State::Closed(Outcome::Cancelled | Outcome::Replaced) => Ended::Well,
        State::Closed(_) => Ended::Badly,
        _ => Ended::Well,
    }
}

/// Looks at a case until it is over.
///
/// # Errors
/// [`Trouble`] when it takes longer than `within` seconds, or the desk goes away.
pub(crate) async fn follow(
    ui: &Ui,
    desk: &Desk,
    mut view: CaseView,
    within: u64,
) -> Tried<CaseView> {
    let spinner = spinner(ui);
    let give_up = tokio::time::Instant::now().checked_add(Duration::from_secs(within));
    while !matches!(view.state, State::Closed(_)) {
        spinner.set_message(waits_for(&view));
        if give_up.is_some_and(|end| tokio::time::Instant::now() >= end) {
            let why = format!("case {} {} still", view.case, state_word(&view.state));
            let mend = format!("look again with `quorate case watch {}`", view.case);
            return Err(Trouble::new("timeout", why, mend));
        }
        tokio::time::sleep(LOOK).await;
        view = desk.ask("desk.case", &CaseRequest { case: view.case }).await?;
    }
    spinner.finish_and_clear();
    Ok(view)
}

fn waits_for(view: &CaseView) -> String {
    let counts: Vec<String> =
        view.tallies.iter().map(|tally| format!("{}: {tally}", tally.quorum)).collect();
    let case: CaseId = view.case;
    let short = case.intent().short();
    format!("case {short} {} {}", state_word(&view.state), counts.join(", "))
}

fn spinner(ui: &Ui) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if ui.is_json() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
