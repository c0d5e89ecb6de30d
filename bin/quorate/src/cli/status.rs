//! How the desk and those around it are.

use quorate_host::ui::{Tone, Ui};

use super::client::Desk;
use super::filing::At;
use super::table::{Cell, Table};
use super::trouble::Tried;
use super::{Ended, read, wallet};
use quorate_gateway::office::{CosignerView, StatusView};

/// Answers with the desk's state.
pub(crate) async fn obey(ui: &Ui, at: &At) -> Tried<Ended> {
    let status = Desk::at(&at.dir).await?.status().await?;
    ui.answer(&status, text(ui, &status))?;
    Ok(Ended::Well)
}

fn text(ui: &Ui, status: &StatusView) -> String {
    let mut top = Table::plain();
    top.row(["vault".into(), status.vault.as_str().into()]);
    top.row(["charter".into(), status.charter.to_string().into()]);
    let (policy, version) = &status.policy;
    top.row(["policy".into(), format!("{policy} (version {version})").into()]);
    top.row(["ledger".into(), format!("{} entries", status.size).into()]);
    top.row(["open cases".into(), status.open_cases.to_string().into()]);
    let writes = match status.writes {
        true => Cell::toned(Tone::Good, "takes writes"),
        false => Cell::toned(Tone::Bad, "takes no writes"),
    };
    top.row(["disk".into(), writes]);
    for (chain, height) in &status.chains {
        let height = match height {
            Ok(height) => Cell::toned(Tone::Good, format!("{chain} at block {height}")),
            Err(why) => Cell::toned(Tone::Bad, format!("{chain}: {why}")),
        };
        top.row(["chain".into(), height]);
    }
    for scope in status.freezes.values() {
        top.row(["frozen".into(), Cell::toned(Tone::Bad, read::scope_words(scope))]);
    }
    for (index, entry) in &status.voids {
        let void = format!("entry {index} ({})", entry.short());
        top.row(["void".into(), Cell::toned(Tone::Bad, void)]);
    }
    let cosigners = cosigners(ui, &status.cosigners, status.size);
    format!("{}\n{cosigners}\n{}", top.show(ui), wallet::wallets_text(ui, &status.wallets))
}

fn cosigners(ui: &Ui, cosigners: &[CosignerView], size: u64) -> String {
    let mut table = Table::new(&["cosigner", "link", "follows", "clock", "last refusal"]);
    for cosigner in cosigners {
        let link = match cosigner.up {
            true => Cell::toned(Tone::Good, "up"),
            false => Cell::toned(Tone::Bad, "down"),
        };
        let follows = cosigner.size.map_or_else(|| "-".to_owned(), |at| format!("{at}/{size}"));
        let clock =
            cosigner.clock_offset_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:+} ms"));
        let trouble = cosigner.trouble.as_deref().unwrap_or("-");
        table.row([
            cosigner.cosigner.as_str().into(),
            link,
            follows.into(),
            clock.into(),
            trouble.into(),
        ]);
    }
    table.show(ui)
}
