//! Who holds the shares, where each listens, and how many must sign.

use quorate_pages::{
    Field, Markup, Press, empty, form, heading, hidden, long_field, outside, table, text_field,
};
use quorate_terms::charter::CosignerSeat;

use super::super::kept::{Kept, pasted};
use super::super::paper::{act, say};
use super::super::visit::{Typed, given, said};
use super::{Step, made_by, number, removed, shown};
use crate::cli::found::answers::CosignerAnswer;
use crate::cli::found::plan;
use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/cosigners",
    label: "Cosigners",
    title: "The cosigners",
    owns: &["cosigner", "threshold", "charter.threshold"],
    is_done: |answers| answers.cosigners.len() >= 2,
    body,
    take,
    ask: None,
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "A cosigner holds one share of each key and judges for itself. At least two, on machines of their own, best at two \
                 companies. Each operator runs this there, with a name, a company and an address of its own, and hands over \
                 quorate-cosigner/seat.json, which is public.";
    let init = "quorate-cosigner init --cosigner east --operator \"East Custody Ltd\" --listen 10.0.0.7:7401";
    let fields = Markup::all([
        hidden(&[("act", "cosigner")]),
        long_field(Field {
            name: "seat",
            label: "The cosigner's seat.json",
            hint: "Paste the whole file.",
            value: shown(typed, "seat", ""),
            optional: false,
        }),
        text_field(Field {
            name: "address",
            label: "Where it listens for the desk",
            hint: "HOST:PORT as this machine reaches it, such as 10.0.0.7:7401.",
            value: shown(typed, "address", ""),
            optional: false,
        }),
    ]);
    Markup::all([
        say(words),
        made_by("each operator", &[init]),
        seated(kept),
        heading("Seat a cosigner"),
        form("/cosigners", fields, "Seat this cosigner"),
        heading("How many must sign"),
        threshold(kept, typed),
    ])
}

fn seated(kept: &Kept) -> Markup {
    let mut rows = Vec::new();
    for answer in &kept.answers().cosigners {
        match kept.document::<CosignerSeat>(&answer.seat) {
            Ok(seat) => {
                let fields = [("act", "unseat"), ("name", seat.cosigner.as_str())];
                rows.push(vec![
                    outside(seat.cosigner.as_str()),
                    outside(&seat.operator),
                    outside(&answer.address),
                    outside(&seat.identity.to_string()),
                    act("/cosigners", &fields, "Take out", Press::No),
                ]);
            }
            Err(trouble) => rows.push(vec![outside(&trouble.to_string())]),
        }
    }
    if rows.is_empty() {
        return empty("No cosigner is seated yet.", "seat at least two: nobody signs alone");
    }
    table("Cosigners", &["Cosigner", "Run by", "Listens at", "Identity", "Change"], rows)
}

fn threshold(kept: &Kept, typed: &Typed) -> Markup {
    let now = kept.answers().threshold.map(|t| t.to_string()).unwrap_or_default();
    let field = text_field(Field {
        name: "threshold",
        label: "So many cosigners must sign",
        hint: "More than half of them. Left empty it is all of two, or the smallest majority of more.",
        value: shown(typed, "threshold", &now),
        optional: true,
    });
    form("/cosigners", Markup::all([hidden(&[("act", "threshold")]), field]), "Keep the number")
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    match said(typed, "act") {
        "cosigner" => seat(kept, typed),
        "unseat" => kept.change(|answers| {
            removed(&mut answers.cosigners, typed, |one, name| {
                one.seat.as_os_str() == format!("cosigner-{name}.json").as_str()
            })?;
            // The number may ask for more than are left.
            answers.threshold = None;
            Ok(())
        }),
        _ => {
            let asked = given(typed, "threshold");
            let asked = asked.map(|text| number("threshold", &text, "2")).transpose()?;
            plan::threshold(asked, kept.answers().cosigners.len())?;
            kept.change(|answers| {
                answers.threshold = asked;
                Ok(())
            })
        }
    }
}

fn seat(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    let (text, address) = (said(typed, "seat"), said(typed, "address").to_owned());
    let seat: CosignerSeat = pasted("seat.json", text)?;
    read::address("address", &address)?;
    for other in plan::cosigners(&kept.resolved())?.0 {
        if other.cosigner == seat.cosigner {
            let mend = "take the seat out first, if this is the newer file";
            return Err(Trouble::new("cosigner", format!("`{}` is seated", seat.cosigner), mend));
        }
        if other.identity == seat.identity || other.witness == seat.witness {
            let why = format!("has a key of `{}`'s seat", other.cosigner);
            return Err(Trouble::new("cosigner", why, "let each make keys of its own"));
        }
    }
    if kept.answers().cosigners.iter().any(|other| other.address == address) {
        let why = format!("`{address}` is another cosigner's");
        return Err(Trouble::new("address", why, "give the address of this one"));
    }
    let path = kept.keep(&format!("cosigner-{}", seat.cosigner), text)?;
    kept.change(|answers| {
        answers.cosigners.push(CosignerAnswer { seat: path, address });
        // The number may be no majority of more.
        answers.threshold = None;
        Ok(())
    })
}
