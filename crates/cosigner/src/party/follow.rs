//! Following the book, freezing, and the passing of time.

use std::collections::BTreeSet;

use quorate_custody::follower::Followed;
use quorate_custody::protocol::{Answer, Ask, Call, Came, Outbox};
use quorate_custody::witness::Head;
use quorate_custody::{Refusal, check_freeze};
use quorate_terms::canonical::Term;
use quorate_terms::delegation::Ending;
use quorate_terms::entry::{
    AlertRaised, Body, DelegationEnded, Frozen, RollbackDetected, Severity, ShareRestored, Unfrozen,
};
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Scope};
use quorate_terms::{CaseId, CosignerId, Digest, Timestamp};

use super::{CallId, Effect, Party, RUN_DEADLINE_S, Step};
use crate::party::running::Kind;

/// Void entries told in one answer at most.
const VOIDS_TOLD_MAX: usize = 16;
/// Alarms of one rule that are recorded within [`NOISE_WINDOW_MS`]; more are counted and logged, and fill no disk.
const NOISE_MAX: u32 = 32;
/// See [`NOISE_MAX`].
const NOISE_WINDOW_MS: u64 = 60_000;

impl Party {
    pub(super) fn called(&mut self, id: CallId, call: &Call, now: Timestamp) -> Step {
        let mut step = Step::default();
        let head = match self.follow(call, now, &mut step) {
            Ok(head) => head,
            // The desk has to start from another entry.
            Err(refusal) if refusal.code == "behind" => {
                self.answer(&mut step, id, None, Came::Behind, now);
                return step;
            }
            Err(refusal) => {
                self.alarm(&mut step, "book_refused", &refusal.to_string(), now);
                let left = self.may_have_left(&call.ask);
                self.answer_refused(&mut step, id, None, refusal, left, now);
                return step;
            }
        };
        let line =
            head.cosign(self.charter.text(), &self.me, now, |bytes| self.keys.witness(bytes));
        let cosignature = line.ok();
        match &call.ask {
            Ask::Follow => self.answer(&mut step, id, cosignature, Came::Followed, now),
            Ask::Sign { case, attempt, parties } => {
                self.sign(&mut step, id, (case, *attempt, parties), (&head, cosignature), now);
            }
            Ask::Generate { case, attempt } => {
                self.generate(&mut step, id, (case, *attempt), (&head, cosignature), now);
            }
        }
        step
    }

    /// Whether something secret-dependent may have left for what is asked, whatever the reason not to go on now.
    fn may_have_left(&self, ask: &Ask) -> bool {
        matches!(ask, Ask::Sign { case, .. } if !self.charter.marks(case).is_empty())
    }

    /// Folds what the desk tells, up to the head whose signed checkpoint covers it. What none covers leaves no trace here:
    /// it is refused before the first entry of it is folded.
    fn follow(&mut self, call: &Call, now: Timestamp, step: &mut Step) -> Result<Head, Refusal> {
        let told = &call.told;
        let entries = told.entries.iter().map(|text| text.clone().into_bytes()).collect();
        let covered = self.follower.covers(told.from, entries, &told.checkpoint);
        let covered = covered.inspect_err(|refusal| {
            if refusal.code == "fork" {
                self.rolled_back(told.from, now, step);
            }
        })?;
        for news in covered.news {
            // It was checked with the others; should it not fit all the same, nothing of this step may be kept or said.
            let followed = self.follower.take(&news).inspect_err(|_| self.unrecorded = true)?;
            step.replica.push(news.into_bytes());
            self.take_note(followed, now, step);
        }
        self.shares.settle(self.follower.book());
        Ok(covered.head)
    }

    fn rolled_back(&mut self, found_size: u64, now: Timestamp, step: &mut Step) {
        if self.is_quiet("rollback", now) {
            let (party, expected_size) = (self.name(), self.follower.size());
            let body = RollbackDetected { party, expected_size, found_size };
            self.record(step, Body::RollbackDetected(body), now);
        }
    }

    fn take_note(&mut self, followed: Followed, now: Timestamp, step: &mut Step) {
        for (index, refusal) in followed.voids {
            self.alarm(step, "void_entry", &format!("entry {index}: {refusal}"), now);
        }
        self.look_for_forgotten(&followed.signed, now, step);
        for entry in followed.coming {
            // The delay of a charter change runs on this party's own clock, from here.
            self.record(step, entry.body, now);
        }
        for (freeze, scope) in followed.freezes {
            self.freeze_of_void(step, freeze, scope, now);
        }
        let mine: BTreeSet<Digest> = self.charter.freezes().map(|(digest, _)| *digest).collect();
        let lifts: BTreeSet<Digest> =
            followed.lifted.into_iter().filter(|d| mine.contains(d)).collect();
        if !lifts.is_empty() {
            let case = CaseId::of_intent(Digest::ZERO);
            self.record(step, Body::Unfrozen(Unfrozen { scope: Scope::Vault, case, lifts }), now);
        }
        let book = self.follower.book();
        let (text, digest) = (book.charter().clone(), book.charter_digest());
        if digest != self.charter.digest() {
            // Refused until the delay has passed here; warrants say so until then.
            drop(self.charter.adopt(&text, digest, now));
        }
    }

    /// A signature in the book that names this cosigner, for a case that it has no mark for: its own ledger is not the one
    /// that it had. It cannot know then what else it signed, so it stops until people have looked.
    fn look_for_forgotten(
        &mut self,
        signed: &[(CaseId, BTreeSet<CosignerId>, Timestamp)],
        now: Timestamp,
        step: &mut Step,
    ) {
        let excused = self.charter.forgotten_until();
        let forgotten = signed.iter().find(|(case, parties, at)| {
            let known = excused.is_some_and(|until| *at <= until);
            parties.contains(&self.me) && !known && self.charter.marks(case).is_empty()
        });
        let stopped = self.charter.freezes().any(|(_, scope)| *scope == Scope::Vault);
        let Some((case, ..)) = forgotten.filter(|_| !stopped) else { return };
        let subject = format!(
            "the book says that this cosigner signed case {case}, and its own ledger does not"
        );
        self.alarm(step, "own_ledger_behind", &subject, now);
        self.freeze_at_own_door(step, Scope::Vault, "own_ledger_behind".to_owned(), now);
    }

    /// A signed freeze counts here even where the entry that carried it is void.
    fn freeze_of_void(&mut self, step: &mut Step, freeze: Digest, scope: Scope, now: Timestamp) {
        let known = |(digest, _): (&Digest, &Scope)| *digest == freeze;
        if self.follower.book().freezes().any(known) || self.charter.freezes().any(known) {
            return;
        }
        let (by, cause) = ("book".to_owned(), "void_entry".to_owned());
        let frozen = Frozen { scope, by, cause, freeze, signed: None, case: None };
        self.record(step, Body::Frozen(Box::new(frozen)), now);
    }

    pub(super) fn freeze_came(&mut self, freeze: &Freeze, now: Timestamp) -> Step {
        let mut step = Step::default();
        match check_freeze(self.charter.text(), freeze) {
            Ok(digest) if self.charter.freezes().any(|(known, _)| *known == digest) => {}
            Ok(digest) => self.freeze(&mut step, freeze.clone(), digest, now),
            Err(refusal) => self.alarm(&mut step, "bad_freeze", &refusal.to_string(), now),
        }
        step
    }

    /// A delegation that either of the two takes back at this party's own door speaks for nobody here from now on, whatever
    /// the desk tells of it.
    pub(super) fn ending_came(&mut self, ending: &Ending, now: Timestamp) -> Step {
        let mut step = Step::default();
        let granted = match self.follower.book().check_ending(ending) {
            Ok(granted) => granted,
            Err(refusal) => {
                self.alarm(&mut step, "bad_ending", &refusal.to_string(), now);
                return step;
            }
        };
        let (id, by) = (granted.delegation.id.clone(), ending.ender(&granted.delegation));
        if granted.ended.is_none() && !self.charter.has_ended(&id) {
            let (cause, signed) = ("taken_back".to_owned(), Some(ending.clone()));
            let ended = DelegationEnded { id, by, cause, signed, case: None };
            self.record(&mut step, Body::DelegationEnded(Box::new(ended)), now);
        }
        step
    }

    pub(super) fn freeze_here(&mut self, scope: Scope, cause: String, now: Timestamp) -> Step {
        let mut step = Step::default();
        self.freeze_at_own_door(&mut step, scope, cause, now);
        step
    }

    fn freeze_at_own_door(&mut self, step: &mut Step, scope: Scope, cause: String, now: Timestamp) {
        let by = Freezer::Cosigner { cosigner: self.me.clone() };
        let vault = self.charter.text().vault.clone();
        let body = FreezeBody { v: 1, vault, by, scope, at: now, cause };
        match body.digest() {
            Ok(digest) => {
                let signature = self.keys.identity(&digest);
                self.freeze(step, Freeze { body, signature }, digest, now);
            }
            Err(_) => self.unrecorded = true,
        }
    }

    /// A share came back from a backup. Whoever has no record that reaches back to the share's making cannot know what it
    /// signed since, and starts frozen until the charter's quorum lifts that.
    pub(super) fn restored(&mut self, restored: ShareRestored, now: Timestamp) -> Step {
        let mut step = Step::default();
        let kept = restored.record_kept;
        self.record(&mut step, Body::ShareRestored(Box::new(restored)), now);
        if !kept {
            self.freeze_at_own_door(&mut step, Scope::Vault, "share_restored".to_owned(), now);
        }
        step
    }

    fn freeze(&mut self, step: &mut Step, freeze: Freeze, digest: Digest, now: Timestamp) {
        let by = match &freeze.body.by {
            Freezer::Approver { approver } => format!("approver:{approver}"),
            Freezer::Cosigner { cosigner } => format!("cosigner:{cosigner}"),
        };
        let frozen = Frozen {
            scope: freeze.body.scope.clone(),
            by,
            cause: freeze.body.cause.clone(),
            freeze: digest,
            signed: Some(freeze),
            case: None,
        };
        self.record(step, Body::Frozen(Box::new(frozen)), now);
        self.alarm(step, "frozen", &digest.short(), now);
    }

    /// Runs that have not ended in time are given up; a new attempt starts with fresh state (row 21).
    pub(super) fn tick(&mut self, now: Timestamp) -> Step {
        let mut step = Step::default();
        let late: Vec<Digest> = self
            .running
            .iter()
            .filter(|(_, running)| {
                now.since(running.started_at) >= RUN_DEADLINE_S.saturating_mul(1000)
            })
            .map(|(session, _)| *session)
            .collect();
        for session in late {
            let Some(running) = self.running.remove(&session) else { continue };
            let cause = "a peer did not answer in time".to_owned();
            if let Kind::Drill { backup: Some(_), .. } = &running.run {
                let refusal =
                    Refusal::new("timeout", cause.clone(), "see that the peer is up and try again");
                step.effects.push(Effect::Drilled { id: running.call, result: Err(refusal) });
                continue;
            }
            let came = Came::Aborted {
                run: session,
                phase: "waiting".to_owned(),
                cause,
                culprits: BTreeSet::new(),
            };
            self.answer(&mut step, running.call, running.cosignature, came, now);
        }
        step
    }

    /// Appends to this cosigner's own ledger, and to what it trusts of its own accord.
    pub(super) fn record(&mut self, step: &mut Step, body: Body, now: Timestamp) {
        // A body of ours always has a canonical form; should one not, nothing is recorded and so nothing may be done.
        match self.own.next(body, now) {
            Ok(entry) => {
                self.charter.fold(&entry);
                self.notes.fold(&entry);
                step.records.push(entry);
            }
            Err(_) => self.unrecorded = true,
        }
    }

    pub(super) fn noticed(&mut self, rule: &'static str, subject: &str, now: Timestamp) -> Step {
        let mut step = Step::default();
        self.alarm(&mut step, rule, subject, now);
        step
    }

    /// Whether one more record of this rule may be made now; it counts as made.
    fn is_quiet(&mut self, rule: &'static str, now: Timestamp) -> bool {
        let (since, count) = self.noise.entry(rule).or_insert((now, 0));
        if now.since(*since) >= NOISE_WINDOW_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= NOISE_MAX
    }

    pub(super) fn alarm(
        &mut self,
        step: &mut Step,
        rule: &'static str,
        subject: &str,
        now: Timestamp,
    ) {
        let mut shown = subject.to_owned();
        shown.truncate(shown.char_indices().nth(400).map_or(shown.len(), |(at, _)| at));
        let alert = AlertRaised::at(rule, Severity::Critical, shown.clone(), now);
        if self.is_quiet(rule, now) {
            self.record(step, Body::AlertRaised(Box::new(alert)), now);
        }
        step.effects.push(Effect::Alarm { rule, subject: shown });
    }

    pub(super) fn answer(
        &self,
        step: &mut Step,
        id: CallId,
        cosignature: Option<String>,
        came: Came,
        now: Timestamp,
    ) {
        let answer = Box::new(self.answered(cosignature, came, now));
        step.effects.push(Effect::Answer { id, answer });
    }

    pub(super) fn answered(
        &self,
        cosignature: Option<String>,
        came: Came,
        now: Timestamp,
    ) -> Answer {
        Answer {
            cosigner: self.me.clone(),
            size: self.follower.size(),
            cosignature,
            clock: now,
            voids: self.voids(),
            outbox: self.outbox(),
            came,
        }
    }

    /// Void entries that nobody has resumed from, the newest few: a lying desk can write any number of them.
    fn voids(&self) -> Vec<(u64, Refusal)> {
        let mut voids: Vec<(u64, Refusal)> = self
            .follower
            .book()
            .voids()
            .map(|(index, entry)| {
                let message = format!("entry {index} ({}) is void here", entry.short());
                let next = "find out who wrote it; the charter's quorum signs `resume`";
                (index, Refusal::new("void_entry", message, next))
            })
            .collect();
        voids.split_off(voids.len().saturating_sub(VOIDS_TOLD_MAX))
    }

    pub(super) fn answer_refused(
        &self,
        step: &mut Step,
        id: CallId,
        cosignature: Option<String>,
        refusal: Refusal,
        left: bool,
        now: Timestamp,
    ) {
        let reason = refusal.into_reason("warrant");
        self.answer(step, id, cosignature, Came::Refused { reason, left }, now);
    }

    /// What the book does not say yet.
    fn outbox(&self) -> Outbox {
        let book = self.follower.book();
        let said = |freeze: &Freeze| {
            let digest = freeze.body.digest().unwrap_or(Digest::ZERO);
            book.freezes().any(|(known, _)| *known == digest)
                || !self.charter.freezes().any(|(d, _)| *d == digest)
        };
        let stands = |ending: &Ending| {
            book.delegation(&ending.body.delegation).is_some_and(|one| one.ended.is_none())
        };
        Outbox {
            backups: self
                .notes
                .statements
                .values()
                .filter(|s| {
                    book.wallet(&s.body.wallet).is_some_and(|w| !w.backups.contains(&self.me))
                })
                .cloned()
                .collect(),
            freezes: self.notes.freezes.values().filter(|f| !said(f)).cloned().collect(),
            endings: self.notes.endings.values().filter(|e| stands(e)).cloned().collect(),
            barred: self
                .notes
                .barred
                .iter()
                .filter(|(wallet, _)| book.wallet(wallet).is_some_and(|w| w.barred.is_none()))
                .map(|(wallet, (holder, cause))| (wallet.clone(), holder.clone(), cause.clone()))
                .collect(),
        }
    }

    pub(super) fn name(&self) -> String {
        format!("cosigner:{}", self.me)
    }
}
