//! Delegations: granted by the charter's quorum, ended by time, by a charter, or at once by either of the two.

use quorate_terms::approval::{Approval, ApprovalBody};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::delegation::{Delegation, Ending, Unfit};
use quorate_terms::entry::{Delegated, DelegationEnded, Entry};
use quorate_terms::intent::Action;
use quorate_terms::{ApproverId, CredentialId, DelegationId, PersonId, PublicKey, Timestamp};

use super::{need, void};
use crate::book::Book;
use crate::case::{Case, State};
use crate::delegation::{Ended, Granted, Phase, Voice};
use crate::refusal::Refusal;

impl Book {
    /// Every delegation that was ever agreed to, by name.
    pub fn delegations(&self) -> impl Iterator<Item = (&DelegationId, &Granted)> {
        self.state.delegations.iter()
    }

    /// A delegation by name.
    pub fn delegation(&self, id: &DelegationId) -> Option<&Granted> {
        self.state.delegations.get(id)
    }

    /// The delegation of a seat that has not ended at `at`. There is one at most.
    pub fn delegation_of(&self, seat: &ApproverId, at: Timestamp) -> Option<&Granted> {
        let mut all = self.state.delegations.values();
        all.find(|one| one.delegation.seat == *seat && one.phase(at) != Phase::Ended)
    }

    /// Whether a person stands in for a seat at `at`, or will.
    pub fn stands_in(&self, person: &PersonId, at: Timestamp) -> bool {
        let mut all = self.state.delegations.values();
        all.any(|one| one.delegation.stand_in.person == *person && one.phase(at) != Phase::Ended)
    }

    /// The link keys of those who stand in, or will: their machines are let in as approvers' are, as long as the book shows no
    /// end.
    pub fn stand_in_links(&self) -> impl Iterator<Item = PublicKey> {
        let open = self.state.delegations.values();
        let open = open.filter(|one| one.phase(self.last_at()) != Phase::Ended);
        open.map(|one| one.delegation.stand_in.link)
    }

    /// Everything that must hold of a delegation before people are asked to agree to it, and again when it is granted.
    ///
    /// # Errors
    /// [`Refusal`] that says which of it does not.
    pub fn check_delegation(&self, delegation: &Delegation, at: Timestamp) -> Result<(), Refusal> {
        delegation.check()?;
        if delegation.until <= at {
            let next = "give an end that lies ahead";
            return Err(Refusal::new("bad_delegation", "the delegation is over already", next));
        }
        if self.delegation(&delegation.id).is_some() {
            let next = "give the delegation a name of its own";
            return Err(Refusal::new("bad_delegation", "this name was used before", next));
        }
        delegation.check_fit(&self.charter).map_err(unfit)?;
        let coming = self.coming().map(|coming| delegation.check_apart(&coming.text));
        coming.transpose().map_err(unfit)?;
        self.check_unused(delegation)?;
        let holder = self.holder(&delegation.seat);
        let mut open = self.state.delegations.values().filter(|one| one.phase(at) != Phase::Ended);
        match open.find(|one| self.holder(&one.delegation.seat) == holder) {
            None => Ok(()),
            Some(other) => {
                let message = format!("`{}` has not ended for this person", other.delegation.id);
                let next = "end it with `quorate delegation end`, or wait until it ends";
                Err(Refusal::new("already_delegated", message, next))
            }
        }
    }

    /// The person in a seat.
    fn holder(&self, seat: &ApproverId) -> Option<&PersonId> {
        self.charter.approver(seat).map(|seat| &seat.person)
    }

    /// A key that ever stood in stands in no second time: what it signed then must not count again.
    fn check_unused(&self, delegation: &Delegation) -> Result<(), Refusal> {
        let stand_in = &delegation.stand_in;
        let mut past = self.state.delegations.values();
        let again = past.any(|one| one.delegation.stand_in.shares(stand_in));
        let agent = stand_in.credentials().any(|name| self.credential(name).is_some());
        if again || agent {
            let why = "a key, passkey or credential of the stand-in was used before";
            let next = "have the stand-in enrol with `quorate-approvals enrol` in a new place";
            return Err(Refusal::new("key_in_use", why, next));
        }
        Ok(())
    }

    /// One name means one holder for the life of a vault, so that no word or revocation can be taken for somebody else's.
    pub(crate) fn check_unstood(&self, credential: &CredentialId) -> Result<(), Refusal> {
        let mut all = self.delegations();
        match all.find(|(_, one)| one.delegation.stand_in.holds(credential)) {
            None => Ok(()),
            Some((id, _)) => {
                let why = format!("a stand-in of delegation `{id}` bears this credential's name");
                let next = "give the new credential another name";
                Err(Refusal::new("name_in_use", why, next))
            }
        }
    }

    /// Revoking a credential ends what an agent or a person of the desk may do. A seat speaks by the charter and a stand-in by
    /// the delegation: both would stand on while everybody took them to be over, as would whoever holds what a mistyped name
    /// was meant for.
    pub(crate) fn check_revocable(
        &self,
        credential: &CredentialId,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let admitted = self.credential(credential).is_some();
        let mut open = self.delegations().filter(|(_, one)| one.phase(at) != Phase::Ended);
        match open.find(|(_, one)| !admitted && one.delegation.stand_in.holds(credential)) {
            None if admitted => Ok(()),
            None => Err(self.not_admitted(credential)),
            Some((id, _)) => {
                let why = format!("it stands in under delegation `{id}`");
                let next = format!("run `quorate delegation end {id}`");
                Err(Refusal::new("stands_in", why, next))
            }
        }
    }

    fn not_admitted(&self, credential: &CredentialId) -> Refusal {
        match self.charter.approvers.iter().find(|seat| seat.holds(credential)) {
            Some(seat) => {
                let why = format!("it is of the seat `{}`, which the charter names", seat.approver);
                let next = format!("run `quorate charter lost --approver {}`", seat.approver);
                Refusal::new("seated", why, next)
            }
            None => {
                let next = "look at `quorate agent list` and `quorate member list`";
                Refusal::new("unknown_credential", "the book knows no such credential", next)
            }
        }
    }

    pub(super) fn fold_delegated(
        &mut self,
        delegated: &Delegated,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let case = self.due(&delegated.case, entry.at)?;
        let asks = matches!(&case.intent.action, Action::Delegate { delegation }
            if **delegation == delegated.delegation);
        need(asks, "the case asks for another delegation")?;
        self.check_delegation(&delegated.delegation, entry.at)?;
        let granted = Granted {
            delegation: delegated.delegation.clone(),
            case: delegated.case,
            at: entry.at,
            ended: None,
            entries: vec![entry.index],
        };
        self.state.delegations.insert(delegated.delegation.id.clone(), granted);
        self.case_mut(&delegated.case, entry.index).map(|_| ())
    }

    /// The delegation that a signed ending takes back.
    ///
    /// # Errors
    /// [`Refusal`] when there is none, or neither of the two signed it.
    pub fn check_ending(&self, ending: &Ending) -> Result<&Granted, Refusal> {
        let granted = self.known_delegation(&ending.body.delegation)?;
        if ending.ends(&granted.delegation, &self.charter)? {
            return Ok(granted);
        }
        let why = "the ending is signed neither by the seat nor by the stand-in";
        Err(Refusal::new("bad_ending", why, "end it with the key of one of the two"))
    }

    /// A delegation by name, or what to do where there is none.
    pub(crate) fn known_delegation(&self, id: &DelegationId) -> Result<&Granted, Refusal> {
        self.delegation(id).ok_or_else(|| {
            let next = "look at `quorate delegation list`";
            Refusal::new("unknown_delegation", "there is no such delegation", next)
        })
    }

    pub(super) fn fold_delegation_ended(
        &mut self,
        ended: &DelegationEnded,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        let granted = self.known_delegation(&ended.id)?;
        need(granted.ended.is_none(), "the delegation has ended before")?;
        let (by, cause) = match (&ended.signed, &ended.case) {
            (Some(ending), None) => {
                self.check_ending(ending)?;
                need(ending.body.delegation == ended.id, "the ending is of another delegation")?;
                (ending.ender(&granted.delegation), "taken_back")
            }
            (None, Some(case)) => {
                let case = self.due(case, entry.at)?;
                let asks = matches!(&case.intent.action, Action::EndDelegation { delegation }
                    if *delegation == ended.id);
                need(asks, "the case ends another delegation")?;
                ("case".to_owned(), "taken_back")
            }
            (None, None) => {
                need(entry.at >= granted.delegation.until, "the delegation is not over yet")?;
                ("desk".to_owned(), "lapsed")
            }
            (Some(_), Some(_)) => return Err(void("an ending is either signed or a case's")),
        };
        need(ended.by == by && ended.cause == cause, "the entry does not say who ended it")?;
        if let Some(case) = &ended.case {
            self.case_mut(case, entry.index)?;
        }
        if let Some(granted) = self.state.delegations.get_mut(&ended.id) {
            granted.entries.push(entry.index);
        }
        self.end(&ended.id, Ended { at: entry.at, by, cause: cause.to_owned() });
        Ok(())
    }

    /// Ends what a new charter no longer fits: a seat that is another now, a stand-in whom it names.
    pub(super) fn end_unfit(&mut self, before: &CharterText, at: Timestamp) {
        let lost: Vec<_> = self.unfit_after(before, &self.charter, at).cloned().collect();
        for id in lost {
            let by = "charter".to_owned();
            self.end(&id, Ended { at, by: by.clone(), cause: by });
        }
    }

    /// The delegations not over at `at` that end where one charter replaces another.
    pub(crate) fn unfit_after<'a>(
        &'a self,
        before: &'a CharterText,
        after: &'a CharterText,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a DelegationId> {
        let open = self.delegations().filter(move |(_, one)| one.phase(at) != Phase::Ended);
        open.filter(|(_, one)| !one.delegation.outlives(before, after)).map(|(id, _)| id)
    }

    /// Ends a delegation and forgets what was said under it, so that a word given in time does not outlive it. A case that was
    /// agreed to by such a word asks again, as long as nothing was drafted for it.
    fn end(&mut self, id: &DelegationId, ended: Ended) {
        let at = ended.at;
        if let Some(granted) = self.state.delegations.get_mut(id) {
            granted.ended = Some(ended);
        }
        for case in self.state.cases.values_mut() {
            let before = case.stand_ins.len();
            case.stand_ins.retain(|_, said| said.delegation.id != *id);
            let lost = case.stand_ins.len() < before && case.state == State::AwaitSnapshot;
            let current = case.policy() == Some(self.policy.digest());
            if lost && current && !case.is_agreed(&self.charter, &self.policy, at) {
                case.state = State::AwaitApprovals;
            }
        }
    }

    /// Whose word an approval claims to be, by its credential: the seat's own, or a stand-in's for it.
    pub(super) fn voice(&self, body: &ApprovalBody) -> Option<Voice> {
        let own = self.charter.approver(&body.approver)?;
        let holder = own.person.clone();
        if let Some(granted) = self.stand_in_of(own, &body.credential) {
            let seat = granted.delegation.as_seat();
            return Some(Voice { seat, holder, granted: Some(granted.clone()) });
        }
        Some(Voice { seat: own.clone(), holder, granted: None })
    }

    /// The delegation of a seat, ended or not, whose stand-in holds this credential. What the seat holds itself is its own.
    fn stand_in_of(&self, seat: &ApproverSeat, credential: &CredentialId) -> Option<&Granted> {
        let mut all = self.state.delegations.values().filter(|_| !seat.holds(credential));
        all.find(|one| {
            one.delegation.seat == seat.approver && one.delegation.stand_in.holds(credential)
        })
    }

    /// Whether a stand-in may speak so of this case now.
    pub(super) fn check_stand_in(
        &self,
        granted: &Granted,
        case: &Case,
        said: &Approval,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let refuse = |code: &str, why: &str, next: &str| Err(Refusal::new(code, why, next));
        let delegation = &granted.delegation;
        let issued_at = said.body.issued_at;
        match granted.phase(at) {
            Phase::Standing if issued_at >= delegation.from => {}
            Phase::Ended => {
                let next = "ask the seat itself, or have the charter's quorum delegate anew";
                return refuse("not_standing", "the delegation has ended", next);
            }
            _ => {
                let next = "approve once it has begun, or ask the seat itself";
                return refuse("not_standing", "the delegation has not begun", next);
            }
        }
        let Some(transfer) = case.transfer() else {
            let why = "a stand-in speaks on transfers and on nothing else";
            return refuse("not_delegated", why, "ask the seat itself");
        };
        if !delegation.covers(transfer) {
            let why = "the amount or its fee is above the delegation's limit";
            return refuse("above_delegation", why, "ask the seat itself");
        }
        Ok(())
    }

    /// Whether a case of `EndDelegation` may end it still.
    pub(crate) fn check_open_delegation(
        &self,
        id: &DelegationId,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        if self.known_delegation(id)?.phase(at) != Phase::Ended {
            return Ok(());
        }
        Err(Refusal::new("not_standing", "the delegation has ended", "nothing needs doing"))
    }

    /// Whether the case's act of delegating has been done, or undone.
    pub(super) fn is_delegation_done(&self, case: &Case) -> bool {
        match &case.intent.action {
            Action::Delegate { delegation } => {
                self.delegation(&delegation.id).is_some_and(|granted| granted.case == case.id)
            }
            Action::EndDelegation { delegation } => {
                self.delegation(delegation).is_some_and(|granted| granted.ended.is_some())
            }
            _ => false,
        }
    }
}

fn unfit(why: Unfit) -> Refusal {
    let (code, next) = match why {
        Unfit::NoSeat => ("bad_delegation", "name a seat as `quorate charter show` shows it"),
        Unfit::Seated => ("stand_in_seated", "name a person who holds no seat, now or soon"),
        Unfit::Used => ("key_in_use", "have the stand-in enrol in a new place"),
        Unfit::NoView => ("bad_delegation", "make the passkey at a view of the charter"),
    };
    Refusal::new(code, why.to_string(), next)
}
