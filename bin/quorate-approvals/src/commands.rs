//! One function a command: open the directory, follow the book, do the one thing, say what came of it.

use std::time::Duration;

use clap::CommandFactory as _;
use quorate_custody::protocol::book::Submit;
use quorate_host::ui::Ui;
use quorate_terms::approval::Verdict;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::freeze::Scope;
use quorate_terms::{CaseId, DelegationId};

use crate::cli::{
    AcceptArgs, Cli, Command, DecideArgs, DelegationCommand, PasskeyArgs, ViewCommand,
};
use crate::decide::{self, Offline, Word};
use crate::desk::{self, Brake, Peer, follow, now};
use crate::enrol::{self, Accept, Enrol};
use crate::fido2;
use crate::home::Home;
use crate::key::{self, Passphrase};
use crate::replica::Replica;
use crate::screen::Screen;
use crate::show::{self, Made, Opened, View};
use crate::simulate::Nodes;
use crate::trouble::{Done, Trouble};
use crate::view;
use crate::{list, status, stop};

/// How long after one answer the book is asked again for a witness of a case that was filed just now.
const WITNESS_PAUSE: Duration = Duration::from_secs(1);

/// What a command answers, and the exit code.
type Said = Done<(Screen, u8)>;

/// Runs one command.
pub(crate) async fn run(cli: &Cli, ui: &Ui) -> Said {
    let passphrase = Passphrase::new(cli.passphrase_file.clone());
    if let Command::Completions { shell } = &cli.command {
        return completions(*shell);
    }
    if let Command::View(command) = &cli.command {
        return Ok((of_view(cli, command, ui).await?, 0));
    }
    let home = Home::open(&cli.dir, matches!(cli.command, Command::Enrol { .. }))?;
    let screen = match &cli.command {
        Command::Enrol { approver, person, device, stand_in } => {
            let asked = Enrol {
                approver: approver.clone(),
                person: person.clone(),
                device: device.clone(),
                stand_in: *stand_in,
            };
            enrol::enrol(&home, &asked, &passphrase)?
        }
        Command::Accept(asked) => enrol::accept(&home, &accepted(asked))?,
        Command::List { all } => {
            let at = At::head(&home).await?;
            list::list(&at.view(), *all)
        }
        Command::Show { case, node } => shown(&home, case, node, ui).await?,
        Command::Approve(asked) => word(&home, asked, Verdict::Approve, (&passphrase, ui)).await?,
        Command::Reject(asked) => word(&home, asked, Verdict::Reject, (&passphrase, ui)).await?,
        Command::Submit { file } => submit(&home, file).await?,
        Command::Freeze { scope, cause } => freeze(&home, scope, cause, &passphrase).await?,
        Command::Delegation(DelegationCommand::Show) => delegation(&home).await?,
        Command::Delegation(DelegationCommand::End { delegation }) => {
            end(&home, delegation, &passphrase).await?
        }
        Command::Resume { index, yes } => resume(&home, *index, *yes, (&passphrase, ui)).await?,
        Command::Status => standing(&home).await?,
        Command::Doctor => {
            let found = status::doctor(&home).await?;
            let mut screen = Screen::new("what was looked at");
            screen.verbatim(found.text(ui));
            screen.json = found.json();
            return Ok((screen, u8::from(!found.is_healthy())));
        }
        Command::Passkey(asked) => passkey(&home, asked)?,
        Command::Completions { .. } | Command::View(_) => Screen::new(""),
    };
    Ok((screen, 0))
}

/// Takes a passkey that is there, or makes one.
fn passkey(home: &Home, asked: &PasskeyArgs) -> Done<Screen> {
    if let (Some(device), Some(view), Some(out)) = (&asked.fido2, &asked.view, &asked.out) {
        let (seat, credential) = (asked.seat.as_deref(), asked.credential.as_ref());
        let device = device.as_deref();
        return fido2::make(home, &fido2::New { device, view, seat, credential, out });
    }
    let none = || Trouble::fault("usage", "no file is named", "name the file that a view wrote");
    view::take_passkey(home, asked.file.as_deref().ok_or_else(none)?)
}

/// Everything about a case, and below it what a simulation adds.
async fn shown(home: &Home, case: &str, named: &[String], ui: &Ui) -> Done<Screen> {
    let nodes = Nodes::new("this machine", named)?;
    let mut at = At::head(home).await?;
    let id = show::find(&at.replica, case)?;
    at.open(&id).await?;
    let mut screen = show::case(&at.view(), &id)?;
    if let Some(trial) = show::trial(at.replica.book(), &id) {
        let simulated = nodes.simulate(&trial).await;
        if let Some(document) = screen.json.as_object_mut() {
            document.insert("simulation".to_owned(), simulated.document());
        }
        screen.below(simulated.text(ui));
    }
    Ok(screen)
}

async fn of_view(cli: &Cli, command: &ViewCommand, ui: &Ui) -> Done<Screen> {
    let home = |make| Home::open(&cli.dir, make);
    match command {
        ViewCommand::Init { name, origin, rp_id, operator } => {
            let (view, origin) = (name.clone(), origin.clone());
            let (rp_id, operator) = (rp_id.clone(), operator.clone());
            view::found(&home(true)?, view::Found { view, origin, rp_id, operator })
        }
        ViewCommand::Accept(asked) => view::accept(&home(false)?, &accepted(asked)),
        ViewCommand::Serve(asked) => view::serve(home(false)?, asked, ui).await,
        // The view that serves holds the directory; these speak to it.
        ViewCommand::Sessions => view::sessions(&cli.dir).await,
        ViewCommand::EndSession { session, all: _ } => {
            view::end_sessions(&cli.dir, session.as_deref()).await
        }
    }
}

/// An approver at the verified head of the book.
struct At<'a> {
    home: &'a Home,
    me: ApproverSeat,
    replica: Replica,
    desk: Peer,
    opened: Opened,
}

impl<'a> At<'a> {
    async fn head(home: &'a Home) -> Done<Self> {
        let me = home.seat()?;
        let mut replica = Replica::load(home)?;
        let desk = Peer::desk(home, &replica)?;
        follow(&desk, &mut replica, home).await?;
        Ok(Self { home, me, replica, desk, opened: Opened::Unasked })
    }

    fn view(&self) -> View<'_> {
        let opened = self.opened.clone();
        View { replica: &self.replica, me: &self.me, now: now(), opened, made: Made::default() }
    }

    /// Follows the book for a moment, until a cosigner has witnessed the case: it was filed just now, as a rule.
    async fn witnessed(&mut self, id: &CaseId, seconds: u32) -> Done<()> {
        for _ in 0..seconds {
            tokio::time::sleep(WITNESS_PAUSE).await;
            follow(&self.desk, &mut self.replica, self.home).await?;
            if self.replica.is_witnessed(id)? {
                break;
            }
        }
        Ok(())
    }

    /// Fetches what the screen of a case needs beside the book.
    async fn open(&mut self, id: &CaseId) -> Done<()> {
        let proposal = show::Proposal::of(&self.replica, id);
        let read = proposal.map(|proposal| proposal.read()).unwrap_or_default();
        self.opened = show::opened_at(&self.desk, &self.replica, id, &read.named).await?;
        Ok(())
    }
}

fn accepted(asked: &AcceptArgs) -> Accept<'_> {
    Accept {
        charter: &asked.charter,
        digest: asked.digest,
        joining: asked.joining,
        desk: asked.desk.clone(),
        desk_key: asked.desk_key,
        cosigners: asked.cosigner.iter().cloned().collect(),
    }
}

async fn word(
    home: &Home,
    asked: &DecideArgs,
    verdict: Verdict,
    with: (&Passphrase, &Ui),
) -> Done<Screen> {
    let decision = Word {
        verdict,
        ttl_s: asked.ttl,
        yes: asked.yes,
        allow_unwitnessed: asked.allow_unwitnessed,
        fido2: asked
            .fido2
            .clone()
            .map(|device| fido2::Asked { device, passkey: asked.passkey.clone() }),
    };
    if let (true, Some(book), Some(out)) = (asked.offline, &asked.book, &asked.out) {
        let offline =
            Offline { book: book.clone(), checkpoint: asked.checkpoint.clone(), out: out.clone() };
        return word_offline(home, &asked.case, (&decision, &offline), with);
    }
    let mut at = At::head(home).await?;
    let id = show::find(&at.replica, &asked.case)?;
    if decide::waits_for_witness(&at.replica, &id, &decision)? {
        at.witnessed(&id, asked.wait).await?;
    }
    at.open(&id).await?;
    let approval = decide::decide(home, &at.view(), (&id, &decision), with)?;
    let answer = at.desk.submit(&Submit::Approval(Box::new(approval.clone()))).await?;
    follow(&at.desk, &mut at.replica, at.home).await?;
    Ok(decide::outcome(&approval, &answer, &at.replica))
}

fn word_offline(
    home: &Home,
    case: &str,
    (decision, offline): (&Word, &Offline),
    with: (&Passphrase, &Ui),
) -> Done<Screen> {
    let (me, replica) = (home.seat()?, decide::replica_of(home, offline)?);
    let id = show::find(&replica, case)?;
    let view = decide::offline_view(&replica, &me);
    let approval = decide::decide(home, &view, (&id, decision), with)?;
    decide::write_out(&Submit::Approval(Box::new(approval)), &offline.out)
}

async fn submit(home: &Home, file: &std::path::Path) -> Done<Screen> {
    let what = decide::read_in(file)?;
    let mut at = At::head(home).await?;
    decide::check(&what, &at.replica, now())?;
    let answer = at.desk.submit(&what).await?;
    follow(&at.desk, &mut at.replica, at.home).await?;
    Ok(match &what {
        Submit::Approval(approval) => decide::outcome(approval, &answer, &at.replica),
        Submit::Freeze(freeze) => stop::reported(freeze, &[("desk".to_owned(), Ok(()))])?,
        Submit::Ending(ending) => stop::ended(ending, &[("desk".to_owned(), Ok(()))])?,
        Submit::Resume(resume) => stop::resumed(resume, &answer),
    })
}

/// What is known here of the book. A damaged replica must not stand in the way of a stop, so the charter will do.
fn known(home: &Home) -> Done<Replica> {
    match Replica::load(home) {
        Ok(replica) => Ok(replica),
        Err(_) => Replica::empty(home.accepted()?, crate::memory::Memory::default()),
    }
}

async fn delegation(home: &Home) -> Done<Screen> {
    let at = At::head(home).await?;
    let (book, here) = (at.replica.book(), now());
    let granted = book.delegation_of(&at.me.approver, here);
    let title = if granted.is_some() { "delegation" } else { "nobody stands in for this seat" };
    let mut screen = Screen::new(title);
    list::delegations(book, &at.me, here, &mut screen);
    screen.json = serde_json::json!({
        "delegation": granted.map(|one| &one.delegation),
        "phase": granted.map(|one| one.phase(here)),
    });
    Ok(screen)
}

async fn end(home: &Home, delegation: &DelegationId, passphrase: &Passphrase) -> Done<Screen> {
    let (me, replica) = (home.seat()?, known(home)?);
    let key = key::unseal(&home.key(), &me.approver, passphrase)?;
    let ending = stop::ending(replica.book(), &me, delegation.clone(), (now(), &key))?;
    let answers = desk::everywhere(home, &replica, &Brake::Ending(ending.clone())).await?;
    stop::ended(&ending, &answers)
}

/// Freezing needs no book.
async fn freeze(home: &Home, scope: &Scope, cause: &str, passphrase: &Passphrase) -> Done<Screen> {
    let (me, replica) = (home.seat()?, known(home)?);
    let key = key::unseal(&home.key(), &me.approver, passphrase)?;
    let vault = replica.book().vault();
    let freeze = stop::freeze((vault, &me), scope.clone(), cause.to_owned(), (now(), &key))?;
    let answers = desk::everywhere(home, &replica, &Brake::Freeze(freeze.clone())).await?;
    stop::reported(&freeze, &answers)
}

async fn resume(home: &Home, index: u64, yes: bool, with: (&Passphrase, &Ui)) -> Done<Screen> {
    let at = At::head(home).await?;
    stop::governor(&at.replica, &at.me)?;
    let (entry, screen) = stop::void(&at.replica, index)?;
    decide::show_aside(&screen, with.1)?;
    if !yes {
        decide::confirm(&entry, "resume")?;
    }
    let key = key::unseal(&home.key(), &at.me.approver, with.0)?;
    let resume = stop::resume(&at.replica, &at.me, (index, entry), (now(), &key))?;
    let answer = at.desk.submit(&stop::submission(&resume)).await?;
    Ok(stop::resumed(&resume, &answer))
}

/// Status without a desk is still a status; a desk that lies is not.
async fn standing(home: &Home) -> Done<Screen> {
    let (me, mut replica) = (home.seat()?, Replica::load(home)?);
    let desk = match Peer::desk(home, &replica) {
        Ok(desk) => follow(&desk, &mut replica, home).await,
        Err(trouble) => Err(trouble),
    };
    let clock = match desk {
        Ok(clock) => Ok(Some(clock)),
        Err(trouble) if ["unreachable", "no_desk"].contains(&trouble.code.as_str()) => Ok(None),
        Err(trouble) => Err(trouble),
    };
    let clock: Result<_, Trouble> = clock;
    let mut screen = status::status(&replica, &me, clock?)?;
    if screen.json.get("reached") == Some(&serde_json::Value::Bool(false)) {
        screen.warn("the desk was not reached; this is what was verified before");
    }
    Ok(screen)
}

fn completions(shell: clap_complete::Shell) -> Said {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quorate-approvals", &mut script);
    let mut screen = Screen::new("");
    let text = String::from_utf8_lossy(&script).into_owned();
    screen.json = serde_json::json!({ "script": text });
    screen.verbatim(text);
    Ok((screen, 0))
}
