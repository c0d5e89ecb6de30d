//! Bounds on what is read, and characters that no reader would see. Catalogues come from outside.

use toml::{Table, Value};

use super::problem::Problem;

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most files.
pub const FILES_MAX: usize = 1000;
/// The longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The longest list.
pub const ITEMS_MAX: usize = 10_000;
/// The most complaints that are made at once.
pub const PROBLEMS_MAX: usize = 1000;

/// Reads a file as TOML and looks at every key and every text in it, escapes undone. The parser bounds how deep it nests.
pub(crate) fn check(path: &str, text: &str) -> Result<Table, Problem> {
    if text.len() > FILE_BYTES_MAX {
        let mend = format!("a file has at most {FILE_BYTES_MAX} bytes");
        return Err(Problem::new(path, "file", "is too large", mend));
    }
    if let Some(c) = text.chars().find(|c| hides(*c)) {
        return Err(Problem::new(path, "file", seen(c), "remove it"));
    }
    let table = toml::from_str(text).map_err(|e| unread(path, text, &e))?;
    fields("", &table).map_err(|(field, why, mend)| Problem::new(path, field, why, mend))?;
    Ok(table)
}

/// What the parser says, on one line, with the line of the file.
pub(super) fn unread(path: &str, text: &str, e: &toml::de::Error) -> Problem {
    let line = e.span().map_or(0, |span| {
        let before = text.get(..span.start).unwrap_or_default();
        before.matches('\n').count().saturating_add(1)
    });
    let mend = "see standards/README.md for the shape";
    Problem::new(path, format!("line {line}"), e.message().replace('\n', " "), mend)
}

type Fault = (String, String, &'static str);

fn fields(at: &str, table: &Table) -> Result<(), Fault> {
    for (key, value) in table {
        text(at, key)?;
        let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        walk(&at, value)?;
    }
    Ok(())
}

fn walk(at: &str, value: &Value) -> Result<(), Fault> {
    match value {
        Value::String(value) => text(at, value),
        Value::Table(table) => fields(at, table),
        Value::Array(items) if items.len() > ITEMS_MAX => {
            Err((at.into(), format!("has more than {ITEMS_MAX} items"), "split the file"))
        }
        Value::Array(items) => {
            items.iter().zip(0_u32..).try_for_each(|(item, n)| walk(&format!("{at}[{n}]"), item))
        }
        Value::Float(_) => Err((at.into(), "is a float".into(), "write it as a decimal in quotes")),
        _ => Ok(()),
    }
}

fn text(at: &str, text: &str) -> Result<(), Fault> {
    if text.len() > TEXT_BYTES_MAX {
        return Err((at.into(), format!("has more than {TEXT_BYTES_MAX} bytes"), "say it shorter"));
    }
    match text.chars().find(|c| hides(*c)) {
        Some(c) => Err((at.into(), seen(c), "remove it")),
        None => Ok(()),
    }
}

fn seen(c: char) -> String {
    format!("holds U+{:04X}, which cannot be seen", u32::from(c))
}

/// Control characters other than line ends, and what turns, joins or fills text without being seen (Unicode TR36, the
/// default-ignorable code points).
pub(super) fn hides(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
