//! Where an office says of anything that it is certified: a search through all that it puts out. Before a registrar's
//! certificate is on file it must find nothing, and afterwards the same search must find it.

use serde_json::Value;

use crate::Done;
use crate::run;
use crate::stage::{Office, Stage};

/// The word that only a registrar's certificate allows.
const WORD: &str = "certified";
const STANDINGS: [&str; 4] = ["readiness", "wss", "regulators", "gaps"];
const FORMS: [&str; 3] = ["html", "csv", "fields-json"];

/// The outputs in which the word stands as a status, by name: assessments, and reports of the deployment and of these audits.
pub(super) fn certified(
    stage: &Stage,
    office: &Office<'_>,
    when: &str,
    audits: &[&str],
) -> Done<Vec<String>> {
    let mut found = Vec::new();
    let mut look = |name: String, says: bool| found.extend(says.then_some(name));
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        look(standard.to_owned(), is_value(&office.assess(standard, &[])?));
    }
    for audit in audits {
        let view = office.says(&["audit", "view", audit, "--role", "entity"])?;
        look(format!("audit {audit}"), is_value(&view));
    }
    let standings = STANDINGS.iter().map(|kind| vec![*kind]);
    let audited = audits.iter().flat_map(|audit| [vec!["roc", *audit], vec!["summary", *audit]]);
    for what in standings.chain(audited) {
        for form in FORMS {
            let name = format!("{when}/{}.{form}", what.join("-"));
            let path = stage.room.join("words").join(&name);
            run::write(&path.with_extension("about"), &name)?;
            let out = path.display().to_string();
            let words = [&["report"], &what[..], &["--format", form, "--out", &out]].concat();
            let said = office.says(&words)?;
            look(name, is_value(&said) || stands_alone(&run::read(&path)?));
        }
    }
    Ok(found)
}

/// Whether a text of an answer is the word.
fn is_value(answer: &Value) -> bool {
    match answer {
        Value::String(text) => text.eq_ignore_ascii_case(WORD),
        Value::Array(all) => all.iter().any(is_value),
        Value::Object(all) => all.values().any(is_value),
        _ => false,
    }
}

/// Whether a cell, a field or an element of a document is the word. Sentences that deny it hold more than the word.
fn stands_alone(document: &str) -> bool {
    let parts = document.split(['<', '>', '"', ',', ';', '\n', ':']);
    parts.map(str::trim).any(|part| part.eq_ignore_ascii_case(WORD))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_word_is_found_as_a_status_and_not_in_a_sentence_that_denies_it() {
        assert!(is_value(&json!({ "audits": [{ "word": "certified" }] })));
        assert!(!is_value(&json!({ "word": "assessed", "note": "assessed, not certified" })));
        assert!(stands_alone("<td class=\"w\">Certified</td>"));
        assert!(stands_alone("west-1,certified,II\n"));
        assert!(!stands_alone("<p>Assessed, not certified: only a registrar says more.</p>"));
    }
}
