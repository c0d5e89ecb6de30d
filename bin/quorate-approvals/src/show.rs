//! The screen that an approver reads before signing. Every word comes from the approver's own replica and own decoding; what
//! the desk says is shown only where a commitment proves it, and as untrusted text.

mod administration;
mod differences;
mod transfer;

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_chains::{Attempt, carries_out, describe, read_back};
use quorate_custody::book::Book;
use quorate_custody::case::{Case, party_name};
use quorate_custody::{Phase, Refusal, State};
use quorate_host::ui::Tone;
use quorate_policy::reach::accounts;
use quorate_policy::{Names, Policy};
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::entry::Warranted;
use quorate_terms::intent::{Action, Intent};
use quorate_terms::judgment::Judgment;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{AccountId, CaseId, Term as _, Timestamp};
use serde_json::json;

use crate::desk::Peer;
use crate::replica::{AHEAD_MS, Replica};
use crate::screen::Screen;
use crate::simulate::Trial;
use crate::trouble::{Done, Trouble};
use crate::words;

pub(crate) use differences::{Compared, Comparison};

/// The value behind a commitment, as far as it is known here.
#[derive(Clone)]
pub(crate) enum Opened {
    /// Nobody was asked.
    Unasked,
    /// The desk gave no value that opens it: erased or withheld.
    Missing,
    /// It opens the commitment.
    Proven(Opening),
    /// The names of recipients on the list whom a policy names, as far as the desk gave them.
    Names(Vec<Opening>),
}

/// Fetches the value behind a case's commitment, or the names that the words of a proposed policy need: of those whom the case's
/// [`Proposal`] names.
pub(crate) async fn opened_at(
    desk: &Peer,
    replica: &Replica,
    id: &CaseId,
    named: &BTreeSet<AccountId>,
) -> Done<Opened> {
    let Some(intent) = replica.intent(id) else { return Ok(Opened::Unasked) };
    if let Some((wanted, _)) = committed(intent) {
        return Ok(desk.opening(wanted).await?.map_or(Opened::Missing, Opened::Proven));
    }
    let wanted = replica.book().beneficiaries(named);
    match wanted.is_empty() {
        true => Ok(Opened::Unasked),
        false => desk.openings(&wanted).await.map(Opened::Names),
    }
}

/// The policy in force and one that a case proposes, alone or in a charter.
pub(crate) struct Proposal {
    old: Policy,
    new: PolicyDocument,
    charter: Option<CharterText>,
}

/// What reading a proposal gives.
#[derive(Clone, Default)]
pub(crate) struct Reading {
    /// The recipients whom either policy names.
    pub(crate) named: BTreeSet<AccountId>,
    /// Whether the proposed charter can be, if it is one.
    pub(crate) charter: Option<Result<(), Refusal>>,
}

/// What was worked out for a screen already. What was not, or of something else, is worked out while it is drawn.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) compared: Option<Arc<Compared>>,
    pub(crate) charter: Option<Result<(), Refusal>>,
}

impl Proposal {
    /// None for a case that proposes no policy.
    pub(crate) fn of(replica: &Replica, id: &CaseId) -> Option<Self> {
        let (new, charter): (&PolicyDocument, Option<&CharterText>) =
            match &replica.intent(id)?.action {
                Action::ChangePolicy { policy } => (policy.as_ref(), None),
                Action::ChangeCharter { charter } => (&charter.policy, Some(charter.as_ref())),
                _ => return None,
            };
        let old = replica.book().policy().clone();
        Some(Self { old, new: new.clone(), charter: charter.cloned() })
    }

    /// Reads it. A policy may be long, and this compiles it: whoever serves many does it where nothing waits for it.
    pub(crate) fn read(&self) -> Reading {
        let mut named = accounts(&self.old);
        // Of one that does not load, the screen says why.
        named.extend(Policy::load(&self.new).iter().flat_map(accounts));
        Reading { named, charter: self.charter.as_ref().map(can_be) }
    }

    /// Whether it is of the same two.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.old.digest() == other.old.digest()
            && (&self.new, &self.charter) == (&other.new, &other.charter)
    }
}

/// Whether a charter can be.
fn can_be(charter: &CharterText) -> Result<(), Refusal> {
    Book::new(charter.clone()).map(drop)
}

/// What a screen is drawn from.
pub(crate) struct View<'a> {
    /// The approver's own copy of the book.
    pub(crate) replica: &'a Replica,
    /// The approver's own seat.
    pub(crate) me: &'a ApproverSeat,
    /// The approver's own time.
    pub(crate) now: Timestamp,
    /// The value behind the intent's commitment, if it has one.
    pub(crate) opened: Opened,
    pub(crate) made: Made,
}

impl View<'_> {
    const fn book(&self) -> &Book {
        self.replica.book()
    }

    /// What people call accounts. A name of the desk's counts only where it opens what the book commits to.
    fn names(&self) -> Names {
        match &self.opened {
            Opened::Names(opened) => self.book().names(opened),
            _ => self.book().names(&[]),
        }
    }
}

/// The commitment whose value people want to read, if the intent has one.
fn committed(intent: &Intent) -> Option<(Commitment, &'static str)> {
    match &intent.action {
        Action::Transfer(transfer) => transfer.memo.map(|memo| (memo, "memo")),
        Action::ListAddress { beneficiary, .. } => Some((*beneficiary, "beneficiary")),
        _ => None,
    }
}

/// Finds a case by its whole id, or by the beginning of it if only one case fits.
pub(crate) fn find(replica: &Replica, text: &str) -> Done<CaseId> {
    if let Ok(id) = text.parse::<CaseId>() {
        return Ok(id);
    }
    let unknown = |message: &str| {
        Err(Trouble::refused("unknown_case", message, "run `quorate-approvals list`"))
    };
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if text.len() < 8 || !hex {
        return unknown("a case is named by its 64 hex digits, or by 8 or more of the first");
    }
    let open = replica.book().open_cases().map(|case| case.id);
    let closed = replica.book().closed_cases().map(|(id, _)| *id);
    let mut fits = open.chain(closed).filter(|id| id.to_string().starts_with(text));
    match (fits.next(), fits.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => unknown("more than one case begins like this"),
        (None, _) => unknown("no open case has this intent"),
    }
}

/// The screen of one case.
pub(crate) fn case(view: &View<'_>, id: &CaseId) -> Done<Screen> {
    let Some(intent) = view.replica.intent(id) else {
        let next = "run `quorate-approvals list`";
        return Err(Refusal::new("unknown_case", "no open case has this intent", next).into());
    };
    // The case is named by what it says: this is what the signature will bind.
    if intent.digest()? != id.intent() {
        let next = "do not approve; call the operators";
        return Err(Trouble::refused(
            "not_the_intent",
            "the case is not its intent's digest",
            next,
        ));
    }
    let kind = quorate_custody::rulings::action_kind(&intent.action);
    let mut screen = Screen::new(format!("case {id}"));
    warn_of_the_book(view, &mut screen);
    screen.toned("what", kind.replace('_', " "), Tone::Strong);
    who(view, intent, &mut screen);
    standing_in(view, intent, &mut screen);
    match &intent.action {
        Action::Transfer(wanted) => transfer::rows(view, id, wanted, &mut screen),
        other => administration::rows(view, id, other, &mut screen)?,
    }
    opened(view, intent, &mut screen);
    let state = match view.book().case(id) {
        Some(case) => open_case(view, case, &mut screen),
        None => closed_case(view, id, &mut screen),
    };
    digests(view, id, &mut screen);
    screen.json = json!({
        "case": id, "kind": kind, "state": state, "intent": intent,
        "judged": view.book().case(id).and_then(|case| case.judged.as_ref()),
        "display": screen.digest(),
    });
    Ok(screen)
}

/// What stops or clouds everything: freezes, void entries, a head that nobody witnessed, clocks.
pub(crate) fn warn_of_the_book(view: &View<'_>, screen: &mut Screen) {
    for (digest, scope) in view.book().freezes() {
        screen.warn(format!("frozen: {} (freeze {})", words::scope(scope), digest.short()));
    }
    for (index, digest) in view.book().voids() {
        let why = view.replica.voids.iter().find(|(at, _)| *at == index);
        let why = why.map_or("held void", |(_, refusal)| refusal.message.as_str());
        screen.warn(format!(
            "void entry {index} ({}): {why}; nothing is signed until it is resumed",
            digest.short()
        ));
    }
    if let Some(coming) = view.book().coming() {
        screen.warn(format!("charter {} was approved and waits for its delay", coming.digest));
    }
    if view.replica.head.as_ref().is_some_and(|head| head.by.is_empty()) {
        screen.warn("no cosigner has witnessed the newest checkpoint yet");
    }
    if view.replica.follower().ahead_of(view.now) > AHEAD_MS {
        let at = view.book().last_at().utc();
        screen.warn(format!("the book's last entry is of {at}, ahead of this machine's clock"));
    }
}

fn who(view: &View<'_>, intent: &Intent, screen: &mut Screen) {
    screen.row("asked by", words::requester(&intent.requester));
    if let quorate_terms::intent::Requester::Agent { credential, .. } = &intent.requester {
        let text = match view.book().credential(credential) {
            Some(admitted) => format!(
                "{credential}, band {}, owner {}, until {}{}",
                admitted.credential.band,
                admitted.credential.owner,
                admitted.credential.expires_at.utc(),
                if admitted.revoked { ", REVOKED" } else { "" }
            ),
            None => format!("{credential}, which the book does not know"),
        };
        screen.row("credential", text);
    }
    if intent.requester.person() == Some(&view.me.person) {
        screen.warn("you asked for this yourself; your own approval does not count");
    }
    screen.row("request key", intent.key.as_str());
}

/// For whom a stand-in speaks here, and where that does not reach.
fn standing_in(view: &View<'_>, intent: &Intent, screen: &mut Screen) {
    let Some(granted) = crate::list::stands_in(view.book(), view.me, view.now) else { return };
    let one = &granted.delegation;
    let holder = view.book().charter().approver(&one.seat).map(|seat| &seat.person);
    let of = holder.map(|person| format!(" (person {person})")).unwrap_or_default();
    let text = format!("seat {}{of}, until {}", one.seat, one.until.utc());
    screen.toned("you stand in for", text, Tone::Strong);
    if granted.phase(view.now) != Phase::Standing {
        screen.warn(format!("the delegation begins at {}", one.from.utc()));
    }
    match &intent.action {
        Action::Transfer(transfer) if !one.covers(transfer) => {
            let why = "amount or fee is above your delegation's limit: the seat itself must speak";
            screen.warn(why);
        }
        Action::Transfer(_) => {}
        _ => screen.warn("a stand-in speaks on transfers alone: the seat itself must speak"),
    }
    if holder.is_some() && intent.requester.person() == holder {
        screen.warn("whom you stand in for asked for this; your approval does not count");
    }
}

fn opened(view: &View<'_>, intent: &Intent, screen: &mut Screen) {
    let Some((commitment, label)) = committed(intent) else { return };
    let text = match &view.opened {
        Opened::Unasked | Opened::Names(_) => {
            format!("not fetched (commitment {})", commitment.digest())
        }
        Opened::Missing => {
            format!("erased or withheld: the desk gives no value for {}", commitment.digest())
        }
        Opened::Proven(opening) => {
            format!("untrusted text, commitment verified: \"{}\"", opening.value)
        }
    };
    screen.row(label, text);
}

fn open_case(view: &View<'_>, case: &Case, screen: &mut Screen) -> State {
    judgment(view, case, screen);
    for tally in case.tallies(view.book().charter(), view.book().policy(), view.now) {
        let names: Vec<String> = tally.counted.iter().map(ToString::to_string).collect();
        let have = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let tone = if tally.is_met() { Tone::Good } else { Tone::Wait };
        let text = format!("{}: {} of {} agree{have}", tally.quorum, names.len(), tally.need);
        screen.toned("quorum", text, tone);
        if let Some(parties) = &tally.parties {
            screen.toned("parties", words::parties(parties), tone);
        }
    }
    for approval in case.approvals.values() {
        let body = &approval.body;
        let word = words::plain(&body.verdict);
        let until = body.expires_at.utc();
        screen.row("word of", format!("{}: {word}, until {until}", body.approver));
    }
    for said in case.stand_ins.values() {
        let (body, person) = (&said.approval.body, &said.delegation.stand_in.person);
        let (word, until) = (words::plain(&body.verdict), said.expires_at().utc());
        let text = format!("{}: {word}, until {until}, by {person} standing in", body.approver);
        screen.row("word of", text);
    }
    for draft in &case.drafts {
        drafted(view, case, draft, screen);
    }
    screen.row("state", words::plain(&case.state));
    screen.row("filed", case.filed_at.utc());
    screen.row("expires", case.expires_at().utc());
    if case.expires_at() <= view.now {
        screen.warn("the case has expired");
    }
    if let Some(cancel) = &case.cancel {
        screen.warn(format!("case {cancel} asks to give this one up"));
    }
    case.state
}

fn judgment(view: &View<'_>, case: &Case, screen: &mut Screen) {
    let Some(judged) = &case.judged else { return };
    let (word, tone) = match &judged.judgment {
        Judgment::Allow { .. } => ("allowed".to_owned(), Tone::Good),
        Judgment::Deny { .. } => ("denied".to_owned(), Tone::Bad),
        Judgment::Require { quorums, .. } => {
            let names: Vec<String> = quorums.iter().map(ToString::to_string).collect();
            (format!("needs {}", names.join(" and ")), Tone::Wait)
        }
    };
    screen.toned("judgment", format!("{word}, as this machine judged for itself"), tone);
    for reason in &judged.reasons {
        screen.row("because", format!("{}: {}", reason.rule, reason.message));
    }
    screen.row("risk", words::plain(&judged.risk_class));
    screen.row("screening", words::plain(&judged.counterparty_check));
    if judged.policy != view.book().policy().digest() {
        screen.warn("the policy has changed since this was judged; it must be filed again");
    }
}

/// What can be tried of a case: its newest draft, and before there is one, the transfer as it was asked for.
pub(crate) fn trial(book: &Book, id: &CaseId) -> Option<Trial> {
    let case = book.case(id)?;
    let wanted = case.transfer()?;
    let chain = wanted.asset.chain();
    let account = book.wallet(&wanted.wallet).and_then(|wallet| wallet.accounts.get(&chain));
    let draft = case.drafts.last().map(|draft| (&draft.chain, draft.bytes.as_str()));
    let attempt = match account {
        _ if !case.signed.is_empty() => Err("it has been signed already".to_owned()),
        None => Err("the wallet has no account on this chain".to_owned()),
        Some(account) => Attempt::of(account, wanted, draft).map_err(|no| no.to_string()),
    };
    Some(Trial { attempt, assets: book.policy().document().assets.clone() })
}

/// Reads the draft's bytes back here, and says whether they do what was asked.
fn drafted(view: &View<'_>, case: &Case, draft: &Warranted, screen: &mut Screen) {
    screen.row("draft", format!("{} by {}", draft.draft, party_name(&draft.party)));
    let Ok(bytes) = hex::decode(&draft.bytes) else {
        return screen.warn("a draft's bytes are not hexadecimal");
    };
    let read = match read_back(&draft.chain, &bytes) {
        Ok(read) => read,
        Err(refusal) => return screen.warn(format!("a draft cannot be read back: {refusal}")),
    };
    if read.digest() != draft.draft {
        screen.warn("a draft's bytes are not those that its digest names");
    }
    for (label, text) in describe(read.meaning(), &view.book().policy().document().assets) {
        screen.row(&format!("draft {label}"), text);
    }
    let fits = case.transfer().map(|wanted| carries_out(read.meaning(), wanted));
    match fits {
        Some(Err(refusal)) if case.cancel.is_none() => {
            screen.warn(format!("the draft is not the intent: {refusal}"));
        }
        _ => {}
    }
}

fn closed_case(view: &View<'_>, id: &CaseId, screen: &mut Screen) -> State {
    let Some(closed) = view.book().closed(id) else {
        // Filed and never judged: the fold took it back.
        screen.warn("the book holds no case for this filing: its entry is void");
        return State::AwaitJudgment;
    };
    screen.row("outcome", words::plain(&closed.outcome));
    screen.row("filed", closed.filed_at.utc());
    State::Closed(closed.outcome)
}

fn digests(view: &View<'_>, id: &CaseId, screen: &mut Screen) {
    screen.row("vault", view.book().vault().to_string());
    screen.row("policy digest", view.book().policy().digest().to_string());
    screen.row("intent digest", id.to_string());
}

#[cfg(test)]
mod tests {
    use quorate_policy::{StarterAsset, starter};
    use quorate_terms::policy::{AssetInfo, CedarRule};

    use super::*;

    fn document() -> PolicyDocument {
        let info = AssetInfo {
            asset: "eip155:1/slip44:60".parse().unwrap(),
            symbol: "ETH".into(),
            name: "Ether".into(),
            decimals: 18,
        };
        let one = "1000000000000000000".parse().unwrap();
        let asset = StarterAsset {
            info,
            alone: one,
            alone_to_strangers: one,
            agent_daily: one,
            vault_daily: one,
        };
        let approvers = BTreeSet::from(["ann".parse().unwrap()]);
        starter("house".parse().unwrap(), &approvers, &[asset]).unwrap()
    }

    fn account(number: u8) -> AccountId {
        format!("eip155:1:0x{number:0>40x}").parse().unwrap()
    }

    #[test]
    fn whom_either_policy_names_is_asked_for_and_of_one_that_does_not_load_nobody() {
        let (mut old, mut new) = (document(), document());
        old.addresses.deny.insert(account(1));
        new.addresses.deny.insert(account(2));
        let old = Policy::load(&old).unwrap();
        let mut proposal = Proposal { old: old.clone(), new: new.clone(), charter: None };
        assert_eq!(proposal.read().named, BTreeSet::from([account(1), account(2)]));
        let again = Proposal { old, new, charter: None };
        assert!(proposal.is_same(&again));
        let text = "no rule".to_owned();
        proposal.new.rules.push(CedarRule { id: "broken".parse().unwrap(), text });
        assert_eq!(proposal.read().named, BTreeSet::from([account(1)]));
        assert!(!proposal.is_same(&again));
    }
}
