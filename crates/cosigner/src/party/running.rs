//! Protocol runs in memory. A crash loses them all, which is what keeps single-use state single-use.

use std::collections::{BTreeMap, VecDeque};

use quorate_terms::{CaseId, CosignerId, Digest, Timestamp};

use crate::generate::GenerateRun;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::party::CallId;
use crate::sign::SignRun;

/// A run and who waits for it.
pub(crate) struct Running {
    pub(crate) run: Kind,
    pub(crate) call: CallId,
    pub(crate) started_at: Timestamp,
    pub(crate) checkpoint_size: u64,
    pub(crate) cosignature: Option<String>,
}

/// What kind of run it is.
pub(crate) enum Kind {
    Sign { run: Box<SignRun>, case: CaseId },
    Generate { run: Box<GenerateRun> },
    Drill { run: Box<SignRun>, backup: Option<Digest> },
}

/// Messages that came before this cosigner was asked to take part in their session. Bounded per peer.
#[derive(Default)]
pub(crate) struct Early {
    waiting: BTreeMap<CosignerId, VecDeque<(Digest, Vec<u8>)>>,
}

/// Early messages kept for one peer.
const EARLY_MAX: usize = 64;

impl Early {
    /// Keeps a message; the oldest of the same peer gives way. One that is too large for any round is not kept.
    pub(crate) fn keep(&mut self, from: &CosignerId, session: Digest, bytes: Vec<u8>) {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return;
        }
        let queue = self.waiting.entry(from.clone()).or_default();
        if queue.len() >= EARLY_MAX {
            queue.pop_front();
        }
        queue.push_back((session, bytes));
    }

    /// Takes what came early for a session.
    pub(crate) fn take(&mut self, session: &Digest) -> Vec<(CosignerId, Vec<u8>)> {
        let mut taken = Vec::new();
        for (from, queue) in &mut self.waiting {
            let (now, later): (VecDeque<_>, VecDeque<_>) =
                std::mem::take(queue).into_iter().partition(|(of, _)| of == session);
            *queue = later;
            taken.extend(now.into_iter().map(|(_, bytes)| (from.clone(), bytes)));
        }
        taken
    }
}
