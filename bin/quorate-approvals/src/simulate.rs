//! What a transaction would change, asked of a node of this party's own. Advice beside what was decoded here: it stands on a
//! screen of its own, no word signs for it, and a node that lies, is slow or says nothing takes nothing away.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use quorate_chains::{Attempt, SIMULATE, Simulated};
use quorate_host::secret_file;
use quorate_host::ui::Tone;
use quorate_terms::policy::AssetInfo;
use quorate_terms::{ChainId, Malformed};
use quorate_web::{NoResult, Node, Patience};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// How long a page waits for a simulation, whatever the node does.
const WITHIN: Duration = Duration::from_secs(2);
/// Far above the answer to a transfer, far below what would be felt.
const PATIENCE: Patience =
    Patience { call: WITHIN, connect: Duration::from_secs(1), bytes: 256 * 1024 };
/// The most simulations at a time.
const AT_ONCE: usize = 4;

/// What is to be tried of a case.
pub(crate) struct Trial {
    /// Why nothing is tried, where nothing is.
    pub(crate) attempt: Result<Attempt, String>,
    /// Names and decimal places, as the policy has them.
    pub(crate) assets: Vec<AssetInfo>,
}

/// The nodes of this party, by chain.
pub(crate) struct Nodes {
    /// Who asks: `this view`.
    who: &'static str,
    by_chain: BTreeMap<ChainId, Node>,
    turns: Semaphore,
}

/// Why there is no simulation.
enum Why {
    /// Nobody answered.
    Silent(String),
    /// The answer itself is a reason to look twice.
    Loud(String),
}

impl Nodes {
    /// The nodes that the command line named, `CHAIN=URL` or `CHAIN=@FILE`. Nothing is asked yet, and what stands after the
    /// sign, which can hold a key, is never repeated.
    pub(crate) fn new(who: &'static str, named: &[String]) -> Done<Self> {
        let mut by_chain = BTreeMap::new();
        for text in named {
            let (chain, node) = node(text)?;
            if by_chain.insert(chain.clone(), node).is_some() {
                let message = format!("two nodes of {chain} are named");
                return Err(Trouble::fault("node", message, "name one node for each chain"));
            }
        }
        Ok(Self { who, by_chain, turns: Semaphore::new(AT_ONCE) })
    }

    /// What people are shown beside a case, within two seconds.
    pub(crate) async fn simulate(&self, trial: &Trial) -> Screen {
        let mut screen = Screen::new("simulation, which is advice");
        let outcome = match &trial.attempt {
            Ok(attempt) => self.tried(attempt).await.map(|found| (attempt, found)),
            Err(why) => Err(Why::Silent(why.clone())),
        };
        match outcome {
            Ok((attempt, found)) => self.found(trial, (attempt, &found), &mut screen),
            Err(Why::Silent(why)) => {
                screen.toned("simulated", format!("not simulated: {why}"), Tone::Wait);
            }
            Err(Why::Loud(why)) => {
                screen.warn(format!("simulation: {why}"));
                screen.toned("simulated", format!("not simulated: {why}"), Tone::Bad);
            }
        }
        screen
    }

    fn found(&self, trial: &Trial, (attempt, found): (&Attempt, &Simulated), screen: &mut Screen) {
        let told = attempt.tell(found, &trial.assets);
        for warning in &told.warnings {
            screen.warn(format!("simulation: {warning}"));
        }
        let whose = format!(
            "by the node of {} that {} was given, on the newest block that it knows; advice, which takes nothing from what the \
             case itself says",
            attempt.chain(),
            self.who
        );
        screen.row("simulated", whose);
        let (verdict, tone) = verdict(told.warnings.len(), told.unknown);
        screen.toned("shows", verdict, tone);
        for (label, text) in &told.rows {
            screen.row(label, text);
        }
    }

    async fn tried(&self, attempt: &Attempt) -> Result<Simulated, Why> {
        let chain = attempt.chain();
        let Some(node) = self.by_chain.get(chain) else {
            let of = if self.by_chain.is_empty() { "" } else { " for this chain" };
            let (who, how) = (self.who, format!("`--node {chain}=URL`"));
            return Err(Why::Silent(format!(
                "{who} has no node of its own{of}; name one with {how}"
            )));
        };
        let asked = async {
            let _turn = self.turns.acquire().await;
            right(node, chain).await?;
            node.ask(SIMULATE, &attempt.question()).await.map_err(silence)
        };
        let Ok(result) = tokio::time::timeout(WITHIN, asked).await else {
            return Err(silence(NoResult::Away("did not answer in time")));
        };
        let read = attempt.read(&result?);
        read.map_err(|bad| {
            let (why, mend) = (bad.why(), bad.mend());
            Why::Loud(format!("the node's answer {why}; {mend}"))
        })
    }
}

/// What people see first. Where events were not understood, nothing is called good.
fn verdict(warnings: usize, unknown: usize) -> (String, Tone) {
    match (warnings, unknown) {
        (0, 0) => ("no difference from what the transfer says".to_owned(), Tone::Good),
        (0, unknown) => {
            let words = "no difference in what is understood; events that are not";
            (format!("{words}: {unknown}"), Tone::Wait)
        }
        (1, _) => {
            ("1 difference from what the transfer says: see the warning".to_owned(), Tone::Bad)
        }
        (count, _) => {
            let words = "differences from what the transfer says: see the warnings";
            (format!("{count} {words}"), Tone::Bad)
        }
    }
}

fn node(text: &str) -> Done<(ChainId, Node)> {
    let Some((chain, rpc)) = text.split_once('=') else {
        let next = "give `CHAIN=URL`, such as `eip155:1=https://..`";
        return Err(Malformed::new("--node", "names no chain", next).into());
    };
    let chain: ChainId = chain.parse().map_err(|bad: Malformed| bad.within("--node"))?;
    quorate_chains::native_asset(&chain)
        .map_err(|refusal| Malformed::new("--node", refusal.message, refusal.next))?;
    let url = match rpc.strip_prefix('@') {
        Some(path) => kept(Path::new(path))?,
        None => rpc.to_owned(),
    };
    let node = Node::at(url.trim(), PATIENCE).map_err(|bad| bad.within("--node"))?;
    Ok((chain, node))
}

/// A URL from a file that only its owner reads.
fn kept(path: &Path) -> Done<String> {
    let secret = secret_file::read(path)?.without_line_break();
    String::from_utf8(secret.expose().to_vec()).map_err(|_| {
        let message = format!("{} holds no URL", path.display());
        Trouble::fault("node", message, "write the node's URL into it, and nothing else")
    })
}

/// Refuses the node of another chain: what it shows would be of other money.
async fn right(node: &Node, chain: &ChainId) -> Result<(), Why> {
    let said = node.ask("eth_chainId", &json!([])).await.map_err(silence)?;
    let digits = said.as_str().and_then(|text| text.strip_prefix("0x"));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match number {
        Some(number) if number.to_string() == chain.reference() => Ok(()),
        Some(number) => {
            Err(Why::Loud(format!("the node is of chain {number}; name a node of {chain}")))
        }
        None => Err(Why::Loud(format!("the node tells no chain; name a node of {chain}"))),
    }
}

fn silence(why: NoResult) -> Why {
    match why {
        NoResult::Away(why) => {
            Why::Silent(format!("the node {why}; check it, and open this again"))
        }
        NoResult::TooMuch => Why::Loud(
            "the node's answer is larger than any transfer's; do not trust its silence".to_owned(),
        ),
        NoResult::Locked => Why::Silent("the node refuses our key; check its URL".to_owned()),
        NoResult::Nonsense => Why::Loud("the node's answer is no JSON-RPC; ask another".to_owned()),
        NoResult::Said { code, message, .. } => {
            let (words, warns) = Attempt::tell_refused(code, &message);
            if warns { Why::Loud(words) } else { Why::Silent(words) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_chain_and_its_url_is_never_repeated() {
        let named = "eip155:31337=http://127.0.0.1:8545/s3cret".to_owned();
        assert!(Nodes::new("this view", std::slice::from_ref(&named)).is_ok());
        let twice = Nodes::new("this view", &[named.clone(), named]).err().unwrap();
        assert!(twice.message.contains("two nodes of eip155:31337"), "{twice}");
        for bad in [
            "http://127.0.0.1:8545/s3cret",
            "cosmos:hub=https://x.example/s3cret",
            "eip155:1=http://node.example/s3cret",
            "eip155:1=gopher://s3cret",
            "eip155:1=s3cret",
            "=",
            "",
        ] {
            let why = Nodes::new("this view", &[bad.to_owned()]).err().unwrap().to_string();
            assert!(!why.contains("s3cret") && why.contains("node"), "{why}");
        }
    }
}
