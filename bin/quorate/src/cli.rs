//! The operator's command line: found a vault, run it, and ask of it what people may ask. Everything that changes
//! anything is an intent that takes the same path as an agent's; there is no back office.
//!
//! Reading order: how things go wrong, what is read and shown, how the desk is asked and an intent filed; then the
//! commands, from founding to the doctor.

mod trouble;

mod read;
mod table;

mod client;
mod filing;

mod found;
mod source;
mod up;

mod address;
mod agent;
mod alert;
mod case;
mod charter;
mod checklist;
mod delegation;
mod freeze;
mod ledger;
mod lost;
mod member;
mod policy;
mod transfer;
mod wallet;

mod doctor;
mod status;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use quorate_host::ui::Ui;
use quorate_terms::credential::Band;

pub(crate) use trouble::{Tried, Trouble};

/// The desk of a Quorate vault: found it, run it, and file what people want of it.
#[derive(Parser, Debug)]
#[command(
    name = "quorate",
    version,
    after_help = "exit codes: 0 done, 1 refused or unhealthy, 2 could not be done"
)]
pub(crate) struct Cli {
    /// Answer with one JSON value on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Found a vault: guided on a terminal, or wholly by flags.
    Init(Box<found::InitArgs>),
    /// Run the desk until stopped; where no vault is founded, found it in the browser first.
    Up(up::UpArgs),
    /// Speak MCP on standard input and output for one agent. `MCP_BANDS` is read when `--bands` is absent.
    Mcp {
        #[command(flatten)]
        at: filing::At,
        /// The agent's token, a file of mode 0600.
        #[arg(long)]
        token_file: PathBuf,
        /// The bands here: `read`, `read,prepare`, `read,prepare,sign` or `full`; never above the credential's.
        #[arg(long)]
        bands: Option<String>,
    },
    /// A source of signed facts, on a machine of its own.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Open and list wallets.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Admit, list and revoke agents.
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Admit, list and end people at the console and the HTTP API.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Let somebody stand in for a seat for a while, end it, show who stands in for whom.
    #[command(subcommand)]
    Delegation(delegation::DelegationCommand),
    /// List recipients and take them off the list.
    #[command(subcommand)]
    Address(address::AddressCommand),
    /// Show, check, compare and propose policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Show and propose charters.
    #[command(subcommand)]
    Charter(charter::CharterCommand),
    /// File a transfer as a person.
    Transfer(Box<transfer::TransferArgs>),
    /// List, show and watch cases.
    #[command(subcommand)]
    Case(case::CaseCommand),
    /// Ask that a case be given up.
    Cancel(case::CancelArgs),
    /// Ask for higher fees for a case whose transaction waits.
    SpeedUp(case::One),
    /// Take a case's receipt.
    Receipt(case::ReceiptArgs),
    /// Destroy the personal values of a case that is over (memo, beneficiary), for good; every proof still verifies.
    Erase(case::EraseArgs),
    /// Stop signing in a scope, at once.
    Freeze(freeze::FreezeArgs),
    /// Ask the charter's quorum to allow signing again.
    Unfreeze(freeze::FreezeArgs),
    /// Show how the desk and those around it are.
    Status {
        #[command(flatten)]
        at: filing::At,
    },
    /// List, take and close alerts.
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Export the ledger.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Find what is wrong and how to mend it.
    Doctor {
        #[command(flatten)]
        at: filing::At,
    },
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// How a command came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// As asked, or on its way.
    Well,
    /// Refused, or found unhealthy.
    Badly,
}

/// What `main` read from the environment, once.
pub(crate) struct Environment {
    /// Whether `NO_COLOR` is set.
    pub(crate) no_colour: bool,
    /// `MCP_BANDS`, as text or not text.
    pub(crate) bands: Option<Result<String, ()>>,
    /// Whether somebody sits before a screen on which a browser could open.
    pub(crate) has_display: bool,
}

impl Cli {
    /// How this command speaks to its caller.
    pub(crate) fn ui(&self, environment: &Environment) -> Ui {
        Ui::new(self.json, environment.no_colour)
    }

    /// Whether standard output belongs to a protocol.
    pub(crate) const fn is_door(&self) -> bool {
        matches!(self.command, Command::Mcp { .. })
    }

    /// Obeys.
    ///
    /// # Errors
    /// [`Trouble`] when it cannot be done.
    pub(crate) async fn obey(&self, ui: &Ui, environment: &Environment) -> Tried<Ended> {
        match &self.command {
            Command::Init(args) => found::obey(ui, args),
            Command::Up(args) => up::obey(args, environment.has_display).await,
            Command::Mcp { at, token_file, bands } => {
                let bands = bands_of(bands.as_deref(), environment)?;
                crate::desk::mcp_stdio(&at.dir, token_file, bands.as_deref()).await?;
                Ok(Ended::Well)
            }
            Command::Source(command) => source::obey(ui, command).await,
            Command::Wallet(command) => wallet::obey(ui, command).await,
            Command::Agent(command) => agent::obey(ui, command).await,
            Command::Member(command) => member::obey(ui, command).await,
            Command::Delegation(command) => delegation::obey(ui, command).await,
            Command::Address(command) => address::obey(ui, command).await,
            Command::Policy(command) => policy::obey(ui, command).await,
            Command::Charter(command) => charter::obey(ui, command).await,
            Command::Transfer(args) => transfer::obey(ui, args).await,
            Command::Case(command) => case::obey(ui, command).await,
            Command::Cancel(args) => case::cancel(ui, args).await,
            Command::SpeedUp(one) => case::speed_up(ui, one).await,
            Command::Receipt(args) => case::receipt(ui, args).await,
            Command::Erase(args) => case::erase(ui, args).await,
            Command::Freeze(args) => freeze::freeze(ui, args).await,
            Command::Unfreeze(args) => freeze::unfreeze(ui, args).await,
            Command::Status { at } => status::obey(ui, at).await,
            Command::Alert(command) => alert::obey(ui, command).await,
            Command::Ledger(command) => ledger::obey(ui, command).await,
            Command::Doctor { at } => doctor::obey(ui, at).await,
            Command::Completions { shell } => completions(ui, *shell),
        }
    }
}

/// The bands that the caller named: the flag, or else `MCP_BANDS`. A bad list stops the start; none at all is the
/// credential's own band.
fn bands_of(flag: Option<&str>, environment: &Environment) -> Tried<Option<String>> {
    let (field, text) = match (flag, &environment.bands) {
        (Some(flag), _) => ("--bands", flag),
        (None, Some(Ok(text))) => ("MCP_BANDS", text.as_str()),
        (None, Some(Err(()))) => {
            let mend = "give `read`, `read,prepare`, `read,prepare,sign` or `full`";
            return Err(Trouble::new("MCP_BANDS", "is not text", mend));
        }
        (None, None) => return Ok(None),
    };
    let why = |e: quorate_terms::Malformed| Trouble::new(field, e.why(), e.mend());
    Band::from_list(text).map_err(why)?;
    Ok(Some(text.to_owned()))
}

fn completions(ui: &Ui, shell: Shell) -> Tried<Ended> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quorate", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    ui.answer(&serde_json::json!({ "script": script }), &script)?;
    Ok(Ended::Well)
}

/// Says something beside the answer, on standard error.
fn note(line: &str) {
    let line = quorate_host::telemetry::safe(line);
    let _nobody_listens = writeln!(std::io::stderr(), "{line}");
}

/// A text as a TOML basic string. JSON's escapes are TOML's, but for the delete character.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
