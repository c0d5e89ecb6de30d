//! Outside text made safe to show, and moments written for people.

use quorate_terms::Timestamp;

/// Whether a character shows nothing, moves others about, or stands for a break that a form must not take.
const fn hides(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with every hidden character written out, so that what is read is what is there. Breaks of lines and tabs
/// become one space.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if hides(c) => out.push_str(&format!("[U+{:04X}]", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// For HTML, in text and in quoted attributes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A literal of Typst. Outside text reaches the compiler in no other form, so that it is never markup. Words of more than
/// `run` characters get places at which a line may break.
pub fn typst(text: &str, run: usize) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    let mut length = 0_usize;
    for c in plain(text).chars() {
        length = if c.is_whitespace() || c == '-' { 0 } else { length.saturating_add(1) };
        if length > run {
            out.push_str("\\u{200b}");
            length = 1;
        }
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A moment, to the second, in UTC.
pub fn moment(at: Timestamp) -> String {
    at.written("%Y-%m-%d %H:%M:%S UTC")
}

/// A day, in UTC.
pub fn day(at: Timestamp) -> String {
    at.written("%Y-%m-%d")
}

/// `one control`, `3 controls`.
pub fn count(many: u64, one: &str, more: &str) -> String {
    if many == 1 { format!("one {one}") } else { format!("{many} {more}") }
}

/// At most so many characters, with a sign where some were left out.
pub fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
