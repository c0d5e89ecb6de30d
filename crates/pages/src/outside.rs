//! Text from outside: memos, labels, names of tokens. It is shown whole, and so that it cannot pass for anything else.
//!
//! Threats: markup, text that runs backwards, letters that cannot be seen, letters of another script that look alike, marks piled
//! up over other lines. What remains: letters of scripts beyond those of [`LATIN_LIKE`], in a word wholly of that script.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use unicode_script::{Script, UnicodeScript as _};

use crate::markup::{Markup, escape};

/// Marks over one letter that are drawn; more would run into other lines.
const MARKS_MAX: usize = 2;

/// First and last of each run of characters that draw nothing, reorder what is drawn, or look like the common space.
const HIDDEN: [(char, char); 39] = [
    ('\u{a0}', '\u{a0}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1345f}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{3ffff}'),
    ('\u{4fffe}', '\u{4ffff}'),
    ('\u{5fffe}', '\u{5ffff}'),
    ('\u{6fffe}', '\u{6ffff}'),
    ('\u{7fffe}', '\u{7ffff}'),
    // Tags, variation selectors, private planes: from here on nothing is a letter.
    ('\u{e0000}', '\u{10ffff}'),
];

/// Letters and digits in another dress that many fonts draw like the plain ones: mathematical, full width.
const DISGUISED: [(char, char); 4] = [
    ('\u{ff10}', '\u{ff19}'),
    ('\u{ff21}', '\u{ff3a}'),
    ('\u{ff41}', '\u{ff5a}'),
    ('\u{1d400}', '\u{1d7ff}'),
];

/// Cyrillic and Greek letters that are drawn like Latin ones. A word of nothing else is likely meant to be taken for Latin.
const LATIN_LIKE: &str = "АВЕЅІЈКМНОРСТУХҮԚԜаеѕіјорсухһӏԁԛԝүΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυ";
/// Letters from which on such a word is named; shorter ones are common words.
const LATIN_LIKE_MIN: usize = 3;

/// Text from outside as a part of a page: escaped, apart from the direction of what stands around it, with hidden characters as
/// code points and a warning at each word that mixes scripts or looks like another one. Nothing is cut.
pub fn outside(text: &str) -> Markup {
    let mut out = String::from("<bdi class=\"outside\">");
    if text.is_empty() {
        out.push_str("<span class=\"soft\">(empty)</span>");
    }
    for word in text.split_inclusive(char::is_whitespace) {
        for seen in seen(word) {
            match seen {
                Seen::Plain(letter) => escape(letter, &mut out),
                Seen::Hidden(letter) => spell_marked(letter, &mut out),
            }
        }
        warn(word, &mut out);
    }
    out.push_str("</bdi>");
    Markup::made(out)
}

/// The same as plain text, for a title or an attribute: hidden characters stand as code points such as `⟨U+202E⟩`. Not escaped.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for seen in seen(text) {
        match seen {
            Seen::Plain(letter) => out.push(letter),
            Seen::Hidden(letter) => spell(letter, &mut out),
        }
    }
    out
}

/// Whether a character is one that a reader would not see as what it is.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || is_within(letter, &HIDDEN)
        || is_within(letter, &DISGUISED)
        || letter.script() == Script::Unknown
}

fn is_within(letter: char, runs: &[(char, char)]) -> bool {
    runs.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// A character, and whether it can be drawn.
enum Seen {
    Plain(char),
    Hidden(char),
}

fn seen(text: &str) -> impl Iterator<Item = Seen> {
    // A mark needs a letter to stand on, so a text begins as if there were too many already.
    let mut marks = MARKS_MAX;
    text.chars().map(move |letter| {
        let is_mark = letter.script() == Script::Inherited;
        marks = match (is_hidden(letter), is_mark) {
            (true, _) => MARKS_MAX,
            (false, true) => marks.saturating_add(1),
            (false, false) => 0,
        };
        let is_shown = !is_hidden(letter) && marks <= MARKS_MAX;
        if is_shown { Seen::Plain(letter) } else { Seen::Hidden(letter) }
    })
}

fn spell(letter: char, out: &mut String) {
    let _ = write!(out, "⟨U+{:04X}⟩", u32::from(letter));
}

fn spell_marked(letter: char, out: &mut String) {
    let _ = write!(out, "<span class=\"hidden-char\" title=\"{}\">", name(letter));
    spell(letter, out);
    out.push_str("</span>");
}

/// What a hidden character does, in words.
pub(crate) fn name(letter: char) -> &'static str {
    match letter {
        '\n' => "line feed",
        '\r' => "carriage return",
        '\t' => "tabulator",
        '\u{a0}' => "space that does not break",
        '\u{ad}' => "soft hyphen",
        '\u{200b}' => "space without width",
        '\u{200c}' | '\u{200d}' => "joiner without width",
        '\u{61c}' | '\u{200e}' | '\u{200f}' => "mark of direction",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "changes the direction of text",
        '\u{feff}' => "byte order mark",
        '\u{e0000}'..='\u{e007f}' => "invisible tag",
        other if other.is_control() => "control character",
        other if other.is_whitespace() => "unusual space",
        other if is_within(other, &DISGUISED) => "letter or digit in disguise",
        other if other.script() == Script::Inherited => "mark beyond the second on one letter",
        _ => "character that cannot be seen",
    }
}

fn warn(word: &str, out: &mut String) {
    let scripts = scripts(word);
    let names: Vec<&str> = scripts.iter().copied().collect();
    let names = names.join(", ").replace('_', " ");
    let warning = if !is_usual(&scripts) {
        format!("mixes scripts: {names}")
    } else if looks_latin(word) {
        format!("looks Latin, is {names}")
    } else {
        return;
    };
    let _ = write!(out, " <span class=\"badge warn\">{warning}</span> ");
}

/// Whether every letter of a word is one that is drawn like a Latin letter and is none.
fn looks_latin(word: &str) -> bool {
    let letters = || word.chars().filter(|letter| letter.is_alphabetic());
    letters().count() >= LATIN_LIKE_MIN && letters().all(|letter| LATIN_LIKE.contains(letter))
}

/// The names of a word's scripts, without what all scripts share.
fn scripts(word: &str) -> BTreeSet<&'static str> {
    let shared = [Script::Common, Script::Inherited, Script::Unknown];
    let scripts = word.chars().filter(|letter| !is_hidden(*letter)).map(|letter| letter.script());
    scripts.filter(|script| !shared.contains(script)).map(Script::full_name).collect()
}

/// One script, or those that one language writes together (UTS 39, section 5.1).
fn is_usual(scripts: &BTreeSet<&'static str>) -> bool {
    let together: [&[&str]; 3] =
        [&["Han", "Hiragana", "Katakana"], &["Han", "Bopomofo"], &["Han", "Hangul"]];
    let within = |set: &&[&str]| scripts.iter().all(|script| set.contains(script));
    scripts.len() <= 1 || together.iter().any(within)
}

#[cfg(test)]
mod tests;
