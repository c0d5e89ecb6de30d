//! People: who holds how many keys, who comes and who leaves, and what is still to be done for it. Whoever carried out a task
//! attests it here in their own name; what the book shows, nobody need say.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Form, Path};
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use quorate_custody::Refusal;
use quorate_pages::{
    Field, Markup, Press, Tone, badge, choice_field, digest, empty, facts, heading, hidden, link,
    outside, paragraph, table, text_field, when,
};
use quorate_terms::checklist::{Change, Post};
use quorate_terms::digest::tag;
use quorate_terms::entry::ChecklistEnd;
use quorate_terms::{Digest, IdempotencyKey, PersonId};
use serde::Deserialize;

use super::visit::{Answered, Ask, Visit, asked};
use super::{Here, Page, delegations};
use crate::office::{ChecklistAct, ChecklistRequest, ChecklistView, Reply, TaskView};

pub(crate) const PAGE: Page = Page {
    path: "/people",
    label: "People",
    routes: |router: Router<Here>| {
        router
            .route("/people", get(all))
            .route("/people/open", post(open))
            .route("/people/delegate", post(delegations::read))
            .route("/people/{checklist}", get(one))
            .route("/people/{checklist}/attest", post(attest))
            .route("/people/{checklist}/close", post(close))
    },
};

/// What happens to a person, in words.
const CHANGES: [(&str, &str); 3] = [
    ("joiner", "Receives a post"),
    ("mover", "Changes post, keys or device"),
    ("leaver", "Leaves"),
];

/// What a person does here, in words.
const POSTS: [(&str, &str); 6] = [
    ("approver", "Approver"),
    ("cosigner", "Runs a cosigner"),
    ("operator", "Operator"),
    ("auditor", "Auditor"),
    ("viewer", "Viewer"),
    ("agent_owner", "Answers for an agent"),
];

/// Ended checklists that the page shows.
const SHOWN: usize = 20;

async fn all(visit: Visit) -> Answered {
    let lists = visit.console.office.checklists().await?;
    let (open, over): (Vec<_>, Vec<_>) = lists.into_iter().partition(|one| one.end.is_none());
    let over: Vec<ChecklistView> = over.into_iter().rev().take(SHOWN).collect();
    let open = match open.as_slice() {
        [] => empty("No checklist is open.", "open one when somebody comes, moves or leaves"),
        open => listed("Open checklists", open),
    };
    let over = match over.as_slice() {
        [] => Markup::default(),
        over => listed("Checklists that ended", over),
    };
    let body = [
        heading("Keys and passkeys"),
        keys(&visit),
        heading("Who stands in for whom"),
        delegations::section(&visit).await?,
        heading("Who comes, moves and leaves"),
        open,
        over,
        opening(&visit)?,
    ];
    visit.page("People", body)
}

/// Who approves with how many keys. One that is lost must not lock its holder out.
fn keys(visit: &Visit) -> Markup {
    let charter = &visit.status.charter_text;
    let mut people: BTreeMap<&PersonId, (Vec<&str>, usize, usize)> = BTreeMap::new();
    for seat in &charter.approvers {
        let (seats, keys, passkeys) = people.entry(&seat.person).or_default();
        seats.push(seat.approver.as_str());
        *keys = keys.saturating_add(1);
        *passkeys = passkeys.saturating_add(seat.passkeys.len());
    }
    let row = |(person, (seats, keys, passkeys)): (&PersonId, (Vec<&str>, usize, usize))| {
        let advice = match keys.saturating_add(passkeys) {
            0 | 1 => badge(Tone::Warn, "one key only: enrol a second"),
            _ if passkeys == 1 => badge(Tone::Note, "two passkeys are advised"),
            _ => badge(Tone::Good, "can lose one"),
        };
        vec![
            outside(person.as_str()),
            outside(&seats.join(", ")),
            Markup::text(&keys.to_string()),
            Markup::text(&passkeys.to_string()),
            advice,
        ]
    };
    let said = "A key that is lost is taken away with `quorate charter lost`, which the charter's quorum agrees to.";
    let headings = ["Person", "Seat", "Keys in a file", "Passkeys", "How it stands"];
    let rows = people.into_iter().map(row).collect();
    Markup::all([table("Approvers", &headings, rows), paragraph(Markup::running(said))])
}

fn listed(caption: &str, lists: &[ChecklistView]) -> Markup {
    let row = |one: &ChecklistView| {
        vec![
            outside(one.person.as_str()),
            Markup::text(&what(one)),
            when(one.opened_at),
            state(one),
            link(
                &format!("/people/{}", one.checklist),
                &format!("Checklist {}", one.checklist.short()),
            ),
        ]
    };
    let headings = ["Person", "What", "Opened", "State", "Checklist"];
    table(caption, &headings, lists.iter().map(row).collect())
}

fn words<'a>(of: &[(&'a str, &'a str)], word: &'a str) -> &'a str {
    of.iter().find(|(known, _)| *known == word).map_or(word, |(_, words)| words)
}

fn what(one: &ChecklistView) -> String {
    let (change, post) = (one.change.as_str(), one.post.as_str());
    format!("{}: {}", words(&CHANGES, change), words(&POSTS, post))
}

fn state(one: &ChecklistView) -> Markup {
    let left = one.items.iter().filter(|task| !task.done).count();
    let overdue = one.items.iter().filter(|task| task.overdue).count();
    match one.end {
        Some(ChecklistEnd::Done) => badge(Tone::Good, "done"),
        Some(ChecklistEnd::Withdrawn) => badge(Tone::Note, "withdrawn"),
        None if overdue > 0 => badge(Tone::Bad, &format!("{overdue} overdue, {left} left")),
        None if left > 0 => badge(Tone::Warn, &format!("{left} left")),
        None => badge(Tone::Good, "all done, to be closed"),
    }
}

/// The form that opens a checklist, for operators.
fn opening(visit: &Visit) -> Reply<Markup> {
    let person = Field {
        name: "person",
        label: "Person",
        hint: "A pseudonym, such as person-ann. Never a name.",
        ..Field::default()
    };
    let change = Field { name: "change", label: "What happens", ..Field::default() };
    let post = Field { name: "post", label: "In which post", ..Field::default() };
    let fields = Markup::all([
        text_field(person),
        choice_field(change, &CHANGES),
        choice_field(post, &POSTS),
    ]);
    visit.question(Ask::OpenChecklist, ("/people/open", fields), ("Open a checklist", Press::Main))
}

async fn find(visit: &Visit, name: &str) -> Reply<ChecklistView> {
    let name: Digest = name.parse()?;
    let all = visit.console.office.checklists().await?;
    all.into_iter().find(|one| one.checklist == name).ok_or_else(|| {
        let next = "look at the checklists that there are";
        Refusal::new("nothing_here", "there is no such checklist", next)
    })
}

async fn one(visit: Visit, Path(name): Path<String>) -> Answered {
    let one = find(&visit, &name).await?;
    let mut about = vec![
        ("Person", outside(one.person.as_str())),
        ("What", Markup::text(&what(&one))),
        ("State", state(&one)),
        ("Opened", when(one.opened_at)),
        ("Opened by", outside(one.by.as_str())),
    ];
    about.extend(one.ended_at.map(|at| ("Ended", when(at))));
    about.push(("Template", digest(&one.template.to_string())));
    about.push(("Checklist", digest(&one.checklist.to_string())));
    let rows = one.items.iter().map(task).collect();
    let tasks = table("What is to be done", &["What", "Done", "Due", "Paper"], rows);
    let mut body = vec![facts(about), tasks];
    if one.end.is_none() {
        body.push(attesting(&visit, &one)?);
        body.push(closing(&visit, &one)?);
    }
    visit.page(&format!("Checklist {}", one.checklist.short()), body)
}

fn task(task: &TaskView) -> Vec<Markup> {
    let done = match (&task.by, task.done) {
        (Some(by), _) => Markup::all([
            badge(Tone::Good, "attested"),
            Markup::text(" by "),
            outside(by.as_str()),
            Markup::text(" "),
            task.at.map(when).unwrap_or_default(),
        ]),
        (None, true) => badge(Tone::Good, "the book shows it"),
        (None, false) if task.overdue => badge(Tone::Bad, "overdue"),
        (None, false) if task.shown_by_the_book => badge(Tone::Warn, "the book will show it"),
        (None, false) => badge(Tone::Warn, "nobody attested it"),
    };
    let paper = task.reference.as_ref().map(|code| outside(code.as_str())).unwrap_or_default();
    vec![outside(&task.words), done, when(task.due_at), paper]
}

/// One form for what this person may attest, whatever their role; nothing where the checklist is about themselves.
fn attesting(visit: &Visit, one: &ChecklistView) -> Reply<Markup> {
    if !visit.may_attest() {
        let said = "To attest what you carried out, sign in with the token of your credential.";
        return Ok(paragraph(Markup::text(said)));
    }
    let open = |task: &&TaskView| !task.done && !task.shown_by_the_book;
    let open: Vec<&TaskView> = one.items.iter().filter(open).collect();
    if one.person == visit.caller.owner {
        let said = "It is about you: others attest what they carried out.";
        return Ok(paragraph(Markup::text(said)));
    }
    if open.is_empty() {
        return Ok(Markup::default());
    }
    let options: Vec<(&str, &str)> =
        open.iter().map(|task| (task.item.as_str(), task.words.as_str())).collect();
    let field = Field { name: "item", label: "What you carried out yourself", ..Field::default() };
    let reference = Field {
        name: "reference",
        label: "Where the paper lies",
        hint: "A short code such as a ticket's number. Never a name.",
        optional: true,
        ..Field::default()
    };
    let fields = Markup::all([choice_field(field, &options), text_field(reference)]);
    let path = format!("/people/{}/attest", one.checklist);
    let ask = Ask::Attest(one.checklist);
    visit.question(ask, (&path, fields), ("I did this, and attest it", Press::Main))
}

fn closing(visit: &Visit, one: &ChecklistView) -> Reply<Markup> {
    if one.person == visit.caller.owner {
        return Ok(Markup::default());
    }
    let path = format!("/people/{}/close", one.checklist);
    let is_done = one.items.iter().all(|task| task.done);
    let (how, words, press) = match is_done {
        true => ("no", "Close the checklist", Press::Main),
        false => ("yes", "Withdraw the checklist", Press::No),
    };
    let fields = hidden(&[("withdraw", how)]);
    visit.question(Ask::CloseChecklist(one.checklist), (&path, fields), (words, press))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    ask: String,
    person: String,
    change: String,
    post: String,
}

async fn open(visit: Visit, Form(said): Form<Opening>) -> Answered {
    visit.operator()?;
    let Ask::OpenChecklist = visit.answered(&said.ask)? else { return Err(asked().into()) };
    let key = format!("console-{}", Digest::of(tag::TOKEN, said.ask.as_bytes()));
    let act = ChecklistAct::Open {
        key: IdempotencyKey::new(key)?,
        person: said.person.trim().parse()?,
        change: said.change.parse::<Change>()?,
        post: said.post.parse::<Post>()?,
    };
    deal(&visit, act).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attesting {
    ask: String,
    item: String,
    reference: String,
}

async fn attest(visit: Visit, Path(name): Path<String>, Form(said): Form<Attesting>) -> Answered {
    if !visit.may_attest() {
        let message = "whoever signed in through the provider attests nothing";
        let next = "sign out, and sign in with the token of your credential";
        return Err(Refusal::new("role", message, next).into());
    }
    let Ask::Attest(checklist) = visit.answered(&said.ask)? else { return Err(asked().into()) };
    if name != checklist.to_string() {
        return Err(asked().into());
    }
    let reference = match said.reference.trim() {
        "" => None,
        code => Some(IdempotencyKey::new(code)?),
    };
    deal(&visit, ChecklistAct::Attest { checklist, item: said.item.parse()?, reference }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    ask: String,
    withdraw: String,
}

async fn close(visit: Visit, Path(name): Path<String>, Form(said): Form<Closing>) -> Answered {
    visit.operator()?;
    let Ask::CloseChecklist(checklist) = visit.answered(&said.ask)? else {
        return Err(asked().into());
    };
    if name != checklist.to_string() {
        return Err(asked().into());
    }
    deal(&visit, ChecklistAct::Close { checklist, withdraw: said.withdraw == "yes" }).await
}

async fn deal(visit: &Visit, act: ChecklistAct) -> Answered {
    let (by, credential) = (visit.caller.owner.clone(), Some(visit.caller.credential.clone()));
    let ask = ChecklistRequest { by, credential, act };
    let view = visit.console.office.checklist(ask).await?;
    Ok(Redirect::to(&format!("/people/{}", view.checklist)).into_response())
}
