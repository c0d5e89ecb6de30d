//! The starter policy: what agents may pay alone, what takes people, and what nobody may exceed.

use quorate_pages::{
    Field, Markup, Press, form, heading, hidden, outside, paragraph, table, text_field,
};

use super::super::kept::Kept;
use super::super::paper::{act, say};
use super::super::visit::{Typed, given, said};
use super::{Step, number, removed, shown};
use crate::cli::found::answers::{Answers, AssetAnswer, coin};
use crate::cli::found::plan;
use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/rules",
    label: "Rules",
    title: "The first rules",
    owns: &["asset", "policy", "change-delay", "charter.policy"],
    is_done: |answers| !answers.assets.is_empty() || answers.policy.is_some(),
    body,
    take,
    ask: None,
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "The starter policy lets an agent pay small sums alone and asks two people for everything else. A sum above what an \
                 agent may pay alone takes two people; so does a first payment to somebody new above its own, smaller bound. The budgets of \
                 a day bind people as well. All of it can be changed later, by a case that the people agree to.";
    let answers = kept.answers();
    Markup::all([
        say(words),
        known(answers),
        heading("An asset and its numbers"),
        say(
            "Amounts are whole units, such as 0.1. The same asset again takes the place of what stands above.",
        ),
        form("/rules", fields(answers, typed), "Keep this asset"),
        heading("How long changes wait"),
        delay(answers, typed),
    ])
}

fn known(answers: &Answers) -> Markup {
    let row = |one: &AssetAnswer| {
        let is_kept = answers.assets.iter().any(|kept| kept.asset == one.asset);
        let fields = [("act", "remove"), ("name", one.asset.as_str())];
        let out = match is_kept {
            true => act("/rules", &fields, "Take out", Press::No),
            false => Markup::text("the starter's numbers; fees are paid in it"),
        };
        vec![
            outside(&one.symbol),
            outside(&one.asset),
            outside(&one.alone),
            outside(&one.strangers),
            outside(&one.agent_daily),
            outside(&one.vault_daily),
            out,
        ]
    };
    let all = match plan::assets(answers) {
        Ok(all) => all,
        Err(trouble) => return paragraph(outside(&trouble.to_string())),
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    if rows.is_empty() {
        return say("No network is named yet, so there is no coin to pay fees in. Name one first.");
    }
    let headings = [
        "Symbol",
        "Asset",
        "Agent alone",
        "Alone to strangers",
        "Agent a day",
        "Vault in 24 hours",
        "Change",
    ];
    table("Assets", &headings, rows)
}

fn fields(answers: &Answers, typed: &Typed) -> Markup {
    let first = plan::missing_coins(answers).ok().and_then(|coins| coins.into_iter().next());
    let start = first.unwrap_or_else(|| coin(String::new(), String::new()));
    let decimals = start.decimals.to_string();
    let line = |name, label, hint, value| {
        let value = shown(typed, name, value);
        text_field(Field { name, label, hint, value, optional: name == "full_name" })
    };
    Markup::all([
        hidden(&[("act", "asset")]),
        line("symbol", "Symbol", "", &start.symbol),
        line(
            "asset",
            "Asset",
            "In CAIP-19 form: eip155:1/slip44:60 is Ethereum's coin, eip155:1/erc20:0x… a token.",
            &start.asset,
        ),
        line(
            "decimals",
            "Decimals",
            "Digits after the point: 18 for ether, 6 for many dollars.",
            &decimals,
        ),
        line("full_name", "Name", "", ""),
        line("alone", "An agent may pay alone up to", "", &start.alone),
        line("strangers", "And to somebody new up to", "", &start.strangers),
        line("agent_daily", "One agent may move in a day", "", &start.agent_daily),
        line("vault_daily", "All together may move in any 24 hours", "", &start.vault_daily),
    ])
}

fn delay(answers: &Answers, typed: &Typed) -> Markup {
    let now = answers.change_delay.as_deref().unwrap_or("24h");
    let field = text_field(Field {
        name: "change_delay",
        label: "A change of the charter that was agreed to waits so long before it is in force",
        hint: "Such as 24h; each cosigner counts on its own clock.",
        value: shown(typed, "change_delay", now),
        optional: false,
    });
    form("/rules", Markup::all([hidden(&[("act", "delay")]), field]), "Keep the time")
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    match said(typed, "act") {
        "asset" => {
            let answer = typed_asset(typed)?;
            let asset = plan::starter_asset(&answer)?.info.asset;
            let chain = asset.chain().to_string();
            if !kept.answers().chains.contains_key(&chain) {
                let why = format!("is on `{chain}`, which has no node");
                return Err(Trouble::new("asset", why, "name that network first"));
            }
            kept.change(|answers| {
                answers.assets.retain(|other| other.asset != answer.asset);
                answers.assets.push(answer);
                Ok(())
            })
        }
        "remove" => kept
            .change(|answers| removed(&mut answers.assets, typed, |one, name| one.asset == name)),
        _ => {
            let text = said(typed, "change_delay").to_owned();
            read::seconds("change_delay", &text)?;
            kept.change(|answers| {
                answers.change_delay = Some(text);
                Ok(())
            })
        }
    }
}

fn typed_asset(typed: &Typed) -> Tried<AssetAnswer> {
    let text = |name: &str| said(typed, name).to_owned();
    if text("symbol").is_empty() {
        return Err(Trouble::new("symbol", "is missing", "give a short one such as ETH"));
    }
    Ok(AssetAnswer {
        symbol: text("symbol"),
        asset: text("asset"),
        decimals: number("decimals", &text("decimals"), "18")?,
        name: given(typed, "full_name"),
        alone: text("alone"),
        strangers: text("strangers"),
        agent_daily: text("agent_daily"),
        vault_daily: text("vault_daily"),
    })
}
