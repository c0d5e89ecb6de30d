//! Fields of a form. Each has a label that is always seen, and its hint belongs to it for those who listen.

use askama::Template;

use crate::frame::local;
use crate::{Markup, visible};

/// A field that a person fills in.
#[derive(Clone, Copy, Default)]
pub struct Field<'a> {
    /// The name under which it is sent. One field of a name stands on a page.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// What to write there; may be empty.
    pub hint: &'a str,
    /// What stands there at first. Text from outside may stand in it.
    pub value: &'a str,
    /// Whether it may be left empty.
    pub optional: bool,
}

/// What a form says of a field that somebody filled in.
#[derive(Clone, Copy, Default)]
pub struct Said<'a> {
    /// Why it is not taken; empty where nothing is wrong. It belongs to the field for those who listen.
    pub wrong: &'a str,
    /// Whether a browser sends the form although nothing stands here: then the server says what is missing.
    pub lenient: bool,
}

#[derive(Template)]
#[template(path = "field.html")]
struct Line<'a> {
    field: Field<'a>,
    kind: &'a str,
    said: Said<'a>,
    described: String,
    needed: bool,
}

impl<'a> Line<'a> {
    fn new(field: Field<'a>, kind: &'a str, said: Said<'a>) -> Self {
        let needed = !field.optional && !said.lenient;
        Self { field, kind, said, described: described(field, said), needed }
    }
}

/// What belongs to a field for those who listen, by the ids of its paragraphs.
fn described(field: Field<'_>, said: Said<'_>) -> String {
    let name = field.name;
    match (said.wrong.is_empty(), field.hint.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("h-{name}"),
        (false, true) => format!("w-{name}"),
        (false, false) => format!("w-{name} h-{name}"),
    }
}

/// One line of text.
pub fn text_field(field: Field<'_>) -> Markup {
    text_field_said(field, Said::default())
}

/// One line of text, with what is wrong with it.
pub fn text_field_said(field: Field<'_>, said: Said<'_>) -> Markup {
    Markup::of(&Line::new(field, "text", said))
}

/// One line that nobody reads over a shoulder. It never shows a value again.
pub fn secret_field(field: Field<'_>) -> Markup {
    Markup::of(&Line::new(Field { value: "", ..field }, "password", Said::default()))
}

/// Many lines.
pub fn long_field(field: Field<'_>) -> Markup {
    long_field_said(field, Said::default())
}

/// Many lines, with what is wrong with them.
pub fn long_field_said(field: Field<'_>, said: Said<'_>) -> Markup {
    Markup::of(&Line::new(field, "long", said))
}

/// One file, for a form that uploads ([`crate::upload_form`]).
pub fn file_field(field: Field<'_>) -> Markup {
    file_field_said(field, Said::default())
}

/// One file, with what is wrong with it.
pub fn file_field_said(field: Field<'_>, said: Said<'_>) -> Markup {
    Markup::of(&Line::new(Field { value: "", ..field }, "file", said))
}

#[derive(Template)]
#[template(path = "choice.html")]
struct Choice<'a> {
    field: Field<'a>,
    said: Said<'a>,
    described: String,
    options: Vec<(&'a str, String)>,
}

/// One of several values, each with its words, which may be text from outside.
pub fn choice_field(field: Field<'_>, options: &[(&str, &str)]) -> Markup {
    choice_field_said(field, options, Said::default())
}

/// One of several values, with what is wrong with the choice.
pub fn choice_field_said(field: Field<'_>, options: &[(&str, &str)], said: Said<'_>) -> Markup {
    let options = options.iter().map(|(value, words)| (*value, visible(words))).collect();
    Markup::of(&Choice { field, said, described: described(field, said), options })
}

#[derive(Template)]
#[template(path = "group.html")]
struct Group<'a> {
    field: Field<'a>,
    said: Said<'a>,
    described: String,
    inside: Markup,
}

/// Fields that belong together, under a name that is read with each of them. The value of `field` is not shown.
pub fn group(field: Field<'_>, said: Said<'_>, inside: Markup) -> Markup {
    Markup::of(&Group { field, said, described: described(field, said), inside })
}

#[derive(Template)]
#[template(path = "press.html")]
struct Button<'a> {
    name: &'a str,
    value: &'a str,
    to: &'a str,
    words: &'a str,
}

/// A button inside a form beside its main one: it sends the form with this name and value, whatever is still missing in it. It
/// goes where the form goes, or `to` a path of the same origin, which may name a part of the page: `f-` before a field's name.
pub fn press((name, value): (&str, &str), to: &str, words: &str) -> Markup {
    let to = if to.is_empty() { to } else { local(to) };
    Markup::of(&Button { name, value, to, words })
}

/// The button that the key Enter presses in a form with more buttons than one: nobody sees it until it has the focus. It does
/// what the main button does.
pub fn first_press(words: &str) -> Markup {
    Markup::of(&Button { name: "", value: "", to: "", words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_field_is_escaped_and_its_label_belongs_to_it() {
        let hostile = "\"><b>'\u{202e}";
        let field =
            Field { name: "to", label: hostile, hint: hostile, value: hostile, optional: true };
        let choice = choice_field(field, &[(hostile, hostile)]);
        for part in [text_field(field), long_field(field), file_field(field), choice] {
            assert!(!part.as_str().contains("<b>"), "{part}");
            assert!(part.as_str().contains("<label for=\"f-to\">"), "{part}");
            assert!(part.as_str().contains("aria-describedby=\"h-to\""), "{part}");
        }
        assert!(
            !secret_field(field).as_str().contains("value=\"&"),
            "a secret is never shown again"
        );
        assert!(
            !choice_field(field, &[("a", hostile)]).as_str().contains("<option value=\"a\">\"")
        );
    }

    #[test]
    fn what_is_wrong_belongs_to_its_field_and_a_group_has_a_name() {
        let hostile = "\"><b>'\u{202e}";
        let field = Field { name: "rows.0.to", label: "To", hint: "whom", ..Field::default() };
        let said = Said { wrong: hostile, lenient: false };
        let choice = choice_field_said(field, &[("a", "a")], said);
        let told = [text_field_said(field, said), long_field_said(field, said), choice];
        for part in told {
            let part = part.as_str();
            assert!(part.contains("aria-describedby=\"w-rows.0.to h-rows.0.to\""), "{part}");
            assert!(part.contains("aria-invalid=\"true\"") && !part.contains("<b>"), "{part}");
        }
        let well = text_field_said(field, Said { wrong: "", lenient: true });
        assert!(!well.as_str().contains("aria-invalid") && !well.as_str().contains("required"));
        assert!(text_field(field).as_str().contains(" required"));
        let inside =
            Markup::all([press(("do", hostile), "/x#f-rows.0", hostile), first_press("Go on")]);
        let all = group(field, said, inside);
        assert!(all.as_str().contains("<legend>To</legend>"), "{all}");
        assert!(all.as_str().contains("formaction=\"/x#f-rows.0\""), "{all}");
        assert!(all.as_str().contains("<p class=\"wrong\" id=\"w-rows.0.to\">"), "{all}");
        assert!(all.as_str().contains("formnovalidate") && !all.as_str().contains("<b>"), "{all}");
    }
}
