//! Fields of a form. Each has a label that is always seen, and its hint belongs to it for those who listen.

use askama::Template;

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

#[derive(Template)]
#[template(path = "field.html")]
struct Line<'a> {
    field: Field<'a>,
    kind: &'a str,
}

/// One line of text.
pub fn text_field(field: Field<'_>) -> Markup {
    Markup::of(&Line { field, kind: "text" })
}

/// One line that nobody reads over a shoulder. It never shows a value again.
pub fn secret_field(field: Field<'_>) -> Markup {
    Markup::of(&Line { field: Field { value: "", ..field }, kind: "password" })
}

/// Many lines.
pub fn long_field(field: Field<'_>) -> Markup {
    Markup::of(&Line { field, kind: "long" })
}

/// One file, for a form that uploads ([`crate::upload_form`]).
pub fn file_field(field: Field<'_>) -> Markup {
    Markup::of(&Line { field: Field { value: "", ..field }, kind: "file" })
}

#[derive(Template)]
#[template(path = "choice.html")]
struct Choice<'a> {
    field: Field<'a>,
    options: Vec<(&'a str, String)>,
}

/// One of several values, each with its words, which may be text from outside.
pub fn choice_field(field: Field<'_>, options: &[(&str, &str)]) -> Markup {
    let options = options.iter().map(|(value, words)| (*value, visible(words))).collect();
    Markup::of(&Choice { field, options })
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
}
