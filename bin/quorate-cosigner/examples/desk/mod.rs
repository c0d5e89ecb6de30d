//! A desk as small as it can be, for benches: the book in memory, its ledger on disk, two real cosigners on loopback.
//!
//! It keeps the order of the real one: an entry is durable before anybody hears of it, and both cosigners are asked at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quorate_cosigner::dkls23::raw::{RawPair, raw_sign_once};
use quorate_custody::Event;
use quorate_custody::protocol::{Answer, Ask, Call, Came, Told};
use quorate_host::Store;
use quorate_host::store::{Append, Ticket};
use quorate_terms::intent::Action;
use quorate_terms::{Amount, Digest};

use crate::house::{COSIGNERS, Cosigner, House, credential, id};

pub(crate) type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// See the module.
pub(crate) struct Desk {
    inside: Mutex<Inside>,
    store: Store,
    cosigners: BTreeMap<String, Cosigner>,
    room: PathBuf,
}

struct Inside {
    house: House,
    submitted: usize,
    /// Size and root of what is durable.
    head: (usize, Digest),
    /// Entries that each cosigner is known to have.
    known: BTreeMap<String, u64>,
}

/// Entries on their way to the disk, and what the ledger is once they are there.
struct Flush {
    ticket: Ticket,
    head: (usize, Digest),
}

impl Desk {
    /// With a wallet that both cosigners made, an agent, and room in the budgets for a bench.
    pub(crate) async fn open() -> Done<Self> {
        let mut house = House::founded_with(|charter| {
            charter.policy.limits.open_cases = 10_000;
            for budget in &mut charter.policy.budgets {
                budget.amount = Some(Amount::from_u128(u128::MAX));
            }
        });
        house.start_all().await;
        house.open_wallet("ops").await;
        house.administer(Action::IssueCredential { credential: credential("trader") });
        let room = house.room.path().to_owned();
        let store = Store::open(&room.join("desk.db")).await?;
        let cosigners = std::mem::take(&mut house.cosigners);
        let head = (0, house.frontier.root());
        let inside = Inside { house, submitted: 0, head, known: BTreeMap::new() };
        let desk = Self { inside: Mutex::new(inside), store, cosigners, room };
        let flush = desk.flush(&mut desk.inside());
        desk.durable(flush?).await?;
        Ok(desk)
    }

    /// The folder of the whole house, on the disk that everybody writes to.
    pub(crate) fn room(&self) -> &Path {
        &self.room
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self, inside: &mut Inside) -> Done<Flush> {
        let entries = inside.house.entries.get(inside.submitted..).unwrap_or_default().to_vec();
        let append = Append {
            expected_size: u64::try_from(inside.submitted)?,
            entries,
            ..Append::default()
        };
        inside.submitted = inside.house.entries.len();
        let head = (inside.submitted, inside.house.frontier.root());
        Ok(Flush { ticket: self.store.submit(append)?, head })
    }

    async fn durable(&self, flush: Flush) -> Done {
        flush.ticket.done().await?;
        let mut inside = self.inside();
        if inside.head.0 < flush.head.0 {
            inside.head = flush.head;
        }
        Ok(())
    }

    /// From filed intent to durable, verified signature.
    pub(crate) async fn sign(&self) -> Done<Duration> {
        let begun = Instant::now();
        let (case, ask, flush) = {
            let mut inside = self.inside();
            let case = inside.house.pay(1);
            let ask = inside.house.sign_ask(&case);
            (case, ask, self.flush(&mut inside))
        };
        self.durable(flush?).await?;
        // A session is bound to one checkpoint, so both are asked under the same one, whatever becomes durable meanwhile.
        let head = self.inside().head;
        let (east, west) = tokio::join!(self.ask("east", &ask, head), self.ask("west", &ask, head));
        let event = signature(case, [east?, west?])?;
        let flush = {
            let mut inside = self.inside();
            // The book verifies the signature over the draft with an independent library before it records it.
            inside.house.does(event);
            self.flush(&mut inside)
        };
        self.durable(flush?).await?;
        Ok(begun.elapsed())
    }

    async fn ask(&self, name: &str, ask: &Ask, head: (usize, Digest)) -> Done<Answer> {
        let cosigner = self.cosigners.get(name).ok_or("no such cosigner")?;
        let mut from = self.inside().known.get(name).copied().unwrap_or_default();
        loop {
            let told = self.told(from, head)?;
            let answer = cosigner.call(&Call { told, ask: ask.clone() }).await?;
            let mut inside = self.inside();
            let known = inside.known.entry(name.to_owned()).or_default();
            *known = answer.size.max(*known);
            if answer.came != Came::Behind {
                return Ok(answer);
            }
            from = answer.size;
        }
    }

    /// What there is from entry `from` to a head. A cosigner that is past that head by now is told nothing new.
    fn told(&self, from: u64, (size, root): (usize, Digest)) -> Done<Told> {
        let inside = self.inside();
        let from = from.min(u64::try_from(size)?);
        let new = inside.house.entries.get(usize::try_from(from)?..size).unwrap_or_default();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone());
        let entries = new.iter().map(text).collect::<Result<_, _>>()?;
        Ok(Told {
            from,
            entries,
            checkpoint: inside.house.checkpoint_of(u64::try_from(size)?, root),
        })
    }
}

fn signature(case: quorate_terms::CaseId, answers: [Answer; 2]) -> Done<Event> {
    let came = answers.map(|answer| answer.came);
    let Some(Came::Signed { session, rs, recovery, checkpoint_size }) = came.first() else {
        return Err(format!("nothing was signed: {came:?}").into());
    };
    let mut bytes = [0; 64];
    hex::decode_to_slice(rs, &mut bytes)?;
    let cosigners = COSIGNERS.iter().map(|name| id(name)).collect();
    let (session, recovery, checkpoint_size) = (*session, *recovery, *checkpoint_size);
    Ok(Event::SignatureCame { case, session, rs: bytes, recovery, cosigners, checkpoint_size })
}

/// The protocol of both parties and nothing else, on the calling thread.
pub(crate) struct Raw {
    pair: RawPair,
    next: u64,
}

impl Raw {
    pub(crate) fn deal() -> Done<Self> {
        Ok(Self { pair: RawPair::deal()?, next: 0 })
    }

    pub(crate) fn sign(&mut self) -> Done {
        self.next += 1;
        let hash = *Digest::of("bench", &self.next.to_be_bytes()).as_bytes();
        std::hint::black_box(raw_sign_once(&self.pair, self.next, hash)?);
        Ok(())
    }
}
