//! The cosigners, as the desk reaches them: fed with the book, asked to sign, heard out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use quorate_custody::protocol::{Answer, Ask, Call, Came, Told};
use quorate_custody::{Event, Refusal};
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::link::{Client, Limits, Silent, is_address};
use quorate_ledger::{LogPolicy, Note, NoteSignature};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, RollbackDetected, Severity};
use quorate_terms::freeze::Freeze;
use quorate_terms::{CosignerId, Timestamp};
use tokio::sync::{Mutex, RwLock};

use super::effects::alert;
use super::engine::{Engine, Head, Trouble};
use quorate_gateway::office::CosignerView;

/// How long a cosigner may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a link that is down may take to come up before those that only follow are told so.
const LINK_PATIENCE: Duration = Duration::from_secs(3);
/// Entries sent in one call at most.
const FEED_MAX: u64 = 2048;
/// How often one question is put again after the cosigner had other entries than thought.
const FEEDS_MAX: usize = 4096;

/// One cosigner.
struct Seat {
    name: CosignerId,
    client: Client,
    /// What was last heard. Calls go out one after another only while it is behind.
    heard: Mutex<Heard>,
}

#[derive(Clone, Debug, Default)]
struct Heard {
    size: Option<u64>,
    offset_ms: Option<i64>,
    trouble: Option<String>,
}

/// All cosigners of the vault.
pub struct Cosigners {
    seats: Vec<Seat>,
    engine: Engine,
    policy: LogPolicy,
    witnessed: RwLock<Option<Witnessed>>,
}

/// The newest checkpoint that enough witnesses cosigned.
#[derive(Clone, Debug)]
pub struct Witnessed {
    /// Its size.
    pub size: u64,
    /// The note, cosignatures included.
    pub note: Note,
    /// How many witnesses.
    pub witnesses: usize,
    /// When they did, by the desk's clock.
    pub at: Timestamp,
}

impl Cosigners {
    /// Starts to keep a link to each cosigner of the charter.
    ///
    /// # Errors
    /// [`Fault`] when an address is missing, or none.
    pub fn start(
        charter: &CharterText,
        addresses: &BTreeMap<CosignerId, String>,
        identity: &Identity,
        engine: Engine,
    ) -> Result<Arc<Self>, Fault> {
        let mut seats = Vec::new();
        for seat in &charter.cosigners {
            let address = addresses.get(&seat.cosigner).ok_or_else(|| {
                let what = format!("desk.toml `cosigners.{}`", seat.cosigner);
                Fault::new(what, "is missing", "give the address where this cosigner listens")
            })?;
            if !is_address(address) {
                let what = format!("desk.toml `cosigners.{}`", seat.cosigner);
                let why = format!("`{address}` is not an address");
                return Err(Fault::new(what, why, "give `HOST:PORT`, such as `127.0.0.1:7401`"));
            }
            let client = Client::start(
                address,
                identity,
                seat.identity,
                Arc::new(Silent),
                Limits::default(),
            )?;
            seats.push(Seat { name: seat.cosigner.clone(), client, heard: Mutex::default() });
        }
        let policy = LogPolicy::of_founding(charter)
            .map_err(|e| Fault::new("charter", e.to_string(), "found the vault again"))?;
        Ok(Arc::new(Self { seats, engine, policy, witnessed: RwLock::new(None) }))
    }

    /// Names of all cosigners, in the order of their parties.
    pub fn names(&self) -> Vec<CosignerId> {
        self.seats.iter().map(|seat| seat.name.clone()).collect()
    }

    /// Puts one question to some cosigners at once, all bound to the same checkpoint, which has everything recorded so far.
    pub async fn ask(
        &self,
        to: &BTreeSet<CosignerId>,
        ask: &Ask,
    ) -> BTreeMap<CosignerId, Result<Answer, String>> {
        let head = self.engine.head();
        let asked = self
            .seats
            .iter()
            .filter(|seat| to.contains(&seat.name))
            .map(|seat| async { (seat.name.clone(), self.ask_seat(seat, &head, ask).await) });
        let answers: BTreeMap<_, _> =
            futures_util::future::join_all(asked).await.into_iter().collect();
        self.take_cosignatures(&head, &answers).await;
        answers
    }

    /// Asks one cosigner. Only to follow, a link that is down is not waited for as long as an answer is: one cosigner that is
    /// away holds up neither news to the others nor a receipt.
    async fn ask_seat(&self, seat: &Seat, head: &Head, ask: &Ask) -> Result<Answer, String> {
        let asking = self.ask_one(seat, head, ask);
        if !matches!(ask, Ask::Follow) || seat.client.status().is_ok() {
            return asking.await;
        }
        let late = || Err(format!("cosigner `{}` cannot be reached; start it", seat.name));
        tokio::time::timeout(LINK_PATIENCE, asking).await.unwrap_or_else(|_| late())
    }

    /// Feeds one cosigner up to `head`, with the question in the last call.
    async fn ask_one(&self, seat: &Seat, head: &Head, ask: &Ask) -> Result<Answer, String> {
        let mut from = seat.heard.lock().await.size.unwrap_or(head.size).min(head.size);
        for _ in 0..FEEDS_MAX {
            let (told, last) = self.told(from, head).await?;
            let ask = if last { ask.clone() } else { Ask::Follow };
            let answer = self.call(seat, &Call { told, ask }).await?;
            self.hear(seat, &answer).await;
            // A cosigner that has more of the book than is durable here proves that the desk has lost some of it.
            let ours = self.engine.head().size;
            if answer.size > ours {
                let trouble = rollback(&seat.name, answer.size, ours);
                seat.heard.lock().await.trouble = Some(trouble.clone());
                if let Err(trouble) = self.note_rollback(&seat.name, answer.size, ours).await {
                    tracing::error!(%trouble, "a rollback of the ledger could not be recorded");
                }
                return Err(trouble);
            }
            if answer.came == Came::Behind {
                if answer.size >= head.size {
                    // Another call has taken it further meanwhile; whoever asks again brings a newer head.
                    return Err(format!(
                        "cosigner `{}` is ahead of this call; asking again",
                        seat.name
                    ));
                }
                from = answer.size;
                continue;
            }
            if last {
                return Ok(answer);
            }
            from = answer.size;
        }
        Err(format!("cosigner `{}` does not keep up; look at its log", seat.name))
    }

    /// Records that the desk's ledger was rolled back, once until a person has closed the alert.
    async fn note_rollback(
        &self,
        name: &CosignerId,
        expected_size: u64,
        found_size: u64,
    ) -> Result<(), Trouble> {
        let subject = format!("cosigner:{name}");
        if alert(&self.engine, "rollback", Severity::Critical, subject).await? {
            let found = RollbackDetected { party: "desk".to_owned(), expected_size, found_size };
            let note = Event::Noted(Box::new(Body::RollbackDetected(found)));
            self.engine.tell(note).await?;
        }
        Ok(())
    }

    async fn told(&self, from: u64, head: &Head) -> Result<(Told, bool), String> {
        if let Some(entries) = head.entries_from(from) {
            return Ok((Told { from, entries, checkpoint: head.note.clone() }, true));
        }
        self.part(from, head, FEED_MAX).await
    }

    /// At most `most` entries of those from `from` to `head`, under the signed checkpoint of exactly their end, and whether
    /// that is the head.
    pub(super) async fn part(
        &self,
        from: u64,
        head: &Head,
        most: u64,
    ) -> Result<(Told, bool), String> {
        let wanted = head.size.saturating_sub(from).min(most);
        let bytes = self.engine.store().read(from, wanted).await.map_err(|e| e.to_string())?;
        let entries: Vec<String> =
            bytes.into_iter().map(|b| String::from_utf8_lossy(&b).into_owned()).collect();
        let to = from.saturating_add(u64::try_from(entries.len()).unwrap_or_default());
        let last = to >= head.size;
        let checkpoint = match last {
            true => head.note.clone(),
            false => self.engine.note_at(to).await.map_err(|e| e.to_string())?,
        };
        Ok((Told { from, entries, checkpoint }, last))
    }

    async fn call(&self, seat: &Seat, call: &Call) -> Result<Answer, String> {
        let body = serde_json::to_vec(call).map_err(|e| e.to_string())?;
        let answer = seat.client.call("cosigner.call", body, PATIENCE).await;
        let bytes = match answer {
            Ok(bytes) => bytes,
            Err(error) => {
                let trouble = error.to_string();
                seat.heard.lock().await.trouble = Some(trouble.clone());
                return Err(trouble);
            }
        };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|e| {
            format!("cosigner `{}` answers in another form ({e}); compare the versions", seat.name)
        })?;
        if answer.cosigner == seat.name {
            return Ok(answer);
        }
        Err(format!("cosigner `{}` answers under another name; pair again", seat.name))
    }

    async fn hear(&self, seat: &Seat, answer: &Answer) {
        let now = self.engine.clock().now();
        let mut heard = seat.heard.lock().await;
        heard.size = Some(heard.size.map_or(answer.size, |size| size.max(answer.size)));
        heard.offset_ms = Some(offset(answer.clock, now));
        heard.trouble = match &answer.came {
            Came::Refused { reason, .. } => Some(format!("{}; {}", reason.message, reason.next)),
            _ => None,
        };
    }

    /// Keeps the newest checkpoint that a quorum of witnesses cosigned.
    async fn take_cosignatures(
        &self,
        head: &Head,
        answers: &BTreeMap<CosignerId, Result<Answer, String>>,
    ) {
        let lines = answers.values().filter_map(|answer| answer.as_ref().ok()?.cosignature.clone());
        let Ok(mut note) = head.note.parse::<Note>() else { return };
        for line in lines {
            if let Ok(line) = line.trim_end_matches('\n').parse::<NoteSignature>() {
                note.signatures.push(line);
            }
        }
        let at = self.engine.clock().now();
        let Ok(opened) = self.policy.open(&note.to_string()) else { return };
        let mut witnessed = self.witnessed.write().await;
        if witnessed.as_ref().is_none_or(|known| known.size <= head.size) {
            *witnessed =
                Some(Witnessed { size: head.size, note, witnesses: opened.witnesses.len(), at });
        }
    }

    /// The newest witnessed checkpoint of at least `size` entries, asking the witnesses if need be.
    ///
    /// # Errors
    /// [`Refusal`] when too few witnesses can be reached.
    pub async fn witnessed(&self, size: u64) -> Result<Witnessed, Refusal> {
        for _ in 0..3 {
            let known = self.witnessed.read().await.clone();
            if let Some(known) = known.filter(|known| known.size >= size) {
                return Ok(known);
            }
            let everyone = self.names().into_iter().collect();
            self.ask(&everyone, &Ask::Follow).await;
        }
        Err(Refusal::new(
            "not_witnessed",
            "too few cosigners have witnessed this part of the ledger",
            "start the cosigners and ask again",
        ))
    }

    /// The newest witnessed checkpoint, whatever its size.
    pub async fn newest(&self) -> Option<Witnessed> {
        self.witnessed.read().await.clone()
    }

    /// Sends a freeze to every cosigner; they honour it book or no book.
    pub async fn spread(&self, freeze: &Freeze) {
        let Ok(body) = serde_json::to_vec(freeze) else { return };
        let sends = self.seats.iter().map(|seat| {
            let body = body.clone();
            async move {
                if let Err(error) = seat.client.call("freeze", body, Duration::from_secs(5)).await {
                    tracing::error!(cosigner = %seat.name, %error, "a freeze did not reach a cosigner");
                }
            }
        });
        futures_util::future::join_all(sends).await;
    }

    /// How each cosigner is.
    pub async fn views(&self) -> Vec<CosignerView> {
        let mut views = Vec::new();
        for seat in &self.seats {
            let heard = seat.heard.lock().await.clone();
            let status = seat.client.status();
            views.push(CosignerView {
                cosigner: seat.name.to_string(),
                up: status.is_ok(),
                size: heard.size,
                clock_offset_ms: heard.offset_ms,
                trouble: heard.trouble.or_else(|| status.err()),
            });
        }
        views
    }
}

/// A cosigner that knows more of the book than the desk proves that the desk has lost some of it (rows 13 and 14).
fn rollback(name: &CosignerId, theirs: u64, ours: u64) -> String {
    format!(
        "cosigner `{name}` has {theirs} entries of the book and this desk {ours}: the ledger was rolled back; \
         stop the desk and restore it from a replica"
    )
}

fn offset(theirs: Timestamp, ours: Timestamp) -> i64 {
    let ahead = i64::try_from(theirs.since(ours)).unwrap_or(i64::MAX);
    let behind = i64::try_from(ours.since(theirs)).unwrap_or(i64::MAX);
    ahead.saturating_sub(behind)
}
