//! MCP over a pair of pipes: one message a line, and nothing but messages on the way out.
//!
//! Lines are checked by [`crate::strict`] before the protocol library sees them. One task writes, so lines never mix.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_server};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

use quorate_terms::Digest;
use quorate_terms::credential::Band;

use crate::desk::Desk;
use crate::door::{Door, request_id};
use crate::errors::{Code, Complaint};
use crate::limit::Limiter;
use crate::strict::{self, MESSAGE_BYTES_DEFAULT, Refused};

/// Lines that wait to be written.
const QUEUE: usize = 64;

/// Serves one credential over the process's own standard input and output until the input ends.
///
/// # Errors
/// [`Complaint`] when the credential is not recognised; otherwise as [`serve`].
pub async fn serve_process(
    desk: Arc<dyn Desk>,
    ceiling: Band,
    token: Digest,
    limiter: Arc<Limiter>,
) -> Result<(), Complaint> {
    let door = Door::for_process(desk, ceiling, token, limiter).await?;
    serve(door, tokio::io::stdin(), tokio::io::stdout()).await
}

/// Serves one door over a reader and a writer until the reader ends.
///
/// # Errors
/// [`Complaint`] when the pipes break before the client has opened the protocol.
pub async fn serve<R, W>(door: Door, reader: R, writer: W) -> Result<(), Complaint>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (lines, queue) = mpsc::channel(QUEUE);
    let writing = tokio::spawn(write(queue, writer));
    let transport = Lines::new(BufReader::new(reader), lines);
    let outcome = match serve_server(door, transport).await {
        Ok(service) => {
            let _ = service.waiting().await;
            Ok(())
        }
        Err(error) => {
            tracing::warn!(%error, "the client did not open the protocol");
            let message =
                "the client did not open the protocol; start with initialize or server/discover";
            Err(Complaint::new(Code::MalformedMessage, message))
        }
    };
    let _ = writing.await;
    outcome
}

async fn write<W: AsyncWrite + Unpin>(
    mut queue: mpsc::Receiver<Vec<u8>>,
    mut writer: W,
) -> io::Result<()> {
    while let Some(line) = queue.recv().await {
        writer.write_all(&line).await?;
        writer.flush().await?;
    }
    writer.shutdown().await
}

/// One line of output. JSON text holds no raw newline, so the one at the end is the only one.
fn line_of<T: serde::Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// The transport that the protocol library sees.
struct Lines<R> {
    reader: R,
    lines: mpsc::Sender<Vec<u8>>,
    /// What has come of the present line.
    begun: Vec<u8>,
    /// Whether the present line is already too long, and only its end is looked for.
    too_long: bool,
    /// A refusal that waits for room in the queue.
    refusal: Option<Vec<u8>>,
}

impl<R: AsyncBufRead + Send + Unpin> Lines<R> {
    const fn new(reader: R, lines: mpsc::Sender<Vec<u8>>) -> Self {
        Self { reader, lines, begun: Vec::new(), too_long: false, refusal: None }
    }

    /// The next line; none at the end. Safe to be dropped and called again: what came is kept in `self`.
    async fn line(&mut self) -> Option<Result<Vec<u8>, Refused>> {
        loop {
            let chunk = self.reader.fill_buf().await.ok()?;
            if chunk.is_empty() {
                return None;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let fits = self.begun.len().saturating_add(part.len()) <= MESSAGE_BYTES_DEFAULT;
            self.too_long |= !fits;
            if !self.too_long {
                self.begun.extend_from_slice(part);
            }
            let used = part.len().saturating_add(usize::from(end.is_some()));
            self.reader.consume(used);
            if end.is_some() {
                return Some(self.finish());
            }
        }
    }

    fn finish(&mut self) -> Result<Vec<u8>, Refused> {
        let line = std::mem::take(&mut self.begun);
        if !std::mem::take(&mut self.too_long) {
            return Ok(line);
        }
        let message = format!("the line is longer than {MESSAGE_BYTES_DEFAULT} bytes; send less");
        let complaint = Complaint::new(Code::MessageTooLarge, message);
        Err(Refused::with(strict::INVALID_REQUEST, None, complaint))
    }

    /// Sends a refusal that waits. Safe to be dropped: the refusal stays until there is room.
    async fn send_refusal(&mut self) -> Option<()> {
        if self.refusal.is_some() {
            let room = self.lines.reserve().await.ok()?;
            if let Some(line) = self.refusal.take() {
                room.send(line);
            }
        }
        Some(())
    }
}

fn message_of(line: &[u8]) -> Result<ClientJsonRpcMessage, Refused> {
    let message = strict::read(line, MESSAGE_BYTES_DEFAULT)?;
    let id = message.id().cloned();
    serde_json::from_value(message.into_value()).map_err(|_| {
        let complaint = Complaint::new(
            Code::MalformedMessage,
            "the message does not have the form of its method; see the protocol's schema",
        );
        Refused::with(strict::INVALID_REQUEST, id, complaint)
    })
}

impl<R: AsyncBufRead + Send + Unpin> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let lines = self.lines.clone();
        async move {
            let item: ServerJsonRpcMessage = item;
            let line = line_of(&item)?;
            lines.send(line).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.send_refusal().await?;
            let line = self.line().await?;
            if line.as_ref().is_ok_and(|line| line.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            match line.and_then(|line| message_of(&line)) {
                Ok(message) => return Some(message),
                Err(refused) => self.refusal = line_of(&refused.to_json(&request_id())).ok(),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
