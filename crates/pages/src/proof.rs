//! What a browser needs to check a ledger for itself: a signed checkpoint, and of an entry the hashes that lead from it to the
//! checkpoint's root. The script compares with a key that the person pinned, and with what the same browser saw before.

use askama::Template;
use quorate_terms::Digest;

use crate::frame::local;
use crate::{Markup, outside};

/// What is to be proven.
pub struct Proof<'a> {
    /// The vault, under whose name the browser remembers what it pinned.
    pub vault: &'a str,
    /// The log's key as whoever serves the page says it is, in the form of a C2SP verifier key.
    pub log: &'a str,
    /// The checkpoint, a signed note.
    pub note: &'a str,
    /// The index of the entry whose text stands on the page as a [`crate::recompute`], and its inclusion proof.
    pub entry: Option<(u64, &'a [Digest])>,
    /// Where the page gets proofs that the ledger only grew: a path of the same origin that takes `from` and `to`.
    pub extends: &'a str,
}

#[derive(Template)]
#[template(path = "proof.html")]
struct Shown<'a> {
    shown: &'a Proof<'a>,
    extends: &'a str,
    hashes: String,
    log: Markup,
    note: Markup,
}

/// The place where the browser says what it found; without the script it says which command checks instead.
pub fn proof(shown: &Proof<'_>) -> Markup {
    let hashes = shown.entry.map(|(_, hashes)| hashes).unwrap_or_default();
    let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    Markup::of(&Shown {
        shown,
        extends: local(shown.extends),
        hashes: hashes.join(" "),
        log: outside(shown.log),
        note: crate::passkey::exact(shown.note),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_checkpoint_says_is_shown_exactly_and_never_as_markup() {
        let hostile = "\"><b>\u{202e}";
        let hashes = [Digest::ZERO, Digest::ZERO];
        let shown = proof(&Proof {
            vault: hostile,
            log: hostile,
            note: hostile,
            entry: Some((7, &hashes)),
            extends: "//evil.example",
        });
        assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains("evil"), "{shown}");
        for part in ["data-index=\"7\"", &format!("data-hashes=\"{0} {0}\"", Digest::ZERO)] {
            assert!(shown.as_str().contains(part), "{part}: {shown}");
        }
        let head = Proof { vault: "a", log: "b", note: "c", entry: None, extends: "/x" };
        assert!(!proof(&head).as_str().contains("data-index"));
    }
}
