//! A small desk and two real cosigner processes on loopback.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "each test root uses a part of the house, so nothing can be expected of all"
)]

mod cosigner;
mod keys;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub use cosigner::*;
pub use keys::*;
use quorate_chains::{FeeMode, Snapshot};
use quorate_custody::protocol::{Answer, Ask, Call, Came, Told};
use quorate_custody::{Book, Event, Verdict};
use quorate_host::link::CallError;
use quorate_host::{Clock as _, SystemClock};
use quorate_ledger::{Checkpoint, Frontier, KeyKind, VerifierKey, hash};
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict as Word};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::credential::{AgentCredential, Band};
use quorate_terms::entry::{Body, Entry, Founded};
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Intent, OpenWallet, Requester, SchemeName, Tier, Transfer};
use quorate_terms::{Amount, CaseId, Digest, IdempotencyKey, Signature, Timestamp};

pub const WITHIN: Duration = Duration::from_secs(45);

pub struct House {
    pub room: tempfile::TempDir,
    pub founding: CharterText,
    pub book: Book,
    pub entries: Vec<Vec<u8>>,
    pub frontier: Frontier,
    pub cosigners: BTreeMap<String, Cosigner>,
    /// Entries that each cosigner is known to have.
    known: BTreeMap<String, u64>,
    pub nonce: u64,
    keys: u64,
    attempts: u64,
}

impl House {
    /// Two cosigners that were made, paired and founded, and do not run yet; a book with its first entry.
    pub fn founded() -> Self {
        Self::founded_with(|_| ())
    }

    /// As [`House::founded`], on a charter that `change` had its way with.
    pub fn founded_with(change: impl FnOnce(&mut CharterText)) -> Self {
        let room = tempfile::Builder::new().prefix("q").tempdir().unwrap();
        std::fs::set_permissions(room.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        let make = |name: &&str| ((*name).to_owned(), Cosigner::init(room.path(), name));
        let cosigners: BTreeMap<String, Cosigner> = COSIGNERS.iter().map(make).collect();
        let seats = COSIGNERS.iter().map(|name| cosigners[*name].seat.clone()).collect();
        let mut founding = charter(seats);
        change(&mut founding);
        let file = charter_file(&room.path().join("charter.json"), &founding);
        for cosigner in cosigners.values() {
            cosigner.pair_all(&cosigners);
            cosigner.accept(&file, &founding.digest().unwrap().to_string()).unwrap();
        }
        let book = Book::new(founding.clone()).unwrap();
        let mut house = Self {
            room,
            founding: founding.clone(),
            book,
            entries: Vec::new(),
            frontier: Frontier::default(),
            cosigners,
            known: BTreeMap::new(),
            nonce: 0,
            keys: 0,
            attempts: 0,
        };
        house.good(vec![Body::Founded(Box::new(Founded { charter: founding }))]);
        house
    }

    /// With both cosigners up, the wallet `ops` under a key that they made, and the agent `trader`.
    pub async fn open() -> Self {
        let mut house = Self::founded();
        house.start_all().await;
        house.open_wallet("ops").await;
        house.administer(Action::IssueCredential { credential: credential("trader") });
        house
    }

    pub async fn start_all(&mut self) {
        for name in COSIGNERS {
            self.start(name).await;
        }
    }

    pub async fn start(&mut self, name: &str) {
        self.cosigners.get_mut(name).unwrap().start();
        self.follow(name).await;
    }

    // The desk's book.

    pub fn now(&self) -> Timestamp {
        SystemClock::new().now()
    }

    pub fn record(&mut self, bodies: Vec<Body>) -> Vec<Verdict> {
        self.record_at(bodies, self.now())
    }

    /// A judgment is good only at the time for which it was made.
    fn record_at(&mut self, bodies: Vec<Body>, now: Timestamp) -> Vec<Verdict> {
        let entries = self.book.entries(bodies, now).unwrap();
        entries.into_iter().map(|entry| self.append(&entry)).collect()
    }

    pub fn append(&mut self, entry: &Entry) -> Verdict {
        let verdict = self.book.admit(entry).unwrap();
        let bytes = entry.to_canonical().unwrap();
        self.frontier.append(hash::leaf(&bytes));
        self.entries.push(bytes);
        verdict
    }

    pub fn good(&mut self, bodies: Vec<Body>) {
        self.good_at(bodies, self.now());
    }

    fn good_at(&mut self, bodies: Vec<Body>, now: Timestamp) {
        for verdict in self.record_at(bodies, now) {
            assert_eq!(verdict, Verdict::Good);
        }
    }

    pub fn does(&mut self, event: Event) {
        let now = self.now();
        let step = self.book.step(event, now).unwrap();
        self.good_at(step.records, now);
    }

    pub fn checkpoint(&self) -> String {
        self.checkpoint_of(self.book.size(), self.frontier.root())
    }

    pub fn checkpoint_of(&self, size: u64, root: Digest) -> String {
        let key = VerifierKey::new(self.founding.log.origin.clone(), KeyKind::Log, public("log"))
            .unwrap();
        let checkpoint = Checkpoint { origin: self.founding.log.origin.clone(), size, root };
        checkpoint.sign(&key, |bytes| sign_bytes("log", bytes)).to_string()
    }

    // Speaking to the cosigners.

    pub fn told(&self, from: u64) -> Told {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let entries = self.entries.iter().skip(usize::try_from(from).unwrap()).map(text).collect();
        Told { from, entries, checkpoint: self.checkpoint() }
    }

    pub async fn call(&self, name: &str, call: &Call) -> Result<Answer, CallError> {
        self.cosigners[name].call(call).await
    }

    /// Tells what is new and asks; starts again from where the cosigner is, if it is elsewhere.
    pub async fn ask(&self, name: &str, ask: Ask) -> Result<Answer, CallError> {
        let from = self.known.get(name).copied().unwrap_or_default();
        let answer = self.call(name, &Call { told: self.told(from), ask: ask.clone() }).await?;
        if answer.came != Came::Behind {
            return Ok(answer);
        }
        self.call(name, &Call { told: self.told(answer.size), ask }).await
    }

    pub async fn follow(&mut self, name: &str) -> Answer {
        let answer = self.ask(name, Ask::Follow).await;
        let answer = answer.unwrap_or_else(|e| panic!("{e}: {}", self.cosigners[name].log()));
        self.known.insert(name.to_owned(), answer.size);
        answer
    }

    pub async fn ask_both(&mut self, ask: Ask) -> Vec<Answer> {
        let (east, west) = tokio::join!(self.ask("east", ask.clone()), self.ask("west", ask));
        let answers = vec![east.unwrap(), west.unwrap()];
        for (name, answer) in COSIGNERS.iter().zip(&answers) {
            self.known.insert((*name).to_owned(), answer.size);
        }
        answers
    }

    pub fn sign_ask(&mut self, case: &CaseId) -> Ask {
        self.attempts += 1;
        Ask::Sign {
            case: *case,
            attempt: self.attempts,
            parties: COSIGNERS.iter().map(|c| id(c)).collect(),
        }
    }

    pub async fn sign(&mut self, case: &CaseId) -> Vec<Answer> {
        let ask = self.sign_ask(case);
        self.ask_both(ask).await
    }

    /// Signs, and records the signature after an independent library has verified it over the draft.
    pub async fn signs(&mut self, case: &CaseId) -> Vec<u8> {
        let answers = self.sign(case).await;
        self.take_signature(case, &answers)
    }

    /// Stops a cosigner, and gives its ledgers as they were before its latest signature.
    pub async fn image_before_a_signature(&mut self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        self.cosigners.get_mut(name).unwrap().stop();
        let image = self.cosigners[name].ledgers();
        self.start(name).await;
        let case = self.pay(10 * MILLI);
        self.signs(&case).await;
        self.cosigners.get_mut(name).unwrap().stop();
        image
    }

    pub fn take_signature(&mut self, case: &CaseId, answers: &[Answer]) -> Vec<u8> {
        let mut signatures = BTreeSet::new();
        for answer in answers {
            let Came::Signed { session, rs, recovery, checkpoint_size } = &answer.came else {
                panic!("{:?}", answer.came)
            };
            signatures.insert((*session, rs.clone(), *recovery, *checkpoint_size));
        }
        assert_eq!(signatures.len(), 1, "both give the same signature");
        let (session, rs, recovery, checkpoint_size) = signatures.pop_first().unwrap();
        let mut bytes = [0; 64];
        hex::decode_to_slice(rs, &mut bytes).unwrap();
        let key = self.wallet_key("ops");
        let transaction = quorate_chains::sign(&self.live(case), bytes, recovery, &key).unwrap();
        let cosigners = COSIGNERS.iter().map(|c| id(c)).collect();
        self.does(Event::SignatureCame {
            case: *case,
            session,
            rs: bytes,
            recovery,
            cosigners,
            checkpoint_size,
        });
        transaction.bytes
    }

    // Cases.

    pub fn intent(&mut self, requester: Requester, action: Action) -> Intent {
        self.keys += 1;
        let key = IdempotencyKey::new(format!("key-{}", self.keys)).unwrap();
        Intent { v: 1, vault: id(VAULT), requester, key, action }
    }

    pub fn administer(&mut self, action: Action) -> CaseId {
        let requester = Requester::Person { person: id("op") };
        let intent = self.intent(requester, action);
        let case = intent.case().unwrap();
        self.does(filed(intent, None));
        for name in ["ann", "bo"] {
            if self.book.case(&case).is_some() {
                let approval = self.approval(name, &case);
                self.does(Event::ApprovalCame(Box::new(approval)));
            }
        }
        case
    }

    pub fn approval(&self, name: &str, case: &CaseId) -> Approval {
        let body = ApprovalBody {
            v: 1,
            vault: id(VAULT),
            intent: case.intent(),
            policy: self.book.policy().digest(),
            approver: id(name),
            credential: id(&format!("key-{name}")),
            verdict: Word::Approve,
            issued_at: self.now(),
            expires_at: self.now().plus_s(1_800),
            display: Digest::ZERO,
        };
        Approval { proof: Proof::Ed25519 { signature: signed(name, &body) }, body }
    }

    pub async fn open_wallet(&mut self, wallet: &str) {
        let open = OpenWallet {
            wallet: id(wallet),
            chains: [CHAIN, MAINNET].iter().map(|c| id(c)).collect(),
            scheme: SchemeName::Dkls23Secp256k1,
            tier: Tier::Hot,
            purpose: "ops".to_owned(),
        };
        let case = self.administer(Action::OpenWallet(open));
        self.attempts += 1;
        let answers = self.ask_both(Ask::Generate { case, attempt: self.attempts }).await;
        let mut statements = Vec::new();
        let mut made_by = String::new();
        for answer in answers {
            let Came::KeyMade { library, statement } = answer.came else {
                panic!("{:?}", answer.came)
            };
            statements.push(*statement);
            made_by = library;
        }
        self.does(Event::KeyCame { case, library: made_by, statements });
    }

    pub fn wallet_key(&self, wallet: &str) -> [u8; 33] {
        let mut key = [0; 33];
        hex::decode_to_slice(&self.book.wallet(&id(wallet)).unwrap().public_key, &mut key).unwrap();
        key
    }

    /// A small transfer by the agent, drafted on `chain`.
    pub fn pay_on(&mut self, chain: &str, amount: u128) -> CaseId {
        let requester = Requester::Agent { agent: id("trader"), credential: id("cred-trader") };
        let transfer = Transfer {
            wallet: id("ops"),
            asset: coin(chain),
            to: account_on(chain, RECIPIENT),
            amount: Amount::from_u128(amount),
            fee_ceiling: Amount::from_u128(10 * MILLI),
            memo: None,
        };
        let intent = self.intent(requester, Action::Transfer(transfer));
        let case = intent.case().unwrap();
        let snapshot = self.snapshot(chain);
        self.does(filed(intent, Some(snapshot)));
        self.nonce += 1;
        assert!(self.book.case(&case).unwrap().live_draft().is_some());
        case
    }

    pub fn pay(&mut self, amount: u128) -> CaseId {
        self.pay_on(CHAIN, amount)
    }

    pub fn snapshot(&self, chain: &str) -> Snapshot {
        Snapshot {
            chain: id(chain),
            account: quorate_chains::account(&id(chain), &self.wallet_key("ops")).unwrap(),
            nonce: self.nonce,
            base_fee: Amount::from_u128(20_000_000_000),
            priority_fee: Amount::from_u128(1_000_000_000),
            gas_limit: 21_000,
            fee_mode: FeeMode::Eip1559,
            block: 100,
            at: self.now(),
        }
    }

    pub fn live(&self, case: &CaseId) -> quorate_chains::Draft {
        let live = self.book.case(case).unwrap().live_draft().unwrap();
        quorate_chains::read_back(&live.chain, &hex::decode(&live.bytes).unwrap()).unwrap()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }
}

fn filed(intent: Intent, snapshot: Option<Snapshot>) -> Event {
    let (intent, snapshot) = (Box::new(intent), snapshot.map(Box::new));
    Event::Filed { intent, facts: Vec::new(), screening: CounterpartyCheck::NotPerformed, snapshot }
}

pub fn credential(name: &str) -> AgentCredential {
    AgentCredential {
        credential: id(&format!("cred-{name}")),
        agent: id(name),
        owner: id("op"),
        band: Band::Broadcast,
        wallets: BTreeSet::from([id("ops")]),
        role: None,
        token: Digest::of("quorate/token/v1", name.as_bytes()),
        expires_at: SystemClock::new().now().plus_s(30 * 86_400),
    }
}

/// The code of a refusal.
pub fn refusal(answer: &Answer) -> String {
    match &answer.came {
        Came::Refused { reason, .. } => reason.code.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

fn sign_bytes(name: &str, bytes: &[u8]) -> Signature {
    identity(name).sign_bytes(bytes)
}
