//! Settings: the charter in force, who is seated in it, and the sessions of this console. What can be changed takes a case.

use axum::Router;
use axum::extract::Form;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Press, Tone, badge, digest, elsewhere, facts, heading, outside, paragraph, table, when,
};
use quorate_terms::Digest;
use quorate_terms::credential::Role;
use quorate_web::sessions::SIGN_IN_AGAIN;

use super::filing::Yes;
use super::gate::Refused;
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

/// An operator sees every session and may end it, everybody else their own.
fn seen(visit: &Visit) -> Vec<Session> {
    let now = visit.console.now();
    let mut seen = visit.console.people(|people| people.live(now));
    let is_own = |one: &Session| one.who.credential == visit.caller.credential;
    seen.retain(|one| visit.role == Role::Operator || is_own(one));
    seen
}

fn sessions(visit: &Visit) -> Reply<Markup> {
    let (all, is_fresh) = (seen(visit), visit.session.is_fresh(visit.console.now()));
    let mut rows = Vec::new();
    for one in all.iter().take(20) {
        let end = match one.name == visit.session.name {
            true => badge(Tone::Note, "this one"),
            false if !is_fresh => Markup::text("sign in again first"),
            false => visit.question(
                Ask::EndSession(one.name),
                ("/settings/end", Markup::default()),
                ("End it", Press::No),
            )?,
        };
        rows.push(vec![outside(one.who.credential.as_str()), when(one.begun), when(one.seen), end]);
    }
    let listed = table("Who is signed in", &["Credential", "Since", "Last seen", "End"], rows);
    if all.len() < 2 {
        return Ok(listed);
    }
    let others = match is_fresh {
        true => visit.question(
            Ask::EndOthers,
            ("/settings/end", Markup::default()),
            ("End all but this one", Press::No),
        )?,
        false => paragraph(Markup::text(SIGN_IN_AGAIN)),
    };
    Ok(Markup::all([listed, others]))
}

async fn end(visit: Visit, Form(yes): Form<Yes>) -> Answered {
    let ask = visit.answered(&yes.ask)?;
    let ended = match ask {
        Ask::EndSession(name) => vec![one(&visit, name)?],
        Ask::EndOthers => {
            let others = seen(&visit).into_iter().map(|one| one.name);
            others.filter(|name| *name != visit.session.name).collect()
        }
        _ => return Err(asked().into()),
    };
    if !visit.session.is_fresh(visit.console.now()) {
        let message = "you signed in too long ago to end another session";
        let next = "sign out, sign in again and end it within 10 minutes";
        return Err(Refusal::new("sign_in_again", message, next).into());
    }
    for name in &ended {
        visit.console.people(|people| people.end(name));
    }
    let (by, count) = (&visit.caller.credential, ended.len());
    tracing::info!(credential = %by, count, "ended sessions at the console");
    Ok(Redirect::to("/settings").into_response())
}

/// A live session, if this person may end it.
fn one(visit: &Visit, name: Digest) -> Result<Digest, Refused> {
    let now = visit.console.now();
    let Some(found) = visit.console.people(|people| people.still(&name, now)) else {
        let next = "nothing needs doing";
        return Err(Refusal::new("nothing_here", "this session is over", next).into());
    };
    if found.who.credential != visit.caller.credential {
        visit.operator()?;
    }
    Ok(name)
}
