//! Alerts: what is open, who took it, and how it ended.

use axum::Router;
use axum::extract::{Form, Path};
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use quorate_custody::Refusal;
use quorate_pages::{
    Field, Markup, Press, Tone, badge, choice_field, digest, empty, facts, link, outside, table,
    when,
};
use quorate_terms::Digest;
use quorate_terms::entry::Severity;
use serde::Deserialize;

use super::visit::{Answered, Ask, Visit, asked};
use super::{Here, Page};
use crate::office::{AlertRequest, AlertView};

pub(crate) const PAGE: Page = Page {
    path: "/alerts",
    label: "Alerts",
    routes: |router: Router<Here>| {
        router
            .route("/alerts", get(all))
            .route("/alerts/{alert}", get(one))
            .route("/alerts/{alert}/deal", post(deal))
    },
};

/// What may have come of an alert.
const ENDS: [(&str, &str); 4] = [
    ("mended", "It was mended"),
    ("expected", "It was expected"),
    ("false_alarm", "It was a false alarm"),
    ("escalated", "It is dealt with elsewhere"),
];

fn severity(severity: Severity) -> Markup {
    match severity {
        Severity::Low => badge(Tone::Note, "low"),
        Severity::High => badge(Tone::Warn, "high"),
        Severity::Critical => badge(Tone::Bad, "critical"),
    }
}

fn taken(view: &AlertView) -> Markup {
    match &view.open.taken_by {
        Some(who) => outside(who.as_str()),
        None => badge(Tone::Warn, "nobody"),
    }
}

async fn all(visit: Visit) -> Answered {
    let alerts = &visit.status.alerts;
    if alerts.is_empty() {
        let none = empty("No alert is open.", "what the desk notices will stand here");
        return visit.page("Alerts", [none]);
    }
    let row = |view: &AlertView| {
        let path = format!("/alerts/{}", view.alert);
        vec![
            outside(&view.open.rule),
            severity(view.open.severity),
            outside(&view.open.subject),
            when(view.open.raised_at),
            taken(view),
            link(&path, &format!("Alert {}", view.alert.short())),
        ]
    };
    let headings = ["Rule", "Severity", "About", "Since", "Taken by", "Alert"];
    visit.page("Alerts", [table("Open alerts", &headings, alerts.iter().map(row).collect())])
}

async fn one(visit: Visit, Path(alert): Path<String>) -> Answered {
    let alert: Digest = alert.parse()?;
    let Some(view) = visit.status.alerts.iter().find(|view| view.alert == alert) else {
        let next = "look at the alerts that are open";
        return Err(Refusal::new("nothing_here", "this alert is not open", next).into());
    };
    let about = facts(vec![
        ("Rule", outside(&view.open.rule)),
        ("Severity", severity(view.open.severity)),
        ("About", outside(&view.open.subject)),
        ("First raised", when(view.open.raised_at)),
        ("Taken by", taken(view)),
        ("Alert", digest(&alert.to_string())),
    ]);
    let path = format!("/alerts/{alert}/deal");
    let take = match view.open.taken_by {
        None => visit.question(
            Ask::Alert(alert),
            (&path, Markup::default()),
            ("I look into it", Press::Main),
        )?,
        Some(_) => Markup::default(),
    };
    let field = Field {
        name: "disposition",
        label: "What came of it",
        value: "mended",
        ..Field::default()
    };
    let fields = choice_field(field, &ENDS);
    let close =
        visit.question(Ask::Alert(alert), (&path, fields), ("Close the alert", Press::Aside))?;
    visit.page(&format!("Alert {}", alert.short()), [about, take, close])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deal {
    ask: String,
    disposition: Option<String>,
}

async fn deal(visit: Visit, Path(path): Path<String>, Form(said): Form<Deal>) -> Answered {
    visit.operator()?;
    let Ask::Alert(alert) = visit.answered(&said.ask)? else { return Err(asked().into()) };
    if path != alert.to_string() {
        return Err(asked().into());
    }
    let person = visit.caller.owner.clone();
    visit
        .console
        .office
        .alert(AlertRequest { alert, person, disposition: said.disposition })
        .await?;
    Ok(Redirect::to("/alerts").into_response())
}
