//! The address book: who is listed, who could be taken for another, and listing and removing.

use axum::Router;
use axum::extract::{Form, Path};
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Field, Markup, Press, Tone, address, badge, choice_field, empty, facts, form, heading, link,
    outside, paragraph, table, text_field, when,
};
use quorate_terms::AccountId;
use quorate_terms::intent::Action;

use super::filing::Wish;
use super::paperwork::{Listed, ListingTyped};
use super::visit::{Answered, Visit};
use super::{Here, Page};

pub(crate) const PAGE: Page = Page {
    path: "/addresses",
    label: "Address book",
    routes: |router: Router<Here>| {
        router.route("/addresses", get(all).post(read)).route("/addresses/{account}", get(one))
    },
};

/// What a recipient may be to us.
const KINDS: [(&str, &str); 3] =
    [("third_party", "Somebody else's"), ("client", "A client's"), ("own", "Our own, elsewhere")];

async fn all(visit: Visit) -> Answered {
    let listed = visit.console.office.listed().await?;
    let book = match listed.as_slice() {
        [] => empty("Nobody is listed.", "list a recipient below"),
        listed => {
            let rows = listed.iter().map(|one| line(&visit, one)).collect();
            table("Recipients", &["Recipient", "Usable", "Look-alike", "More"], rows)
        }
    };
    let mut body = vec![book];
    if visit.may_file() {
        body.extend([heading("List a recipient"), asked(&visit)]);
    }
    visit.page("Address book", body)
}

fn line(visit: &Visit, one: &Listed) -> Vec<Markup> {
    let usable = match one.usable_from <= visit.status.now {
        true => badge(Tone::Good, "now"),
        false => Markup::all([Markup::text("from "), when(one.usable_from)]),
    };
    let more = link(&format!("/addresses/{}", one.account), "Open");
    vec![address(one.account.as_str(), None), usable, alike(one), more]
}

fn alike(one: &Listed) -> Markup {
    match &one.looks_like {
        None => Markup::text("none"),
        Some(other) => Markup::all([
            badge(Tone::Bad, "could be taken for"),
            Markup::text(" "),
            address(other.as_str(), None),
        ]),
    }
}

fn asked(visit: &Visit) -> Markup {
    let chains: Vec<&str> = visit.status.chains.keys().map(|chain| chain.as_str()).collect();
    let chains: Vec<(&str, &str)> = chains.iter().map(|chain| (*chain, *chain)).collect();
    let field = |name, label, hint| Field { name, label, hint, ..Field::default() };
    let fields = Markup::all([
        choice_field(field("chain", "Chain", ""), &chains),
        text_field(field(
            "account",
            "Address",
            "The whole address, with its capital letters (EIP-55).",
        )),
        text_field(field(
            "beneficiary",
            "Who that is",
            "The ledger keeps a commitment; the words can be erased.",
        )),
        choice_field(field("owner_kind", "What they are to us", ""), &KINDS),
    ]);
    form("/addresses", fields, "Look at it")
}

async fn read(visit: Visit, Form(typed): Form<ListingTyped>) -> Answered {
    visit.operator()?;
    let who = typed.beneficiary.clone();
    let composed = visit.console.office.listing(typed).await?;
    let Action::ListAddress { account, .. } = &composed.action else {
        return Err(super::visit::asked().into());
    };
    let wait = visit.status.policy_document.addresses.wait_s;
    let shown = facts(vec![
        ("Recipient", address(account.as_str(), None)),
        ("Who that is", outside(&who)),
        ("Usable", Markup::text(&format!("{wait} s after it is listed"))),
    ]);
    let said = "Nothing is filed yet. Compare every digit with what the recipient told you on another channel.";
    let wish = Wish { action: composed.action.clone(), openings: composed.openings };
    let button = visit.offer_with(wish, ("Ask to list this recipient", Press::Main))?;
    visit.page("Look at the recipient", [paragraph(Markup::text(said)), shown, button])
}

async fn one(visit: Visit, Path(account): Path<String>) -> Answered {
    let account: AccountId = account.parse()?;
    let listed = visit.console.office.listed().await?;
    let Some(one) = listed.iter().find(|one| one.account == account) else {
        let next = "look at the recipients that are listed";
        return Err(Refusal::new("nothing_here", "this recipient is not listed", next).into());
    };
    let about = facts(vec![
        ("Recipient", address(account.as_str(), None)),
        ("Usable from", when(one.usable_from)),
        ("Look-alike", alike(one)),
    ]);
    let action = Action::RemoveAddress { account };
    let remove = visit.offer(action, ("Take this recipient off the list", Press::No))?;
    visit.page("Recipient", [about, remove])
}
