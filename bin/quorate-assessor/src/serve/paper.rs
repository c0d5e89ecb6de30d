//! How the office's pages look: the frame around each, states in words, and values of any shape.

use quorate_assessor::finding::State;
use quorate_pages::{
    Alert, Frame, Link, Look, Markup, Tone, badge, facts, link, outside, paragraph, section, when,
};
use quorate_terms::Timestamp;
use serde_json::Value;

use super::visitor::Visitor;
use crate::trouble::Trouble;

/// One page before its frame.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) body: Vec<Markup>,
    pub(super) alerts: Vec<Alert>,
}

impl Page {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), body: Vec::new(), alerts: Vec::new() }
    }

    pub(super) fn push(&mut self, part: Markup) {
        self.body.push(part);
    }

    pub(super) fn section(&mut self, title: &str, part: Markup) {
        self.body.push(section(title, part));
    }

    pub(super) fn alert(&mut self, tone: Tone, text: impl Into<String>) {
        self.alerts.push(Alert { tone, text: text.into() });
    }

    /// The document. `office` is whose pages they are, `here` the path of the page.
    pub(super) fn render(self, office: &str, here: &str, nav: Nav) -> String {
        let is_signed_in = nav != Nav::Stranger;
        let nav: &[(&str, &str)] = match nav {
            Nav::Office => &PAGES,
            Nav::Party => &[("/audits", "Audits"), ("/marks", "Marks")],
            Nav::Stranger => &[("/marks", "Marks"), ("/sign-in", "Sign in")],
        };
        let to = |(href, label): &(&str, &str)| Link {
            href: (*href).to_owned(),
            label: (*label).to_owned(),
            is_here: *href == here,
        };
        let frame = Frame {
            title: self.title,
            product: "Auditor's office".to_owned(),
            party: office.to_owned(),
            nav: nav.iter().map(to).collect(),
            alerts: self.alerts,
            body: Markup::all(self.body),
            is_signed_in,
            live: None,
        };
        frame.render()
    }
}

const PAGES: [(&str, &str); 5] = [
    ("/", "Overview"),
    ("/history", "History"),
    ("/audits", "Audits"),
    ("/reports", "Reports"),
    ("/marks", "Marks"),
];

/// To whom the ways to other pages are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nav {
    /// Nobody is signed in.
    Stranger,
    /// A person who sees the audits that name them, and no other page.
    Party,
    /// The office, and its auditors.
    Office,
}

impl Nav {
    /// For who is signed in.
    pub(super) fn of(who: Option<&Visitor>) -> Self {
        match who {
            None => Self::Stranger,
            Some(who) if who.sees_office() => Self::Office,
            Some(_) => Self::Party,
        }
    }
}

/// How a state is drawn.
pub(super) const fn look(state: State) -> Look {
    match state {
        State::Met | State::MetComparable | State::Qualified => Look::Well,
        State::EvidencedNotApplicable => Look::Aside,
        State::Gap => Look::Wrong,
        State::Stale => Look::Old,
        State::Unproven => Look::Open,
        State::NotSought => Look::Unasked,
    }
}

/// A state as a badge.
pub(super) fn state(state: State) -> Markup {
    let tone = match look(state) {
        Look::Well => Tone::Good,
        Look::Aside | Look::Unasked => Tone::Note,
        Look::Old | Look::Open => Tone::Warn,
        Look::Wrong => Tone::Bad,
    };
    badge(tone, state.words())
}

/// Words of our own, a link, and more words.
pub(super) fn sentence(before: &str, to: (&str, &str), after: &str) -> Markup {
    let (href, words) = to;
    let parts = [Markup::text(before), link(href, words), Markup::text(after)];
    paragraph(Markup::all(parts))
}

/// Several words of others in one place.
pub(super) fn listed<'a>(texts: impl IntoIterator<Item = &'a str>) -> Markup {
    let texts: Vec<&str> = texts.into_iter().collect();
    if texts.is_empty() { Markup::text("none") } else { outside(&texts.join("; ")) }
}

/// A value of any shape. What lies deep is one row under all its names, so that no column grows narrow.
pub(super) fn value(value: &Value) -> Markup {
    let mut rows = Vec::new();
    lay_flat("", value, &mut rows);
    match rows.as_slice() {
        [(name, only)] if name.is_empty() => only.clone(),
        _ => facts(rows.iter().map(|(name, leaf)| (name.as_str(), leaf.clone())).collect()),
    }
}

fn lay_flat(names: &str, value: &Value, rows: &mut Vec<(String, Markup)>) {
    let below = |name: &str| match names {
        "" => name.replace('_', " "),
        _ => format!("{names}, {}", name.replace('_', " ")),
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, field)| lay_flat(&below(name), field, rows));
        }
        Value::Array(all) if all.iter().any(|one| one.is_object() || one.is_array()) => {
            for (place, one) in (1_usize..).zip(all) {
                lay_flat(&below(&place.to_string()), one, rows);
            }
        }
        _ => rows.push((names.to_owned(), leaf(value))),
    }
}

/// The first and the last number of milliseconds that is shown as a time: of 2001 and of 2100.
const TIMES: std::ops::Range<u64> = 1_000_000_000_000..4_102_444_800_000;

fn leaf(value: &Value) -> Markup {
    match value {
        Value::Null | Value::Object(_) => Markup::text("none"),
        Value::Bool(yes) => Markup::text(if *yes { "yes" } else { "no" }),
        Value::String(text) => outside(text),
        Value::Number(number) => match number.as_u64().filter(|at| TIMES.contains(at)) {
            Some(at) => {
                let said = Markup::text(&format!(", {at} in milliseconds"));
                Markup::all([when(Timestamp::from_millis(at)), said])
            }
            None => outside(&number.to_string()),
        },
        Value::Array(all) if all.is_empty() => Markup::text("none"),
        Value::Array(all) => {
            let texts: Vec<String> = all.iter().map(plain).collect();
            listed(texts.iter().map(String::as_str))
        }
    }
}

/// A value on one line.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A path of ours, with text from anywhere as its last part.
pub(super) fn path(head: &str, last: &str) -> String {
    let mut out = format!("{head}/");
    for byte in last.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A refusal: what, and what to do next.
pub(super) fn refused(trouble: &Trouble, nav: Nav) -> Page {
    let mut page = Page::new("Refused");
    page.alert(Tone::Bad, trouble.message.clone());
    let mut rows = vec![
        ("What happened", outside(&trouble.message)),
        ("What to do next", outside(&trouble.next)),
        ("Code", outside(trouble.code)),
    ];
    if !trouble.problems.is_empty() {
        rows.push(("Also", Markup::all(trouble.problems.iter().map(|p| paragraph(outside(p))))));
    }
    rows.push((
        "First page",
        match nav {
            Nav::Office => link("/", "Overview"),
            Nav::Party => link("/audits", "Audits"),
            Nav::Stranger => link("/sign-in", "Sign in"),
        },
    ));
    page.push(facts(rows));
    page
}
