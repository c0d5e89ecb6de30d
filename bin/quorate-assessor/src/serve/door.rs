//! Signing in with a key: the page shows a challenge, the person's own machine signs it, and the ledger says whose key that is.
//! Nothing is enrolled: who takes part in an audit here is known by the engagement, and the reviewer by the list.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use quorate_assessor::audit::signed::visit_to_sign;
use quorate_assessor::audit::{Record as Act, Role};
use quorate_assessor::record::Record;
use quorate_pages::{Field, code_block, form, hidden, paragraph, shell_word, text_field};
use quorate_pages::{Markup, outside};
use quorate_terms::{PublicKey, Signature};
use serde::Deserialize;

use super::hall::{Hall, Seen};
use super::paper::{Nav, Page};
use super::routes::{Answer, Refused, to};
use super::visitor::Visitor;
use crate::audit::open_with;
use crate::office::Office;
use crate::trouble::{Done, Trouble};

/// The longest id that is asked for, in bytes.
const PERSON_MAX: usize = 200;

/// Adds the door's routes.
pub(super) fn routes(router: Router<Arc<Hall>>) -> Router<Arc<Hall>> {
    router.route("/visit", post(challenge)).route("/visit/answer", post(enter))
}

/// What stands on the page for who signs in with a key.
pub(super) fn ask_person(value: &str) -> Markup {
    let hint = "The id under which the engagement names you, such as ann.";
    let label = "Who you are in an audit here";
    let fields = text_field(Field { name: "person", label, hint, value, optional: false });
    form("/visit", fields, "Show a challenge for my key")
}

#[derive(Deserialize)]
struct Who {
    person: String,
}

async fn challenge(State(hall): State<Arc<Hall>>, Form(given): Form<Who>) -> Answer {
    let person = given.person.trim();
    if person.is_empty() || person.len() > PERSON_MAX {
        let next = "write the id under which the engagement names you";
        return Err(Trouble::refused("unknown_person", "this is nobody's id", next).into());
    }
    let challenge = hall.challenge(person)?;
    Ok(shown(&hall, person, &challenge))
}

fn shown(hall: &Hall, person: &str, challenge: &str) -> Response {
    let mut page = Page::new("Sign in with your key");
    page.push(paragraph(Markup::all([
        Markup::text("Run this where your key is, as "),
        outside(person),
        Markup::text(". It signs this challenge for this address alone, and shows one line."),
    ])));
    page.push(code_block("The command", &command(hall, person, challenge)));
    let hint = "The line that the command showed.";
    let fields = Markup::all([
        hidden(&[("challenge", challenge)]),
        text_field(Field { name: "answer", label: "The answer", hint, ..Field::default() }),
    ]);
    page.push(form("/visit/answer", fields, "Sign in"));
    Html(page.render(hall.name(), "/sign-in", Nav::Stranger)).into_response()
}

fn command(hall: &Hall, person: &str, challenge: &str) -> String {
    let (office, at) = (hall.name(), hall.address());
    let person = shell_word(person);
    format!(
        "quorate-assessor person visit {challenge} --office {office} --at {at} --by {person} --key YOUR.key"
    )
}

#[derive(Deserialize)]
struct Signed {
    challenge: String,
    answer: String,
}

async fn enter(State(hall): State<Arc<Hall>>, Form(given): Form<Signed>) -> Answer {
    let no = || {
        let next =
            "ask for a new challenge; the id and the key must be those of an engagement here";
        Refused::from(Trouble::refused("wrong_code", "this answer does not open", next))
    };
    let person = hall.challenged(&given.challenge).ok_or_else(no)?;
    let signature: Signature = given.answer.trim().parse().map_err(|_| no())?;
    let message = visit_to_sign(hall.name(), hall.address(), &person, &given.challenge)
        .map_err(Trouble::from)?;
    let (turn, standards, who) =
        (hall.visiting().await?, hall.standards().to_owned(), person.clone());
    let known = hall.look(move |seen| {
        let _turn = turn;
        keys(&standards, seen, &who)
    });
    let all = known.await?;
    let key = all.iter().find(|(key, _)| key.verifies(&message, &signature)).ok_or_else(no)?.0;
    let audits = all.iter().any(|(other, role)| *other == key && *role == Role::Auditor);
    tracing::info!(%person, %key, "signed in at the office");
    let cookie = hall.begin(Visitor::Person { id: person, key, audits })?;
    Ok(to(&hall, "/audits", Some(&cookie)))
}

/// The keys that a person holds in audits here, each with the role.
fn keys(standards: &Path, seen: &Seen<'_>, person: &str) -> Done<Vec<(PublicKey, Role)>> {
    let mut found = Vec::new();
    for audit in named(seen.office, person) {
        // An audit that does not hold together lets nobody in, and keeps nobody out of the others.
        let Ok(held) = open_with(standards, seen.home, seen.office, &audit) else {
            continue;
        };
        found.extend(held.state.parties().get(person).map(|party| (party.key, party.role)));
    }
    Ok(found)
}

/// Audits in whose lines a person is named as a party or on a list.
fn named(office: &Office, person: &str) -> BTreeSet<String> {
    let names = |act: &Act| match act {
        Act::Engaged(engagement) => engagement.parties.iter().any(|p| p.person == person),
        Act::OptionsListed(options) => options.reviewers.iter().any(|r| r.person == person),
        _ => false,
    };
    let lines = office.lines().iter().filter_map(|line| match &line.body {
        Record::Audited(step) if names(&step.record) => Some(step.audit.clone()),
        _ => None,
    });
    lines.collect()
}
