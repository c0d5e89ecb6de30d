//! Agents: admit one, list them, end a credential. A token is written to a file of its owner's only and shown nowhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use quorate_custody::State;
use quorate_gateway::office::{CaseView, CredentialView};
use quorate_host::random::Random;
use quorate_host::ui::{Tone, Ui};
use quorate_host::{Clock as _, Fault, SystemClock, secret_file};
use quorate_terms::credential::{AgentCredential, Band, Role, subject_digest};
use quorate_terms::entry::Outcome;
use quorate_terms::intent::Action;
use quorate_terms::{AgentId, CredentialId, Digest, IdempotencyKey, PersonId, Timestamp, WalletId};

use super::client::Desk;
use super::filing::{At, Filing, show};
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};

/// What stands before a token, so that scanners of leaked secrets find it.
const PREFIX: &str = "qrt_";

/// The longest life of a credential: there is none without an end.
const LIFE_S_MAX: u64 = 366 * 86_400;

/// What to do with agents.
#[derive(Subcommand, Debug)]
pub(crate) enum AgentCommand {
    /// Admit an agent; its token goes to a new file of mode 0600 and is never printed.
    New {
        /// The agent's name.
        name: String,
        /// Its bands: `read`, `read,prepare`, `read,prepare,sign`, `read,prepare,sign,broadcast` or `full`.
        #[arg(long = "band")]
        bands: String,
        /// A wallet that it may name; repeat for more.
        #[arg(long = "wallet", required = true)]
        wallets: Vec<String>,
        /// The person who answers for it, by pseudonym.
        #[arg(long)]
        owner: String,
        #[command(flatten)]
        credential: NewCredential,
    },
    /// List the credentials.
    List {
        #[command(flatten)]
        at: At,
    },
    /// End a credential at once.
    Revoke {
        /// The credential.
        credential: String,
        #[command(flatten)]
        filing: Filing,
    },
}

/// How a new credential is called, how long it lives and where its token goes, for agents and people.
#[derive(Args, Debug)]
pub(crate) struct NewCredential {
    /// How long the credential lives, such as `30d`.
    #[arg(long)]
    pub(super) expires: String,
    /// Where its token is written; must not exist, in a folder of mode 0700.
    #[arg(long, required_unless_present = "subject")]
    pub(super) token_file: Option<PathBuf>,
    /// Instead of a token of its own: whom the authorization server of `[oauth]` vouches for, as `ISSUER#SUBJECT`.
    #[arg(long, conflicts_with = "token_file")]
    pub(super) subject: Option<String>,
    /// The credential's name; drawn at random by default.
    #[arg(long)]
    pub(super) credential: Option<String>,
    #[command(flatten)]
    pub(super) filing: Filing,
}

/// Obeys an `agent` command.
pub(crate) async fn obey(ui: &Ui, command: &AgentCommand) -> Tried<Ended> {
    match command {
        AgentCommand::New { name, bands, wallets, owner, credential } => {
            let holder = Holder {
                agent: name.parse()?,
                owner: owner.parse()?,
                band: Band::from_list(bands)?,
                wallets: wallets.iter().map(|w| w.parse()).collect::<Result<_, _>>()?,
                role: None,
            };
            credential.admit(ui, name, holder).await
        }
        AgentCommand::List { at } => {
            let status = Desk::at(&at.dir).await?.status().await?;
            let agents: Vec<_> = of_agents(status.credentials);
            ui.answer(&agents, list(ui, &agents, status.now))?;
            Ok(Ended::Well)
        }
        AgentCommand::Revoke { credential, filing } => {
            let action = Action::RevokeCredential { credential: credential.parse()? };
            let desk = Desk::at(&filing.at.dir).await?;
            filing.file_and_show(ui, &desk, action, Vec::new()).await
        }
    }
}

fn life(expires: &str) -> Tried<u64> {
    let life = read::seconds("expires", expires)?;
    if life == 0 || life > LIFE_S_MAX {
        let mend = "give 1s to 366d; a credential is renewed, not left alone";
        return Err(Trouble::new("expires", "is no fit life for a credential", mend));
    }
    Ok(life)
}

/// Who may do what with a new credential.
pub(super) struct Holder {
    pub(super) agent: AgentId,
    pub(super) owner: PersonId,
    pub(super) band: Band,
    pub(super) wallets: BTreeSet<WalletId>,
    pub(super) role: Option<Role>,
}

impl NewCredential {
    /// Admits somebody and answers with the case. `stem` begins a name that is drawn.
    pub(super) async fn admit(&self, ui: &Ui, stem: &str, holder: Holder) -> Tried<Ended> {
        let (key, view) = self.issue(ui, stem, holder).await?;
        if let Some(file) = self.token_file.as_ref().filter(|_| !is_refused(&view) && !ui.is_json())
        {
            super::note(&format!("the token is in {}, readable by you only", file.display()));
        }
        show(ui, &key, &view)
    }

    /// Writes the token first, so that no credential can be admitted whose token nobody has; it goes again if that is
    /// refused.
    pub(super) async fn issue(
        &self,
        ui: &Ui,
        stem: &str,
        holder: Holder,
    ) -> Tried<(IdempotencyKey, CaseView)> {
        let Self { expires, token_file, subject, credential, filing } = self;
        let (random, life) = (Random::start()?, life(expires)?);
        let name = match credential {
            Some(name) => name.clone(),
            None => format!("{stem}-{}", hex::encode(random.bytes::<4>()?)),
        };
        let credential = CredentialId::new(name)?;
        let Holder { agent, owner, band, wallets, role } = holder;
        let expires_at = SystemClock::new().now().plus_s(life);
        let desk = Desk::at(&filing.at.dir).await?;
        let token = match token_file {
            Some(file) => write_token(file, random)?,
            None => vouched(subject.as_deref().unwrap_or_default(), role)?,
        };
        let credential =
            AgentCredential { credential, agent, owner, band, wallets, role, token, expires_at };
        let filed =
            filing.file(ui, &desk, Action::IssueCredential { credential }, Vec::new()).await;
        let refused = match &filed {
            Ok((_, view)) => is_refused(view),
            // Who stops waiting has not been refused: the case goes on and its token is needed.
            Err(trouble) => trouble.field != "timeout" && trouble.field != "desk",
        };
        if let Some(file) = token_file.as_ref().filter(|_| refused) {
            std::fs::remove_file(file).map_err(|e| Fault::at(file, &e))?;
        }
        filed
    }
}

/// Whether nobody was admitted.
fn is_refused(view: &CaseView) -> bool {
    matches!(view.state, State::Closed(outcome) if outcome != Outcome::Done)
}

/// What stands for a token where an authorization server vouches for the holder: there is no token of ours.
fn vouched(subject: &str, role: Option<Role>) -> Tried<Digest> {
    if role == Some(Role::Operator) {
        let mend = "give an operator a token of their own, with `--token-file`";
        return Err(Trouble::new("subject", "may look, and files nothing", mend));
    }
    // An issuer holds no `#` (RFC 8414 section 2).
    let Some((issuer, subject)) = subject.split_once('#') else {
        let mend = "give `ISSUER#SUBJECT`, as the access tokens spell both";
        return Err(Trouble::new("subject", "names no issuer", mend));
    };
    Ok(subject_digest(issuer, subject)?)
}

/// Draws a token, writes it to a new file and gives its digest, which is all that the ledger ever sees.
pub(crate) fn write_token(file: &Path, random: Random) -> Tried<Digest> {
    Ok(secret_file::create_token(file, PREFIX, random)?)
}

fn of_agents(all: Vec<CredentialView>) -> Vec<CredentialView> {
    all.into_iter().filter(|one| one.role.is_none()).collect()
}

fn list(ui: &Ui, credentials: &[CredentialView], now: Timestamp) -> String {
    if credentials.is_empty() {
        return "no credentials; admit an agent with `quorate agent new`".to_owned();
    }
    let mut table = Table::new(&["credential", "agent", "band", "expires", "state"]);
    for one in credentials {
        table.row([
            one.credential.as_str().into(),
            one.agent.as_str().into(),
            one.band.as_str().into(),
            one.expires_at.utc().into(),
            state(one, now),
        ]);
    }
    table.show(ui)
}

/// Whether a credential can be used now.
pub(super) fn state(one: &CredentialView, now: Timestamp) -> Cell {
    match (one.revoked, one.expires_at <= now) {
        (true, _) => Cell::toned(Tone::Bad, "revoked"),
        (false, true) => Cell::toned(Tone::Faint, "lapsed"),
        (false, false) => Cell::toned(Tone::Good, "valid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_terms::digest::tag;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_token_lies_in_a_file_of_its_owners_only_and_its_digest_is_of_its_text() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let file = dir.path().join("bot.token");
        let random = Random::start().unwrap();
        let digest = write_token(&file, random).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.len(), 4 + 43);
        assert!(text.starts_with("qrt_"));
        assert_eq!(digest, Digest::of(tag::TOKEN, text.as_bytes()));
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(write_token(&file, random).is_err(), "never replaced");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }

    #[test]
    fn a_subject_is_named_with_its_issuer_and_files_nothing_as_a_person() {
        let named = vouched("https://as.example/t#bot#1", None).unwrap();
        assert_eq!(named, subject_digest("https://as.example/t", "bot#1").unwrap());
        for bad in ["https://as.example", "", "#bot", "https://as.example#"] {
            assert!(vouched(bad, None).is_err(), "{bad}");
        }
        assert!(vouched("https://as.example#olga", Some(Role::Auditor)).is_ok());
        assert!(vouched("https://as.example#olga", Some(Role::Operator)).is_err());
    }

    #[test]
    fn a_credential_has_an_end_within_a_year() {
        for (text, good) in
            [("30d", true), ("1s", true), ("0", false), ("367d", false), ("never", false)]
        {
            assert_eq!(life(text).is_ok(), good, "{text}");
        }
    }
}
