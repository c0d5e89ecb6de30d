//! The control socket: the operator's command line and the stdio door speak to the running desk here. Only processes of the
//! desk's own user get through; what they file takes the same path as everything else.

mod bridge;

use std::path::Path;
use std::sync::Arc;

use quorate_gateway::office::{CaseRequest, ChecklistView, Office as _, Reply};
use quorate_gateway::proposal::Whom;
use quorate_host::fault::Fault;
use quorate_host::link::{BoxFuture, Handler, Limits, Refused, Request, Sink};
use quorate_host::unix::Control;
use quorate_terms::policy::PolicyDocument;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use bridge::Remote;

use super::answers::Answers;
use super::effects::World;
use super::office;
use crate::shown::{ChecklistSaid, Shown};

/// The door.
pub(crate) struct ControlDoor {
    answers: Arc<Answers>,
    office: office::Here,
}

impl ControlDoor {
    /// Listens at `path`.
    ///
    /// # Errors
    /// [`Fault`] when another desk listens there, or the folder is open to others.
    pub(crate) fn open(
        path: &Path,
        answers: Arc<Answers>,
        world: Arc<World>,
    ) -> Result<Control, Fault> {
        Control::bind(
            path,
            Arc::new(Self { answers, office: office::Here(world) }),
            Limits::default(),
        )
    }

    async fn deal(&self, said: ChecklistSaid) -> Reply<ChecklistView> {
        self.office.checklist(self.office.of_token(said).await?).await
    }

    async fn answer(&self, request: Request) -> Result<Vec<u8>, Refused> {
        let body = request.body.as_slice();
        match request.method.as_str() {
            "desk.file" => say(&self.office.file(parse(body)?).await),
            "desk.case" => say(&self.office.case(parse::<CaseRequest>(body)?.case).await),
            "desk.cases" => say(&self.office.cases(parse(body)?).await),
            "desk.receipt" => say(&self.office.receipt(parse::<CaseRequest>(body)?.case).await),
            "desk.replace" => say(&self.office.replace(parse::<CaseRequest>(body)?.case).await),
            "desk.erase" => say(&self.office.erase(parse(body)?).await),
            "desk.alert" => say(&self.office.alert(parse(body)?).await),
            "desk.checklists" => say(&self.office.checklists().await),
            "desk.checklist" => say(&self.deal(parse(body)?).await),
            "desk.delegations" => say(&self.office.delegations().await),
            "desk.replay" => say(&self.office.replay(parse(body)?, Whom::Typed).await),
            "desk.names" => say(&self.office.names_in(&parse::<Vec<PolicyDocument>>(body)?).await),
            "desk.status" => say(&self.office.status().await),
            "desk.proof" => say(&self.office.proof(parse(body)?).await),
            "desk.book" => say(&self.office.book(parse(body)?).await),
            bridge::AUTHENTICATE => {
                say(&bridge::authenticate(&self.answers, &parse::<Shown>(body)?).await)
            }
            bridge::ALARM => say(&bridge::alarm(&self.answers, parse(body)?).await),
            _ => Err(Refused::new(
                "unknown_method",
                "this desk does not do that; compare the versions",
            )),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|e| {
        Refused::new("malformed", format!("cannot be read ({e}); compare the versions"))
    })
}

fn say<T: Serialize>(answer: &T) -> Result<Vec<u8>, Refused> {
    serde_json::to_vec(answer).map_err(|e| Refused::new("bug", e.to_string()))
}

impl Handler for ControlDoor {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(self.answer(request))
    }

    fn stream(&self, request: Request, sink: Sink) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(async move {
            match request.method.as_str() {
                bridge::ASK => bridge::ask(&self.answers, request, sink).await,
                _ => Err(Refused::new(
                    "unknown_method",
                    "this desk does not do that; compare the versions",
                )),
            }
        })
    }
}
