//! Who stands in for whom, until when: a part of the page People. It is asked for on the command line or over HTTP, because the
//! stand-in's keys come from their own machine; an operator ends it here at once.

use quorate_custody::Phase;
use quorate_pages::{Markup, Press, Tone, badge, details, empty, outside, paragraph, table, when};
use quorate_terms::intent::Action;

use super::visit::Visit;
use crate::office::{DelegationView, Reply};

/// Ended delegations that the page shows.
const SHOWN: usize = 20;

/// The part of the page, with a way to end each delegation for operators.
pub(super) async fn section(visit: &Visit) -> Reply<Markup> {
    let all = visit.console.office.delegations().await?;
    let (over, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|o| o.phase == Phase::Ended);
    let next = "while an approver is away, file `quorate delegation new`";
    let mut parts = vec![match open.as_slice() {
        [] => empty("Nobody stands in for anybody.", next),
        open => listed(visit, "Delegations", open)?,
    }];
    let said = "A stand-in speaks on transfers alone, and the seat's own word goes before. \
        Either of the two takes it back with `quorate-approvals delegation end`.";
    parts.push(paragraph(Markup::text(said)));
    let over: Vec<DelegationView> = over.into_iter().take(SHOWN).collect();
    if !over.is_empty() {
        parts.push(details("Delegations that ended", listed(visit, "Ended", &over)?));
    }
    Ok(Markup::all(parts))
}

fn listed(visit: &Visit, caption: &str, all: &[DelegationView]) -> Reply<Markup> {
    let headings = ["Stands in", "For", "From", "Until", "Up to", "How it stands", "End"];
    let rows = all.iter().map(|one| row(visit, one)).collect::<Reply<Vec<_>>>()?;
    Ok(table(caption, &headings, rows))
}

fn row(visit: &Visit, one: &DelegationView) -> Reply<Vec<Markup>> {
    let holder = one.holder.as_ref().map(|person| format!(" ({person})")).unwrap_or_default();
    let end = match one.phase {
        Phase::Ended => Markup::default(),
        Phase::Granted | Phase::Standing => {
            let action = Action::EndDelegation { delegation: one.id.clone() };
            visit.offer(action, (&format!("End {}", one.id), Press::No))?
        }
    };
    Ok(vec![
        outside(one.stand_in.as_str()),
        outside(&format!("{}{holder}", one.seat)),
        when(one.from),
        when(one.until),
        outside(&limit(visit, one)),
        state(one),
        end,
    ])
}

fn state(one: &DelegationView) -> Markup {
    match (one.phase, one.cause.as_deref()) {
        (Phase::Standing, _) => badge(Tone::Good, "stands"),
        (Phase::Granted, _) => badge(Tone::Note, "begins later"),
        (Phase::Ended, Some("taken_back")) => badge(Tone::Note, "taken back"),
        (Phase::Ended, Some("charter")) => badge(Tone::Note, "ended by the charter"),
        (Phase::Ended, _) => badge(Tone::Note, "over"),
    }
}

/// The limit in whole units where the policy knows the asset, in base units where it does not.
fn limit(visit: &Visit, one: &DelegationView) -> String {
    let Some(above) = &one.above else { return "any amount".to_owned() };
    let assets = &visit.status.policy_document.assets;
    let words =
        above.iter().map(|(asset, amount)| match assets.iter().find(|info| info.asset == *asset) {
            Some(info) => format!("{} {}", amount.to_decimal(info.decimals), info.symbol),
            None => format!("{amount} base units of {asset}"),
        });
    words.collect::<Vec<_>>().join(", ")
}
