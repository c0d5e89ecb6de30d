//! Audits by people over the year's ledger: a provider's, a customer's that inherits from it, and one to a Trust Mark.

use serde_json::Value;

use super::words;
use crate::Done;
use crate::demo::Narrator;
use crate::house;
use crate::stage::{Office, Stage, text};

/// Has the auditors do their work, and checks what they claim.
pub(super) fn tell(stage: &Stage, office: &Office<'_>, narrator: &mut Narrator) -> Done {
    narrator.chapter(
        "Two audits to a certificate, one inheriting from the other, and one to a Trust Mark",
    );
    let program = stage.programs.path("quorate-assessor").display().to_string();
    let standards = house::root().join("standards").display().to_string();
    let room = stage.at("auditors");
    let said = stage.programs.run("auditors", &[&program, office.dir(), &standards, &room])?;
    said.exited(0)?;
    for line in said.out.lines() {
        let line: Value = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
        if let Ok(told) = text(&line, "/tell") {
            narrator.tell(&told);
            continue;
        }
        let holds = line.get("holds") == Some(&Value::Bool(true));
        narrator.expect(holds, &text(&line, "/claim")?)?;
    }
    let said = words::certified(stage, office, "after", &["west-1", "brickmere-1"])?;
    let told = format!(
        "the search that found the word nowhere finds it {} times, now that two certificates are on file",
        said.len()
    );
    narrator.expect(said.iter().any(|name| name.contains("roc-west-1")), &told)
}
