//! What a process says while it works: one event a line, on standard error only, with nothing in it that a terminal or
//! a log collector could take for anything but text.
//!
//! A subscriber of its own, because it must escape what comes from outside, and because it is a tenth of the usual one.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_terms::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::clock::Clock;
use crate::fault::Fault;

/// The longest value that is written, in characters.
const VALUE_MAX: usize = 2048;

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people: time, level, message, fields.
    #[default]
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// Sends this process's events to standard error, and makes a panic one line there.
///
/// `level` holds for our own crates; other crates are heard from `warn` on.
///
/// # Errors
/// [`Fault`] when it was done before.
pub fn start(format: Format, level: LevelFilter, clock: Arc<dyn Clock>) -> Result<(), Fault> {
    let lines = into(Box::new(std::io::stderr()), format, level, clock);
    tracing::subscriber::set_global_default(lines)
        .map_err(|_| Fault::new("telemetry", "was started before", "start it once, in main"))?;
    quiet_panics();
    Ok(())
}

/// The same lines, written elsewhere.
pub fn into(
    out: Box<dyn Write + Send>,
    format: Format,
    level: LevelFilter,
    clock: Arc<dyn Clock>,
) -> impl Subscriber + Send + Sync {
    Lines { format, level, clock, out: Mutex::new(out) }
}

/// A panic's message can quote what it failed on; where it happened is enough to find it.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place =
            info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(place, "a bug: this process panicked; report the place");
    }));
}

struct Lines {
    format: Format,
    level: LevelFilter,
    clock: Arc<dyn Clock>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with("quorate");
        let most = if ours { self.level } else { self.level.min(LevelFilter::WARN) };
        metadata.is_event() && *metadata.level() <= most
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        let at = self.clock.now();
        let line = match self.format {
            Format::Text => text_line(at, level, target, &fields),
            Format::Json => json_line(at, level, target, &fields),
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody listens any more there is nobody to tell.
        let _nobody_listens = out.write_all(line.as_bytes());
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

fn text_line(at: Timestamp, level: &str, target: &str, fields: &Fields) -> String {
    let mut line = format!("{} {level:5} {target}: {}", at.rfc3339(), safe(&fields.message));
    for (name, value) in &fields.others {
        let _infallible = write!(line, " {name}=\"{}\"", safe(value).replace('"', "\\\""));
    }
    line.push('\n');
    line
}

fn json_line(at: Timestamp, level: &str, target: &str, fields: &Fields) -> String {
    let others = fields.others.iter().map(|(name, value)| ((*name).to_owned(), safe(value).into()));
    let mut object: serde_json::Map<String, serde_json::Value> = others.collect();
    object.insert("at".to_owned(), at.rfc3339().into());
    object.insert("level".to_owned(), level.into());
    object.insert("target".to_owned(), target.into());
    object.insert("message".to_owned(), safe(&fields.message).into());
    let mut line = serde_json::Value::Object(object).to_string();
    line.push('\n');
    line
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.others.push((field.name(), value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// Text that stays one line and moves nothing on a screen: control characters, line and paragraph separators, and
/// characters that change the direction of writing are escaped, and the length is bounded.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count >= VALUE_MAX {
            out.push('…');
            break;
        }
        if is_unsafe(c) {
            let _infallible = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\\')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use proptest::prelude::*;

    #[derive(Clone, Default)]
    struct Caught(Arc<Mutex<Vec<u8>>>);

    impl Write for Caught {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn caught(format: Format, work: impl FnOnce()) -> String {
        let caught = Caught::default();
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(7)));
        let lines = into(Box::new(caught.clone()), format, LevelFilter::INFO, clock);
        tracing::subscriber::with_default(lines, work);
        String::from_utf8(caught.0.lock().unwrap().clone()).unwrap()
    }

    const EVIL: &str = "a\nERROR forged\r\u{1b}[31mred\u{202e}drawkcab\u{2028}x\u{7}|CEF:0";

    #[test]
    fn row_45_newlines_escapes_and_bidi_stay_inside_one_line() {
        for format in [Format::Text, Format::Json] {
            let line = caught(format, || tracing::info!(memo = EVIL, shown = ?EVIL, "{}", EVIL));
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert!(line.ends_with('\n'));
            let inside = line.trim_end_matches('\n');
            assert!(!inside.chars().any(|c| c != '\\' && is_unsafe(c)), "{line:?}");
        }
        let line = caught(Format::Json, || tracing::info!(memo = EVIL, "m"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["at"], &value["message"]),
            (&"1970-01-01T00:00:00.007Z".into(), &"m".into())
        );
    }

    /// The fields of a line for people, as a collector reads them: a name, and all up to a quote that is not escaped.
    fn fields(line: &str) -> Vec<(String, String)> {
        let (mut found, mut rest) = (Vec::new(), line.trim_end());
        while let Some((before, after)) = rest.split_once("=\"") {
            let name = before.rsplit(' ').next().unwrap().to_owned();
            let (mut value, mut letters) = (String::new(), after.char_indices());
            let end = loop {
                match letters.next().unwrap() {
                    (_, '\\') => value.extend(letters.next().map(|(_, letter)| letter)),
                    (at, '"') => break at,
                    (_, letter) => value.push(letter),
                }
            };
            found.push((name, value));
            rest = after.get(end.saturating_add(1)..).unwrap_or_default();
        }
        found
    }

    #[test]
    fn row_45_a_quote_in_a_value_forges_no_other_field() {
        for forged in [
            r#"x" role="admin"#,
            r#"x\" role="admin"#,
            r#"x\\" role="admin" y="z"#,
            r#"x","role":"admin"#,
            r#"" role="admin"#,
        ] {
            let line = caught(Format::Text, || tracing::info!(memo = forged, kept = "yes", "m"));
            let names: Vec<String> = fields(&line).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["memo", "kept"], "{line}");
            let line = caught(Format::Json, || tracing::info!(memo = forged, kept = "yes", "m"));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            let mut names: Vec<&String> = value.as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, ["at", "kept", "level", "memo", "message", "target"], "{line}");
        }
    }

    #[test]
    fn levels_and_foreign_crates_are_filtered() {
        let text = caught(Format::Text, || {
            tracing::debug!("too fine");
            tracing::info!(target: "sqlx::query", "chatter");
            tracing::warn!(target: "sqlx::query", "trouble");
            tracing::info!(target: "quorate_desk", count = 3, "kept");
        });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "1970-01-01T00:00:00.007Z WARN  sqlx::query: trouble",
                "1970-01-01T00:00:00.007Z INFO  quorate_desk: kept count=\"3\""
            ]
        );
    }

    proptest! {
        #[test]
        fn safe_text_is_one_bounded_line(text in "(?s).{0,300}") {
            let shown = safe(&text);
            prop_assert!(!shown.chars().any(|c| c != '\\' && is_unsafe(c)));
        }
    }
}
