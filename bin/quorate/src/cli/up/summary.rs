//! What would be founded, in words, and founding it. The form carries the name of what was shown: had the answers changed since,
//! nothing is founded.

use axum::Router;
use axum::extract::Form;
use axum::routing::{get, post};
use quorate_pages::{
    Markup, Tone, badge, facts, form, heading, hidden, link, outside, paragraph, table,
};
use quorate_terms::charter::CharterText;
use quorate_terms::fact::FactKind;

use super::door::Here;
use super::kept::Kept;
use super::paper::say;
use super::steps::{self, next};
use super::visit::{Answered, Typed, Visit, said};
use crate::cli::found::plan::Plan;
use crate::cli::trouble::{Tried, Trouble};

/// Adds the first page, the summary and the founding itself.
pub(super) fn routes(router: Router<Here>) -> Router<Here> {
    router.route("/", get(first)).route("/summary", get(shown)).route("/found", post(found))
}

async fn first(visit: Visit) -> Answered {
    let path = visit.founder.kept(|kept| match kept.is_founded() {
        true => "/next",
        false => next(kept.answers()),
    });
    Visit::go(path)
}

async fn shown(visit: Visit) -> Answered {
    show(&visit, None)
}

fn show(visit: &Visit, trouble: Option<&Trouble>) -> Answered {
    if visit.founder.kept(|kept| kept.is_founded()) {
        return Visit::go("/next");
    }
    let body = visit.founder.kept(|kept| match planned(kept) {
        Ok((plan, shown)) => words(kept, &plan, &shown),
        Err(trouble) => missing(&trouble),
    });
    visit.page("What will be founded", body, trouble)
}

fn planned(kept: &Kept) -> Tried<(Plan, String)> {
    let answers = kept.resolved();
    if let Some(field) = answers.missing().first() {
        let step = next(&answers);
        let mend = format!("go to {} and answer it", step.trim_start_matches('/'));
        return Err(Trouble::new(*field, "is missing", mend));
    }
    Ok((Plan::of(&answers)?, kept.digest()?.to_string()))
}

fn missing(trouble: &Trouble) -> Markup {
    Markup::all([
        say("It cannot be founded yet. Nothing was written."),
        facts(vec![
            ("What", outside(&trouble.field)),
            ("Why", outside(&trouble.why)),
            ("What to do next", outside(&trouble.mend)),
        ]),
        paragraph(link("/", "Go to the first step that is not done")),
    ])
}

fn words(kept: &Kept, plan: &Plan, shown: &str) -> Markup {
    let charter = plan.draft();
    Markup::all([
        sentences(charter),
        weak(charter),
        people(charter),
        cosigners(plan),
        assets(kept),
        heading("What it writes"),
        written(kept),
        form("/found", hidden(&[("shown", shown)]), "Found this vault"),
        paragraph(link(steps::STEPS.last().map_or("/", |step| step.path), "Back")),
    ])
}

fn sentences(charter: &CharterText) -> Markup {
    let (m, n) = (charter.governance.m, charter.governance.members.len());
    let rows = vec![
        ("Vault", outside(charter.vault.as_str())),
        (
            "People",
            Markup::text(&format!(
                "{n} approvers. Any {m} of them together change the charter and the policy, and resume after a stop. Any one of them stops everything."
            )),
        ),
        (
            "Signing",
            Markup::text(&format!(
                "Any {} of {} cosigners together sign. No one of them can, and no one of them ever holds a whole key.",
                charter.threshold,
                charter.cosigners.len()
            )),
        ),
        (
            "Changes",
            Markup::text(&format!(
                "A changed charter waits {} after people agreed, on each cosigner's own clock.",
                length(charter.change_delay_s)
            )),
        ),
        (
            "Finality",
            Markup::text(&format!(
                "A transaction is final with {} blocks on it, its own among them.",
                charter.finality_depth
            )),
        ),
        ("Checkpoints", outside(&charter.log.origin)),
    ];
    facts(rows)
}

/// Seconds in the largest unit that fits.
fn length(seconds: u64) -> String {
    let fits = |per: u64| seconds.checked_rem(per) == Some(0) && seconds >= per;
    let (per, unit) = match seconds {
        _ if fits(3_600) => (3_600, "hours"),
        _ if fits(60) => (60, "minutes"),
        _ => (1, "seconds"),
    };
    format!("{} {unit}", seconds.checked_div(per).unwrap_or(seconds))
}

/// What stands, and gives something up.
fn weak(charter: &CharterText) -> Markup {
    let mut all = Vec::new();
    let mut say = |words: &str| {
        all.push(paragraph(Markup::all([
            badge(Tone::Warn, "to look at"),
            Markup::text(" "),
            Markup::text(words),
        ])));
    };
    if !charter.sources.iter().any(|seat| seat.kinds.contains(&FactKind::Finality)) {
        say("No source of finality is named: nothing that is signed can close before one is.");
    }
    if charter.governance.m == 1 {
        say("One person alone can change every rule.");
    }
    let operators = charter.cosigners.iter().map(|seat| seat.operator.as_str());
    let operators: std::collections::BTreeSet<&str> = operators.collect();
    if operators.len() < 2 {
        say("One company runs every cosigner: whoever rules it can sign without the others.");
    }
    if charter.approvers.len() == usize::try_from(charter.governance.m).unwrap_or(usize::MAX) {
        say("All approvers must agree to a change: one lost key stops every change for good.");
    }
    Markup::all(all)
}

fn people(charter: &CharterText) -> Markup {
    let row = |seat: &quorate_terms::charter::ApproverSeat| {
        vec![
            outside(seat.approver.as_str()),
            outside(seat.person.as_str()),
            outside(&seat.key.to_string()),
        ]
    };
    let rows = charter.approvers.iter().map(row).collect();
    table("Approvers; compare each key with its person", &["Seat", "Person", "Key"], rows)
}

fn cosigners(plan: &Plan) -> Markup {
    let row = |seat: &quorate_terms::charter::CosignerSeat| {
        let place = plan.cosigners.get(&seat.cosigner).map_or("", String::as_str);
        vec![
            outside(seat.cosigner.as_str()),
            outside(&seat.operator),
            outside(place),
            outside(&seat.identity.to_string()),
        ]
    };
    let rows = plan.draft().cosigners.iter().map(row).collect();
    let headings = ["Cosigner", "Run by", "Listens at", "Identity"];
    table("Cosigners; compare each identity with its operator", &headings, rows)
}

fn assets(kept: &Kept) -> Markup {
    let answers = kept.answers();
    if answers.policy.is_some() {
        return say("The policy is a file of your own, as `--policy` named it.");
    }
    let row = |one: &crate::cli::found::answers::AssetAnswer| {
        let (unit, sum) = (&one.symbol, |text: &str| outside(&format!("{text} {}", one.symbol)));
        vec![
            outside(unit),
            sum(&one.alone),
            sum(&one.strangers),
            sum(&one.agent_daily),
            sum(&one.vault_daily),
        ]
    };
    let rows = steps::effective(answers).iter().map(row).collect();
    let headings =
        ["Asset", "An agent alone up to", "To somebody new", "An agent a day", "All in 24 hours"];
    table(
        "The first rules; above the second and third column two people must agree",
        &headings,
        rows,
    )
}

fn written(kept: &Kept) -> Markup {
    let home = kept.home().display();
    let path = |file: &str| outside(&format!("{home}/{file}"));
    facts(vec![
        (
            "The desk's keys, made now",
            Markup::all([path("keys/log.seed"), Markup::text(" and "), path("keys/link.seed")]),
        ),
        ("The charter, for everybody", path("charter.json")),
        ("What receipts are verified against", path("verify.json")),
        ("The desk's configuration", path("desk.toml")),
    ])
}

async fn found(visit: Visit, Form(typed): Form<Typed>) -> Answered {
    let done = visit.founder.kept(|kept| {
        let (_, shown) = planned(kept)?;
        if shown != said(&typed, "shown") {
            let mend = "read the summary again, and press the button under it";
            return Err(Trouble::new("summary", "is not of what stands there now", mend));
        }
        kept.found().map(drop)
    });
    match done {
        Ok(()) => {
            visit.founder.is_founded_now();
            Visit::go("/next")
        }
        Err(trouble) => show(&visit, Some(&trouble)),
    }
}
