//! `backup restore`: puts a share back from its backup, where there is none, or says why not.
//!
//! What the share signed since the backup was made is not in the backup. Where this directory's own ledger was kept since
//! the share came here, it knows. A new directory does not: it starts with the vault frozen at its own door, until the
//! charter's quorum agrees to lift exactly that freeze, in a book that this cosigner then follows.

use std::path::Path;

use quorate_cosigner::Party;
use quorate_cosigner::party::Event;
use quorate_cosigner::share::Expected;
use quorate_host::random::Random;
use quorate_host::seal::{Cost, KeySource};
use quorate_host::ui::Ui;
use quorate_host::{Fault, harden, secret_file};
use quorate_terms::Timestamp;
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::ShareRestored;
use serde_json::json;

use crate::backup::{self, Facts, Sealed};
use crate::cli::Passphrase;
use crate::files::Home;
use crate::operate;
use crate::rebuild::{self, Stores};
use crate::shares::{Cabinet, present};
use crate::trouble::{fault, malformed, not_appended};

/// `backup restore`
pub(crate) async fn restore(
    ui: Ui,
    home: Home,
    file: &Path,
    passphrases: (Passphrase, Passphrase),
    now: Timestamp,
) -> Result<(), Fault> {
    if operate::runs(&home).await {
        return Err(fault("backup", "cannot be restored while the daemon runs", "`stop` it first"));
    }
    let bytes = secret_file::read(file)?;
    let sealed = Sealed::parse(bytes.expose())?;
    let digest = backup::digest(bytes.expose());
    let (_, stores, mut party) = rebuild::offline(&home, now).await?;
    let restored =
        put_back(&home, (&sealed, digest), (&stores, &mut party), passphrases, now).await;
    stores.close().await;
    let restored = restored?;
    let next = next(&restored);
    let answer = json!({ "restored": restored, "next": next });
    ui.answer(&answer, format!("the share of {} is back; {next}", restored.wallet))
}

async fn put_back(
    home: &Home,
    (sealed, digest): (&Sealed<'_>, quorate_terms::Digest),
    (stores, party): (&Stores, &mut Party),
    (shares, backup): (Passphrase, Passphrase),
    now: Timestamp,
) -> Result<ShareRestored, Fault> {
    let facts = &sealed.facts;
    let number = operate::party_number(home)?;
    belongs(facts, number, party)?;
    secret_file::make_dir(&home.shares())?;
    if let Some(path) = present(&home.shares(), &facts.wallet, facts.epoch)? {
        let name = path.display().to_string();
        return Err(fault(
            &name,
            "is there already",
            "a share is never replaced; move a damaged one away and keep it",
        ));
    }
    let set = Cabinet::is_set(&home.shares());
    let own = shares.get("passphrase of this cosigner's shares", !set, harden::harden)?;
    let passphrase = backup.get("passphrase of the backup", false, || Ok(()))?;
    let source = KeySource::Passphrase { passphrase, cost: Cost::STANDARD };
    let expected = Expected { wallet: &facts.wallet, epoch: facts.epoch, party: number };
    let share = sealed.open(&source, &expected)?;
    if share.facts().vault != facts.vault || share.facts().holder(number) != Some(party.me()) {
        return Err(fault(
            "backup",
            "holds a share of another vault or holder",
            "give the right one",
        ));
    }
    let cabinet = Cabinet::unseal(home.shares(), own, number, Random::start()?)?;
    let restored = ShareRestored {
        wallet: facts.wallet.clone(),
        epoch: facts.epoch,
        holder: party.me().clone(),
        backup: digest,
        made_at: facts.made_at,
        record_kept: party.charter().has_held(&facts.wallet),
    };
    // The record first: should this end here, the next try finds it, and the freeze stands.
    let size = party.own().size();
    let step = party.step(Event::Restored(restored.clone()), now);
    if step.records.is_empty() {
        return Err(fault("own.db", "cannot hold this restore, so it was not made", "report this"));
    }
    let entries = step.records.iter().map(|entry| entry.to_canonical()).collect::<Result<_, _>>();
    let entries = entries.map_err(|e| malformed("own.db", &e))?;
    stores.own.append(size, entries).await.map_err(not_appended)?;
    cabinet.put(&share)?;
    Ok(restored)
}

/// Whether a backup is this cosigner's, and of the key that its own records know.
fn belongs(facts: &Facts, number: u8, party: &Party) -> Result<(), Fault> {
    let refuse = |why: &str, mend: &str| Err(fault("backup", why, mend));
    if facts.vault != party.charter().text().vault {
        return refuse("is of another vault", "restore it in that vault's cosigner");
    }
    if facts.cosigner != *party.me() || facts.party != number {
        return refuse("is another cosigner's", "restore it where its share was held");
    }
    if party.charter().is_barred(&facts.wallet) {
        let mend = "only new shares bring this wallet back; the backup would not";
        return refuse("is of a key for which a cosigner is barred", mend);
    }
    let Some(known) = party.follower().book().wallet(&facts.wallet) else { return Ok(()) };
    if known.epoch != facts.epoch || known.public_key != facts.public_key {
        return refuse(
            "is of another key or epoch than the book that this cosigner follows",
            "give the backup that was made of the wallet's present shares",
        );
    }
    Ok(())
}

/// What the operator has to know, and to do.
fn next(restored: &ShareRestored) -> String {
    if restored.record_kept {
        return "what it signed stands in this directory's own ledger, which was kept; start the cosigner".to_owned();
    }
    format!(
        "this directory does not know what the share signed since {}, so this cosigner starts frozen: start it, let the \
         desk tell its book, have every operator compare the head of that book, and then have the charter's quorum agree to \
         `quorate unfreeze --scope vault`",
        restored.made_at
    )
}
