//! What the vault is called.

use quorate_pages::{Field, Markup, form, text_field};
use quorate_terms::VaultId;

use super::super::kept::Kept;
use super::super::paper::say;
use super::super::visit::{Typed, given, said};
use super::{Step, shown};
use crate::cli::trouble::Tried;

pub(super) const STEP: Step = Step {
    path: "/vault",
    label: "Vault",
    title: "The vault",
    owns: &["vault", "origin", "charter.log"],
    is_done: |answers| answers.vault.is_some(),
    body,
    take,
    ask: None,
    leads_on: true,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let answers = kept.answers();
    let vault = text_field(Field {
        name: "vault",
        label: "What the vault is called",
        hint: "A short pseudonym such as treasury: small letters, digits, dots and dashes. It stays in the ledger for ever.",
        value: shown(typed, "vault", answers.vault.as_deref().unwrap_or("")),
        optional: false,
    });
    let origin = text_field(Field {
        name: "origin",
        label: "The name under which checkpoints are signed",
        hint: "A name of yours such as example.org/treasury. Left empty it is quorate.local and the vault's name.",
        value: shown(typed, "origin", answers.origin.as_deref().unwrap_or("")),
        optional: true,
    });
    let words = "A vault is one policy, one set of people who approve, and one set of cosigners who hold the shares of its keys.";
    Markup::all([say(words), form("/vault", Markup::all([vault, origin]), "Keep and go on")])
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    let vault: VaultId = said(typed, "vault").parse()?;
    let origin = given(typed, "origin");
    if let Some(origin) = &origin {
        quorate_ledger::note::check_name(origin)?;
    }
    kept.change(|answers| {
        answers.vault = Some(vault.to_string());
        answers.origin = origin;
        Ok(())
    })
}
