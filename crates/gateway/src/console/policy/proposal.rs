//! A proposed policy on one page: what it changes, what it newly allows, what the last 90 days would have been under it, how
//! much of each of its budgets is used now, and the whole of it in words.

use quorate_pages::{
    Markup, Tone, badge, details, digest, empty, facts, heading, link, outside, paragraph, table,
    when,
};

use super::super::paperwork::{Review, Way};
use super::super::visit::Visit;
use super::{gauges, sentences};
use crate::office::{Reply, outcome_word};
use crate::proposal::{ReachView, ReplayAnswer, ReplayRequest, ReplayRow, Whom};

/// How many days the page looks back.
const DAYS: u32 = 90;

/// What is said instead of nothing where something may be missing.
const UNKNOWN: &str =
    "Whether it newly allows anything is not known: not every edge was asked about.";

/// Everything that is looked at before anybody agrees.
pub(super) async fn look(visit: &Visit, review: &Review) -> Markup {
    let about = facts(vec![
        ("Version", Markup::text(&review.document.version.to_string())),
        ("Digest that approvers will see", digest(&review.digest.to_string())),
    ]);
    let ask = ReplayRequest { policy: review.document.clone(), days: DAYS };
    // Whoever looks here is about to file it, or it was filed.
    let replayed = visit.console.office.replay(ask, Whom::Filed).await;
    Markup::all([
        about,
        heading("What changes"),
        changes(review),
        past(&replayed),
        heading("Budgets"),
        paragraph(Markup::text("What is used now, against the limits of the proposed policy.")),
        gauges(&review.document, &review.budgets),
        details("The whole proposed policy, in words", sentences(&review.words)),
    ])
}

fn changes(review: &Review) -> Markup {
    let rows = review.changes.iter().map(|(way, text)| {
        let way = match way {
            Way::Widens => badge(Tone::Bad, "widens"),
            Way::Unclear => badge(Tone::Warn, "read this"),
            Way::Tightens => badge(Tone::Good, "tightens"),
        };
        vec![way, outside(text)]
    });
    match review.changes.as_slice() {
        [] => empty("Nothing changes.", "change something and look again"),
        _ => table("What changes, what widens first", &["Way", "Change"], rows.collect()),
    }
}

/// What it newly allows, and the past under it; or why that cannot be told now.
fn past(replayed: &Reply<ReplayAnswer>) -> Markup {
    let answer = match replayed {
        Ok(answer) => answer,
        Err(refusal) => {
            let said = format!("The last {DAYS} days cannot be told now: {}.", refusal.message);
            return Markup::all([heading("What it newly allows"), empty(&said, &refusal.next)]);
        }
    };
    let said = |text: &String| paragraph(outside(text));
    let asked = Markup::all(answer.caveats.iter().map(said));
    // What could not be asked is read before anybody agrees; what is taken as given each time need not be.
    let (open, closed) = match answer.is_whole {
        true => (Markup::default(), details("What was taken as given", asked)),
        false => (Markup::all([heading("What was taken as given"), asked]), Markup::default()),
    };
    Markup::all([
        heading("What it newly allows"),
        allows(&answer.reach, answer.is_whole),
        open,
        heading(&format!("The last {DAYS} days under it")),
        totals(answer),
        cases(&answer.rows),
        closed,
    ])
}

fn badge_of(way: Option<&str>) -> Markup {
    match way {
        Some("looser") => badge(Tone::Bad, "looser"),
        Some("stricter") => badge(Tone::Good, "stricter"),
        Some(_) => badge(Tone::Warn, "others agree"),
        None => badge(Tone::Warn, "not known"),
    }
}

fn allows(rows: &[ReachView], is_whole: bool) -> Markup {
    let none = "No question at any edge is answered otherwise than today.";
    let (looser, rest): (Vec<&ReachView>, Vec<&ReachView>) =
        rows.iter().partition(|row| row.way != "stricter");
    let line = |row: &&ReachView| {
        let (was, now) = (outside(&row.was), outside(&row.now));
        vec![badge_of(Some(&row.way)), outside(&row.what), was, now]
    };
    let headings = ["Way", "What", "Today", "Under it"];
    let drawn = |caption: &str, rows: &[&ReachView]| {
        table(caption, &headings, rows.iter().map(line).collect())
    };
    let first = match (looser.as_slice(), rest.is_empty(), is_whole) {
        ([], _, false) => empty(UNKNOWN, "read what changes, and what was taken as given"),
        ([], true, true) => empty(none, "read what changes; not everything can be asked"),
        ([], false, true) => paragraph(Markup::text("It newly allows nothing that can be asked.")),
        (all, ..) => drawn("What becomes possible, or needs others", all),
    };
    let second = match rest.as_slice() {
        [] => Markup::default(),
        all => drawn("What it newly denies, or asks more people for", all),
    };
    Markup::all([first, second])
}

fn totals(answer: &ReplayAnswer) -> Markup {
    let totals = &answer.totals;
    let window = Markup::all([when(answer.from), Markup::text(" to "), when(answer.to)]);
    let differ = format!(
        "{} looser, {} stricter, {} with others to agree, {} with something unknown",
        totals.looser, totals.stricter, totals.otherwise, totals.unknown
    );
    let about = facts(vec![
        ("Window", window),
        ("Cases judged again", Markup::text(&totals.cases.to_string())),
        ("Of these", Markup::text(&differ)),
    ]);
    let row = |name: &str, counts: [u64; 3]| {
        std::iter::once(name.to_owned())
            .chain(counts.map(|count| count.to_string()))
            .map(|text| Markup::text(&text))
            .collect()
    };
    let rows = vec![row("Then", totals.then), row("Under it", totals.now)];
    let headings = ["When", "Allowed at once", "Needed people", "Denied"];
    Markup::all([about, table("How many cases were answered how", &headings, rows)])
}

fn cases(rows: &[ReplayRow]) -> Markup {
    if rows.is_empty() {
        return paragraph(Markup::text("Every one of them is answered as it was."));
    }
    let line = |row: &ReplayRow| {
        let case = link(&format!("/cases/{}", row.case), "Case");
        let now = match &row.now {
            Some(now) => outside(now),
            None => Markup::text("not known"),
        };
        let ended = row.outcome.map_or("open", outcome_word);
        let why = row.reasons.iter().chain(&row.unknown).map(|text| paragraph(outside(text)));
        vec![
            badge_of(row.way.as_deref()),
            when(row.at),
            outside(&row.summary),
            outside(&row.was),
            now,
            Markup::all(why),
            Markup::text(ended),
            case,
        ]
    };
    let headings = ["Way", "When", "What", "Then", "Under it", "Why", "It ended", "Case"];
    table("Cases that would have gone another way", &headings, rows.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use quorate_terms::{Digest, Timestamp};

    use super::*;
    use crate::proposal::Totals;

    const CAVEAT: &str = "There are 9 questions to ask; 5 of them were asked.";

    fn told(ways: &[&str], is_whole: bool) -> String {
        let row = |way: &&str| ReachView {
            way: (*way).to_owned(),
            what: "any agent: transfer".into(),
            was: "denied".into(),
            now: "allowed".into(),
        };
        let answer = ReplayAnswer {
            policy: Digest::ZERO,
            version: 2,
            changes: vec![],
            reach: ways.iter().map(row).collect(),
            is_whole,
            caveats: vec![CAVEAT.to_owned()],
            from: Timestamp::ZERO,
            to: Timestamp::ZERO,
            totals: Totals::default(),
            rows: vec![],
        };
        past(&Ok(answer)).as_str().to_owned()
    }

    #[test]
    fn nothing_is_called_harmless_where_not_every_edge_was_asked_about() {
        for ways in [&[][..], &["stricter"][..]] {
            let (whole, cut) = (told(ways, true), told(ways, false));
            assert!(!whole.contains(UNKNOWN) && cut.contains(UNKNOWN), "{ways:?}: {cut}");
            for harmless in ["No question at any edge", "It newly allows nothing"] {
                assert!(!cut.contains(harmless), "{ways:?}: {cut}");
            }
        }
        assert!(told(&[], true).contains("No question at any edge"));
        assert!(told(&["stricter"], true).contains("It newly allows nothing"));
        assert!(!told(&["looser"], false).contains(UNKNOWN), "a row says more");
    }

    #[test]
    fn what_could_not_be_asked_stands_open_and_not_behind_a_click() {
        let caveat = outside(CAVEAT);
        for (is_whole, is_open) in [(true, false), (false, true)] {
            let page = told(&[], is_whole);
            let shown = page.split("<details").next().unwrap_or_default();
            assert!(page.contains(caveat.as_str()), "{page}");
            assert_eq!(shown.contains(caveat.as_str()), is_open, "{page}");
        }
    }
}
