//! A small house: a desk, a party that follows it from canonical bytes, two cosigners' charters, and everybody's keys.
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

pub(crate) mod keys;

use std::collections::BTreeSet;

pub(crate) use keys::*;
use quorate_chains::{FeeMode, Snapshot};
use quorate_custody::{
    Book, Case, Charter, Dossier, Effect, Event, Follower, Refusal, Step, Verdict, Warrant,
};
use quorate_ledger::Frontier;
use quorate_terms::approval::{Approval, ApprovalBody, Proof, Verdict as Word};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::credential::{AgentCredential, Band};
use quorate_terms::entry::{Body, Entry, Founded, KeyStatement, KeyStatementBody, Party};
use quorate_terms::fact::{CounterpartyCheck, Fact, FactBody, Fate, SignedFact};
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Resume, ResumeBody, Scope};
use quorate_terms::intent::{Action, Intent, OpenWallet, Requester, SchemeName, Tier, Transfer};
use quorate_terms::{AccountId, Amount, CaseId, Digest, IdempotencyKey, Timestamp};

/// Monday, 5 January 2026, noon.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_767_614_400_000);

pub(crate) struct House {
    pub(crate) founding: CharterText,
    pub(crate) book: Book,
    pub(crate) entries: Vec<Entry>,
    pub(crate) follower: Follower,
    pub(crate) cosigners: Vec<Charter>,
    pub(crate) now: Timestamp,
    pub(crate) nonce: u64,
    /// Whether desk and follower are compared in full after each append.
    pub(crate) compare: bool,
    keys: u64,
    own: u64,
}

impl House {
    /// Founded, nothing more.
    pub(crate) fn founded(text: CharterText) -> Self {
        let book = Book::new(text.clone()).unwrap();
        let follower = Follower::new(book.clone(), Frontier::default());
        let party = |name: &&str| Party::Cosigner { cosigner: id(name) };
        let cosigner = |name| Charter::new(party(name), text.clone()).unwrap();
        let cosigners = COSIGNERS.iter().map(cosigner).collect();
        let mut house = Self {
            founding: text.clone(),
            book,
            entries: Vec::new(),
            follower,
            cosigners,
            now: NOON,
            nonce: 0,
            compare: true,
            keys: 0,
            own: 0,
        };
        house.good(vec![Body::Founded(Box::new(Founded { charter: text }))]);
        house
    }

    /// With the wallet `ops` and the agent `trader`.
    pub(crate) fn new() -> Self {
        Self::with(charter())
    }

    pub(crate) fn with(text: CharterText) -> Self {
        let mut house = Self::founded(text);
        house.open_wallet("ops", &[CHAIN, MAINNET]);
        house.admit_agent("trader", NOON.plus_s(30 * 86_400));
        house
    }

    pub(crate) fn later(&mut self, seconds: u64) {
        self.now = self.now.plus_s(seconds);
    }

    // The desk and its followers.

    /// Appends bodies, folds them in both books, and gives the desk's verdicts.
    pub(crate) fn record(&mut self, bodies: Vec<Body>) -> Vec<Verdict> {
        let entries = self.book.entries(bodies, self.now).unwrap();
        entries.into_iter().map(|entry| self.append(entry)).collect()
    }

    /// Appends one entry as it stands.
    pub(crate) fn append(&mut self, entry: Entry) -> Verdict {
        let verdict = self.book.admit(&entry).unwrap();
        let bytes = entry.to_canonical().unwrap();
        let followed = self.follower.follow(&[bytes]).unwrap();
        assert_eq!(followed.voids.is_empty(), verdict == Verdict::Good);
        for coming in followed.coming {
            self.own_entry(coming.body);
        }
        self.entries.push(entry);
        if self.compare {
            assert_eq!(
                self.book.to_snapshot().unwrap(),
                self.follower.book().to_snapshot().unwrap(),
                "desk and follower agree at every entry"
            );
        }
        verdict
    }

    pub(crate) fn good(&mut self, bodies: Vec<Body>) {
        for verdict in self.record(bodies) {
            assert_eq!(verdict, Verdict::Good);
        }
    }

    /// Records a lie: void, and nothing but size, head and time has changed.
    pub(crate) fn lie(&mut self, body: Body) -> Refusal {
        let before = without_place(&self.book);
        let verdicts = self.record(vec![body]);
        let [Verdict::Void(refusal)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
        assert_eq!(before, without_place(&self.book), "a void entry changes nothing");
        refusal.clone()
    }

    /// What the desk does with an event; its records are good everywhere.
    pub(crate) fn event(&mut self, event: Event) -> Result<Step, Refusal> {
        let step = self.book.step(event, self.now)?;
        self.good(step.records.clone());
        Ok(step)
    }

    pub(crate) fn does(&mut self, event: Event) -> Step {
        self.event(event).unwrap()
    }

    /// An entry in every cosigner's own ledger, at the present time.
    pub(crate) fn own_entry(&mut self, body: Body) {
        let entry = Entry {
            v: 1,
            vault: id(VAULT),
            index: self.own,
            prev: Digest::ZERO,
            at: self.now,
            rules: "quorate-rules/1".to_owned(),
            body,
        };
        self.own += 1;
        for charter in &mut self.cosigners {
            charter.fold(&entry);
        }
    }

    // Intents.

    pub(crate) fn key(&mut self) -> IdempotencyKey {
        self.keys += 1;
        IdempotencyKey::new(format!("key-{}", self.keys)).unwrap()
    }

    pub(crate) fn intent(&mut self, requester: Requester, action: Action) -> Intent {
        Intent { v: 1, vault: id(VAULT), requester, key: self.key(), action }
    }

    pub(crate) fn file(&mut self, intent: &Intent) -> Result<CaseId, Refusal> {
        let event = filed(intent, None);
        self.event(event).map(|_| intent.case().unwrap())
    }

    /// A case of an administrative act by the operator, agreed to by ann and bo where people must agree.
    pub(crate) fn administer(&mut self, action: Action) -> CaseId {
        let intent = self.intent(person("op"), action);
        let case = self.file(&intent).unwrap();
        for name in ["ann", "bo"] {
            if self.book.case(&case).is_some() {
                self.approve(name, &case);
            }
        }
        case
    }

    /// A transfer by the agent, filed with a snapshot at hand.
    pub(crate) fn pay(&mut self, amount: u128) -> CaseId {
        let intent = self.transfer_of(agent("trader"), amount);
        self.file_with_snapshot(&intent)
    }

    pub(crate) fn transfer_of(&mut self, requester: Requester, amount: u128) -> Intent {
        self.intent(requester, Action::Transfer(transfer(amount)))
    }

    pub(crate) fn file_with_snapshot(&mut self, intent: &Intent) -> CaseId {
        let snapshot = self.snapshot(CHAIN);
        self.does(filed(intent, Some(snapshot)));
        intent.case().unwrap()
    }

    pub(crate) fn snapshot(&self, chain: &str) -> Snapshot {
        Snapshot {
            chain: id(chain),
            account: quorate_chains::account(&id(chain), &wallet_key()).unwrap(),
            nonce: self.nonce,
            base_fee: Amount::from_u128(20_000_000_000),
            priority_fee: Amount::from_u128(1_000_000_000),
            gas_limit: 21_000,
            fee_mode: FeeMode::Eip1559,
            block: 100,
            at: self.now,
        }
    }

    pub(crate) fn draft(&mut self, case: &CaseId) -> Step {
        let snapshot = Box::new(self.snapshot(CHAIN));
        self.does(Event::SnapshotCame { case: *case, snapshot })
    }

    pub(crate) fn replace(&mut self, case: &CaseId) -> Result<Step, Refusal> {
        let snapshot = Box::new(self.snapshot(CHAIN));
        self.event(Event::ReplacementAsked { case: *case, snapshot })
    }

    // People.

    pub(crate) fn approval(&self, name: &str, case: &CaseId) -> Approval {
        let body = ApprovalBody {
            v: 1,
            vault: id(VAULT),
            intent: case.intent(),
            policy: self.book.policy().digest(),
            approver: id(name),
            credential: id(&format!("key-{name}")),
            verdict: Word::Approve,
            issued_at: self.now,
            expires_at: self.now.plus_s(1_800),
            display: Digest::ZERO,
        };
        approval_of(name, body)
    }

    pub(crate) fn approve(&mut self, name: &str, case: &CaseId) -> Step {
        let approval = self.approval(name, case);
        self.does(Event::ApprovalCame(Box::new(approval)))
    }

    pub(crate) fn freeze(&self, name: &str, scope: Scope) -> Freeze {
        let body = FreezeBody {
            v: 1,
            vault: id(VAULT),
            by: Freezer::Approver { approver: id(name) },
            scope,
            at: self.now,
            cause: "drill".to_owned(),
        };
        Freeze { signature: signed(name, &body), body }
    }

    pub(crate) fn resume(&self, name: &str, index: u64) -> Resume {
        let entry = self.entries[usize::try_from(index).unwrap()].digest().unwrap();
        let body = ResumeBody {
            v: 1,
            vault: id(VAULT),
            charter: self.book.charter_digest(),
            index,
            entry,
            approver: id(name),
            expires_at: self.now.plus_s(600),
        };
        Resume { signature: signed(name, &body), body }
    }

    // Cosigners.

    pub(crate) fn live(&self, case: &CaseId) -> quorate_chains::Draft {
        let live = self.book.case(case).unwrap().live_draft().unwrap();
        quorate_chains::read_back(&live.chain, &hex::decode(&live.bytes).unwrap()).unwrap()
    }

    /// The first cosigner's warrant, from the follower's fold and its own charter.
    pub(crate) fn warrant(&self, case: &CaseId) -> Result<Warrant, Refusal> {
        self.warrant_at(case, self.now)
    }

    pub(crate) fn warrant_at(&self, case: &CaseId, now: Timestamp) -> Result<Warrant, Refusal> {
        let dossier = Dossier::of(self.follower.book(), case)?;
        Warrant::issue(&self.cosigners[0], &dossier, &self.live(case), now)
    }

    /// Both cosigners issue their warrants and mark them; the session's number makes it one of its own.
    pub(crate) fn mark(&mut self, case: &CaseId) {
        let session = Digest::of("quorate/test/v1", &self.own.to_le_bytes());
        let draft = self.live(case);
        let mut marks = Vec::new();
        for charter in &self.cosigners {
            let dossier = Dossier::of(self.follower.book(), case).unwrap();
            let warrant = Warrant::issue(charter, &dossier, &draft, self.now).unwrap();
            marks.push(warrant.mark(session, self.follower.size()));
            assert_eq!(warrant.spend().sighash, draft.meaning().sighash);
        }
        assert_eq!(marks[0], marks[1]);
        self.own_entry(Body::Marked(Box::new(marks.remove(0))));
    }

    /// Marks, signs and records.
    pub(crate) fn sign(&mut self, case: &CaseId) -> String {
        self.mark(case);
        let event = self.signature(case);
        self.does(event);
        self.book.case(case).unwrap().signed.last().unwrap().txid.clone()
    }

    pub(crate) fn signature(&self, case: &CaseId) -> Event {
        let (rs, recovery) = wallet_signs(self.live(case).meaning().sighash);
        Event::SignatureCame {
            case: *case,
            session: Digest::ZERO,
            rs,
            recovery,
            cosigners: COSIGNERS.iter().map(|c| id(c)).collect(),
            checkpoint_size: self.book.size(),
        }
    }

    /// Publishes and makes final.
    pub(crate) fn settle(&mut self, case: &CaseId, txid: &str) {
        self.does(Event::Published { case: *case, txid: txid.to_owned() });
        let fact = self.finality(case, txid, Fate::Settled);
        self.does(Event::FinalityCame { case: *case, fact: Box::new(fact) });
        self.nonce += 1;
    }

    /// The whole way of an allowed transfer.
    pub(crate) fn pay_through(&mut self, amount: u128) -> CaseId {
        let case = self.pay(amount);
        let txid = self.sign(&case);
        self.settle(&case, &txid);
        case
    }

    pub(crate) fn finality(&self, case: &CaseId, txid: &str, fate: Fate) -> SignedFact {
        let live = self.book.case(case).unwrap().live_draft().unwrap();
        self.fact(
            "watch",
            Fact::Finality {
                chain: live.chain.clone(),
                account: live.account.clone(),
                nonce: live.nonce,
                txid: txid.to_owned(),
                block: 200,
                depth: 3,
                fate,
                fee: Amount::from_u128(400_000_000_000_000),
            },
        )
    }

    pub(crate) fn fact(&self, source: &str, fact: Fact) -> SignedFact {
        let body = FactBody { v: 1, vault: id(VAULT), source: id(source), at: self.now, fact };
        SignedFact { signature: signed(source, &body), body }
    }

    pub(crate) fn case(&self, case: &CaseId) -> &Case {
        self.book.case(case).unwrap()
    }

    pub(crate) fn outcome(&self, case: &CaseId) -> String {
        format!("{:?}", self.book.closed(case).unwrap().outcome)
    }

    // Founding.

    pub(crate) fn open_wallet(&mut self, wallet: &str, chains: &[&str]) -> CaseId {
        let open = OpenWallet {
            wallet: id(wallet),
            chains: chains.iter().map(|c| id(c)).collect(),
            scheme: SchemeName::Dkls23Secp256k1,
            tier: Tier::Hot,
            purpose: "ops".to_owned(),
        };
        let case = self.administer(Action::OpenWallet(open));
        let statements = COSIGNERS.iter().map(|name| statement(name, wallet)).collect();
        let step = self.does(Event::KeyCame { case, library: "test".to_owned(), statements });
        assert_eq!(step.effects, [Effect::Receipt(case)]);
        case
    }

    pub(crate) fn admit_agent(&mut self, name: &str, expires_at: Timestamp) -> CaseId {
        let credential = credential(name, expires_at);
        self.administer(Action::IssueCredential { credential })
    }
}

pub(crate) fn credential(name: &str, expires_at: Timestamp) -> AgentCredential {
    AgentCredential {
        credential: id(&format!("cred-{name}")),
        agent: id(name),
        owner: id("op"),
        band: Band::Broadcast,
        wallets: BTreeSet::from([id("ops")]),
        role: None,
        token: Digest::of("quorate/token/v1", name.as_bytes()),
        expires_at,
    }
}

pub(crate) fn statement(name: &str, wallet: &str) -> KeyStatement {
    let body = KeyStatementBody {
        v: 1,
        vault: id(VAULT),
        wallet: id(wallet),
        epoch: 0,
        cosigner: id(name),
        ceremony: Digest::of("quorate/session/v1", wallet.as_bytes()),
        public_key: hex::encode(wallet_key()),
        transcript: Digest::of("quorate/transcript/v1", wallet.as_bytes()),
    };
    KeyStatement { signature: signed(name, &body), body }
}

pub(crate) fn approval_of(name: &str, body: ApprovalBody) -> Approval {
    Approval { proof: Proof::Ed25519 { signature: signed(name, &body) }, body }
}

pub(crate) fn person(name: &str) -> Requester {
    Requester::Person { person: id(name) }
}

pub(crate) fn agent(name: &str) -> Requester {
    Requester::Agent { agent: id(name), credential: id(&format!("cred-{name}")) }
}

pub(crate) fn recipient() -> AccountId {
    account("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
}

pub(crate) fn other_recipient() -> AccountId {
    account("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
}

pub(crate) fn transfer(amount: u128) -> Transfer {
    Transfer {
        wallet: id("ops"),
        asset: coin(CHAIN),
        to: recipient(),
        amount: Amount::from_u128(amount),
        fee_ceiling: Amount::from_u128(10 * MILLI),
        memo: None,
    }
}

pub(crate) fn filed(intent: &Intent, snapshot: Option<Snapshot>) -> Event {
    filed_with(intent, snapshot, Vec::new(), CounterpartyCheck::NotPerformed)
}

pub(crate) fn filed_with(
    intent: &Intent,
    snapshot: Option<Snapshot>,
    facts: Vec<SignedFact>,
    screening: CounterpartyCheck,
) -> Event {
    let snapshot = snapshot.map(Box::new);
    Event::Filed { intent: Box::new(intent.clone()), facts, screening, snapshot }
}

/// The kinds of some records, in order.
pub(crate) fn kinds(step: &Step) -> Vec<String> {
    let kind =
        |body: &Body| serde_json::to_value(body).unwrap()["type"].as_str().unwrap().to_owned();
    step.records.iter().map(kind).collect()
}

pub(crate) fn code<T>(result: Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.code,
    }
}

/// A book's state but for its place in the ledger.
pub(crate) fn without_place(book: &Book) -> serde_json::Value {
    let mut value: serde_json::Value =
        serde_json::from_slice(&book.to_snapshot().unwrap()).unwrap();
    for field in ["size", "head", "last_at", "voids"] {
        value["state"].as_object_mut().unwrap().remove(field);
    }
    value
}
