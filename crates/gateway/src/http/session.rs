//! Sessions of the 2025-11-25 revision, each bound to the credential that opened it. A session id proves nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};

use quorate_terms::CredentialId;

use super::Limits;
use crate::errors::{Code, Complaint};

/// Who opened which session, under caps.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    most: usize,
    most_each: usize,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    owners: BTreeMap<String, CredentialId>,
    opening: Vec<CredentialId>,
}

impl Sessions {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(limits.session_ttl);
        let mut manager = LocalSessionManager::default();
        manager.session_config = config;
        Arc::new(Self {
            manager: Arc::new(manager),
            most: limits.sessions,
            most_each: limits.sessions_each,
            book: Mutex::default(),
        })
    }

    pub(super) fn manager(&self) -> Arc<LocalSessionManager> {
        Arc::clone(&self.manager)
    }

    /// Whose session it is; none when there is no such session.
    pub(super) async fn owner(&self, id: &str) -> Option<CredentialId> {
        self.forget_ended().await;
        self.lock().owners.get(id).cloned()
    }

    /// Holds a place for a session about to open.
    pub(super) async fn open(self: &Arc<Self>, owner: &CredentialId) -> Result<Opening, Complaint> {
        self.forget_ended().await;
        let mut book = self.lock();
        let open = book.owners.len().saturating_add(book.opening.len());
        let own = book.owners.values().chain(&book.opening).filter(|o| *o == owner).count();
        if open >= self.most || own >= self.most_each {
            let message =
                "too many sessions are open; end one with DELETE, or wait until one lapses";
            return Err(Complaint::new(Code::TooManySessions, message).after(60));
        }
        book.opening.push(owner.clone());
        Ok(Opening { sessions: Arc::clone(self), owner: owner.clone() })
    }

    async fn forget_ended(&self) {
        let live = self.manager.sessions.read().await;
        self.lock().owners.retain(|id, _| live.contains_key(id.as_str()));
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a session; given back when it is dropped.
pub(super) struct Opening {
    sessions: Arc<Sessions>,
    owner: CredentialId,
}

impl Opening {
    /// The session opened under this id.
    pub(super) fn opened(&self, id: &str) {
        self.sessions.lock().owners.insert(id.to_owned(), self.owner.clone());
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut book = self.sessions.lock();
        if let Some(at) = book.opening.iter().position(|owner| *owner == self.owner) {
            book.opening.swap_remove(at);
        }
    }
}
