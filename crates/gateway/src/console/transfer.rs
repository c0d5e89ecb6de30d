//! A new transfer: what a person types is read by the desk, shown whole, and only then filed.

use axum::Router;
use axum::extract::Form;
use axum::routing::get;
use quorate_pages::{
    Field, Markup, Press, Tone, address, badge, choice_field, empty, facts, form, link, outside,
    paragraph, text_field, when,
};
use quorate_terms::AssetId;
use quorate_terms::intent::{Action, Transfer};

use super::filing::Wish;
use super::paperwork::{Composed, TransferTyped, Tried};
use super::visit::{Answered, Visit};
use super::{Here, Page, paper};

pub(crate) const PAGE: Page = Page {
    path: "/transfer",
    label: "New transfer",
    routes: |router: Router<Here>| router.route("/transfer", get(new).post(read)),
};

async fn new(visit: Visit) -> Answered {
    if !visit.may_file() {
        let next = "somebody with the role operator files transfers";
        return visit.page("New transfer", [empty("Your role looks and files nothing.", next)]);
    }
    if visit.status.wallets.is_empty() {
        let next = "open one with `quorate wallet new`";
        return visit.page("New transfer", [empty("There is no wallet yet.", next)]);
    }
    visit.page("New transfer", [asked(&visit)])
}

fn asked(visit: &Visit) -> Markup {
    let wallets: Vec<&str> = visit.status.wallets.iter().map(|one| one.wallet.as_str()).collect();
    let wallets: Vec<(&str, &str)> = wallets.iter().map(|name| (*name, *name)).collect();
    let assets = visit.status.policy_document.assets.iter();
    let words: Vec<(String, String)> = assets
        .map(|info| {
            let said = format!("{} ({}, {})", info.symbol, info.name, info.asset.chain());
            (info.asset.to_string(), said)
        })
        .collect();
    let assets: Vec<(&str, &str)> =
        words.iter().map(|(id, said)| (id.as_str(), said.as_str())).collect();
    let field = |name, label, hint| Field { name, label, hint, ..Field::default() };
    let fields = Markup::all([
        choice_field(field("wallet", "From wallet", ""), &wallets),
        choice_field(field("asset", "Asset", ""), &assets),
        text_field(field("to", "To", "The whole address, with its capital letters (EIP-55).")),
        text_field(field(
            "amount",
            "Amount",
            "In whole units, such as 1.5. The next page shows every digit.",
        )),
        text_field(field(
            "fee_ceiling",
            "Fee at most",
            "In whole units of the chain's own coin, such as 0.01.",
        )),
        text_field(Field {
            optional: true,
            ..field("memo", "Memo", "The ledger keeps a commitment; the words can be erased.")
        }),
    ]);
    form("/transfer", fields, "Look at it")
}

async fn read(visit: Visit, Form(typed): Form<TransferTyped>) -> Answered {
    visit.operator()?;
    let memo = typed.memo.clone();
    let composed = visit.console.office.transfer(typed).await?;
    let Action::Transfer(transfer) = &composed.action else {
        return Err(super::visit::asked().into());
    };
    let shown = shown(&visit, transfer, &composed, &memo);
    let said = "Nothing is filed yet. Compare every digit of the address with its source.";
    let wish = Wish { action: composed.action.clone(), openings: composed.openings.clone() };
    let button = visit.offer_with(wish, ("File this transfer", Press::Main))?;
    let back = paragraph(link("/transfer", "Begin again"));
    let tried = visit.console.office.simulated(Tried::Wish(transfer.clone())).await?;
    let tried = tried.as_ref().map(paper::simulation).unwrap_or_default();
    let body = [paragraph(Markup::text(said)), shown, tried, button, back];
    visit.page("Look at the transfer", body)
}

fn shown(visit: &Visit, transfer: &Transfer, composed: &Composed, memo: &str) -> Markup {
    let policy = &visit.status.policy_document;
    let coin = format!("{}/slip44:60", transfer.asset.chain()).parse::<AssetId>();
    let fee = match coin {
        Ok(coin) => paper::sum(policy, &coin, transfer.fee_ceiling),
        Err(_) => Markup::text(&format!("{} base units", transfer.fee_ceiling)),
    };
    let listed = match composed.usable_from {
        Some(from) if from <= visit.status.now => badge(Tone::Good, "in the address book"),
        Some(from) => {
            Markup::all([badge(Tone::Warn, "in the address book, usable from "), when(from)])
        }
        None => badge(Tone::Warn, "not in the address book"),
    };
    let memo = if memo.is_empty() { Markup::text("none") } else { outside(memo) };
    facts(vec![
        ("From wallet", outside(transfer.wallet.as_str())),
        ("Amount", paper::sum(policy, &transfer.asset, transfer.amount)),
        ("To", address(transfer.to.as_str(), None)),
        ("Known", listed),
        ("Fee at most", fee),
        ("Memo", memo),
    ])
}
