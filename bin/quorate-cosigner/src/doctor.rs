//! What is wrong with this cosigner, or soon will be, and how to mend it. Each finding is `ok`, `warn` or `bad`, in the form of
//! `quorate doctor`. Everything is looked at, whatever the rest says; nothing is changed, made or opened to others.

mod disk;
mod world;

use std::path::Path;

use quorate_host::ui::{Table, Tone, Ui};
use quorate_host::{Clock as _, Fault, SystemClock};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Ended, Passphrase};
use crate::files::Home;
use crate::operate;

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grade {
    Ok,
    Warn,
    Bad,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    grade: Grade,
    what: String,
    found: String,
    mend: Option<String>,
}

/// Findings in the order in which they were made.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, what: &str, found: impl Into<String>) {
        let (what, found) = (what.to_owned(), found.into());
        self.0.push(Finding { grade: Grade::Ok, what, found, mend: None });
    }

    fn add(&mut self, grade: Grade, what: &str, found: impl Into<String>, mend: impl Into<String>) {
        let (found, mend) = (found.into(), Some(mend.into()));
        self.0.push(Finding { grade, what: what.to_owned(), found, mend });
    }

    fn bad(&mut self, what: &str, fault: &Fault) {
        let found = format!("{}: {}", fault.what(), fault.why());
        self.add(Grade::Bad, what, found, fault.mend());
    }

    /// What went well, to go on with; what did not is a finding.
    fn take<T>(&mut self, what: &str, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.bad(what, &fault)).ok()
    }
}

/// `doctor`
pub(crate) async fn obey(ui: Ui, dir: &Path, passphrase: &Passphrase) -> Result<Ended, Fault> {
    let mut found = Findings::default();
    let home = Home::unchecked(dir);
    let now = SystemClock::new().now();
    if disk::folders(&home, &mut found) {
        let known = disk::papers(&home, &mut found);
        let running = operate::runs(&home).await;
        disk::secrets(&home, known.as_ref(), (passphrase, running), &mut found).await;
        let status = match running {
            true => found.take("daemon", operate::status_of(&home, now).await),
            false => disk::ledgers(&home, known.as_ref(), now, &mut found).await,
        };
        if let Some(known) = &known {
            world::around(known, status.as_ref(), running, &mut found).await;
        }
        if let Some(status) = &status {
            world::state(status, now, &mut found);
        }
    }
    let bad = found.0.iter().any(|finding| finding.grade == Grade::Bad);
    ui.answer(&json!({ "healthy": !bad, "findings": found.0 }), text(ui, &found.0))?;
    Ok(if bad { Ended::Badly } else { Ended::Well })
}

fn text(ui: Ui, findings: &[Finding]) -> String {
    let mut table = Table::default();
    for finding in findings {
        let word = match finding.grade {
            Grade::Ok => "ok",
            Grade::Warn => "warn",
            Grade::Bad => "bad",
        };
        let found = match &finding.mend {
            Some(mend) => format!("{}; {mend}", finding.found),
            None => finding.found.clone(),
        };
        table.row([word, &finding.what, &found]);
    }
    toned(ui, &table.to_string())
}

/// The first word of each line in its colour, once the columns are in line.
fn toned(ui: Ui, table: &str) -> String {
    let tone = |line: &str| {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let tone = match word {
            "ok" => Tone::Good,
            "warn" => Tone::Wait,
            _ => Tone::Bad,
        };
        format!("{} {rest}\n", ui.tone(tone, word))
    };
    table.lines().map(tone).collect()
}
