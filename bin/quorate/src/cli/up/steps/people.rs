//! Who approves, through which views, and how many of them change the rules.

use quorate_pages::{
    Field, Markup, Press, empty, form, heading, hidden, long_field, outside, table, text_field,
};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::passkey::ViewSeat;

use super::super::kept::{Kept, pasted};
use super::super::paper::{act, say};
use super::super::visit::{Typed, said};
use super::{Step, made_by, number, removed, shown};
use crate::cli::found::plan;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/people",
    label: "People",
    title: "The people who approve",
    owns: &[
        "approver",
        "governance",
        "quorum",
        "view",
        "charter.approvers",
        "charter.views",
        "charter.quorums",
    ],
    is_done: |answers| !answers.approvers.is_empty() && answers.governance.is_some(),
    body,
    take,
    ask: None,
    leads_on: false,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let words = "Each approver makes keys on a machine of their own with this, under a name and a pseudonym of their own, and hands over \
                 quorate-approvals/enrolment.json. It is public; nothing secret leaves their machine. Compare the key with them, on a channel \
                 that this machine does not control.";
    let enrol = "quorate-approvals enrol --approver ann --person person-ann";
    let view = "quorate-approvals view init --name front --origin https://approve.example.org --operator \"Front Ltd\"";
    Markup::all([
        say(words),
        made_by("each approver", &[enrol]),
        seated(kept),
        heading("Seat an approver"),
        paste(typed, ("seat", "approver", "The approver's enrolment.json"), "Seat this approver"),
        heading("How many agree to changes"),
        governance(kept, typed),
        heading("Views"),
        say(
            "A view is a server, run by a party of its own, where approvers use passkeys. Without one, approvers use their own tools. Its \
             operator runs this and hands over quorate-approvals/view.json. Passkeys must be made before an approver is seated: \
             `quorate-approvals view serve --enrol` lets them be made, and `quorate-approvals passkey FILE` takes one into the approver's \
             enrolment.json.",
        ),
        made_by("whoever runs a view", &[view]),
        views(kept),
        paste(typed, ("view", "view", "The view's seat file"), "Seat this view"),
    ])
}

fn paste(typed: &Typed, (name, act, label): (&str, &str, &str), button: &str) -> Markup {
    let field = long_field(Field {
        name,
        label,
        hint: "Paste the whole file.",
        value: shown(typed, name, ""),
        optional: false,
    });
    form("/people", Markup::all([hidden(&[("act", act)]), field]), button)
}

fn seated(kept: &Kept) -> Markup {
    let mut rows = Vec::new();
    for path in &kept.answers().approvers {
        match kept.document::<ApproverSeat>(path) {
            Ok(seat) => rows.push(vec![
                outside(seat.approver.as_str()),
                outside(seat.person.as_str()),
                outside(&seat.key.to_string()),
                Markup::text(&seat.passkeys.len().to_string()),
                take_out("unseat", seat.approver.as_str()),
            ]),
            Err(trouble) => rows.push(vec![outside(&trouble.to_string())]),
        }
    }
    if rows.is_empty() {
        return empty("Nobody is seated yet.", "seat three people, so that one may be away");
    }
    table("Approvers", &["Seat", "Person", "Key", "Passkeys", "Change"], rows)
}

fn views(kept: &Kept) -> Markup {
    let mut rows = Vec::new();
    for path in &kept.answers().views {
        match kept.document::<ViewSeat>(path) {
            Ok(seat) => rows.push(vec![
                outside(seat.view.as_str()),
                outside(&seat.operator),
                outside(&seat.origin),
                take_out("unview", seat.view.as_str()),
            ]),
            Err(trouble) => rows.push(vec![outside(&trouble.to_string())]),
        }
    }
    if rows.is_empty() {
        return Markup::default();
    }
    table("Views", &["View", "Run by", "Where", "Change"], rows)
}

fn take_out(what: &str, name: &str) -> Markup {
    act("/people", &[("act", what), ("name", name)], "Take out", Press::No)
}

fn governance(kept: &Kept, typed: &Typed) -> Markup {
    let now = kept.answers().governance.map(|m| m.to_string()).unwrap_or_default();
    let field = text_field(Field {
        name: "governance",
        label: "So many people must agree to changes of charter and policy, and to going on after a stop",
        hint: "More than one, so that nobody can do it alone; fewer than all, so that one who is away does not stop it.",
        value: shown(typed, "governance", &now),
        optional: false,
    });
    form("/people", Markup::all([hidden(&[("act", "governance")]), field]), "Keep the number")
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    match said(typed, "act") {
        "approver" => seat(kept, typed),
        "view" => seat_view(kept, typed),
        "unseat" => kept.change(|answers| {
            removed(&mut answers.approvers, typed, |path, name| {
                path.as_os_str() == format!("approver-{name}.json").as_str()
            })?;
            // The number may ask for more people than are left.
            answers.governance = None;
            Ok(())
        }),
        "unview" => kept.change(|answers| {
            removed(&mut answers.views, typed, |path, name| {
                path.as_os_str() == format!("view-{name}.json").as_str()
            })
        }),
        _ => {
            let m: u32 = number("governance", said(typed, "governance"), "2")?;
            plan::governance(m, &plan::approvers(&kept.resolved())?)?;
            kept.change(|answers| {
                answers.governance = Some(m);
                Ok(())
            })
        }
    }
}

fn seat(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    let text = said(typed, "seat");
    let seat: ApproverSeat = pasted("enrolment.json", text)?;
    for other in plan::approvers(&kept.resolved())? {
        if other.approver == seat.approver {
            let mend = "take the seat out first, if this is the newer file";
            return Err(Trouble::new("approver", format!("`{}` is seated", seat.approver), mend));
        }
        if other.key == seat.key || other.link == seat.link {
            let why = format!("has a key of `{}`'s seat", other.approver);
            return Err(Trouble::new("approver", why, "let each make keys of their own"));
        }
    }
    let path = kept.keep(&format!("approver-{}", seat.approver), text)?;
    kept.change(|answers| {
        answers.approvers.push(path);
        Ok(())
    })
}

fn seat_view(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    let text = said(typed, "view");
    let seat: ViewSeat = pasted("view.json", text)?;
    seat.check()?;
    for path in &kept.answers().views {
        let other: ViewSeat = kept.document(path)?;
        if other.view == seat.view {
            let mend = "take the seat out first, if this is the newer file";
            return Err(Trouble::new("view", format!("`{}` is seated", seat.view), mend));
        }
        if other.link == seat.link || other.origin == seat.origin {
            let why = format!("has the key or the origin of `{}`'s seat", other.view);
            return Err(Trouble::new("view", why, "let each make keys of its own"));
        }
    }
    let path = kept.keep(&format!("view-{}", seat.view), text)?;
    kept.change(|answers| {
        answers.views.push(path);
        Ok(())
    })
}
