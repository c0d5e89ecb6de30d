//! A desk that was taken over: it holds the real keys and the real ledger, and swaps the bytes that people agreed to.
//!
//! Usage: `lying_desk DESK CASE APPROVAL THIEF NONCE`. It records the approval as an honest desk would, then a warrant
//! whose bytes pay somebody else, signs the checkpoint and asks every cosigner to sign. Their answers go to standard
//! output. For the demonstration and the tests; the real desk must not run.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quorate_chains::{FeeMode, Snapshot};
use quorate_custody::protocol::book::Submit;
use quorate_custody::protocol::{Answer, Ask, Call, Came, Told};
use quorate_custody::witness::log_key;
use quorate_custody::{Book, Event};
use quorate_host::config::Config;
use quorate_host::link::{Client, Limits, Silent};
use quorate_host::store::Store;
use quorate_host::{Clock as _, Identity, SystemClock};
use quorate_ledger::{Checkpoint, Frontier, hash};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Entry, Party, Warranted};
use quorate_terms::intent::Transfer;
use quorate_terms::{Amount, CaseId, CosignerId, Term as _};
use serde::Deserialize;

const WITHIN: Duration = Duration::from_secs(45);

/// What it needs of `desk.toml`; the rest is of no interest to a thief.
#[derive(Clone, Deserialize)]
struct Settings {
    charter: PathBuf,
    data: PathBuf,
    cosigners: BTreeMap<CosignerId, String>,
}

struct Liar {
    charter: CharterText,
    book: Book,
    store: Store,
    frontier: Frontier,
    entries: Vec<Vec<u8>>,
    log: Identity,
    link: Identity,
    cosigners: BTreeMap<CosignerId, String>,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [desk, case, approval, thief, nonce] = words.as_slice() else {
        println!("usage: lying_desk DESK CASE APPROVAL THIEF NONCE");
        std::process::exit(2);
    };
    let case: CaseId = case.parse().unwrap();
    let mut liar = Liar::take_over(Path::new(desk)).await;
    let submitted: Submit = serde_json::from_slice(&std::fs::read(approval).unwrap()).unwrap();
    let Submit::Approval(approval) = submitted else { std::process::exit(2) };
    let step = liar.book.step(Event::ApprovalCame(approval), SystemClock::new().now()).unwrap();
    liar.record(step.records).await;
    let at = liar.book.size();
    let swapped = liar.swapped(&case, thief, nonce.parse().unwrap());
    liar.record(vec![Body::Warranted(Box::new(swapped))]).await;
    let answers = liar.ask_everyone(case).await;
    liar.store.close().await;
    println!("{}", serde_json::json!({ "entry": at, "answers": answers }));
}

impl Liar {
    async fn take_over(desk: &Path) -> Self {
        let config = Config::<Settings>::load(&desk.join("desk.toml")).unwrap();
        let settings = config.value.clone();
        let charter = std::fs::read(config.resolve(&settings.charter)).unwrap();
        let charter = CharterText::from_canonical(&charter).unwrap();
        let store = Store::open(&config.resolve(&settings.data).join("ledger.db")).await.unwrap();
        let entries = store.read(0, store.size()).await.unwrap();
        let mut book = Book::new(charter.clone()).unwrap();
        let mut frontier = Frontier::new();
        for bytes in &entries {
            book.admit(&Entry::from_canonical(bytes).unwrap()).unwrap();
            frontier.append(hash::leaf(bytes));
        }
        let log = Identity::load(&desk.join("keys/log.seed")).unwrap();
        let link = Identity::load(&desk.join("keys/link.seed")).unwrap();
        Self { charter, book, store, frontier, entries, log, link, cosigners: settings.cosigners }
    }

    /// Appends to the real ledger, as whoever holds the machine can.
    async fn record(&mut self, bodies: Vec<Body>) {
        for entry in self.book.entries(bodies, SystemClock::new().now()).unwrap() {
            let bytes = entry.to_canonical().unwrap();
            self.store.append(self.book.size(), vec![bytes.clone()]).await.unwrap();
            self.book.admit(&entry).unwrap();
            self.frontier.append(hash::leaf(&bytes));
            self.entries.push(bytes);
        }
    }

    /// A warrant for the case that people agreed to, over bytes that pay the thief.
    fn swapped(&self, case: &CaseId, thief: &str, nonce: u64) -> Warranted {
        let agreed = self.book.case(case).unwrap().transfer().unwrap();
        let chain = agreed.asset.chain();
        let account = self.book.wallet(&agreed.wallet).unwrap().accounts.get(&chain).unwrap();
        let to = quorate_chains::parse_account(thief, &chain).unwrap();
        let theft = Transfer { to, ..agreed.clone() };
        let snapshot = Snapshot {
            chain: chain.clone(),
            account: account.clone(),
            nonce: self.book.free_nonce(account, nonce),
            base_fee: Amount::from_u128(1_000_000_000),
            priority_fee: Amount::from_u128(1_000_000_000),
            gas_limit: 21_000,
            fee_mode: FeeMode::Eip1559,
            block: 1,
            at: SystemClock::new().now(),
        };
        let draft = quorate_chains::draft(&theft, account, &snapshot).unwrap();
        Warranted {
            case: *case,
            party: Party::Desk,
            draft: draft.digest(),
            bytes: hex::encode(draft.bytes()),
            chain,
            decoders: vec![quorate_chains::DECODER.to_owned()],
            decoded_intent: case.intent(),
            account: account.clone(),
            nonce: draft.meaning().nonce,
            fee_max: draft.meaning().fee_max,
            replaces: None,
        }
    }

    async fn ask_everyone(&self, case: CaseId) -> BTreeMap<CosignerId, Answer> {
        let parties: BTreeSet<CosignerId> = self.cosigners.keys().cloned().collect();
        let ask = Ask::Sign { case, attempt: 1, parties };
        let asked = self.cosigners.iter().map(|(name, address)| {
            let ask = ask.clone();
            async move { (name.clone(), self.ask(name, address, ask).await) }
        });
        futures_util::future::join_all(asked).await.into_iter().collect()
    }

    async fn ask(&self, name: &CosignerId, address: &str, ask: Ask) -> Answer {
        let seat = self.charter.cosigner(name).unwrap();
        let silent = Arc::new(Silent);
        let client =
            Client::start(address, &self.link, seat.identity, silent, Limits::default()).unwrap();
        let mut from = self.book.size();
        loop {
            let call = Call { told: self.told(from), ask: ask.clone() };
            let body = serde_json::to_vec(&call).unwrap();
            let answer = client.call("cosigner.call", body, WITHIN).await.unwrap();
            let answer: Answer = serde_json::from_slice(&answer).unwrap();
            if answer.came != Came::Behind || answer.size >= from {
                return answer;
            }
            from = answer.size;
        }
    }

    fn told(&self, from: u64) -> Told {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let entries = self.entries.iter().skip(usize::try_from(from).unwrap()).map(text).collect();
        let key = log_key(&self.charter).unwrap();
        let origin = self.charter.log.origin.clone();
        let checkpoint = Checkpoint { origin, size: self.book.size(), root: self.frontier.root() };
        let note = checkpoint.sign(&key, |bytes| self.log.sign_bytes(bytes));
        Told { from, entries, checkpoint: note.to_string() }
    }
}
