//! What a person does with a key of one's own, on a machine that needs no office: see the key, sign a step or a claim that the
//! office composed, answer the challenge of an office's door. The key never leaves its file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_assessor::audit::signed::visit_to_sign;
use quorate_assessor::audit::waiting::Waiting;
use quorate_assessor::mark::WaitingClaim;
use quorate_host::Identity;
use quorate_host::random::Random;
use quorate_host::telemetry::safe;
use quorate_terms::{Digest, canonical};
use serde_json::{Value, json};

use crate::home;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// Characters of a value that are shown at once.
const PIECE: usize = 1000;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Person {
    /// The public key of a key file, for an engagement; the file is made if it is not there.
    Key {
        /// The person's key file.
        #[arg(long)]
        key: PathBuf,
    },
    /// Read a step that the pages composed, and sign it: what is shown is what is signed. Gives the answer for the page.
    Sign {
        /// The file that the page gave.
        step: PathBuf,
        /// The person's key file.
        #[arg(long)]
        key: PathBuf,
    },
    /// Auditor: read the claim of a mark that the office composed, and sign it: what is shown is what is signed.
    Claim {
        /// The claim as the office gave it.
        claim: PathBuf,
        /// The auditor's key file.
        #[arg(long)]
        key: PathBuf,
    },
    /// Answer the challenge that an office's door shows.
    Visit {
        /// The challenge.
        challenge: String,
        /// The office's name.
        #[arg(long)]
        office: String,
        /// The address of the page that shows the challenge, as the browser has it.
        #[arg(long)]
        at: String,
        /// Who wants in, by the id in the audit.
        #[arg(long)]
        by: String,
        /// The person's key file.
        #[arg(long)]
        key: PathBuf,
    },
}

/// Runs one command.
pub(crate) fn run(command: &Person) -> Done<Screen> {
    match command {
        Person::Key { key } => {
            let person = if key.exists() {
                Identity::load(key)?
            } else {
                Identity::create(key, Random::start()?)?
            };
            let public = person.public_key();
            Ok(Screen::new(public.to_string(), json!({ "key": public })))
        }
        Person::Sign { step, key } => sign(step, key),
        Person::Claim { claim, key } => sign_claim(claim, key),
        Person::Visit { challenge, office, at, by, key } => {
            let message = visit_to_sign(office, at, by, challenge)?;
            let answer = Identity::load(key)?.sign(&message).to_string();
            let json = json!({ "answer": answer });
            Ok(Screen::new(answer, json))
        }
    }
}

fn sign(step: &Path, key: &Path) -> Done<Screen> {
    let waiting = Waiting::from_bytes(&home::read(step)?)?;
    let read = waiting.read()?;
    let person = Identity::load(key)?;
    let answer = waiting.sign(&|digest| person.sign(digest))?.to_string();
    let digest = waiting.digest()?;
    let mut text = String::new();
    let taken = waiting.before;
    let _ = writeln!(text, "audit     {}, after {taken} steps", safe(&waiting.audit));
    let _ = writeln!(text, "by        {}", safe(&waiting.by));
    lines(&mut text, "", &read);
    let _ = writeln!(text, "sha256    {digest}; compare it with the page");
    let _ = writeln!(text, "answer    {answer}");
    Ok(Screen::new(text, json!({ "record": read, "digest": digest, "answer": answer })))
}

fn sign_claim(claim: &Path, key: &Path) -> Done<Screen> {
    let waiting = WaitingClaim::from_bytes(&home::read(claim)?)?;
    let auditor = Identity::load(key)?;
    if waiting.statement.predicate.assessor.key != auditor.public_key() {
        let message = "the claim names another key as its assessor's";
        return Err(Trouble::refused(
            "not_the_auditor",
            message,
            "sign with the auditor's own key",
        ));
    }
    let answer = auditor.sign_bytes(&waiting.to_sign()?).to_string();
    let bytes = waiting.statement.to_bytes()?;
    let digest = Digest::sha256(&bytes);
    // As it is signed, so that nothing of it goes without a line.
    let statement: Value = canonical::from_bytes(&bytes, "statement")?;
    let mut text = String::new();
    let _ = writeln!(text, "audit     {}; where it goes, not signed", safe(&waiting.audit));
    lines(&mut text, "", &statement);
    let _ = writeln!(text, "sha256    {digest}");
    let _ = writeln!(text, "answer    {answer}");
    let json = json!({ "statement": statement, "digest": digest, "answer": answer });
    Ok(Screen::new(text, json))
}

/// Every value of a record with its name, none left out.
fn lines(text: &mut String, name: &str, value: &Value) {
    let under = |part: &str| {
        if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") }
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(part, value)| lines(text, &under(&safe(part)), value));
        }
        Value::Array(all) if !all.is_empty() => {
            for (place, value) in (1_usize..).zip(all) {
                lines(text, &under(&place.to_string()), value);
            }
        }
        // `safe` cuts what is long, so it is given pieces.
        Value::String(whole) if !whole.is_empty() => {
            let letters: Vec<char> = whole.chars().collect();
            for piece in letters.chunks(PIECE) {
                let piece: String = piece.iter().collect();
                let _ = writeln!(text, "{name:<9} {}", safe(&piece));
            }
        }
        // What is empty is shown too, as `""`, `[]` or `{}`: nothing that is signed goes without a line.
        other => {
            let _ = writeln!(text, "{name:<9} {other}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line_the_empty_ones_too() {
        let long = "x".repeat(PIECE + 1);
        let record = json!({ "why": "", "at": {}, "all": [], "rows": [{ "name": "", "of": {} }], "no": null,
                             "said": long, "yes": true });
        let mut text = String::new();
        lines(&mut text, "", &record);
        let mut said: Vec<String> =
            text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        // In whatever order fields are kept.
        said.sort();
        let first = format!("said {}", "x".repeat(PIECE));
        let expected = [
            "all []",
            "at {}",
            "no null",
            "rows.1.name \"\"",
            "rows.1.of {}",
            "said x",
            &first,
            "why \"\"",
            "yes true",
        ];
        assert_eq!(said, expected);
    }
}
