//! What waits for this approver, and what stands in the way of everything.

use quorate_custody::case::{Case, quorum};
use quorate_custody::{Book, Granted, Nearing, Phase, State};
use quorate_host::ui::{Table, Tone};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::intent::Action;
use quorate_terms::{Amount, Timestamp};
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::show::{View, warn_of_the_book};
use crate::words;

/// Whether this approver's word is wanted on a case now.
pub(crate) fn waits_for(book: &Book, case: &Case, me: &ApproverSeat, now: Timestamp) -> bool {
    let spoken = case.approvals.get(&me.approver).is_some_and(|said| said.body.expires_at > now);
    let granted = stands_in(book, me, now);
    let (spoken, own) = match granted {
        None => (spoken, case.intent.requester.person() == Some(&me.person)),
        Some(granted) => {
            let stood = case.stand_ins.get(&me.approver);
            let stood = stood.is_some_and(|said| said.expires_at() > now);
            let may = granted.phase(now) == Phase::Standing
                && case.transfer().is_some_and(|transfer| granted.delegation.covers(transfer));
            let holder = book.charter().approver(&me.approver).map(|seat| &seat.person);
            let asked = case.intent.requester.person();
            let own = asked.is_some_and(|asked| *asked == me.person || Some(asked) == holder);
            (spoken || stood || !may, own)
        }
    };
    let required = case.quorums();
    let mut quorums =
        required.iter().filter_map(|name| quorum(book.charter(), book.policy(), name));
    case.state == State::AwaitApprovals
        && !spoken
        && !own
        && case.expires_at() > now
        && quorums.any(|quorum| quorum.members.contains(&me.approver))
}

/// The delegation under which this machine speaks, or will, if it is a stand-in's.
pub(crate) fn stands_in<'a>(
    book: &'a Book,
    me: &ApproverSeat,
    now: Timestamp,
) -> Option<&'a Granted> {
    let granted = book.delegation_of(&me.approver, now)?;
    (granted.delegation.stand_in.key == me.key).then_some(granted)
}

/// For whom this person stands in, or who stands in for them.
pub(crate) fn delegations(book: &Book, me: &ApproverSeat, now: Timestamp, screen: &mut Screen) {
    let Some(granted) = book.delegation_of(&me.approver, now) else { return };
    let one = &granted.delegation;
    let (from, until) = (one.from.utc(), one.until.utc());
    let (who, own) = match stands_in(book, me, now) {
        Some(_) => (format!("seat {}", one.seat), "you stand in for"),
        None => (one.stand_in.person.to_string(), "stands in for you"),
    };
    screen.toned(own, format!("{who}, from {from} until {until}, on transfers"), Tone::Wait);
    match &one.above {
        None => screen.row("up to", "any amount"),
        Some(above) => {
            for (asset, limit) in above {
                screen.row("up to", words::limit(*limit, asset, book.policy()));
            }
            screen.row("any other asset", "the seat itself");
        }
    }
    screen.row("to end it", format!("quorate-approvals delegation end {}", one.id));
}

/// The list, as a table and as JSON.
pub(crate) fn list(view: &View<'_>, all: bool) -> Screen {
    let book = view.replica.book();
    let mut cases: Vec<&Case> =
        book.open_cases().filter(|case| all || waits_for(book, case, view.me, view.now)).collect();
    cases.sort_by_key(|case| (case.filed_at, case.id));
    let title = if all { "open cases" } else { "cases that wait for you" };
    let mut screen = Screen::new(format!("{title}: {}", cases.len()));
    warn_of_the_book(view, &mut screen);
    delegations(book, view.me, view.now, &mut screen);
    let mut table =
        Table::new(&["CASE", "AGE", "ASKED BY", "WHAT", "HOW MUCH", "TO", "AGREED", "EXPIRES IN"]);
    for case in &cases {
        let agreed = progress(view, case);
        let (what, much, to) = act(book, &case.intent.action);
        let id: String = case.id.to_string().chars().take(16).collect();
        let age = words::span(view.now.since(case.filed_at));
        table.row([
            id,
            age,
            words::requester(&case.intent.requester),
            what,
            much,
            to,
            agreed,
            left(view, case),
        ]);
    }
    if !cases.is_empty() {
        screen.below(table);
    }
    let rows: Vec<Value> = cases.iter().map(|case| row(view, case)).collect();
    screen.json = json!({ "cases": rows, "size": book.size() });
    screen
}

fn left(view: &View<'_>, case: &Case) -> String {
    let left = case.expires_at().since(view.now);
    let waits = case.state == State::AwaitApprovals;
    let nearing = Nearing::of(case.filed_at, case.expires_at(), view.now).filter(|_| waits);
    match nearing {
        _ if left == 0 => "expired".to_owned(),
        Some(nearing) => format!("{}: {}", words::span(left), nearing.words()),
        None => words::span(left),
    }
}

fn progress(view: &View<'_>, case: &Case) -> String {
    let tallies =
        case.tallies(view.replica.book().charter(), view.replica.book().policy(), view.now);
    if tallies.is_empty() {
        return words::plain(&case.state);
    }
    let part = |tally: &quorate_terms::quorum::Tally| {
        let parties = tally.parties.as_ref().map(|parties| format!(" ({parties})"));
        let (have, parties) = (tally.counted.len(), parties.unwrap_or_default());
        format!("{} {have}/{}{parties}", tally.quorum, tally.need)
    };
    tallies.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// What is wanted, how much of what, and to whom: in full, because addresses are compared with the eyes.
fn act(book: &Book, action: &Action) -> (String, String, String) {
    let what = quorate_custody::rulings::action_kind(action).replace('_', " ");
    match action {
        Action::Transfer(transfer) => {
            let much = book.policy().asset(&transfer.asset).map_or_else(
                || format!("{} units of an unknown asset", transfer.amount),
                |info| format!("{} {}", decimal(transfer.amount, info.decimals), info.symbol),
            );
            (what, much, transfer.to.address().to_owned())
        }
        Action::ListAddress { account, .. } | Action::RemoveAddress { account } => {
            (what, String::new(), account.address().to_owned())
        }
        Action::OpenWallet(open) => (what, String::new(), open.wallet.to_string()),
        Action::IssueCredential { credential } => {
            (what, credential.band.to_string(), credential.agent.to_string())
        }
        Action::Delegate { delegation } => {
            let until = format!("until {}", delegation.until.utc());
            let to = format!("{} for {}", delegation.stand_in.person, delegation.seat);
            (what, until, to)
        }
        Action::EndDelegation { delegation } => (what, String::new(), delegation.to_string()),
        Action::Freeze { scope } | Action::Unfreeze { scope, .. } => {
            (what, String::new(), words::scope(scope))
        }
        _ => (what, String::new(), String::new()),
    }
}

fn decimal(amount: Amount, decimals: u8) -> String {
    amount.to_decimal(decimals)
}

fn row(view: &View<'_>, case: &Case) -> Value {
    let book = view.replica.book();
    let (what, much, to) = act(book, &case.intent.action);
    json!({
        "what": what, "much": much, "to": to,
        "by": words::requester(&case.intent.requester),
        "agreed": progress(view, case), "left": left(view, case),
        "case": case.id,
        "kind": quorate_custody::rulings::action_kind(&case.intent.action),
        "state": case.state,
        "requester": case.intent.requester,
        "action": case.intent.action,
        "filed_at": case.filed_at,
        "expires_at": case.expires_at(),
        "waits_for_me": waits_for(book, case, view.me, view.now),
        "tallies": case.tallies(book.charter(), book.policy(), view.now),
    })
}
