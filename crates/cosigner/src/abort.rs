//! How a protocol run fails: a value that names the phase, the cause and the parties at fault.
//!
//! Two kinds matter. A *recoverable* abort costs the run and nothing else: start again with a new attempt. A *ban* means
//! that a check on reusable oblivious-transfer state failed (DKLs23 step 8): the pair must never run again, so in 2-of-2
//! the key is frozen until new shares are made. A ban must be durable before anyone hears of it; [`BanPending`] holds the
//! news back until the caller says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use quorate_terms::{CosignerId, WalletId};

use crate::error::Bug;
use crate::limits::ABORTS_MAX;

/// A run that ended without its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abort {
    /// How far it had come.
    pub phase: &'static str,
    /// What it costs.
    pub kind: AbortKind,
    /// Why, in one line, without secrets.
    pub cause: String,
    /// The parties at fault, where the protocol can tell.
    pub culprits: BTreeSet<CosignerId>,
}

/// What an abort costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbortKind {
    /// The run. A new attempt may start at phase 1.
    Recoverable,
    /// The pair: this holder may never again take part with these shares.
    Ban(CosignerId),
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = match self.kind {
            AbortKind::Recoverable => "start a new attempt",
            AbortKind::Ban(_) => "the key is frozen; ask for new shares by a complete refresh",
        };
        write!(f, "{} aborted: {}; {next}", self.phase, self.cause)
    }
}

/// The effect that must be durable before a ban is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// The wallet whose key is frozen.
    pub wallet: WalletId,
    /// Who is barred.
    pub holder: CosignerId,
    /// The check that failed, in one line.
    pub cause: String,
}

/// A ban that is not yet durable. The share is frozen in memory already; the abort comes out only by
/// [`BanPending::made_durable`].
///
/// ```compile_fail
/// fn early(pending: &quorate_cosigner::BanPending) -> &quorate_cosigner::Abort {
///     &pending.abort
/// }
/// ```
#[must_use = "write the ban to disk, then call made_durable"]
pub struct BanPending {
    ban: Ban,
    abort: Abort,
}

impl BanPending {
    pub(crate) fn new(wallet: WalletId, holder: CosignerId, abort: Abort) -> Self {
        Self { ban: Ban { wallet, holder, cause: abort.cause.clone() }, abort }
    }

    /// What to write to disk.
    pub fn ban(&self) -> &Ban {
        &self.ban
    }

    /// Releases the abort. Call it only once the ban has been written and synced.
    pub fn made_durable(self) -> Abort {
        self.abort
    }
}

impl fmt::Debug for BanPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BanPending").field("holder", &self.ban.holder).finish_non_exhaustive()
    }
}

/// Why a machine cannot go on.
#[derive(Debug)]
pub enum Failure {
    /// The run is over; nothing else is lost.
    Aborted(Abort),
    /// The run is over and the key is frozen. Make it durable, then take the abort out.
    Banned(BanPending),
    /// We are wrong.
    Bug(Bug),
}

impl From<Bug> for Failure {
    fn from(bug: Bug) -> Self {
        Self::Bug(bug)
    }
}

/// Recoverable aborts counted per wallet and peer, so that a peer cannot abort selectively for ever (a fold; the caller
/// starts it anew with the process: whoever restarts a cosigner has looked).
#[derive(Clone, Debug, Default)]
pub struct AbortCount {
    counts: BTreeMap<(WalletId, CosignerId), u32>,
}

impl AbortCount {
    /// Counts an abort against each of its culprits.
    pub fn record(&mut self, wallet: &WalletId, abort: &Abort) {
        for culprit in &abort.culprits {
            let count = self.counts.entry((wallet.clone(), culprit.clone())).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// How many aborts stand against this peer on this wallet.
    pub fn against(&self, wallet: &WalletId, peer: &CosignerId) -> u32 {
        self.counts.get(&(wallet.clone(), peer.clone())).copied().unwrap_or(0)
    }

    /// Whether this peer has used up its aborts: run nothing with it until people have looked.
    pub fn locked(&self, wallet: &WalletId, peer: &CosignerId) -> bool {
        self.against(wallet, peer) >= ABORTS_MAX
    }

    /// People have looked: the count of this pair starts anew.
    pub fn forgive(&mut self, wallet: &WalletId, peer: &CosignerId) {
        self.counts.remove(&(wallet.clone(), peer.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abort(by: &str) -> Abort {
        Abort {
            phase: "sign 2",
            kind: AbortKind::Recoverable,
            cause: "a check failed".into(),
            culprits: [CosignerId::new(by).unwrap()].into(),
        }
    }

    #[test]
    fn row_26_repeated_aborts_are_counted_per_pair_and_lock_it() {
        let (one, two) = (WalletId::new("w1").unwrap(), WalletId::new("w2").unwrap());
        let (bad, good) = (CosignerId::new("bad").unwrap(), CosignerId::new("good").unwrap());
        let mut count = AbortCount::default();
        for done in 1..=ABORTS_MAX {
            assert!(!count.locked(&one, &bad));
            count.record(&one, &abort("bad"));
            assert_eq!(count.against(&one, &bad), done);
        }
        assert!(count.locked(&one, &bad));
        assert!(!count.locked(&two, &bad), "another wallet's pair is another pair");
        assert!(!count.locked(&one, &good));
        count.forgive(&one, &bad);
        assert!(!count.locked(&one, &bad));
    }

    #[test]
    fn a_ban_shows_no_abort_before_it_is_durable() {
        let bad = CosignerId::new("bad").unwrap();
        let mut abort = abort("bad");
        abort.kind = AbortKind::Ban(bad.clone());
        let pending = BanPending::new(WalletId::new("w").unwrap(), bad.clone(), abort.clone());
        assert_eq!(pending.ban().holder, bad);
        assert!(!format!("{pending:?}").contains("a check failed"));
        assert_eq!(pending.made_durable(), abort);
    }
}
