//! The auditor's chapter: an office of its own takes in the book, refuses a forged one, and asks it how the house stands.

use serde_json::Value;

use super::narrate::Narrator;
use crate::Done;
use crate::run;
use crate::stage::{COSIGNERS, Office, Stage, states};

/// Tells it. The book was exported by the chapter before.
pub(super) fn tell(stage: &Stage, narrator: &mut Narrator) -> Done {
    narrator.chapter("An auditor reads the book");
    let office = Office::open(stage, "auditor")?;
    let forged = refuses_forged(stage, &office)?;
    narrator.expect(forged, "a book with one altered letter is refused whole")?;
    let size = office.take_book(stage)?;
    narrator
        .expect(size > 0, &format!("{size} entries are taken in, verified to a witnessed head"))?;
    let results = office.assess("ccss 9.0", &[])?;
    narrator.expect(
        is(&results, "1.01.1.1", "met"),
        "CCSS 1.01.1.1 is met: the holders made the key together",
    )?;
    let silent = is(&results, "1.05.9.1", "unproven");
    let told = "CCSS 1.05.9.1 is unproven: where shares run stands in ledgers that nobody gave to the auditor";
    narrator.expect(silent, told)?;
    handed_over(stage, &office, narrator)?;
    let level = results.pointer("/results/reached/overall");
    narrator.expect(level == Some(&Value::Null), "no level is reached, and none is claimed")
}

/// Cosigners hand over their own ledgers, and what was not known is.
fn handed_over(stage: &Stage, office: &Office<'_>, narrator: &mut Narrator) -> Done {
    for cosigner in COSIGNERS {
        let mut others = COSIGNERS.iter().filter(|other| **other != cosigner);
        let other = others.next().ok_or("there is no other cosigner")?;
        let foreign = office.own_ledger(stage, cosigner, other).is_err();
        let told = format!("the own ledger of {cosigner} is not taken for that of {other}");
        narrator.expect(foreign, &told)?;
        let size = office.own_ledger(stage, cosigner, cosigner)?;
        let told =
            format!("{cosigner} hands over its own ledger: {size} entries under its own key");
        narrator.expect(size > 0, &told)?;
    }
    let results = office.assess("ccss 9.0", &[])?;
    let told = "CCSS 1.05.9.1 is a gap now: both shares run on one host, which a demonstration cannot hide";
    narrator.expect(is(&results, "1.05.9.1", "gap"), told)?;
    let operators = office.counted("ccss 9.0 1.02.4.1")?;
    let told = "CCSS 1.02.4.1: two operators, no exceptions; what is left is for people to show";
    narrator.expect(operators == (1, 0), told)
}

/// Whether a control stands so in the results of a run.
fn is(results: &Value, control: &str, state: &str) -> bool {
    states(results).get(control).is_some_and(|found| found == state)
}

/// Whether the office refuses a book in which one digit is another.
fn refuses_forged(stage: &Stage, office: &Office<'_>) -> Done<bool> {
    let book = run::read(stage.at("receipts/ledger.jsonl").as_ref())?;
    let at = book.len() / 2;
    let swap = |(index, letter): (usize, char)| match letter {
        'a' if index > at => 'b',
        other => other,
    };
    let forged: String = book.char_indices().map(swap).collect();
    let file = stage.at("receipts/forged.jsonl");
    run::write(file.as_ref(), &forged)?;
    let note = stage.at("receipts/checkpoint");
    Ok(office.import(&stage.vault()?, &file, &note).is_err())
}
