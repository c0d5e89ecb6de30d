//! Whose facts the charter gives weight to.

use quorate_pages::{
    Field, Markup, Press, empty, form, heading, hidden, long_field, outside, table, text_field,
};

use super::super::kept::{Kept, pasted};
use super::super::paper::{act, say};
use super::super::visit::{Typed, said};
use super::{Step, removed, shown};
use crate::cli::found::answers::SourceAnswer;
use crate::cli::found::plan;
use crate::cli::source::SourceEnrolment;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/sources",
    label: "Sources",
    title: "Sources of facts",
    is_done: |answers| !answers.sources.is_empty(),
    body,
    take,
    ask: None,
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "A source of finality tells the cosigners what is final on a chain, so that they need not believe the desk; without one \
                 nothing that was signed can close. Its operator runs `quorate source init`, with a node of its own, and hands over \
                 enrolment.json. Prices are needed only by rules that weigh values.";
    let fields = Markup::all([
        hidden(&[("act", "source")]),
        long_field(Field {
            name: "seat",
            label: "The source's enrolment.json",
            hint: "Paste the whole file.",
            value: shown(typed, "seat", ""),
            optional: false,
        }),
        text_field(Field {
            name: "from",
            label: "Where its facts come from",
            hint: "HOST:PORT of `quorate source run`, file: and a path on this machine, or an https address.",
            value: shown(typed, "from", ""),
            optional: false,
        }),
    ]);
    Markup::all([
        say(words),
        named(kept),
        heading("Name a source"),
        form("/sources", fields, "Name this source"),
    ])
}

fn named(kept: &Kept) -> Markup {
    let mut rows = Vec::new();
    for answer in &kept.answers().sources {
        match kept.document::<SourceEnrolment>(&answer.seat) {
            Ok(SourceEnrolment { seat, .. }) => {
                let kinds: Vec<String> =
                    seat.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
                let fields = [("act", "unseat"), ("name", seat.source.as_str())];
                rows.push(vec![
                    outside(seat.source.as_str()),
                    outside(&kinds.join(", ")),
                    outside(&answer.from),
                    act("/sources", &fields, "Take out", Press::No),
                ]);
            }
            Err(trouble) => rows.push(vec![outside(&trouble.to_string())]),
        }
    }
    if rows.is_empty() {
        return empty("No source is named yet.", "name one of finality, so that cases can close");
    }
    table("Sources", &["Source", "Speaks on", "From", "Change"], rows)
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    if said(typed, "act") == "unseat" {
        return kept.change(|answers| {
            removed(&mut answers.sources, typed, |one, name| {
                one.seat.as_os_str() == format!("source-{name}.json").as_str()
            })
        });
    }
    let (text, from) = (said(typed, "seat"), said(typed, "from").to_owned());
    let enrolment: SourceEnrolment = pasted("enrolment.json", text)?;
    let name = enrolment.seat.source.clone();
    let seated = plan::sources(&kept.resolved())?.0;
    if seated.iter().any(|other| other.source == name || other.key == enrolment.seat.key) {
        let why = format!("`{name}` or its key is named already");
        return Err(Trouble::new("source", why, "take it out first, if this is the newer file"));
    }
    let path = kept.keep(&format!("source-{name}"), text)?;
    let answer = SourceAnswer { seat: path, from };
    plan::place(&answer, &enrolment)?;
    kept.change(|answers| {
        answers.sources.push(answer);
        Ok(())
    })
}
