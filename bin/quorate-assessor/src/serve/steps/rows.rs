//! Lists in a form. A field's name is the list's, the row's number and its own, with dots between: `systems.0.inventory.2.name`.
//! Numbers need not follow one another: a row that was taken out leaves its number free.

use std::collections::BTreeSet;

use quorate_terms::Timestamp;
use serde_json::Value;

use super::given::Given;
use super::table::{FieldText, Group, Kind};

/// Numbers of rows are below this.
const ROWS_MAX: usize = 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A row's number, in the one form that it has.
pub(super) fn number(text: &str) -> Option<usize> {
    let number: usize = text.parse().ok()?;
    (number < ROWS_MAX && number.to_string() == text).then_some(number)
}

/// The rows of a list that came, whatever is written in them.
pub(super) fn rows(given: &Given, list: &str) -> BTreeSet<usize> {
    let begins = format!("{list}.");
    let names = given.range(begins.clone()..).map(|(name, _)| name.as_str());
    let inside = names.map_while(|name| name.strip_prefix(begins.as_str()));
    inside.filter_map(|rest| number(rest.split('.').next()?)).collect()
}

/// The number of a row that comes after all others of a list; none when there is no room.
pub(super) fn next(given: &Given, list: &str) -> Option<usize> {
    let next = rows(given, list).last().map_or(0, |last| last.saturating_add(1));
    (next < ROWS_MAX).then_some(next)
}

/// The list of that name.
pub(super) fn list(fields: &[FieldText], name: &str) -> Option<&'static Group> {
    fields.iter().find_map(|field| match field.kind {
        Kind::Many(group) if field.name == name => Some(group),
        Kind::Many(group) => {
            let (row, rest) = below(field, name)?.split_once('.')?;
            number(row)?;
            list(group.fields, rest)
        }
        Kind::Part(fields) => list(fields, below(field, name)?),
        _ => None,
    })
}

/// What stands in a name after a field's own.
fn below<'n>(field: &FieldText, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(field.name)?.strip_prefix('.')
}

/// Whether a name is of that field, or of something inside it.
pub(super) fn is_of(field: &FieldText, name: &str) -> bool {
    name == field.name || below(field, name).is_some()
}

/// What a field is called for people, with the rows in which it stands. `before` stands before `name`.
pub(super) fn called(
    fields: &[FieldText],
    given: &Given,
    (before, name): (&str, &str),
) -> Option<String> {
    fields.iter().find_map(|field| {
        if field.name == name {
            return Some(field.label.to_owned());
        }
        let (here, rest) = (format!("{before}{}", field.name), below(field, name)?);
        match field.kind {
            Kind::Many(group) => {
                let (row, rest) = rest.split_once('.')?;
                let place = rows(given, &here).range(..=number(row)?).count();
                let inside = called(group.fields, given, (&format!("{here}.{row}."), rest))?;
                Some(format!("{} {place}, {inside}", group.one))
            }
            Kind::Part(fields) => {
                let inside = called(fields, given, (&format!("{here}."), rest))?;
                Some(format!("{}, {inside}", field.label))
            }
            Kind::Each(_) => Some(format!("{}, {rest}", field.label)),
            _ => None,
        }
    })
}

/// Whether nothing is written in these fields. A list of choices always stands on one; a yes says something.
pub(super) fn is_blank(fields: &[FieldText], given: &Given, before: &str) -> bool {
    fields.iter().all(|field| {
        let name = format!("{before}{}", field.name);
        let said = given.get(&name).map_or("", |text| text.trim());
        match field.kind {
            Kind::Many(group) => {
                let row = |row: usize| is_blank(group.fields, given, &format!("{name}.{row}."));
                rows(given, &name).into_iter().all(row)
            }
            Kind::Part(fields) => is_blank(fields, given, &format!("{name}.")),
            Kind::Choice(_) | Kind::Each(_) => true,
            Kind::YesNo => said != "yes",
            _ => said.is_empty(),
        }
    })
}

/// What stands in the fields of a form that shows this value: from it the same value is read again.
pub(super) fn written(fields: &[FieldText], before: &str, value: &Value) -> Given {
    let mut given = Given::new();
    for field in fields {
        let Some(held) = value.pointer(field.at) else { continue };
        let name = format!("{before}{}", field.name);
        match field.kind {
            Kind::Many(group) => {
                for (row, one) in held.as_array().into_iter().flatten().enumerate() {
                    given.extend(written(group.fields, &format!("{name}.{row}."), one));
                }
            }
            Kind::Part(fields) => given.extend(written(fields, &format!("{name}."), held)),
            kind => given.extend(text(kind, held).map(|text| (name, text))),
        }
    }
    given
}

fn text(kind: Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (_, Value::Null) => None,
        (Kind::Choice(_), value) => Some(value.to_string()),
        (Kind::YesNo, Value::Bool(true)) => Some("yes".to_owned()),
        (Kind::YesNo, _) => Some("no".to_owned()),
        (Kind::Day, value) => value.as_u64().map(day),
        (Kind::Lines, Value::Array(all)) => {
            Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
        }
        (_, Value::String(text)) => Some(text.clone()),
        (_, other) => Some(other.to_string()),
    }
}

/// A day where it is one, and else the moment.
fn day(millis: u64) -> String {
    let at = Timestamp::from_millis(millis);
    if millis.is_multiple_of(DAY_MS) { at.written("%Y-%m-%d") } else { at.rfc3339() }
}
