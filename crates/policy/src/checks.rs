//! The built-in checks: what no policy can allow, whatever its rules say.

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Requester, Transfer};
use quorate_terms::judgment::Reason;
use quorate_terms::{AccountId, Timestamp};

use crate::ask::{Ask, Facts};
use crate::policy::Compiled;
use crate::reason::reason;

/// An account in the form in which two spellings of one account are equal.
///
/// On `eip155` chains the case of a letter is a checksum and not part of the address. Everything is compared over its
/// whole length; there is no prefix, suffix or similarity match anywhere (row 35).
pub fn comparable(account: &AccountId) -> AccountId {
    let text = account.as_str();
    if !text.starts_with("eip155:") || !text.bytes().any(|b| b.is_ascii_uppercase()) {
        return account.clone();
    }
    text.to_ascii_lowercase().parse().unwrap_or_else(|_| account.clone())
}

/// Whether two account identifiers name one account.
pub fn same(a: &AccountId, b: &AccountId) -> bool {
    comparable(a) == comparable(b)
}

/// What stands against any intent that makes something possible: version, vault, freeze, open cases.
pub(crate) fn common(policy: &Compiled, ask: &Ask<'_>) -> Vec<Reason> {
    let mut reasons = identity(policy, ask);
    if let Some(frozen) = &ask.facts.frozen {
        let message = format!("{frozen} is frozen");
        reasons.push(reason(
            "check:freeze",
            "frozen",
            message,
            "have the governance quorum unfreeze it",
        ));
    }
    let most = policy.document.limits.open_cases;
    if ask.facts.open_cases >= most {
        let message =
            format!("the requester has {} cases open; {most} is the most", ask.facts.open_cases);
        let next = "wait for a case to close, or cancel one";
        reasons.push(reason("check:open-cases", "too_many_open_cases", message, next));
    }
    reasons
}

/// Version and vault: these stand against every intent.
pub(crate) fn identity(policy: &Compiled, ask: &Ask<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if ask.intent.v != 1 {
        let next = "send format version 1";
        reasons.push(reason(
            "check:version",
            "unknown_version",
            "the intent is not of version 1",
            next,
        ));
    }
    if ask.intent.vault != policy.document.vault {
        let message = format!("the intent is for vault `{}`", ask.intent.vault);
        let next = "file it in the vault that it names";
        reasons.push(reason("check:vault", "wrong_vault", message, next));
    }
    reasons
}

/// What stands against a transfer.
pub(crate) fn transfer(policy: &Compiled, ask: &Ask<'_>, transfer: &Transfer) -> Vec<Reason> {
    let mut reasons = common(policy, ask);
    if let Requester::Agent { .. } = ask.intent.requester {
        reasons.extend(credential(ask.facts, ask.at, transfer));
    }
    reasons.extend(wallet(ask.facts, transfer));
    reasons.extend(asset(policy, transfer));
    reasons.extend(recipient(policy, ask, transfer));
    reasons
}

fn credential(facts: &Facts, at: Timestamp, transfer: &Transfer) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut deny =
        |code, message: &str, next| reasons.push(reason("check:credential", code, message, next));
    let (Some(band), Some(expires_at)) = (facts.band, facts.credential_expires_at) else {
        deny(
            "credential_unknown",
            "the credential is unknown or revoked",
            "ask the operator for a credential",
        );
        return reasons;
    };
    if expires_at <= at {
        deny(
            "credential_expired",
            "the credential has lapsed",
            "ask the operator for a new credential",
        );
    }
    if band < Band::Sign {
        deny(
            "band_too_low",
            &format!("the band `{band}` may not ask for signatures"),
            "ask the operator for the band `sign`",
        );
    }
    if !facts.credential_wallets.contains(&transfer.wallet) {
        let message = format!("the credential does not name wallet `{}`", transfer.wallet);
        deny("wallet_not_granted", &message, "use a wallet of the credential");
    }
    reasons
}

fn wallet(facts: &Facts, transfer: &Transfer) -> Vec<Reason> {
    let name = &transfer.wallet;
    let deny = |code, message: String, next| vec![reason("check:wallet", code, message, next)];
    if !facts.wallet_exists {
        return deny(
            "unknown_wallet",
            format!("there is no wallet `{name}`"),
            "open the wallet first",
        );
    }
    if !facts.wallet_chains.contains(&transfer.asset.chain()) {
        let message = format!("wallet `{name}` is not for chain `{}`", transfer.asset.chain());
        return deny("wallet_wrong_chain", message, "use a wallet of that chain");
    }
    match &facts.wallet_account {
        None => {
            let message =
                format!("wallet `{name}` has no account on `{}` yet", transfer.asset.chain());
            deny("wallet_not_ready", message, "wait until its key is generated")
        }
        Some(own) if same(own, &transfer.to) => {
            let message = format!("wallet `{name}` would pay itself");
            vec![reason("check:self-transfer", "self_transfer", message, "name another recipient")]
        }
        Some(_) => Vec::new(),
    }
}

fn asset(policy: &Compiled, transfer: &Transfer) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !policy.assets.contains_key(&transfer.asset)
        || !policy.coins.contains_key(&transfer.asset.chain())
    {
        let message = format!("the policy does not know asset `{}`", transfer.asset);
        let next = "use an asset of the policy, in the same spelling";
        reasons.push(reason("check:asset", "unknown_asset", message, next));
    }
    if transfer.amount.is_zero() {
        let next = "give an amount above zero";
        reasons.push(reason("check:amount", "zero_amount", "the amount is zero", next));
    }
    reasons
}

fn recipient(policy: &Compiled, ask: &Ask<'_>, transfer: &Transfer) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut deny =
        |rule: &str, code, message: String, next| reasons.push(reason(rule, code, message, next));
    let to = &transfer.to;
    if to.chain() != transfer.asset.chain() {
        let message = format!(
            "the recipient is on `{}`, the asset on `{}`",
            to.chain(),
            transfer.asset.chain()
        );
        deny(
            "check:recipient",
            "recipient_wrong_chain",
            message,
            "name a recipient on the asset's chain",
        );
    }
    if policy.denied.contains(&comparable(to)) {
        let message = format!("`{to}` is on the policy's deny list");
        deny("check:deny-list", "recipient_denied", message, "do not pay this recipient");
    }
    if let Some(from) = ask.facts.recipient_usable_from.filter(|from| *from > ask.at) {
        let seconds = from.since(ask.at).div_ceil(1000);
        let message = format!("`{to}` was listed lately and may be used in {seconds} s");
        deny(
            "check:waiting-time",
            "recipient_waiting",
            message,
            "ask again after the waiting time",
        );
    }
    if matches!(ask.facts.screening, CounterpartyCheck::Performed { flagged: true, .. }) {
        let message = format!("screening flags `{to}`");
        deny("check:screening", "recipient_flagged", message, "ask the compliance officer");
    }
    reasons
}
