//! Parts of a page that hold text: sections with a heading, paragraphs and text as it stands.

use askama::Template;

use crate::Markup;

#[derive(Template)]
#[template(path = "section.html")]
struct Section<'a> {
    title: &'a str,
    inside: Markup,
}

/// A part of a page under a heading of the second rank.
pub fn section(title: &str, inside: Markup) -> Markup {
    Markup::of(&Section { title, inside })
}

#[derive(Template)]
#[template(path = "paragraph.html")]
struct Paragraph {
    inside: Markup,
}

/// A paragraph.
pub fn paragraph(inside: Markup) -> Markup {
    Markup::of(&Paragraph { inside })
}

#[derive(Template)]
#[template(path = "code_block.html")]
struct CodeBlock<'a> {
    label: &'a str,
    text: Markup,
}

/// Text as it stands, line by line, such as a query. It may come from outside.
pub fn code_block(label: &str, text: &str) -> Markup {
    let lines = text.lines().flat_map(|line| [crate::outside(line), Markup::text("\n")]);
    Markup::of(&CodeBlock { label, text: Markup::all(lines) })
}

/// A word of a command line that somebody copies, quoted where a POSIX shell would read something else. It may come from outside.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/@:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_command_stays_one_word_whatever_it_holds() {
        for (text, word) in [
            ("ann", "ann"),
            ("http://localhost:7420/x_y-z.json", "http://localhost:7420/x_y-z.json"),
            ("", "''"),
            ("two words", "'two words'"),
            ("a'b", "'a'\\''b'"),
            ("'; rm -rf ~ #", "''\\''; rm -rf ~ #'"),
            ("$(x)`y`\\", "'$(x)`y`\\'"),
            ("ä", "'ä'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn titles_labels_and_text_are_escaped() {
        let hostile = "\"><b>'&\u{202e}";
        for part in [section(hostile, Markup::text("x")), code_block(hostile, hostile)] {
            assert!(!part.as_str().contains("<b>") && !part.as_str().contains("=\"\">"), "{part}");
        }
        assert!(!code_block("a", "one\ntwo").as_str().contains("U+000A"));
        assert!(!code_block("a", hostile).as_str().contains('\u{202e}'));
        assert_eq!(paragraph(Markup::text("<")).as_str().trim(), "<p>&lt;</p>");
    }
}
