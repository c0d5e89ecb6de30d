//! Talking to the desk and the cosigners over mutual TLS: their keys are pinned by the charter, ours is the seat's link key.

use std::sync::Arc;
use std::time::Duration;

use quorate_custody::Refusal;
use quorate_custody::protocol::book::{
    ENDING, FREEZE, OPENINGS, OPENINGS_MAX, OpeningsAnswer, OpeningsRequest, READ, READ_MAX,
    ReadAnswer, ReadRequest, SUBMIT, Submit, SubmitAnswer,
};
use quorate_host::link::{Client, Limits, Silent};
use quorate_host::random::Random;
use quorate_host::{Clock as _, Identity, SystemClock, secret_file};
use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::delegation::Ending;
use quorate_terms::freeze::Freeze;
use quorate_terms::{CosignerId, PublicKey, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::home::{self, Home, Settings};
use crate::memory;
use crate::replica::Replica;
use crate::trouble::{Done, Trouble};

/// How long a peer may take when the configuration does not say.
const TIMEOUT_S: u64 = 10;

/// One peer.
pub(crate) struct Peer {
    client: Client,
    within: Duration,
}

impl Peer {
    /// The peer at an address, which must prove this key.
    pub(crate) fn at(
        address: &str,
        key: PublicKey,
        me: &Identity,
        settings: &Settings,
    ) -> Done<Self> {
        let address = home::address(address)?;
        let client = Client::start(address, me, key, Arc::new(Silent), Limits::default())?;
        let within = Duration::from_secs(settings.timeout_s.unwrap_or(TIMEOUT_S));
        Ok(Self { client, within })
    }

    /// The desk that the charter in force seats.
    pub(crate) fn desk(home: &Home, replica: &Replica) -> Done<Self> {
        let settings = home.settings()?;
        let Some(address) = &settings.desk else {
            let next = "add `desk = \"host:port\"` to approvals.toml, or accept again with --desk";
            return Err(Trouble::fault("no_desk", "no desk address is configured", next));
        };
        Self::at(address, replica.book().charter().log.identity, &home.identity()?, &settings)
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, body: &impl Serialize) -> Done<T> {
        let bad = |e: serde_json::Error| {
            let message = format!("the peer's answer to {method} cannot be read ({e})");
            Trouble::fault("bad_answer", message, "compare the versions of both programs")
        };
        let body = serde_json::to_vec(body).map_err(bad)?;
        let answer = self.client.call(method, body, self.within).await?;
        serde_json::from_slice(&answer).map_err(bad)
    }

    /// Asks for entries from an index on.
    pub(crate) async fn read(&self, from: u64) -> Done<ReadAnswer> {
        self.ask(READ, &ReadRequest { from, limit: READ_MAX }).await
    }

    /// Brings something signed; a refusal of the desk is a refusal.
    pub(crate) async fn submit(&self, what: &Submit) -> Done<SubmitAnswer> {
        match self.ask(SUBMIT, what).await? {
            SubmitAnswer::Refused { refusal } => Err(refusal.into()),
            taken => Ok(taken),
        }
    }

    /// Brings a freeze, or the end of a delegation, to a cosigner.
    async fn brake(&self, brake: &Brake) -> Done<()> {
        let (method, body) = brake.call()?;
        self.client.call(method, body, self.within).await?;
        Ok(())
    }

    /// Whether the peer is there and proves its key.
    pub(crate) async fn reach(&self) -> Done<()> {
        self.client.link(self.within).await?;
        Ok(())
    }

    /// The value behind a commitment, if the desk still has it and it is the right one.
    pub(crate) async fn opening(&self, wanted: Commitment) -> Done<Option<Opening>> {
        Ok(self.openings(&[wanted]).await?.into_iter().next())
    }

    /// The values behind commitments, as far as the desk still has them. What opens none of them is dropped.
    pub(crate) async fn openings(&self, wanted: &[Commitment]) -> Done<Vec<Opening>> {
        let mut opened = Vec::new();
        for some in wanted.chunks(OPENINGS_MAX) {
            let asked = OpeningsRequest { commitments: some.to_vec() };
            let answer: OpeningsAnswer = self.ask(OPENINGS, &asked).await?;
            let right = |one: &Opening| one.commitment().is_ok_and(|found| some.contains(&found));
            opened.extend(answer.openings.into_iter().filter(right));
        }
        Ok(opened)
    }
}

/// Brings the replica up to the desk's head, verifies it, and makes it durable. Returns the desk's clock.
///
/// # Errors
/// A refusal for a desk that takes something back or tells another story; its note is kept as evidence.
pub(crate) async fn follow(desk: &Peer, replica: &mut Replica, home: &Home) -> Done<Timestamp> {
    let mut next = replica.clone();
    loop {
        let answer = desk.read(next.size()).await?;
        let step = follow_one(&mut next, &answer);
        if let Err(trouble) = &step {
            keep_evidence(home, &answer.checkpoint, trouble)?;
        }
        if step? {
            next.save(home, Random::start()?)?;
            *replica = next;
            return Ok(answer.clock);
        }
    }
}

/// Takes one answer; says whether the replica is at the head now.
fn follow_one(replica: &mut Replica, answer: &ReadAnswer) -> Done<bool> {
    let shown = memory::unverified(&answer.checkpoint)?;
    let known = replica.memory.known()?.map_or(0, |known| known.size).max(replica.size());
    if shown.size < known {
        memory::opened(&answer.checkpoint, replica.book().charter())?;
        let message =
            format!("the desk shows {} entries, and this machine has verified {known}", shown.size);
        let next = "do not approve; keep the evidence file and call the operators";
        return Err(Trouble::refused("rollback", message, next));
    }
    let room = usize::try_from(shown.size.saturating_sub(replica.size())).unwrap_or(usize::MAX);
    let entries: Vec<Vec<u8>> =
        answer.entries.iter().take(room).map(|text| text.clone().into_bytes()).collect();
    if room > 0 && entries.is_empty() {
        let message = "the desk signs for entries that it does not give";
        return Err(Trouble::refused("withheld", message, "ask the operators for the book"));
    }
    replica.take(&entries)?;
    if replica.size() < shown.size {
        return Ok(false);
    }
    replica.settle(&answer.checkpoint)?;
    Ok(true)
}

fn keep_evidence(home: &Home, note: &str, trouble: &Trouble) -> Done<()> {
    let proof = ["fork", "rollback", "broken_chain", "other_founding", "withheld", "bad_witness"];
    let path = home.evidence(note);
    if proof.contains(&trouble.code.as_str()) && !path.exists() {
        secret_file::create(&path, note.as_bytes(), Random::start()?)?;
    }
    Ok(())
}

/// What is brought to the desk and to every cosigner at once, because it only takes leave away.
#[derive(Clone)]
pub(crate) enum Brake {
    /// A stop.
    Freeze(Freeze),
    /// A delegation taken back.
    Ending(Ending),
}

impl Brake {
    fn submission(&self) -> Submit {
        match self.clone() {
            Self::Freeze(freeze) => Submit::Freeze(Box::new(freeze)),
            Self::Ending(ending) => Submit::Ending(Box::new(ending)),
        }
    }

    /// How a cosigner is called with it.
    fn call(&self) -> Done<(&'static str, Vec<u8>)> {
        use quorate_terms::canonical::to_bytes;
        Ok(match self {
            Self::Freeze(freeze) => (FREEZE, to_bytes(freeze, "freeze")?),
            Self::Ending(ending) => (ENDING, to_bytes(ending, "ending")?),
        })
    }
}

/// Sends it to the desk and to every cosigner whose address is known. Each answer stands alone.
pub(crate) async fn everywhere(
    home: &Home,
    replica: &Replica,
    brake: &Brake,
) -> Done<Vec<(String, Result<(), Trouble>)>> {
    let (settings, me) = (home.settings()?, home.identity()?);
    let charter = replica.book().charter();
    let mut tasks = Vec::new();
    if settings.desk.is_some() {
        let (desk, what) = (Peer::desk(home, replica), brake.submission());
        let send = async move { desk?.submit(&what).await.map(|_taken| ()) };
        tasks.push(("desk".to_owned(), tokio::spawn(send)));
    }
    for (cosigner, address) in &settings.cosigners {
        let peer =
            seat_key(charter, cosigner).and_then(|key| Peer::at(address, key, &me, &settings));
        let brake = brake.clone();
        let send = async move { peer?.brake(&brake).await };
        tasks.push((format!("cosigner {cosigner}"), tokio::spawn(send)));
    }
    let mut answers = Vec::new();
    for (name, task) in tasks {
        let died = |_| Trouble::fault("bug", "sending did not end", "report this");
        answers.push((name, task.await.map_err(died).flatten()));
    }
    Ok(answers)
}

/// The identity key of a seated cosigner.
pub(crate) fn seat_key(
    charter: &quorate_terms::charter::CharterText,
    cosigner: &CosignerId,
) -> Done<PublicKey> {
    let seat = charter.cosigner(cosigner).ok_or_else(|| {
        let message = format!("the charter seats no cosigner {cosigner}");
        Refusal::new("no_seat", message, "name cosigners in approvals.toml as the charter does")
    })?;
    Ok(seat.identity)
}

/// This machine's time.
pub(crate) fn now() -> Timestamp {
    SystemClock::new().now()
}
