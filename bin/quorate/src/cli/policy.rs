//! The policy: show it, check a new one, tell what it changes in words, propose it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use quorate_gateway::proposal::{ReplayAnswer, ReplayRequest};
use quorate_host::ui::{Tone, Ui};
use quorate_policy::diff::Direction;
use quorate_policy::{Change, Names, Policy, Sentence, diff, words};
use quorate_terms::Term as _;
use quorate_terms::intent::Action;
use quorate_terms::policy::PolicyDocument;
use serde_json::json;

use super::client::Desk;
use super::filing::{At, Filing, show};
use super::read::Located;
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};

/// How long a replay may take: it reads the whole book.
const REPLAY_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Characters of one cell; below the length at which a cell is cut.
const CELL: usize = 1_000;

/// What is said instead of nothing where something may be missing.
const UNKNOWN: &str =
    "whether it newly allows anything is not known: not every edge was asked about";

/// What to do with the policy.
#[derive(Subcommand, Debug)]
pub(crate) enum PolicyCommand {
    /// Show the policy in force, in words; with --json the document itself.
    Show {
        #[command(flatten)]
        at: At,
    },
    /// Check a policy file (JSON or TOML); no desk is needed.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Tell in words what a policy file changes.
    Diff {
        /// The new policy.
        file: PathBuf,
        /// Compare with this file instead of the policy in force; no desk is needed then.
        #[arg(long)]
        old: Option<PathBuf>,
        #[command(flatten)]
        at: At,
    },
    /// Tell what the last days would have been under a policy file, and what it newly allows. Nothing is filed.
    Replay {
        /// The policy.
        #[arg(long)]
        proposal: PathBuf,
        /// How many days back, 1 to 366.
        #[arg(long, default_value_t = 90)]
        days: u32,
        #[command(flatten)]
        at: At,
    },
    /// Propose a policy; it comes in force once the charter's quorum has agreed.
    Propose {
        /// The new policy. Its version and predecessor are set for you.
        file: PathBuf,
        #[command(flatten)]
        filing: Filing,
    },
}

/// Obeys a `policy` command.
pub(crate) async fn obey(ui: &Ui, command: &PolicyCommand) -> Tried<Ended> {
    match command {
        PolicyCommand::Show { at } => {
            let desk = Desk::at(&at.dir).await?;
            let document = desk.status().await?.policy_document;
            let names = names(&desk, [&document]).await?;
            ui.answer(&document, in_words(ui, &document, &names)?)?;
            Ok(Ended::Well)
        }
        PolicyCommand::Check { file } => check(ui, file),
        PolicyCommand::Diff { file, old, at } => {
            let new = sound(file)?;
            let (old, names) = match old {
                Some(old) => (read::document::<PolicyDocument>(old)?, Names::default()),
                None => {
                    let desk = Desk::at(&at.dir).await?;
                    let old = desk.status().await?.policy_document;
                    let names = names(&desk, [&old, &new]).await?;
                    (old, names)
                }
            };
            let changes = diff(&old, &new, &names);
            ui.answer(&changes, changes_text(ui, &changes))?;
            Ok(Ended::Well)
        }
        PolicyCommand::Replay { proposal, days, at } => replay(ui, proposal, *days, at).await,
        PolicyCommand::Propose { file, filing } => propose(ui, file, filing).await,
    }
}

/// What the desk's people call the accounts that these policies name.
async fn names<const N: usize>(desk: &Desk, policies: [&PolicyDocument; N]) -> Tried<Names> {
    desk.ask("desk.names", &policies.as_slice()).await
}

/// A policy, part by part. A rule that is not told in words is shown as it was written, and that is said.
fn in_words(ui: &Ui, document: &PolicyDocument, names: &Names) -> Tried<String> {
    let policy = Policy::load(document).map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(|| Trouble::new("policy", "does not load", "report this"), Trouble::from)
    })?;
    let mut table = Table::plain();
    for sentence in words(&policy, names) {
        let caution = sentence.caution();
        let Sentence { field, text, .. } = sentence;
        let text = caution.map_or_else(|| text.clone(), |caution| format!("{caution} {text}"));
        // A cell that is too long would be cut, and half a rule says another thing than the whole.
        let letters: Vec<char> = text.chars().collect();
        for (place, piece) in letters.chunks(CELL).enumerate() {
            let name = if place == 0 { field.as_str() } else { "" };
            table.row([Cell::toned(Tone::Faint, name), piece.iter().collect::<String>().into()]);
        }
    }
    Ok(table.show(ui))
}

async fn replay(ui: &Ui, file: &Path, days: u32, at: &At) -> Tried<Ended> {
    let ask = ReplayRequest { policy: sound(file)?, days };
    let desk = Desk::at(&at.dir).await?;
    let answer: ReplayAnswer = desk.ask_within("desk.replay", &ask, REPLAY_PATIENCE).await?;
    ui.answer(&answer, replayed(ui, &answer))?;
    Ok(Ended::Well)
}

fn way_cell(way: Option<&str>) -> Cell {
    match way {
        Some("looser") => Cell::toned(Tone::Bad, "looser"),
        Some("stricter") => Cell::toned(Tone::Good, "stricter"),
        Some(_) => Cell::toned(Tone::Wait, "others agree"),
        None => Cell::toned(Tone::Wait, "not known"),
    }
}

/// What no row says. Nothing is called unchanged where not every edge was asked about.
fn headline(answer: &ReplayAnswer) -> Option<&'static str> {
    let widens = answer.reach.iter().any(|row| row.way != "stricter");
    match (answer.is_whole, answer.reach.is_empty()) {
        (false, _) if !widens => Some(UNKNOWN),
        (true, true) => Some("it newly allows and denies nothing that can be asked"),
        _ => None,
    }
}

fn replayed(ui: &Ui, answer: &ReplayAnswer) -> String {
    let mut parts = Vec::new();
    let mut reach = Table::plain();
    for row in &answer.reach {
        let answers = format!("{} -> {}", row.was, row.now);
        reach.row([way_cell(Some(&row.way)), row.what.as_str().into(), answers.as_str().into()]);
    }
    parts.extend(headline(answer).map(str::to_owned));
    if !answer.reach.is_empty() {
        parts.push(reach.show(ui));
    }
    let totals = &answer.totals;
    let three = |[allowed, required, denied]: [u64; 3]| {
        format!("{allowed} allowed, {required} needed people, {denied} denied")
    };
    parts.push(format!(
        "{} cases from {} to {}\nthen:     {}\nunder it: {}\n{} looser, {} stricter, {} with others to agree, {} with something \
         unknown",
        totals.cases,
        answer.from.utc(),
        answer.to.utc(),
        three(totals.then),
        three(totals.now),
        totals.looser,
        totals.stricter,
        totals.otherwise,
        totals.unknown
    ));
    if !answer.rows.is_empty() {
        let mut cases = Table::plain();
        for row in &answer.rows {
            let answers = format!("{} -> {}", row.was, row.now.as_deref().unwrap_or("not known"));
            let why: Vec<&str> =
                row.reasons.iter().chain(&row.unknown).map(String::as_str).collect();
            cases.row([
                way_cell(row.way.as_deref()),
                row.case.intent().short().to_string().as_str().into(),
                row.at.utc().to_string().as_str().into(),
                row.summary.as_str().into(),
                answers.as_str().into(),
                why.join("; ").as_str().into(),
            ]);
        }
        parts.push(cases.show(ui));
    }
    parts.push(answer.caveats.join("\n"));
    parts.join("\n\n")
}

/// A value as indented JSON.
pub(crate) fn pretty(value: &impl serde::Serialize) -> Tried<String> {
    serde_json::to_string_pretty(value)
        .map_err(|e| Trouble::new("output", e.to_string(), "report this"))
}

fn check(ui: &Ui, file: &Path) -> Tried<Ended> {
    let (document, problems) = read::policy(file)?;
    if problems.is_empty() {
        let digest = document.digest()?;
        let value = json!({ "ok": true, "digest": digest, "problems": [] });
        let good = ui.tone(Tone::Good, "good");
        let rules = document.rules.len();
        let text = format!(
            "{good}  version {}, {rules} rules, {} budgets, digest {digest}",
            document.version,
            document.budgets.len()
        );
        ui.answer(&value, text)?;
        return Ok(Ended::Well);
    }
    let value = json!({ "ok": false, "problems": problems });
    let lines: Vec<String> = problems.iter().map(|found| problem_line(ui, file, found)).collect();
    ui.answer(&value, lines.join("\n"))?;
    Ok(Ended::Badly)
}

fn problem_line(ui: &Ui, file: &Path, found: &Located) -> String {
    let place = match found.file_line {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    };
    format!("{} {place}: {}", ui.tone(Tone::Bad, "bad"), found.problem)
}

/// A policy without problems.
///
/// # Errors
/// [`Trouble`] with the first problem, and how many more there are.
pub(crate) fn sound(file: &Path) -> Tried<PolicyDocument> {
    let (document, problems) = read::policy(file)?;
    let count = problems.len();
    match problems.into_iter().next() {
        None => Ok(document),
        Some(first) => {
            let mut trouble = Trouble::from(first.problem);
            if count > 1 {
                trouble.mend = format!(
                    "{} (one of {count} problems: `quorate policy check` lists them)",
                    trouble.mend
                );
            }
            Err(trouble)
        }
    }
}

fn changes_text(ui: &Ui, changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nothing changes".to_owned();
    }
    let mut table = Table::plain();
    for change in changes {
        let (word, tone) = match change.direction {
            Direction::Widens => ("widens", Tone::Bad),
            Direction::Unclear => ("read this", Tone::Wait),
            Direction::Tightens => ("tightens", Tone::Good),
        };
        table.row([Cell::toned(tone, word), change.text.as_str().into()]);
    }
    table.show(ui)
}

async fn propose(ui: &Ui, file: &Path, filing: &Filing) -> Tried<Ended> {
    let mut document = sound(file)?;
    let desk = Desk::at(&filing.at.dir).await?;
    let status = desk.status().await?;
    let (digest, version) = status.policy;
    if document.vault != status.policy_document.vault {
        let mend = format!("name `{}`", status.policy_document.vault);
        return Err(Trouble::new("policy.vault", "is another vault", mend));
    }
    document.version = version.saturating_add(1);
    document.previous = Some(digest);
    let names = names(&desk, [&status.policy_document, &document]).await?;
    let changes = diff(&status.policy_document, &document, &names);
    if !ui.is_json() {
        for change in &changes {
            super::note(&change.text);
        }
        super::note(&format!("approvers will see policy digest {}", document.digest()?));
    }
    let action = Action::ChangePolicy { policy: Box::new(document) };
    let (key, view) = filing.file(ui, &desk, action, Vec::new()).await?;
    show(ui, &key, &view)
}

#[cfg(test)]
mod tests {
    use quorate_gateway::proposal::{ReachView, Totals};
    use quorate_terms::{Digest, Timestamp};

    use super::*;

    fn told(ways: &[&str], is_whole: bool) -> String {
        let row = |way: &&str| ReachView {
            way: (*way).to_owned(),
            what: "any agent: transfer".into(),
            was: "denied".into(),
            now: "allowed".into(),
        };
        let answer = ReplayAnswer {
            policy: Digest::ZERO,
            version: 2,
            changes: vec![],
            reach: ways.iter().map(row).collect(),
            is_whole,
            caveats: vec!["5 of 9 were asked".to_owned()],
            from: Timestamp::ZERO,
            to: Timestamp::ZERO,
            totals: Totals::default(),
            rows: vec![],
        };
        replayed(&Ui::new(false, true), &answer)
    }

    #[test]
    fn nothing_is_called_unchanged_where_not_every_edge_was_asked_about() {
        let nothing = "it newly allows and denies nothing that can be asked";
        for (ways, is_whole, says_nothing, says_unknown) in [
            (&[][..], true, true, false),
            (&[][..], false, false, true),
            (&["stricter"][..], true, false, false),
            (&["stricter"][..], false, false, true),
            (&["looser"][..], false, false, false),
        ] {
            let said = told(ways, is_whole);
            assert_eq!(said.contains(nothing), says_nothing, "{ways:?} {is_whole}: {said}");
            assert_eq!(said.contains(UNKNOWN), says_unknown, "{ways:?} {is_whole}: {said}");
            assert_eq!(said.contains("any agent"), !ways.is_empty(), "{said}");
            assert!(said.contains("5 of 9 were asked"), "{said}");
        }
    }
}
