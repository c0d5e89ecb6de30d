//! The daemon: hosts one party.
//!
//! Two tasks do the work. The *engine* owns the party: it steps one event after another and queues what the step appends.
//! The *executor* waits, in the same order, until those appends are durable, and only then runs the step's effects. So
//! events go on while the disk is busy, and yet no message and no answer leaves before its record.
//!
//! Reading order: what comes in ([`Input`]), the engine, the executor of effects, the links, the control socket.

mod control;
mod effects;
mod engine;
mod links;

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_cosigner::Party;
use quorate_cosigner::dkls23;
use quorate_cosigner::party::{CallId, DrillCall, Event};
use quorate_custody::Refusal;
use quorate_custody::protocol::{Answer, Call};
use quorate_host::link::{Refused, Server};
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_host::unix::Control;
use quorate_host::{Clock, Fault, SystemClock, harden, telemetry};
use quorate_terms::delegation::Ending;
use quorate_terms::entry::BackupStatement;
use quorate_terms::freeze::{Freeze, Scope};
use quorate_terms::{CosignerId, Digest, Timestamp};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tracing::level_filters::LevelFilter;

use crate::captured;
use crate::cli::Passphrase;
use crate::files::{Home, LocalKeys};
use crate::rebuild::{self, Own, Stores};
use crate::settings::Settings;
use crate::shares::{Cabinet, Shared};
use crate::snapshot::{self, Start};
use crate::status::Status;
use crate::trouble::fault;

pub(crate) use control::FreezeAsk;
pub(crate) use links::limits;

/// Inputs that may wait for the engine; a sender of more waits.
const INPUTS: usize = 1024;

/// What a drill comes to.
pub(crate) type Drilled = Result<Option<Box<BackupStatement>>, Refusal>;

/// Something for the engine.
pub(crate) enum Input {
    /// The desk called.
    Call(Box<Call>, oneshot::Sender<Result<Answer, Refused>>),
    /// A peer sent protocol bytes.
    Round(CosignerId, Vec<u8>),
    /// A signed freeze came.
    Freeze(Box<Freeze>, oneshot::Sender<Result<(), Refusal>>),
    /// A delegation was taken back.
    Ending(Box<Ending>, oneshot::Sender<Result<(), Refusal>>),
    /// The operator freezes here.
    FreezeHere(Scope, String, oneshot::Sender<()>),
    /// A peer asks for a drill.
    Drill(CosignerId, DrillCall, oneshot::Sender<Drilled>),
    /// The operator proves a backup: the share in it, and SHA-256 of the file.
    Backup(Shared, Digest, oneshot::Sender<Drilled>),
    /// The operator asks how things are.
    Status(oneshot::Sender<Status>),
    /// Time went by.
    Tick,
    /// The operator ends it.
    Stop,
}

/// Who waits for an answer of the party.
pub(crate) enum Waiter {
    /// The desk.
    Call(oneshot::Sender<Result<Answer, Refused>>),
    /// A peer or the operator, for a drill.
    Drill(oneshot::Sender<Drilled>),
}

/// Everybody who waits, by the name that the party knows them by.
pub(crate) type Waiters = BTreeMap<CallId, Waiter>;

/// `run`: until it is stopped, or the disk fails.
pub(crate) async fn run(ui: Ui, home: Home, passphrase: Passphrase) -> Result<(), Fault> {
    let clock = SystemClock::shared();
    let settings = Settings::load(&home)?;
    telemetry::start(
        settings.log.unwrap_or(telemetry::Format::Text),
        LevelFilter::INFO,
        Arc::clone(&clock),
    )?;
    // Nobody types a passphrase for a cosigner that cannot start.
    let founding = home.accepted()?;
    let set = Cabinet::is_set(&home.shares());
    let passphrase =
        passphrase.get("passphrase of this cosigner's shares", !set, harden::harden)?;
    let random = Random::start()?;
    dkls23::start_up_test().map_err(|e| {
        fault("random", &e.to_string(), "do not start this process on this machine")
    })?;

    let keys = Arc::new(LocalKeys::load(&home)?);
    let number = founding.party(&settings.cosigner).ok_or_else(|| {
        fault("charter", "seats no cosigner of this name", "accept it on the machine that it seats")
    })?;
    let cabinet = Arc::new(Cabinet::unseal(home.shares(), passphrase, number, random)?);
    let stores = Stores::open(&home).await?;
    let owner = keys.identity.public_key();
    let (follower, start) = rebuild::follow(&stores.book, &founding, &owner).await?;
    let mut own = Own::replay(&stores.own, &settings.cosigner, &founding, &owner).await?;
    if own.fold.book.size() == 0 && (follower.size() > 0 || cabinet.holds_any()?) {
        let why = "is empty, and this directory holds a replica or a share: marks of what this cosigner signed are gone";
        return Err(fault("own.db", why, snapshot::LOST));
    }
    let notices = notices(&own, &start, clock.now());
    let held = (start.held, own.start.held);
    captured::record(&mut own, &stores.own, &settings, clock.now()).await?;
    let mut party = own.party(&settings.cosigner, Arc::clone(&keys) as _, follower, clock.now());
    settings.agrees(&keys, party.charter().text())?;
    party.declare(captured::placement(party.charter(), &settings));
    load_shares(&mut party, &cabinet).await?;
    serve(ui, (home, settings, keys, number), (party, stores, cabinet), (clock, held, notices))
        .await
}

/// What the start has to say in the own ledger: where shares run, and an alarm for whatever was wrong and is gone on with.
fn notices(own: &Own, replica: &Start, now: Timestamp) -> Vec<Event> {
    let noticed =
        |rule, why: &Option<String>| why.clone().map(|subject| Event::Noticed { rule, subject });
    let mut events = vec![Event::Unsealed];
    events.extend(noticed("snapshot_refused", &replica.trouble));
    events.extend(noticed("own_snapshot_refused", &own.start.trouble));
    let expected = own.fold.book.last_at();
    if expected.since(now) > quorate_host::clock::JUMP_MS {
        events.push(Event::ClockJumped { expected, found: now });
    }
    events
}

async fn load_shares(party: &mut Party, cabinet: &Arc<Cabinet>) -> Result<(), Fault> {
    let opener = Arc::clone(cabinet);
    let opened = tokio::task::spawn_blocking(move || opener.all()).await;
    let shares = opened.map_err(|_| fault("shares", "could not be opened", "start again"))??;
    for share in shares {
        let facts = share.facts().clone();
        if party.load(share) {
            tracing::info!(wallet = %facts.wallet, epoch = facts.epoch, "share unsealed");
        } else {
            tracing::warn!(wallet = %facts.wallet, ceremony = %facts.ceremony.short(),
                "a share that is not the book's key is ignored");
        }
    }
    Ok(())
}

async fn serve(
    ui: Ui,
    (home, settings, keys, number): (Home, Settings, Arc<LocalKeys>, u8),
    (party, stores, cabinet): (Party, Stores, Arc<Cabinet>),
    (clock, held, notices): (Arc<dyn Clock>, (u64, u64), Vec<Event>),
) -> Result<(), Fault> {
    let (inputs, queue) = mpsc::channel(INPUTS);
    let stand_ins = party.follower().book().stand_in_links().collect();
    let doors = links::Doors::new(party.charter().text(), &stand_ins, &settings);
    let peers = links::Peers::start(&settings, &keys.identity)?;
    let door = Arc::new(links::Door::new(doors.clone(), inputs.clone()));
    let limits = limits();
    let server = Server::bind(&settings.listen, &keys.identity, doors.pins(), door, limits).await?;
    let local = Arc::new(control::Local::new(
        inputs.clone(),
        (party.me().clone(), number),
        stores.own.clone(),
    ));
    let control = Control::bind(&home.socket(), local, limits)?;
    let listening = json!({ "cosigner": party.me(), "listening": server.address().to_string() });
    ui.answer(&listening, format!("{} listens at {}", party.me(), server.address()))?;

    let alarms = effects::Alarms::default();
    let (batches, durable) = mpsc::channel(INPUTS);
    let executor = effects::Executor::new(durable, peers.clone(), cabinet, alarms.clone());
    let broken = (stores.book.clone(), stores.own.clone());
    let heard = (doors, peers, alarms);
    let engine = engine::Engine::new(party, &stores, keys, batches, heard, (clock, held));
    let ticking = tokio::spawn(tick(inputs.clone()));
    let mut engine = tokio::spawn(engine.run(notices, queue));
    let mut executor = tokio::spawn(executor.run());
    let ended = tokio::select! {
        ended = &mut engine => joined(ended),
        ended = &mut executor => joined(ended),
        fault = broken.0.broken() => Err(fault),
        fault = broken.1.broken() => Err(fault),
        () = signalled() => {
            tracing::info!("asked to stop");
            let _already_ended = inputs.send(Input::Stop).await;
            let stepped = joined((&mut engine).await);
            stepped.and(joined((&mut executor).await))
        }
    };
    ticking.abort();
    server.close();
    drop(control);
    if let Err(fault) = &ended {
        tracing::error!(%fault, "this cosigner stops at once");
        // One of the two may be whole, and closing it would flush once more on a disk that has just failed.
        std::mem::forget(stores);
    } else {
        stores.close().await;
    }
    ended
}

fn joined(ended: Result<Result<(), Fault>, tokio::task::JoinError>) -> Result<(), Fault> {
    ended.unwrap_or_else(|_| {
        Err(fault("daemon", "a task of this cosigner panicked", "report it, then start again"))
    })
}

async fn tick(inputs: mpsc::Sender<Input>) {
    let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        if inputs.send(Input::Tick).await.is_err() {
            return;
        }
    }
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
