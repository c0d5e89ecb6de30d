//! The brake: one person stops, a quorum resumes.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::routing::get;
use quorate_pages::{
    Markup, Press, Tone, badge, digest, empty, heading, outside, paragraph, table,
};
use quorate_terms::Digest;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;

use super::visit::{Answered, Visit};
use super::{Here, Page, paper};
use crate::office::Reply;

pub(crate) const PAGE: Page = Page {
    path: "/freeze",
    label: "Freeze",
    routes: |router: Router<Here>| router.route("/freeze", get(freeze)),
};

async fn freeze(visit: Visit) -> Answered {
    let said = "A freeze stops signing at once, and nobody need agree. Signing begins again when the charter's quorum agrees.";
    let body = [
        paragraph(Markup::text(said)),
        in_force(&visit),
        heading("Stop"),
        stops(&visit)?,
        resumes(&visit)?,
    ];
    visit.page("Freeze", body)
}

fn in_force(visit: &Visit) -> Markup {
    if visit.status.freezes.is_empty() {
        return empty("Nothing is frozen.", "signing goes on as policy says");
    }
    let row = |(freeze, scope): (&Digest, &Scope)| {
        vec![outside(&paper::scope_words(scope)), digest(&freeze.to_string())]
    };
    table("In force", &["What", "Freeze"], visit.status.freezes.iter().map(row).collect())
}

fn stops(visit: &Visit) -> Reply<Markup> {
    if !visit.may_file() {
        return Ok(badge(Tone::Note, "your role looks and stops nothing here"));
    }
    let mut all =
        vec![visit.offer(
            Action::Freeze { scope: Scope::Vault },
            ("Freeze the whole vault", Press::No),
        )?];
    for one in &visit.status.wallets {
        let action = Action::Freeze { scope: Scope::Wallet { wallet: one.wallet.clone() } };
        let words = format!("Freeze wallet {}", one.wallet);
        all.push(visit.offer(action, (&words, Press::No))?);
    }
    Ok(Markup::all(all))
}

fn resumes(visit: &Visit) -> Reply<Markup> {
    let mut scopes: BTreeMap<&Scope, BTreeSet<Digest>> = BTreeMap::new();
    for (freeze, scope) in &visit.status.freezes {
        scopes.entry(scope).or_default().insert(*freeze);
    }
    let mut all = Vec::new();
    if !scopes.is_empty() && visit.may_file() {
        all.push(heading("Ask to resume"));
    }
    for (scope, lifts) in scopes {
        let words = format!("Ask the quorum to resume {}", paper::scope_words(scope));
        let action = Action::Unfreeze { scope: scope.clone(), lifts };
        all.push(visit.offer(action, (&words, Press::Aside))?);
    }
    Ok(Markup::all(all))
}
