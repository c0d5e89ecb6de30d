//! Checklists: who may open, attest and close, and what nobody can say because the book shows it. Desk and followers run the
//! same checks, so a word that nobody could give is void.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::checklist::{check_items, name};
use quorate_terms::credential::Role;
use quorate_terms::entry::{
    ChecklistAttested, ChecklistClosed, ChecklistEnd, ChecklistOpened, Entry,
};
use quorate_terms::{CredentialId, Digest, PersonId, Timestamp};

use crate::book::Book;
use crate::checklist::{Attested, Checklist};
use crate::limits;
use crate::refusal::Refusal;

impl Book {
    /// Whether a checklist may be opened so.
    ///
    /// # Errors
    /// [`Refusal`]: its name is another's or taken, it is about its opener, its items break a rule, or it is open already.
    pub(crate) fn check_opened(
        &self,
        opened: &ChecklistOpened,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        if opened.checklist != name(self.vault(), &opened.by, &opened.key)? {
            let next = "report this";
            return refused("checklist_name", "the checklist has another's name", next);
        }
        if self.checklist(&opened.checklist).is_some() {
            let next = "use a new key for a new checklist";
            return refused("key_reused", "this key was used for another checklist", next);
        }
        if opened.by == opened.person {
            let next = "ask another operator to open it";
            return refused("own_checklist", "nobody opens a checklist about themselves", next);
        }
        self.check_operator(&opened.by, opened.credential.as_ref(), at)?;
        check_items(&opened.items, at)?;
        let mut open = self.state.checklists.values().filter(|one| one.is_open());
        if open.clone().count() >= limits::CHECKLISTS_OPEN_MAX {
            let next = "close those that are done, or withdraw those opened in error";
            return refused("too_many_checklists", "too many checklists are open", next);
        }
        let alike = |one: &Checklist| {
            (&one.person, one.change, one.post) == (&opened.person, opened.change, opened.post)
        };
        if open.any(alike) {
            let next = "go on with it: see `quorate member checklist list`";
            return refused("checklist_open", "such a checklist is open for this person", next);
        }
        Ok(())
    }

    /// Whether this person may attest this task.
    ///
    /// # Errors
    /// [`Refusal`]: no such open task, the book shows it, it was attested, it is about the person who attests, or the
    /// credential is not theirs and in force.
    pub(crate) fn check_attested(
        &self,
        said: &ChecklistAttested,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let one = self.open_checklist(&said.checklist)?;
        let Some(item) = one.item(&said.item).filter(|_| one.person == said.person) else {
            let next = "name one as `quorate member checklist show` does";
            return refused("unknown_item", "the checklist has no such task", next);
        };
        if item.shown.is_some() {
            let next = "do it: the book shows it then, and nobody need say so";
            return refused("shown_by_the_book", "nobody's word counts for this task", next);
        }
        if one.attested.contains_key(&said.item) {
            return refused("attested", "this task was attested before", "nothing needs doing");
        }
        if said.by == one.person {
            let next = "whoever carried it out attests it, and that is somebody else";
            return refused("own_checklist", "nobody attests about themselves", next);
        }
        self.live_role(&said.by, &said.credential, at).map(drop)
    }

    /// Whether a checklist may end so.
    ///
    /// # Errors
    /// [`Refusal`]: none such is open, it is about its closer, it does not say what was done, or something is not done.
    pub(crate) fn check_checklist_closed(
        &self,
        closed: &ChecklistClosed,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let one = self.open_checklist(&closed.checklist)?;
        let same = (&one.person, one.change, one.post)
            == (&closed.person, closed.change, closed.post)
            && closed.done == self.done(one, at);
        if !same {
            let next = "something of it changed meanwhile: look at it and close it again";
            return refused("checklist_done", "that is not what is done of it now", next);
        }
        if closed.by == one.person {
            let next = "ask another operator to close it";
            return refused("own_checklist", "nobody closes a checklist about themselves", next);
        }
        self.check_operator(&closed.by, closed.credential.as_ref(), at)?;
        let open = one.items.iter().find(|item| !self.has_done(one, item, at));
        match (closed.end, open) {
            (ChecklistEnd::Done, Some(item)) => {
                let message = format!("`{}` is not done: {}", item.item, item.words);
                let next = "do it and attest it, or withdraw the checklist";
                Err(Refusal::new("not_done", message, next))
            }
            _ => Ok(()),
        }
    }

    /// Who opens and closes holds the role operator, or sits at the desk's own machine.
    fn check_operator(
        &self,
        by: &PersonId,
        credential: Option<&CredentialId>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(credential) = credential else { return Ok(()) };
        if self.live_role(by, credential, at)? == Role::Operator {
            return Ok(());
        }
        let next = "ask somebody with the role operator";
        refused("role", "only an operator opens and closes checklists", next)
    }

    /// The role of a person's own credential.
    fn live_role(
        &self,
        by: &PersonId,
        credential: &CredentialId,
        at: Timestamp,
    ) -> Result<Role, Refusal> {
        let held =
            self.credential(credential).filter(|one| !one.revoked).map(|one| &one.credential);
        let own = held.filter(|one| one.owner == *by && one.expires_at > at);
        own.and_then(|one| one.role).ok_or_else(|| {
            let why = "the person holds no such credential in a role";
            Refusal::new("no_credential", why, "admit them with `quorate member new`")
        })
    }

    fn open_checklist(&self, checklist: &Digest) -> Result<&Checklist, Refusal> {
        self.checklist(checklist).filter(|one| one.is_open()).ok_or_else(|| {
            let next = "look at `quorate member checklist list`";
            Refusal::new("unknown_checklist", "there is no such open checklist", next)
        })
    }

    pub(super) fn fold_opened_list(
        &mut self,
        opened: &ChecklistOpened,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        self.check_opened(opened, entry.at)?;
        let one = Checklist {
            person: opened.person.clone(),
            change: opened.change,
            post: opened.post,
            template: opened.template,
            items: opened.items.clone(),
            by: opened.by.clone(),
            opened_at: entry.at,
            attested: BTreeMap::new(),
            told: BTreeSet::new(),
            ended: None,
        };
        self.state.checklists.insert(opened.checklist, one);
        Ok(())
    }

    pub(super) fn fold_attested(
        &mut self,
        said: &ChecklistAttested,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        self.check_attested(said, entry.at)?;
        let attested = Attested {
            by: said.by.clone(),
            credential: said.credential.clone(),
            at: entry.at,
            reference: said.reference.clone(),
        };
        if let Some(one) = self.state.checklists.get_mut(&said.checklist) {
            one.attested.insert(said.item.clone(), attested);
        }
        Ok(())
    }

    pub(super) fn fold_closed_list(
        &mut self,
        closed: &ChecklistClosed,
        entry: &Entry,
    ) -> Result<(), Refusal> {
        self.check_checklist_closed(closed, entry.at)?;
        if let Some(one) = self.state.checklists.get_mut(&closed.checklist) {
            one.ended = Some((closed.end, entry.at, closed.done.clone()));
        }
        Ok(())
    }
}

fn refused<T>(code: &str, why: &str, next: &str) -> Result<T, Refusal> {
    Err(Refusal::new(code, why, next))
}
