//! Who stands in for whom, until when: a part of the page People. An operator asks for a delegation here with the enrolment that
//! the stand-in made on their own machine, and ends one at once.

use std::collections::BTreeMap;

use axum::extract::Form;
use quorate_custody::{Phase, Refusal};
use quorate_pages::{
    Field, Markup, Press, Tone, badge, details, empty, facts, form, heading, long_field, outside,
    paragraph, table, text_field, when,
};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::delegation::{DELEGATION_S_MAX, Delegation};
use quorate_terms::digest::tag;
use quorate_terms::intent::Action;
use quorate_terms::policy::AssetInfo;
use quorate_terms::{Amount, AssetId, Digest, Timestamp};
use serde::Deserialize;

use super::paper;
use super::visit::{Answered, Visit};
use crate::office::{DelegationView, Reply};

/// Ended delegations that the page shows.
const SHOWN: usize = 20;
const DAY_S: u64 = 86_400;

/// The part of the page, with a way to end each delegation for operators.
pub(super) async fn section(visit: &Visit) -> Reply<Markup> {
    let all = visit.console.office.delegations().await?;
    let (over, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|o| o.phase == Phase::Ended);
    let next = "while an approver is away, somebody may";
    let mut parts = vec![match open.as_slice() {
        [] => empty("Nobody stands in for anybody.", next),
        open => listed(visit, "Delegations", open)?,
    }];
    let said = "A stand-in speaks on transfers alone, and the seat's own word goes before. \
        Either of the two takes it back with `quorate-approvals delegation end`.";
    parts.push(paragraph(Markup::running(said)));
    let over: Vec<DelegationView> = over.into_iter().take(SHOWN).collect();
    if !over.is_empty() {
        parts.push(details("Delegations that ended", listed(visit, "Ended", &over)?));
    }
    if visit.may_file() {
        parts.push(details("Let somebody stand in", asking()));
    }
    Ok(Markup::all(parts))
}

/// The form that asks for a delegation.
fn asking() -> Markup {
    let field = |name, label, hint| Field { name, label, hint, ..Field::default() };
    let fields = Markup::all([
        long_field(field(
            "enrolment",
            "The stand-in's enrolment",
            "The file that `quorate-approvals enrol --approver SEAT --stand-in` made, as it is. Nothing in it is secret.",
        )),
        text_field(field("days", "For how many days", "At most 30. It ends by itself.")),
        text_field(Field {
            optional: true,
            ..field("after", "Begins in how many days", "Empty: as soon as it is agreed to.")
        }),
        text_field(Field {
            optional: true,
            ..field(
                "above",
                "Up to which amount",
                "Whole units by symbol, fees included, such as ETH=1.5, USDC=2000; above them, and on any other asset, the seat itself must speak. A token needs its chain's coin beside it, for fees. Empty: any amount.",
            )
        }),
    ]);
    form("/people/delegate", fields, "Look at who would stand in")
}

/// The form of a delegation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    enrolment: String,
    days: String,
    #[serde(default)]
    after: String,
    #[serde(default)]
    above: String,
}

/// What was typed, as it would be asked for.
pub(super) async fn read(visit: Visit, Form(typed): Form<Typed>) -> Answered {
    visit.operator()?;
    let status = &visit.status;
    let assets = &status.policy_document.assets;
    let one = typed.compose(assets, &status.charter_text, status.now)?;
    let stand_in = &one.stand_in;
    let holder = status.charter_text.approver(&one.seat).map(|seat| seat.person.as_str());
    let mut about = vec![
        ("Stands in", outside(stand_in.person.as_str())),
        ("For the seat", outside(one.seat.as_str())),
        ("Of", outside(holder.unwrap_or_default())),
        ("From", when(one.from)),
        ("Until", when(one.until)),
        ("Up to, fees included", outside(&limit(&visit, one.above.as_ref()))),
        ("Signs with", outside(&stand_in.key.to_string())),
        ("Credential", outside(stand_in.credential.as_str())),
    ];
    let view = |passkey: &quorate_terms::passkey::Passkey| outside(passkey.view.as_str());
    about.extend(stand_in.passkeys.iter().map(|passkey| ("Passkey at view", view(passkey))));
    about.push(("Delegation", outside(one.id.as_str())));
    let said = "Nothing is filed yet. Compare the key with what the stand-in reads to you from their own \
        machine: whoever holds it speaks for the seat.";
    let action = Action::Delegate { delegation: Box::new(one.clone()) };
    let button = visit.offer(action, ("Ask the charter's quorum", Press::Main))?;
    let body = [heading("Who would stand in"), facts(about), paragraph(Markup::text(said)), button];
    visit.page("Look at the delegation", body)
}

impl Typed {
    /// The delegation that was typed, by the desk's clock and the policy's assets. Its name follows from the stand-in's key,
    /// which is used once as the name is.
    fn compose(
        &self,
        assets: &[AssetInfo],
        charter: &CharterText,
        now: Timestamp,
    ) -> Reply<Delegation> {
        let seat: ApproverSeat = serde_json::from_str(&self.enrolment).map_err(|_| {
            let next = "paste the whole file `enrolment.json` from the stand-in's machine";
            Refusal::new("bad_enrolment", "this is no enrolment", next)
        })?;
        let most = DELEGATION_S_MAX / DAY_S;
        let from = now.plus_s(days(&self.after, 0..=365)?.unwrap_or(0));
        let Some(length) = days(&self.days, 1..=most)? else {
            let next = format!("give a number of days from 1 to {most}");
            return Err(Refusal::new("bad_delegation", "no length was given", next));
        };
        let key = Digest::of(tag::TOKEN, seat.key.to_string().as_bytes());
        let id = Delegation::name_of(&seat.approver, &key.short())?;
        let (time, above) = ((from, from.plus_s(length)), limits(&self.above, assets)?);
        let delegation = Delegation::of_enrolment(id, seat, time, above)?;
        delegation.check()?;
        delegation.check_fit(charter).map_err(|why| {
            let next = "name a seat of the charter and somebody who holds none, with new keys";
            Refusal::new("bad_delegation", why.to_string(), next)
        })?;
        Ok(delegation)
    }
}

/// So many days in seconds; none where nothing was typed.
fn days(text: &str, allowed: std::ops::RangeInclusive<u64>) -> Reply<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.parse().ok().filter(|days| allowed.contains(days));
    read.map(|days: u64| Some(days.saturating_mul(DAY_S))).ok_or_else(|| {
        let next = format!("give a whole number from {} to {}", allowed.start(), allowed.end());
        Refusal::new("bad_delegation", "this is no number of days", next)
    })
}

/// Limits such as `ETH=1.5, USDC=2000`; none where nothing was typed.
fn limits(text: &str, assets: &[AssetInfo]) -> Reply<Option<BTreeMap<AssetId, Amount>>> {
    let refuse = |why: &str| {
        let known: Vec<&str> = assets.iter().map(|info| info.symbol.as_str()).collect();
        let next = format!("write SYMBOL=AMOUNT, once for each asset, of: {}", known.join(", "));
        Refusal::new("bad_delegation", why, next)
    };
    let mut above = BTreeMap::new();
    for pair in text.split([',', '\n']).map(str::trim).filter(|pair| !pair.is_empty()) {
        let (symbol, amount) =
            pair.split_once('=').ok_or_else(|| refuse("a limit has no amount"))?;
        let mut named = assets.iter().filter(|info| info.symbol == symbol.trim());
        let (Some(info), None) = (named.next(), named.next()) else {
            return Err(refuse("a limit names no asset of the policy, or more than one"));
        };
        let amount = Amount::from_decimal(amount.trim(), info.decimals)?;
        if above.insert(info.asset.clone(), amount).is_some() {
            return Err(refuse("an asset is named twice"));
        }
    }
    Ok((!above.is_empty()).then_some(above))
}

fn listed(visit: &Visit, caption: &str, all: &[DelegationView]) -> Reply<Markup> {
    let headings =
        ["Stands in", "For", "From, until", "Up to, fees included", "How it stands", "End"];
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
        Markup::all([when(one.from), Markup::text(", "), when(one.until)]),
        outside(&limit(visit, one.above.as_ref())),
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
fn limit(visit: &Visit, above: Option<&BTreeMap<AssetId, Amount>>) -> String {
    let Some(above) = above else { return "any amount".to_owned() };
    let policy = &visit.status.policy_document;
    let words = above.iter().map(|(asset, amount)| paper::sum_words(policy, asset, *amount));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assets() -> Vec<AssetInfo> {
        let info = |asset: &str, symbol: &str| AssetInfo {
            asset: asset.parse().unwrap(),
            symbol: symbol.to_owned(),
            name: symbol.to_owned(),
            decimals: 6,
        };
        let (coin, token) = ("eip155:1/slip44:60", "eip155:10/slip44:60");
        let other = "eip155:137/slip44:60";
        vec![info(coin, "ETH"), info(token, "TWO"), info(other, "TWO")]
    }

    #[test]
    fn limits_are_whole_units_by_symbol_each_once() {
        assert_eq!(limits(" \n", &assets()).unwrap(), None);
        let read = limits("ETH = 1.5", &assets()).unwrap().unwrap();
        assert_eq!(read.values().map(ToString::to_string).collect::<Vec<_>>(), ["1500000"]);
        for bad in ["ETH", "ETH=", "ETH=-1", "ETH=1e3", "XYZ=1", "ETH=1,ETH=2", "TWO=1"] {
            assert!(limits(bad, &assets()).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_are_whole_and_within_what_is_allowed() {
        assert_eq!(days("", 1..=30).unwrap(), None);
        assert_eq!(days(" 30 ", 1..=30).unwrap(), Some(30 * DAY_S));
        for bad in ["0", "31", "-1", "1.5", "x", "18446744073709551616"] {
            assert!(days(bad, 1..=30).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_limit_or_days_panic(text in any::<String>()) {
            let _any = (limits(&text, &assets()), days(&text, 0..=u64::MAX));
        }
    }
}
