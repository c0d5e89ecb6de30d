//! The auditor's chapter: an office of its own takes in the book, refuses a forged one, and asks it how the house stands.

use serde_json::Value;

use super::narrate::Narrator;
use crate::Done;
use crate::house;
use crate::run;
use crate::stage::{Stage, text};

/// Tells it. The book was exported by the chapter before.
pub(super) fn tell(stage: &Stage, narrator: &mut Narrator) -> Done {
    narrator.chapter("An auditor reads the book");
    let office = Office { stage, dir: stage.at("auditor"), standards: standards() };
    office.says(&["init", "--office", "office", "--origin", "auditor.example/office"])?;
    office.says(&["pin", &stage.at("desk/verify.json")])?;
    let forged = office.forged()?;
    narrator.expect(forged, "a book with one altered letter is refused whole")?;
    let reached = office.import(&stage.at("receipts/ledger.jsonl"))?;
    let size = reached.pointer("/head/size").and_then(Value::as_u64).unwrap_or_default();
    narrator
        .expect(size > 0, &format!("{size} entries are taken in, verified to a witnessed head"))?;
    let results = office.assess()?;
    let found = |control: &str| -> Done<String> {
        let findings = results.pointer("/results/findings").and_then(Value::as_array);
        let mut findings = findings.into_iter().flatten();
        let found = findings.find(|f| text(f, "/control/id").is_ok_and(|id| id == control));
        text(found.ok_or_else(|| format!("no finding of {control}"))?, "/state")
    };
    narrator.expect(
        found("1.01.1.1")? == "met",
        "CCSS 1.01.1.1 is met: the holders made the key together",
    )?;
    let silent = found("1.05.9.1")? == "unproven";
    let told = "CCSS 1.05.9.1 is unproven: where shares run stands in ledgers that nobody gave to the auditor";
    narrator.expect(silent, told)?;
    let level = results.pointer("/results/reached/overall");
    narrator.expect(level == Some(&Value::Null), "no level is reached, and none is claimed")
}

struct Office<'a> {
    stage: &'a Stage,
    dir: String,
    standards: String,
}

impl Office<'_> {
    fn run(&self, words: &[&str]) -> Done<crate::stage::Said> {
        let mut all = vec!["--json", "--dir", &self.dir, "--standards", &self.standards];
        all.extend(words);
        self.stage.programs.run("quorate-assessor", &all)
    }

    fn says(&self, words: &[&str]) -> Done<Value> {
        let said = self.run(words)?;
        if said.code == Some(0) { said.json() } else { Err(format!("{}{}", said.out, said.err)) }
    }

    fn import(&self, book: &str) -> Done<Value> {
        let vault = text(&self.stage.status()?, "/vault")?;
        let note = self.stage.at("receipts/checkpoint");
        self.says(&["import", "--vault", &vault, book, "--checkpoint", &note])
    }

    /// Whether the office refuses a book in which one digit is another.
    fn forged(&self) -> Done<bool> {
        let book = run::read(self.stage.at("receipts/ledger.jsonl").as_ref())?;
        let at = book.len() / 2;
        let swap = |(index, letter): (usize, char)| match letter {
            'a' if index > at => 'b',
            other => other,
        };
        let forged: String = book.char_indices().map(swap).collect();
        let file = self.stage.at("receipts/forged.jsonl");
        run::write(file.as_ref(), &forged)?;
        Ok(self.import(&file).is_err())
    }

    /// An assessment answers with 1 where there are gaps, and says them all the same.
    fn assess(&self) -> Done<Value> {
        let said = self.run(&["assess", "ccss 9.0"])?;
        if matches!(said.code, Some(0 | 1)) { said.json() } else { Err(said.err) }
    }
}

fn standards() -> String {
    house::root().join("standards").display().to_string()
}
