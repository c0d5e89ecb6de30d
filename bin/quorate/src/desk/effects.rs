//! Doing what the book says is to be done, once it is durable. Every effect may be repeated without harm.

pub mod balances;
pub mod ceremony;
mod patience;
pub mod publish;
pub mod pulse;
pub mod signing;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use quorate_chains::Snapshot;
use quorate_custody::{Book, Effect, Event, State};
use quorate_terms::CaseId;
use quorate_terms::checklist::Template;
use quorate_terms::entry::{AlertRaised, Body, Outcome, Severity};
use quorate_terms::intent::Transfer;
use tokio::sync::{Semaphore, mpsc};

use super::balances::Balances;
use super::chain::Chains;
use super::cosigners::Cosigners;
use super::engine::{Engine, Trouble};
use super::facts::Facts;
use super::heights::Heights;
use super::meters::Meters;
use patience::Patience;

/// The most simulations at a time.
const TRIALS_AT_ONCE: usize = 4;

/// What the effects reach.
pub struct World {
    /// The writer.
    pub engine: Engine,
    /// The cosigners.
    pub cosigners: Arc<Cosigners>,
    /// The chain nodes.
    pub chains: Chains,
    /// The sources of facts.
    pub facts: Arc<Facts>,
    /// Between looks at the chain.
    pub poll: Duration,
    /// What is measured on the way.
    pub meters: Meters,
    pub(super) heights: Heights,
    /// What nodes said of balances.
    pub balances: Balances,
    /// What is done when people come, move and leave; set once, before any door is open.
    pub template: OnceLock<Template>,
    /// Turns of those who look at simulations: they share the node with what the desk itself has to do.
    pub(super) trials: Semaphore,
    /// When those who refused are asked again.
    patience: Patience,
    busy: Mutex<BTreeSet<Effect>>,
}

impl World {
    /// The world of a desk.
    pub fn new(
        engine: Engine,
        cosigners: Arc<Cosigners>,
        chains: Chains,
        facts: Arc<Facts>,
        poll: Duration,
    ) -> Arc<Self> {
        let (meters, heights, busy) = (Meters::default(), Heights::default(), Mutex::default());
        let (template, balances) = (OnceLock::new(), Balances::default());
        let trials = Semaphore::new(TRIALS_AT_ONCE);
        Arc::new(Self {
            engine,
            cosigners,
            chains,
            facts,
            poll,
            meters,
            heights,
            balances,
            template,
            trials,
            patience: Patience::default(),
            busy,
        })
    }

    /// Takes effects as they come, each on a task of its own; one that runs already is not started twice.
    pub async fn run(self: Arc<Self>, mut effects: mpsc::UnboundedReceiver<Effect>) {
        while let Some(effect) = effects.recv().await {
            self.start(effect);
        }
    }

    /// Starts one effect unless it runs already.
    pub fn start(self: &Arc<Self>, effect: Effect) {
        let fresh = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(effect.clone());
        if !fresh {
            return;
        }
        let world = self.clone();
        tokio::spawn(async move {
            world.act(&effect).await;
            world.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&effect);
        });
    }

    async fn act(&self, effect: &Effect) {
        let outcome = match effect {
            Effect::Notify(_) => Ok(()),
            Effect::Fetch(case) => self.fetch(*case).await,
            Effect::Convene(case) => self.convene(*case).await,
            Effect::Generate(case) => self.generate(*case).await,
            Effect::Publish(case) => self.publish(*case).await,
            Effect::Watch(case) => self.watch(*case).await,
            Effect::Spread(freeze) => self.spread(*freeze).await,
            Effect::Receipt(case) => {
                if self.moved(*case).await {
                    self.balances.hasten(self.engine.clock().now());
                }
                self.witness().await
            }
        };
        if let Err(trouble) = outcome {
            tracing::warn!(?effect, %trouble, "an effect did not come off; it is tried again");
        }
    }

    /// Whether a case is over and moved something.
    async fn moved(&self, case: CaseId) -> bool {
        let is_so = move |book: &Book| book.closed(&case).is_some_and(|over| moves(over.outcome));
        let looked = self.engine.look(is_so);
        // It fails only where the desk is stopping.
        looked.await.unwrap_or(false)
    }

    /// Tries again what is still to be done: after a restart, and whenever something did not come off.
    pub async fn sweep(self: Arc<Self>) {
        let mut pulse_due = self.engine.clock().now();
        loop {
            if self.engine.clock().now() >= pulse_due {
                pulse_due = self.engine.clock().now().plus_s(pulse::PULSE_S);
                if let Err(trouble) = self.pulse().await {
                    tracing::warn!(%trouble, "the heartbeat was not recorded");
                }
            }
            if let Err(trouble) = self.watch_itself().await {
                tracing::warn!(%trouble, "an alarm of the desk was not recorded");
            }
            if let Ok(effects) = self.engine.look(|book| book.pending_effects()).await {
                self.patience.keep(&awaiting(&effects));
                effects.into_iter().for_each(|effect| self.start(effect));
            }
            if let Err(trouble) = self.engine.tell(Event::Ticked).await {
                tracing::warn!(%trouble, "the clock's tick was not recorded");
            }
            if let Err(trouble) = self.witness().await {
                tracing::warn!(%trouble, "the cosigners were not told the news");
            }
            // It fails only where the desk is stopping.
            let _stopping = self.measure().await;
            tokio::time::sleep(self.poll).await;
        }
    }

    /// Reads the chain once for a case: its first draft, or a replacement of the one it has.
    async fn fetch(&self, case: CaseId) -> Result<(), Trouble> {
        let Some((transfer, state, given_up)) = self.transfer(case).await? else { return Ok(()) };
        let Some(snapshot) = self.snapshot(&transfer).await? else { return Ok(()) };
        let snapshot = Box::new(snapshot);
        let event = match state {
            State::AwaitSnapshot => Event::SnapshotCame { case, snapshot },
            _ if given_up => Event::ReplacementAsked { case, snapshot },
            _ => return Ok(()),
        };
        self.engine.tell(event).await.map(drop)
    }

    /// Replaces the live draft of a case: higher fees, or an empty transfer once it was given up.
    ///
    /// # Errors
    /// [`Trouble`] with the reason.
    pub async fn replace(&self, case: CaseId) -> Result<(), Trouble> {
        let Some((transfer, ..)) = self.transfer(case).await? else {
            let next = "look at `quorate case list`";
            let refusal = quorate_custody::Refusal::new(
                "unknown_case",
                "there is no such open transfer",
                next,
            );
            return Err(Trouble::Refused(refusal));
        };
        let Some(snapshot) = self.snapshot(&transfer).await? else {
            let next = "see `quorate doctor`, then try again";
            let refusal =
                quorate_custody::Refusal::new("no_chain", "the chain node does not answer", next);
            return Err(Trouble::Refused(refusal));
        };
        let snapshot = Box::new(snapshot);
        self.engine.tell(Event::ReplacementAsked { case, snapshot }).await.map(drop)
    }

    async fn transfer(&self, case: CaseId) -> Result<Option<(Transfer, State, bool)>, Trouble> {
        self.engine
            .look(move |book| {
                let case = book.case(&case)?;
                Some((case.transfer()?.clone(), case.state, case.cancel.is_some()))
            })
            .await
    }

    /// One snapshot for a transfer; none when the chain cannot be read now, and the sweep tries again.
    pub async fn snapshot(&self, transfer: &Transfer) -> Result<Option<Snapshot>, Trouble> {
        let (wallet, chain) = (transfer.wallet.clone(), transfer.asset.chain());
        let at = chain.clone();
        let account =
            self.engine.look(move |book| book.wallet(&wallet)?.accounts.get(&at).cloned()).await?;
        let (Some(account), Some(node)) = (account, self.chains.get(&chain)) else {
            return Ok(None);
        };
        let now = self.engine.clock().now();
        match node.snapshot(&account, Some(transfer), now).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(error) => {
                tracing::warn!(%chain, %error, "the chain could not be read");
                Ok(None)
            }
        }
    }

    async fn spread(&self, freeze: quorate_terms::Digest) -> Result<(), Trouble> {
        let signed = self.engine.look(move |book| book.signed_freeze(&freeze)).await?;
        if let Some(signed) = signed {
            self.cosigners.spread(&signed).await;
        }
        self.witness().await
    }

    /// Tells every cosigner the news and takes what they have to tell the book.
    async fn witness(&self) -> Result<(), Trouble> {
        let everyone = self.cosigners.names().into_iter().collect();
        let answers = self.cosigners.ask(&everyone, &quorate_custody::protocol::Ask::Follow).await;
        for answer in answers.into_values().flatten() {
            self.hear_out(&answer).await?;
        }
        Ok(())
    }

    /// Records what a cosigner tells of its own accord: proven backups, freezes and ends of delegations at its
    /// door, peers that it barred.
    async fn hear_out(&self, answer: &quorate_custody::protocol::Answer) -> Result<(), Trouble> {
        for backup in &answer.outbox.backups {
            self.engine.tell(Event::BackupCame(Box::new(backup.clone()))).await?;
        }
        for freeze in &answer.outbox.freezes {
            self.engine.tell(Event::FreezeCame(Box::new(freeze.clone()))).await?;
        }
        for ending in &answer.outbox.endings {
            self.engine.tell(Event::EndingCame(Box::new(ending.clone()))).await?;
        }
        for (wallet, holder, cause) in &answer.outbox.barred {
            let by = answer.cosigner.clone();
            let (wallet, holder, cause) = (wallet.clone(), holder.clone(), cause.clone());
            self.engine.tell(Event::PeerBarred { wallet, holder, by, cause }).await?;
        }
        Ok(())
    }

    async fn alert(&self, rule: &str, severity: Severity, subject: String) -> Result<(), Trouble> {
        alert(&self.engine, rule, severity, subject).await.map(drop)
    }
}

/// The cases over which the cosigners are to be convened.
fn awaiting(effects: &[Effect]) -> BTreeSet<CaseId> {
    let convened = effects.iter().filter_map(|effect| match effect {
        Effect::Convene(case) => Some(*case),
        _ => None,
    });
    convened.collect()
}

/// Whether what ended so is on chain or did what it was for, such as opening a wallet: what was denied, given up or expired
/// before moved nothing.
const fn moves(outcome: Outcome) -> bool {
    use Outcome::{
        Aborted, Cancelled, Done, Expired, Refused, Rejected, Replaced, Reverted, Settled,
    };
    match outcome {
        Settled | Reverted | Replaced | Done => true,
        Refused | Rejected | Aborted | Expired | Cancelled => false,
    }
}

/// Raises an alert, unless the same one is open already; says whether it did.
///
/// # Errors
/// [`Trouble`] when nothing can be recorded now.
pub async fn alert(
    engine: &Engine,
    rule: &str,
    severity: Severity,
    subject: String,
) -> Result<bool, Trouble> {
    let raised = AlertRaised::of(rule, severity, subject);
    let alert = raised.alert;
    if engine.look(move |book| book.alerts().any(|(open, _)| *open == alert)).await? {
        return Ok(false);
    }
    engine.tell(Event::Noted(Box::new(Body::AlertRaised(Box::new(raised))))).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_denied_given_up_or_expired_moved_nothing() {
        use Outcome::{
            Aborted, Cancelled, Done, Expired, Refused, Rejected, Replaced, Reverted, Settled,
        };
        for outcome in [Settled, Reverted, Replaced, Done] {
            assert!(moves(outcome), "{outcome:?}");
        }
        for outcome in [Refused, Rejected, Aborted, Expired, Cancelled] {
            assert!(!moves(outcome), "{outcome:?}");
        }
    }
}
