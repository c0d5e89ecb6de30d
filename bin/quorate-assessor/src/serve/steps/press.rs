//! Buttons beside a form's main one: a row more, a row less, a report that is read. They judge nothing, and what was typed stays.

use super::form::begun;
use super::given::{Bad, Given};
use super::made::{Grounds, imported};
use super::rows::{list, next, number};
use super::table::{FieldText, Kind, StepForm};
use crate::trouble::{Done, Trouble};

/// Under what name a pressed button is sent. No field is called so.
pub(super) const NAME: &str = "do";
/// What the button says that reads a report.
pub(super) const READ: &str = "read";

/// A button that was pressed.
pub(super) enum Pressed {
    /// One more row of the list of that name.
    More(String),
    /// The row that begins with these letters is taken out.
    Less(String),
    /// The report is read.
    Read,
}

/// The button of a list.
pub(super) fn more(list: &str) -> String {
    format!("more {list}")
}

/// The button of a row.
pub(super) fn less(row: &str) -> String {
    format!("less {row}")
}

/// Takes the button out of what came; none for the main one.
pub(super) fn pressed(fields: &[FieldText], given: &mut Given) -> Done<Option<Pressed>> {
    let Some(said) = given.remove(NAME) else { return Ok(None) };
    if said == READ && fields.iter().any(|field| matches!(field.kind, Kind::Report)) {
        return Ok(Some(Pressed::Read));
    }
    let known = match said.split_once(' ') {
        Some(("more", name)) if list(fields, name).is_some() => {
            Some(Pressed::More(name.to_owned()))
        }
        Some(("less", row)) if is_row(fields, row) => Some(Pressed::Less(format!("{row}."))),
        _ => None,
    };
    known.map(Some).ok_or_else(|| {
        let next = "send the page's form as it is";
        Trouble::refused("unknown_button", "the form has no such button", next)
    })
}

fn is_row(fields: &[FieldText], name: &str) -> bool {
    let row = name.rsplit_once('.');
    row.is_some_and(|(of, row)| number(row).is_some() && list(fields, of).is_some())
}

impl Pressed {
    /// Does what the button says; gives what is wrong.
    pub(super) fn done(
        self,
        form: &StepForm,
        grounds: &Grounds<'_>,
        given: &mut Given,
    ) -> Done<Bad> {
        match self {
            Self::More(name) => {
                let row = next(given, &name).ok_or_else(|| {
                    let next = "take rows out that are not needed";
                    Trouble::refused("too_many", "the list has no room for another row", next)
                })?;
                let first = list(form.fields, &name).and_then(|group| group.fields.first());
                let first = first.map_or("", |field| field.name);
                given.insert(format!("{name}.{row}.{first}"), String::new());
            }
            Self::Less(row) => given.retain(|name, _| !name.starts_with(&row)),
            Self::Read => return Ok(read(form, grounds, given)),
        }
        Ok(Bad::new())
    }
}

/// What was typed stands over what the form begins with: fields that are asked only now begin somewhere.
fn read(form: &StepForm, grounds: &Grounds<'_>, given: &mut Given) -> Bad {
    let place = form.fields.iter().find(|field| matches!(field.kind, Kind::Report));
    let name = place.map_or("", |field| field.name);
    let text = given.get(name).map_or("", |text| text.trim());
    if let Err(why) = imported(grounds, text) {
        return Bad::from([(name.to_owned(), why)]);
    }
    let mut begun = begun(form, grounds);
    begun.append(given);
    *given = begun;
    Bad::new()
}
