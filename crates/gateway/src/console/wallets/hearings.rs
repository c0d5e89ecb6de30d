//! What nodes say of balances when somebody looks. All who look within a minute are told the same, and of each chain one account
//! is asked about at a time: the nodes are shared with what the desk itself has to do.
//!
//! Asking goes on when nobody waits for it any more, so that a slow node is known at the next look and is not asked anew by each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quorate_terms::{AccountId, AssetId, ChainId, Timestamp};
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::timeout;

use crate::answer::{Answer, Balances};
use crate::console::Here;
use crate::console::visit::Visit;
use crate::desk::{Caller, Progress};
use crate::question::{Currency, Question};

/// How long an answer stands.
const KEPT_S: u64 = 60;
/// How long a page waits.
const WITHIN: Duration = Duration::from_secs(5);
/// How long one account may have its turn.
const TURN: Duration = Duration::from_secs(30);
/// The most assets that one question names: the desk answers no more at once.
const NAMED_MAX: usize = 50;

/// Some of what an account holds, or why that is not known.
pub(super) type Part = Result<Balances, String>;

/// What was said of one account.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// When all of it was said.
    pub(super) at: Timestamp,
    /// One part, or several where not everything was answered together.
    pub(super) parts: Vec<Part>,
}

/// What was said of each account. One that is still asked about is not in it.
pub(super) type Told = BTreeMap<AccountId, Heard>;

/// Nothing as long as it is asked.
type Hearing = watch::Receiver<Option<Heard>>;

/// What is asked of nodes, and what they said: for anybody who looks.
#[derive(Default)]
pub(crate) struct Hearings {
    known: Mutex<BTreeMap<AccountId, Hearing>>,
    turns: Mutex<BTreeMap<ChainId, Arc<Turn<()>>>>,
}

/// What is said of these accounts, and within [`WITHIN`].
pub(super) async fn told(visit: &Visit, accounts: Vec<AccountId>) -> Told {
    // All are begun before any is waited for: a node that hangs holds up no other chain.
    let begin = |account: AccountId| (account.clone(), hearing(visit, account));
    let mut begun: Vec<(AccountId, Hearing)> = accounts.into_iter().map(begin).collect();
    let all = async {
        for (_, hearing) in &mut begun {
            drop(hearing.wait_for(Option::is_some).await);
        }
    };
    let _late = timeout(WITHIN, all).await;
    let said = |(account, hearing): (AccountId, Hearing)| {
        let heard = hearing.borrow().clone()?;
        Some((account, heard))
    };
    begun.into_iter().filter_map(said).collect()
}

/// What is known of an account or asked already; otherwise asking begins.
fn hearing(visit: &Visit, account: AccountId) -> Hearing {
    let mut known = visit.console.hearings.known.lock().unwrap_or_else(PoisonError::into_inner);
    let now = visit.console.now();
    known.retain(|_, one| stands(one, now));
    if let Some(one) = known.get(&account) {
        return one.clone();
    }
    let (tell, hearing) = watch::channel(None);
    known.insert(account.clone(), hearing.clone());
    tokio::spawn(Asking::of(visit, account).goes(tell));
    hearing
}

fn stands(hearing: &Hearing, now: Timestamp) -> bool {
    match &*hearing.borrow() {
        // A clock that was set back must not make it stand for longer.
        Some(heard) => (heard.at..heard.at.plus_s(KEPT_S)).contains(&now),
        // Whoever asked may be gone without a word.
        None => hearing.has_changed().is_ok(),
    }
}

/// One account that is asked about.
struct Asking {
    console: Here,
    caller: Caller,
    account: AccountId,
    fiat: Option<Currency>,
    tokens: Vec<AssetId>,
}

impl Asking {
    fn of(visit: &Visit, account: AccountId) -> Self {
        let (policy, chain) = (&visit.status.policy_document, account.chain());
        let listed = policy.assets.iter().map(|info| &info.asset);
        let tokens = listed.filter(|one| one.chain() == chain && !one.is_native());
        Self {
            console: Arc::clone(&visit.console),
            caller: visit.caller.clone(),
            fiat: policy.currency.parse().ok(),
            tokens: tokens.cloned().collect(),
            account,
        }
    }

    /// Asks when it is its turn, and tells whoever waits.
    async fn goes(self, tell: watch::Sender<Option<Heard>>) {
        let turn = self.turn();
        let _mine = turn.lock().await;
        let mut parts = Vec::new();
        let asked = timeout(TURN, self.ask(&mut parts)).await;
        if asked.is_err() {
            let why = "the node takes too long, so not everything was asked; run `quorate doctor`";
            parts.push(Err(why.to_owned()));
        }
        drop(tell.send_replace(Some(Heard { at: self.console.now(), parts })));
    }

    fn turn(&self) -> Arc<Turn<()>> {
        let mut turns = self.console.hearings.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(self.account.chain()).or_default())
    }

    /// Everything at once. Where that is not answered: the coin by itself, then tokens, and where one of several cannot be
    /// asked, each by itself, so that a bad token hides nothing else.
    async fn ask(&self, parts: &mut Vec<Part>) {
        let all = self.question(None, true).await;
        if all.is_ok() {
            parts.push(all);
            return;
        }
        let coin = self.question(Some(Vec::new()), true).await;
        let is_away = coin.is_err();
        parts.push(coin);
        if is_away {
            return;
        }
        for some in self.tokens.chunks(NAMED_MAX) {
            let said = self.question(Some(some.to_vec()), false).await;
            if said.is_ok() {
                parts.push(said);
                continue;
            }
            for one in some {
                let said = self.question(Some(vec![one.clone()]), false).await;
                parts.push(said.map_err(|why| format!("{one}: {why}")));
            }
        }
    }

    async fn question(&self, assets: Option<Vec<AssetId>>, include_native: bool) -> Part {
        let Some(fiat) = self.fiat.clone() else {
            return Err("the policy names no currency; look at the policy".to_owned());
        };
        let account = self.account.clone();
        let ask = Question::GetAllBalances { account, fiat, assets, include_native };
        match self.console.desk.ask(&self.caller, ask, Progress::silent()).await {
            Ok(Answer::Balances(said)) => Ok(said),
            Ok(_) => Err("the desk told something else; run `quorate doctor`".to_owned()),
            Err(complaint) => Err(complaint.message),
        }
    }
}
