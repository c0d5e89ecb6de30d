//! From what a person wrote into a form to a record: each field by its kind, and every field that cannot be read is said at once.

use std::collections::{BTreeMap, BTreeSet};

use quorate_assessor::audit::Record as Act;
use quorate_terms::PublicKey;
use serde_json::{Map, Value, json};

use super::made::{Grounds, envelope, imported};
use super::rows::{is_blank, rows};
use super::table::{Each, FieldText, Group, Kind, StepForm, act};
use crate::commands::moment;
use crate::trouble::{Done, Trouble};

/// What came, by the names of fields.
pub(super) type Given = BTreeMap<String, String>;

/// What is wrong, by the names of fields; what belongs to none stands under the empty name.
pub(super) type Bad = BTreeMap<String, String>;

/// By which field each place of a record was filled: a JSON pointer, and the field's name.
pub(super) type Places = BTreeMap<String, String>;

/// The record of a form with the fields that it comes from, or what is wrong with its fields.
pub(super) fn record(
    form: &StepForm,
    grounds: &Grounds<'_>,
    given: &Given,
) -> Done<Result<(Act, Places), Bad>> {
    let mut record = (form.base)(grounds)?;
    let mut reader = Reading { grounds, given, bad: Bad::new(), places: Places::new() };
    for field in form.fields.iter().filter(|field| (form.asks)(grounds, field.name)) {
        reader.field(field, ("", ""), &mut record);
    }
    let Reading { bad, places, .. } = reader;
    if !bad.is_empty() {
        return Ok(Err(bad));
    }
    (form.finish)(grounds, &mut record)?;
    if let Some(fields) = record.as_object_mut() {
        fields.remove("_");
        fields.insert("act".to_owned(), json!(act(form.id)));
    }
    let read = serde_json::from_value(record).map(|record| (record, places));
    Ok(read.map_err(|e| Bad::from([(String::new(), format!("The record cannot be read: {e}."))])))
}

/// The field that filled a place, or what the place is a part of.
pub(super) fn filled<'p>(places: &'p Places, mut at: &str) -> Option<&'p String> {
    loop {
        if let Some(name) = places.get(at) {
            return Some(name);
        }
        at = at.rsplit_once('/')?.0;
    }
}

/// Reads fields into values. Beside each field goes what stands before its name, and where its own place begins.
struct Reading<'a> {
    grounds: &'a Grounds<'a>,
    given: &'a Given,
    bad: Bad,
    places: Places,
}

impl Reading<'_> {
    fn field(&mut self, field: &FieldText, (before, at): (&str, &str), into: &mut Value) {
        let (name, at) = (format!("{before}{}", field.name), format!("{at}{}", field.at));
        let value = match field.kind {
            Kind::Many(group) => Some(self.many(group, &name, &at)),
            Kind::Part(fields) => Some(self.all(fields, &format!("{name}."), &at)),
            Kind::Each(each) => Some(self.each(each, &name, &at)),
            _ => self.one(field, &name),
        };
        self.places.insert(at, name);
        if let Some(value) = value {
            put(into, field.at, value);
        }
    }

    fn one(&mut self, field: &FieldText, name: &str) -> Option<Value> {
        let text = self.given.get(name).map_or("", String::as_str);
        match value(field, self.grounds, text) {
            Ok(value) => value,
            Err(why) => {
                self.bad.insert(name.to_owned(), why);
                None
            }
        }
    }

    fn all(&mut self, fields: &[FieldText], before: &str, at: &str) -> Value {
        let mut value = json!({});
        for field in fields {
            self.field(field, (before, at), &mut value);
        }
        value
    }

    /// A row in which nothing is written is none.
    fn many(&mut self, group: &Group, name: &str, at: &str) -> Value {
        let (mut all, mut known) = (Vec::new(), BTreeSet::new());
        for row in rows(self.given, name) {
            let before = format!("{name}.{row}.");
            if is_blank(group.fields, self.given, &before) {
                continue;
            }
            let one = self.all(group.fields, &before, &format!("{at}/{}", all.len()));
            if let Some(apart) = group.apart {
                let said = one.get(apart).and_then(Value::as_str).map(str::to_lowercase);
                if said.is_some_and(|said| !known.insert(said)) {
                    self.bad.insert(format!("{before}{apart}"), TWICE.to_owned());
                }
            }
            all.push(one);
        }
        Value::Array(all)
    }

    fn each(&mut self, each: &Each, name: &str, at: &str) -> Value {
        let mut all = Map::new();
        for (key, _) in (each.keys)(self.grounds) {
            let name = format!("{name}.{key}");
            let said = self.given.get(&name).map_or("", |text| text.trim());
            match each.choices.iter().position(|(value, _)| *value == said) {
                Some(0) => {}
                Some(_) => drop(all.insert(key.clone(), json!(said))),
                None if said.is_empty() => {}
                None => drop(self.bad.insert(name.clone(), NOT_LISTED.to_owned())),
            }
            self.places.insert(format!("{at}/{key}"), name);
        }
        Value::Object(all)
    }
}

/// The longest line, in bytes: objections repeat names, and what they say is bounded by it.
const LINE_BYTES_MAX: usize = 4096;
const NOT_LISTED: &str = "Choose one of the list.";
const TWICE: &str = "Another one above has this already.";
const NO_KEY: &str =
    "This is no public key. Give what the command quorate-assessor person key shows.";

/// The value of a field; none where it has no place in the record.
fn value(field: &FieldText, grounds: &Grounds<'_>, given: &str) -> Result<Option<Value>, String> {
    // A browser sends CR LF; a record has one form of a line's end.
    let text = given.replace("\r\n", "\n");
    let text = text.trim();
    if matches!(field.kind, Kind::File) {
        let came = field.optional || grounds.file.is_some();
        return if came { Ok(None) } else { Err("Choose a file.".to_owned()) };
    }
    if text.is_empty() {
        return match field.kind {
            _ if !field.optional => Err("Write something here.".to_owned()),
            Kind::Lines | Kind::JsonList => Ok(Some(json!([]))),
            Kind::Tags => Ok(Some(json!("not_applicable"))),
            _ => Ok(Some(Value::Null)),
        };
    }
    read(field, grounds, text).map(Some)
}

fn read(field: &FieldText, grounds: &Grounds<'_>, text: &str) -> Result<Value, String> {
    let json = || serde_json::from_str::<Value>(text).map_err(|e| format!("This is no JSON: {e}."));
    match field.kind {
        Kind::Line if text.contains('\n') => Err("Write one line.".to_owned()),
        Kind::Line if text.len() > LINE_BYTES_MAX => Err("Write a shorter line.".to_owned()),
        Kind::Line | Kind::Long | Kind::File => Ok(json!(text)),
        Kind::Lines if text.lines().any(|line| line.len() > LINE_BYTES_MAX) => {
            Err("Write shorter lines.".to_owned())
        }
        Kind::Lines => Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()),
        Kind::Day => {
            let at =
                moment(text).map_err(|_| "Write a day as 2026-11-20, or RFC 3339.".to_owned())?;
            Ok(json!(at))
        }
        Kind::Number => match text.parse::<u64>() {
            Ok(number) if u32::try_from(number).is_ok() => Ok(json!(number)),
            Ok(_) => Err("Write a smaller number.".to_owned()),
            Err(_) => Err("Write a whole number.".to_owned()),
        },
        Kind::Key => text.parse::<PublicKey>().map(|key| json!(key)).map_err(|_| NO_KEY.to_owned()),
        Kind::YesNo => yes(text),
        Kind::JsonList => json().and_then(|value| match value {
            Value::Array(_) => Ok(value),
            _ => Err("Write a JSON list.".to_owned()),
        }),
        Kind::Choice(of) => {
            let known = of(grounds).iter().any(|(value, _)| value == text);
            if known { json() } else { Err(NOT_LISTED.to_owned()) }
        }
        Kind::Tags => Ok(json!({ "cites": text.split_whitespace().collect::<Vec<_>>() })),
        Kind::Report => imported(grounds, text).map(|(envelope, _)| json!(envelope)),
        Kind::Envelope => envelope(text).map(|envelope| json!(envelope)),
        // These are read by what they hold, and nothing of their own is written.
        Kind::Many(_) | Kind::Part(_) | Kind::Each(_) => Ok(Value::Null),
    }
}

fn yes(text: &str) -> Result<Value, String> {
    match text {
        "yes" => Ok(json!(true)),
        "no" => Ok(json!(false)),
        _ => Err("Say yes or no.".to_owned()),
    }
}

/// Puts a value at a JSON pointer, with everything on the way there. The empty pointer joins an object's fields to the record.
fn put(record: &mut Value, at: &str, value: Value) {
    let mut here = record;
    for name in at.split('/').skip(1) {
        if !here.is_object() {
            *here = json!({});
        }
        let Some(fields) = here.as_object_mut() else { return };
        here = fields.entry(name).or_insert(Value::Null);
    }
    match (here, value) {
        (Value::Object(fields), Value::Object(more)) if at.is_empty() => fields.extend(more),
        (here, value) => *here = value,
    }
}

/// What a person wrote, cut to what a form may hold.
pub(super) fn too_long(name: &str, most: usize) -> Trouble {
    let message = format!("the field `{name}` is longer than {most} bytes");
    Trouble::refused("too_large", message, "shorten it, or put it on file as a document")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_where_its_pointer_says() {
        let mut record = json!({ "tag": "DOCUMENT_1", "exhibit": { "file": null } });
        put(&mut record, "/exhibit/item/document/title", json!("Handbook"));
        put(&mut record, "/exhibit/item/document/open", json!([]));
        put(&mut record, "", json!({ "more": 1 }));
        let expected = json!({ "tag": "DOCUMENT_1", "more": 1, "exhibit": { "file": null,
            "item": { "document": { "title": "Handbook", "open": [] } } } });
        assert_eq!(record, expected);
    }
}
