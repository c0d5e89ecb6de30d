//! The two directions of one connection: calls, notices and streams from both sides, none of which waits for another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::wire::{self, Frame};
use super::{CallError, Handler, Limits, Peer, Pins, Refused, Request};

/// Frames that may wait to be written before a sender waits.
const OUT: usize = 64;
/// Notices that may wait for the handler.
const NOTICES: usize = 4096;
/// Pieces of a stream that may be under way; the subscriber asks for more at half of it.
const CREDIT: u32 = 64;

type Answer = Result<Vec<u8>, CallError>;

/// One authenticated connection. Cheap to clone; it lives until a side closes it, whoever holds it.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

struct Shared {
    peer: Peer,
    limits: Limits,
    out: mpsc::Sender<Vec<u8>>,
    state: Mutex<State>,
    end: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    next: u64,
    ended: bool,
    /// Our calls.
    calls: BTreeMap<u64, oneshot::Sender<Answer>>,
    /// Our subscriptions.
    streams: BTreeMap<u64, mpsc::Sender<Answer>>,
    /// Their calls and subscriptions that we work on.
    work: BTreeMap<u64, Work>,
}

struct Work {
    cancel: watch::Sender<bool>,
    credit: Arc<Semaphore>,
}

/// What a connection holds while it lives, and who may still use it.
#[derive(Default)]
pub(crate) struct Guard {
    /// The peer must stay pinned.
    pub(crate) pins: Option<Pins>,
    /// Let go of when the connection ends.
    pub(crate) _held: Vec<Box<dyn Send + Sync>>,
}

/// What the reading side needs.
struct Inbound {
    link: Link,
    handler: Arc<dyn Handler>,
    notices: mpsc::Sender<(String, Vec<u8>, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    guard: Guard,
}

impl Link {
    /// Takes an authenticated stream over. The accepting side welcomes the other.
    pub(crate) fn start<S>(
        stream: S,
        peer: Peer,
        handler: Arc<dyn Handler>,
        limits: Limits,
        guard: Guard,
        accepting: bool,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (out, queue) = mpsc::channel(OUT);
        let (end, _) = watch::channel(None);
        let state = Mutex::new(State::default());
        let link = Self(Arc::new(Shared { peer, limits, out, state, end }));
        let (notices, waiting) = mpsc::channel(NOTICES);
        tokio::spawn(handle_notices(link.clone(), Arc::clone(&handler), waiting));
        let inbound = Inbound {
            link: link.clone(),
            handler,
            notices,
            bytes: Arc::new(Semaphore::new(limits.pending_bytes)),
            calls: Arc::new(Semaphore::new(limits.pending_calls)),
            guard,
        };
        tokio::spawn(inbound.drive(stream, queue, accepting));
        link
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.0.peer
    }

    /// Asks the peer and waits for its answer. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`CallError`]. After `Late` and `Lost` the peer may have acted; nothing is asked twice by itself.
    pub async fn call(&self, method: &str, body: Vec<u8>, within: Duration) -> Answer {
        let deadline = Instant::now().checked_add(within);
        let (answer, answered) = oneshot::channel();
        let id = self.register(|state, id| drop(state.calls.insert(id, answer)))?;
        let pending = Pending { link: self, id };
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        let frame = Frame::Call { id, within_ms, method: method.to_owned(), body };
        let work = async {
            self.send(&frame).await?;
            answered.await.unwrap_or_else(|_| Err(self.lost()))
        };
        let result = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, work).await,
            None => Ok(work.await),
        };
        drop(pending);
        result.unwrap_or(Err(CallError::Late))
    }

    /// Sends a one-way message. Those of one link arrive in the order of sending; nobody says that they arrived.
    ///
    /// # Errors
    /// [`CallError::Lost`] or [`CallError::TooLong`].
    pub async fn notify(&self, method: &str, body: Vec<u8>) -> Result<(), CallError> {
        self.send(&Frame::Notice { method: method.to_owned(), body }).await
    }

    /// Asks the peer for a stream. Dropping the subscription ends it.
    ///
    /// # Errors
    /// [`CallError::Lost`] or [`CallError::TooLong`]; a refusal comes as the stream's last piece.
    pub async fn subscribe(&self, method: &str, body: Vec<u8>) -> Result<Subscription, CallError> {
        let (pieces, coming) =
            mpsc::channel(usize::try_from(CREDIT).unwrap_or(1).saturating_add(1));
        let id = self.register(|state, id| drop(state.streams.insert(id, pieces)))?;
        let subscription = Subscription { link: self.clone(), id, coming, taken: 0 };
        self.send(&Frame::Subscribe { id, method: method.to_owned(), body }).await?;
        Ok(subscription)
    }

    /// Ends the link for both sides.
    pub fn close(&self, why: &str) {
        self.finish(why);
    }

    /// Resolves when the link has ended, with the reason.
    pub async fn ended(&self) -> String {
        let mut end = self.0.end.subscribe();
        let seen = end.wait_for(Option::is_some).await;
        seen.ok().and_then(|why| why.clone()).unwrap_or_default()
    }

    /// Whether the link has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state().ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self) -> CallError {
        CallError::Lost(self.0.end.borrow().clone().unwrap_or_else(|| "the link ended".to_owned()))
    }

    fn register(&self, add: impl FnOnce(&mut State, u64)) -> Result<u64, CallError> {
        let mut state = self.state();
        if state.ended {
            return Err(self.lost());
        }
        state.next = state.next.wrapping_add(1);
        let id = state.next;
        add(&mut state, id);
        Ok(id)
    }

    async fn send(&self, frame: &Frame) -> Result<(), CallError> {
        let bytes = frame.encode();
        if bytes.len() > self.0.limits.frame_bytes {
            return Err(CallError::TooLong);
        }
        self.0.out.send(bytes).await.map_err(|_| self.lost())
    }

    /// Sends a short frame from where nobody may wait. A peer that takes nothing while we have much to say is cut off.
    fn send_now(&self, frame: &Frame) {
        if self.0.out.try_send(frame.encode()).is_err() {
            self.finish("the peer takes nothing");
        }
    }

    /// Says a last word later, for `Drop`.
    fn send_later(&self, frame: Frame) {
        let link = self.clone();
        if let Err(mpsc::error::TrySendError::Full(bytes)) = self.0.out.try_send(frame.encode())
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { link.0.out.send(bytes).await });
        }
    }

    fn finish(&self, why: &str) {
        let mut state = self.state();
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        let (calls, streams) =
            (std::mem::take(&mut state.calls), std::mem::take(&mut state.streams));
        let work = std::mem::take(&mut state.work);
        drop(state);
        let lost = CallError::Lost(why.to_owned());
        for answer in calls.into_values() {
            let _caller_gave_up = answer.send(Err(lost.clone()));
        }
        for pieces in streams.into_values() {
            let _full_or_gone = pieces.try_send(Err(lost.clone()));
        }
        for work in work.into_values() {
            work.credit.close();
            work.cancel.send_replace(true);
        }
        self.0.end.send_replace(Some(why.to_owned()));
    }
}

/// A call that waits for its answer; takes its name off the list when dropped, and tells the peer to stop.
struct Pending<'a> {
    link: &'a Link,
    id: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let waiting = self.link.state().calls.remove(&self.id);
        if waiting.is_some() {
            self.link.send_later(Frame::Cancel { id: self.id });
        }
    }
}

/// The receiving end of a stream.
pub struct Subscription {
    link: Link,
    id: u64,
    coming: mpsc::Receiver<Answer>,
    taken: u32,
}

impl Subscription {
    /// The next piece; `None` at the end. An error is the last piece.
    pub async fn next(&mut self) -> Option<Answer> {
        let piece = self.coming.recv().await?;
        self.taken = self.taken.saturating_add(1);
        if self.taken >= CREDIT / 2 && piece.is_ok() {
            let frame = Frame::Credit { id: self.id, more: self.taken };
            self.taken = 0;
            let _the_end_comes_as_a_piece = self.link.send(&frame).await;
        }
        Some(piece)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let open = self.link.state().streams.remove(&self.id);
        if open.is_some() {
            self.link.send_later(Frame::Cancel { id: self.id });
        }
    }
}

/// The sending end of a stream, given to [`Handler::stream`].
pub struct Sink {
    link: Link,
    id: u64,
    credit: Arc<Semaphore>,
}

impl Sink {
    /// Sends a piece; waits while the subscriber has too many.
    ///
    /// # Errors
    /// [`CallError::Lost`] when the subscriber is gone: return. [`CallError::TooLong`] for an overlong piece.
    pub async fn send(&self, body: Vec<u8>) -> Result<(), CallError> {
        let gone = |_| CallError::Lost("the subscriber is gone".to_owned());
        self.credit.acquire().await.map_err(gone)?.forget();
        self.link.send(&Frame::Item { id: self.id, body }).await
    }
}

/// When to stop working on a request.
#[derive(Clone)]
pub struct Cancelled {
    told: Option<watch::Receiver<bool>>,
    deadline: Option<Instant>,
}

impl Cancelled {
    fn never() -> Self {
        Self { told: None, deadline: None }
    }

    /// Resolves when nobody waits for the answer any more: cancelled, too late, or the link ended.
    pub async fn wait(&mut self) {
        let told = async {
            match &mut self.told {
                Some(told) => drop(told.wait_for(|told| *told).await),
                None => std::future::pending().await,
            }
        };
        match self.deadline {
            Some(deadline) => drop(tokio::time::timeout_at(deadline, told).await),
            None => told.await,
        }
    }

    /// Whether nobody waits any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.told.as_ref().is_some_and(|told| *told.borrow())
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Inbound {
    async fn drive<S>(self, stream: S, mut queue: mpsc::Receiver<Vec<u8>>, accepting: bool)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (link, limits) = (self.link.clone(), self.link.0.limits);
        let why = tokio::select! {
            why = self.read_all(&mut reader) => why,
            why = write_all(&mut writer, &mut queue, &limits, accepting) => why,
            why = link.ended() => why,
        };
        link.finish(&why);
        queue.close();
        // What was said before the end is still sent, as long as the peer takes it.
        let rest = async {
            while let Ok(frame) = queue.try_recv() {
                wire::write(&mut writer, &frame, limits.frame).await?;
            }
            writer.shutdown().await
        };
        let _peer_may_be_gone = timeout(limits.handshake, rest).await;
        tracing::debug!(peer = %link.peer(), why, "link ended");
    }

    async fn read_all(&self, reader: &mut ReadHalf<impl AsyncRead>) -> String {
        let limits = self.link.0.limits;
        loop {
            let read = wire::read(reader, limits.frame_bytes, limits.idle, limits.frame).await;
            let frame = match read {
                Ok(frame) => frame,
                Err(error) => return error.to_string(),
            };
            if !self.is_pinned() {
                return "the peer's key is no longer pinned".to_owned();
            }
            if let Err(why) = self.take(frame) {
                return why.to_owned();
            }
        }
    }

    fn is_pinned(&self) -> bool {
        match (&self.guard.pins, self.link.peer()) {
            (Some(pins), Peer::Key(key)) => pins.contains(&key),
            _ => true,
        }
    }

    /// Takes one frame without waiting for anything. An error ends the link.
    fn take(&self, frame: Frame) -> Result<(), &'static str> {
        match frame {
            Frame::Welcome | Frame::Ping => {}
            Frame::Call { id, within_ms, method, body } => {
                let within = Duration::from_millis(u64::from(within_ms));
                let deadline = Instant::now().checked_add(within).unwrap_or_else(Instant::now);
                self.serve(id, Some(deadline), method, body)?;
            }
            Frame::Subscribe { id, method, body } => self.serve(id, None, method, body)?,
            Frame::Notice { method, body } => {
                let too_fast = "the peer sends more than is handled";
                let permit = self.budget(&body).ok_or(too_fast)?;
                self.notices.try_send((method, body, permit)).map_err(|_| too_fast)?;
            }
            Frame::Reply { id, body } => self.answer(id, Ok(body)),
            Frame::Refuse { id, refused } => self.answer(id, Err(CallError::Refused(refused))),
            Frame::Item { id, body } => return self.piece(id, body),
            Frame::End { id } => drop(self.link.state().streams.remove(&id)),
            Frame::Cancel { id } => {
                if let Some(work) = self.link.state().work.get(&id) {
                    work.credit.close();
                    work.cancel.send_replace(true);
                }
            }
            Frame::Credit { id, more } => {
                if let Some(work) = self.link.state().work.get(&id) {
                    let room = usize::try_from(CREDIT.min(more)).unwrap_or(0);
                    work.credit.add_permits(room);
                }
            }
        }
        Ok(())
    }

    fn answer(&self, id: u64, answer: Answer) {
        let mut state = self.link.state();
        if let Some(waiting) = state.calls.remove(&id) {
            let _caller_gave_up = waiting.send(answer);
        } else if let Some(pieces) = state.streams.remove(&id) {
            let _full_or_gone = pieces.try_send(answer);
        }
    }

    fn piece(&self, id: u64, body: Vec<u8>) -> Result<(), &'static str> {
        match self.link.state().streams.get(&id).map(|pieces| pieces.try_send(Ok(body))) {
            Some(Err(mpsc::error::TrySendError::Full(_))) => Err("the peer overfills a stream"),
            _ => Ok(()),
        }
    }

    fn budget(&self, body: &[u8]) -> Option<OwnedSemaphorePermit> {
        let weight = u32::try_from(body.len()).ok()?.saturating_add(256);
        Arc::clone(&self.bytes).try_acquire_many_owned(weight).ok()
    }

    /// Starts work on a call (with a deadline) or a stream (without).
    fn serve(
        &self,
        id: u64,
        deadline: Option<Instant>,
        method: String,
        body: Vec<u8>,
    ) -> Result<(), &'static str> {
        let permits = (self.budget(&body), Arc::clone(&self.calls).try_acquire_owned().ok());
        let (Some(bytes), Some(call)) = permits else {
            let refused = Refused::new("busy", "too much is asked at once; retry later");
            self.link.send_now(&Frame::Refuse { id, refused });
            return Ok(());
        };
        let (cancel, told) = watch::channel(false);
        let credit = Arc::new(Semaphore::new(usize::try_from(CREDIT).unwrap_or(1)));
        let work = Work { cancel, credit: Arc::clone(&credit) };
        if self.link.state().work.insert(id, work).is_some() {
            return Err("the peer uses a number twice");
        }
        let (link, handler) = (self.link.clone(), Arc::clone(&self.handler));
        let cancelled = Cancelled { told: Some(told), deadline };
        let request = Request { peer: link.peer(), method, body, link: link.clone(), cancelled };
        let worker = link.clone();
        // A task of its own: it runs to its end even when nobody waits any more, so that no handler stops half way, and
        // a panic in it is an answer.
        let job = tokio::spawn(async move {
            if deadline.is_some() {
                return handler.call(request).await.map(Some);
            }
            let sink = Sink { link: worker, id, credit };
            handler.stream(request, sink).await.map(|()| None)
        });
        tokio::spawn(async move {
            let bug = || Refused::new("bug", "the peer failed inside; see its log");
            let result = job.await.unwrap_or_else(|_| Err(bug()));
            drop((bytes, call));
            link.state().work.remove(&id);
            link.reply(id, result).await;
        });
        Ok(())
    }
}

impl Link {
    async fn reply(&self, id: u64, result: Result<Option<Vec<u8>>, Refused>) {
        let frame = match result {
            Ok(Some(body)) => Frame::Reply { id, body },
            Ok(None) => Frame::End { id },
            Err(refused) => Frame::Refuse { id, refused },
        };
        if self.send(&frame).await == Err(CallError::TooLong) {
            let refused = Refused::new("too_long", "the answer is too long; ask for less at once");
            let _the_link_ended = self.send(&Frame::Refuse { id, refused }).await;
        }
    }
}

async fn write_all(
    writer: &mut WriteHalf<impl AsyncWrite>,
    queue: &mut mpsc::Receiver<Vec<u8>>,
    limits: &Limits,
    accepting: bool,
) -> String {
    let sign_of_life = limits.idle.checked_div(3).unwrap_or(limits.idle);
    let mut next = if accepting { Frame::Welcome.encode() } else { Frame::Ping.encode() };
    loop {
        if let Err(error) = wire::write(writer, &next, limits.frame).await {
            return error.to_string();
        }
        next = match timeout(sign_of_life, queue.recv()).await {
            Ok(Some(frame)) => frame,
            Ok(None) => return "closed here".to_owned(),
            Err(_) => Frame::Ping.encode(),
        };
    }
}

async fn handle_notices(
    link: Link,
    handler: Arc<dyn Handler>,
    mut waiting: mpsc::Receiver<(String, Vec<u8>, OwnedSemaphorePermit)>,
) {
    while let Some((method, body, _permit)) = waiting.recv().await {
        let (peer, link, cancelled) = (link.peer(), link.clone(), Cancelled::never());
        handler.notice(Request { peer, method, body, link, cancelled }).await;
    }
}
