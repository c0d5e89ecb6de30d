//! Links: who may speak, and of what; and one warm connection to each peer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quorate_cosigner::party::DrillCall;
use quorate_custody::Refusal;
use quorate_custody::protocol::Call;
use quorate_custody::protocol::book::ENDING;
use quorate_host::link::{BoxFuture, Client, Handler, Limits, Pins, Refused, Request, Silent};
use quorate_host::{Fault, Identity};
use quorate_terms::charter::CharterText;
use quorate_terms::delegation::Ending;
use quorate_terms::freeze::Freeze;
use quorate_terms::{CosignerId, Digest, PublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use super::{Drilled, Input};
use crate::settings::Settings;

/// How long a protocol message waits for its link. A run that loses one is given up after 30 s.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How long a peer's part of a drill may take.
const DRILL_WITHIN: Duration = Duration::from_secs(40);
/// Messages to one peer that may wait for its link.
const OUTBOX: usize = 512;

/// Frames as large as a page of the book, JSON quoting included.
pub(crate) fn limits() -> Limits {
    Limits { frame_bytes: 16 * 1024 * 1024, pending_bytes: 64 * 1024 * 1024, ..Limits::default() }
}

/// What a pinned key may do here.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Role {
    /// Call.
    Desk,
    /// Send rounds, ask for drills.
    Peer(CosignerId),
    /// Freeze and end delegations, as everybody may.
    Approver,
}

/// The keys of the charter in force, and their roles.
#[derive(Clone)]
pub(crate) struct Doors {
    roles: Arc<RwLock<BTreeMap<PublicKey, Role>>>,
    pins: Pins,
    me: CosignerId,
}

impl Doors {
    pub(crate) fn new(
        text: &CharterText,
        stand_ins: &BTreeSet<PublicKey>,
        settings: &Settings,
    ) -> Self {
        let doors =
            Self { roles: Arc::default(), pins: Pins::default(), me: settings.cosigner.clone() };
        doors.seat(text, stand_ins);
        doors
    }

    /// Seats exactly the keys of this charter, and lets those in who stand in for a seat.
    pub(crate) fn seat(&self, text: &CharterText, stand_ins: &BTreeSet<PublicKey>) {
        let mut roles = BTreeMap::from([(text.log.identity, Role::Desk)]);
        roles.extend(stand_ins.iter().map(|link| (*link, Role::Approver)));
        roles.extend(text.approvers.iter().map(|seat| (seat.link, Role::Approver)));
        let others = text.cosigners.iter().filter(|seat| seat.cosigner != self.me);
        roles.extend(others.map(|seat| (seat.identity, Role::Peer(seat.cosigner.clone()))));
        self.pins.set(roles.keys().copied());
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = roles;
    }

    pub(crate) fn pins(&self) -> Pins {
        self.pins.clone()
    }

    fn role(&self, request: &Request) -> Option<Role> {
        let key = request.peer.key()?;
        self.roles.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

/// What happens when somebody speaks to us.
pub(crate) struct Door {
    doors: Doors,
    inputs: mpsc::Sender<Input>,
}

impl Door {
    pub(crate) fn new(doors: Doors, inputs: mpsc::Sender<Input>) -> Self {
        Self { doors, inputs }
    }

    async fn answer(&self, request: Request) -> Result<Vec<u8>, Refused> {
        match (self.doors.role(&request), request.method.as_str()) {
            (Some(Role::Desk), "cosigner.call") => {
                let call: Call = read(&request.body)?;
                let (reply, answer) = oneshot::channel();
                let answered = self.ask(Input::Call(Box::new(call), reply), answer).await?;
                answered.and_then(|answer| write(&answer))
            }
            (Some(Role::Peer(from)), "cosigner.drill") => {
                let call: DrillCall = read(&request.body)?;
                let (reply, answer) = oneshot::channel();
                let drilled: Drilled = self.ask(Input::Drill(from, call, reply), answer).await?;
                drilled.map(|_| Vec::new()).map_err(|r| Refused::new(r.code.clone(), r.to_string()))
            }
            // From whomever it comes: the signature inside says whose it is.
            (Some(_), "freeze") => {
                let freeze: Freeze = read(&request.body)?;
                let (reply, answer) = oneshot::channel();
                let honoured = self.ask(Input::Freeze(Box::new(freeze), reply), answer).await?;
                honoured
                    .map(|()| Vec::new())
                    .map_err(|r| Refused::new(r.code.clone(), r.to_string()))
            }
            (Some(_), ENDING) => {
                let ending: Ending = read(&request.body)?;
                let (reply, answer) = oneshot::channel();
                let honoured = self.ask(Input::Ending(Box::new(ending), reply), answer).await?;
                honoured
                    .map(|()| Vec::new())
                    .map_err(|r| Refused::new(r.code.clone(), r.to_string()))
            }
            _ => Err(Refused::new(
                "not_yours",
                "this key may not ask for that here; see the charter's seats",
            )),
        }
    }

    async fn ask<T>(&self, input: Input, answer: oneshot::Receiver<T>) -> Result<T, Refused> {
        let stopped = || Refused::new("stopping", "this cosigner stops; ask again when it is back");
        self.inputs.send(input).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }
}

impl Handler for Door {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(self.answer(request))
    }

    fn notice(&self, request: Request) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            match (self.doors.role(&request), request.method.as_str()) {
                (Some(Role::Peer(from)), "cosigner.round") => {
                    let _stopping = self.inputs.send(Input::Round(from, request.body)).await;
                }
                _ => {
                    tracing::warn!(peer = %request.peer, "a notice that is not this key's to send was dropped")
                }
            }
        })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|e| Refused::new("malformed", format!("{e}; send the form of docs/spec")))
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, Refused> {
    serde_json::to_vec(value).map_err(|e| Refused::new("bug", e.to_string()))
}

/// Where a refused drill is told.
pub(crate) type Drills = mpsc::Sender<(Digest, Refusal)>;

/// Our own links to the peers. Each cosigner dials every other, and speaks on the link that it dialled.
#[derive(Clone)]
pub(crate) struct Peers(Arc<BTreeMap<CosignerId, Warm>>);

struct Warm {
    client: Arc<Client>,
    outbox: mpsc::Sender<Vec<u8>>,
}

impl Peers {
    pub(crate) fn start(settings: &Settings, identity: &Identity) -> Result<Self, Fault> {
        let mut peers = BTreeMap::new();
        for (name, peer) in &settings.peers {
            let client =
                Client::start(&peer.address, identity, peer.identity, Arc::new(Silent), limits())?;
            let client = Arc::new(client);
            let (outbox, queue) = mpsc::channel(OUTBOX);
            tokio::spawn(post(name.clone(), Arc::clone(&client), queue));
            peers.insert(name.clone(), Warm { client, outbox });
        }
        Ok(Self(Arc::new(peers)))
    }

    /// Queues protocol bytes; what does not fit is lost, and its run ends by its deadline.
    pub(crate) fn send(&self, to: &CosignerId, bytes: Vec<u8>) {
        let sent = self.0.get(to).map(|peer| peer.outbox.try_send(bytes));
        if !matches!(sent, Some(Ok(()))) {
            tracing::warn!(peer = %to, "a message was lost: the peer is not paired or takes none");
        }
    }

    /// Asks a peer to take part in a drill; a refusal is told to whoever drills.
    pub(crate) fn ask_drill(&self, to: &CosignerId, call: DrillCall, refused: Drills) {
        let client = self.0.get(to).map(|peer| Arc::clone(&peer.client));
        let to = to.clone();
        tokio::spawn(async move {
            let asked = match (client, serde_json::to_vec(&call)) {
                (Some(client), Ok(body)) => client
                    .call("cosigner.drill", body, DRILL_WITHIN)
                    .await
                    .map_err(|e| e.to_string()),
                _ => Err("the peer is not paired".to_owned()),
            };
            if let Err(why) = asked {
                let refusal = Refusal::new(
                    "peer",
                    format!("`{to}`: {why}"),
                    "see that the peer runs, then try again",
                );
                let _ended = refused.send((call.backup, refusal)).await;
            }
        });
    }

    /// Each peer: `up`, or why not.
    pub(crate) fn states(&self) -> BTreeMap<CosignerId, String> {
        let state = |peer: &Warm| peer.client.status().map_or_else(|why| why, |_| "up".to_owned());
        self.0.iter().map(|(name, peer)| (name.clone(), state(peer))).collect()
    }
}

async fn post(name: CosignerId, client: Arc<Client>, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if let Err(error) = client.notify("cosigner.round", bytes, SEND_WITHIN).await {
            tracing::warn!(peer = %name, %error, "a message was lost");
        }
    }
}
