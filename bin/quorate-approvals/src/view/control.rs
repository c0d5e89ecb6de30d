//! The view's own machine: whoever runs the view lists its sessions and ends them, over a socket that only that user reaches. At
//! its pages everybody ends their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quorate_host::Fault;
use quorate_host::link::{BoxFuture, Handler, Limits, Refused, Request, Silent};
use quorate_host::ui::Table;
use quorate_host::unix::{self, Control};
use quorate_terms::{ApproverId, CredentialId, Digest, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::desk::now;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::words;

use super::office::{Office, present};
use super::sessions::Session;

/// Asks who is signed in.
const SESSIONS: &str = "view.sessions";
/// Ends sessions.
const END: &str = "view.end_sessions";
/// How long the view may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first digits of a session that name it.
const DIGITS_MIN: usize = 8;

/// One session, as it is told on the view's own machine.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    session: Digest,
    approver: ApproverId,
    passkey: CredentialId,
    since: Timestamp,
    seen: Timestamp,
}

impl From<Session> for Open {
    fn from(session: Session) -> Self {
        Self {
            session: session.name,
            approver: session.who.approver,
            passkey: session.who.credential,
            since: session.begun,
            seen: session.seen,
        }
    }
}

/// Which sessions are to end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    All,
    One(Digest),
}

/// The view's side of the socket.
struct Door(Arc<Office>);

/// Listens in the view's folder.
///
/// # Errors
/// [`Fault`] where no socket can be, such as in a folder with too long a name.
pub(super) fn open(office: &Arc<Office>, dir: &Path) -> Result<Control, Fault> {
    Control::bind(&socket(dir), Arc::new(Door(Arc::clone(office))), Limits::default())
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("run").join("view.sock")
}

impl Door {
    fn answer(&self, request: &Request) -> Result<Vec<u8>, Refused> {
        match request.method.as_str() {
            SESSIONS => say(self.0.people(|people| people.live(present()))),
            END => say(self.end(&read(&request.body)?)),
            _ => {
                let message = "this view does not do that; compare the versions";
                Err(Refused::new("unknown_method", message))
            }
        }
    }

    /// Ends sessions, and with each what it was asked.
    fn end(&self, which: &Which) -> Vec<Session> {
        let ended = self.0.people(|people| {
            let mut ended = people.live(present());
            if let Which::One(name) = which {
                ended.retain(|session| session.name == *name);
            }
            for session in &ended {
                people.end(&session.name);
            }
            ended
        });
        for session in &ended {
            let who = &session.who.approver;
            tracing::info!(approver = %who, "a session was ended on the view's own machine");
        }
        ended
    }
}

impl Handler for Door {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async move { self.answer(&request) })
    }
}

fn read(body: &[u8]) -> Result<Which, Refused> {
    serde_json::from_slice(body).map_err(|e| {
        Refused::new("malformed", format!("cannot be read ({e}); compare the versions"))
    })
}

fn say(sessions: Vec<Session>) -> Result<Vec<u8>, Refused> {
    let open: Vec<Open> = sessions.into_iter().map(Open::from).collect();
    serde_json::to_vec(&open).map_err(|e| Refused::new("bug", e.to_string()))
}

/// Who is signed in at the view that serves from this folder.
pub(crate) async fn sessions(dir: &Path) -> Done<Screen> {
    Ok(told("sessions", &listed(dir).await?))
}

/// Ends the session that begins with these digits, or every one.
pub(crate) async fn end_sessions(dir: &Path, digits: Option<&str>) -> Done<Screen> {
    let which = match digits {
        Some(digits) => Which::One(named(&listed(dir).await?, digits)?),
        None => Which::All,
    };
    let ended: Vec<Open> = ask(dir, END, &which).await?;
    if ended.is_empty() && matches!(which, Which::One(_)) {
        return Err(unknown("this session has ended by itself"));
    }
    Ok(told("ended sessions", &ended))
}

async fn listed(dir: &Path) -> Done<Vec<Open>> {
    ask(dir, SESSIONS, &()).await
}

async fn ask<T: DeserializeOwned>(dir: &Path, method: &str, body: &impl Serialize) -> Done<T> {
    let bad = |e: serde_json::Error| {
        let message = format!("the view's answer cannot be read ({e})");
        Trouble::fault("bad_answer", message, "compare the versions of both programs")
    };
    let path = socket(dir);
    let link = unix::connect(&path, Arc::new(Silent), Limits::default()).await;
    let link = link.map_err(|fault| {
        let message = format!("no view serves from here ({}: {})", fault.what(), fault.why());
        let next = "give the --dir of a running `quorate-approvals view serve`; whoever stops it ends every session";
        Trouble::fault("not_serving", message, next)
    })?;
    let body = serde_json::to_vec(body).map_err(bad)?;
    let answer = link.call(method, body, PATIENCE).await?;
    serde_json::from_slice(&answer).map_err(bad)
}

fn named(open: &[Open], digits: &str) -> Done<Digest> {
    if digits.len() < DIGITS_MIN {
        return Err(unknown("a session is named by 8 or more of its first digits"));
    }
    let mut fits = open.iter().filter(|one| one.session.to_string().starts_with(digits));
    match (fits.next(), fits.next()) {
        (Some(one), None) => Ok(one.session),
        (Some(_), Some(_)) => Err(unknown("more than one session begins like this")),
        (None, _) => Err(unknown("no session begins like this")),
    }
}

fn unknown(message: &str) -> Trouble {
    Trouble::refused("unknown_session", message, "run `quorate-approvals view sessions`")
}

fn told(title: &str, sessions: &[Open]) -> Screen {
    let mut screen = Screen::new(format!("{title}: {}", sessions.len()));
    let mut table = Table::new(&["SESSION", "APPROVER", "PASSKEY", "SIGNED IN", "LAST SEEN"]);
    let here = now();
    let ago = |at: Timestamp| format!("{} ago", words::span(here.since(at)));
    for one in sessions {
        let name: String = one.session.to_string().chars().take(16).collect();
        let (approver, passkey) = (one.approver.to_string(), one.passkey.to_string());
        table.row([name, approver, passkey, ago(one.since), ago(one.seen)]);
    }
    if !sessions.is_empty() {
        screen.below(table);
    }
    screen.json = json!({ "sessions": sessions });
    screen
}
