//! Being guided: each missing answer is asked for, and asked again until it is one.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use inquire::validator::{StringValidator, Validation};
use inquire::{Confirm, InquireError, Text};
use quorate_terms::VaultId;

use super::answers::{Answers, chain, cosigner, source};
use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

/// Whether somebody is there to answer.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Asks for what is missing.
///
/// # Errors
/// [`Trouble`] when the person gives up.
pub(crate) fn fill(answers: &mut Answers) -> Tried<()> {
    if answers.vault.is_none() {
        let question = "What is the vault called?";
        let help = "a short pseudonym such as `treasury`; it stays in the ledger for ever";
        answers.vault = Some(text(question, help, |text| {
            text.parse::<VaultId>().map(drop).map_err(Trouble::from)
        })?);
    }
    while answers.approvers.is_empty() || more("Another approver?")? {
        let help =
            "the enrolment file that `quorate-approvals enrol` made on the approver's machine";
        answers.approvers.push(PathBuf::from(text("An approver's enrolment file?", help, file)?));
    }
    while answers.cosigners.len() < 2 || more("Another cosigner?")? {
        let help =
            "the seat file that `quorate-cosigner init` made, and where it listens: FILE@HOST:PORT";
        let said = text("A cosigner's seat file and address?", help, |t| {
            let read = cosigner(t)?;
            read::address("cosigner", &read.address)?;
            file(&read.seat.display().to_string())
        })?;
        answers.cosigners.push(cosigner(&said)?);
    }
    while more("Is there a source of facts (finality, prices) to name?")? {
        let help = "its enrolment file and where its facts come from: FILE@HOST:PORT, FILE@file:PATH or FILE@URL";
        let said = text("A source's enrolment file and place?", help, |t| source(t).map(drop))?;
        answers.sources.push(source(&said)?);
    }
    while answers.chains.is_empty() || more("Another chain?")? {
        let help = "CAIP-2 and a node's URL, such as eip155:1=https://node.example.org";
        let (name, url) = chain(&text("Which chain and node?", help, |t| {
            let (name, url) = chain(t)?;
            read::rpc("chain", &url)?;
            read::chain(&name).map(drop)
        })?)?;
        answers.chains.insert(name, url);
    }
    if answers.governance.is_none() {
        let seats = answers.approvers.len();
        let question = format!("How many of the {seats} approvers must agree to change the rules?");
        let said = text(&question, "more than one, so that nobody can do it alone", move |t| {
            number(t, seats)
        })?;
        answers.governance = said.parse().ok();
    }
    Ok(())
}

fn text(
    question: &str,
    help: &str,
    check: impl Fn(&str) -> Tried<()> + Clone + 'static,
) -> Tried<String> {
    let check = move |said: &str| {
        Ok(match check(said.trim()) {
            Ok(()) => Validation::Valid,
            Err(trouble) => Validation::Invalid(trouble.to_string().into()),
        })
    };
    let check: Box<dyn StringValidator> = Box::new(check);
    let said = Text::new(question).with_help_message(help).with_validators(&[check]).prompt();
    said.map(|said| said.trim().to_owned()).map_err(gave_up)
}

fn more(question: &str) -> Tried<bool> {
    Confirm::new(question).with_default(false).prompt().map_err(gave_up)
}

fn gave_up(error: InquireError) -> Trouble {
    let mend = "nothing was written; run it again, or give flags or `--answers FILE`";
    Trouble::new("init", error.to_string().to_lowercase(), mend)
}

fn file(path: &str) -> Tried<()> {
    read::text(std::path::Path::new(path)).map(drop)
}

fn number(text: &str, seats: usize) -> Tried<()> {
    let good = text.parse::<usize>().is_ok_and(|m| (1..=seats).contains(&m));
    let bad = || Trouble::new("governance", "cannot be met", format!("give 1 to {seats}"));
    good.then_some(()).ok_or_else(bad)
}
