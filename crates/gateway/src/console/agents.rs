//! Credentials of agents and people: who holds one, what it allows, and its end. Admitting somebody makes a token, which belongs
//! on the machine of whoever will use it: that is the command line's.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Press, Tone, badge, empty, facts, link, outside, paragraph, table, when,
};
use quorate_terms::Timestamp;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;

use super::visit::{Answered, Visit};
use super::{Here, Page, paper};
use crate::office::{CaseView, CasesRequest, CredentialView};

pub(crate) const PAGE: Page = Page {
    path: "/agents",
    label: "Credentials",
    routes: |router: Router<Here>| {
        router.route("/agents", get(all)).route("/agents/{credential}", get(one))
    },
};

fn state(one: &CredentialView, now: Timestamp) -> Markup {
    match (one.revoked, one.expires_at <= now) {
        (true, _) => badge(Tone::Bad, "revoked"),
        (_, true) => badge(Tone::Note, "lapsed"),
        _ => badge(Tone::Good, "holds"),
    }
}

fn may(one: &CredentialView) -> String {
    match one.role {
        Some(role) => format!("role {role}"),
        None => format!("band {}", one.band),
    }
}

fn name(one: &CredentialView) -> &str {
    one.role.map_or(one.agent.as_str(), |_| one.owner.as_str())
}

fn listed(caption: &str, all: &[&CredentialView], now: Timestamp) -> Markup {
    let row = |one: &&CredentialView| {
        vec![
            outside(name(one)),
            Markup::text(&may(one)),
            outside(one.owner.as_str()),
            when(one.expires_at),
            state(one, now),
            link(&format!("/agents/{}", one.credential), one.credential.as_str()),
        ]
    };
    let headings = ["Who", "May", "Answers for it", "Lapses", "State", "Credential"];
    table(caption, &headings, all.iter().map(row).collect())
}

async fn all(visit: Visit) -> Answered {
    let is_agent = |one: &&CredentialView| one.role.is_none();
    let (agents, people): (Vec<_>, Vec<_>) = visit.status.credentials.iter().partition(is_agent);
    let now = visit.status.now;
    let agents = match agents.as_slice() {
        [] => empty("No agent is admitted.", "admit one with `quorate agent new`"),
        agents => listed("Agents", agents, now),
    };
    let people = match people.as_slice() {
        [] => empty("Nobody has a role.", "admit somebody with `quorate member new`"),
        people => listed("People", people, now),
    };
    let said = "Somebody new is admitted on the command line, because a token is made there.";
    visit.page("Credentials", [agents, people, paragraph(Markup::text(said))])
}

async fn one(visit: Visit, Path(credential): Path<String>) -> Answered {
    let found = visit.status.credentials.iter().find(|one| one.credential.as_str() == credential);
    let Some(one) = found else {
        let next = "look at the credentials that are known";
        return Err(Refusal::new("nothing_here", "there is no such credential", next).into());
    };
    let wallets: Vec<&str> = one.wallets.iter().map(|wallet| wallet.as_str()).collect();
    let wallets = if wallets.is_empty() { "none".to_owned() } else { wallets.join(", ") };
    let about = facts(vec![
        ("Who", outside(name(one))),
        ("May", Markup::text(&may(one))),
        ("Wallets that it may name", outside(&wallets)),
        ("Answers for it", outside(one.owner.as_str())),
        ("Lapses", when(one.expires_at)),
        ("State", state(one, visit.status.now)),
    ]);
    let cases = visit.console.office.cases(CasesRequest { all: true, limit: 200 }).await?;
    let own: Vec<&CaseView> = cases.iter().filter(|case| case.requester == name(one)).collect();
    let none = ("It has asked for nothing lately.", "what it files will stand here");
    let mut body =
        vec![about, paper::cases(("What it asked for lately", visit.status.now), &own, none)];
    if !one.revoked {
        let action = Action::RevokeCredential { credential: one.credential.clone() };
        body.push(visit.offer(action, ("Revoke this credential", Press::No))?);
    }
    if one.role.is_none() {
        let action = Action::Freeze { scope: Scope::Agent { agent: one.agent.clone() } };
        body.push(visit.offer(action, ("Freeze this agent", Press::No))?);
    }
    visit.page(&format!("Credential {}", one.credential), body)
}
