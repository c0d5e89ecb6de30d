//! A whole desk in one test: its engine, effects and doors as they are, on a clock that the test sets, with cosigners and a
//! chain node that answer as they are told. The cosigners follow the book as real ones do, and one plain key stands for the
//! threshold key.

mod balances;
mod brake;
mod console;
mod cosigner;
mod delegations;
mod doors;
mod ends;
mod http;
mod node;
mod patience;
mod people;
mod provider;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate_custody::{Book, Event};
use quorate_gateway::answer::{Answer, CaseSaid};
use quorate_gateway::desk::{Caller, Desk as _, Progress};
use quorate_gateway::errors::Complaint;
use quorate_gateway::question::{HowMuch, Question, SignAsk, TransferAsk};
use quorate_host::clock::{Clock, Jump};
use quorate_host::identity::Identity;
use quorate_host::link::{Limits, Link, Server, Silent};
use quorate_host::store::Store;
use quorate_host::unix::{self, Control};
use quorate_terms::approval::{ApprovalBody, Verdict};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::fact::{Fact, FactBody, Fate, SignedFact};
use quorate_terms::intent::Action;
use quorate_terms::{Amount, CaseId, Digest, IdempotencyKey, Timestamp};

use super::answers::Answers;
use super::control_door::ControlDoor;
use super::cosigners::Cosigners;
use super::effects::World;
use super::engine::Engine;
use super::engine::house::*;
use super::facts::Facts;
use cosigner::Script;
use node::Node;
use quorate_gateway::office::{CaseView, EraseRequest, FileRequest, Reply};

/// How long anything in these tests may take on a starved machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that the test sets.
#[derive(Default)]
pub(super) struct Hand {
    now: AtomicU64,
    jumps: Mutex<Vec<Jump>>,
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    fn take_jumps(&self) -> Vec<Jump> {
        std::mem::take(&mut *self.jumps.lock().unwrap())
    }
}

/// The desk and those around it.
pub(super) struct Room {
    pub(super) world: Arc<World>,
    pub(super) answers: Arc<Answers>,
    pub(super) clock: Arc<Hand>,
    pub(super) node: Arc<Node>,
    pub(super) scripts: BTreeMap<String, Arc<Script>>,
    pub(super) desk: Link,
    pub(super) charter: CharterText,
    servers: Vec<Server>,
    _control: Control,
    folder: tempfile::TempDir,
}

impl Room {
    /// A founded vault, its desk running.
    pub(super) async fn founded() -> Self {
        let charter = charter();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand { now: NOON.as_millis().into(), ..Hand::default() });
        let store = Store::open(&folder.path().join("ledger.db")).await.unwrap();
        let shared: Arc<dyn Clock> = Arc::<Hand>::clone(&clock);
        let (engine, effects) =
            Engine::start(charter.clone(), store, identity("log"), shared).await.unwrap();
        let (mut servers, mut addresses, mut scripts) =
            (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for name in COSIGNERS {
            let (server, script) = cosigner::start(name, &charter, Arc::clone(&clock)).await;
            addresses.insert(id(name), server.address().to_string());
            servers.push(server);
            scripts.insert(name.to_owned(), script);
        }
        let link = identity("desk");
        let cosigners = Cosigners::start(&charter, &addresses, &link, engine.clone()).unwrap();
        let (node, chain) = Node::start().await;
        let facts = Facts::start(&BTreeMap::new(), None, |path| path.to_owned(), &link).unwrap();
        let chains = Arc::new(BTreeMap::from([(id(CHAIN), Arc::new(chain))]));
        let poll = Duration::from_millis(20);
        let world = World::new(engine, cosigners, chains, facts, poll);
        world.template.get_or_init(|| super::office::checklists::template(None).unwrap());
        tokio::spawn(world.clone().run(effects));
        tokio::spawn(world.clone().sweep());
        world.look_at_chains();
        let answers = Arc::new(Answers::new(world.clone()));
        let socket = folder.path().join("run").join("desk.sock");
        let control = ControlDoor::open(&socket, answers.clone(), world.clone()).unwrap();
        let desk = unix::connect(&socket, Arc::new(Silent), Limits::default()).await.unwrap();
        let _control = control;
        Self { world, answers, clock, node, scripts, desk, charter, servers, _control, folder }
    }

    /// With the wallet `ops` and the agent `trader`.
    pub(super) async fn new() -> Self {
        let room = Self::founded().await;
        let open = quorate_terms::intent::OpenWallet {
            wallet: id("ops"),
            chains: [id(CHAIN)].into(),
            scheme: quorate_terms::intent::SchemeName::Dkls23Secp256k1,
            tier: quorate_terms::intent::Tier::Hot,
            purpose: "ops".to_owned(),
        };
        room.administer(Action::OpenWallet(open)).await;
        room.until(|book| book.wallets().any(|(_, wallet)| !wallet.accounts.is_empty())).await;
        room.admit("trader").await;
        room
    }

    pub(super) async fn admit(&self, name: &str) {
        let credential = credential(name, self.clock.now().plus_s(30 * 86_400));
        self.administer(Action::IssueCredential { credential }).await;
    }

    pub(super) fn later(&self, seconds: u64) {
        self.clock.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Waits until the book is so.
    pub(super) async fn until(&self, so: impl Fn(&Book) -> bool + Send + Sync + Clone + 'static) {
        let waiting = async {
            loop {
                let (size, so) = (self.world.engine.head().size, so.clone());
                if self.world.engine.look(move |book| so(book)).await.unwrap() {
                    return;
                }
                self.world.engine.grown(size).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the book did not come to be so");
    }

    /// Asks the control door.
    pub(super) async fn control<Q: serde::Serialize, A: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        ask: &Q,
    ) -> Reply<A> {
        let body = serde_json::to_vec(ask).unwrap();
        let answer = self.desk.call(method, body, PATIENCE).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub(super) async fn file(&self, key: &str, action: Action) -> Reply<CaseView> {
        let key = IdempotencyKey::new(key).unwrap();
        let ask = FileRequest { person: id("op"), key, action, openings: Vec::new() };
        self.control("desk.file", &ask).await
    }

    /// An administrative act through the control door, agreed to by ann and bo where people must agree.
    pub(super) async fn administer(&self, action: Action) -> CaseId {
        let key = format!("key-{}", self.world.engine.head().size);
        let case = self.file(&key, action).await.unwrap().case;
        for name in ["ann", "bo"] {
            self.approve(name, case).await;
        }
        case
    }

    /// Approves, unless the case is over.
    pub(super) async fn approve(&self, name: &str, case: CaseId) {
        self.answer(name, case, Verdict::Approve).await;
    }

    /// Says yes or no to a case, unless it is over.
    pub(super) async fn answer(&self, name: &str, case: CaseId, verdict: Verdict) {
        let found =
            self.world.engine.look(move |book| book.case(&case).map(|_| book.policy().digest()));
        let Some(policy) = found.await.unwrap() else { return };
        let body = ApprovalBody {
            v: 1,
            vault: id(VAULT),
            intent: case.intent(),
            policy,
            approver: id(name),
            credential: id(&format!("key-{name}")),
            verdict,
            issued_at: self.clock.now(),
            expires_at: self.clock.now().plus_s(1_800),
            display: Digest::ZERO,
        };
        let approval = Box::new(approval_of(name, body));
        let _closed_meanwhile = self.world.engine.tell(Event::ApprovalCame(approval)).await;
    }

    pub(super) async fn caller(&self, name: &str) -> Caller {
        let token = Digest::of(quorate_terms::digest::tag::TOKEN, name.as_bytes());
        self.answers.authenticate(token).await.expect("the agent is admitted")
    }

    pub(super) async fn ask(&self, caller: &Caller, ask: Question) -> Result<Answer, Complaint> {
        self.answers.ask(caller, ask, Progress::silent()).await
    }

    /// Prepares a payment to a stranger and gives the draft.
    pub(super) async fn prepare(&self, caller: &Caller, amount: u128) -> Result<Digest, Complaint> {
        self.prepare_with(caller, amount, None).await
    }

    /// The same, with words to the recipient.
    pub(super) async fn prepare_with(
        &self,
        caller: &Caller,
        amount: u128,
        memo: Option<&str>,
    ) -> Result<Digest, Complaint> {
        let transfer = TransferAsk {
            wallet: id("ops"),
            chain: id(CHAIN),
            to: recipient(),
            how_much: HowMuch::Base(Amount::from_u128(amount)),
            token: None,
            memo: memo.map(|memo| memo.parse().unwrap()),
            fee_ceiling: None,
        };
        match self.ask(caller, Question::PrepareSerializedUnsignedTx { transfer }).await? {
            Answer::PreparedBytes(prepared) => Ok(prepared.draft),
            other => panic!("{other:?}"),
        }
    }

    /// Erases the values of a case.
    pub(super) async fn erase(&self, case: CaseId, subject: &str) -> Reply<Vec<Digest>> {
        let ask = EraseRequest { case, subject: subject.to_owned(), person: id("op") };
        self.control("desk.erase", &ask).await
    }

    pub(super) async fn send(
        &self,
        caller: &Caller,
        draft: Digest,
        key: &str,
    ) -> Result<CaseSaid, Complaint> {
        let key = IdempotencyKey::new(key).unwrap();
        let sign = SignAsk { wallet: id("ops"), chain: id(CHAIN), draft, unsigned: None, key };
        match self.ask(caller, Question::SendTransaction { sign }).await? {
            Answer::Case(said) => Ok(*said),
            other => panic!("{other:?}"),
        }
    }

    /// A source's word that the newest transaction of a case is final.
    pub(super) async fn settle(&self, case: CaseId, fate: Fate) {
        let live = self.world.engine.look(move |book| {
            let case = book.case(&case)?;
            let live = case.live_draft()?;
            let txid = case.signed.last()?.txid.clone();
            Some((live.chain.clone(), live.account.clone(), live.nonce, txid))
        });
        let (chain, account, nonce, txid) = live.await.unwrap().expect("a signed case");
        let fee = Amount::from_u128(1);
        let fact = Fact::Finality { chain, account, nonce, txid, block: 9, depth: 9, fate, fee };
        let (source, at) = (id("watch"), self.clock.now());
        let body = FactBody { v: 1, vault: id(VAULT), source, at, fact };
        let fact = Box::new(SignedFact { signature: signed("watch", &body), body });
        self.world.engine.tell(Event::FinalityCame { case, fact }).await.unwrap();
        self.node.mined();
    }

    /// A payment from its preparation to its end.
    pub(super) async fn pay(&self, caller: &Caller, key: &str) -> CaseId {
        let draft = self.prepare(caller, MILLI).await.unwrap();
        let case = self.send(caller, draft, key).await.unwrap().case;
        self.settle(case, Fate::Settled).await;
        case
    }

    /// Every entry so far.
    pub(super) async fn entries(&self) -> Vec<Body> {
        let store = self.world.engine.store();
        let bytes = store.read(0, 100_000).await.unwrap();
        bytes.iter().map(|bytes| Entry::from_canonical(bytes).unwrap().body).collect()
    }
}

pub(super) fn identity(name: &str) -> Identity {
    Identity::from_seed(secret(name).as_bytes()).unwrap()
}
