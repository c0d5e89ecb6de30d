//! The auditor's chapter: an office of its own takes in the book, refuses a forged one, and asks it how the house stands.

use serde_json::Value;

use super::narrate::Narrator;
use crate::Done;
use crate::house;
use crate::run;
use crate::stage::{COSIGNERS, Stage, text};

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
    narrator.expect(
        found(&results, "1.01.1.1")? == "met",
        "CCSS 1.01.1.1 is met: the holders made the key together",
    )?;
    let silent = found(&results, "1.05.9.1")? == "unproven";
    let told = "CCSS 1.05.9.1 is unproven: where shares run stands in ledgers that nobody gave to the auditor";
    narrator.expect(silent, told)?;
    handed_over(&office, narrator)?;
    let level = results.pointer("/results/reached/overall");
    narrator.expect(level == Some(&Value::Null), "no level is reached, and none is claimed")
}

/// Cosigners hand over their own ledgers, and what was not known is.
fn handed_over(office: &Office<'_>, narrator: &mut Narrator) -> Done {
    for cosigner in COSIGNERS {
        let mut others = COSIGNERS.iter().filter(|other| **other != cosigner);
        let other = others.next().ok_or("there is no other cosigner")?;
        let foreign = office.own_ledger(cosigner, other).is_err();
        let told = format!("the own ledger of {cosigner} is not taken for that of {other}");
        narrator.expect(foreign, &told)?;
        let taken = office.own_ledger(cosigner, cosigner)?;
        let size = taken.pointer("/head/size").and_then(Value::as_u64).unwrap_or_default();
        let told =
            format!("{cosigner} hands over its own ledger: {size} entries under its own key");
        narrator.expect(size > 0, &told)?;
    }
    let results = office.assess()?;
    let told = "CCSS 1.05.9.1 is a gap now: both shares run on one host, which a demonstration cannot hide";
    narrator.expect(found(&results, "1.05.9.1")? == "gap", told)?;
    let operators = office.machine("ccss 9.0 1.02.4.1")?;
    let told = "CCSS 1.02.4.1: two operators, no exceptions; what is left is for people to show";
    narrator.expect(operators == (1, 0), told)
}

/// The state of a control in the results of a run.
fn found(results: &Value, control: &str) -> Done<String> {
    let findings = results.pointer("/results/findings").and_then(Value::as_array);
    let mut findings = findings.into_iter().flatten();
    let found = findings.find(|f| text(f, "/control/id").is_ok_and(|id| id == control));
    text(found.ok_or_else(|| format!("no finding of {control}"))?, "/state")
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

    /// Exports the own ledger of one cosigner, which runs, and hands it over as that of another.
    fn own_ledger(&self, cosigner: &str, claimed: &str) -> Done<Value> {
        let name = format!("receipts/{cosigner}-as-{claimed}");
        let (out, head) = (self.stage.at(&name), self.stage.at(&format!("{name}.checkpoint")));
        let dir = self.stage.at(&format!("cosigners/{cosigner}"));
        let words = ["export", "--dir", &dir, "--out", &out, "--checkpoint-out", &head, "--json"];
        self.stage.programs.run("quorate-cosigner", &words)?.good()?;
        let vault = text(&self.stage.status()?, "/vault")?;
        let words =
            ["import", "--vault", &vault, "--cosigner", claimed, &out, "--checkpoint", &head];
        self.says(&words)
    }

    /// How many rows a control speaks about, and how many of them break it.
    fn machine(&self, control: &str) -> Done<(u64, u64)> {
        let shown = self.run(&["show", control])?.json()?;
        let count = |name: &str| {
            let count = shown.pointer(&format!("/finding/machine/{name}")).and_then(Value::as_u64);
            count.ok_or_else(|| format!("{control} has no {name}"))
        };
        Ok((count("population")?, count("exceptions")?))
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
