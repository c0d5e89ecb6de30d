//! The rules of STYLE.md that a machine can check, as a command and as a test.
//!
//! Every rule is a function from the tree to complaints. A complaint names the place, what is wrong and the mend.

mod attributes;
mod dead;
mod edges;
mod glossary;
mod links;
mod promises;
mod ratchet;
mod refusals;
mod sizes;
mod syntax;
mod templates;
mod words;

use std::fmt;

use crate::Done;
use crate::house::House;
use crate::say;

/// Something that breaks a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Complaint {
    path: String,
    line: usize,
    what: String,
}

impl Complaint {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

type Rule = fn(&House) -> Done<Vec<Complaint>>;

const RULES: [(&str, Rule); 12] = [
    ("edges between crates", edges::edges),
    ("what a binary may link", edges::links),
    ("who may name a primitive", edges::primitives),
    ("sizes", sizes::sizes),
    ("words", words::words),
    ("names of types", glossary::names),
    ("attributes", attributes::attributes),
    ("templates", templates::templates),
    ("dead files", dead::dead),
    ("links of documents", links::links),
    ("tests that documents promise", promises::promises),
    ("codes of refusals", refusals::refusals),
];

/// Checks every rule; the error lists the complaints.
pub(crate) fn tidy() -> Done {
    let house = House::read()?;
    let mut found = Vec::new();
    for (name, rule) in RULES {
        let mut complaints = rule(&house).map_err(|e| format!("{name}: {e}"))?;
        complaints.sort();
        say::line(format!("tidy: {name}: {}", count(complaints.len())));
        found.append(&mut complaints);
    }
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(format!("the house is not tidy: {}\n{}", count(found.len()), lines.join("\n")))
}

/// Lowers every ceiling of `xtask/ratchet.toml` to the present value. It never raises one.
pub(crate) fn ratchet_down() -> Done {
    let house = House::read()?;
    let lowered = ratchet::Ratchet::load()?.lowered(&sizes::over(&house), &edges::counts()?);
    lowered.store()
}

/// The binaries whose trees are bounded: name, packages today, and what the number must stay under.
pub(crate) fn packages() -> Done<Vec<(String, usize, usize)>> {
    let under =
        |name: &str| edges::PACKAGES_UNDER.iter().find(|(n, _)| *n == name).map_or(0, |r| r.1);
    Ok(edges::counts()?.into_iter().map(|(name, n)| (name.clone(), n, under(&name))).collect())
}

fn count(complaints: usize) -> String {
    match complaints {
        0 => "well".to_owned(),
        1 => "1 complaint".to_owned(),
        n => format!("{n} complaints"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        if let Err(complaints) = super::tidy() {
            panic!("{complaints}");
        }
    }
}
