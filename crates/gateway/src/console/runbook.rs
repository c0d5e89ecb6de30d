//! A key generation as a live runbook: each step with who is waited for, what is read aloud, and what each cosigner said. It
//! fills as the book grows, and tells the same afterwards. Only how the cosigners are now stands in no entry; the page hears
//! beside the book whether each is up and follows.

use axum::extract::Path;
use quorate_custody::{Refusal, State};
use quorate_pages::{
    Markup, Tone, badge, code_block, digest, empty, facts, heading, link, outside, paragraph,
    progress, table, when,
};
use quorate_terms::CaseId;
use quorate_terms::entry::Outcome;
use quorate_terms::quorum::Tally;

use super::gate::COSIGNER_EVENTS;
use super::paper;
use super::paperwork::{HolderSaid, RunFailed, Runbook};
use super::visit::{Answered, Visit};
use super::wallets::tier_word;
use crate::office::{CaseView, CosignerView};

/// How a step stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Now,
    Later,
    Failed,
    /// The case ended here or a little later, and nobody failed.
    Ended,
    Unreached,
}

impl Mark {
    fn badge(self) -> Markup {
        match self {
            Self::Done => badge(Tone::Good, "done"),
            Self::Now => badge(Tone::Warn, "now"),
            Self::Later => badge(Tone::Note, "later"),
            Self::Failed => badge(Tone::Bad, "failed"),
            Self::Ended => badge(Tone::Note, "ended"),
            Self::Unreached => badge(Tone::Note, "not reached"),
        }
    }
}

/// The page.
pub(crate) async fn shown(visit: Visit, Path(id): Path<String>) -> Answered {
    let visit = Visit { events: COSIGNER_EVENTS, ..visit };
    let id: CaseId = id.parse()?;
    let case = visit.console.office.case(id).await?;
    let Some(run) = visit.console.office.runbook(id).await? else {
        let next = "open the page of the case instead";
        return Err(Refusal::new("nothing_here", "this case makes no key", next).into());
    };
    let body = [
        about(&case, &run),
        heading("Checklist"),
        checklist(&visit, &case, &run),
        heading("To read aloud"),
        aloud(&case, &run),
        heading("What each cosigner said"),
        said(&visit, &run),
        failed(&run.failed),
        heading("Backups and drills that remain"),
        backups(&case, &run),
    ];
    visit.page(&format!("Key of wallet {}", run.open.wallet), body)
}

fn about(case: &CaseView, run: &Runbook) -> Markup {
    let chains: Vec<String> = run.open.chains.iter().map(ToString::to_string).collect();
    facts(vec![
        ("Wallet", outside(run.open.wallet.as_str())),
        ("For", outside(&run.open.purpose)),
        ("Tier", Markup::text(tier_word(run.open.tier))),
        ("Chains", outside(&chains.join(", "))),
        ("State", paper::state(&case.state)),
        ("Case", link(&format!("/cases/{}", case.case), "The case, entry by entry")),
    ])
}

/// Steps in order: how each stands, what it is, and who or what is waited for.
fn checklist(visit: &Visit, case: &CaseView, run: &Runbook) -> Markup {
    let steps = [
        filed(case),
        agreed(case, run),
        present(visit, case, run),
        made(case, run),
        compared(run),
        opened(run),
        backed_up(run),
    ];
    let steps = if is_lost(case) { ended(case, steps) } else { steps };
    let row = |(number, (mark, what, who)): (usize, Line)| {
        vec![Markup::text(&format!("{number}. {what}")), mark.badge(), who]
    };
    let rows = (1_usize..).zip(steps).map(row).collect();
    table("From the request to a wallet in service", &["Step", "State", "Who or what"], rows)
}

type Line = (Mark, &'static str, Markup);

/// Whether nothing more comes of the case, and it came to no good end.
const fn is_lost(case: &CaseView) -> bool {
    matches!(case.state, State::Closed(outcome) if !matches!(outcome, Outcome::Done))
}

/// Whether it is known that people agreed. Of a case that was lost nobody counts votes any more; a key, a run or a protocol that
/// failed shows it.
fn is_agreed(case: &CaseView, run: &Runbook) -> bool {
    let has_begun = run.key.is_some() || !run.failed.is_empty();
    match case.state {
        State::AwaitJudgment | State::AwaitApprovals => false,
        State::Closed(Outcome::Done) => true,
        State::Closed(_) => has_begun,
        _ => true,
    }
}

/// The steps of a case that came to no good end: the first that is not done says why, and none after it was reached.
fn ended<const STEPS: usize>(case: &CaseView, steps: [Line; STEPS]) -> [Line; STEPS] {
    let why = || case.reason.as_deref().map(|said| paragraph(outside(said))).unwrap_or_default();
    let mut is_over = false;
    steps.map(|(mark, what, who)| {
        let was_over = is_over;
        is_over |= mark != Mark::Done;
        match (was_over, mark) {
            (true, _) => (Mark::Unreached, what, Markup::default()),
            (false, Mark::Done) => (mark, what, who),
            // What a step found itself stays; whom it would have waited for does not matter any more.
            (false, Mark::Failed | Mark::Ended) => (mark, what, Markup::all([who, why()])),
            (false, _) => (Mark::Failed, what, why()),
        }
    })
}

/// A step that is now, if nothing before it waits.
const fn open(is_now: bool) -> Mark {
    if is_now { Mark::Now } else { Mark::Later }
}

fn filed(case: &CaseView) -> Line {
    let who = Markup::all([outside(&case.requester), Markup::text(", "), when(case.filed_at)]);
    (Mark::Done, "The wallet is asked for", who)
}

fn agreed(case: &CaseView, run: &Runbook) -> Line {
    let what = "People agree, each with a tool or view of their own";
    let mark = match (is_agreed(case, run), is_lost(case)) {
        (true, _) => Mark::Done,
        (false, true) if matches!(case.state, State::Closed(Outcome::Rejected)) => Mark::Failed,
        (false, true) => Mark::Ended,
        (false, false) => Mark::Now,
    };
    let bars = case.tallies.iter().map(bar);
    let path = format!("/cases/{}", case.case);
    let told = match mark {
        Mark::Done => Some(link(&path, "who agreed, entry by entry")),
        Mark::Failed | Mark::Ended => Some(link(&path, "who said what, entry by entry")),
        _ => None,
    };
    (mark, what, Markup::all(bars.chain(told)))
}

fn bar(tally: &Tally) -> Markup {
    let have = u32::try_from(tally.counted.len()).unwrap_or(u32::MAX);
    let who: Vec<&str> = tally.counted.iter().map(|who| who.as_str()).collect();
    let who = if who.is_empty() { "nobody yet".to_owned() } else { who.join(", ") };
    progress(have, tally.need, &format!("{} agree: {who}", tally.quorum))
}

fn present(visit: &Visit, case: &CaseView, run: &Runbook) -> Line {
    let what = "Every cosigner is up and follows the book to its end";
    if run.key.is_some() {
        return (Mark::Done, what, Markup::text("all took part"));
    }
    // How they are now says nothing of a case that is over.
    if is_lost(case) {
        let mark = if run.failed.is_empty() { Mark::Later } else { Mark::Done };
        return (mark, what, Markup::text("a run was begun"));
    }
    let missing = run.holders.iter().filter_map(|holder| absent(visit, holder));
    let missing: Vec<Markup> = missing.collect();
    match missing.as_slice() {
        [] => (Mark::Done, what, Markup::text("nobody is missing")),
        _ => (Mark::Now, what, Markup::all(missing)),
    }
}

fn absent(visit: &Visit, holder: &HolderSaid) -> Option<Markup> {
    let link = heard(visit, holder)?;
    let why = match (link.up, link.size) {
        (true, Some(size)) if size >= visit.status.size => return None,
        (true, _) => "is behind",
        (false, _) => "is away",
    };
    let words = format!("{} of {} {why}", holder.cosigner, holder.operator);
    Some(paragraph(outside(&words)))
}

fn heard<'a>(visit: &'a Visit, holder: &HolderSaid) -> Option<&'a CosignerView> {
    visit.status.cosigners.iter().find(|one| one.cosigner == holder.cosigner.as_str())
}

fn made(case: &CaseView, run: &Runbook) -> Line {
    let what = "The cosigners make the key between them; no whole key is ever anywhere";
    match &run.key {
        Some(key) => {
            let words =
                format!("{} of {} shares sign, by {} ", key.quorum.0, key.quorum.1, key.method);
            let entry = link(&format!("/ledger/{}", key.index), &format!("entry {}", key.index));
            let who = Markup::all([outside(&words), when(key.at), Markup::text(" \u{b7} "), entry]);
            (Mark::Done, what, who)
        }
        None => {
            let mark = open(matches!(case.state, State::AwaitCeremony));
            let names: Vec<&str> = run.holders.iter().map(|one| one.cosigner.as_str()).collect();
            (mark, what, outside(&format!("waits for {}", names.join(" and "))))
        }
    }
}

/// Whether every holder signed the very same transcript and key.
fn is_one_word(run: &Runbook) -> bool {
    let mut words = run.holders.iter().map(|holder| holder.word.as_ref());
    let Some(Some(first)) = words.next() else { return false };
    words.all(|word| word == Some(first))
}

fn compared(run: &Runbook) -> Line {
    let what = "Every cosigner signed the same transcript and the same public key";
    match (&run.key, is_one_word(run)) {
        (None, _) => (Mark::Later, what, Markup::default()),
        (Some(_), true) => (Mark::Done, what, Markup::text("read them aloud below")),
        (Some(_), false) => {
            (Mark::Failed, what, Markup::text("the words differ: freeze, and tell every operator"))
        }
    }
}

fn opened(run: &Runbook) -> Line {
    let what = "The wallet is in service";
    match run.opened {
        Some((at, index)) => {
            let entry = link(&format!("/ledger/{index}"), &format!("entry {index}"));
            (Mark::Done, what, Markup::all([when(at), Markup::text(" \u{b7} "), entry]))
        }
        None => (open(run.key.is_some()), what, Markup::text("follows the key")),
    }
}

fn backed_up(run: &Runbook) -> Line {
    let what = "Each share has a backup that a drill has proven";
    let missing = run.holders.iter().filter(|holder| !holder.backup);
    let missing: Vec<&str> = missing.map(|holder| holder.cosigner.as_str()).collect();
    match (run.key.is_some(), missing.is_empty()) {
        (false, _) => (Mark::Later, what, Markup::default()),
        (true, true) => (Mark::Done, what, Markup::text("all of them")),
        (true, false) => {
            (Mark::Now, what, outside(&format!("waits for {}", missing.join(" and "))))
        }
    }
}

fn aloud(case: &CaseView, run: &Runbook) -> Markup {
    let how = "Each operator reads these from their own machine (`quorate-cosigner status`), and each approver from their own tool, on a \
               channel that this desk does not control. Whoever reads something else says stop: anybody can freeze.";
    let mut rows = vec![
        ("The charter", digest(&run.charter.to_string())),
        ("The case", digest(&case.case.intent().to_string())),
    ];
    if let Some(key) = &run.key {
        rows.push(("The ceremony", digest(&key.ceremony.to_string())));
        rows.push(("The public key", digest(&key.public_key)));
        rows.push(("Made with", outside(&key.library)));
    }
    rows.extend(
        run.accounts
            .iter()
            .map(|account| ("Account", quorate_pages::address(account.as_str(), None))),
    );
    Markup::all([paragraph(Markup::running(how)), facts(rows)])
}

fn said(visit: &Visit, run: &Runbook) -> Markup {
    let row = |holder: &HolderSaid| {
        let link = match heard(visit, holder) {
            Some(CosignerView { up: true, .. }) => badge(Tone::Good, "up"),
            _ => badge(Tone::Bad, "away"),
        };
        let trouble = heard(visit, holder).and_then(|one| one.trouble.as_deref());
        let word = match &holder.word {
            Some((transcript, _)) => digest(&transcript.to_string()),
            None => Markup::text("nothing yet"),
        };
        vec![
            outside(holder.cosigner.as_str()),
            outside(&holder.operator),
            link,
            word,
            trouble.map_or_else(|| Markup::text("none"), outside),
        ]
    };
    let rows = run.holders.iter().map(row).collect();
    let headings = ["Cosigner", "Run by", "Link", "Transcript it signed", "Last refusal"];
    table("Cosigners", &headings, rows)
}

fn failed(runs: &[RunFailed]) -> Markup {
    if runs.is_empty() {
        return Markup::default();
    }
    let row = |run: &RunFailed| {
        let who: Vec<&str> = run.culprits.iter().map(|who| who.as_str()).collect();
        let entry = link(&format!("/ledger/{}", run.index), &format!("Entry {}", run.index));
        let at_fault = match who.is_empty() {
            true => Markup::text("nobody named"),
            false => outside(&who.join(", ")),
        };
        vec![entry, when(run.at), outside(&run.why), at_fault]
    };
    table("Runs that failed", &["Entry", "When", "Why", "At fault"], runs.iter().map(row).collect())
}

fn backups(case: &CaseView, run: &Runbook) -> Markup {
    if run.key.is_none() && is_lost(case) {
        return empty("There is no share to back up.", "the case ended before there was a key");
    }
    if run.key.is_none() {
        return empty("There is no share to back up yet.", "it comes with the key");
    }
    let missing: Vec<&HolderSaid> = run.holders.iter().filter(|one| !one.backup).collect();
    if missing.is_empty() {
        return paragraph(Markup::all([
            badge(Tone::Good, "proven"),
            Markup::text(" Each share has a backup that a signing drill has proven."),
        ]));
    }
    let words = match run.is_development {
        true => {
            "On a chain for development nothing waits for these. In earnest nothing is signed before each is proven."
        }
        false => "Nothing is signed with this key before each of these is proven.",
    };
    let one = |holder: &&HolderSaid| {
        let wallet = &run.open.wallet;
        let lines = format!(
            "quorate-cosigner backup make --wallet {wallet} --out {wallet}.backup\nquorate-cosigner backup verify --file {wallet}.backup"
        );
        let label = format!("What the operator of {} runs", holder.cosigner);
        Markup::all([paragraph(outside(&label)), code_block(&label, &lines)])
    };
    Markup::all([paragraph(Markup::text(words)), Markup::all(missing.iter().map(one))])
}
