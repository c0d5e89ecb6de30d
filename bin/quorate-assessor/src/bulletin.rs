//! The bulletin: what this office found newest of each standard, signed with its key, for the console of the assessed desk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use quorate_assessor::finding::State;
use quorate_assessor::record::Results;
use quorate_assessor::standard::Catalogue;
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_terms::bulletin::{
    Assessed, BookHead, Bulletin, Group, Open, SignedBulletin, TOLD_MAX,
};
use quorate_terms::{Digest, Term as _, canonical};
use serde_json::json;

use crate::cli::Cli;
use crate::home::Home;
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::report;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// What is asked.
#[derive(Args)]
pub(crate) struct Telling {
    /// Where the bulletin goes; an older one is replaced.
    #[arg(long)]
    out: PathBuf,
}

/// Writes it.
pub(crate) fn tell(cli: &Cli, home: &Home, office: &Office, asked: &Telling) -> Done<Screen> {
    let signed = signed(home, office, &library::load(&cli.standards)?)?;
    secret_file::replace(&asked.out, &signed.to_bytes()?, Random::start()?)?;
    let (path, public) = (asked.out.display(), home.identity()?.public_key());
    let count = signed.bulletin.standards.len();
    let text = format!(
        "{path}: {count} standards, signed by {public}\nthe desk shows it with `office`, `office_key` and `bulletin` under `[console]`"
    );
    let json = json!({ "bulletin": path.to_string(), "standards": count, "key": public });
    Ok(Screen::new(text, json))
}

/// The bulletin of what is on record, under the office's own key; nothing is asked anew, and nothing is written.
pub(crate) fn signed(home: &Home, office: &Office, shelf: &Shelf) -> Done<SignedBulletin> {
    let mut standards = Vec::new();
    for catalogue in shelf.library.catalogues.values() {
        if let Some(results) = report::newest(home, office, &catalogue.key())? {
            standards.push(assessed(catalogue, &results)?);
        }
    }
    if standards.is_empty() {
        let next = "run `quorate-assessor assess all` first";
        return Err(Trouble::refused("no_results", "nothing was assessed yet", next));
    }
    let bulletin = Bulletin {
        v: 1,
        office: office.name().clone(),
        origin: office.origin().to_owned(),
        made_at: office.now(),
        standards,
    };
    let signature = home.identity()?.sign(&bulletin.digest()?);
    Ok(SignedBulletin { bulletin, signature })
}

fn assessed(catalogue: &Catalogue, results: &Results) -> Done<Assessed> {
    let reached = &results.reached;
    let title = |id: &str| {
        let named = catalogue.groups.iter().find(|group| group.id == id);
        named.map_or_else(String::new, |group| group.title.clone())
    };
    let groups = reached.groups.iter().map(|reached| Group {
        id: reached.group.clone(),
        title: title(&reached.group),
        level: reached.level.clone(),
    });
    let is_open = |state: State| matches!(state, State::Gap | State::Stale | State::Unproven);
    let open = results.findings.iter().filter(|finding| is_open(finding.state));
    let told = open.take(TOLD_MAX).map(|finding| Open {
        control: finding.control.id.clone(),
        state: finding.state.words().to_owned(),
        why: finding.reasons.first().cloned().unwrap_or_default(),
    });
    let heads = results.heads.iter();
    let head = |head: &quorate_assessor::finding::Head| BookHead {
        book: head.book.clone(),
        size: head.size,
        root: head.root,
    };
    let counts: BTreeMap<String, u64> =
        reached.counts.iter().map(|(state, count)| (state.words().to_owned(), *count)).collect();
    Ok(Assessed {
        standard: results.standard.standard.clone(),
        version: results.standard.version.clone(),
        title: catalogue.title.clone(),
        official: results.official,
        results: Digest::sha256(&canonical::to_bytes(results, "results")?),
        at: results.at,
        sought: results.sought.clone(),
        overall: reached.overall.clone(),
        groups: groups.collect(),
        counts,
        open: told.collect(),
        heads: heads.map(head).collect(),
    })
}
