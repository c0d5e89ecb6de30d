//! Reports written from what is on record: the newest assessment of a standard, or an audit. Writing one asks nothing anew, so
//! that the same record gives the same file.

mod compiler;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use quorate_assessor::record::{Record, Results};
use quorate_assessor::report::plan::Plan;
use quorate_assessor::report::redacted::Source;
use quorate_assessor::report::standing::Basis;
use quorate_assessor::report::{self, Edition, Report, Sheet, audited};
use quorate_assessor::standard::{Catalogue, StandardKey};
use quorate_host::Fault;
use quorate_terms::{Digest, canonical};
use serde_json::json;

use crate::audit;
use crate::cli::Cli;
use crate::home::{self, Home};
use crate::library::{self, Shelf};
use crate::office::Office;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The reports.
#[derive(Subcommand)]
pub(crate) enum Which {
    /// How a deployment stands against a standard, control by control.
    Readiness(Standing),
    /// The same against the working draft of a wallet standard.
    Wss(Standing),
    /// What follows for regulators and reference standards, through the maps.
    Regulators(Out),
    /// Everything that does not pass: what is missing, who mends it, and by when.
    Gaps {
        #[command(flatten)]
        standing: Standing,
        /// Owners and days: a TOML file of `[[step]]` with control, owner, due, action.
        #[arg(long)]
        plan: Option<PathBuf>,
    },
    /// The report on compliance of an audit.
    Roc(Audited),
    /// The summary of an audit, for anybody.
    Summary(Audited),
}

/// A report of an assessment.
#[derive(Args)]
pub(crate) struct Standing {
    /// The standard, as `ccss 9.0`; the newest, when none.
    #[arg(long)]
    standard: Option<StandardKey>,
    #[command(flatten)]
    out: Out,
}

/// A report of an audit.
#[derive(Args)]
pub(crate) struct Audited {
    /// The audit.
    audit: String,
    #[command(flatten)]
    out: Out,
}

/// Where a report goes.
#[derive(Args)]
pub(crate) struct Out {
    /// Its form.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    format: Form,
    /// Where to; never replaced.
    #[arg(long)]
    out: PathBuf,
    /// The edition that others may read.
    #[arg(long)]
    redacted: bool,
    /// The Typst compiler, for PDF.
    #[arg(long, default_value = "typst", value_name = "PROGRAM")]
    typst: PathBuf,
}

/// The forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Form {
    /// One page without script.
    Html,
    /// A tagged PDF.
    Pdf,
    /// One row for each control.
    Csv,
    /// Named values, for a publisher's own template.
    FieldsJson,
    /// The same as rows.
    FieldsCsv,
    /// The markup that the PDF is made from.
    Typst,
}

/// The newest versions of these are meant where none is named.
pub(crate) const CCSS: &str = "ccss";
pub(crate) const DRAFT: &str = "wd";

/// Writes one report.
pub(crate) async fn run(cli: &Cli, home: &Home, office: &Office, which: &Which) -> Done<Screen> {
    let shelf = library::load(&cli.standards)?;
    let (report, out) = match which {
        Which::Readiness(of) => (
            standing(home, office, &shelf, (&of.standard, Kind::Readiness, of.out.redacted))?,
            &of.out,
        ),
        Which::Wss(of) => {
            (standing(home, office, &shelf, (&of.standard, Kind::Wss, of.out.redacted))?, &of.out)
        }
        Which::Gaps { standing: of, plan: None } => {
            (standing(home, office, &shelf, (&of.standard, Kind::Gaps, of.out.redacted))?, &of.out)
        }
        Which::Gaps { standing: of, plan: Some(path) } => {
            let key = standard(&shelf, &of.standard, CCSS)?;
            let catalogue = run::catalogue(&shelf.library, &key)?;
            let plan = Plan::from_toml(&home::read_text(path)?, catalogue)?;
            let basis = basis(home, office, &shelf, &key, plan, of.out.redacted)?;
            (report::gaps::report(&basis), &of.out)
        }
        Which::Regulators(out) => (regulators(home, office, &shelf, out.redacted)?, out),
        Which::Roc(of) => {
            let held = audit::open(cli, home, office, &of.audit)?;
            (audited(home, office, &shelf, (&held, true, of.out.redacted)).await?, &of.out)
        }
        Which::Summary(of) => {
            let held = audit::open(cli, home, office, &of.audit)?;
            (audited(home, office, &shelf, (&held, false, of.out.redacted)).await?, &of.out)
        }
    };
    written(&report, out)
}

/// Reports of an assessment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Control by control.
    Readiness,
    /// The same against the working draft of a wallet standard.
    Wss,
    /// What does not pass.
    Gaps,
    /// What follows through the maps.
    Regulators,
}

/// A report of the newest assessment on record.
pub(crate) fn standing(
    home: &Home,
    office: &Office,
    shelf: &Shelf,
    (named, kind, redacted): (&Option<StandardKey>, Kind, bool),
) -> Done<Report> {
    if kind == Kind::Regulators {
        return regulators(home, office, shelf, redacted);
    }
    let key = standard(shelf, named, if kind == Kind::Wss { DRAFT } else { CCSS })?;
    let basis = basis(home, office, shelf, &key, Plan::default(), redacted)?;
    Ok(match kind {
        Kind::Wss => {
            let title = "Wallet security report, unofficial working draft";
            report::standing::report(&basis, title)
        }
        Kind::Gaps => report::gaps::report(&basis),
        Kind::Readiness | Kind::Regulators => report::standing::report(&basis, "Readiness report"),
    })
}

fn standard(shelf: &Shelf, named: &Option<StandardKey>, otherwise: &str) -> Done<StandardKey> {
    let newest = || shelf.library.newest(otherwise).map(Catalogue::key);
    named.clone().or_else(newest).ok_or_else(|| {
        let message = format!("no version of `{otherwise}` is loaded");
        Trouble::refused("unknown_standard", message, "name a standard with --standard")
    })
}

fn basis<'a>(
    home: &Home,
    office: &Office,
    shelf: &'a Shelf,
    key: &StandardKey,
    plan: Plan,
    redacted: bool,
) -> Done<Basis<'a>> {
    let catalogue = run::catalogue(&shelf.library, key)?;
    let results = newest(home, office, key)?.ok_or_else(|| {
        let next = format!("run `quorate-assessor assess \"{key}\"` first");
        Trouble::refused("not_assessed", format!("`{key}` was never assessed here"), next)
    })?;
    Ok(Basis::new(&shelf.library, catalogue, Source { results, plan }, redacted)?)
}

/// The results of the newest assessment on record, by their digest.
pub(crate) fn newest(home: &Home, office: &Office, key: &StandardKey) -> Done<Option<Results>> {
    let digest = office.lines().iter().rev().find_map(|line| match &line.body {
        Record::Assessed { standard, results, .. } if standard == key => Some(*results),
        _ => None,
    });
    digest.map(|digest| recorded(home, &digest)).transpose()
}

/// Results by the digest under which the ledger names them.
pub(crate) fn recorded(home: &Home, digest: &Digest) -> Done<Results> {
    let bytes = home::read(&home.results(&format!("{digest}.json")))?;
    if Digest::sha256(&bytes) != *digest {
        let message = format!("the results {} are not what the ledger names", digest.short());
        return Err(Trouble::refused(
            "refuted",
            message,
            "assess again; keep the file and ask who changed it",
        ));
    }
    canonical::from_bytes(&bytes, "results").map_err(Trouble::from).map_err(Trouble::damaged)
}

fn regulators(home: &Home, office: &Office, shelf: &Shelf, redacted: bool) -> Done<Report> {
    let mut bases = Vec::new();
    for key in [DRAFT, CCSS].iter().filter_map(|id| shelf.library.newest(id).map(Catalogue::key)) {
        if newest(home, office, &key)?.is_some() {
            bases.push(basis(home, office, shelf, &key, Plan::default(), redacted)?);
        }
    }
    report::regulators::report(&bases).ok_or_else(|| {
        let message = "no standard that maps to regulators was assessed here";
        let next = format!("run `quorate-assessor assess \"{DRAFT} VERSION\"` first");
        Trouble::refused("not_assessed", message, next)
    })
}

/// A report of an audit, whole or as its summary.
pub(crate) async fn audited(
    home: &Home,
    office: &Office,
    shelf: &Shelf,
    (held, whole, redacted): (&audit::Held, bool, bool),
) -> Done<Report> {
    let Some(engagement) = held.state.engagement() else {
        return Err(Trouble::refused("no_audit", "the audit has not begun", "engage first"));
    };
    let key =
        StandardKey { standard: engagement.standard.clone(), version: engagement.version.clone() };
    let catalogue = run::catalogue(&shelf.library, &key)?;
    let results = newest(home, office, &key)?;
    let openings = audit::personal::openings(office, &held.state).await?;
    let basis = audited::Basis {
        audit: &held.state,
        catalogue,
        results: results.as_ref(),
        now: office.now(),
        openings: &openings,
    };
    if whole {
        return Ok(audited::roc(&basis, redacted)?);
    }
    Ok(audited::summary(&basis)?)
}

fn written(report: &Report, out: &Out) -> Done<Screen> {
    let bytes = bytes(report, out.format, &out.typst)?;
    kept(&out.out, &bytes).map_err(|e| Fault::at(&out.out, &e))?;
    Ok(told(report, &out.out, &Digest::sha256(&bytes)))
}

/// A report in one of its forms. `typst` is the compiler, for PDF.
pub(crate) fn bytes(report: &Report, form: Form, typst: &Path) -> Done<Vec<u8>> {
    Ok(match form {
        Form::Html => report::html::page(report).into_bytes(),
        Form::Pdf => compiler::pdf(typst, &report::typst::markup(report), report.at)?,
        Form::Typst => report::typst::markup(report).into_bytes(),
        Form::Csv => report.sheet.csv().into_bytes(),
        Form::FieldsCsv => Sheet::of(&report.fields).csv().into_bytes(),
        Form::FieldsJson => fields(report)?,
    })
}

/// Writes a file for its owner's eyes; one that is there is not replaced.
fn kept(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn fields(report: &Report) -> Done<Vec<u8>> {
    let fields: Vec<_> =
        report.fields.iter().map(|f| json!({ "name": f.name, "value": f.value })).collect();
    let whole = json!({ "v": 1, "report": report.title, "redacted": report.edition == Edition::Redacted, "fields": fields });
    serde_json::to_vec_pretty(&whole).map_err(|e| {
        Trouble::fault("fields", format!("they cannot be written ({e})"), "please report this")
    })
}

fn told(report: &Report, path: &Path, digest: &Digest) -> Screen {
    let edition = report.edition.words();
    let text = format!(
        "{}\n{}: {} ({edition})\nsha256 {digest}",
        path.display(),
        report.title,
        report.word
    );
    let json = json!({
        "file": path, "sha256": digest, "title": report.title, "word": report.word, "redacted": report.edition == Edition::Redacted,
    });
    Screen::new(text, json)
}
