//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use quorate_terms::freeze::Scope;
use quorate_terms::{
    ApproverId, CosignerId, CredentialId, DelegationId, Digest, PersonId, PublicKey, ViewId,
};

use crate::{home, stop, words};

/// The approver's own tool: follows the book, decodes for itself, shows in plain words, and signs.
#[derive(Parser)]
#[command(
    name = "quorate-approvals",
    version,
    after_help = "exit codes: 0 done, 1 refused, 2 could not be done"
)]
pub(crate) struct Cli {
    /// Where this approver's keys, charter and copy of the book lie.
    #[arg(long, global = true, default_value = "quorate-approvals", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the passphrase from this file of mode 0600 instead of asking.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether this runs until it is told to end.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self.command, Command::View(ViewCommand::Serve(_)))
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the keys of this approver and the enrolment file for the operators.
    Enrol {
        /// The seat.
        #[arg(long)]
        approver: ApproverId,
        /// The person in it, by pseudonym.
        #[arg(long)]
        person: PersonId,
        /// What device this is; only a commitment to it leaves this machine.
        #[arg(long)]
        device: Option<String>,
        /// The person stands in for the seat while its own person is away, and holds none.
        #[arg(long, conflicts_with = "device")]
        stand_in: bool,
    },
    /// Accept the charter whose digest you were told on another channel.
    Accept(AcceptArgs),
    /// Cases that wait for you.
    List {
        /// All open cases.
        #[arg(long)]
        all: bool,
    },
    /// Everything about one case, decoded here.
    Show {
        /// The case, or 8 or more of its first digits.
        case: String,
        /// A node of your own that simulates what the transfer would change; `CHAIN=@FILE` reads its URL from a file of mode
        /// 0600. Once for each chain.
        #[arg(long, value_name = "CHAIN=URL")]
        node: Vec<String>,
    },
    /// Say yes.
    Approve(DecideArgs),
    /// Say no. One no closes the case.
    Reject(DecideArgs),
    /// Send what was signed offline.
    Submit {
        /// The signed file.
        file: PathBuf,
    },
    /// Stop signing at once, at the desk and at every cosigner.
    Freeze {
        /// `vault`, `wallet:W` or `agent:A`.
        #[arg(long, default_value = "vault", value_parser = stop::scope)]
        scope: Scope,
        /// Why, as a short code.
        #[arg(long, value_parser = stop::cause)]
        cause: String,
    },
    /// Who stands in for whom, and how to end it.
    #[command(subcommand)]
    Delegation(DelegationCommand),
    /// Agree to go on after the void entry at an index.
    Resume {
        /// The index.
        index: u64,
        /// Do not ask for the digits.
        #[arg(long)]
        yes: bool,
    },
    /// Take a passkey into this approver's enrolment, or make one with a FIDO2 key.
    Passkey(PasskeyArgs),
    /// A place of its own where people approve in a browser, with passkeys.
    #[command(subcommand)]
    View(ViewCommand),
    /// How things stand.
    Status,
    /// What is wrong, and how to mend it.
    Doctor,
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Subcommand)]
pub(crate) enum DelegationCommand {
    /// The delegation of this seat, or the one under which this machine stands in.
    Show,
    /// Take it back at once, at the desk and at every cosigner: the seat and the stand-in may, each alone.
    End {
        /// The delegation.
        delegation: DelegationId,
    },
}

#[derive(Subcommand)]
pub(crate) enum ViewCommand {
    /// Make the keys of a view and its seat file for the operators.
    Init {
        /// Its name.
        #[arg(long)]
        name: ViewId,
        /// Its web origin: `https://HOST`, or `http://localhost:PORT` on one machine.
        #[arg(long)]
        origin: String,
        /// The relying party, if it is not the origin's host but a domain above it.
        #[arg(long)]
        rp_id: Option<String>,
        /// The legal entity that runs it.
        #[arg(long)]
        operator: String,
    },
    /// Accept the charter whose digest you were told on another channel.
    Accept(AcceptArgs),
    /// Serve the pages until told to end.
    Serve(ServeArgs),
    /// Who is signed in at the view that serves from this directory.
    Sessions,
    /// End a session of the view that serves from this directory.
    EndSession {
        /// The session, or 8 or more of its first digits.
        #[arg(required_unless_present = "all")]
        session: Option<String>,
        /// Every session.
        #[arg(long, conflicts_with = "session")]
        all: bool,
    },
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// Where to listen. Beyond this machine only with a certificate.
    #[arg(long, default_value = "127.0.0.1:7800")]
    pub(crate) listen: SocketAddr,
    /// Certificate chain for TLS (PEM). It may be renewed in place; it is read again by itself.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key (PEM), mode 0600.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// The proxy in front of it; given once or more, nobody else may connect. What it says of others is not read.
    #[arg(long, value_name = "ADDR")]
    pub(crate) proxy: Vec<IpAddr>,
    /// A node of your own that simulates what transfers would change; `CHAIN=@FILE` reads its URL from a file of mode 0600.
    /// Once for each chain.
    #[arg(long, value_name = "CHAIN=URL")]
    pub(crate) node: Vec<String>,
    /// Let new passkeys be made by whoever types the code that is printed.
    #[arg(long)]
    pub(crate) enrol: bool,
}

#[derive(Args)]
pub(crate) struct AcceptArgs {
    /// The charter's text.
    #[arg(long)]
    pub(crate) charter: PathBuf,
    /// Its digest, as you were told it out of band.
    #[arg(long)]
    pub(crate) digest: Digest,
    /// Where the desk gives out the book, host and port.
    #[arg(long, value_name = "ADDR")]
    pub(crate) desk: Option<String>,
    /// The desk's link key, if you were told it; it must be the charter's.
    #[arg(long, value_name = "KEY", value_parser = home::public_key)]
    pub(crate) desk_key: Option<PublicKey>,
    /// A later charter seats this machine, not this one: it is the founding charter, from which the book is followed. Nothing
    /// is signed here until the charter in force seats exactly these keys.
    #[arg(long)]
    pub(crate) joining: bool,
    /// Where a cosigner listens, for freezes.
    #[arg(long, value_name = "ID=ADDR", value_parser = home::cosigner_address)]
    pub(crate) cosigner: Vec<(CosignerId, String)>,
}

#[derive(Args)]
pub(crate) struct DecideArgs {
    /// The case, or 8 or more of its first digits.
    pub(crate) case: String,
    /// How long your word holds: `90s`, `15m`, `1h`.
    #[arg(long, value_parser = words::seconds)]
    pub(crate) ttl: Option<u64>,
    /// Do not ask for the digits.
    #[arg(long)]
    pub(crate) yes: bool,
    /// How many seconds to wait for a cosigner to witness a case that was filed just now.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = wait_range())]
    pub(crate) wait: u32,
    /// Go on although no cosigner has witnessed a checkpoint that holds the case.
    #[arg(long)]
    pub(crate) allow_unwitnessed: bool,
    /// Sign with a FIDO2 key, as a passkey of a view of this machine. Name its device where several are plugged in.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) fido2: Option<Option<String>>,
    /// Which passkey of the seat, where it has several at views of this machine.
    #[arg(long, value_name = "CREDENTIAL", requires = "fido2")]
    pub(crate) passkey: Option<CredentialId>,
    /// Sign without a link, from an exported ledger.
    #[arg(long, requires = "book", requires = "out")]
    pub(crate) offline: bool,
    /// The exported ledger, one canonical entry a line.
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(crate) book: Option<PathBuf>,
    /// The checkpoint note of the export.
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Where to write what was signed.
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct PasskeyArgs {
    /// The file that a view wrote, or that was made here.
    #[arg(required_unless_present = "fido2", conflicts_with = "fido2")]
    pub(crate) file: Option<PathBuf>,
    /// Make one with a FIDO2 key, for a view of this machine. Name its device where several are plugged in.
    #[arg(long, value_name = "DEVICE", requires = "view", requires = "out")]
    pub(crate) fido2: Option<Option<String>>,
    /// The view that it is to be for.
    #[arg(long, requires = "fido2")]
    pub(crate) view: Option<ViewId>,
    /// The view's own view.json, where no charter was accepted yet.
    #[arg(long, value_name = "FILE", requires = "fido2")]
    pub(crate) seat: Option<PathBuf>,
    /// How the book is to call it; made from its handle unless given.
    #[arg(long, requires = "fido2")]
    pub(crate) credential: Option<CredentialId>,
    /// Where to write it.
    #[arg(long, value_name = "FILE", requires = "fido2")]
    pub(crate) out: Option<PathBuf>,
}

/// A wait that ends while the person still sits there.
fn wait_range() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=600)
}
