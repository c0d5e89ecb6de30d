//! The fields of a form as they are shown: one by one, and lists of them, each with what is wrong beside it.

use quorate_pages::{
    Field, Markup, Said, choice_field_said, file_field_said, group, long_field_said, press,
    text_field_said,
};

use super::given::{Bad, Given};
use super::made::Grounds;
use super::press::{NAME, READ, less, more};
use super::rows::rows;
use super::table::{Each, FieldText, Group, Kind};

/// What the fields of one form show.
pub(super) struct Drawing<'a> {
    pub(super) grounds: &'a Grounds<'a>,
    pub(super) given: &'a Given,
    pub(super) bad: &'a Bad,
    /// Where the form goes.
    pub(super) action: &'a str,
}

impl Drawing<'_> {
    /// A field. `before` stands before its name; inside a list, which may have empty rows, a browser asks for nothing.
    pub(super) fn field(&self, field: &FieldText, before: &str, lenient: bool) -> Markup {
        let name = format!("{before}{}", field.name);
        let shown = Field {
            name: &name,
            label: field.label,
            hint: field.hint,
            value: self.given.get(&name).map_or("", String::as_str),
            optional: field.optional,
        };
        let said = Said { wrong: self.wrong(&name), lenient };
        match field.kind {
            Kind::Line | Kind::Day | Kind::Number | Kind::Tags | Kind::Key => {
                text_field_said(shown, said)
            }
            Kind::Long | Kind::Lines | Kind::JsonList | Kind::Envelope => {
                long_field_said(shown, said)
            }
            Kind::YesNo => choice_field_said(shown, &[("no", "no"), ("yes", "yes")], said),
            Kind::File => file_field_said(shown, said),
            Kind::Choice(of) => {
                let all = of(self.grounds);
                let options: Vec<(&str, &str)> =
                    all.iter().map(|(value, words)| (value.as_str(), words.as_str())).collect();
                choice_field_said(shown, &options, said)
            }
            Kind::Many(list) => group(shown, said, self.many(list, &name)),
            Kind::Part(fields) => group(shown, said, self.all(fields, &name, lenient)),
            Kind::Each(each) => group(shown, said, self.each(each, &name)),
            Kind::Report => {
                let again = self.grounds.report.is_some();
                let again = again.then(|| press((NAME, READ), "", "Read the report again"));
                Markup::all([long_field_said(shown, said), again.unwrap_or_default()])
            }
        }
    }

    fn wrong(&self, name: &str) -> &str {
        self.bad.get(name).map_or("", String::as_str)
    }

    fn all(&self, fields: &[FieldText], name: &str, lenient: bool) -> Markup {
        let before = format!("{name}.");
        Markup::all(fields.iter().map(|field| self.field(field, &before, lenient)))
    }

    /// The rows of a list, or one that is empty, and the button for another.
    fn many(&self, list: &Group, name: &str) -> Markup {
        let mut rows = rows(self.given, name);
        if rows.is_empty() {
            rows.insert(0);
        }
        let to = |part: &str| format!("{}#f-{part}", self.action);
        let next = rows.last().map_or(0, |last| last.saturating_add(1));
        let (one, mut parts) = (list.one.to_lowercase(), Vec::new());
        for (place, row) in (1_usize..).zip(rows) {
            let (label, row) = (format!("{} {place}", list.one), format!("{name}.{row}"));
            let words = format!("Take {one} {place} out");
            let out = press((NAME, &less(&row)), &to(name), &words);
            let inside = Markup::all([self.all(list.fields, &row, true), out]);
            let field = Field { name: &row, label: &label, ..Field::default() };
            parts.push(group(field, Said::default(), inside));
        }
        let (more, to) = (more(name), to(&format!("{name}.{next}")));
        parts.push(press((NAME, &more), &to, &format!("Add another {one}")));
        Markup::all(parts)
    }

    fn each(&self, each: &Each, name: &str) -> Markup {
        let keys = (each.keys)(self.grounds);
        let one = |(key, hint): &(String, String)| {
            let name = format!("{name}.{key}");
            let value = self.given.get(&name).map_or("", String::as_str);
            let field = Field { name: &name, label: key, hint, value, optional: false };
            let said = Said { wrong: self.wrong(&name), lenient: true };
            choice_field_said(field, each.choices, said)
        };
        Markup::all(keys.iter().map(one))
    }
}
