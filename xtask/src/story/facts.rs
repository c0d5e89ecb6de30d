//! What statements of people take from the record: the names of things that only the vault's own entries tell.

use serde_json::Value;

use crate::Done;
use crate::run;
use crate::stage::{COSIGNERS, Office, text};

/// What stands for what in statements, as the books that an office took in tell.
pub(super) fn words(office: &Office<'_>) -> Done<Vec<(&'static str, String)>> {
    let mut words = Vec::new();
    let cosigner = COSIGNERS.first().ok_or("there is no cosigner")?;
    for (book, kind, field, word) in [
        (office.book(), "KeyGenerated", "/ceremony", "{ceremony}"),
        (office.book(), "Deployed", "/binary", "{desk binary}"),
        (office.own_book(cosigner, cosigner), "Deployed", "/binary", "{cosigner binary}"),
    ] {
        words.push((word, text(&newest(&book, kind)?, field)?));
    }
    Ok(words)
}

/// The body of the newest entry of a kind in an export.
fn newest(book: &str, kind: &str) -> Done<Value> {
    let export = run::read(book.as_ref())?;
    let bodies = export.lines().rev().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        let body = entry.get("body")?;
        (body.get("type")?.as_str()? == kind).then(|| body.clone())
    });
    bodies.into_iter().next().ok_or_else(|| format!("{book} has no entry {kind}"))
}
