//! What the auditor's office found, as its signed bulletin says it, and the way to the office. The desk judges nothing here: it
//! shows what verifies, and says what does not.

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Tone, badge, details, digest, elsewhere, empty, facts, outside, paragraph, section,
    table, when,
};
use quorate_terms::bulletin::{Assessed, Bulletin};

use super::visit::{Answered, Visit};
use super::{Here, Page};
use crate::office::Reply;

pub(crate) const PAGE: Page = Page {
    path: "/standing",
    label: "Findings",
    routes: |router: Router<Here>| router.route("/standing", get(shown)),
};

/// Where the auditor's office is, and what it said last.
#[async_trait]
pub trait Bulletins: Send + Sync {
    /// The origin of its pages.
    fn origin(&self) -> &str;

    /// Its newest bulletin, verified under the pinned key; none when none was handed over. A refusal says what does not hold.
    async fn newest(&self) -> Reply<Option<Told>>;
}

/// A bulletin that verifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// What is said.
    pub bulletin: Bulletin,
    /// Of each standard, how its head stands to this desk's ledger.
    pub against: Vec<Against>,
    /// Whole days since it was made.
    pub days: u64,
}

/// How an assessment's head stands to the desk's own ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Against {
    /// It is this ledger's, and so many entries came after it.
    Behind(u64),
    /// It covers more entries than this ledger has.
    Ahead,
    /// This ledger has another root at that size.
    Other,
    /// It rests on no head of this ledger.
    Elsewhere,
}

/// A bulletin that is older is said to be old.
pub const OLD_DAYS: u64 = 30;

async fn shown(visit: Visit) -> Answered {
    let Some(office) = visit.console.setup.office.clone() else {
        let next = "name `office`, `office_key` and `bulletin` under `[console]` in desk.toml, and start the desk again";
        return visit.page("Findings", [empty("No auditor's office is named.", next)]);
    };
    let to = paragraph(Markup::all([
        Markup::text("The office shows every finding with its evidence at its own address: "),
        elsewhere(office.origin()),
    ]));
    match office.newest().await {
        Ok(Some(told)) => {
            let whole = told.bulletin.standards.iter().zip(&told.against);
            let parts = whole.map(|(one, against)| standard(one, *against));
            visit.page("Findings", [to, about(&told)].into_iter().chain(parts))
        }
        Ok(None) => {
            let next = "ask the office for it (quorate-assessor bulletin --out FILE), and put it where `bulletin` says";
            visit.page("Findings", [to, empty("The office's bulletin is not here yet.", next)])
        }
        Err(refusal) => visit.page("Findings", [to, refused(&refusal)]),
    }
}

fn refused(refusal: &Refusal) -> Markup {
    facts(vec![
        ("The bulletin", badge(Tone::Bad, "is not believed, and nothing of it is shown")),
        ("Why", outside(&refusal.message)),
        ("What to do next", outside(&refusal.next)),
    ])
}

fn about(told: &Told) -> Markup {
    let age = match told.days {
        days if days > OLD_DAYS => {
            badge(Tone::Warn, &format!("{days} days old: ask for a new one"))
        }
        1 => badge(Tone::Good, "1 day old"),
        days => badge(Tone::Good, &format!("{days} days old")),
    };
    facts(vec![
        ("Said by", outside(told.bulletin.office.as_str())),
        ("Its ledger", outside(&told.bulletin.origin)),
        ("Signature", badge(Tone::Good, "by the key that desk.toml pins")),
        ("Made", when(told.bulletin.made_at)),
        ("Age", age),
    ])
}

fn against(against: Against) -> Markup {
    match against {
        Against::Behind(0) => badge(Tone::Good, "rests on this ledger as it stands"),
        Against::Behind(more) => {
            badge(Tone::Note, &format!("rests on this ledger; {more} entries came after"))
        }
        Against::Ahead => badge(Tone::Bad, "rests on more entries than this ledger has"),
        Against::Other => badge(Tone::Bad, "rests on another history than this ledger's"),
        Against::Elsewhere => badge(Tone::Warn, "rests on no head of this ledger"),
    }
}

fn standard(one: &Assessed, stands: Against) -> Markup {
    let title = format!("{} {}", one.title, one.version);
    // What rests on something else is no finding about this desk.
    if matches!(stands, Against::Ahead | Against::Other | Against::Elsewhere) {
        let next = "take the book in again at the office, assess again, and ask for a new bulletin";
        let said = facts(vec![
            ("Against this ledger", against(stands)),
            ("What to do next", Markup::text(next)),
        ]);
        return section(&title, said);
    }
    let text =
        if one.official { "the publisher's own text" } else { "our words, not the publisher's" };
    let level = one.overall.as_deref().unwrap_or("none");
    let rows = facts(vec![
        ("Against this ledger", against(stands)),
        ("Assessed", when(one.at)),
        ("Level reached", outside(level)),
        ("Level sought", outside(one.sought.as_deref().unwrap_or("none named"))),
        ("Text", Markup::text(text)),
        ("Results", digest(&one.results.to_string())),
        ("Says", Markup::text("assessed, not certified")),
    ]);
    let count =
        |(words, count): (&String, &u64)| vec![outside(words), Markup::text(&count.to_string())];
    let counts = one.counts.iter().map(count).collect();
    let mut parts = vec![rows, table("How its controls stand", &["State", "Controls"], counts)];
    if !one.groups.is_empty() {
        let row = |group: &quorate_terms::bulletin::Group| {
            let level = group.level.as_deref().unwrap_or("none");
            vec![outside(&group.id), outside(&group.title), outside(level)]
        };
        let rows = one.groups.iter().map(row).collect();
        let levels = table("Level of each group", &["Group", "Title", "Level"], rows);
        parts.push(details("Levels by group", levels));
    }
    if !one.open.is_empty() {
        let row = |open: &quorate_terms::bulletin::Open| {
            vec![outside(&open.control), outside(&open.state), outside(&open.why)]
        };
        let rows = one.open.iter().map(row).collect();
        let listed = table("Controls that do not pass", &["Control", "State", "Why"], rows);
        parts.push(details(
            &format!("{} controls do not pass, or the first of them", one.open.len()),
            listed,
        ));
    }
    section(&title, Markup::all(parts))
}
