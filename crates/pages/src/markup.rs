//! HTML that is safe to show. There is no way to make it from text without escaping.

use std::fmt;

use askama::{FastWritable, Template, Values, filters::HtmlSafe};

/// What stands in place of a part whose template failed: a gap that nobody sees would be worse.
const NOT_DRAWN: &str = "<p class=\"alert bad\" role=\"alert\">This part of the page could not be drawn. Reload the page; \
                         if it stays so, tell your operator.</p>";

/// A piece of a page, safe as it stands. It comes from a component of this crate, from a template, or from [`Markup::text`].
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Markup(String);

impl Markup {
    /// Words of our own, escaped. Text that others wrote goes through [`crate::outside()`].
    pub fn text(words: &str) -> Self {
        let mut out = String::with_capacity(words.len());
        words.chars().for_each(|letter| escape(letter, &mut out));
        Self(out)
    }

    /// Running words of our own, escaped: what stands between two backticks is code. A backtick without another stands as it is.
    pub fn running(words: &str) -> Self {
        let parts: Vec<&str> = words.split('`').collect();
        if parts.len().is_multiple_of(2) {
            return Self::text(words);
        }
        let part = |(at, part): (usize, &str)| match at.is_multiple_of(2) {
            true => Self::text(part),
            false => Self(format!("<code>{}</code>", Self::text(part))),
        };
        Self::all(parts.into_iter().enumerate().map(part))
    }

    /// What a template gives. The template must have the extension `html`, so that its values are escaped, and must not use
    /// the filter `safe`. If it fails, an alert that says so stands in its place.
    pub fn of(template: &impl Template) -> Self {
        Self(template.render().unwrap_or_else(|_| NOT_DRAWN.to_owned()))
    }

    /// Pieces one after the other.
    pub fn all(pieces: impl IntoIterator<Item = Self>) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// HTML that this crate has made itself.
    pub(crate) const fn made(html: String) -> Self {
        Self(html)
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Templates write it as it stands.
impl HtmlSafe for Markup {}

impl FastWritable for Markup {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}

/// Writes one character so that it can stand in text and in a quoted attribute.
pub(crate) fn escape(letter: char, out: &mut String) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(source = "<p>{{ words }}{{ part }}</p>", ext = "html")]
    struct Both<'a> {
        words: &'a str,
        part: Markup,
    }

    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    #[derive(Template)]
    #[template(source = "{{ inner }}", ext = "html")]
    struct Fails {
        inner: Broken,
    }

    #[test]
    fn a_template_escapes_text_and_keeps_markup() {
        let part = Markup::text("<i>\"'&");
        assert_eq!(part.as_str(), "&lt;i&gt;&quot;&#39;&amp;");
        let page = Markup::of(&Both { words: "<b>", part });
        assert_eq!(page.as_str(), "<p>&#60;b&#62;&lt;i&gt;&quot;&#39;&amp;</p>");
    }

    #[test]
    fn what_stands_between_two_backticks_of_running_words_is_code() {
        for (words, shown) in [
            (
                "run `a <b>` or `c`, then `d`",
                "run <code>a &lt;b&gt;</code> or <code>c</code>, then <code>d</code>",
            ),
            ("`a`", "<code>a</code>"),
            ("no < code", "no &lt; code"),
            ("one ` alone", "one ` alone"),
            ("`a` and ` alone", "`a` and ` alone"),
            ("", ""),
        ] {
            assert_eq!(Markup::running(words).as_str(), shown, "{words}");
        }
    }

    #[test]
    fn a_template_that_fails_is_seen() {
        assert!(Markup::of(&Fails { inner: Broken }).as_str().contains("could not be drawn"));
    }
}
