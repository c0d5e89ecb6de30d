//! What a transaction would change, as the node thinks: advice for people, and nothing that the desk acts on.

use quorate_chains::{Attempt, SIMULATE, Simulated};

use super::node::Failure;
use super::{Chain, Upset};

/// Why there is no simulation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unsimulated {
    /// In words.
    pub(crate) words: String,
    /// Whether that itself is a reason to look twice.
    pub(crate) warns: bool,
}

impl From<Upset> for Unsimulated {
    fn from(upset: Upset) -> Self {
        Self { words: upset.to_string(), warns: upset.loud }
    }
}

pub(super) async fn simulate(chain: &Chain, attempt: &Attempt) -> Result<Simulated, Unsimulated> {
    chain.is_right().await?;
    match chain.node.call(SIMULATE, attempt.question()).await {
        Ok(result) => attempt.read(&result).map_err(|bad| Unsimulated {
            words: format!("the node's answer {}; {}", bad.why(), bad.mend()),
            warns: true,
        }),
        Err(Failure::Upset(upset)) => Err(upset.into()),
        Err(Failure::Said { code, message, .. }) => {
            let (words, warns) = Attempt::tell_refused(code, &message);
            Err(Unsimulated { words, warns })
        }
    }
}
