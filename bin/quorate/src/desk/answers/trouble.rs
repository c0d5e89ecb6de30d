//! From what went wrong inside to the published codes.

use quorate_custody::Refusal;
use quorate_gateway::errors::{Code, Complaint};
use quorate_terms::Malformed;

use crate::desk::chain::{Upset, Why};
use crate::desk::engine::Trouble;

pub(super) fn malformed(code: Code, error: &Malformed) -> Complaint {
    Complaint::malformed(code, error)
}

pub(super) fn from_trouble(trouble: Trouble) -> Complaint {
    match trouble {
        Trouble::Refused(refusal) => from_refusal(&refusal),
        Trouble::Full | Trouble::Stopped => {
            Complaint::new(Code::DeskUnavailable, trouble.to_string()).after(5)
        }
    }
}

pub(super) fn from_refusal(refusal: &Refusal) -> Complaint {
    let code = match refusal.code.as_str() {
        "key_reused" => Code::IdempotencyConflict,
        "no_credential" => Code::CredentialInvalid,
        "bad_fact" | "too_many_facts" => Code::PriceUnavailable,
        "unknown_case" => Code::CaseNotFound,
        "not_witnessed" => Code::CosignerUnavailable,
        "unreadable" => Code::DeskUnavailable,
        "wrong_vault" | "bug" => Code::Internal,
        _ => Code::InvalidInput,
    };
    Complaint::new(code, format!("{}; {}", refusal.message, refusal.next))
}

pub(super) fn from_chains(refusal: &quorate_chains::Refusal) -> Complaint {
    use quorate_chains::Code as Why;
    let code = match refusal.code {
        Why::BadAddress | Why::ZeroAddress | Why::SelfSend | Why::TokenIsRecipient => {
            Code::InvalidAddress
        }
        Why::ZeroAmount => Code::InvalidAmountWei,
        Why::UnsupportedAsset => Code::UnknownAsset,
        Why::UnsupportedChain | Why::WrongChain => Code::UnknownChain,
        Why::GasLimit | Why::WrongSnapshot => Code::NodeUnavailable,
        Why::PathsDisagree => Code::Internal,
        _ => Code::InvalidInput,
    };
    Complaint::new(code, refusal.to_string())
}

pub(super) fn from_node(upset: &Upset) -> Complaint {
    match upset.why() {
        Why::Node => Complaint::new(Code::NodeUnavailable, upset.to_string()).after(5),
        Why::NoToken => Complaint::new(Code::UnknownAsset, upset.to_string()),
        Why::WouldFail => Complaint::new(Code::TransferWouldFail, upset.to_string()),
    }
}

pub(super) fn internal(why: &str) -> Complaint {
    tracing::error!(why, "a mistake of ours at a door");
    Complaint::new(Code::Internal, "the desk made a mistake; tell the operator the request id")
}
