//! Administrative intents in words: what changes, and who will be able to do what.

use std::sync::Arc;

use quorate_host::ui::Tone;
use quorate_policy::words::span;
use quorate_terms::credential::AgentCredential;
use quorate_terms::delegation::Delegation;
use quorate_terms::intent::{Action, OpenWallet};
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{CaseId, DelegationId, Term as _};

use super::View;
use super::differences::{self, Comparison};
use crate::screen::Screen;
use crate::trouble::Done;
use crate::words;

/// What an approver must see of an intent that is not a transfer.
pub(super) fn rows(view: &View<'_>, id: &CaseId, action: &Action, screen: &mut Screen) -> Done<()> {
    match action {
        Action::Transfer(_) => {}
        Action::Cancel { case } => cancel(view, case, screen),
        Action::OpenWallet(open) => wallet(open, screen),
        Action::ChangePolicy { policy } => changed(view, id, policy, screen)?,
        Action::ChangeCharter { charter } => {
            screen.row("new charter", charter.digest()?.to_string());
            if charter.previous != Some(view.book().charter_digest()) {
                screen
                    .warn("the new charter does not name the charter in force as its previous one");
            }
            let can_be = view.made.charter.clone().unwrap_or_else(|| super::can_be(charter));
            if let Err(refusal) = can_be {
                screen.warn(format!("the charter cannot be: {refusal}"));
            }
            let delay = span(view.book().charter().change_delay_s);
            screen.row("in force", format!("{delay} after its approval"));
            differences::charter((view.book().charter(), charter), &view.names(), screen);
        }
        Action::IssueCredential { credential } => issued(credential, screen),
        Action::RevokeCredential { credential } => {
            screen.row("ends", format!("credential {credential}, at once"));
            match view.book().credential(credential) {
                Some(admitted) => screen.row("of agent", admitted.credential.agent.to_string()),
                None => screen.warn("the book knows no such credential"),
            }
        }
        Action::ListAddress { account, owner_kind, .. } => {
            screen.toned("lists", account.address(), Tone::Strong);
            screen.row("account", account.to_string());
            screen.row("belongs to", words::plain(owner_kind));
            let wait = span(view.book().policy().document().addresses.wait_s);
            screen.row("usable", format!("{wait} after it is listed"));
            if let Err(bad) = quorate_chains::parse_account(account.as_str(), &account.chain()) {
                screen.warn(format!("the address is not well formed: {bad}"));
            }
            for (known, _) in view.book().listed() {
                if quorate_chains::look_alike(known, account) {
                    screen.warn(format!(
                        "look-alike: begins and ends like {}, which is listed; compare every digit",
                        known.address()
                    ));
                }
            }
        }
        Action::RemoveAddress { account } => screen.row("takes off the list", account.to_string()),
        Action::Delegate { delegation } => delegated(view, delegation, screen),
        Action::EndDelegation { delegation } => ended(view, delegation, screen),
        Action::Freeze { scope } => screen.row("stops signing for", words::scope(scope)),
        Action::Unfreeze { scope, lifts } => {
            screen.toned("allows signing again for", words::scope(scope), Tone::Strong);
            for freeze in lifts {
                let known = view.book().freezes().any(|(digest, _)| digest == freeze);
                let told = if known { "in force" } else { "not known to this book" };
                screen.row("ends freeze", format!("{freeze} ({told})"));
            }
        }
    }
    Ok(())
}

/// Who will stand in for whom, from when until when, and what no stand-in may do.
fn delegated(view: &View<'_>, delegation: &Delegation, screen: &mut Screen) {
    let stand_in = &delegation.stand_in;
    screen.toned("stands in", stand_in.person.to_string(), Tone::Strong);
    screen.toned("for seat", delegation.seat.to_string(), Tone::Strong);
    if let Some(seat) = view.book().charter().approver(&delegation.seat) {
        screen.row("of", seat.person.to_string());
    }
    screen.row("from", delegation.from.utc());
    screen.toned("until", delegation.until.utc(), Tone::Wait);
    match &delegation.above {
        None => screen.toned("up to", "any amount", Tone::Wait),
        Some(above) => {
            for (asset, limit) in above {
                screen.row("up to", words::limit(*limit, asset, view.book().policy()));
            }
            screen.row("any other asset", "the seat itself");
        }
    }
    screen.row("signs with", stand_in.key.to_string());
    screen.row("credential", stand_in.credential.to_string());
    for passkey in &stand_in.passkeys {
        screen.row("passkey", format!("{} at view {}", passkey.credential, passkey.view));
    }
    screen.row("delegation", delegation.id.to_string());
    screen.row("note", "speaks on transfers alone; the seat itself may always speak instead");
}

fn ended(view: &View<'_>, id: &DelegationId, screen: &mut Screen) {
    screen.row("ends", format!("delegation {id}, at once"));
    match view.book().delegation(id).map(|granted| &granted.delegation) {
        Some(one) => screen.row("of", format!("{} for seat {}", one.stand_in.person, one.seat)),
        None => screen.warn("the book knows no such delegation"),
    }
}

fn cancel(view: &View<'_>, case: &CaseId, screen: &mut Screen) {
    screen.row("gives up", case.to_string());
    let target = view.book().case(case);
    match target.and_then(|case| case.transfer()) {
        Some(transfer) => {
            let amount = words::amount(transfer.amount, &transfer.asset, view.book().policy());
            screen.row("which was", format!("{amount} to {}", transfer.to.address()));
        }
        None if target.is_none() => screen.warn("no such case is open"),
        None => {}
    }
    if target.is_some_and(|case| !case.signed.is_empty()) {
        screen.warn("that case has been signed: only a conflicting transaction can stop it");
    }
}

fn wallet(open: &OpenWallet, screen: &mut Screen) {
    let chains: Vec<String> = open.chains.iter().map(ToString::to_string).collect();
    screen.toned("opens", open.wallet.to_string(), Tone::Strong);
    screen.row("chains", chains.join(", "));
    screen.row("signs with", words::plain(&open.scheme));
    screen.row("tier", words::plain(&open.tier));
    screen.row("purpose", open.purpose.as_str());
    if !open.chains.iter().all(quorate_chains::is_development) {
        screen.row("note", "holds real money: every share needs a proven backup before it signs");
    }
}

fn issued(credential: &AgentCredential, screen: &mut Screen) {
    let wallets: Vec<String> = credential.wallets.iter().map(ToString::to_string).collect();
    match credential.role {
        None => {
            screen.toned("admits agent", credential.agent.to_string(), Tone::Strong);
            screen.row("owner", credential.owner.to_string());
        }
        Some(role) => {
            screen.toned("admits person", credential.owner.to_string(), Tone::Strong);
            screen.toned("role", role.to_string(), Tone::Wait);
            screen.row("by", credential.agent.to_string());
        }
    }
    screen.row("credential", credential.credential.to_string());
    screen.toned("band", credential.band.to_string(), Tone::Wait);
    screen.row("wallets", if wallets.is_empty() { "none".to_owned() } else { wallets.join(", ") });
    screen.row("until", credential.expires_at.utc());
}

/// A new policy: what changes, and what that newly allows.
fn changed(view: &View<'_>, id: &CaseId, policy: &PolicyDocument, screen: &mut Screen) -> Done<()> {
    screen.row("new policy", policy.digest()?.to_string());
    screen.row("version", policy.version.to_string());
    if policy.previous != Some(view.book().policy().digest()) {
        screen.warn("the new policy does not name the policy in force as its previous one");
    }
    differences::policy((view.book().policy().document(), policy), &view.names(), screen);
    let asked = Comparison::of(view, id, policy);
    let made = view.made.compared.clone().filter(|made| made.is_of(&asked));
    let compared = made.unwrap_or_else(|| Arc::new(asked.made()));
    match &compared.found {
        Ok(found) => differences::reached(found, screen),
        Err(problems) => {
            for problem in problems {
                screen.warn(format!("the policy does not load: {problem}"));
            }
        }
    }
    Ok(())
}
