//! The door through which approvers' tools follow the book and bring what they signed. It can carry an approval; it can make
//! none. Readers follow too, and bring nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quorate_custody::protocol::book::{
    OPENINGS, OPENINGS_MAX, OpeningsAnswer, OpeningsRequest, READ, READ_MAX, ReadAnswer,
    ReadRequest, SUBMIT, Submit, SubmitAnswer,
};
use quorate_custody::{Book, Event, Refusal};
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::link::{BoxFuture, Handler, Limits, Pins, Refused, Request, Server};
use quorate_terms::freeze::Resume;
use quorate_terms::quorum::Tally;
use quorate_terms::{ApproverId, PublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::cosigners::Cosigners;
use super::engine::{Engine, Trouble};

/// Agreements to resume, by the void entry that they are about, until the quorum is met.
type Resumes = BTreeMap<u64, BTreeMap<ApproverId, Resume>>;

/// The door.
pub struct BookDoor {
    engine: Engine,
    cosigners: Arc<Cosigners>,
    resumes: Mutex<Resumes>,
    /// The link keys of those whom the charter in force seats. Every other key that is let in only reads.
    seats: Pins,
}

impl BookDoor {
    /// Listens for the approvers and views that the charter in force seats, and for readers. Whoever a later charter seats is let
    /// in from its first moment, and whoever it unseats is let go.
    ///
    /// # Errors
    /// [`Fault`] when the address cannot be bound.
    pub async fn open(
        address: &str,
        identity: &Identity,
        readers: impl IntoIterator<Item = PublicKey>,
        engine: Engine,
        cosigners: Arc<Cosigners>,
    ) -> Result<Server, Fault> {
        let readers: BTreeSet<PublicKey> = readers.into_iter().collect();
        let stopped = |e: Trouble| Fault::new("book", e.to_string(), "start the desk again");
        let (size, seated) = engine.look(seated).await.map_err(stopped)?;
        let pins = Pins::new(seated.iter().chain(&readers).copied());
        let seats = Pins::new(seated);
        let (book, both) = (engine.clone(), (seats.clone(), pins.clone()));
        let door = Arc::new(Self { engine, cosigners, resumes: Mutex::default(), seats });
        let server = Server::bind(address, identity, pins, door, Limits::default()).await?;
        tokio::spawn(keep_up(book, size, both, readers));
        Ok(server)
    }

    /// Whether this caller may do more than read.
    fn is_seated(&self, request: &Request) -> bool {
        request.peer.key().is_some_and(|key| self.seats.contains(&key))
    }

    async fn read(&self, ask: ReadRequest) -> Result<ReadAnswer, Refused> {
        let (entries, checkpoint) =
            read(&self.engine, &self.cosigners, ask.from, ask.limit).await?;
        let witnessed = self.cosigners.newest().await.map(|witnessed| witnessed.note.to_string());
        let witnessed = witnessed.filter(|note| *note != checkpoint);
        Ok(ReadAnswer { entries, checkpoint, witnessed, clock: self.engine.clock().now() })
    }

    async fn openings(&self, ask: OpeningsRequest) -> Result<OpeningsAnswer, Refused> {
        let mut openings = Vec::new();
        for commitment in ask.commitments.iter().take(OPENINGS_MAX) {
            let found = self.engine.store().opening(&commitment.digest()).await;
            let text = found.map_err(|e| Refused::new("unreadable", e.to_string()))?;
            openings.extend(text.and_then(|text| serde_json::from_str(&text).ok()));
        }
        Ok(OpeningsAnswer { openings })
    }

    async fn submit(&self, submit: Submit) -> SubmitAnswer {
        let outcome = match submit {
            Submit::Approval(approval) => {
                let case = quorate_terms::CaseId::of_intent(approval.body.intent);
                match self.engine.tell(Event::ApprovalCame(approval)).await {
                    Ok(_) => Ok(self.taken(case).await),
                    Err(trouble) => Err(trouble),
                }
            }
            Submit::Freeze(freeze) => {
                let taken = SubmitAnswer::Taken { case: None, state: None, tallies: Vec::new() };
                self.engine.tell(Event::FreezeCame(freeze)).await.map(|_| taken)
            }
            Submit::Ending(ending) => {
                let taken = SubmitAnswer::Taken { case: None, state: None, tallies: Vec::new() };
                self.engine.tell(Event::EndingCame(ending)).await.map(|_| taken)
            }
            Submit::Resume(resume) => self.resume(*resume).await,
        };
        outcome.unwrap_or_else(|trouble| SubmitAnswer::Refused { refusal: refusal(trouble) })
    }

    async fn taken(&self, case: quorate_terms::CaseId) -> SubmitAnswer {
        let now = self.engine.clock().now();
        let looked = self.engine.look(move |book| {
            let found =
                book.case(&case).map(|c| (c.state, c.tallies(book.charter(), book.policy(), now)));
            found.or_else(|| {
                let closed = book.closed(&case)?;
                Some((quorate_custody::State::Closed(closed.outcome), Vec::new()))
            })
        });
        let (state, tallies) =
            looked.await.ok().flatten().map_or((None, Vec::new()), |(s, t)| (Some(s), t));
        SubmitAnswer::Taken { case: Some(case), state, tallies }
    }

    /// Gathers agreements until the charter's quorum is met, then records them all in one entry.
    async fn resume(&self, resume: Resume) -> Result<SubmitAnswer, Trouble> {
        let voided = resume.body.index;
        let mut all = self.resumes.lock().await;
        let gathered = all.entry(voided).or_default();
        gathered.insert(resume.body.approver.clone(), resume);
        let resumes: Vec<Resume> = gathered.values().cloned().collect();
        let counted = gathered.keys().cloned().collect();
        match self.engine.tell(Event::ResumesCame { voided, resumes }).await {
            Ok(_) => {
                all.remove(&voided);
                Ok(SubmitAnswer::Taken { case: None, state: None, tallies: Vec::new() })
            }
            Err(Trouble::Refused(refusal)) if refusal.code == "quorum_not_met" => {
                let governance = self.engine.look(|book| book.charter().governance.clone()).await?;
                let tally =
                    Tally { quorum: governance.name, need: governance.m, counted, parties: None };
                Ok(SubmitAnswer::Taken { case: None, state: None, tallies: vec![tally] })
            }
            Err(trouble) => {
                all.remove(&voided);
                Err(trouble)
            }
        }
    }
}

/// Entries from `from`, and the newest checkpoint that covers them, with the cosignatures that it has.
pub(super) async fn read(
    engine: &Engine,
    cosigners: &Cosigners,
    from: u64,
    limit: u64,
) -> Result<(Vec<String>, String), Refused> {
    let head = engine.head();
    let limit = limit.min(READ_MAX).min(head.size.saturating_sub(from));
    let bytes = engine
        .store()
        .read(from, limit)
        .await
        .map_err(|e| Refused::new("unreadable", e.to_string()))?;
    let entries = bytes.into_iter().map(|b| String::from_utf8_lossy(&b).into_owned()).collect();
    let newest = cosigners.newest().await.filter(|witnessed| witnessed.size == head.size);
    let checkpoint =
        newest.map_or_else(|| head.note.clone(), |witnessed| witnessed.note.to_string());
    Ok((entries, checkpoint))
}

/// What a caller is told when the engine did not do it.
pub(super) fn refusal(trouble: Trouble) -> Refusal {
    match trouble {
        Trouble::Refused(refusal) => refusal,
        other => Refusal::new("not_now", other.to_string(), "try again in a moment"),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|e| Refused::new("malformed", format!("cannot be read ({e})")))
}

fn say<T: Serialize>(answer: &T) -> Result<Vec<u8>, Refused> {
    serde_json::to_vec(answer).map_err(|e| Refused::new("bug", e.to_string()))
}

/// The size of the book, and the link keys that its charter seats, with those of whoever stands in for a seat.
fn seated(book: &Book) -> (u64, BTreeSet<PublicKey>) {
    let charter = book.charter();
    let approvers = charter.approvers.iter().map(|seat| seat.link);
    let seats = approvers.chain(charter.views.iter().map(|view| view.link));
    (book.size(), seats.chain(book.stand_in_links()).collect())
}

/// Lets in whom the charter in force seats, as long as the desk runs.
pub(super) async fn keep_up(
    engine: Engine,
    mut size: u64,
    (seats, pins): (Pins, Pins),
    readers: BTreeSet<PublicKey>,
) {
    while engine.beyond(size).await.is_ok() {
        let Ok((now, seated)) = engine.look(seated).await else { return };
        size = now;
        pins.set(seated.iter().chain(&readers).copied());
        seats.set(seated);
    }
}

impl Handler for BookDoor {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            match request.method.as_str() {
                READ => say(&self.read(parse(&request.body)?).await?),
                SUBMIT | OPENINGS if !self.is_seated(&request) => Err(Refused::new(
                    "read_only",
                    "a reader may follow the book and nothing else; an approver's tool does this",
                )),
                SUBMIT => say(&self.submit(parse(&request.body)?).await),
                OPENINGS => say(&self.openings(parse(&request.body)?).await?),
                _ => Err(Refused::new(
                    "unknown_method",
                    "this door does not do that; compare the versions",
                )),
            }
        })
    }
}
