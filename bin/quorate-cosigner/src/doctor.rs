//! What is wrong with this cosigner, or soon will be, and how to mend it. Each finding is `ok`, `warn` or `bad`, in the form of
//! `quorate doctor`. Everything is looked at, whatever the rest says; nothing is changed, made or opened to others.

mod disk;
mod world;

use std::path::Path;

use quorate_host::findings::Findings;
use quorate_host::ui::Ui;
use quorate_host::{Clock as _, Fault, SystemClock};

use crate::cli::{Ended, Passphrase};
use crate::files::Home;
use crate::operate;

/// `doctor`
pub(crate) async fn obey(ui: Ui, dir: &Path, passphrase: &Passphrase) -> Result<Ended, Fault> {
    let mut found = Findings::default();
    let home = Home::unchecked(dir);
    let now = SystemClock::new().now();
    if disk::folders(&home, &mut found) {
        let known = disk::papers(&home, &mut found);
        let running = operate::runs(&home).await;
        disk::secrets(&home, known.as_ref(), (passphrase, running), &mut found).await;
        let status = match running {
            true => found.take("daemon", operate::status_of(&home, now).await),
            false => disk::ledgers(&home, known.as_ref(), now, &mut found).await,
        };
        if let Some(known) = &known {
            world::around(known, status.as_ref(), running, &mut found).await;
        }
        if let Some(status) = &status {
            world::state(status, now, &mut found);
        }
    }
    Ok(if found.answer(&ui)? { Ended::Well } else { Ended::Badly })
}
