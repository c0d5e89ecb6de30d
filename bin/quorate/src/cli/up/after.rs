//! What comes after the founding: the digest that everybody compares, the commands of each, the first person at the console, and
//! what must be backed up. The desk runs beside these pages.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Form;
use axum::http::header;
use axum::response::sse::Event;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_custody::State as CaseState;
use quorate_gateway::office::{CaseView, CasesRequest, StatusView};
use quorate_host::fault::Fault;
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_pages::{
    Field, Markup, Press, Tone, badge, choice_field, code_block, details, digest, elsewhere, empty,
    facts, form, heading, link, outside, paragraph, progress, table, text_field, when,
};
use quorate_terms::{Digest, digest::tag};

use super::console_url;
use super::door::{Founder, Here};
use super::kept::Kept;
use super::paper::{self, act, say};
use super::visit::{Answered, Typed, Visit, said};
use crate::cli::agent::NewCredential;
use crate::cli::case::state_word;
use crate::cli::client::Desk;
use crate::cli::filing::{At, Filing};
use crate::cli::found::write::Founded;
use crate::cli::member;
use crate::cli::trouble::{Tried, Trouble};
use crate::config::DeskConfig;

/// How often an open page asks whether anything has changed.
const LOOK: Duration = Duration::from_millis(700);
/// One browser at a time is in the founding, so all streams are one session's.
static STREAMS: quorate_web::Streams = quorate_web::Streams::new();

/// Adds the pages after the founding.
pub(super) fn routes(router: Router<Here>) -> Router<Here> {
    router
        .route("/next", get(shown))
        .route("/next/member", post(admit))
        .route("/next/finish", post(finish))
        .route("/next/events", get(events))
        .route("/charter.json", get(charter))
}

/// What the desk says of itself, or why it does not.
struct Desks {
    status: StatusView,
    /// Cases that admit a person or an agent and are not over.
    waiting: Vec<CaseView>,
}

async fn ask(home: &Path) -> Tried<Desks> {
    let desk = Desk::at(home).await?;
    let status = desk.status().await?;
    let open = CasesRequest { all: false, limit: 50 };
    let cases: Vec<CaseView> = desk.ask("desk.cases", &open).await?;
    let waiting = cases.into_iter().filter(|case| case.kind == "issue_credential").collect();
    Ok(Desks { status, waiting })
}

async fn shown(visit: Visit) -> Answered {
    show(&visit, &Typed::new(), None).await
}

async fn show(visit: &Visit, typed: &Typed, trouble: Option<&Trouble>) -> Answered {
    let (home, is_founded) = visit.founder.kept(|kept| (kept.home().to_owned(), kept.is_founded()));
    if !is_founded {
        return Visit::go("/");
    }
    let (founded, desk) = (Founded::read(&home)?, ask(&home).await);
    let console = console(&home);
    let body = Markup::all([
        compare(&founded),
        heading("2. Each party runs this on its own machine"),
        say(
            "In the folder where they made their keys, beside their own copy of the charter, named charter.json. What ends in `run`, and \
             `view serve`, stays up.",
        ),
        commands(&founded),
        heading("3. The desk and the cosigners"),
        running(&desk),
        heading("4. Your way into the console"),
        people(&home, &desk, typed, console.as_deref()),
        heading("5. What must be backed up"),
        backups(&home),
        heading("6. When all of it is done"),
        say(
            "These pages close for good, in every browser, and the answers of the founding are deleted; `quorate up` then only starts the desk. \
             The charter, the keys and the configuration stay where they are.",
        ),
        act("/next/finish", &[], "Close these pages", Press::Aside),
    ]);
    visit.page_live("The vault is founded", body, trouble, Some("/next/events"))
}

fn compare(founded: &Founded) -> Markup {
    let how = "Read this digest aloud to every approver and to every operator of a cosigner, a view or a source, on a channel that this \
               machine does not control. Give each of them a copy of the charter. Whoever reads the same digest from their own copy goes on.";
    Markup::all([
        facts(vec![
            ("Vault", outside(founded.charter.vault.as_str())),
            ("The charter's digest", digest(&founded.digest.to_string())),
            ("The charter", link("/charter.json", "Take charter.json")),
        ]),
        heading("1. Everybody compares the digest"),
        say(how),
    ])
}

fn commands(founded: &Founded) -> Markup {
    let mut parties: Vec<(&str, String)> = Vec::new();
    for (who, run) in &founded.commands {
        match parties.last_mut() {
            Some((last, lines)) if *last == who => {
                lines.push('\n');
                lines.push_str(run);
            }
            _ => parties.push((who, run.clone())),
        }
    }
    let one = |(who, lines): &(&str, String)| {
        details(who, code_block(&format!("Commands of {who}"), lines))
    };
    Markup::all(parties.iter().map(one))
}

fn running(desk: &Tried<Desks>) -> Markup {
    let desk = match desk {
        Ok(desk) => desk,
        Err(trouble) => {
            return facts(vec![(
                "Desk",
                Markup::all([
                    badge(Tone::Note, "starting"),
                    Markup::text(" "),
                    outside(&trouble.to_string()),
                ]),
            )]);
        }
    };
    let row = |one: &quorate_gateway::office::CosignerView| {
        let (tone, words) = if one.up { (Tone::Good, "up") } else { (Tone::Warn, "not heard yet") };
        let why = one.trouble.as_deref().map_or_else(|| Markup::text("none"), outside);
        vec![outside(&one.cosigner), badge(tone, words), why]
    };
    let rows = desk.status.cosigners.iter().map(row).collect();
    Markup::all([
        facts(vec![
            ("Desk", badge(Tone::Good, "runs")),
            ("Entries in the ledger", Markup::text(&desk.status.size.to_string())),
        ]),
        table("Cosigners", &["Cosigner", "Link", "Last refusal"], rows),
    ])
}

fn people(home: &Path, desk: &Tried<Desks>, typed: &Typed, console: Option<&str>) -> Markup {
    let Ok(desk) = desk else { return say("The desk must run first.") };
    let mut all = vec![say(
        "A person is admitted by a case that two approvers agree to, each with a tool of their own. The token that signs in goes to a \
         file that only this user reads, and is never shown.",
    )];
    let now = desk.status.now;
    let valid = |one: &&quorate_gateway::office::CredentialView| {
        one.role.is_some() && !one.revoked && one.expires_at > now
    };
    let credentials: Vec<_> = desk.status.credentials.iter().filter(valid).collect();
    for one in &credentials {
        let role = one.role.map_or("", |role| role.as_str());
        all.push(facts(vec![
            (
                "Admitted",
                Markup::all([
                    badge(Tone::Good, role),
                    Markup::text(" "),
                    outside(one.owner.as_str()),
                ]),
            ),
            ("Token", token(home, one.credential.as_str())),
            ("Until", when(one.expires_at)),
            ("Console", console.map_or_else(closed, elsewhere)),
        ]));
    }
    all.extend(desk.waiting.iter().map(waits));
    if credentials.is_empty() && desk.waiting.is_empty() {
        all.push(empty("Nobody is admitted yet.", "ask for yourself below"));
    }
    all.push(form("/next/member", fields(typed), "Ask for it"));
    Markup::all(all)
}

/// Where the token of a credential is, where that is known: it may lie elsewhere.
fn token(home: &Path, credential: &str) -> Markup {
    let file = home.join("tokens").join(credential);
    match file.symlink_metadata() {
        Ok(_) => outside(&file.display().to_string()),
        Err(_) => Markup::text("not in this folder; whoever asked for it knows where"),
    }
}

fn closed() -> Markup {
    Markup::text("closed: desk.toml has no [console]")
}

fn waits(case: &CaseView) -> Markup {
    let is_asked = case.state == CaseState::AwaitApprovals;
    let tone = if is_asked { Tone::Warn } else { Tone::Note };
    let mut all = vec![paragraph(Markup::all([
        badge(tone, &state_word(&case.state)),
        Markup::text(" "),
        outside(&case.summary),
    ]))];
    all.extend(case.tallies.iter().map(|tally| {
        let have = u32::try_from(tally.counted.len()).unwrap_or(u32::MAX);
        progress(have, tally.need, &format!("{} agree", tally.quorum))
    }));
    if is_asked {
        let run = format!("quorate-approvals approve {}", case.case);
        all.push(code_block("What each approver runs", &run));
    }
    Markup::all(all)
}

fn fields(typed: &Typed) -> Markup {
    let field = |name, label, hint, start| {
        let value = typed.get(name).map_or(start, String::as_str);
        Field { name, label, hint, value, optional: false }
    };
    let roles = [
        ("operator", "operator: looks, and files in their own name"),
        ("viewer", "viewer: looks"),
        ("auditor", "auditor: looks, and takes proofs"),
    ];
    Markup::all([
        text_field(field(
            "who",
            "Who",
            "A pseudonym such as person-olga; it stays in the ledger for ever.",
            "",
        )),
        choice_field(field("role", "Role", "None of them approves anything.", "operator"), &roles),
        text_field(field("expires", "For how long", "Such as 30d; at most 366d.", "30d")),
    ])
}

fn backups(home: &Path) -> Markup {
    let home = home.display();
    let rows = vec![
        vec![
            Markup::text("The desk's keys"),
            outside(&format!("{home}/keys")),
            Markup::text(
                "A copy in a safe. They sign checkpoints and can move nothing; without them the desk cannot go on.",
            ),
        ],
        vec![
            Markup::text("The charter and verify.json"),
            outside(&format!("{home}/charter.json, {home}/verify.json")),
            Markup::text("A copy with everybody. Receipts are verified against them."),
        ],
        vec![
            Markup::text("Each share, once there is a wallet"),
            Markup::text("quorate-cosigner backup make, then backup verify"),
            Markup::text(
                "On each cosigner's machine. A wallet stays closed until each share has a backup that was proven by a drill.",
            ),
        ],
        vec![
            Markup::text("The ledger"),
            Markup::text("quorate ledger export"),
            Markup::text(
                "Cosigners and approvers hold copies; an export beside them survives all of you.",
            ),
        ],
    ];
    table("Backups", &["What", "Where or how", "Why"], rows)
}

async fn admit(visit: Visit, Form(typed): Form<Typed>) -> Answered {
    let home = visit.founder.kept(|kept| kept.home().to_owned());
    match ask_for(&home, visit.founder.person.as_str(), &typed).await {
        Ok(()) => Visit::go("/next"),
        Err(trouble) => show(&visit, &typed, Some(&trouble)).await,
    }
}

/// Files the case as `quorate member new` would.
async fn ask_for(home: &Path, person: &str, typed: &Typed) -> Tried<()> {
    let who = said(typed, "who");
    let holder = member::holder(who, said(typed, "role"))?;
    let name = format!("{who}-{}", hex::encode(Random::start()?.bytes::<4>()?));
    let tokens = home.join("tokens");
    quorate_host::secret_file::make_dir(&tokens)?;
    let asked = NewCredential {
        expires: said(typed, "expires").to_owned(),
        token_file: Some(tokens.join(&name)),
        subject: None,
        credential: Some(name),
        filing: Filing {
            at: At { dir: home.to_owned() },
            person: person.to_owned(),
            key: None,
            wait: false,
            timeout: "1h".to_owned(),
        },
    };
    asked.issue(&Ui::new(true, true), who, holder).await.map(drop)
}

async fn finish(visit: Visit) -> Answered {
    let home = visit.founder.kept(|kept| kept.home().to_owned());
    visit.founder.kept(|kept: &mut Kept| kept.finish())?;
    visit.founder.close();
    let place = console(&home).as_deref().map_or_else(closed, elsewhere);
    Ok(Html(paper::closed(Some(place))).into_response())
}

fn console(home: &Path) -> Option<String> {
    let config = quorate_host::config::Config::<DeskConfig>::load(&home.join("desk.toml")).ok()?;
    Some(console_url(&config.value.console?))
}

async fn charter(visit: Visit) -> Answered {
    let path: PathBuf = visit.founder.kept(|kept| kept.home().join("charter.json"));
    let bytes = std::fs::read(&path).map_err(|e| Fault::at(&path, &e))?;
    let name = "attachment; filename=\"charter.json\"";
    let head = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_DISPOSITION, name)];
    Ok((head, bytes).into_response())
}

/// Says that something has changed, for as long as the page is open and its session is not over.
async fn events(visit: Visit) -> Response {
    let (home, of) = (visit.founder.kept(|kept| kept.home().to_owned()), visit.session);
    let changes = stream::unfold((home, None), move |(home, seen)| {
        let (founder, session) = (Arc::clone(&visit.founder), visit.session);
        async move { change(&founder, &session, home, seen).await }
    });
    STREAMS.follow(of, changes)
}

/// The next thing to say, and what was seen then; none when the session is over.
async fn change(
    founder: &Founder,
    session: &Digest,
    home: PathBuf,
    seen: Option<Digest>,
) -> Option<(Result<Event, Infallible>, (PathBuf, Option<Digest>))> {
    loop {
        let now = seen_now(&home).await;
        if !founder.is_live(session) {
            return None;
        }
        let event = match seen {
            None => Event::default().comment("here"),
            Some(seen) if seen != now => Event::default().event("changed").data("desk"),
            Some(_) => {
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        return Some((Ok(event), (home, Some(now))));
    }
}

/// What the page would show of the desk, as one digest.
async fn seen_now(home: &Path) -> Digest {
    let text = match ask(home).await {
        Err(_) => "starting".to_owned(),
        Ok(Desks { status, waiting }) => {
            let cosigners: Vec<_> =
                status.cosigners.iter().map(|one| (&one.cosigner, one.up, &one.trouble)).collect();
            let cases: Vec<_> = waiting
                .iter()
                .map(|case| (case.case, state_word(&case.state), &case.tallies))
                .collect();
            let people: Vec<_> =
                status.credentials.iter().map(|one| (&one.credential, one.revoked)).collect();
            format!("{} {cosigners:?} {cases:?} {people:?}", status.size)
        }
    };
    Digest::of(tag::TOKEN, text.as_bytes())
}
