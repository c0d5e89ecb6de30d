//! A case as the command line shows it.

use quorate_chains::native_asset;
use quorate_custody::rulings::action_kind;
use quorate_terms::CaseId;
use quorate_terms::intent::{Action, Requester, Transfer};
use quorate_terms::policy::PolicyDocument;

use quorate_gateway::office::CaseView;

use super::Told;
use crate::desk::answers::Story;
use crate::desk::engine::Engine;

pub(super) async fn of(engine: &Engine, case: CaseId) -> Told<Option<CaseView>> {
    all(engine, vec![case]).await.map(|mut views| views.pop())
}

/// Cases in this order; those that there are not are left out.
pub(super) async fn all(engine: &Engine, cases: Vec<CaseId>) -> Told<Vec<CaseView>> {
    let stories = Story::of_all(engine, cases).await?;
    let policy = engine.look(|book| book.policy().document().clone()).await?;
    Ok(stories.into_iter().map(|story| view(&policy, story)).collect())
}

fn view(policy: &PolicyDocument, story: Story) -> CaseView {
    let wallet = match &story.intent.action {
        Action::Transfer(transfer) => Some(transfer.wallet.clone()),
        Action::OpenWallet(open) => Some(open.wallet.clone()),
        _ => None,
    };
    let txid = story.txid();
    CaseView {
        case: story.id,
        kind: action_kind(&story.intent.action).to_owned(),
        requester: match &story.intent.requester {
            Requester::Agent { agent, .. } => agent.to_string(),
            Requester::Person { person } => person.to_string(),
        },
        state: story.state,
        filed_at: story.filed_at,
        expires_at: story.judged.as_ref().map(|judged| judged.expires_at),
        judgment: story.judged.map(|judged| judged.judgment),
        tallies: story.tallies,
        summary: summary(policy, &story.intent.action),
        wallet,
        txid,
        reason: story.closed.as_ref().map(|closed| closed.reason.clone()),
        outcome: story.closed.map(|closed| closed.outcome),
    }
}

/// The act in one line. No personal value: those are commitments.
pub(super) fn summary(policy: &PolicyDocument, action: &Action) -> String {
    match action {
        Action::Transfer(transfer) => moves(policy, transfer),
        Action::Cancel { case } => format!("give up case {case}"),
        Action::OpenWallet(open) => {
            let chains: Vec<_> = open.chains.iter().map(ToString::to_string).collect();
            format!("open wallet {} on {}", open.wallet, chains.join(", "))
        }
        Action::ChangePolicy { policy } => {
            format!("put policy version {} in force", policy.version)
        }
        Action::ChangeCharter { .. } => "put another charter in force".to_owned(),
        Action::IssueCredential { credential } => match credential.role {
            Some(role) => format!("admit {} as {role}", credential.owner),
            None => format!("admit agent {} with band {}", credential.agent, credential.band),
        },
        Action::RevokeCredential { credential } => format!("revoke credential {credential}"),
        Action::ListAddress { account, .. } => format!("list {account}"),
        Action::RemoveAddress { account } => format!("take {account} off the list"),
        Action::Delegate { delegation } => format!(
            "let {} stand in for {} until {}",
            delegation.stand_in.person,
            delegation.seat,
            delegation.until.utc()
        ),
        Action::EndDelegation { delegation } => format!("end delegation {delegation}"),
        Action::Freeze { .. } => "stop signing".to_owned(),
        Action::Unfreeze { lifts, .. } => {
            format!("allow signing again; ends {} freezes", lifts.len())
        }
    }
}

fn moves(policy: &PolicyDocument, t: &Transfer) -> String {
    let info =
        |asset: &quorate_terms::AssetId| policy.assets.iter().find(|info| info.asset == *asset);
    let amount = match info(&t.asset) {
        Some(info) => format!("{} {}", t.amount.to_decimal(info.decimals), info.symbol),
        None => format!("{} base units of {}", t.amount, t.asset),
    };
    let native = native_asset(&t.asset.chain()).ok();
    let fee = match native.as_ref().and_then(info) {
        Some(info) => format!("{} {}", t.fee_ceiling.to_decimal(info.decimals), info.symbol),
        None => format!("{} base units", t.fee_ceiling),
    };
    format!("send {amount} from {} to {}, fee at most {fee}", t.wallet, t.to.address())
}
