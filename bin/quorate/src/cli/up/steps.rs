//! The steps. Each is a module and a line here: what it shows, what it takes, and when it is done. What is typed is checked at
//! once by the functions that found, and kept or shown again with what is wrong.

mod chains;
mod cosigners;
mod doors;
mod people;
mod rules;
mod sources;
mod vault;

use axum::Router;
use axum::extract::Form;
use axum::routing::get;
use futures_util::future::BoxFuture;
use quorate_pages::{Markup, code_block, link, paragraph};

pub(super) use chains::host;
pub(super) use sources::kinds;

use super::door::Here;
use super::kept::Kept;
use super::visit::{Answered, Typed, Visit, said};
use crate::cli::found::answers::Answers;
use crate::cli::trouble::{Tried, Trouble};

/// A question to the world about what was typed.
type Asks = fn(Typed) -> BoxFuture<'static, Tried<()>>;

/// One step.
pub(super) struct Step {
    pub(super) path: &'static str,
    pub(super) label: &'static str,
    title: &'static str,
    /// The beginnings of the fields that are answered here, as a complaint names them.
    owns: &'static [&'static str],
    /// Whether nothing more is needed here.
    pub(super) is_done: fn(&Answers) -> bool,
    body: fn(&Kept, &Typed) -> Markup,
    take: fn(&mut Kept, &Typed) -> Tried<()>,
    /// What the world is asked before anything is kept.
    ask: Option<Asks>,
    /// Whether one form is all of it: then keeping it leads on.
    leads_on: bool,
}

/// Every step, in order.
pub(super) const STEPS: [Step; 7] = [
    vault::STEP,
    people::STEP,
    cosigners::STEP,
    chains::STEP,
    sources::STEP,
    rules::STEP,
    doors::STEP,
];

/// Adds the routes of all steps.
pub(super) fn routes(router: Router<Here>) -> Router<Here> {
    STEPS.iter().fold(router, |router, step| {
        let shown = move |visit: Visit| async move { step.show(&visit, &Typed::new(), None) };
        let kept = move |visit: Visit, Form(typed): Form<Typed>| step.keep(visit, typed);
        router.route(step.path, get(shown).post(kept))
    })
}

/// Where somebody who comes back goes on.
pub(super) fn next(answers: &Answers) -> &'static str {
    STEPS.iter().find(|step| !(step.is_done)(answers)).map_or("/summary", |step| step.path)
}

/// The step where a field is answered that a complaint names, or where a document was pasted; none if it is not known.
pub(super) fn owner(field: &str) -> Option<&'static Step> {
    let field = field.rsplit('/').next().unwrap_or(field);
    STEPS.iter().find(|step| step.owns.iter().any(|own| field.starts_with(own)))
}

impl Step {
    fn show(&self, visit: &Visit, typed: &Typed, trouble: Option<&Trouble>) -> Answered {
        if visit.founder.kept(|kept| kept.is_founded()) {
            return Visit::go("/next");
        }
        let body = visit.founder.kept(|kept| (self.body)(kept, typed));
        let body = Markup::all([body, self.ways()]);
        visit.page(self.title, body, trouble)
    }

    async fn keep(&'static self, visit: Visit, typed: Typed) -> Answered {
        let asked = match self.ask {
            Some(ask) => ask(typed.clone()).await,
            None => Ok(()),
        };
        match asked.and_then(|()| visit.founder.kept(|kept| (self.take)(kept, &typed))) {
            Ok(()) if self.leads_on => Visit::go(self.after()),
            Ok(()) => Visit::go(self.path),
            Err(trouble) => self.show(&visit, &typed, Some(&trouble)),
        }
    }

    fn after(&self) -> &'static str {
        let mut later = STEPS.iter().skip_while(|step| step.path != self.path).skip(1);
        later.next().map_or("/summary", |step| step.path)
    }

    /// The ways back and forth.
    fn ways(&self) -> Markup {
        let before = STEPS.iter().take_while(|step| step.path != self.path).last();
        let back = before.map(|step| link(step.path, &format!("Back: {}", step.label)));
        let name = STEPS.iter().find(|step| step.path == self.after());
        let name = name.map_or("Summary", |step| step.label);
        let on = link(self.after(), &format!("Go on: {name}"));
        let between = Markup::text(if back.is_some() { " \u{b7} " } else { "" });
        paragraph(Markup::all([back.unwrap_or_default(), between, on]))
    }
}

/// What stands in a field: what was typed there just now, or else what is kept.
fn shown<'a>(typed: &'a Typed, name: &str, kept: &'a str) -> &'a str {
    typed.get(name).map_or(kept, String::as_str)
}

/// A whole number from a field.
fn number<T: std::str::FromStr>(field: &str, text: &str, example: &str) -> Tried<T> {
    text.parse().map_err(|_| {
        let why = format!("`{text}` is not a whole number that fits");
        Trouble::new(field, why, format!("give one such as {example}"))
    })
}

/// Takes the line of this name out of a list; a complaint if there is none.
fn removed<T>(list: &mut Vec<T>, typed: &Typed, is: impl Fn(&T, &str) -> bool) -> Tried<()> {
    let (name, before) = (said(typed, "name"), list.len());
    list.retain(|one| !is(one, name));
    if list.len() == before { Err(gone(name)) } else { Ok(()) }
}

/// What was to be taken out is not there.
fn gone(name: &str) -> Trouble {
    let mend = "look at the list again; it may be gone already";
    Trouble::new("name", format!("`{name}` is not in the list"), mend)
}

/// The commands by which somebody makes what is pasted here, each whole.
fn made_by(who: &str, lines: &[&str]) -> Markup {
    code_block(&format!("What {who} runs"), &lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_complaint_names_leads_to_its_step_and_never_in_a_circle() {
        for (field, path) in [
            ("vault", Some("/vault")),
            ("charter.log.origin", Some("/vault")),
            ("approver", Some("/people")),
            ("governance", Some("/people")),
            ("quorum `treasury`", Some("/people")),
            ("charter.approvers.passkeys", Some("/people")),
            ("charter.views", Some("/people")),
            ("view `front`.origin", Some("/people")),
            ("cosigner", Some("/cosigners")),
            ("threshold", Some("/cosigners")),
            ("charter.threshold", Some("/cosigners")),
            ("chain", Some("/networks")),
            ("finality-depth", Some("/networks")),
            ("source", Some("/sources")),
            ("asset", Some("/rules")),
            ("asset.alone", Some("/rules")),
            ("charter.policy.rules.large", Some("/rules")),
            ("change-delay", Some("/rules")),
            ("book-listen", Some("/doors")),
            ("console-listen", Some("/doors")),
            ("charter", None),
            ("/home/desk/founding/approver-ann.json:3", Some("/people")),
            ("/home/desk/founding/answers.json", None),
        ] {
            assert_eq!(owner(field).map(|step| step.path), path, "{field}");
        }
    }
}
