//! What the doors ask of the desk. The trait has two makers: the running desk itself, and a Unix socket to it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use quorate_terms::credential::{Band, Role};
use quorate_terms::{AgentId, CredentialId, Digest, PersonId, WalletId};

use crate::answer::Answer;
use crate::errors::Complaint;
use crate::question::Question;

/// Who is asking, as the desk recognised the credential at this very request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The credential.
    pub credential: CredentialId,
    /// The program that holds it.
    pub agent: AgentId,
    /// The highest band it allows.
    pub band: Band,
    /// The wallets that it may name.
    pub wallets: BTreeSet<WalletId>,
    /// The person who answers for it.
    pub owner: PersonId,
    /// What its owner may do with it in person; none when it is an agent's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
}

/// Something at a door that people should look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "alarm", rename_all = "snake_case", deny_unknown_fields)]
pub enum Alarm {
    /// A credential used the session of another one.
    ForeignSession {
        /// Who used it.
        credential: CredentialId,
        /// Whose it is.
        owner: CredentialId,
    },
    /// A question above the caller's band or outside its wallets reached the second check.
    BeyondScope {
        /// Who asked.
        credential: CredentialId,
        /// Which tool.
        tool: String,
    },
}

/// One step of a long call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How many steps are done.
    pub done: u32,
    /// How many there are.
    pub of: u32,
    /// What was done last: constant words of ours, never outside text.
    pub said: String,
}

/// Where the desk tells how far a long call has come. Telling never waits and never fails.
#[derive(Clone, Debug)]
pub struct Progress(Option<mpsc::Sender<Step>>);

impl Progress {
    /// A listener that holds at most `capacity` untold steps; further ones are dropped.
    pub fn channel(capacity: usize) -> (Self, mpsc::Receiver<Step>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self(Some(sender)), receiver)
    }

    /// Nobody listens.
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Tells one step.
    pub fn tell(&self, done: u32, of: u32, said: &str) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send(Step { done, of, said: said.to_owned() });
        }
    }
}

/// The desk, as its doors see it.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Recognises a credential by what stands in its `token`: `Digest::of(tag::TOKEN, token)`, or `subject_digest` of whom an
    /// authorization server vouches for. None when it is unknown, revoked or expired.
    ///
    /// Asked at every request. The comparison is of digests, so its time says nothing about a token.
    async fn authenticate(&self, token: Digest) -> Option<Caller>;

    /// Answers a question. The door has checked its form, band and wallet; the desk checks everything again that
    /// matters: the draft's bytes against its own memory, the policy, the book.
    ///
    /// Dropping the future stops the waiting, never the case.
    ///
    /// # Errors
    /// [`Complaint`], with an empty request id, which the door fills.
    async fn ask(
        &self,
        caller: &Caller,
        question: Question,
        progress: Progress,
    ) -> Result<Answer, Complaint>;

    /// Takes note of an alarm. Never fails and never waits for people.
    async fn alarm(&self, alarm: Alarm);
}
