//! What a command shows: warnings first, then rows of label and text, the same words with and without colour, and the same
//! facts as one JSON document.

use quorate_host::telemetry::safe;
use quorate_host::ui::{Tone, Ui};
use quorate_terms::Digest;
use quorate_terms::digest::tag;
use serde_json::{Value, json};

/// Characters that are made safe at once; below the length at which `safe` cuts.
const PIECE: usize = 1024;

/// One answer.
pub(crate) struct Screen {
    title: String,
    warnings: Vec<String>,
    rows: Vec<(String, String, Option<Tone>)>,
    after: String,
    verbatim: Option<String>,
    /// The same for programs.
    pub(crate) json: Value,
}

impl Screen {
    /// An empty answer under a heading.
    pub(crate) fn new(title: impl AsRef<str>) -> Self {
        Self {
            title: safe(title.as_ref()),
            warnings: Vec::new(),
            rows: Vec::new(),
            after: String::new(),
            verbatim: None,
            json: Value::Null,
        }
    }

    /// Something that must not be overlooked. Text from outside is made safe here and in every row.
    pub(crate) fn warn(&mut self, text: impl AsRef<str>) {
        self.warnings.push(whole(text.as_ref()));
    }

    /// A row.
    pub(crate) fn row(&mut self, label: &str, text: impl AsRef<str>) {
        self.rows.push((safe(label), whole(text.as_ref()), None));
    }

    /// A row whose text has a colour.
    pub(crate) fn toned(&mut self, label: &str, text: impl AsRef<str>, tone: Tone) {
        self.rows.push((safe(label), whole(text.as_ref()), Some(tone)));
    }

    /// Lines below the rows, made safe by whoever made them (a [`quorate_host::ui::Table`] is).
    pub(crate) fn below(&mut self, lines: impl std::fmt::Display) {
        self.after = lines.to_string();
    }

    /// Nothing but this text, made safe by whoever made it: a shell's completions, findings.
    pub(crate) fn verbatim(&mut self, text: String) {
        self.verbatim = Some(text);
    }

    /// The words without colour: what an approver signs to have seen.
    pub(crate) fn words(&self) -> String {
        self.written(|_, word| word.to_owned())
    }

    /// What must not be overlooked.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Every row: label and text.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|(label, text, _)| (label.as_str(), text.as_str()))
    }

    /// Digest of [`Screen::words`].
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(tag::DISPLAY, self.words().as_bytes())
    }

    /// The words as this terminal shows them.
    pub(crate) fn text(&self, ui: &Ui) -> String {
        // Made safe above: `tone` would escape the escapes, and cut what is long.
        let plain = |word: &str| word.contains('\\') || word.len() > PIECE;
        self.written(|tone, word| if plain(word) { word.to_owned() } else { ui.tone(tone, word) })
    }

    /// Warnings, rows and the JSON of the command, as one document.
    pub(crate) fn document(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|(label, text, _)| json!({ "label": label, "text": text }))
            .collect();
        let mut document = json!({ "title": self.title, "warnings": self.warnings, "rows": rows });
        if let (Some(into), Value::Object(from)) = (document.as_object_mut(), &self.json) {
            into.extend(from.clone());
        }
        document
    }

    fn written(&self, tone: impl Fn(Tone, &str) -> String) -> String {
        if let Some(text) = &self.verbatim {
            return text.clone();
        }
        let mut text = format!("{}\n", tone(Tone::Strong, &self.title));
        for warning in &self.warnings {
            text.push_str(&format!("! {}\n", tone(Tone::Bad, warning)));
        }
        let width = self.rows.iter().map(|(label, ..)| label.chars().count()).max().unwrap_or(0);
        for (label, row, colour) in &self.rows {
            let label = format!("{label:width$}");
            let row = colour.map_or_else(|| row.clone(), |colour| tone(colour, row));
            text.push_str(&format!("  {}  {row}\n", tone(Tone::Faint, &label)));
        }
        if !self.after.is_empty() {
            text.push_str(&format!("\n{}", self.after));
        }
        text
    }
}

/// Text made safe, all of it: what an approver signs for is never cut short.
fn whole(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(PIECE).map(|piece| safe(&piece.iter().collect::<String>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_45_text_from_outside_can_neither_move_the_cursor_nor_turn_the_writing() {
        let mut screen = Screen::new("case \u{1b}[2J");
        screen.row("memo", "pay\u{202e}0x\u{7}\r\nto  0xattacker");
        screen.warn("look\u{200b}alike\u{1b}[1A");
        let words = screen.words();
        assert!(!words.chars().any(|c| c.is_control() && c != '\n'), "{words:?}");
        assert!(!words.contains('\u{202e}') && !words.contains('\u{200b}'), "{words:?}");
        assert_eq!(words.lines().count(), 3, "{words:?}");
        assert_eq!(screen.text(&Ui::new(false, true)), words);
    }

    #[test]
    fn a_long_text_is_shown_to_its_end() {
        let mut screen = Screen::new("case");
        screen.row("rule", format!("{}end", "x".repeat(10_000)));
        assert!(screen.words().contains("xend"));
    }

    #[test]
    fn what_is_signed_to_have_been_seen_changes_with_every_word() {
        let of = |text: &str| {
            let mut screen = Screen::new("case");
            screen.row("to", text);
            screen.digest()
        };
        assert_eq!(of("0xa"), of("0xa"));
        assert_ne!(of("0xa"), of("0xb"));
    }
}
