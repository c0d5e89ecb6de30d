//! Every route of the API in one table: the router reads it, and so does the description.

use axum::http::Method;

use quorate_terms::credential::Role;

use crate::tools::ToolName;

/// Whose credential a route takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// Any that is in force.
    Anyone,
    /// An agent's, whose band holds the tool.
    Agent,
    /// A person's, in this role or a stronger one.
    Person(Role),
}

/// What a person's route does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Me,
    Status,
    Wallets,
    Credentials,
    Addresses,
    Policy,
    Charter,
    Cases,
    Case,
    Alerts,
    Events,
    Freezes,
    Delegations,
    Receipt,
    Entries,
    Entry,
    Checkpoint,
    EntryProof,
    Consistency,
    File,
    Freeze,
    Resume,
    Delegate,
    EndDelegation,
    Approve,
    Replace,
    Replay,
    Erase,
    TakeAlert,
    CloseAlert,
    Checklists,
    Checklist,
    OpenChecklist,
    AttestChecklist,
    CloseChecklist,
}

/// What a route does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Does {
    /// Asks the desk what this tool asks.
    Ask(ToolName),
    /// Asks the office.
    Act(Act),
}

/// One route.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below the root, `{name}` standing for one segment.
    pub(crate) path: &'static str,
    pub(crate) who: Who,
    pub(crate) does: Does,
    /// One sentence.
    pub(crate) words: &'static str,
}

const fn look(role: Role, path: &'static str, act: Act, words: &'static str) -> Route {
    Route { method: Method::GET, path, who: Who::Person(role), does: Does::Act(act), words }
}

const fn change(role: Role, path: &'static str, act: Act, words: &'static str) -> Route {
    Route { method: Method::POST, path, who: Who::Person(role), does: Does::Act(act), words }
}

const fn ask(method: Method, path: &'static str, tool: ToolName) -> Route {
    Route { method, path, who: Who::Agent, does: Does::Ask(tool), words: "" }
}

use Role::{Auditor, Operator, Viewer};

/// Every route.
pub(crate) static ROUTES: [Route; 51] = [
    Route {
        method: Method::GET,
        path: "/me",
        who: Who::Anyone,
        does: Does::Act(Act::Me),
        words: "Whose credential this is, and what it allows.",
    },
    look(Viewer, "/status", Act::Status, "How the desk and those around it are."),
    look(Viewer, "/wallets", Act::Wallets, "Wallets with their accounts and backups."),
    look(Viewer, "/credentials", Act::Credentials, "Credentials of agents and of people."),
    look(Viewer, "/addresses", Act::Addresses, "Recipients on the list."),
    look(Viewer, "/policy", Act::Policy, "The policy in force, in full."),
    look(Viewer, "/charter", Act::Charter, "The charter in force, in full."),
    look(Viewer, "/cases", Act::Cases, "Cases, newest first."),
    look(Viewer, "/cases/{case}", Act::Case, "One case, with how far each quorum has come."),
    look(Viewer, "/alerts", Act::Alerts, "Alerts that nobody has closed, oldest first."),
    look(Viewer, "/freezes", Act::Freezes, "Freezes in force."),
    look(
        Viewer,
        "/delegations",
        Act::Delegations,
        "Who stands in for which seat, from when until when, and how it ended; the last granted first.",
    ),
    look(Viewer, "/events", Act::Events, "A server-sent event whenever the ledger has grown."),
    look(
        Auditor,
        "/cases/{case}/receipt",
        Act::Receipt,
        "The receipt of a case, in the bytes that quorate-verify reads.",
    ),
    look(Auditor, "/entries", Act::Entries, "Entries of the ledger, in order."),
    look(Auditor, "/entries/{index}", Act::Entry, "One entry, in its canonical bytes."),
    look(Auditor, "/checkpoint", Act::Checkpoint, "The newest checkpoint, a signed note."),
    look(
        Auditor,
        "/entries/{index}/proof",
        Act::EntryProof,
        "The proof that an entry stands in the ledger of the newest checkpoint.",
    ),
    look(
        Auditor,
        "/consistency",
        Act::Consistency,
        "The proof that the ledger of `to` entries goes on from the one of `from`.",
    ),
    change(
        Operator,
        "/intents",
        Act::File,
        "Files an intent in the caller's own name; the same key gives the same case.",
    ),
    change(
        Operator,
        "/freezes",
        Act::Freeze,
        "Freezes the vault, a wallet or an agent at once, in the caller's own name; nobody need agree.",
    ),
    change(
        Operator,
        "/freezes/{freeze}/resume",
        Act::Resume,
        "Asks the charter's quorum to lift every freeze in force of the scope that this one has; signing goes on once it agreed.",
    ),
    change(
        Operator,
        "/delegations",
        Act::Delegate,
        "Asks the charter's quorum to let somebody stand in for a seat, on transfers alone and for a while.",
    ),
    change(
        Operator,
        "/delegations/{delegation}/end",
        Act::EndDelegation,
        "Ends a delegation at once, in the caller's own name; nobody need agree.",
    ),
    change(
        Viewer,
        "/approvals",
        Act::Approve,
        "Carries an approval or a rejection that an approver signed elsewhere.",
    ),
    change(
        Viewer,
        "/policies/replay",
        Act::Replay,
        "What a proposed policy changes and newly allows, and what the last days would have been under it. It files nothing.",
    ),
    change(
        Operator,
        "/cases/{case}/replace",
        Act::Replace,
        "Gives a signed transaction that is stuck another fee, or gives it up where that was agreed.",
    ),
    change(
        Operator,
        "/cases/{case}/erase",
        Act::Erase,
        "Destroys the personal values of a case that is over, for good.",
    ),
    change(
        Operator,
        "/alerts/{alert}/take",
        Act::TakeAlert,
        "Takes an alert in the caller's own name.",
    ),
    change(
        Operator,
        "/alerts/{alert}/close",
        Act::CloseAlert,
        "Ends an alert, with what came of it.",
    ),
    look(
        Viewer,
        "/checklists",
        Act::Checklists,
        "Checklists of people who come, move and leave, oldest first.",
    ),
    look(
        Viewer,
        "/checklists/{checklist}",
        Act::Checklist,
        "One checklist: what is done, by whom, and what is left.",
    ),
    change(Operator, "/checklists", Act::OpenChecklist, "Opens a checklist for a person."),
    change(
        Viewer,
        "/checklists/{checklist}/attest",
        Act::AttestChecklist,
        "Attests in the caller's own name a task that the caller carried out.",
    ),
    change(
        Operator,
        "/checklists/{checklist}/close",
        Act::CloseChecklist,
        "Ends a checklist on which everything is done, or withdraws it.",
    ),
    ask(Method::GET, "/agent/balance", ToolName::GetBalance),
    ask(Method::GET, "/agent/balances", ToolName::GetAllBalances),
    ask(Method::GET, "/agent/price", ToolName::GetPrice),
    ask(Method::GET, "/agent/fee", ToolName::GetFeeQuote),
    ask(Method::GET, "/agent/assets", ToolName::ResolveAsset),
    ask(Method::GET, "/agent/transactions/{txHash}", ToolName::GetTxStatus),
    ask(Method::GET, "/agent/transactions", ToolName::GetTxHistory),
    ask(Method::GET, "/agent/cases", ToolName::ListCases),
    ask(Method::GET, "/agent/cases/{case}", ToolName::GetCase),
    ask(Method::GET, "/agent/cases/{case}/receipt", ToolName::GetReceipt),
    ask(Method::POST, "/agent/transfers/parts", ToolName::PrepareTransfer),
    ask(Method::POST, "/agent/transfers/bytes", ToolName::PrepareSerializedUnsignedTx),
    ask(Method::POST, "/agent/transfers/explain", ToolName::ExplainTransfer),
    ask(Method::GET, "/agent/wallets/{wallet}/address", ToolName::GetWalletAddress),
    ask(Method::POST, "/agent/sign", ToolName::SignTransaction),
    ask(Method::POST, "/agent/send", ToolName::SendTransaction),
];

/// Segments of a path by the names that the template gives them.
pub(crate) type Segments = Vec<(&'static str, String)>;

/// What a path and a method lead to.
pub(crate) enum Found {
    Route(&'static Route, Segments),
    /// There is something, but not by this method.
    Methods(Vec<&'static str>),
    Nothing,
}

/// Finds the route of a path below the root.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let mut methods = Vec::new();
    for route in &ROUTES {
        let Some(segments) = route.fits(path) else { continue };
        if route.method == *method {
            return Found::Route(route, segments);
        }
        methods.push(route.method.as_str());
    }
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
}

impl Route {
    fn fits(&self, path: &str) -> Option<Segments> {
        let mut segments = Segments::new();
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(segments),
                (Some(our), Some(their)) => match name_in(our) {
                    Some(name) if !their.is_empty() => segments.push((name, their.to_owned())),
                    None if our == their => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// The names of its segments, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(name_in)
    }

    /// One sentence on what it does.
    pub(crate) fn words(&self) -> String {
        match self.does {
            Does::Act(_) => self.words.to_owned(),
            Does::Ask(tool) => {
                tool.describe().description.map(|words| words.into_owned()).unwrap_or_default()
            }
        }
    }

    /// Whether it changes something, so that it needs an idempotency key.
    pub(crate) fn is_change(&self) -> bool {
        match self.does {
            Does::Act(act) => self.method == Method::POST && act != Act::Replay,
            Does::Ask(tool) => {
                matches!(tool, ToolName::SignTransaction | ToolName::SendTransaction)
            }
        }
    }

    /// Whether it takes a body.
    pub(crate) fn has_body(&self) -> bool {
        let bare = matches!(
            self.does,
            Does::Act(Act::Replace | Act::TakeAlert | Act::Resume | Act::EndDelegation)
        );
        self.method == Method::POST && !bare
    }
}

fn name_in(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_tool_has_exactly_one_route_and_no_two_routes_are_alike() {
        let asked = ROUTES.iter().filter_map(|route| match route.does {
            Does::Ask(tool) => Some(tool),
            Does::Act(_) => None,
        });
        let asked: Vec<_> = asked.collect();
        assert_eq!(asked.len(), ToolName::ALL.len());
        assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len());
        let all: BTreeSet<_> = ROUTES.iter().map(|r| (r.method.as_str(), r.path)).collect();
        assert_eq!(all.len(), ROUTES.len());
    }

    #[test]
    fn a_path_leads_to_its_route_or_to_the_methods_it_has_or_nowhere() {
        for (path, seen) in [
            ("/cases", "/cases"),
            ("/cases/ab", "/cases/{case}"),
            ("/cases/ab/receipt", "/cases/{case}/receipt"),
        ] {
            let Found::Route(route, _) = find(&Method::GET, path) else { panic!("{path}") };
            assert_eq!(route.path, seen);
        }
        assert!(matches!(find(&Method::DELETE, "/cases"), Found::Methods(m) if m == ["GET"]));
        for nothing in ["", "/", "/cases/", "/cases//receipt", "/nothing", "/cases/a/b/c"] {
            assert!(matches!(find(&Method::GET, nothing), Found::Nothing), "{nothing}");
        }
    }
}
