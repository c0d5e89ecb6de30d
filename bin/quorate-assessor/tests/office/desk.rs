//! A desk that serves a book over a real link, and can be told to lie.

use std::sync::{Arc, Mutex, MutexGuard};

use quorate_host::link::{BoxFuture, Handler, Limits, Pins, Refused, Request, Server};
use quorate_host::{Clock as _, SystemClock};
use quorate_terms::PublicKey;
use quorate_terms::reading::{READ, ReadAnswer, ReadRequest};

use super::vault::{COSIGNERS, Vault, identity};

/// What a desk holds.
pub(crate) struct Told {
    pub(crate) vault: Vault,
    /// How many cosigners witness its head.
    pub(crate) witnesses: usize,
    /// The newest note that all cosigned, if the head has too few.
    pub(crate) witnessed: Option<String>,
    /// The most entries that it gives at once.
    pub(crate) page: usize,
}

/// A desk, listening.
pub(crate) struct Desk {
    told: Arc<Mutex<Told>>,
    server: Server,
    _runtime: tokio::runtime::Runtime,
}

struct Door(Arc<Mutex<Told>>);

impl Handler for Door {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            if request.method != READ {
                return Err(Refused::new("unknown_method", "no"));
            }
            let ask: ReadRequest = serde_json::from_slice(&request.body).unwrap();
            let told = self.0.lock().unwrap();
            let from = usize::try_from(ask.from).unwrap();
            let some = told.vault.entries.iter().skip(from).take(told.page).cloned();
            let answer = ReadAnswer {
                entries: some.map(|bytes| String::from_utf8(bytes).unwrap()).collect(),
                checkpoint: told.vault.note(&COSIGNERS[..told.witnesses]),
                witnessed: told.witnessed.clone(),
                clock: SystemClock::new().now(),
            };
            Ok(serde_json::to_vec(&answer).unwrap())
        })
    }
}

/// The key that a desk proves.
pub(crate) const DESK: &str = "desk link";

impl Desk {
    /// Serves a vault to one reader.
    pub(crate) fn open(vault: Vault, reader: PublicKey) -> Self {
        let told = Told { vault, witnesses: COSIGNERS.len(), witnessed: None, page: 7 };
        let told = Arc::new(Mutex::new(told));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (me, door) = (identity(DESK), Arc::new(Door(Arc::clone(&told))));
        let bind = Server::bind("127.0.0.1:0", &me, Pins::new([reader]), door, Limits::default());
        let server = runtime.block_on(bind).unwrap();
        Self { told, server, _runtime: runtime }
    }

    pub(crate) fn address(&self) -> String {
        self.server.address().to_string()
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }
}
