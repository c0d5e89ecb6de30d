//! Which networks, and a node of each, which is asked at once whether it is one.

use futures_util::future::BoxFuture;
use quorate_pages::{
    Field, Markup, Press, empty, form, heading, hidden, outside, table, text_field,
};

use super::super::kept::Kept;
use super::super::paper::{act, say};
use super::super::visit::{Typed, said};
use super::{Step, gone, number, shown};
use crate::cli::found::answers::AssetAnswer;
use crate::cli::trouble::{Tried, Trouble};
use crate::cli::{doctor, read};

pub(super) const STEP: Step = Step {
    path: "/networks",
    label: "Networks",
    title: "Networks and their nodes",
    owns: &["chain", "finality", "unsupported_chain"],
    is_done: |answers| !answers.chains.is_empty(),
    body,
    take,
    ask: Some(ask),
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "The desk reads chains through nodes that you name, and publishes there. It never believes one about what is final: \
                 that takes a source of its own, in the next step.";
    let fields = Markup::all([
        hidden(&[("act", "chain")]),
        text_field(Field {
            name: "chain",
            label: "Network",
            hint: "In CAIP-2 form, such as eip155:1 for Ethereum or eip155:31337 for a development chain.",
            value: shown(typed, "chain", ""),
            optional: false,
        }),
        text_field(Field {
            name: "rpc",
            label: "Address of a node (JSON-RPC)",
            hint: "https, or plain http on this machine only. It is asked now which network it is of. An address with a key in it is kept \
                   as desk.toml keeps it: readable by this user only.",
            value: shown(typed, "rpc", ""),
            optional: false,
        }),
    ]);
    Markup::all([
        say(words),
        named(kept),
        heading("Name a network"),
        form("/networks", fields, "Ask the node and keep it"),
        heading("When a transaction is final"),
        finality(kept, typed),
    ])
}

fn named(kept: &Kept) -> Markup {
    let row = |(chain, url): (&String, &String)| {
        let fields = [("act", "remove"), ("name", chain.as_str())];
        vec![outside(chain), outside(&host(url)), act("/networks", &fields, "Take out", Press::No)]
    };
    let rows: Vec<_> = kept.answers().chains.iter().map(row).collect();
    if rows.is_empty() {
        return empty("No network is named yet.", "name one below");
    }
    table("Networks", &["Network", "Node at", "Change"], rows)
}

/// The host of a node: the rest of its address may be a key.
pub(in super::super) fn host(url: &str) -> String {
    let read = reqwest::Url::parse(url).ok();
    let host = read.as_ref().and_then(|url| url.host_str().map(str::to_owned));
    let port = read.as_ref().and_then(reqwest::Url::port).map(|port| format!(":{port}"));
    format!("{}{}", host.unwrap_or_default(), port.unwrap_or_default())
}

fn finality(kept: &Kept, typed: &Typed) -> Markup {
    let now = kept.answers().finality_depth.unwrap_or(12).to_string();
    let field = text_field(Field {
        name: "finality_depth",
        label: "So many blocks must stand on a transaction, its own among them",
        hint: "12 is usual; 2 will do on a development chain.",
        value: shown(typed, "finality_depth", &now),
        optional: false,
    });
    form("/networks", Markup::all([hidden(&[("act", "finality")]), field]), "Keep the number")
}

fn ask(typed: Typed) -> BoxFuture<'static, Tried<()>> {
    Box::pin(async move {
        if said(&typed, "act") != "chain" {
            return Ok(());
        }
        let (chain, url) = (read::chain(said(&typed, "chain"))?, said(&typed, "rpc"));
        read::rpc("node", url)?;
        match doctor::chain_id(url).await {
            Ok(number) if number == chain.reference() => Ok(()),
            Ok(number) => {
                let why = format!("is of network eip155:{number}, and not of {chain}");
                Err(Trouble::new("node", why, "give a node of this network, or that network"))
            }
            Err(why) => Err(Trouble::new("node", why, "start the node, or mend its address")),
        }
    })
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    match said(typed, "act") {
        "chain" => {
            let (chain, url) = (read::chain(said(typed, "chain"))?, said(typed, "rpc").to_owned());
            kept.change(|answers| {
                answers.chains.insert(chain.to_string(), url);
                Ok(())
            })
        }
        "remove" => kept.change(|answers| {
            let name = said(typed, "name");
            let is_on = |one: &&AssetAnswer| {
                quorate_chains::parse_asset(&one.asset)
                    .is_ok_and(|asset| asset.chain().to_string() == name)
            };
            if let Some(one) = answers.assets.iter().find(is_on) {
                let why = format!("`{name}` holds `{}` of the first rules", one.symbol);
                return Err(Trouble::new("network", why, "take the asset out there first"));
            }
            answers.chains.remove(name).map(drop).ok_or_else(|| gone(name))
        }),
        _ => {
            let text = said(typed, "finality_depth");
            let depth = number("finality_depth", text, "12")?;
            crate::cli::found::plan::finality(depth)?;
            kept.change(|answers| {
                answers.finality_depth = Some(depth);
                Ok(())
            })
        }
    }
}
