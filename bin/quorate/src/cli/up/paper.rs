//! What pages of the founding have in common.

use quorate_pages::{
    Alert, Frame, Link, Markup, Press, Tone, facts, form, form_as, hidden, link, outside, paragraph,
};

use super::kept::Kept;
use super::steps::STEPS;
use crate::cli::trouble::Trouble;

/// What speaks on every page.
const PRODUCT: &str = "Quorate founding";

fn bare(title: &str, body: Markup) -> Frame {
    Frame::bare(PRODUCT, title, body)
}

/// Words of our own, as a paragraph.
pub(super) fn say(words: &str) -> Markup {
    paragraph(Markup::running(words))
}

/// The page around a step, with the ways to all others.
pub(super) fn frame(kept: &Kept, path: &str, title: &str, body: Markup) -> Frame {
    let mut frame = bare(title, body);
    frame.party = kept.home().display().to_string();
    if kept.is_founded() {
        return frame;
    }
    let answers = kept.answers();
    let steps = STEPS.iter().map(|step| {
        let mark = if (step.is_done)(answers) { " \u{2713}" } else { "" };
        Link {
            href: step.path.to_owned(),
            label: format!("{}{mark}", step.label),
            is_here: step.path == path,
        }
    });
    frame.nav = steps.collect();
    frame.nav.push(Link {
        href: "/summary".to_owned(),
        label: "Summary".to_owned(),
        is_here: path == "/summary",
    });
    frame
}

/// The document, with what is wrong with what was typed, if anything is.
pub(super) fn with(mut frame: Frame, complaint: Option<&Trouble>, live: Option<&str>) -> String {
    frame.alerts.extend(complaint.map(|trouble| Alert {
        tone: Tone::Bad,
        text: format!("Not kept. {}: {}. Do this: {}.", trouble.field, trouble.why, trouble.mend),
    }));
    frame.live = live.map(str::to_owned);
    frame.render()
}

/// A refusal: what, and what to do next.
pub(super) fn refused(trouble: &Trouble) -> String {
    let body = facts(vec![
        ("What happened", outside(&format!("{}: {}", trouble.field, trouble.why))),
        ("What to do next", outside(&trouble.mend)),
        ("First page", link("/", "Back to the founding")),
    ]);
    bare("Refused", body).render()
}

/// The page of somebody who was not let in. It says nothing of the vault.
pub(super) fn nobody(trouble: Option<&Trouble>) -> String {
    let words = "This is the founding of a vault, and it lets in whoever reads the terminal where `quorate up` runs: open the \
                 address that stands there. Each address lets in one browser, once. Nothing that was answered is lost.";
    let again =
        form_as(Press::Aside, "/again", Markup::default(), "Print another address on the terminal");
    with(bare("Who are you?", Markup::all([say(words), again])), trouble, None)
}

/// The founding is over. Whoever ended it is told where the console is; a stranger is not.
pub(super) fn closed(console: Option<Markup>) -> String {
    let words = "The founding is finished and these pages are closed. The desk runs; sign in to the console with the token of your \
                 credential.";
    let place = console.map(|console| facts(vec![("Console", console)])).unwrap_or_default();
    bare("Finished", Markup::all([say(words), place])).render()
}

/// An address was printed.
pub(super) fn printed() -> String {
    bare(
        "Look at the terminal",
        say("Another address stands on the terminal where `quorate up` runs."),
    )
    .render()
}

/// Asks for one press, so that a program that follows links does not use the word up.
pub(super) fn enter(word: &str) -> String {
    let words = "Here a vault is founded, step by step. What you answer is kept in the desk's folder, so you can stop and go on \
                 whenever you like. Nothing else is written before you have read a summary and said so.";
    let go = form("/enter", hidden(&[("token", word)]), "Begin");
    bare("Found a vault", Markup::all([say(words), go])).render()
}

/// A button that sends an act with its fields.
pub(super) fn act(path: &str, fields: &[(&str, &str)], words: &str, press: Press) -> Markup {
    form_as(press, path, hidden(fields), words)
}
