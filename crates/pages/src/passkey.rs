//! Forms that ask for a passkey (WebAuthn Level 3), and the text whose digest the browser computes again.
//!
//! `passkey.js` fills the fields. What the server gets back are these names, each base64url without padding: for both forms
//! `credential_id`, `authenticator_data`, `client_data`; for [`GetPasskey`] also `signature` and `user_handle` (may be empty);
//! for [`CreatePasskey`] also `public_key` (SPKI, DER). The script comes from whoever serves the page, so it guards against
//! mistakes and against the network, and never against that server.

use std::fmt::Write as _;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use crate::frame::local;
use crate::markup::{Markup, escape};
use crate::outside::{is_hidden, name};

/// What pressing a button means. The looks differ by fill, edge and sign, and not by colour alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    /// What the page is for.
    Main,
    /// A yes.
    Yes,
    /// A no, or an end.
    No,
    /// Something beside what the page is for.
    Aside,
}

impl Press {
    /// The class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Yes => "yes",
            Self::No => "stop",
            Self::Aside => "second",
        }
    }
}

/// A form that is sent with a passkey's signature over a challenge.
pub struct GetPasskey<'a> {
    /// Where the form goes: a path of the same origin. It is sent with POST.
    pub action: &'a str,
    /// What the passkey signs.
    pub challenge: &'a [u8],
    /// The domain that the passkeys are for.
    pub rp_id: &'a str,
    /// Credential ids that may answer; with none, any passkey of the domain may.
    pub allow: &'a [Vec<u8>],
    /// How long the browser waits, in milliseconds.
    pub timeout_ms: u32,
    /// Whether the form waits until every [`recompute`] of the page came out the same. Without one on the page it waits for ever.
    pub needs_recompute: bool,
    /// Further fields, as a template of the caller gives them.
    pub fields: Markup,
    /// The words on the button.
    pub button: &'a str,
}

#[derive(Template)]
#[template(path = "get.html")]
struct GetForm<'a> {
    form: &'a GetPasskey<'a>,
    press: &'static str,
    challenge: String,
    allow: String,
}

impl GetPasskey<'_> {
    /// The form.
    pub fn render(&self) -> Markup {
        self.render_as(Press::Main)
    }

    /// The form, its button with another meaning.
    pub fn render_as(&self, press: Press) -> Markup {
        let ids: Vec<String> = self.allow.iter().map(|id| BASE64URL.encode(id)).collect();
        let challenge = BASE64URL.encode(self.challenge);
        Markup::of(&GetForm { form: self, press: press.class(), challenge, allow: ids.join(" ") })
    }
}

/// A form that is sent with a new passkey: ES256, with the person verified, without attestation.
pub struct CreatePasskey<'a> {
    /// Where the form goes: a path of the same origin. It is sent with POST.
    pub action: &'a str,
    /// What the new passkey's client data must name.
    pub challenge: &'a [u8],
    /// The domain that the passkey is for.
    pub rp_id: &'a str,
    /// What the browser calls that domain.
    pub rp_name: &'a str,
    /// Who it is for: at most 64 bytes, nothing personal.
    pub user_id: &'a [u8],
    /// What the browser calls that person.
    pub user_name: &'a str,
    /// Credential ids that the device may not have already.
    pub exclude: &'a [Vec<u8>],
    /// How long the browser waits, in milliseconds.
    pub timeout_ms: u32,
    /// Further fields, as a template of the caller gives them.
    pub fields: Markup,
    /// The words on the button.
    pub button: &'a str,
}

#[derive(Template)]
#[template(path = "create.html")]
struct CreateForm<'a> {
    form: &'a CreatePasskey<'a>,
    challenge: String,
    user_id: String,
    exclude: String,
}

impl CreatePasskey<'_> {
    /// The form.
    pub fn render(&self) -> Markup {
        let ids: Vec<String> = self.exclude.iter().map(|id| BASE64URL.encode(id)).collect();
        Markup::of(&CreateForm {
            form: self,
            challenge: BASE64URL.encode(self.challenge),
            user_id: BASE64URL.encode(self.user_id),
            exclude: ids.join(" "),
        })
    }
}

#[derive(Template)]
#[template(path = "recompute.html")]
struct Recompute<'a> {
    tag: &'a str,
    expected: &'a str,
    exact: Markup,
}

#[derive(Template)]
#[template(path = "hidden.html")]
struct Hidden<'a> {
    fields: &'a [(&'a str, &'a str)],
}

/// Fields of a form that nobody sees, by name and value.
pub fn hidden(fields: &[(&str, &str)]) -> Markup {
    Markup::of(&Hidden { fields })
}

#[derive(Template)]
#[template(path = "form.html")]
struct Form<'a> {
    action: &'a str,
    press: &'static str,
    fields: Markup,
    button: &'a str,
    uploads: bool,
}

/// A form with one button. It goes to a path of the same origin, with POST.
pub fn form(action: &str, fields: Markup, button: &str) -> Markup {
    form_as(Press::Main, action, fields, button)
}

/// The same, its button with another meaning.
pub fn form_as(press: Press, action: &str, fields: Markup, button: &str) -> Markup {
    let (action, press) = (local(action), press.class());
    Markup::of(&Form { action, press, fields, button, uploads: false })
}

/// A form with one button whose fields may be files: it is sent as `multipart/form-data`.
pub fn upload_form(action: &str, fields: Markup, button: &str) -> Markup {
    let (action, press) = (local(action), Press::Main.class());
    Markup::of(&Form { action, press, fields, button, uploads: true })
}

#[derive(Template)]
#[template(path = "link.html")]
struct Anchor<'a> {
    href: &'a str,
    name: &'a str,
    words: &'a str,
}

/// A link to a page of the same origin.
pub fn link(href: &str, words: &str) -> Markup {
    Markup::of(&Anchor { href: local(href), name: "", words })
}

/// The same with few words, and a whole name for those who listen. The words must stand in the name as they are.
pub fn link_named(href: &str, words: &str, name: &str) -> Markup {
    Markup::of(&Anchor { href: local(href), name, words })
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodeForm<'a> {
    action: &'a str,
}

/// Asks for an enrolment code (`code`) and the name of a new passkey (`credential`), with POST: no address shows a code.
pub fn code_form(action: &str) -> Markup {
    Markup::of(&CodeForm { action })
}

/// A text with the digest that it should have, in hexadecimal. The browser hashes `tag`, a newline and the text, and says whether
/// that is the digest. The text stands exactly; hidden characters are made visible beside themselves, so a copy is exact too.
pub fn recompute(tag: &str, expected: &str, text: &str) -> Markup {
    Markup::of(&Recompute { tag, expected, exact: exact(text) })
}

/// The text itself as markup. Each hidden character keeps to a box of its own, which the style sheet labels.
pub(crate) fn exact(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len());
    if text.starts_with('\n') {
        // A parser drops a newline right after `<pre>`.
        out.push('\n');
    }
    for letter in text.chars() {
        match letter {
            '\n' => out.push('\n'),
            hidden if is_hidden(hidden) => {
                let (code, why) = (u32::from(hidden), name(hidden));
                // As a reference, because a parser turns a bare carriage return into a newline.
                let _ = write!(
                    out,
                    "<bdi class=\"hidden-char\" data-code=\"⟨U+{code:04X}⟩\" title=\"{why}\">&#{code};</bdi>"
                );
            }
            plain => escape(plain, &mut out),
        }
    }
    Markup::made(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_to_the_browser_as_base64url_without_padding() {
        let form = GetPasskey {
            action: "/approve\"><b>",
            challenge: &[0xfb, 0xff],
            rp_id: "localhost",
            allow: &[vec![1], vec![0xff, 0xff, 0xfe]],
            timeout_ms: 60_000,
            needs_recompute: true,
            fields: Markup::text("<i>"),
            button: "Approve <b>",
        };
        let shown = form.render();
        for piece in [
            "data-passkey=\"get\"",
            "data-challenge=\"-_8\"",
            "data-allow=\"AQ ___-\"",
            "data-rp-id=\"localhost\"",
            "data-timeout-ms=\"60000\"",
            "data-needs-recompute",
            "disabled",
        ] {
            assert!(shown.as_str().contains(piece), "{piece}: {shown}");
        }
        assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains("<i>"), "{shown}");
    }

    #[test]
    fn a_link_of_few_words_has_its_whole_name_for_those_who_listen() {
        let shown = link_named("/roc.pdf", "PDF", "Report \"<b>, PDF");
        assert!(shown.as_str().contains(" aria-label=\"Report "), "{shown}");
        assert!(shown.as_str().ends_with(">PDF</a>") && !shown.as_str().contains("<b>"), "{shown}");
        assert_eq!(link("/a", "A").as_str(), "<a href=\"/a\">A</a>");
    }

    #[test]
    fn a_new_passkey_is_asked_for_by_id_and_name() {
        let form = CreatePasskey {
            action: "/enrol",
            challenge: b"challenge",
            rp_id: "localhost",
            rp_name: "Vault \"<b>\"",
            user_id: &[1, 2, 3],
            user_name: "<b>",
            exclude: &[vec![0]],
            timeout_ms: 1,
            fields: Markup::default(),
            button: "Enrol",
        };
        let shown = form.render();
        for piece in [
            "data-passkey=\"create\"",
            "data-user-id=\"AQID\"",
            "data-exclude=\"AA\"",
            "name=\"public_key\"",
        ] {
            assert!(shown.as_str().contains(piece), "{piece}: {shown}");
        }
        assert!(!shown.as_str().contains("<b>"), "{shown}");
    }

    #[test]
    fn the_text_to_hash_stands_exactly_and_hides_nothing() {
        for (text, html) in [
            ("{\"a\":1}", "{&quot;a&quot;:1}"),
            ("\nx", "\n\nx"),
            ("</pre>", "&lt;/pre&gt;"),
            (
                "a\u{202e}b",
                "a<bdi class=\"hidden-char\" data-code=\"⟨U+202E⟩\" title=\"changes the direction of text\">&#8238;</bdi>b",
            ),
            (
                "\r",
                "<bdi class=\"hidden-char\" data-code=\"⟨U+000D⟩\" title=\"carriage return\">&#13;</bdi>",
            ),
        ] {
            assert_eq!(exact(text).as_str(), html);
        }
    }
}
