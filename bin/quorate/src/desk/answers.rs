//! What the desk answers at its MCP doors. Reading tells; preparing remembers a draft and reserves nothing; signing and
//! sending file an intent, which takes the same path as everybody's. Nothing here can approve.

mod filing;
mod looking;
mod preparing;
mod story;
mod trouble;

use std::sync::Arc;

use async_trait::async_trait;
use quorate_custody::Book;
use quorate_custody::book::OpenAlert;
use quorate_gateway::answer::Answer;
use quorate_gateway::desk::{Alarm, Caller, Desk, Progress};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::question::Question;
use quorate_terms::credential::AgentCredential;
use quorate_terms::entry::Severity;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{AccountId, CaseId, ChainId, Digest, Timestamp};

use super::chain::Chain;
use super::effects::pulse::TOOLS_CHANGED;
use super::effects::{World, alert};
use super::engine::Engine;
use preparing::Drafts;
pub(super) use story::Story;
use trouble::{from_trouble, malformed};

/// The desk behind its doors.
pub(crate) struct Answers {
    world: Arc<World>,
    drafts: Drafts,
}

impl Answers {
    /// Answers for this world.
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world, drafts: Drafts::default() }
    }

    fn engine(&self) -> &Engine {
        &self.world.engine
    }

    fn now(&self) -> Timestamp {
        self.engine().clock().now()
    }

    /// The policy document in force.
    async fn policy(&self) -> Result<PolicyDocument, Complaint> {
        self.engine().look(|book| book.policy().document().clone()).await.map_err(from_trouble)
    }

    /// The node of a chain.
    fn chain(&self, chain: &ChainId) -> Result<&Arc<Chain>, Complaint> {
        self.world.chains.get(chain).ok_or_else(|| {
            let message =
                format!("this desk has no node for `{chain}`; name a chain of one of its wallets");
            Complaint::new(Code::UnknownChain, message)
        })
    }
}

impl Answers {
    async fn answer(
        &self,
        caller: &Caller,
        question: Question,
        progress: Progress,
    ) -> Result<Answer, Complaint> {
        match question {
            Question::GetBalance { account, fiat } => self.balance(&account, &fiat).await,
            Question::GetAllBalances { account, fiat, assets, include_native } => {
                self.balances(&account, &fiat, assets, include_native).await
            }
            Question::GetPrice { of, base } => self.price(of, &base).await,
            Question::GetFeeQuote { chain, from, to, amount, token, memo: _, fiat } => {
                self.fee_quote(&chain, (&from, &to), amount, token, &fiat).await
            }
            Question::ResolveAsset { chain, by, limit } => self.resolve(&chain, &by, limit).await,
            Question::GetTxStatus { chain, tx } => self.status(caller, &chain, tx.as_str()).await,
            Question::GetTxHistory { account, limit } => {
                self.history(caller, &account, limit).await
            }
            Question::ListCases { wallet, open_only, limit, after } => {
                self.list(caller, wallet, open_only, limit, after).await
            }
            Question::GetCase { case } => self.case(caller, case).await,
            Question::GetReceipt { case } => self.receipt(caller, case).await,
            Question::PrepareTransfer { transfer } => self.prepare(caller, &transfer, true).await,
            Question::PrepareSerializedUnsignedTx { transfer } => {
                self.prepare(caller, &transfer, false).await
            }
            Question::ExplainTransfer { transfer } => self.explain(caller, &transfer).await,
            Question::GetWalletAddress { wallet, chain } => self.address(&wallet, &chain).await,
            Question::SignTransaction { sign } => self.file(caller, sign, true, progress).await,
            Question::SendTransaction { sign } => self.file(caller, sign, false, progress).await,
        }
    }
}

/// An account whose EIP-55 checksum holds.
fn checked(account: &AccountId) -> Result<AccountId, Complaint> {
    quorate_chains::parse_account(account.address(), &account.chain())
        .map_err(|e| malformed(Code::InvalidAddress, &e))
}

/// Whether a case was filed by `sign_transaction`: its signed bytes are the caller's to publish, and the desk does not.
///
/// Should the store not answer, nothing is published: that can be mended later, and a publication cannot be taken back.
pub(crate) async fn is_detached(engine: &Engine, case: &CaseId) -> bool {
    engine.store().get(&detached_key(case)).await.map_or(true, |value| value.is_some())
}

/// Whether an agent was admitted under another tool list than its band has now, and nobody has looked at the change: the
/// alert is still open (T23).
fn is_held_back(book: &Book, credential: &AgentCredential) -> bool {
    let admitted = book.credential(&credential.credential).and_then(|admitted| admitted.manifest);
    let band = credential.band.to_string();
    let unseen = |open: &OpenAlert| open.rule == TOOLS_CHANGED && open.subject == band;
    admitted.is_some_and(|manifest| book.manifest(credential.band) != Some(manifest))
        && book.alerts().any(|(_, open)| unseen(open))
}

fn detached_key(case: &CaseId) -> String {
    format!("detached/{case}")
}

#[async_trait]
impl Desk for Answers {
    async fn authenticate(&self, token: Digest) -> Option<Caller> {
        let now = self.now();
        let found = self.engine().look(move |book| {
            let credential = book.credential_by_token(&token, now).cloned()?;
            let held = is_held_back(book, &credential);
            Some((credential, held))
        });
        let (credential, held) = found.await.ok()??;
        if held {
            tracing::warn!(agent = %credential.agent, "refused: its tools changed and nobody has closed the alert");
            return None;
        }
        Some(Caller {
            credential: credential.credential,
            agent: credential.agent,
            band: credential.band,
            wallets: credential.wallets,
            owner: credential.owner,
            role: credential.role,
        })
    }

    async fn ask(
        &self,
        caller: &Caller,
        question: Question,
        progress: Progress,
    ) -> Result<Answer, Complaint> {
        let answer = self.answer(caller, question, progress).await;
        answer.inspect_err(|complaint| self.world.meters.refused(complaint.code))
    }

    async fn alarm(&self, alarm: Alarm) {
        let (rule, subject) = match &alarm {
            Alarm::ForeignSession { credential, owner } => {
                ("foreign_session", format!("{credential} used {owner}'s"))
            }
            Alarm::BeyondScope { credential, tool } => {
                ("beyond_scope", format!("{credential} asked {tool}"))
            }
        };
        let raised = alert(self.engine(), rule, Severity::High, subject).await;
        if let Err(trouble) = raised {
            tracing::error!(%trouble, rule, "an alarm of the doors was not recorded");
        }
    }
}
