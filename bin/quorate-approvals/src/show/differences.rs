//! What a new policy or charter changes, line by line. What is not listed stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use quorate_host::ui::Tone;
use quorate_policy::diff::Direction;
use quorate_policy::reach::{Reach, Way, reach};
use quorate_policy::{Names, Policy, Problem, diff};
use quorate_terms::charter::CharterText;
use quorate_terms::intent::Action;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{CaseId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::View;
use crate::screen::Screen;

/// Every change of a policy; what widens comes first.
pub(super) fn policy(
    (old, new): (&PolicyDocument, &PolicyDocument),
    names: &Names,
    screen: &mut Screen,
) {
    let changes = diff(old, new, names);
    if changes.is_empty() {
        screen.row("policy", "nothing but version and name changes");
    }
    for change in changes {
        let (label, tone) = match change.direction {
            Direction::Widens => ("WIDENS", Tone::Bad),
            Direction::Unclear => ("changes", Tone::Wait),
            Direction::Tightens => ("tightens", Tone::Good),
        };
        screen.toned(label, format!("{}: {}", change.field, change.text), tone);
    }
}

/// All that a comparison of the policy in force with a proposed one depends on. It is long work, and needs no book: whoever
/// serves many does it where nothing waits for it.
pub(crate) struct Comparison {
    old: Policy,
    new: PolicyDocument,
    at: Timestamp,
    names: Names,
}

/// A comparison that was made.
pub(crate) struct Compared {
    asked: Comparison,
    /// What it found, or why the proposed policy does not load.
    pub(super) found: Result<Reach, Vec<Problem>>,
}

impl Comparison {
    /// What the new policy newly allows and denies is asked of both policies here, on this machine. It is asked at the time at
    /// which the case was filed, so that what is signed to have been seen does not change while it is read, nor once it is over.
    pub(super) fn of(view: &View<'_>, id: &CaseId, new: &PolicyDocument) -> Self {
        let at = view.book().filed_at(id).unwrap_or_else(|| view.book().last_at());
        let (old, new) = (view.book().policy().clone(), new.clone());
        Self { old, new, at, names: view.names() }
    }

    /// The comparison that the screen of a case shows, if it shows one.
    pub(crate) fn of_case(view: &View<'_>, id: &CaseId) -> Option<Self> {
        match &view.replica.intent(id)?.action {
            Action::ChangePolicy { policy } => Some(Self::of(view, id, policy)),
            _ => None,
        }
    }

    /// Whether the screen of a case shows a comparison that was not made for this view: drawing it would make it.
    pub(crate) fn is_missing(view: &View<'_>, id: &CaseId) -> bool {
        Self::of_case(view, id)
            .is_some_and(|asked| view.made.compared.as_ref().is_none_or(|made| !made.is_of(&asked)))
    }

    /// Makes it.
    pub(crate) fn made(self) -> Compared {
        let found = Policy::load(&self.new).map(|new| reach(&self.old, &new, self.at, &self.names));
        Compared { asked: self, found }
    }
}

impl Compared {
    /// Whether this is what came of just that.
    pub(crate) fn is_of(&self, asked: &Comparison) -> bool {
        let mine = &self.asked;
        mine.old.digest() == asked.old.digest()
            && (&mine.new, mine.at, &mine.names) == (&asked.new, asked.at, &asked.names)
    }
}

/// What is said instead of nothing where something may be missing.
const UNKNOWN: &str =
    "whether it newly allows anything is not known: not every edge was asked about";

/// What the new policy newly allows and denies.
pub(super) fn reached(found: &Reach, screen: &mut Screen) {
    let widens = found.rows.iter().any(|row| matches!(row.way, Way::Looser | Way::Otherwise));
    match (found.is_whole(), found.rows.is_empty()) {
        (false, _) if !widens => screen.warn(UNKNOWN),
        (true, true) => screen.row("newly allows", "nothing that could be asked at any edge"),
        _ => {}
    }
    for row in &found.rows {
        let (label, tone) = match row.way {
            Way::Looser => ("NEWLY ALLOWS", Tone::Bad),
            Way::Otherwise => ("others agree", Tone::Wait),
            Way::Stricter | Way::Same => ("newly denies", Tone::Good),
        };
        let text = format!("{}: {}, now {}", row.what, row.was, row.now);
        screen.toned(label, text, tone);
    }
    found.caveats().iter().for_each(|said| screen.row("asked", said));
}

/// Every change of a charter, its policy included.
pub(super) fn charter(
    (old, new): (&CharterText, &CharterText),
    names: &Names,
    screen: &mut Screen,
) {
    let before = screen.words();
    scalar("threshold", old.threshold, new.threshold, screen);
    scalar("change delay (s)", old.change_delay_s, new.change_delay_s, screen);
    scalar("finality depth", old.finality_depth, new.finality_depth, screen);
    scalar("vault", &old.vault, &new.vault, screen);
    let by = |seat: &quorate_terms::charter::CosignerSeat| seat.cosigner.to_string();
    seats("cosigner", named(&old.cosigners, by), named(&new.cosigners, by), screen);
    let by = |seat: &quorate_terms::charter::ApproverSeat| seat.approver.to_string();
    seats("approver", named(&old.approvers, by), named(&new.approvers, by), screen);
    let by = |seat: &quorate_terms::passkey::ViewSeat| seat.view.to_string();
    seats("view", named(&old.views, by), named(&new.views, by), screen);
    let by = |seat: &quorate_terms::charter::SourceSeat| seat.source.to_string();
    seats("source", named(&old.sources, by), named(&new.sources, by), screen);
    let one = |value: Value| BTreeMap::from([(String::new(), value)]);
    seats("governance", one(json(&old.governance)), one(json(&new.governance)), screen);
    seats("log", one(json(&old.log)), one(json(&new.log)), screen);
    let order = |text: &CharterText| -> Vec<String> {
        text.cosigners.iter().map(|seat| seat.cosigner.to_string()).collect()
    };
    scalar("party numbers", order(old).join(", "), order(new).join(", "), screen);
    if old.policy != new.policy {
        policy((&old.policy, &new.policy), names, screen);
    }
    if screen.words() == before {
        screen.row("charter", "nothing but its version changes");
    }
}

fn scalar<T: PartialEq + std::fmt::Display>(name: &str, old: T, new: T, screen: &mut Screen) {
    if old != new {
        screen.toned("changes", format!("{name}: from {old} to {new}"), Tone::Wait);
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn named<T: Serialize>(seats: &[T], name: impl Fn(&T) -> String) -> BTreeMap<String, Value> {
    seats.iter().map(|seat| (name(seat), json(seat))).collect()
}

fn seats(
    what: &str,
    old: BTreeMap<String, Value>,
    new: BTreeMap<String, Value>,
    screen: &mut Screen,
) {
    for (name, seat) in &old {
        match new.get(name) {
            None => screen.toned("removes", format!("{what} {name}: {seat}"), Tone::Bad),
            Some(other) if other != seat => fields(what, name, seat, other, screen),
            Some(_) => {}
        }
    }
    for (name, seat) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        screen.toned("adds", format!("{what} {name}: {seat}"), Tone::Bad);
    }
}

fn fields(what: &str, name: &str, old: &Value, new: &Value, screen: &mut Screen) {
    let (Some(was), Some(is)) = (old.as_object(), new.as_object()) else { return };
    // Fields of either: what is empty is not written, and a first passkey must not come unseen.
    let all: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for field in all {
        let (before, after) = (was.get(field), is.get(field));
        if before != after {
            let (before, after) = (before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null));
            let text = format!("{what} {name}, {field}: from {before} to {after}");
            screen.toned("changes", text, Tone::Bad);
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_policy::reach::Row;

    use super::*;

    fn told(ways: &[Way], change: impl FnOnce(&mut Reach)) -> Screen {
        let row = |way: &Way| Row {
            way: *way,
            what: "any agent: transfer".into(),
            was: "denied".into(),
            now: "allowed".into(),
        };
        let mut found = Reach {
            rows: ways.iter().map(row).collect(),
            left_out: 0,
            asked: 9,
            edges: 9,
            two_zones: false,
            unreached: BTreeSet::new(),
            is_cut: false,
        };
        change(&mut found);
        let mut screen = Screen::new("case");
        reached(&found, &mut screen);
        screen
    }

    fn is_nothing(screen: &Screen) -> bool {
        screen.rows().any(|(label, text)| label == "newly allows" && text.starts_with("nothing"))
    }

    #[test]
    fn nothing_is_called_unchanged_where_not_every_edge_was_asked_about() {
        let whole = told(&[], |_| {});
        assert!(whole.warnings().is_empty() && is_nothing(&whole));
        assert!(told(&[Way::Stricter], |_| {}).warnings().is_empty());
        let bounds: [fn(&mut Reach); 4] = [
            |found| found.edges = 10,
            |found| found.is_cut = true,
            |found| found.two_zones = true,
            |found| found.unreached = BTreeSet::from(["odd".to_owned()]),
        ];
        for bound in bounds {
            for ways in [&[][..], &[Way::Stricter][..]] {
                let cut = told(ways, bound);
                assert_eq!(cut.warnings(), [UNKNOWN], "{}", cut.words());
                assert!(!is_nothing(&cut), "{}", cut.words());
            }
            assert!(told(&[Way::Looser], bound).warnings().is_empty(), "a row says more");
        }
    }
}
