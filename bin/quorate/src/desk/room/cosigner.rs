//! A cosigner that follows the book as a real one, and signs with the plain key unless its script says otherwise.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ed25519_dalek::Signer as _;
use quorate_custody::protocol::{Answer, Ask, Call, Came, Outbox};
use quorate_custody::{Book, Follower};
use quorate_host::clock::Clock as _;
use quorate_host::link::{BoxFuture, Handler, Limits, Pins, Refused, Request, Server};
use quorate_ledger::Frontier;
use quorate_terms::charter::CharterText;
use quorate_terms::{Digest, Signature};
use tokio::sync::watch;

use super::super::engine::house::*;
use super::Hand;

/// What a cosigner says besides what it would say.
#[derive(Default)]
pub(in crate::desk) struct Script {
    /// How often it was only told the news.
    pub(in crate::desk) followed: watch::Sender<u64>,
    /// Answers to the next requests to sign, instead of a signature.
    pub(in crate::desk) came: Mutex<Vec<Came>>,
    /// What it has to tell of its own accord.
    pub(in crate::desk) outbox: Mutex<Outbox>,
    /// Entries that it claims to have beyond those that it has.
    pub(in crate::desk) beyond: AtomicU64,
    /// Milliseconds that its clock is ahead.
    pub(in crate::desk) ahead_ms: AtomicU64,
}

struct Cosigner {
    name: String,
    follower: Mutex<Follower>,
    clock: Arc<Hand>,
    script: Arc<Script>,
}

pub(super) async fn start(
    name: &str,
    charter: &CharterText,
    clock: Arc<Hand>,
) -> (Server, Arc<Script>) {
    let follower = Follower::new(Book::new(charter.clone()).unwrap(), Frontier::default());
    let script = Arc::new(Script::default());
    let cosigner = Cosigner {
        name: name.to_owned(),
        follower: Mutex::new(follower),
        clock,
        script: Arc::clone(&script),
    };
    let pins = Pins::new([charter.log.identity]);
    let own = super::identity(name);
    let handler = Arc::new(cosigner);
    let server = Server::bind("127.0.0.1:0", &own, pins, handler, Limits::default()).await;
    (server.unwrap(), script)
}

impl Cosigner {
    fn answer(&self, call: &Call) -> Answer {
        let mut follower = self.follower.lock().unwrap();
        let entries: Vec<Vec<u8>> =
            call.told.entries.iter().map(|text| text.clone().into_bytes()).collect();
        let told = &call.told;
        let covered = follower.covers(told.from, entries, &told.checkpoint).ok();
        let head = covered.map(|covered| {
            for news in covered.news {
                assert!(follower.take(&news).unwrap().voids.is_empty(), "nothing is void");
            }
            covered.head
        });
        let now = self.clock.now();
        let cosignature = head.as_ref().and_then(|head| {
            let key = secret(&format!("{}-witness", self.name));
            let sign = |bytes: &[u8]| Signature::from_bytes(key.sign(bytes).to_bytes());
            head.cosign(follower.book().charter(), &id(&self.name), now, sign).ok()
        });
        let came = match &call.ask {
            _ if head.is_none() => Came::Behind,
            Ask::Sign { case, .. } => self.sign(&follower, case),
            Ask::Generate { .. } => Came::KeyMade {
                library: "test".to_owned(),
                statement: Box::new(statement(&self.name, "ops")),
            },
            Ask::Follow => {
                self.script.followed.send_modify(|count| *count += 1);
                Came::Followed
            }
        };
        let ahead = self.script.ahead_ms.load(Ordering::Relaxed);
        Answer {
            cosigner: id(&self.name),
            size: follower.size() + self.script.beyond.load(Ordering::Relaxed),
            cosignature,
            clock: quorate_terms::Timestamp::from_millis(now.as_millis() + ahead),
            voids: Vec::new(),
            outbox: self.script.outbox.lock().unwrap().clone(),
            came,
        }
    }

    fn sign(&self, follower: &Follower, case: &quorate_terms::CaseId) -> Came {
        if let Some(came) = self.script.came.lock().unwrap().pop() {
            return came;
        }
        let Some(live) = follower.book().case(case).and_then(|case| case.live_draft()) else {
            return Came::Followed;
        };
        let bytes = hex::decode(&live.bytes).unwrap();
        let draft = quorate_chains::read_back(&live.chain, &bytes).unwrap();
        let (rs, recovery) = wallet_signs(draft.meaning().sighash);
        let session = Digest::ZERO;
        let checkpoint_size = follower.size();
        Came::Signed { session, rs: hex::encode(rs), recovery, checkpoint_size }
    }
}

impl Handler for Cosigner {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        let answer = match request.method.as_str() {
            "cosigner.call" => {
                let call: Call = serde_json::from_slice(&request.body).unwrap();
                serde_json::to_vec(&self.answer(&call)).unwrap()
            }
            _ => Vec::new(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// A failed run.
pub(super) fn aborted(number: u8) -> Came {
    Came::Aborted {
        run: Digest::of("quorate/test/v1", &[number]),
        phase: "sign".to_owned(),
        cause: "a message was lost".to_owned(),
        culprits: BTreeSet::new(),
    }
}
