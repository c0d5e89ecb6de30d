//! The bridge of the stdio door: its process asks the desk over this socket, as one more maker of `gateway::Desk`.

use async_trait::async_trait;
use quorate_gateway::answer::Answer;
use quorate_gateway::desk::{Alarm, Caller, Desk, Progress, Step};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::question::Question;
use quorate_host::link::{Link, Refused, Request, Sink};
use quorate_terms::Digest;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::desk::answers::Answers;
use crate::shown::Shown;

/// Recognises a credential: a token, answered by a caller or nothing.
pub(in crate::desk) const AUTHENTICATE: &str = "mcp.authenticate";
/// Asks a question: a stream of steps, and last the answer.
pub(in crate::desk) const ASK: &str = "mcp.ask";
/// Brings an alarm.
pub(in crate::desk) const ALARM: &str = "mcp.alarm";

/// How long the desk may take to recognise a credential or to take an alarm.
const PATIENCE: Duration = Duration::from_secs(10);
/// Steps that wait to be told.
const STEPS: usize = 16;

/// A question, with the credential that asks: the desk recognises it again, whatever the door said before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    token: Shown,
    question: Question,
}

/// As [`Asked`], by the door.
#[derive(Serialize)]
struct Asking<'a> {
    token: &'a Shown,
    question: Question,
}

/// One piece of the stream.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Step(Step),
    Answer(Box<Answer>),
    Complaint(Complaint),
}

pub(super) async fn authenticate(answers: &Answers, token: &Shown) -> Option<Caller> {
    answers.authenticate(token.digest()).await
}

pub(super) async fn alarm(answers: &Answers, alarm: Alarm) {
    answers.alarm(alarm).await;
}

pub(super) async fn ask(answers: &Answers, request: Request, sink: Sink) -> Result<(), Refused> {
    let asked: Asked = super::parse(&request.body)?;
    let (progress, mut steps) = Progress::channel(STEPS);
    let asking = async {
        let Some(caller) = answers.authenticate(asked.token.digest()).await else {
            let message =
                "the credential is unknown, revoked or expired; ask the operator for a new one";
            return Err(Complaint::new(Code::CredentialInvalid, message));
        };
        answers.ask(&caller, asked.question, progress).await
    };
    tokio::pin!(asking);
    let mut cancelled = request.cancelled;
    let outcome = loop {
        tokio::select! {
            Some(step) = steps.recv() => {
                if sink.send(super::say(&Part::Step(step))?).await.is_err() {
                    return Ok(());
                }
            }
            outcome = &mut asking => break outcome,
            () = cancelled.wait() => return Ok(()),
        }
    };
    let last = match outcome {
        Ok(answer) => Part::Answer(Box::new(answer)),
        Err(complaint) => Part::Complaint(complaint),
    };
    let _nobody_waits_any_more = sink.send(super::say(&last)?).await;
    Ok(())
}

/// The desk as the stdio door reaches it. It knows the one token, which goes with every question.
pub(in crate::desk) struct Remote {
    link: Link,
    token: Shown,
}

impl Remote {
    pub(in crate::desk) const fn new(link: Link, token: Shown) -> Self {
        Self { link, token }
    }
}

fn unavailable(why: impl std::fmt::Display) -> Complaint {
    tracing::warn!(%why, "the desk does not answer");
    Complaint::new(
        Code::DeskUnavailable,
        "the desk does not answer; start it with `quorate up`, then this door again",
    )
    .after(5)
}

#[async_trait]
impl Desk for Remote {
    async fn authenticate(&self, token: Digest) -> Option<Caller> {
        // The door asks for its own token and for no other.
        if token != self.token.digest() {
            return None;
        }
        let body = serde_json::to_vec(&self.token).ok()?;
        let answer = self.link.call(AUTHENTICATE, body, PATIENCE).await;
        match answer {
            Ok(bytes) => serde_json::from_slice::<Option<Caller>>(&bytes).ok()?,
            Err(error) => {
                tracing::warn!(%error, "the desk does not answer");
                None
            }
        }
    }

    async fn ask(
        &self,
        _: &Caller,
        question: Question,
        progress: Progress,
    ) -> Result<Answer, Complaint> {
        let asked = Asking { token: &self.token, question };
        let body = serde_json::to_vec(&asked).map_err(unavailable)?;
        let mut pieces = self.link.subscribe(ASK, body).await.map_err(unavailable)?;
        while let Some(piece) = pieces.next().await {
            let bytes = piece.map_err(unavailable)?;
            match serde_json::from_slice::<Part>(&bytes).map_err(unavailable)? {
                Part::Step(step) => progress.tell(step.done, step.of, &step.said),
                Part::Answer(answer) => return Ok(*answer),
                Part::Complaint(complaint) => return Err(complaint),
            }
        }
        Err(unavailable("the answer broke off"))
    }

    async fn alarm(&self, alarm: Alarm) {
        let Ok(body) = serde_json::to_vec(&alarm) else { return };
        if let Err(error) = self.link.call(ALARM, body, PATIENCE).await {
            tracing::error!(%error, "an alarm did not reach the desk");
        }
    }
}
