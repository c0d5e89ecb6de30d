//! The control socket: the operator's command line and the stdio door speak to the running desk here. Only processes of the
//! desk's own user get through; what they file takes the same path as everything else.

mod bridge;
mod status;
mod view;

use std::path::Path;
use std::sync::Arc;

use quorate_custody::{Event, Refusal};
use quorate_host::fault::Fault;
use quorate_host::link::{BoxFuture, Handler, Limits, Refused, Request, Sink};
use quorate_host::unix::Control;
use quorate_terms::entry::{AlertAcknowledged, AlertClosed, Body};
use quorate_terms::intent::{Action, Intent, Requester};
use quorate_terms::{CaseId, Digest, IdempotencyKey, PersonId};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use bridge::Remote;

use super::answers::Answers;
use super::book_door::{read, refusal};
use super::effects::World;
use super::engine::Trouble;
use super::{erasing, receipts};
use crate::control::{
    AlertRequest, AlertView, BookAnswer, BookRequest, CaseRequest, CaseView, CasesRequest,
    EraseRequest, FileRequest, ReceiptAnswer, Reply,
};

/// The most cases that one question is answered with.
const CASES_MAX: u32 = 1000;
/// The most openings that come with one intent.
const OPENINGS_MAX: usize = 16;

/// The door.
pub(crate) struct ControlDoor {
    answers: Arc<Answers>,
    world: Arc<World>,
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
        Control::bind(path, Arc::new(Self { answers, world }), Limits::default())
    }

    async fn file(&self, ask: FileRequest) -> Reply<CaseView> {
        let openings = openings(&ask)?;
        let vault = self.world.engine.look(|book| book.vault().clone()).await.map_err(refusal)?;
        let requester = Requester::Person { person: ask.person };
        let intent = Intent { v: 1, vault, requester, key: ask.key, action: ask.action };
        let (facts, screening, snapshot) = match &intent.action {
            Action::Transfer(transfer) => {
                let (facts, screening) = self.world.facts.for_transfer(transfer).await;
                (facts, screening, self.world.snapshot(transfer).await.map_err(refusal)?)
            }
            _ => (Vec::new(), quorate_terms::fact::CounterpartyCheck::NotPerformed, None),
        };
        let case = intent.case()?;
        let event = Event::Filed {
            intent: Box::new(intent),
            facts,
            screening,
            snapshot: snapshot.map(Box::new),
        };
        self.world.engine.tell_with(event, openings).await.map_err(refusal)?;
        self.case(case).await
    }

    async fn case(&self, case: CaseId) -> Reply<CaseView> {
        view::of(&self.world.engine, case).await.map_err(refusal)?.ok_or_else(|| {
            Refusal::new(
                "unknown_case",
                "there is no such case",
                "look at `quorate case list --all`",
            )
        })
    }

    async fn cases(&self, ask: CasesRequest) -> Reply<Vec<CaseView>> {
        let found = self.world.engine.look(move |book| {
            let mut known: Vec<_> =
                book.open_cases().map(|case| (case.filed_at, case.id)).collect();
            if ask.all {
                known.extend(book.closed_cases().map(|(id, case)| (case.filed_at, *id)));
            }
            known.sort();
            known
        });
        let known = found.await.map_err(refusal)?;
        let most = usize::try_from(ask.limit.min(CASES_MAX)).unwrap_or(0);
        let skip = known.len().saturating_sub(most);
        let mut views = Vec::new();
        for (_, id) in known.into_iter().skip(skip) {
            views.extend(view::of(&self.world.engine, id).await.map_err(refusal)?);
        }
        Ok(views)
    }

    async fn receipt(&self, case: CaseId) -> Reply<ReceiptAnswer> {
        let made = receipts::make(&self.world.engine, &self.world.cosigners, case)
            .await
            .map_err(refusal)?;
        let bytes = made.to_bytes()?;
        let witnesses = self.world.cosigners.newest().await.map_or(0, |newest| newest.witnesses);
        Ok(ReceiptAnswer { receipt: String::from_utf8_lossy(&bytes).into_owned(), witnesses })
    }

    async fn replace(&self, case: CaseId) -> Reply<CaseView> {
        self.world.replace(case).await.map_err(refusal)?;
        self.case(case).await
    }

    /// A person takes an alert, or ends it.
    async fn alert(&self, ask: AlertRequest) -> Reply<Vec<AlertView>> {
        let AlertRequest { alert, person, disposition } = ask;
        let body = match disposition {
            None => Body::AlertAcknowledged(AlertAcknowledged { alert, person }),
            Some(disposition) => {
                IdempotencyKey::new(disposition.as_str())?;
                Body::AlertClosed(AlertClosed { alert, person, disposition })
            }
        };
        self.world.engine.tell(Event::Noted(Box::new(body))).await.map_err(refusal)?;
        status::of(&self.world).await.map(|status| status.alerts).map_err(refusal)
    }

    /// The subject stays for ever, so it has the form of a pseudonym.
    async fn erase(&self, ask: EraseRequest) -> Reply<Vec<Digest>> {
        ask.subject.parse::<PersonId>()?;
        erasing::erase(&self.world.engine, ask).await.map_err(refusal)
    }

    async fn book(&self, ask: BookRequest) -> Reply<BookAnswer> {
        let (entries, checkpoint) =
            read(&self.world.engine, &self.world.cosigners, ask.from, ask.limit).await.map_err(
                |refused| Refusal::new(&refused.code, refused.message, "run `quorate doctor`"),
            )?;
        Ok(BookAnswer { entries, checkpoint: Some(checkpoint).filter(|note| !note.is_empty()) })
    }

    async fn answer(&self, request: Request) -> Result<Vec<u8>, Refused> {
        let body = request.body.as_slice();
        match request.method.as_str() {
            "desk.file" => say(&self.file(parse(body)?).await),
            "desk.case" => say(&self.case(parse::<CaseRequest>(body)?.case).await),
            "desk.cases" => say(&self.cases(parse(body)?).await),
            "desk.receipt" => say(&self.receipt(parse::<CaseRequest>(body)?.case).await),
            "desk.replace" => say(&self.replace(parse::<CaseRequest>(body)?.case).await),
            "desk.erase" => say(&self.erase(parse(body)?).await),
            "desk.alert" => say(&self.alert(parse(body)?).await),
            "desk.status" => say(&status::of(&self.world).await.map_err(refusal)),
            "desk.book" => say(&self.book(parse(body)?).await),
            bridge::AUTHENTICATE => {
                say(&bridge::authenticate(&self.answers, parse::<Digest>(body)?).await)
            }
            bridge::ALARM => say(&bridge::alarm(&self.answers, parse(body)?).await),
            _ => Err(Refused::new(
                "unknown_method",
                "this desk does not do that; compare the versions",
            )),
        }
    }
}

/// The openings of an intent, keyed by the commitments that they open: nothing else is kept.
fn openings(ask: &FileRequest) -> Reply<Vec<(Digest, String)>> {
    if ask.openings.len() > OPENINGS_MAX {
        return Err(Refusal::new(
            "too_many_openings",
            "too many openings came with one intent",
            "send fewer",
        ));
    }
    let mut kept = Vec::new();
    for opening in &ask.openings {
        let text = serde_json::to_string(opening)
            .map_err(|e| Refusal::new("malformed", e.to_string(), "report this"))?;
        kept.push((opening.commitment()?.digest(), text));
    }
    Ok(kept)
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

/// A refusal of the engine, for modules of this door.
type Told<T> = Result<T, Trouble>;
