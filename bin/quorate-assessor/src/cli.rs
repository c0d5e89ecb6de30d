//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use quorate_assessor::standard::StandardKey;
use quorate_terms::{PersonId, VaultId};

/// The auditor's office: follows books read-only, and says how a deployment stands against the standards. It says
/// "assessed"; only a registrar's certificate says more.
#[derive(Parser)]
#[command(
    name = "quorate-assessor",
    version,
    after_help = "exit codes: 0 done, 1 refused or not all is well, 2 could not be done"
)]
pub(crate) struct Cli {
    /// Where this office's key, ledger and copies of books lie.
    #[arg(long, global = true, default_value = "quorate-assessor", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The folder of standards.
    #[arg(long, global = true, default_value = "standards", value_name = "DIR")]
    pub(crate) standards: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Open an office: its key and its own ledger.
    Init {
        /// The office's name, a word.
        #[arg(long)]
        office: VaultId,
        /// The origin of its ledger, for example `auditor.example/office`.
        #[arg(long)]
        origin: String,
    },
    /// Pin a book: only entries under these keys count. `quorate-verify pin CHARTER` makes the file.
    Pin {
        /// The pinned policy.
        policy: PathBuf,
    },
    /// Take in an exported book, verified whole. `quorate ledger export` makes the files.
    Import {
        /// The vault.
        #[arg(long)]
        vault: VaultId,
        /// The export: one canonical entry a line.
        export: PathBuf,
        /// The checkpoint note that it adds up to.
        #[arg(long)]
        checkpoint: PathBuf,
    },
    /// What a named person says about the outside world, checked against the evidence model and signed.
    Attest {
        /// One of the attested kinds of standards/evidence/model.toml.
        kind: String,
        /// A field, as `name=value`; a value that is JSON is taken as such.
        #[arg(long = "field", value_name = "NAME=VALUE")]
        fields: Vec<String>,
        /// Who says it, by pseudonym.
        #[arg(long)]
        person: PersonId,
        /// The person's key file; made if it is not there.
        #[arg(long)]
        key: PathBuf,
        /// The day that it speaks about, RFC 3339.
        #[arg(long)]
        represents: String,
    },
    /// Take in what people showed for a control.
    Evidence {
        /// The control, as `ccss 9.0 1.01.1.1`.
        control: String,
        /// The tag in the evidence register, as `DOCUMENT_1`.
        #[arg(long)]
        tag: String,
        /// The file; only its SHA-256 is kept.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The day until which it may be relied on, RFC 3339.
        #[arg(long)]
        expires: Option<String>,
        /// Who takes it in.
        #[arg(long)]
        by: PersonId,
    },
    /// Assess the pinned books against a standard.
    Assess {
        /// The standard, as `ccss 9.0`.
        standard: StandardKey,
        /// The level that is sought.
        #[arg(long)]
        level: Option<String>,
        /// Days of the period, ending with the newest entry.
        #[arg(long, default_value_t = 365)]
        days: u64,
        /// A profile that tightens parameters.
        #[arg(long)]
        profile: Option<String>,
        /// Show every control, not only counts, levels and gaps.
        #[arg(long)]
        all: bool,
    },
    /// Everything about one control: what it asks, how it is decided, and how it stands.
    Show {
        /// The control, as `ccss 9.0 1.01.1.1`.
        control: String,
    },
    /// Audits by people: every step an entry of the office's ledger.
    #[command(subcommand)]
    Audit(crate::audit::Audit),
    /// Standards as data.
    #[command(subcommand)]
    Standards(Standards),
    /// What this office holds.
    Status,
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Subcommand)]
pub(crate) enum Standards {
    /// Every standard that is loaded.
    List,
    /// One standard with its controls, or one control: what it asks, how it is decided, and what it maps to both ways.
    Show {
        /// The standard, as `ccss 9.0`, or a control, as `ccss 9.0 1.01.1.1`.
        what: String,
    },
    /// What changed between two versions.
    Diff {
        /// The standard.
        standard: String,
        /// The old version.
        old: String,
        /// The new version.
        new: String,
    },
    /// A profile: the strictest value of each parameter, what each regulator says, and the conflicts.
    Profile {
        /// Its id.
        id: String,
    },
    /// When a report is due, for a clock that started at a moment.
    Due {
        /// The report's template; all templates, when none.
        template: Option<String>,
        /// The moment of the clock's anchor, RFC 3339.
        #[arg(long, requires = "template")]
        at: Option<String>,
        /// The moment of the second anchor, where the clock has one.
        #[arg(long, requires = "at")]
        also_at: Option<String>,
    },
    /// Everything that is wrong, due for review, or not yet recorded.
    Lint {
        /// Look as of this day instead of today, as 2026-11-20.
        #[arg(long)]
        today: Option<String>,
    },
}
