//! Forms without a browser, for tests that ask them more often than a browser could.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::personal::Openings;
use quorate_terms::Timestamp;
use serde_json::Value;

use super::form::{self, Takers};
use super::given::{self, Bad, Given};
use super::made::{self, Grounds};
use super::{press, rows, table};
use crate::audit::Held;
use crate::serve::paper::Nav;
use crate::trouble::Done;

/// What stands in the fields of a form that shows this record.
pub(in crate::serve) fn shown_for(id: &str, record: &Value) -> Given {
    rows::written(table::form(id).unwrap().fields, "", record)
}

/// Draws a form as somebody filled it in, and reads its record, or what is wrong.
pub(in crate::serve) fn read_again(
    held: &Held,
    id: &str,
    mut given: Given,
) -> Done<Result<Act, Bad>> {
    let step = table::form(id).unwrap();
    let (kept, machine) = (Openings::new(), BTreeMap::new());
    let mut grounds = Grounds {
        held: Some(held),
        kept: &kept,
        now: Timestamp::ZERO,
        on: "",
        id,
        machine: &machine,
        workflows: &[],
        standards: Vec::new(),
        file: None,
        report: None,
        copy: OnceLock::new(),
    };
    grounds.report = made::read_report(step.fields, &grounds, &given);
    if let Some(pressed) = press::pressed(step.fields, &mut given)? {
        pressed.done(step, &grounds, &mut given)?;
    }
    let read = given::record(step, &grounds, &given)?;
    let none = Bad::new();
    let (takers, bad) = (Takers::new(), read.as_ref().err().unwrap_or(&none));
    let page = form::page((step, &grounds), "/x", &takers, (Some(&given), bad));
    assert!(!page.render("alder", "", Nav::Office).is_empty());
    Ok(read.map(|(record, _)| record))
}
