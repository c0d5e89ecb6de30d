//! What the desk's node thinks that a transfer would change. Advice for whoever files or looks; nobody's word rests on it.

use std::time::Duration;

use quorate_chains::Attempt;
use quorate_custody::Book;
use quorate_gateway::console::paperwork::{Simulation, Tried};
use quorate_gateway::office::Reply;
use quorate_terms::intent::Transfer;
use quorate_terms::policy::AssetInfo;

use super::refusal;
use crate::desk::effects::World;

/// How long a page waits for the node.
const WITHIN: Duration = Duration::from_secs(2);

/// See [`quorate_gateway::console::paperwork::Paperwork::simulated`].
pub(super) async fn of(world: &World, what: Tried) -> Reply<Option<Simulation>> {
    let found = world.engine.look(move |book| trial(book, &what)).await.map_err(refusal)?;
    let Some((attempt, assets)) = found else { return Ok(None) };
    Ok(Some(match attempt {
        Ok(attempt) => tried(world, &attempt, &assets).await,
        Err(why) => nothing(&why),
    }))
}

/// What can be tried, and the names of assets; none where there is no open transfer.
fn trial(book: &Book, what: &Tried) -> Option<(Result<Attempt, String>, Vec<AssetInfo>)> {
    let attempt = match what {
        Tried::Wish(wanted) => attempt(book, wanted, None),
        Tried::Case(case) => {
            let case = book.case(case)?;
            let wanted = case.transfer()?;
            let draft = case.drafts.last().map(|draft| (&draft.chain, draft.bytes.as_str()));
            match case.signed.is_empty() {
                true => attempt(book, wanted, draft),
                false => Err("it has been signed already".to_owned()),
            }
        }
    };
    Some((attempt, book.policy().document().assets.clone()))
}

fn attempt(
    book: &Book,
    wanted: &Transfer,
    draft: Option<(&quorate_terms::ChainId, &str)>,
) -> Result<Attempt, String> {
    let chain = wanted.asset.chain();
    let account = book.wallet(&wanted.wallet).and_then(|wallet| wallet.accounts.get(&chain));
    let account = account.ok_or("the wallet has no account on this chain")?;
    Attempt::of(account, wanted, draft).map_err(|refusal| refusal.to_string())
}

async fn tried(world: &World, attempt: &Attempt, assets: &[AssetInfo]) -> Simulation {
    let chain = attempt.chain();
    let Some(node) = world.chains.get(chain) else {
        return nothing(&format!("the desk has no node of {chain}; name one in desk.toml"));
    };
    let asked = async {
        let _turn = world.trials.acquire().await;
        node.simulate(attempt).await
    };
    match tokio::time::timeout(WITHIN, asked).await {
        Err(_) => nothing("the node did not answer in time; check it, and open this again"),
        Ok(Err(no)) => {
            let mut said = nothing(&no.words);
            said.warnings.extend(no.warns.then_some(no.words));
            said
        }
        Ok(Ok(found)) => {
            let told = attempt.tell(&found, assets);
            let whose = format!(
                "by the desk's node of {chain}, on the newest block that it knows; advice, which takes \
                 nothing from what was asked"
            );
            let rows = [("simulated".to_owned(), whose)].into_iter().chain(told.rows).collect();
            Simulation { rows, warnings: told.warnings }
        }
    }
}

fn nothing(why: &str) -> Simulation {
    let rows = vec![("simulated".to_owned(), format!("not simulated: {why}"))];
    Simulation { rows, warnings: Vec::new() }
}
