//! Whose facts the charter gives weight to.

use quorate_pages::{
    Field, Markup, Press, empty, form, heading, hidden, long_field, outside, table, text_field,
};

use quorate_terms::charter::SourceSeat;

use super::super::kept::{Kept, pasted};
use super::super::paper::{act, say};
use super::super::visit::{Typed, said};
use super::{Step, made_by, removed, shown};
use crate::cli::found::answers::SourceAnswer;
use crate::cli::found::plan;
use crate::cli::source::SourceEnrolment;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/sources",
    label: "Sources",
    title: "Sources of facts",
    owns: &["source"],
    is_done: |answers| !answers.sources.is_empty(),
    body,
    take,
    ask: None,
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "A source of finality tells the cosigners what is final on a chain, so that they need not believe the desk; without one \
                 nothing that was signed can close. Its operator runs this, with an address and a node of its own for each network, and \
                 hands over quorate-source/enrolment.json. Prices are needed only by rules that weigh values.";
    let chains = kept.answers().chains.keys().map(String::as_str);
    let chains: Vec<&str> =
        chains.chain(["eip155:1"]).take(kept.answers().chains.len().max(1)).collect();
    let chains: Vec<String> =
        chains.iter().map(|chain| format!(" --chain {chain}=http://127.0.0.1:8545")).collect();
    let init = format!(
        "quorate source init --source finality-1 --kinds finality --listen 10.0.0.9:7450{}",
        chains.concat()
    );
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
        made_by("its operator", &[&init]),
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
                let fields = [("act", "unseat"), ("name", seat.source.as_str())];
                rows.push(vec![
                    outside(seat.source.as_str()),
                    outside(&kinds(&seat)),
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

/// What a source speaks on, in words.
pub(in super::super) fn kinds(seat: &SourceSeat) -> String {
    let kinds = seat.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase());
    kinds.collect::<Vec<_>>().join(", ")
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
