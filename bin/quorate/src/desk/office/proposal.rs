//! A proposed policy at the desk: what it changes, what it newly allows, and the past folded once more under it.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_custody::replay::{DAYS_MAX, Report};
use quorate_custody::{Refusal, Replay};
use quorate_gateway::console::paperwork::{Review, Said, Way};
use quorate_gateway::office::Reply;
use quorate_gateway::proposal::{
    ChangeView, ReachView, ReplayAnswer, ReplayRequest, ReplayRow, Totals, Whom,
};
use quorate_policy::diff::Direction;
use quorate_policy::reach::{accounts, reach};
use quorate_policy::{Names, Policy, Sentence, diff, words};
use quorate_terms::commitment::Opening;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::intent::Action;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{AccountId, CaseId, Term as _, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::paperwork::uses;
use super::{Here, refusal, view};
use crate::desk::answers::Story;

/// One replay at a time: each reads the whole book.
static ONE: Semaphore = Semaphore::const_new(1);
/// The right to do so. Whatever works on holds it, though whoever asked has gone.
type Turn = Arc<SemaphorePermit<'static>>;
/// Entries that are read at a time.
const PAGE: u64 = 1_000;
const DAY_S: u64 = 24 * 60 * 60;

/// The policy in force and a proposed one, both compiled.
struct Two {
    old: Policy,
    new: Policy,
    names: Names,
}

impl Here {
    pub(super) async fn replayed(&self, ask: ReplayRequest, whom: Whom) -> Reply<ReplayAnswer> {
        if !(1..=DAYS_MAX).contains(&ask.days) {
            let message = format!("{} days cannot be looked back", ask.days);
            return Err(Refusal::new("malformed", message, format!("give 1 to {DAYS_MAX} days")));
        }
        let Ok(turn) = ONE.try_acquire().map(Arc::new) else {
            let next = "ask again in a minute; each reads the whole book";
            return Err(Refusal::new("not_now", "another replay is running", next));
        };
        let two = self.two(ask.policy, whom).await?;
        let to = self.0.engine.clock().now();
        let window = (to.minus_s(u64::from(ask.days).saturating_mul(DAY_S)), to);
        let report = self.folded(&turn, two.new.document().clone(), window).await?;
        answer(turn, two, report, to).await
    }

    /// What a proposed policy is: its words, its changes, how much of each of its budgets is used now. For those who see filed
    /// cases or may file one themselves.
    pub(super) async fn reviewed(&self, document: PolicyDocument) -> Reply<Review> {
        let two = self.two(document, Whom::Filed).await?;
        let changes = diff(two.old.document(), two.new.document(), &two.names);
        let said = two.said();
        let changes = changes.into_iter().map(|change| (way(change.direction), change.text));
        let (now, new) = (self.0.engine.clock().now(), two.new.clone());
        let budgets = self.0.engine.look(move |book| {
            let budgets = &new.document().budgets;
            budgets.iter().flat_map(|one| uses(&new, one, book.usage(), now)).collect()
        });
        Ok(Review {
            digest: two.new.digest(),
            changes: changes.collect(),
            words: said,
            budgets: budgets.await.map_err(refusal)?,
            document: two.new.document().clone(),
        })
    }

    /// The policy in force, in words.
    pub(super) async fn in_words(&self) -> Reply<Vec<Said>> {
        let policy = self.0.engine.look(|book| book.policy().clone()).await.map_err(refusal)?;
        let names = self.names(vec![policy.clone()]).await?;
        Ok(words(&policy, &names).into_iter().map(said).collect())
    }

    /// What people call the accounts that these policies name, for who works at the desk's own machine.
    pub(in crate::desk) async fn names_in(&self, documents: &[PolicyDocument]) -> Reply<Names> {
        let loaded = documents.iter().map(|document| {
            let next = "run `quorate policy check` on it";
            Policy::load(document).map_err(|problems| {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                Refusal::new("malformed", first, next)
            })
        });
        self.names(loaded.collect::<Reply<Vec<Policy>>>()?).await
    }

    /// What people call accounts. The names of beneficiaries are read where they can be erased, of those alone whom a policy
    /// names.
    async fn names(&self, policies: Vec<Policy>) -> Reply<Names> {
        // A policy may be long, and every new entry waits for the thread that looks at the book.
        let named = tokio::task::spawn_blocking(move || -> BTreeSet<AccountId> {
            policies.iter().flat_map(accounts).collect()
        });
        let named = named.await.map_err(|e| broken(e.to_string()))?;
        let wanted = self.0.engine.look(move |book| book.beneficiaries(&named));
        let mut opened: Vec<Opening> = Vec::new();
        for commitment in wanted.await.map_err(refusal)? {
            let found = self.0.engine.store().opening(&commitment.digest()).await;
            let text = found.map_err(|e| broken(e.to_string()))?;
            opened.extend(text.and_then(|text| serde_json::from_str(&text).ok()));
        }
        self.0.engine.look(move |book| book.names(&opened)).await.map_err(refusal)
    }

    /// The policy that an open case would put in force; none for any other case.
    pub(super) async fn in_case(&self, case: CaseId) -> Reply<Option<PolicyDocument>> {
        let story = Story::of(&self.0.engine, case).await.map_err(refusal)?;
        Ok(story.and_then(|story| match story.intent.action {
            Action::ChangePolicy { policy } => Some(*policy),
            _ => None,
        }))
    }

    async fn two(&self, mut document: PolicyDocument, whom: Whom) -> Reply<Two> {
        let old = self.0.engine.look(|book| book.policy().clone()).await.map_err(refusal)?;
        if document.vault != old.document().vault {
            let message = format!("the policy is for another vault, `{}`", document.vault);
            let next = format!("name `{}`", old.document().vault);
            return Err(Refusal::new("malformed", message, next));
        }
        if document.digest()? != old.digest() {
            document.version = old.document().version.saturating_add(1);
            document.previous = Some(old.digest());
        }
        let new = Policy::load(&document).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            let next = format!("mend it; {} problems in all", problems.len());
            Refusal::new("malformed", first, next)
        })?;
        let named = std::iter::once(&old).chain((whom == Whom::Filed).then_some(&new));
        let names = self.names(named.cloned().collect()).await?;
        Ok(Two { old, new, names })
    }

    /// The book folded again, page by page off the desk's own thread.
    async fn folded(
        &self,
        turn: &Turn,
        other: PolicyDocument,
        window: (Timestamp, Timestamp),
    ) -> Reply<Report> {
        let (mut replay, mut next): (Option<Replay>, u64) = (None, 0);
        loop {
            let page = self.0.engine.store().read(next, PAGE).await;
            let page = page.map_err(|e| broken(e.to_string()))?;
            if page.is_empty() {
                break;
            }
            next = next.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            let other = other.clone();
            let fold = aside(Arc::clone(turn), move || {
                page.iter().try_fold(replay, |replay, bytes| {
                    taken(replay, &Entry::from_canonical(bytes)?, &other, window).map(Some)
                })
            });
            replay = fold.await??;
        }
        replay.map(Replay::report).ok_or_else(|| broken("the ledger is empty".to_owned()))
    }
}

fn broken(why: String) -> Refusal {
    Refusal::new("unreadable", why, "run `quorate doctor`")
}

fn taken(
    replay: Option<Replay>,
    entry: &Entry,
    other: &PolicyDocument,
    window: (Timestamp, Timestamp),
) -> Reply<Replay> {
    let mut replay = match (replay, &entry.body) {
        (Some(replay), _) => replay,
        (None, Body::Founded(founded)) => Replay::new(founded.charter.clone(), other, window)?,
        (None, _) => {
            let message = "the ledger does not begin with its founding";
            return Err(Refusal::new("unreadable", message, "run `quorate doctor`"));
        }
    };
    replay.take(entry)?;
    Ok(replay)
}

/// Everything in words. The questions at every edge are many, so they are asked off the desk's own thread.
async fn answer(turn: Turn, two: Two, report: Report, at: Timestamp) -> Reply<ReplayAnswer> {
    let asked = aside(turn, move || {
        let (old, new) = (two.old.document(), two.new.document());
        let changes = diff(old, new, &two.names).into_iter().map(|change| ChangeView {
            way: word(&change.direction),
            field: change.field,
            text: change.text,
        });
        let found = reach(&two.old, &two.new, at, &two.names);
        let is_whole = found.is_whole();
        let caveats = found.caveats().into_iter().chain(report.caveats()).collect();
        let reach = found.rows.into_iter().map(|row| ReachView {
            way: word(&row.way),
            what: row.what,
            was: row.was,
            now: row.now,
        });
        let rows = report.rows.iter().map(|row| {
            let summary = match &row.transfer {
                Some(transfer) => view::summary(new, &Action::Transfer(transfer.clone())),
                None => row.kind.replace('_', " "),
            };
            ReplayRow::of(row, summary, row.way.as_ref().map(word))
        });
        ReplayAnswer {
            policy: two.new.digest(),
            version: new.version,
            changes: changes.collect(),
            reach: reach.collect(),
            is_whole,
            caveats,
            from: report.from,
            to: report.to,
            totals: Totals::of(&report),
            rows: rows.collect(),
        }
    });
    asked.await
}

/// Works on a thread of its own. The turn ends when the work does, not when nobody waits for it any more.
async fn aside<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> T + Send + 'static,
) -> Reply<T> {
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    working.await.map_err(|e| broken(e.to_string()))
}

impl Two {
    fn said(&self) -> Vec<Said> {
        words(&self.new, &self.names).into_iter().map(said).collect()
    }
}

fn said(sentence: Sentence) -> Said {
    let caution = sentence.caution();
    let Sentence { field, text, .. } = sentence;
    Said { field, text, caution }
}

/// The one word of a way or a direction, as JSON has it.
fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

const fn way(direction: Direction) -> Way {
    match direction {
        Direction::Widens => Way::Widens,
        Direction::Unclear => Way::Unclear,
        Direction::Tightens => Way::Tightens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_turn_outlasts_whoever_asked_and_ends_with_the_work() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let (began, has_begun) = std::sync::mpsc::channel();
        let (go, may_end) = std::sync::mpsc::channel::<()>();
        let turn = Arc::new(PLACES.try_acquire().unwrap());
        let asking = tokio::spawn(aside(turn, move || {
            began.send(()).unwrap();
            may_end.recv().unwrap();
        }));
        has_begun.recv().unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled(), "nobody waits any more");
        assert!(PLACES.try_acquire().is_err(), "the work goes on");
        go.send(()).unwrap();
        assert!(PLACES.acquire().await.is_ok(), "and then it is the next one's turn");
    }
}
