//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use quorate_terms::{CosignerId, PersonId, PublicKey, VaultId};

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
    /// The key file of the person who takes a step of an audit: the step is signed with it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) sign_with: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether it serves pages, so that its log says who comes and goes.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }
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
    /// Take in an exported book, verified whole. `quorate ledger export` makes the files; `quorate-cosigner export` those of a
    /// cosigner's own ledger.
    Import {
        /// The vault.
        #[arg(long)]
        vault: VaultId,
        /// Whose own ledger it is, where it is not the vault's book. It counts where that cosigner speaks of itself.
        #[arg(long)]
        cosigner: Option<CosignerId>,
        /// The export: one canonical entry a line.
        export: PathBuf,
        /// The checkpoint note that it adds up to.
        #[arg(long)]
        checkpoint: PathBuf,
    },
    /// Follow a pinned book at its desk's door, read-only, up to the newest witnessed head.
    Follow {
        /// The vault; not needed where one book is pinned.
        #[arg(long)]
        vault: Option<VaultId>,
        /// Where the desk lets readers in, host and port; remembered.
        #[arg(long, requires = "identity")]
        desk: Option<String>,
        /// The link key that the desk must prove (`quorate charter show`); remembered.
        #[arg(long, requires = "desk")]
        identity: Option<PublicKey>,
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
    /// Assess a pinned book against standards.
    Assess {
        /// The standard, as `ccss 9.0`, or `all`.
        standard: String,
        #[command(flatten)]
        scope: Scope,
        /// The level that is sought.
        #[arg(long)]
        level: Option<String>,
        /// Show every control, not only counts, levels and gaps.
        #[arg(long)]
        all: bool,
    },
    /// Everything about one control: what it asks, how it is decided, by which queries, and how it stands now. Writes nothing.
    Show {
        /// The control, as `ccss 9.0 1.01.1.1`.
        control: String,
        #[command(flatten)]
        scope: Scope,
        /// Write each cited entry with its proof into this folder.
        #[arg(long, value_name = "DIR")]
        proofs: Option<PathBuf>,
    },
    /// How findings changed, one strip for each control that ever changed while watched.
    History {
        /// A standard, as `ccss 9.0`, or one control; all, when none.
        what: Option<String>,
        /// Days that a strip shows.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
        days: u32,
    },
    /// Follow the desk and evaluate, as entries come, the controls that read them. Ends when told to.
    Watch {
        #[command(flatten)]
        scope: Scope,
        /// Milliseconds between looks at the desk.
        #[arg(
            long,
            default_value_t = 1000,
            value_parser = clap::value_parser!(u64).range(50..=60_000)
        )]
        every_ms: u64,
        /// Look once, evaluate what is new, and end.
        #[arg(long)]
        once: bool,
    },
    /// What is wrong here, or soon will be, and how to mend it.
    Doctor,
    /// Audits by people: every step an entry of the office's ledger.
    #[command(subcommand)]
    Audit(crate::audit::Audit),
    /// What a person does with a key of one's own; needs no office.
    #[command(subcommand)]
    Person(crate::person::Person),
    /// Destroy the values about people in an audit's exhibits. Commitments, digests and signatures still hold.
    Erase(crate::audit::personal::Erasing),
    /// Results with every entry that they cite, proven, in one file for a machine without a network.
    Pack(Box<crate::pack::Packing>),
    /// What was found newest of each standard, signed, for the console of the desk that was assessed.
    Bulletin(crate::bulletin::Telling),
    /// Trust Marks: claim, issue, witness, withdraw, publish.
    #[command(subcommand)]
    Mark(Box<crate::mark::Mark>),
    /// Write a report of what is on record: HTML, PDF, CSV, or named values for a publisher's template.
    #[command(subcommand)]
    Report(crate::report::Which),
    /// Standards as data.
    #[command(subcommand)]
    Standards(Standards),
    /// Write the newest assessment of a standard for other tools: system, plan, results, what is to be mended.
    Export(crate::oscal::ExportAssessment),
    /// Serve the office's own pages (findings, audits, reports, the register of marks) and its HTTP API. Ends when told to.
    Serve(crate::serve::Serving),
    /// Tokens of programs that ask the office over HTTP.
    #[command(subcommand)]
    Token(crate::token::Token),
    /// What this office holds.
    Status,
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What an assessment is about.
#[derive(Args)]
pub(crate) struct Scope {
    /// The vault; not needed where one book is pinned.
    #[arg(long)]
    pub(crate) vault: Option<VaultId>,
    /// Days of the period, ending with the newest entry.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=3660))]
    pub(crate) days: u64,
    /// A profile that tightens parameters.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Assess as of this day or moment instead of now; what came later is not looked at.
    #[arg(long)]
    pub(crate) as_of: Option<String>,
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
        /// The moment of the clock's anchor, RFC 3339. Without a template: what each regulator would have to be told, the
        /// earliest first, were it the anchor of every notice.
        #[arg(long)]
        at: Option<String>,
        /// The moment of the second anchor, where the clock has one.
        #[arg(long, requires_all = ["at", "template"])]
        also_at: Option<String>,
    },
    /// Everything that is wrong, due for review, or not yet recorded.
    Lint {
        /// Look as of this day instead of today, as 2026-11-20.
        #[arg(long)]
        today: Option<String>,
    },
    /// Write every standard, level, profile and mapping for other tools.
    Export(crate::oscal::Export),
    /// Check OSCAL documents of anybody: shape, ids, references, versions.
    Check(crate::oscal::Check),
    /// Load an OSCAL catalogue of anybody as a standard.
    Import(crate::oscal::Import),
}
