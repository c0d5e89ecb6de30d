//! What the past would have been under another policy: each case of a window judged once more, on the facts that the book
//! held when it was judged, beside the answer that it was given.
//!
//! The book is folded again from its founding by the same function that every party runs, so the facts are those of the
//! moment. Budgets count what the other policy would have let pass: that is held and settled as the book tells; where the
//! book tells nothing, because the case was refused then, it counts in full from its filing. What the past did not record is
//! said to be unknown, and never guessed.

use std::collections::{BTreeMap, BTreeSet};

use quorate_policy::reach::{Answer, Way};
use quorate_policy::{Policy, Usage};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Closed, Entry, Judged, Outcome};
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::judgment::{Judgment, Reason};
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{AccountId, CaseId, Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::book::{Book, Verdict, load};
use crate::refusal::Refusal;
use crate::rulings::{Outside, Ruled, action_kind};

/// The most rows of a report; what is looser has room before what is stricter.
pub const ROWS_MAX: usize = 500;
/// The most days that a replay looks back.
pub const DAYS_MAX: u32 = 366;

/// How many cases were given each answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Answers {
    /// Allowed at once.
    pub allowed: u64,
    /// Allowed once people agree.
    pub required: u64,
    /// Denied.
    pub denied: u64,
}

impl Answers {
    const fn count(&mut self, answer: &Answer) {
        let place = match answer {
            Answer::Allow => &mut self.allowed,
            Answer::Require { .. } => &mut self.required,
            Answer::Deny => &mut self.denied,
        };
        *place = place.saturating_add(1);
    }
}

/// One case that would have gone another way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: CaseId,
    /// When it was judged, by the book.
    pub at: Timestamp,
    /// The kind of its action.
    pub kind: String,
    /// Who asked.
    pub requester: Requester,
    /// The transfer, if it is one.
    pub transfer: Option<Transfer>,
    /// The answer then.
    pub was: Answer,
    /// The same in words, as the policy of that time asks it.
    pub was_said: String,
    /// The answer under the other policy; none where the past does not tell.
    pub now: Option<Answer>,
    /// The same in words.
    pub now_said: Option<String>,
    /// Which way that is; none where the past does not tell.
    pub way: Option<Way>,
    /// Why the other policy answers so.
    pub reasons: Vec<Reason>,
    /// What the other policy weighs and the past did not record.
    pub unknown: BTreeSet<String>,
    /// How the case ended, if it has.
    pub outcome: Option<Outcome>,
}

/// What a replay found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Cases judged from here on.
    pub from: Timestamp,
    /// And up to here.
    pub to: Timestamp,
    /// The other policy.
    pub policy: Digest,
    /// Entries of the book that were read.
    pub size: u64,
    /// Cases that were judged twice.
    pub cases: u64,
    /// Cases that no policy weighs: changes of policy and charter, and unfreezing.
    pub beyond: u64,
    /// The answers then.
    pub then: Answers,
    /// The answers under the other policy.
    pub now: Answers,
    /// Cases with a looser answer.
    pub looser: u64,
    /// Cases to which others must agree.
    pub otherwise: u64,
    /// Cases with a stricter answer.
    pub stricter: u64,
    /// Cases of which the past did not record something that the other policy weighs.
    pub unknown: u64,
    /// Cases whose answer differs or is not known, in the order of the book.
    pub rows: Vec<Row>,
    /// Such cases that are not given, because there are more than [`ROWS_MAX`].
    pub left_out: u64,
}

impl Report {
    /// What is said beside the numbers: what was taken as given, and what is not shown.
    pub fn caveats(&self) -> Vec<String> {
        let mut said = vec![
            "Each case is judged on the facts that the book held when it was filed. Budgets count \
             what the proposed policy would have let pass; what was refused then and would pass \
             now counts in full from its filing, as if people had agreed."
                .to_owned(),
        ];
        if self.beyond > 0 {
            said.push(format!(
                "{} changes of policy or charter and unfreezings are left out: no policy weighs \
                 them.",
                self.beyond
            ));
        }
        if self.unknown > 0 {
            said.push(format!(
                "Of {} cases the book does not hold something that the proposed policy weighs; they \
                 were judged without it.",
                self.unknown
            ));
        }
        if self.left_out > 0 {
            said.push(format!("{} more cases differ and are not shown.", self.left_out));
        }
        said
    }
}

/// A replay in progress: entries go in from the founding on, and a report comes out.
#[derive(Debug)]
pub struct Replay {
    book: Book,
    /// The other policy. While it is asked it changes places with the book's.
    other: Policy,
    /// Recipients, with the waiting time of the other policy.
    listed: BTreeMap<AccountId, Timestamp>,
    /// What the other policy would have let pass; none before the first case of the window.
    usage: Option<Usage>,
    weighs: Weighs,
    places: BTreeMap<CaseId, usize>,
    report: Report,
}

/// Facts that the other policy weighs and a book need not hold.
#[derive(Clone, Copy, Debug)]
struct Weighs {
    value: bool,
    balance: bool,
    screening: bool,
}

/// A case judged once more.
enum Again {
    /// No policy weighs it.
    Beyond,
    /// What came of it.
    Row(Box<Row>, Box<Option<Ruled>>),
}

impl Replay {
    /// A replay of a vault that was founded on this charter, of the cases judged from one moment to another, both included.
    ///
    /// # Errors
    /// [`Refusal`] when the charter or the policy cannot be loaded, the policy is another vault's, or the window is no window.
    pub fn new(
        founding: CharterText,
        other: &PolicyDocument,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, Refusal> {
        let policy = load(other)?;
        if other.vault != founding.vault {
            let message = format!("the policy is for another vault, `{}`", other.vault);
            return Err(Refusal::new("wrong_vault", message, format!("name `{}`", founding.vault)));
        }
        if from > to {
            return Err(Refusal::new(
                "no_window",
                "the window ends before it begins",
                "give a window that begins before it ends",
            ));
        }
        let report = Report {
            from,
            to,
            policy: policy.digest(),
            size: 0,
            cases: 0,
            beyond: 0,
            then: Answers::default(),
            now: Answers::default(),
            looser: 0,
            otherwise: 0,
            stricter: 0,
            unknown: 0,
            rows: Vec::new(),
            left_out: 0,
        };
        let weighs = Weighs {
            value: policy.weighs("value_cents"),
            balance: policy.weighs("balance_share_bp"),
            screening: policy.weighs("screening"),
        };
        let (listed, places) = (BTreeMap::new(), BTreeMap::new());
        let book = Book::new(founding)?;
        Ok(Self { book, other: policy, listed, usage: None, weighs, places, report })
    }

    /// Takes the next entry of the book. What lies beyond the window is not looked at.
    ///
    /// # Errors
    /// [`Refusal`] when the entry is not the next one of this book.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if entry.at > self.report.to {
            return Ok(());
        }
        let row = match &entry.body {
            Body::Judged(judged) if entry.at >= self.report.from => self.again(judged, entry.at),
            _ => None,
        };
        let verdict = self.book.admit(entry)?;
        self.report.size = self.book.size();
        // A void entry changed nothing; a judgment that is void was nobody's answer.
        if verdict == Verdict::Good {
            self.follow(&entry.body, entry.at);
            match row {
                Some(Again::Row(row, ruled)) => self.note(*row, *ruled, entry.at),
                Some(Again::Beyond) => self.report.beyond = self.report.beyond.saturating_add(1),
                None => {}
            }
        }
        Ok(())
    }

    /// What was found.
    pub fn report(self) -> Report {
        self.report
    }

    /// Keeps beside the book what the other policy sees otherwise.
    fn follow(&mut self, body: &Body, at: Timestamp) {
        match body {
            Body::AddressListed(listed) => {
                self.listed.insert(listed.address.clone(), self.other.usable_from(at));
            }
            Body::AddressRemoved(removed) => {
                self.listed.remove(&removed.address);
            }
            Body::Closed(closed) => self.close(closed, at),
            _ => {}
        }
    }

    fn close(&mut self, closed: &Closed, at: Timestamp) {
        if let Some(row) =
            self.places.get(&closed.case).and_then(|at| self.report.rows.get_mut(*at))
        {
            row.outcome = Some(closed.outcome);
        }
        let Some(usage) = &mut self.usage else { return };
        match closed.outcome {
            Outcome::Settled => {
                usage.settle(&closed.case, at);
            }
            Outcome::Reverted | Outcome::Replaced => {
                usage.settle_at_most(&closed.case, &self.book.fee_of(closed), at);
            }
            _ => {
                usage.release(&closed.case);
            }
        }
    }

    /// Judges a case once more.
    fn again(&mut self, judged: &Judged, at: Timestamp) -> Option<Again> {
        let intent = self.book.case(&judged.case)?.intent.clone();
        if matches!(
            intent.action,
            Action::ChangePolicy { .. }
                | Action::ChangeCharter { .. }
                | Action::Delegate { .. }
                | Action::Unfreeze { .. }
        ) {
            return Some(Again::Beyond);
        }
        let was = Answer::of(&judged.judgment);
        let mut unknown = BTreeSet::new();
        let ruled = match self.ask(&intent, judged, at) {
            Ok(ruled) => Some(ruled),
            Err(refusal) => {
                unknown.insert(format!("facts that this policy takes: {}", refusal.message));
                None
            }
        };
        if let (Action::Transfer(_), Some(ruled)) = (&intent.action, &ruled) {
            unknown.extend(self.unrecorded(judged, ruled));
        }
        let now = ruled.as_ref().map(|ruled| Answer::of(&ruled.ruling.judgment));
        let (old, new) = (self.book.policy().document(), self.other.document());
        let way = now.as_ref().map(|now| Way::between((&was, old), (now, new)));
        let reasons = ruled
            .as_ref()
            .map(|ruled| ruled.ruling.judgment.reasons().to_vec())
            .unwrap_or_default();
        let row = Row {
            case: judged.case,
            at,
            kind: action_kind(&intent.action).to_owned(),
            requester: intent.requester,
            transfer: match intent.action {
                Action::Transfer(transfer) => Some(transfer),
                _ => None,
            },
            was_said: was.told(old),
            was,
            now_said: now.as_ref().map(|now| now.told(new)),
            now,
            way,
            reasons,
            unknown,
            outcome: None,
        };
        Some(Again::Row(Box::new(row), Box::new(ruled)))
    }

    /// What the other policy says of an intent on the book as it stands now.
    fn ask(&mut self, intent: &Intent, judged: &Judged, at: Timestamp) -> Result<Ruled, Refusal> {
        let usage = self.usage.get_or_insert_with(|| self.book.state.usage.clone());
        let outside = Outside { facts: &judged.facts, screening: &judged.counterparty_check };
        std::mem::swap(&mut self.book.policy, &mut self.other);
        std::mem::swap(&mut self.book.state.listed, &mut self.listed);
        let ruled = self.book.rule_over(intent, &outside, at, usage, Some(judged.case));
        std::mem::swap(&mut self.book.policy, &mut self.other);
        std::mem::swap(&mut self.book.state.listed, &mut self.listed);
        ruled
    }

    fn unrecorded(&self, judged: &Judged, ruled: &Ruled) -> Vec<String> {
        let screened = !matches!(judged.counterparty_check, CounterpartyCheck::NotPerformed);
        let all = [
            (self.weighs.value && ruled.value.is_none(), "what the amount was worth"),
            (self.weighs.balance, "the wallet's balance"),
            (self.weighs.screening && !screened, "whether the recipient was screened"),
        ];
        let all = all.into_iter().filter(|(missing, _)| *missing);
        all.map(|(_, what)| what.to_owned()).collect()
    }

    fn note(&mut self, row: Row, ruled: Option<Ruled>, at: Timestamp) {
        self.hold(&row, ruled, at);
        let report = &mut self.report;
        let add = |place: &mut u64| *place = place.saturating_add(1);
        add(&mut report.cases);
        report.then.count(&row.was);
        if let Some(now) = &row.now {
            report.now.count(now);
        }
        if !row.unknown.is_empty() {
            add(&mut report.unknown);
        }
        match row.way {
            Some(Way::Same) => return,
            Some(Way::Looser) => add(&mut report.looser),
            Some(Way::Otherwise) => add(&mut report.otherwise),
            Some(Way::Stricter) => add(&mut report.stricter),
            None => {}
        }
        // What is looser is what must be read, so it keeps half of the room for itself.
        let room = if row.way == Some(Way::Looser) { ROWS_MAX } else { ROWS_MAX / 2 };
        if report.rows.len() >= room {
            return add(&mut report.left_out);
        }
        self.places.insert(row.case, report.rows.len());
        report.rows.push(row);
    }

    /// Holds what the other policy lets pass, or counts it at once where the book cannot tell what would have come of it.
    fn hold(&mut self, row: &Row, ruled: Option<Ruled>, at: Timestamp) {
        let Some(usage) = &mut self.usage else { return };
        let Some(ruling) = ruled.map(|ruled| ruled.ruling) else { return };
        if matches!(ruling.judgment, Judgment::Deny { .. }) {
            return;
        }
        if let Some(claim) = ruling.claim {
            usage.reserve(row.case, claim, at);
            if row.was == Answer::Deny {
                usage.settle(&row.case, at);
            }
        }
    }
}
