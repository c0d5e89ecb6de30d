//! Settings: the charter in force, who is seated in it, and the sessions of this console. What can be changed takes a case.

use axum::Router;
use axum::extract::Form;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Press, Tone, badge, digest, elsewhere, facts, heading, outside, paragraph, table, when,
};
use quorate_terms::credential::Role;

use super::filing::Yes;
use super::visit::{Answered, Ask, Session, Visit, asked};
use super::{Here, Page, home};
use crate::office::Reply;

pub(crate) const PAGE: Page = Page {
    path: "/settings",
    label: "Settings",
    routes: |router: Router<Here>| {
        router.route("/settings", get(shown)).route("/settings/end", post(end))
    },
};

async fn shown(visit: Visit) -> Answered {
    let charter = &visit.status.charter_text;
    let quorum = &charter.governance;
    let about = facts(vec![
        ("Vault", outside(&visit.status.vault)),
        ("Charter", digest(&visit.status.charter.to_string())),
        ("Version", Markup::text(&charter.version.to_string())),
        (
            "Signing quorum",
            Markup::text(&format!("{} of {}", charter.threshold, charter.cosigners.len())),
        ),
        (
            "Governance",
            outside(&format!("{}: {} of {}", quorum.name, quorum.m, quorum.members.len())),
        ),
        ("A change of charter waits", Markup::text(&format!("{} s", charter.change_delay_s))),
    ]);
    let said = "The charter and the policy change by cases that the charter's quorum agrees to.";
    let body = [
        about,
        paragraph(Markup::text(said)),
        home::cosigners(&visit),
        approvers(&visit),
        views(&visit),
        heading("Sessions"),
        sessions(&visit)?,
    ];
    visit.page("Settings", body)
}

fn approvers(visit: &Visit) -> Markup {
    let row = |seat: &quorate_terms::charter::ApproverSeat| {
        vec![
            outside(seat.approver.as_str()),
            outside(seat.person.as_str()),
            Markup::text(&seat.passkeys.len().to_string()),
        ]
    };
    let rows = visit.status.charter_text.approvers.iter().map(row).collect();
    table("Approvers", &["Seat", "Person", "Passkeys"], rows)
}

fn views(visit: &Visit) -> Markup {
    let views = &visit.status.charter_text.views;
    if views.is_empty() {
        return paragraph(Markup::text(
            "The charter seats no view: approvers use their own tools.",
        ));
    }
    let row = |view: &quorate_terms::passkey::ViewSeat| {
        vec![outside(view.view.as_str()), outside(&view.operator), elsewhere(&view.origin)]
    };
    table("Views", &["View", "Run by", "Where"], views.iter().map(row).collect())
}

/// An operator sees every session, everybody else their own.
fn sessions(visit: &Visit) -> Reply<Markup> {
    let now = visit.console.now();
    let mine = |one: &Session| one.who.credential == visit.caller.credential;
    let all = visit.console.people(|people| people.live(now));
    let mut rows = Vec::new();
    for one in all.into_iter().filter(|one| mine(one) || visit.role == Role::Operator).take(20) {
        let end = match one.name == visit.session.name {
            true => badge(Tone::Note, "this one"),
            false => visit.question(
                Ask::EndSession(one.name),
                ("/settings/end", Markup::default()),
                ("End it", Press::No),
            )?,
        };
        rows.push(vec![outside(one.who.credential.as_str()), when(one.begun), when(one.seen), end]);
    }
    Ok(table("Who is signed in", &["Credential", "Since", "Last seen", "End"], rows))
}

async fn end(visit: Visit, Form(yes): Form<Yes>) -> Answered {
    let Ask::EndSession(name) = visit.answered(&yes.ask)? else { return Err(asked().into()) };
    let now = visit.console.now();
    let found = visit.console.people(|people| people.live(now));
    let Some(session) = found.into_iter().find(|one| one.name == name) else {
        let next = "nothing needs doing";
        return Err(Refusal::new("nothing_here", "this session is over", next).into());
    };
    if session.who.credential != visit.caller.credential {
        visit.operator()?;
    }
    visit.console.people(|people| people.end(&session.name));
    Ok(Redirect::to("/settings").into_response())
}
