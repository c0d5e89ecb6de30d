//! Frames: a length of four bytes, a kind of one, a number of eight, and a body.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Refused;

/// Kind and number.
const HEAD_BYTES: usize = 9;
/// The longest method name, in bytes.
pub(crate) const METHOD_MAX: usize = 64;
const CODE_MAX: usize = 64;
const MESSAGE_MAX: usize = 4096;

/// What one side says to the other. Numbers belong to the side that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// First frame of the accepting side: you may speak.
    Welcome,
    /// A sign of life.
    Ping,
    /// Answer me, within milliseconds.
    Call { id: u64, within_ms: u32, method: String, body: Vec<u8> },
    /// The answer.
    Reply { id: u64, body: Vec<u8> },
    /// The answer is no; also ends a stream.
    Refuse { id: u64, refused: Refused },
    /// Stop working on this call or stream.
    Cancel { id: u64 },
    /// One-way.
    Notice { method: String, body: Vec<u8> },
    /// Feed me.
    Subscribe { id: u64, method: String, body: Vec<u8> },
    /// A piece of a stream.
    Item { id: u64, body: Vec<u8> },
    /// A stream's end.
    End { id: u64 },
    /// The subscriber has room for so many more pieces.
    Credit { id: u64, more: u32 },
}

impl Frame {
    /// The bytes after the length.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Welcome => head(0, 0, &[]),
            Self::Ping => head(1, 0, &[]),
            Self::Call { id, within_ms, method, body } => {
                head(2, *id, &[&within_ms.to_be_bytes(), &short(method, METHOD_MAX), body])
            }
            Self::Reply { id, body } => head(3, *id, &[body]),
            Self::Refuse { id, refused } => {
                let message = cut(&refused.message, MESSAGE_MAX).as_bytes();
                head(4, *id, &[&short(&refused.code, CODE_MAX), message])
            }
            Self::Cancel { id } => head(5, *id, &[]),
            Self::Notice { method, body } => head(6, 0, &[&short(method, METHOD_MAX), body]),
            Self::Subscribe { id, method, body } => {
                head(7, *id, &[&short(method, METHOD_MAX), body])
            }
            Self::Item { id, body } => head(8, *id, &[body]),
            Self::End { id } => head(9, *id, &[]),
            Self::Credit { id, more } => head(10, *id, &[&more.to_be_bytes()]),
        }
    }

    /// Reads the bytes after the length; `None` when they are no frame.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        let id = u64::from_be_bytes(*id);
        let empty = rest.is_empty();
        Some(match kind {
            0 if empty && id == 0 => Self::Welcome,
            1 if empty && id == 0 => Self::Ping,
            2 => {
                let (within, rest) = rest.split_first_chunk::<4>()?;
                let (method, body) = unshort(rest)?;
                Self::Call { id, within_ms: u32::from_be_bytes(*within), method, body }
            }
            3 => Self::Reply { id, body: rest.to_vec() },
            4 => {
                let (code, message) = unshort(rest)?;
                let message = String::from_utf8(message).ok()?;
                Self::Refuse { id, refused: Refused { code, message } }
            }
            5 if empty => Self::Cancel { id },
            6 if id == 0 => {
                let (method, body) = unshort(rest)?;
                Self::Notice { method, body }
            }
            7 => {
                let (method, body) = unshort(rest)?;
                Self::Subscribe { id, method, body }
            }
            8 => Self::Item { id, body: rest.to_vec() },
            9 if empty => Self::End { id },
            10 => Self::Credit { id, more: u32::from_be_bytes(rest.try_into().ok()?) },
            _ => return None,
        })
    }
}

fn head(kind: u8, id: u64, parts: &[&[u8]]) -> Vec<u8> {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(body.saturating_add(HEAD_BYTES));
    bytes.push(kind);
    bytes.extend_from_slice(&id.to_be_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// A short text with its length before it.
fn short(text: &str, max: usize) -> Vec<u8> {
    let text = cut(text, max);
    let length = u8::try_from(text.len()).unwrap_or(0);
    [&[length], text.as_bytes()].concat()
}

fn unshort(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest.to_vec()))
}

/// The longest beginning of `text` of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Reads one frame: `idle` for it to begin, `whole` for the rest.
///
/// # Errors
/// `TimedOut`, `InvalidData` for a length above `max` or bytes that are no frame, or what the stream says.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    max: usize,
    idle: Duration,
    whole: Duration,
) -> io::Result<Frame> {
    let mut first = [0; 1];
    timeout(idle, stream.read_exact(&mut first))
        .await
        .map_err(|_| late("the peer is silent"))??;
    let rest = timeout(whole, async {
        let mut others = [0; 3];
        stream.read_exact(&mut others).await?;
        let [a] = first;
        let [b, c, d] = others;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > max {
            return Err(bad("a frame is too long"));
        }
        // Grows as bytes arrive: a length alone must not cost us memory.
        let mut bytes = Vec::with_capacity(length.min(64 * 1024));
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        stream.take(limit).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Frame::decode(&bytes).ok_or_else(|| bad("a frame cannot be read"))
    });
    rest.await.map_err(|_| late("a frame takes too long"))?
}

/// Writes one frame and flushes it.
///
/// # Errors
/// `TimedOut` when the peer does not take it within `whole`; `InvalidData` when it is longer than a length can say.
pub(crate) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
    whole: Duration,
) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| bad("a frame is too long"))?;
    let work = async {
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(frame).await?;
        stream.flush().await
    };
    timeout(whole, work).await.map_err(|_| late("the peer takes nothing"))?
}

fn late(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(id: u64, text: &str, body: &[u8]) -> Vec<Frame> {
        let (method, body) = (cut(text, METHOD_MAX).to_owned(), body.to_vec());
        let refused = Refused::new(method.clone(), cut(text, MESSAGE_MAX));
        vec![
            Frame::Welcome,
            Frame::Ping,
            Frame::Call { id, within_ms: 7, method: method.clone(), body: body.clone() },
            Frame::Reply { id, body: body.clone() },
            Frame::Refuse { id, refused },
            Frame::Cancel { id },
            Frame::Notice { method: method.clone(), body: body.clone() },
            Frame::Subscribe { id, method, body: body.clone() },
            Frame::Item { id, body },
            Frame::End { id },
            Frame::Credit { id, more: 3 },
        ]
    }

    proptest! {
        #[test]
        fn every_frame_comes_back_the_same(
            id in any::<u64>(), text in ".{0,80}", body in proptest::collection::vec(any::<u8>(), 0..99)
        ) {
            for frame in all(id, &text, &body) {
                prop_assert_eq!(Frame::decode(&frame.encode()), Some(frame));
            }
        }

        #[test]
        fn arbitrary_and_mutated_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..99), at in 0_usize..40, bit in 0_u8..8
        ) {
            let _ = Frame::decode(&bytes);
            for frame in all(9, "method", &bytes) {
                let mut mutated = frame.encode();
                if let Some(byte) = mutated.get_mut(at) {
                    *byte ^= 1 << bit;
                }
                let _ = Frame::decode(&mutated);
            }
        }
    }

    #[test]
    fn a_long_refusal_is_cut_at_a_character() {
        let refused = Refused::new("ä".repeat(50), "ß".repeat(3000));
        let frame = Frame::Refuse { id: 1, refused };
        let Some(Frame::Refuse { refused, .. }) = Frame::decode(&frame.encode()) else { panic!() };
        assert_eq!((refused.code.len(), refused.message.len()), (64, 4096));
    }

    #[tokio::test]
    async fn a_length_above_the_ceiling_is_refused_before_anything_is_read() {
        let mut stream: &[u8] = &[0xff, 0xff, 0xff, 0xff, 1];
        let second = Duration::from_secs(1);
        let error = read(&mut stream, 1024, second, second).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
