//! Checklists of people who come, change post and leave: which items apply is the template's, what counts is the book's.

use std::path::Path;

use quorate_custody::{Book, Checklist, Event, Refusal};
use quorate_gateway::office::{ChecklistAct, ChecklistRequest, ChecklistView, Reply, TaskView};
use quorate_host::fault::Fault;
use quorate_terms::checklist::{Item, Template, name};
use quorate_terms::entry::{
    Body, ChecklistAttested, ChecklistClosed, ChecklistEnd, ChecklistOpened,
};
use quorate_terms::{Digest, Term as _, Timestamp};

use super::{Here, refusal};
use crate::shown::ChecklistSaid;

/// The list that is in force unless the operator names another.
const OURS: &str = include_str!("../checklists.toml");

/// The template in force: the operator's file, or ours.
///
/// # Errors
/// [`Fault`] naming the file and what is wrong with it: no desk starts on a list that it cannot read.
pub(crate) fn template(file: Option<&Path>) -> Result<Template, Fault> {
    let (name, text) = match file {
        None => ("the list of checklists".to_owned(), OURS.to_owned()),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Fault::at(path, &e))?;
            (path.display().to_string(), text)
        }
    };
    let read: Template = quorate_host::config::parse(&text, &name)?;
    read.check().map_err(|e| Fault::new(format!("{name}: {}", e.field()), e.why(), e.mend()))?;
    Ok(read)
}

impl Here {
    pub(super) async fn all_lists(&self) -> Reply<Vec<ChecklistView>> {
        let now = self.0.engine.clock().now();
        let all = self.0.engine.look(move |book| {
            let mut all: Vec<_> =
                book.checklists().map(|(name, one)| seen(book, name, one, now)).collect();
            all.sort_by_key(|view| (view.opened_at, view.checklist));
            all
        });
        all.await.map_err(refusal)
    }

    /// Who a token shows, for the command line: attesting takes the person's own.
    pub(crate) async fn of_token(&self, said: ChecklistSaid) -> Reply<ChecklistRequest> {
        let ChecklistSaid { person, token, act } = said;
        if let Some(token) = token.map(|token| token.digest()) {
            let now = self.0.engine.clock().now();
            let found = self.0.engine.look(move |book| {
                let found = book.credential_by_token(&token, now).filter(|one| one.role.is_some());
                found.map(|one| (one.owner.clone(), one.credential.clone()))
            });
            let (by, credential) = found.await.map_err(refusal)?.ok_or_else(|| {
                let next = "give the file that `quorate member new` wrote; it may have lapsed";
                Refusal::new("no_credential", "no person holds this token in a role now", next)
            })?;
            return Ok(ChecklistRequest { by, credential: Some(credential), act });
        }
        match (person, &act) {
            (Some(by), ChecklistAct::Open { .. } | ChecklistAct::Close { .. }) => {
                Ok(ChecklistRequest { by, credential: None, act })
            }
            _ => Err(own_word()),
        }
    }

    pub(super) async fn deal(&self, ask: ChecklistRequest) -> Reply<ChecklistView> {
        let now = self.0.engine.clock().now();
        let template = self.0.template.get().ok_or_else(|| {
            Refusal::new("not_now", "the desk has not read its checklists yet", "try again")
        })?;
        let vault = self.0.engine.look(|book| book.vault().clone()).await.map_err(refusal)?;
        let ChecklistRequest { by, credential, act } = ask;
        let (checklist, body) = match act {
            ChecklistAct::Open { key, person, change, post } => {
                let checklist = name(&vault, &by, &key)?;
                let known = self.find(checklist).await?;
                if known.is_some_and(|one| {
                    (&one.person, one.change, one.post) == (&person, change, post)
                }) {
                    return self.one(checklist).await;
                }
                let opened = ChecklistOpened {
                    checklist,
                    key,
                    person,
                    change,
                    post,
                    template: template.digest()?,
                    items: template.items(change, post, now),
                    by,
                    credential,
                };
                (checklist, Body::ChecklistOpened(Box::new(opened)))
            }
            ChecklistAct::Attest { checklist, item, reference } => {
                let person = self.one(checklist).await?.person;
                let credential = credential.ok_or_else(own_word)?;
                let said = ChecklistAttested { checklist, item, person, by, credential, reference };
                (checklist, Body::ChecklistAttested(Box::new(said)))
            }
            ChecklistAct::Close { checklist, withdraw } => {
                let one = self.find(checklist).await?.ok_or_else(unknown)?;
                let looked = one.clone();
                let done = self.0.engine.look(move |book| book.done(&looked, now));
                let done = done.await.map_err(refusal)?;
                let end = if withdraw { ChecklistEnd::Withdrawn } else { ChecklistEnd::Done };
                let Checklist { person, change, post, .. } = one;
                let closed =
                    ChecklistClosed { checklist, person, change, post, end, done, by, credential };
                (checklist, Body::ChecklistClosed(Box::new(closed)))
            }
        };
        self.0.engine.tell(Event::Noted(Box::new(body))).await.map_err(refusal)?;
        self.one(checklist).await
    }

    async fn find(&self, checklist: Digest) -> Reply<Option<Checklist>> {
        let found = self.0.engine.look(move |book| book.checklist(&checklist).cloned());
        found.await.map_err(refusal)
    }

    pub(super) async fn one(&self, checklist: Digest) -> Reply<ChecklistView> {
        let now = self.0.engine.clock().now();
        let found = self.0.engine.look(move |book| {
            book.checklist(&checklist).map(|one| seen(book, &checklist, one, now))
        });
        found.await.map_err(refusal)?.ok_or_else(unknown)
    }
}

fn unknown() -> Refusal {
    let next = "look at `quorate member checklist list`";
    Refusal::new("unknown_checklist", "there is no such checklist", next)
}

fn own_word() -> Refusal {
    let next = "give the token file of whoever carried it out";
    Refusal::new("no_credential", "a task is attested under a person's own credential", next)
}

/// A checklist as people see it at `now`. What ended stays as it was then.
fn seen(book: &Book, name: &Digest, one: &Checklist, now: Timestamp) -> ChecklistView {
    let ended = one.ended.as_ref();
    let task = |item: &Item| {
        let attested = one.attested.get(&item.item);
        let done = match ended {
            Some((_, _, done)) => done.iter().any(|done| done.item == item.item),
            None => book.has_done(one, item, now),
        };
        TaskView {
            item: item.item.clone(),
            words: item.words.clone(),
            due_at: item.due_at,
            shown_by_the_book: item.shown.is_some(),
            done,
            overdue: !done && ended.is_none() && item.due_at <= now,
            by: attested.map(|said| said.by.clone()),
            at: attested.map(|said| said.at),
            reference: attested.and_then(|said| said.reference.clone()),
        }
    };
    ChecklistView {
        checklist: *name,
        person: one.person.clone(),
        change: one.change,
        post: one.post,
        by: one.by.clone(),
        opened_at: one.opened_at,
        template: one.template,
        items: one.items.iter().map(task).collect(),
        end: ended.map(|(end, ..)| *end),
        ended_at: ended.map(|(_, at, _)| *at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_terms::checklist::{Change, Post};

    #[test]
    fn our_own_list_says_something_for_everybody_and_a_leaver_is_never_believed_by_word_alone() {
        let template = template(None).unwrap();
        for post in Post::ALL {
            let items = template.items(Change::Leaver, *post, Timestamp::ZERO);
            assert!(items.iter().filter(|item| item.shown.is_some()).count() >= 3, "{post}");
            assert!(items.iter().any(|item| item.shown.is_none()), "{post}");
        }
    }

    #[test]
    fn a_list_that_does_not_fit_stops_the_start_and_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lists.toml");
        for (text, word) in [
            ("v = 1\nitems = []\n", "template.joiner.approver"),
            ("v = 2\nitems = []\n", "template.v"),
            ("v = 1\nitems = []\nmore = 1\n", "more"),
            ("v = 1\n[[items]]\nitem = \"A\"\n", "item"),
        ] {
            std::fs::write(&path, text).unwrap();
            let fault = template(Some(&path)).unwrap_err().to_string();
            assert!(fault.contains(word), "{text}: {fault}");
        }
        assert!(template(Some(&dir.path().join("none.toml"))).is_err());
    }
}
