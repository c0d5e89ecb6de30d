#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

use super::*;
use crate::identity::Identity;
use crate::random::Random;

/// Far longer than anything here takes on a machine that is starved.
const SOON: Duration = Duration::from_mins(2);

fn identity() -> Identity {
    Identity::generate(Random::start().unwrap()).unwrap()
}

/// Echoes calls, counts everything, and calls back over the same link when asked to.
#[derive(Default)]
struct Echo {
    seen: AtomicUsize,
    notices: std::sync::Mutex<Vec<u8>>,
    stopped: Option<mpsc::UnboundedSender<&'static str>>,
}

impl Handler for Echo {
    fn call(&self, mut request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match request.method.as_str() {
                "echo" => Ok(request.body),
                "who" => Ok(request.peer.to_string().into_bytes()),
                "back" => {
                    let answer = request.link.call("echo", request.body, SOON).await;
                    answer.map_err(|e| Refused::new("back", e.to_string()))
                }
                "wait" => {
                    request.cancelled.wait().await;
                    self.stopped.as_ref().unwrap().send("call").unwrap();
                    // It never answers, or on a slow machine its answer could cross the caller's deadline.
                    std::future::pending().await
                }
                "huge" => Ok(vec![0; 10_000_000]),
                "notices" => Ok(self.notices.lock().unwrap().clone()),
                "panic" => panic!("a bug in a handler"),
                _ => Err(Refused::unknown_method()),
            }
        })
    }

    fn notice(&self, request: Request) -> BoxFuture<'_, ()> {
        self.notices.lock().unwrap().extend(request.body);
        Box::pin(async {})
    }

    fn stream(&self, request: Request, sink: Sink) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(async move {
            if request.method == "refused" {
                return Err(Refused::new("no", "not today"));
            }
            let count = request.body.first().copied().map_or(u64::MAX, u64::from);
            for n in 0..count * 4 {
                if sink.send(n.to_be_bytes().to_vec()).await.is_err() {
                    self.stopped.as_ref().unwrap().send("stream").unwrap();
                    break;
                }
            }
            Ok(())
        })
    }
}

struct Pair {
    server: Server,
    client: Client,
    pins: Pins,
    echo: Arc<Echo>,
    client_key: PublicKey,
    stopped: mpsc::UnboundedReceiver<&'static str>,
}

async fn pair(limits: Limits) -> Pair {
    let (us, them) = (identity(), identity());
    let pins = Pins::new([them.public_key()]);
    let (stopping, stopped) = mpsc::unbounded_channel();
    let echo = Arc::new(Echo { stopped: Some(stopping), ..Echo::default() });
    let handler = Arc::clone(&echo) as Arc<dyn Handler>;
    let server = Server::bind("127.0.0.1:0", &us, pins.clone(), handler, limits).await.unwrap();
    let address = server.address().to_string();
    let back = Arc::new(Echo::default());
    let client = Client::start(&address, &them, us.public_key(), back, limits).unwrap();
    Pair { server, client, pins, echo, client_key: them.public_key(), stopped }
}

#[tokio::test]
async fn a_pinned_peer_calls_and_the_handler_knows_its_key() {
    let p = pair(Limits::default()).await;
    assert_eq!(p.client.call("echo", b"hello".to_vec(), SOON).await.unwrap(), b"hello");
    let who = p.client.call("who", Vec::new(), SOON).await.unwrap();
    assert_eq!(who, p.client_key.to_string().into_bytes());
    let refused = p.client.call("steal", Vec::new(), SOON).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused(r) if r.code == "unknown_method"));
}

#[tokio::test]
async fn the_server_calls_back_over_the_same_link() {
    let p = pair(Limits::default()).await;
    assert_eq!(p.client.call("back", b"again".to_vec(), SOON).await.unwrap(), b"again");
}

#[tokio::test]
async fn row_61_a_client_with_another_key_is_refused_before_any_byte_reaches_the_handler() {
    let p = pair(Limits::default()).await;
    let (server_key, stranger) =
        (p.client.link(SOON).await.unwrap().peer().key().unwrap(), identity());
    let address = p.server.address().to_string();
    let limits = Limits { handshake: Duration::from_secs(2), ..Limits::default() };
    let client = Client::start(&address, &stranger, server_key, Arc::new(Silent), limits).unwrap();
    let result = client.call("echo", Vec::new(), Duration::from_millis(600)).await;
    assert!(matches!(result, Err(CallError::Lost(_))), "{result:?}");
    assert_eq!(p.echo.seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn row_61_a_server_with_another_key_is_not_spoken_to() {
    let p = pair(Limits::default()).await;
    let address = p.server.address().to_string();
    let us = identity();
    p.pins.add(us.public_key());
    let other = identity().public_key();
    let client = Client::start(&address, &us, other, Arc::new(Silent), Limits::default()).unwrap();
    let result = client.call("echo", b"secret".to_vec(), Duration::from_millis(600)).await;
    assert!(matches!(result, Err(CallError::Lost(_))), "{result:?}");
    assert_eq!(p.echo.seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_key_pinned_later_gets_in_and_one_removed_is_cut_off() {
    let p = pair(Limits::default()).await;
    let link = p.client.link(SOON).await.unwrap();
    p.pins.remove(&p.client_key);
    let result = link.call("echo", Vec::new(), SOON).await;
    assert!(matches!(result, Err(CallError::Lost(_))), "{result:?}");
    assert_eq!(p.echo.seen.load(Ordering::SeqCst), 0, "the frame after the removal is not handled");
    p.pins.set([p.client_key]);
    assert!(p.client.call("echo", Vec::new(), SOON).await.is_ok(), "the client connects again");
}

/// A client configuration that trusts anything and shows no key, or only speaks TLS 1.2.
fn careless(version: &'static rustls::SupportedProtocolVersion) -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Arc::new(config)
}

#[tokio::test]
async fn row_61_tls_1_2_and_a_peer_without_a_key_are_refused() {
    let p = pair(Limits::default()).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = TcpStream::connect(p.server.address()).await.unwrap();
        let name = ServerName::try_from("quorate.invalid").unwrap();
        let shaken = TlsConnector::from(careless(version)).connect(name, stream).await;
        assert!(shaken.is_err(), "{version:?}");
    }
    let mut plain = TcpStream::connect(p.server.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset_or_closed = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert_eq!(p.echo.seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn row_61_a_relay_that_swaps_one_bit_breaks_the_link() {
    let p = pair(Limits::default()).await;
    let server_key = p.client.link(SOON).await.unwrap().peer().key().unwrap();
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay_address = relay.local_addr().unwrap().to_string();
    let target = p.server.address();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = relay.accept().await.unwrap();
            let mut far = TcpStream::connect(target).await.unwrap();
            let mut buffer = vec![0; 4096];
            let count = near.read(&mut buffer).await.unwrap_or(0);
            buffer.truncate(count);
            if let Some(byte) = buffer.last_mut() {
                *byte ^= 1;
            }
            let _ = far.write_all(&buffer).await;
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        }
    });
    let us = identity();
    p.pins.add(us.public_key());
    let limits = Limits::default();
    let client = Client::start(&relay_address, &us, server_key, Arc::new(Silent), limits).unwrap();
    assert!(client.call("echo", Vec::new(), Duration::from_millis(600)).await.is_err());
}

#[tokio::test]
async fn row_60_silent_and_dripping_strangers_are_cut_off_while_a_peer_is_served() {
    let handshake = Duration::from_millis(300);
    let p = pair(Limits { handshake, strangers: 16, ..Limits::default() }).await;
    p.client.link(SOON).await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..200 {
        strangers.push(TcpStream::connect(p.server.address()).await.unwrap());
    }
    assert_eq!(p.client.call("echo", b"x".to_vec(), SOON).await.unwrap(), b"x");
    let drip = tokio::spawn({
        let address = p.server.address();
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            // The beginning of a handshake record, one byte at a time.
            for byte in [0x16, 3, 1, 2, 0].into_iter().chain(std::iter::repeat(1)) {
                pace.tick().await;
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        }
    });
    tokio::time::timeout(SOON, drip).await.expect("cut off").unwrap();
    for mut stranger in strangers {
        let end = tokio::time::timeout(SOON, stranger.read(&mut [0; 8])).await.expect("cut off");
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    assert!(p.client.call("echo", Vec::new(), SOON).await.is_ok());
}

#[tokio::test]
async fn row_23_a_peer_that_drips_a_frame_is_cut_off_and_others_are_served() {
    let p = pair(Limits { frame: Duration::from_millis(300), ..Limits::default() }).await;
    let link = p.client.link(SOON).await.unwrap();
    let (slow, server) = (identity(), link.peer().key().unwrap());
    p.pins.add(slow.public_key());
    let socket = TcpStream::connect(p.server.address()).await.unwrap();
    let connector = TlsConnector::from(tls::client(&slow, server).unwrap());
    let name = ServerName::try_from("quorate.invalid").unwrap();
    let mut stream = connector.connect(name, socket).await.unwrap();
    let welcome = wire::read(&mut stream, 1 << 20, SOON, SOON).await;
    assert!(matches!(welcome, Ok(wire::Frame::Welcome)), "a peer of ours");
    let method = "echo".to_owned();
    let call = wire::Frame::Call { id: 1, within_ms: 60_000, method, body: vec![0; 100_000] };
    let (mut read, mut write) = tokio::io::split(stream);
    let drip = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        let frame = call.encode();
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        for byte in length.into_iter().chain(frame) {
            pace.tick().await;
            if write.write_all(&[byte]).await.is_err() || write.flush().await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut served = 0;
    let others = async {
        loop {
            assert_eq!(link.call("echo", b"x".to_vec(), SOON).await.unwrap(), b"x");
            served += 1;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => {}
        () = others => {}
        cut = tokio::time::timeout(SOON, read.read_to_end(&mut rest)) => drop(cut.expect("cut off")),
    }
    // One call of the others may have been under way.
    let seen = p.echo.seen.load(Ordering::SeqCst);
    assert!((served..=served + 1).contains(&seen), "its call reached no handler");
    assert!(served > 0 && link.call("echo", b"y".to_vec(), SOON).await.is_ok());
}

#[tokio::test]
async fn a_megabyte_both_ways_at_once_does_not_deadlock() {
    let p = pair(Limits::default()).await;
    let link = p.client.link(SOON).await.unwrap();
    let back = p.server.links().pop().expect("the server lists the link");
    let big = vec![7; 1_000_000];
    let (one, two) = (big.clone(), big.clone());
    let forth = async {
        for _ in 0..8 {
            assert_eq!(link.call("echo", one.clone(), SOON).await.unwrap().len(), one.len());
        }
    };
    let back = async {
        for _ in 0..8 {
            assert_eq!(back.call("echo", two.clone(), SOON).await.unwrap().len(), two.len());
        }
    };
    tokio::time::timeout(SOON, async { tokio::join!(forth, back) }).await.expect("no deadlock");
}

#[tokio::test]
async fn notices_arrive_in_the_order_of_sending() {
    let p = pair(Limits::default()).await;
    let link = p.client.link(SOON).await.unwrap();
    for n in 0..=255 {
        link.notify("n", vec![n]).await.unwrap();
    }
    // A call may overtake notices that wait for their handler, so ask until all are there.
    let mut got = Vec::new();
    while got.len() < 256 {
        got = link.call("notices", Vec::new(), SOON).await.unwrap();
    }
    assert_eq!(got, (0..=255).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_call_past_its_deadline_ends_and_the_peer_is_told_to_stop() {
    let mut p = pair(Limits::default()).await;
    p.client.link(SOON).await.unwrap();
    let late = p.client.call("wait", Vec::new(), Duration::from_millis(50)).await;
    assert_eq!(late, Err(CallError::Late));
    assert_eq!(p.stopped.recv().await, Some("call"));
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_at_the_peer() {
    let mut p = pair(Limits::default()).await;
    let link = p.client.link(SOON).await.unwrap();
    {
        let call = link.call("wait", Vec::new(), SOON);
        let started = async {
            while p.echo.seen.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = call => panic!("it waits"),
            () = started => {}
        }
    }
    assert_eq!(p.stopped.recv().await, Some("call"));
}

#[tokio::test]
async fn a_stream_comes_whole_and_in_order_and_ends() {
    let p = pair(Limits::default()).await;
    let mut stream = p.client.subscribe("count", vec![250], SOON).await.unwrap();
    for n in 0..1000_u64 {
        assert_eq!(stream.next().await, Some(Ok(n.to_be_bytes().to_vec())));
    }
    assert_eq!(stream.next().await, None);
    let mut refused = p.client.subscribe("refused", Vec::new(), SOON).await.unwrap();
    assert!(matches!(refused.next().await, Some(Err(CallError::Refused(r))) if r.code == "no"));
    assert_eq!(refused.next().await, None);
}

#[tokio::test]
async fn a_stream_whose_reader_sleeps_waits_and_stops_when_it_is_dropped() {
    let mut p = pair(Limits::default()).await;
    let stream = p.client.subscribe("count", vec![255], SOON).await.unwrap();
    assert!(p.client.call("echo", Vec::new(), SOON).await.is_ok(), "others go on");
    drop(stream);
    assert_eq!(p.stopped.recv().await, Some("stream"));
}

#[tokio::test]
async fn a_panicking_handler_and_an_overlong_answer_are_refusals_and_the_link_lives() {
    let p = pair(Limits::default()).await;
    for (method, code) in [("panic", "bug"), ("huge", "too_long")] {
        let result = p.client.call(method, Vec::new(), SOON).await;
        assert!(matches!(&result, Err(CallError::Refused(r)) if r.code == code), "{result:?}");
    }
    let long = p.client.call("echo", vec![0; 9_000_000], SOON).await;
    assert_eq!(long, Err(CallError::TooLong));
    assert!(p.client.call("echo", Vec::new(), SOON).await.is_ok());
}

#[tokio::test]
async fn more_calls_than_may_be_pending_are_refused_as_busy() {
    let mut p = pair(Limits { pending_calls: 2, ..Limits::default() }).await;
    let link = p.client.link(SOON).await.unwrap();
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let link = link.clone();
            tokio::spawn(async move { link.call("wait", Vec::new(), SOON).await })
        })
        .collect();
    while p.echo.seen.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let busy = link.call("echo", Vec::new(), SOON).await;
    assert!(matches!(busy, Err(CallError::Refused(r)) if r.code == "busy"));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(p.stopped.recv().await, Some("call"));
}

#[tokio::test]
async fn a_peer_may_have_only_so_many_connections() {
    let (us, them) = (identity(), identity());
    let pins = Pins::new([them.public_key()]);
    let limits = Limits { connections_per_peer: 1, ..Limits::default() };
    let echo = Arc::new(Echo::default());
    let server = Server::bind("127.0.0.1:0", &us, pins, echo, limits).await.unwrap();
    let address = server.address().to_string();
    let client =
        || Client::start(&address, &them, us.public_key(), Arc::new(Silent), limits).unwrap();
    let first = client();
    first.link(SOON).await.unwrap();
    let second = client();
    assert!(second.link(Duration::from_millis(400)).await.is_err());
    drop(first);
    assert!(second.link(SOON).await.is_ok(), "its seat is free again");
}

#[tokio::test]
async fn the_client_connects_again_after_the_server_ended_the_link() {
    let p = pair(Limits::default()).await;
    let first = p.client.link(SOON).await.unwrap();
    p.server.links().iter().for_each(|link| link.close("test"));
    first.ended().await;
    assert!(matches!(first.call("echo", Vec::new(), SOON).await, Err(CallError::Lost(_))));
    assert!(p.client.call("echo", Vec::new(), SOON).await.is_ok());
}

#[tokio::test]
async fn a_client_waits_for_a_server_that_starts_later() {
    let (us, them) = (identity(), identity());
    // Bound and not listening: the port is nobody else's, and whoever connects is refused.
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap().to_string();
    let limits = Limits::default();
    let silent = Arc::new(Silent);
    let client = Client::start(&address, &them, us.public_key(), silent, limits).unwrap();
    assert!(client.call("echo", Vec::new(), Duration::from_millis(120)).await.is_err());
    let pins = Pins::new([them.public_key()]);
    let echo = Arc::new(Echo::default());
    let _server = Server::bind(&address, &us, pins, echo, limits).await.unwrap();
    assert_eq!(client.call("echo", b"x".to_vec(), SOON).await.unwrap(), b"x");
}
