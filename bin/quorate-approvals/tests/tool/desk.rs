//! A desk that serves a house's book, and can be told to lie.

use std::sync::{Arc, Mutex};

use quorate_custody::Event;
use quorate_custody::protocol::book::{
    ENDING, FREEZE, OPENINGS, OpeningsAnswer, OpeningsRequest, READ, ReadAnswer, ReadRequest,
    SUBMIT, Submit, SubmitAnswer,
};
use quorate_host::Identity;
use quorate_host::link::{BoxFuture, Handler, Limits, Pins, Refused, Request, Server};
use quorate_ledger::{Checkpoint, Frontier, KeyKind, VerifierKey, cosignature, hash, policy};
use quorate_terms::PublicKey;
use quorate_terms::canonical::Term as _;
use quorate_terms::commitment::Opening;
use quorate_terms::delegation::Ending;
use quorate_terms::freeze::{Freeze, Resume};

use super::house::{COSIGNERS, House, secret};

/// What a desk holds, and how it lies.
pub(crate) struct Desk {
    pub(crate) house: House,
    /// What it gives out instead of its book, if anything.
    pub(crate) story: Option<Vec<Vec<u8>>>,
    /// Whose secret signs checkpoints.
    pub(crate) log: &'static str,
    /// Which cosigners witness, and with whose secret.
    pub(crate) witnesses: Vec<(&'static str, String)>,
    pub(crate) openings: Vec<Opening>,
    pub(crate) resumes: Vec<Resume>,
    pub(crate) frozen_at_cosigner: Vec<Freeze>,
    pub(crate) ended_at_cosigner: Vec<Ending>,
}

pub(crate) fn identity(name: &str) -> Identity {
    Identity::from_seed(&secret(name).to_bytes()).unwrap()
}

impl Desk {
    pub(crate) fn new(house: House) -> Self {
        let witnesses = COSIGNERS.map(|name| (name, format!("{name}-witness"))).to_vec();
        Self {
            house,
            story: None,
            log: "log",
            witnesses,
            openings: Vec::new(),
            resumes: Vec::new(),
            frozen_at_cosigner: Vec::new(),
            ended_at_cosigner: Vec::new(),
        }
    }

    /// Canonical bytes of every entry of the house.
    pub(crate) fn bytes(&self) -> Vec<Vec<u8>> {
        self.house.entries.iter().map(|entry| entry.to_canonical().unwrap()).collect()
    }

    /// The signed and cosigned head of whatever it gives out.
    pub(crate) fn note(&self) -> String {
        let charter = self.house.book.charter();
        let mut frontier = Frontier::new();
        let told = self.story.clone().unwrap_or_else(|| self.bytes());
        told.iter().for_each(|bytes| frontier.append(hash::leaf(bytes)));
        let origin = charter.log.origin.clone();
        let head =
            Checkpoint { origin: origin.clone(), size: frontier.size(), root: frontier.root() };
        let log = identity(self.log);
        let key = VerifierKey::new(origin.clone(), KeyKind::Log, log.public_key()).unwrap();
        let mut note = head.sign(&key, |bytes| log.sign_bytes(bytes));
        for (name, signs) in &self.witnesses {
            let seat = charter.cosigners.iter().find(|c| c.cosigner.as_str() == *name).unwrap();
            let key = policy::witness_key(&origin, seat).unwrap();
            let time_s = self.house.now.as_millis() / 1000;
            let line = cosignature::cosign(&key, time_s, &note.text, |bytes| {
                identity(signs).sign_bytes(bytes)
            });
            note.signatures.push(line);
        }
        note.to_string()
    }

    fn read(&self, asked: ReadRequest) -> ReadAnswer {
        let told = self.story.clone().unwrap_or_else(|| self.bytes());
        let from = usize::try_from(asked.from).unwrap();
        // A few at a time, so that following takes several rounds.
        let some = told.into_iter().skip(from).take(7);
        ReadAnswer {
            entries: some.map(|bytes| String::from_utf8(bytes).unwrap()).collect(),
            checkpoint: self.note(),
            witnessed: None,
            clock: now(),
        }
    }

    fn submit(&mut self, what: Submit) -> SubmitAnswer {
        self.house.now = now();
        let (case, event) = match what {
            Submit::Approval(approval) => {
                let case = quorate_terms::CaseId::of_intent(approval.body.intent);
                (Some(case), Event::ApprovalCame(approval))
            }
            Submit::Freeze(freeze) => (None, Event::FreezeCame(freeze)),
            Submit::Ending(ending) => (None, Event::EndingCame(ending)),
            Submit::Resume(resume) => {
                self.resumes.push(*resume);
                let resumes = self.resumes.clone();
                (None, Event::ResumesCame { voided: resumes[0].body.index, resumes })
            }
        };
        let tallies = |desk: &Self| {
            let book = &desk.house.book;
            let case = case.and_then(|id| book.case(&id));
            case.map(|c| c.tallies(book.charter(), book.policy(), now())).unwrap_or_default()
        };
        match self.house.event(event) {
            Ok(_) => {
                let state = case.and_then(|id| self.house.book.case(&id)).map(|case| case.state);
                SubmitAnswer::Taken { case, state, tallies: tallies(self) }
            }
            Err(refusal) => SubmitAnswer::Refused { refusal },
        }
    }

    fn open(&self, asked: &OpeningsRequest) -> OpeningsAnswer {
        let wanted = |opening: &&Opening| {
            asked.commitments.iter().any(|c| opening.commitment().is_ok_and(|o| o == *c))
        };
        OpeningsAnswer { openings: self.openings.iter().filter(wanted).cloned().collect() }
    }
}

/// The machine's time: the tool that is driven has no other.
pub(crate) fn now() -> quorate_terms::Timestamp {
    use quorate_host::Clock as _;
    quorate_host::SystemClock::new().now()
}

/// The desk, shared between a test and its link.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Desk>>);

impl Handler for Shared {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            let mut desk = self.0.lock().unwrap();
            let body = &request.body;
            let answer = match request.method.as_str() {
                READ => serde_json::to_vec(&desk.read(serde_json::from_slice(body).unwrap())),
                SUBMIT => serde_json::to_vec(&desk.submit(serde_json::from_slice(body).unwrap())),
                OPENINGS => serde_json::to_vec(&desk.open(&serde_json::from_slice(body).unwrap())),
                FREEZE => {
                    desk.frozen_at_cosigner.push(serde_json::from_slice(body).unwrap());
                    Ok(b"{}".to_vec())
                }
                ENDING => {
                    let ending: Ending = serde_json::from_slice(body).unwrap();
                    let known = desk.house.book.check_ending(&ending).map(drop);
                    known.map_err(|r| Refused::new(r.code.clone(), r.to_string()))?;
                    desk.ended_at_cosigner.push(ending);
                    Ok(b"{}".to_vec())
                }
                _ => return Err(Refused::new("unknown_method", "no")),
            };
            Ok(answer.unwrap())
        })
    }
}

/// Listens as `name` for one peer.
pub(crate) fn listen(
    runtime: &tokio::runtime::Runtime,
    (name, peer): (&str, PublicKey),
    desk: &Shared,
) -> Server {
    let (me, pins) = (identity(name), Pins::new([peer]));
    let handler = Arc::new(desk.clone());
    runtime.block_on(Server::bind("127.0.0.1:0", &me, pins, handler, Limits::default())).unwrap()
}
