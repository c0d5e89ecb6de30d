//! Asking the running desk, over its Unix socket. Only processes of the desk's own user get through.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate_host::link::{Limits, Link, Silent};
use quorate_host::unix;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::trouble::{Tried, Trouble};
use quorate_gateway::office::{Reply, StatusView};

/// Where the desk listens, within its folder.
pub(crate) const SOCKET: &str = "run/desk.sock";

/// How long one answer may take. Waiting for a case is many short questions.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the desk.
pub(crate) struct Desk(Link);

impl Desk {
    /// Connects to the desk of a folder.
    ///
    /// # Errors
    /// [`Trouble`] when no desk runs there.
    pub(crate) async fn at(dir: &Path) -> Tried<Self> {
        let path = dir.join(SOCKET);
        let link =
            unix::connect(&path, Arc::new(Silent), Limits::default()).await.map_err(|e| {
                let mend = format!("start the desk with `quorate up --dir {}`", dir.display());
                Trouble::new(e.what(), e.why(), mend)
            })?;
        Ok(Self(link))
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`Trouble`] with the desk's refusal, or when it gives no answer that can be read.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        method: &str,
        question: &impl Serialize,
    ) -> Tried<A> {
        self.ask_within(method, question, PATIENCE).await
    }

    /// As [`Desk::ask`], for what may take longer.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub(crate) async fn ask_within<A: DeserializeOwned>(
        &self,
        method: &str,
        question: &impl Serialize,
        patience: Duration,
    ) -> Tried<A> {
        let body = serde_json::to_vec(question)
            .map_err(|e| Trouble::new(method, e.to_string(), "report this"))?;
        let answer = self.0.call(method, body, patience).await?;
        let reply: Reply<A> = serde_json::from_slice(&answer).map_err(|e| {
            let why = format!("gave an answer that cannot be read ({e})");
            Trouble::new(method, why, "run the command line of the same version as the desk")
        })?;
        Ok(reply?)
    }

    /// How the desk and those around it are.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub(crate) async fn status(&self) -> Tried<StatusView> {
        self.ask("desk.status", &()).await
    }
}
