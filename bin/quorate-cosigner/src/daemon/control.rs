//! The control socket: what the operator's own command line asks of the running daemon. Only this user gets through.

use quorate_cosigner::share::Expected;
use quorate_host::link::{BoxFuture, Handler, Refused, Request};
use quorate_host::seal::{Cost, KeySource};
use quorate_host::{Secret, Store};
use quorate_terms::CosignerId;
use quorate_terms::freeze::Scope;
use quorate_terms::reading::ReadRequest;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::Input;
use crate::backup;
use crate::export::{self, OWN_READ};
use crate::shares::Shared;

/// What `freeze` is asked with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreezeAsk {
    pub(crate) scope: Scope,
    pub(crate) cause: String,
}

/// See the module.
pub(crate) struct Local {
    inputs: mpsc::Sender<Input>,
    me: CosignerId,
    party: u8,
    own: Store,
}

impl Local {
    /// `party` is this cosigner's number: who holds shares, and in which order, is the same under every charter of a vault.
    pub(crate) fn new(
        inputs: mpsc::Sender<Input>,
        (me, party): (CosignerId, u8),
        own: Store,
    ) -> Self {
        Self { inputs, me, party, own }
    }

    async fn answer(&self, request: Request) -> Result<Vec<u8>, Refused> {
        match request.method.as_str() {
            "status" => {
                let (reply, answer) = oneshot::channel();
                let status = self.ask(Input::Status(reply), answer).await?;
                serde_json::to_vec(&status).map_err(|e| Refused::new("bug", e.to_string()))
            }
            "freeze" => {
                let ask: FreezeAsk = serde_json::from_slice(&request.body)
                    .map_err(|e| Refused::new("malformed", e.to_string()))?;
                let (reply, answer) = oneshot::channel();
                self.ask(Input::FreezeHere(ask.scope, ask.cause, reply), answer)
                    .await
                    .map(|()| Vec::new())
            }
            OWN_READ => {
                let ask: ReadRequest = serde_json::from_slice(&request.body)
                    .map_err(|e| Refused::new("malformed", e.to_string()))?;
                let page = export::page(&self.own, ask.from).await;
                let page = page.map_err(|e| Refused::new("unreadable", e.to_string()))?;
                serde_json::to_vec(&page).map_err(|e| Refused::new("bug", e.to_string()))
            }
            "backup.verify" => self.verify(Secret::new(request.body)).await,
            "stop" => {
                let stopped = self.inputs.send(Input::Stop).await;
                stopped.map(|()| Vec::new()).map_err(|_| stopping())
            }
            _ => Err(Refused::new("unknown_method", "compare the versions")),
        }
    }

    /// Opens the backup with the passphrase given, and proves it by a drill.
    async fn verify(&self, body: Secret) -> Result<Vec<u8>, Refused> {
        let (me, party) = (self.me.clone(), self.party);
        let opened = tokio::task::spawn_blocking(move || open(&body, &me, party)).await;
        let (share, digest) = opened.map_err(|_| Refused::new("bug", "report this"))??;
        let (reply, answer) = oneshot::channel();
        let drilled = self.ask(Input::Backup(share, digest, reply), answer).await?;
        let statement = drilled.map_err(|r| Refused::new(r.code.clone(), r.to_string()))?;
        serde_json::to_vec(&statement).map_err(|e| Refused::new("bug", e.to_string()))
    }

    async fn ask<T>(&self, input: Input, answer: oneshot::Receiver<T>) -> Result<T, Refused> {
        self.inputs.send(input).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }
}

fn stopping() -> Refused {
    Refused::new("stopping", "this cosigner stops; ask again when it is back")
}

fn open(
    body: &Secret,
    me: &CosignerId,
    party: u8,
) -> Result<(Shared, quorate_terms::Digest), Refused> {
    let (passphrase, file) = backup::unpack(body.expose())
        .ok_or_else(|| Refused::new("malformed", "compare the versions"))?;
    let source = KeySource::Passphrase {
        passphrase: Secret::new(passphrase.to_vec()),
        cost: Cost::STANDARD,
    };
    let sealed = backup::Sealed::parse(file).map_err(|f| Refused::new("backup", f.to_string()))?;
    if sealed.facts.cosigner != *me || sealed.facts.party != party {
        return Err(Refused::new(
            "backup",
            "it is another cosigner's; verify it where its share is held",
        ));
    }
    let expected = Expected { wallet: &sealed.facts.wallet, epoch: sealed.facts.epoch, party };
    let share =
        sealed.open(&source, &expected).map_err(|f| Refused::new("backup", f.to_string()))?;
    Ok((share.shared(), backup::digest(file)))
}

impl Handler for Local {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(self.answer(request))
    }
}
