//! The command line.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use quorate_host::ui::{PassphraseFrom, Ui, passphrase};
use quorate_host::{Clock as _, Fault, Secret, SystemClock};
use quorate_terms::freeze::Scope;
use quorate_terms::{AgentId, CosignerId, Digest, PublicKey, WalletId};
use zeroize::Zeroizing;

use crate::files::Home;
use crate::found::{self, Pairing};
use crate::settings::PeerSettings;
use crate::trouble::{fault, malformed};
use crate::{backup, daemon, doctor, export, operate, restore};

/// The longest passphrase, in bytes.
const PASSPHRASE_MAX: u64 = 4096;

/// Holds key shares of a Quorate vault, and signs only what it has judged itself.
#[derive(Parser, Debug)]
#[command(name = "quorate-cosigner", version)]
pub(crate) struct Cli {
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// The directory that every command works in.
#[derive(Args, Debug)]
struct Dir {
    /// This cosigner's directory.
    #[arg(long, default_value = "quorate-cosigner")]
    dir: PathBuf,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a directory with this cosigner's keys, and print its seat for the charter.
    Init {
        #[command(flatten)]
        at: Dir,
        /// Its name in the charter.
        #[arg(long)]
        cosigner: CosignerId,
        /// The legal entity that runs it.
        #[arg(long)]
        operator: String,
        /// Where it listens: host and port.
        #[arg(long, default_value = "127.0.0.1:7301")]
        listen: String,
    },
    /// Pin the desk or another cosigner by an identity that was compared, or show the pins.
    Pair {
        #[command(flatten)]
        at: Dir,
        /// The other cosigner's name.
        #[arg(long, requires = "address", requires = "identity")]
        peer: Option<CosignerId>,
        /// Where it listens: host and port.
        #[arg(long, requires = "peer")]
        address: Option<String>,
        /// Its identity, `ed25519:...`.
        #[arg(long, requires = "peer")]
        identity: Option<PublicKey>,
        /// The desk's identity.
        #[arg(long, conflicts_with = "peer")]
        desk_identity: Option<PublicKey>,
        /// Show what is pinned.
        #[arg(long, conflicts_with_all = ["peer", "desk_identity"])]
        show: bool,
    },
    /// Accept the founding charter whose digest the operators have compared.
    Accept {
        #[command(flatten)]
        at: Dir,
        /// The charter, canonical JSON.
        #[arg(long)]
        charter: PathBuf,
        /// Its digest, as read aloud by the others.
        #[arg(long)]
        digest: Digest,
    },
    /// Unseal the shares and serve until stopped.
    Run {
        #[command(flatten)]
        at: Dir,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Say how this cosigner stands.
    Status {
        #[command(flatten)]
        at: Dir,
    },
    /// Say what is wrong with this cosigner or soon will be, and how to mend it. Nothing is changed.
    Doctor {
        #[command(flatten)]
        at: Dir,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Stop signing at once, whether the daemon runs or not.
    Freeze {
        #[command(flatten)]
        at: Dir,
        /// `vault`, `wallet:ID` or `agent:ID`.
        #[arg(long, value_parser = scope)]
        scope: Scope,
        /// Why, as a short code without personal data.
        #[arg(long)]
        cause: String,
    },
    /// Stop the daemon.
    Stop {
        #[command(flatten)]
        at: Dir,
    },
    /// Make, prove, restore or look at a backup of a share.
    #[command(subcommand)]
    Backup(Backup),
    /// Write out this cosigner's own ledger for an auditor, with a signed note of its head. The daemon may run.
    Export {
        #[command(flatten)]
        at: Dir,
        /// The new file: one canonical entry a line.
        #[arg(long)]
        out: PathBuf,
        /// The new file for the note of its head.
        #[arg(long)]
        checkpoint_out: PathBuf,
    },
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Subcommand, Debug)]
enum Backup {
    /// Seal a wallet's share under a passphrase of its own.
    Make {
        #[command(flatten)]
        at: Dir,
        /// The wallet.
        #[arg(long)]
        wallet: WalletId,
        /// The new file.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
        /// A 0600 file with the backup's passphrase; asked for on the terminal without it.
        #[arg(long)]
        backup_passphrase_file: Option<PathBuf>,
    },
    /// Prove by a drill with the other cosigners that a backup can sign. The daemon must run.
    Verify {
        #[command(flatten)]
        at: Dir,
        /// The backup.
        #[arg(long)]
        file: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Put a share back from its backup, where there is none. The daemon must not run.
    Restore {
        #[command(flatten)]
        at: Dir,
        /// The backup.
        #[arg(long)]
        file: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
        /// A 0600 file with the backup's passphrase; asked for on the terminal without it.
        #[arg(long)]
        backup_passphrase_file: Option<PathBuf>,
    },
    /// Say what a backup is, without opening it.
    Show {
        /// The backup.
        #[arg(long)]
        file: PathBuf,
    },
}

/// Where a passphrase comes from; without either flag it is asked for on the terminal.
#[derive(Args, Debug)]
pub(crate) struct Passphrase {
    /// A 0600 file that holds it.
    #[arg(long, conflicts_with = "passphrase_fd")]
    passphrase_file: Option<PathBuf>,
    /// An open file descriptor whose first line is it (0 is standard input).
    #[arg(long)]
    passphrase_fd: Option<u32>,
}

impl Passphrase {
    /// From a file, or from the terminal.
    fn of_file(passphrase_file: Option<PathBuf>) -> Self {
        Self { passphrase_file, passphrase_fd: None }
    }

    /// Whether a flag says where it comes from.
    pub(crate) const fn is_given(&self) -> bool {
        self.passphrase_file.is_some() || self.passphrase_fd.is_some()
    }

    /// Gets one that was set before, from where a flag says.
    pub(crate) fn given(&self) -> Result<Secret, Fault> {
        self.get("passphrase of this cosigner's shares", false, || Ok(()))
    }

    /// Gets it, `twice` where a new one is set at a terminal. `before` runs once the source is open and before any secret
    /// byte is read: a hardened process can no longer reach its own descriptors by name.
    pub(crate) fn get(
        &self,
        prompt: &str,
        twice: bool,
        before: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<Secret, Fault> {
        match (&self.passphrase_file, self.passphrase_fd) {
            (Some(path), _) => {
                before()?;
                passphrase(PassphraseFrom::File(path), prompt, twice)
            }
            (None, Some(0)) => {
                before()?;
                passphrase(PassphraseFrom::Stdin, prompt, twice)
            }
            (None, Some(fd)) => {
                let path = PathBuf::from(format!("/proc/self/fd/{fd}"));
                let pipe = File::open(&path).map_err(|e| {
                    let mend = "open it for reading, as with `3< FILE`, or give --passphrase-file";
                    fault("--passphrase-fd", &format!("{fd}: {e}"), mend)
                })?;
                before()?;
                first_line(pipe)
            }
            (None, None) => {
                before()?;
                passphrase(PassphraseFrom::Terminal, prompt, twice)
            }
        }
    }
}

fn first_line(pipe: File) -> Result<Secret, Fault> {
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(PASSPHRASE_MAX).unwrap_or(0)));
    pipe.take(PASSPHRASE_MAX)
        .read_to_end(&mut bytes)
        .map_err(|e| fault("passphrase", &e.to_string(), "give it on one line"))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.is_empty() {
        return Err(fault("passphrase", "is empty", "choose one of several words"));
    }
    Ok(Secret::new(line.to_vec()))
}

/// How a command came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// As asked.
    Well,
    /// Something is wrong with this cosigner, and the answer says what.
    Badly,
}

impl Cli {
    /// How this command speaks to its caller.
    pub(crate) fn ui(&self, no_colour: bool) -> Ui {
        Ui::new(self.json, no_colour)
    }
}

/// Does what the command line says.
pub(crate) async fn obey(cli: Cli, ui: Ui) -> Result<Ended, Fault> {
    if let Command::Doctor { at, passphrase } = &cli.command {
        return doctor::obey(ui, &at.dir, passphrase).await;
    }
    act(cli, ui).await.map(|()| Ended::Well)
}

async fn act(cli: Cli, ui: Ui) -> Result<(), Fault> {
    let now = SystemClock::new().now();
    match cli.command {
        Command::Doctor { .. } => Ok(()),
        Command::Init { at, cosigner, operator, listen } => {
            found::init(ui, &at.dir, cosigner, operator, listen)
        }
        Command::Pair { at, peer, address, identity, desk_identity, show } => {
            let pairing = match (peer, address, identity, desk_identity) {
                (Some(peer), Some(address), Some(identity), _) => {
                    Pairing::Peer(peer, PeerSettings { address, identity })
                }
                (.., Some(key)) => Pairing::Desk(key),
                _ if show => Pairing::Show,
                _ => {
                    return Err(fault(
                        "pair",
                        "says whom to pin in no way",
                        "give --peer, --desk-identity or --show",
                    ));
                }
            };
            found::pair(ui, &at.dir, pairing)
        }
        Command::Accept { at, charter, digest } => found::accept(ui, &at.dir, &charter, digest),
        Command::Run { at, passphrase } => daemon::run(ui, Home::open(&at.dir)?, passphrase).await,
        Command::Status { at } => operate::status(ui, Home::open(&at.dir)?, now).await,
        Command::Freeze { at, scope, cause } => {
            crate::settings::plain("--cause", &cause)?;
            operate::freeze(ui, Home::open(&at.dir)?, scope, cause, now).await
        }
        Command::Stop { at } => operate::stop(ui, Home::open(&at.dir)?).await,
        Command::Backup(Backup::Make { at, wallet, out, passphrase, backup_passphrase_file }) => {
            let second = Passphrase::of_file(backup_passphrase_file);
            backup::make(ui, Home::open(&at.dir)?, (wallet, out), (passphrase, second), now).await
        }
        Command::Backup(Backup::Verify { at, file, passphrase }) => {
            backup::verify(ui, Home::open(&at.dir)?, &file, passphrase).await
        }
        Command::Backup(Backup::Restore { at, file, passphrase, backup_passphrase_file }) => {
            let second = Passphrase::of_file(backup_passphrase_file);
            restore::restore(ui, Home::open(&at.dir)?, &file, (passphrase, second), now).await
        }
        Command::Backup(Backup::Show { file }) => backup::show(ui, &file),
        Command::Export { at, out, checkpoint_out } => {
            export::export(ui, Home::open(&at.dir)?, &out, &checkpoint_out).await
        }
        Command::Completions { shell } => completions(ui, shell),
    }
}

fn completions(ui: Ui, shell: Shell) -> Result<(), Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quorate-cosigner", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    ui.answer(&serde_json::json!({ "completions": script }), &script)
}

fn scope(text: &str) -> Result<Scope, Fault> {
    let bad = |e: &quorate_terms::Malformed| malformed("scope", e);
    match text.split_once(':') {
        None if text == "vault" => Ok(Scope::Vault),
        Some(("wallet", id)) => {
            Ok(Scope::Wallet { wallet: WalletId::new(id).map_err(|e| bad(&e))? })
        }
        Some(("agent", id)) => Ok(Scope::Agent { agent: AgentId::new(id).map_err(|e| bad(&e))? }),
        _ => Err(fault("scope", "is none", "give `vault`, `wallet:ID` or `agent:ID`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_scope_is_the_vault_a_wallet_or_an_agent() {
        assert_eq!(scope("vault").unwrap(), Scope::Vault);
        assert_eq!(
            scope("wallet:ops").unwrap(),
            Scope::Wallet { wallet: WalletId::new("ops").unwrap() }
        );
        for bad in ["", "wallet", "wallet:", "agent:A", "all"] {
            assert!(scope(bad).is_err(), "{bad}");
        }
    }
}
