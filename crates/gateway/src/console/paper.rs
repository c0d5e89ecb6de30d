//! What pages have in common: the frame with what everybody must know, cases in a table, words for states.

use quorate_custody::{Nearing, Refusal, State};
use quorate_pages::{
    Alert, Field, Frame, Link, Markup, Tone, amount, badge, empty, facts, form, link, outside,
    paragraph, secret_field, section, table, when,
};
use quorate_terms::entry::{Outcome, Severity};
use quorate_terms::freeze::Scope;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Amount, AssetId, PersonId, Timestamp};

use super::gate::live;
use super::paperwork::Simulation;
use super::visit::{Via, Visit};
use super::{PAGES, provider};
use crate::office::{CaseView, outcome_word};

/// What speaks on every page.
const PRODUCT: &str = "Quorate console";

fn bare(title: &str, body: Markup) -> Frame {
    Frame::bare(PRODUCT, title, body)
}

/// The page before anybody is signed in. It says nothing of the vault.
pub(crate) fn sign_in(provider: Option<&str>) -> String {
    let field = secret_field(Field {
        name: "token",
        label: "Your token",
        hint: "What stands in the file that `quorate member new` wrote. It is kept nowhere here.",
        ..Field::default()
    });
    let said = "Signing in lets you look, and file in your own name if your role allows it. Nothing is approved here.";
    let mut body = vec![paragraph(Markup::text(said)), form("/sign-in", field, "Sign in")];
    if let Some(issuer) = provider {
        let by = link(provider::BEGIN, "Sign in through your organisation");
        let words = [Markup::text("To look and do nothing else: "), by, Markup::text(" (")];
        let words = Markup::all(words.into_iter().chain([outside(issuer), Markup::text(")")]));
        body.push(paragraph(words));
    }
    bare("Sign in", Markup::all(body)).render()
}

/// The page for somebody whom the provider has named and the book lets look.
pub(crate) fn let_in(who: &PersonId) -> String {
    let said = "You are signed in through your organisation, to look. What files or attests takes the token of your credential.";
    let body = Markup::all([
        facts(vec![("Signed in", outside(who.as_str())), ("First page", link("/", "Go on"))]),
        paragraph(Markup::text(said)),
    ]);
    bare("Signed in", body).render()
}

/// The page for somebody who signed out here and is signed in at the provider still.
pub(crate) fn signed_out(issuer: &str) -> String {
    let said = "You are signed out of the console. At your organisation's provider you are signed in still, and whoever uses this browser next could sign in as you.";
    let body = Markup::all([
        paragraph(Markup::text(said)),
        facts(vec![
            ("Provider", outside(issuer)),
            ("Sign out there too", link(provider::END, "Go to the provider")),
            ("First page", link("/", "Stay signed in there")),
        ]),
    ]);
    bare("Signed out", body).render()
}

/// A refusal: what, and what to do next.
pub(crate) fn refused(refusal: &Refusal) -> String {
    let body = facts(vec![
        ("What happened", outside(&refusal.message)),
        ("What to do next", outside(&refusal.next)),
        ("Code", outside(&refusal.code)),
        ("First page", link("/", "Home")),
    ]);
    let mut frame = bare("Refused", body);
    frame.alerts.push(Alert { tone: Tone::Bad, text: refusal.message.clone() });
    frame.render()
}

/// The page around everything for somebody who is signed in.
pub(crate) fn frame(visit: &Visit, title: &str, body: Markup) -> Frame {
    let mut frame = bare(title, body);
    frame.is_signed_in = true;
    let (vault, who) = (&visit.status.vault, &visit.caller.owner);
    let how = if visit.session.who.via == Via::Provider { ", through the provider" } else { "" };
    frame.party = format!("{vault}, as {who} ({}{how})", visit.role);
    let here = |path: &str| match path {
        "/" => visit.path == "/",
        _ => visit.path.starts_with(path),
    };
    let nav = PAGES.iter().map(|page| Link {
        href: page.path.to_owned(),
        label: page.label.to_owned(),
        is_here: here(page.path),
    });
    frame.nav = nav.collect();
    frame.alerts = warnings(visit);
    frame.live = visit.is_live.then(|| live(visit));
    frame
}

/// What nobody may overlook, whichever page they are on.
fn warnings(visit: &Visit) -> Vec<Alert> {
    let status = &visit.status;
    let mut all = Vec::new();
    let mut bad = |text: String| all.push(Alert { tone: Tone::Bad, text });
    for scope in status.freezes.values() {
        bad(format!(
            "Signing is stopped: {}. A quorum of approvers can resume it.",
            scope_words(scope)
        ));
    }
    for (index, _) in &status.voids {
        bad(format!(
            "Entry {index} is void: nothing is signed until the charter's quorum resumes."
        ));
    }
    if !status.writes {
        bad("The desk's disk takes no writes: nothing can be filed.".to_owned());
    }
    let critical = status.alerts.iter().filter(|view| view.open.severity == Severity::Critical);
    for view in critical {
        bad(format!(
            "Critical alert: {} about {}. Take it under Alerts.",
            view.open.rule, view.open.subject
        ));
    }
    all
}

/// What is frozen, in words.
pub(crate) fn scope_words(scope: &Scope) -> String {
    match scope {
        Scope::Vault => "the whole vault".to_owned(),
        Scope::Wallet { wallet } => format!("wallet {wallet}"),
        Scope::Agent { agent } => format!("agent {agent}"),
    }
}

/// What a case awaits, or how it ended.
pub(crate) fn state(state: &State) -> Markup {
    let (tone, words) = match state {
        State::AwaitJudgment => (Tone::Note, "awaits judgment"),
        State::AwaitApprovals => (Tone::Warn, "awaits approvals"),
        State::AwaitAct => (Tone::Note, "awaits its act"),
        State::AwaitSnapshot => (Tone::Note, "awaits the chain"),
        State::AwaitSignature => (Tone::Note, "awaits signatures"),
        State::AwaitCeremony => (Tone::Note, "awaits key generation"),
        State::AwaitBroadcast => (Tone::Note, "awaits broadcast"),
        State::AwaitConfirmation => (Tone::Note, "awaits finality"),
        State::AwaitDelay => (Tone::Note, "awaits its delay"),
        State::Closed(outcome @ (Outcome::Settled | Outcome::Done)) => {
            (Tone::Good, outcome_word(*outcome))
        }
        State::Closed(outcome @ (Outcome::Replaced | Outcome::Cancelled | Outcome::Expired)) => {
            (Tone::Note, outcome_word(*outcome))
        }
        State::Closed(outcome) => (Tone::Bad, outcome_word(*outcome)),
    };
    badge(tone, words)
}

/// What the desk's node thinks that a transfer would change: differences first.
pub(crate) fn simulation(found: &Simulation) -> Markup {
    let warned = found.warnings.iter().map(|warning| {
        let sign = badge(Tone::Bad, "differs");
        paragraph(Markup::all([sign, Markup::text(" "), outside(warning)]))
    });
    let rows = found.rows.iter().map(|(label, text)| (label.as_str(), outside(text))).collect();
    section("What a simulation shows", Markup::all(warned.chain([facts(rows)])))
}

/// Cases in a table at this time, the newest first; what is said where there are none.
pub(crate) fn cases(
    (caption, now): (&str, Timestamp),
    cases: &[&CaseView],
    none: (&str, &str),
) -> Markup {
    if cases.is_empty() {
        return empty(none.0, none.1);
    }
    let row = |case: &&CaseView| {
        let counted = case
            .tallies
            .iter()
            .map(|tally| format!("{} {} of {}", tally.quorum, tally.counted.len(), tally.need));
        let counted: Vec<String> = counted.collect();
        vec![
            outside(&case.summary),
            Markup::all([state(&case.state), agreed(&counted.join(", ")), near(case, now)]),
            outside(&case.requester),
            when(case.filed_at),
            link(&format!("/cases/{}", case.case), &format!("Case {}", case.case.intent().short())),
        ]
    };
    let rows = cases.iter().rev().map(row).collect();
    table(caption, &["What", "State", "Asked by", "Filed", "Case"], rows)
}

/// That a case which waits for people nears its end.
pub(crate) fn near(case: &CaseView, now: Timestamp) -> Markup {
    let waits = case.state == State::AwaitApprovals;
    let expires_at = case.expires_at.filter(|_| waits);
    let nearing = expires_at.and_then(|end| Nearing::of(case.filed_at, end, now));
    let tone = |nearing| if nearing == Nearing::Tenth { Tone::Bad } else { Tone::Warn };
    let words =
        |nearing: Nearing| Markup::all([Markup::text(" "), badge(tone(nearing), nearing.words())]);
    nearing.map(words).unwrap_or_default()
}

fn agreed(counted: &str) -> Markup {
    if counted.is_empty() {
        return Markup::default();
    }
    Markup::all([Markup::text(" "), outside(counted)])
}

/// An amount with the symbol and decimals of the policy.
pub(crate) fn sum(policy: &PolicyDocument, asset: &AssetId, units: Amount) -> Markup {
    match policy.assets.iter().find(|info| info.asset == *asset) {
        Some(info) => amount(&units.to_string(), info.decimals, &info.symbol),
        None => amount(&units.to_string(), 0, asset.as_str()),
    }
}

/// The same in one line of text.
pub(crate) fn sum_words(policy: &PolicyDocument, asset: &AssetId, units: Amount) -> String {
    match policy.assets.iter().find(|info| info.asset == *asset) {
        Some(info) => format!("{} {}", units.to_decimal(info.decimals), info.symbol),
        None => format!("{units} base units of {asset}"),
    }
}

/// What an asset is called where nothing else tells it from others: symbols are unique on each chain only.
pub(crate) fn called(policy: &PolicyDocument, asset: &AssetId) -> String {
    let Some(info) = policy.assets.iter().find(|info| info.asset == *asset) else {
        return asset.to_string();
    };
    let same = policy.assets.iter().filter(|other| other.symbol == info.symbol);
    match same.count() {
        0 | 1 => info.symbol.clone(),
        _ => format!("{} on {}", info.symbol, asset.chain()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_terms::{CaseId, Digest};

    #[test]
    fn a_case_that_waits_for_people_says_when_it_nears_its_end_and_no_other_does() {
        let case = |state| CaseView {
            case: CaseId::of_intent(Digest::ZERO),
            kind: "transfer".into(),
            requester: "olga".into(),
            state,
            filed_at: Timestamp::from_millis(1_000),
            expires_at: Some(Timestamp::from_millis(11_000)),
            judgment: None,
            tallies: vec![],
            summary: "pay".into(),
            wallet: None,
            txid: None,
            reason: None,
            outcome: None,
        };
        for (state, now, words) in [
            (State::AwaitApprovals, 5_999, ""),
            (State::AwaitApprovals, 6_000, "half of its time"),
            (State::AwaitApprovals, 10_500, "less than a tenth"),
            (State::AwaitApprovals, 11_000, ""),
            (State::AwaitSnapshot, 10_500, ""),
        ] {
            let said = near(&case(state), Timestamp::from_millis(now));
            assert!(said.as_str().contains(words), "{now}: {said}");
            assert_eq!(said.as_str().is_empty(), words.is_empty(), "{now}: {said}");
            let all = case(state);
            let row = cases(("c", Timestamp::from_millis(now)), &[&all], ("", ""));
            assert!(row.as_str().contains(words), "{now}: {row}");
        }
    }
}
