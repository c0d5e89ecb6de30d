//! The page around everything: a complete HTML document without a line of inline script or style.

use askama::Template;

use crate::assets::{self, Asset};
use crate::{Markup, Tone, outside, visible};

/// One way to another page.
pub struct Link {
    /// A path of the same origin, beginning with `/`. Anything else leads nowhere.
    pub href: String,
    /// What it is called.
    pub label: String,
    /// Whether it is the page shown.
    pub is_here: bool,
}

/// Something to know before reading on.
pub struct Alert {
    /// How serious.
    pub tone: Tone,
    /// One or two sentences, with what to do next. Text from outside may stand in it.
    pub text: String,
}

/// A page.
pub struct Frame {
    /// What the page is about: the one heading of the first rank, and the name of the window.
    pub title: String,
    /// Who speaks, such as "Approvals view".
    pub product: String,
    /// Which vault, or whose view. Where it is empty, nothing stands in its place.
    pub party: String,
    /// The ways to other pages.
    pub nav: Vec<Link>,
    /// What stands above the body.
    pub alerts: Vec<Alert>,
    /// The page itself, without a heading of the first rank.
    pub body: Markup,
    /// Whether somebody is signed in, who may then sign out from every page (`POST /sign-out`).
    pub is_signed_in: bool,
    /// Where events come from that say `changed`; the page then brings itself up to date. A path of the same origin.
    pub live: Option<String>,
}

impl Frame {
    /// A page with nothing around its body yet: no party, no ways on, nothing above it.
    pub fn bare(product: &str, title: &str, body: Markup) -> Self {
        Self {
            title: title.to_owned(),
            product: product.to_owned(),
            party: String::new(),
            nav: Vec::new(),
            alerts: Vec::new(),
            body,
            is_signed_in: false,
            live: None,
        }
    }
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Document<'a> {
    frame: &'a Frame,
    title: String,
    party: Markup,
    alerts: Vec<(Tone, Markup)>,
    style: Option<&'static Asset>,
    icon: Option<&'static Asset>,
    scripts: Vec<&'static Asset>,
}

impl Frame {
    /// The whole document. Send it as `text/html; charset=utf-8` with [`crate::headers()`].
    pub fn render(&self) -> String {
        let named = |name: &str| assets::assets().iter().find(|asset| asset.name == name);
        let document = Document {
            frame: self,
            title: visible(&self.title),
            party: outside(&self.party),
            alerts: self.alerts.iter().map(|each| (each.tone, outside(&each.text))).collect(),
            style: named("style.css"),
            icon: named("icon.svg"),
            scripts: ["passkey.js", "live.js", "proof.js"].into_iter().filter_map(named).collect(),
        };
        Markup::of(&document).to_string()
    }
}

/// A path of the same origin, or nowhere.
pub(crate) fn local(href: &str) -> &str {
    let is_local = href.starts_with('/') && !href.starts_with("//") && !href.contains('\\');
    if is_local { href } else { "#" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let hostile = "\"><script>'\u{202e}";
        Frame {
            title: hostile.to_owned(),
            product: hostile.to_owned(),
            party: hostile.to_owned(),
            nav: vec![Link { href: "/a".to_owned(), label: hostile.to_owned(), is_here: true }],
            alerts: vec![Alert { tone: Tone::Bad, text: hostile.to_owned() }],
            body: Markup::text("body"),
            is_signed_in: true,
            live: Some("/live\"><script>".to_owned()),
        }
    }

    #[test]
    fn a_page_has_one_heading_one_main_and_its_landmarks() {
        let page = frame().render();
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{page}");
        for (piece, times) in [
            ("<h1", 1),
            ("<main", 1),
            ("<header", 1),
            ("<nav", 1),
            ("<footer", 1),
            ("class=\"skip\"", 1),
            ("aria-current=\"page\"", 1),
            ("<script src=\"/assets/", 3),
            ("integrity=\"sha384-", 4),
            ("crossorigin=\"anonymous\"", 4),
        ] {
            assert_eq!(page.matches(piece).count(), times, "{piece}\n{page}");
        }
    }

    #[test]
    fn a_page_holds_no_inline_script_or_style_whatever_it_is_given() {
        let page = frame().render();
        assert_eq!(page.matches("<script").count(), page.matches("<script src=").count());
        for piece in ["<style", " style=", "javascript:", "\u{202e}", " onload"] {
            assert!(!page.contains(piece), "{piece}\n{page}");
        }
    }

    #[test]
    fn a_link_leads_nowhere_but_to_the_same_origin() {
        for (href, there) in [
            ("/a?b=c", "/a?b=c"),
            ("//evil.example", "#"),
            ("/\\evil.example", "#"),
            ("javascript:alert(1)", "#"),
            ("https:evil", "#"),
            ("", "#"),
        ] {
            assert_eq!(local(href), there);
        }
    }

    #[test]
    fn whoever_is_signed_in_and_nobody_else_may_sign_out_beside_the_name_of_the_page() {
        let out = "<form method=\"post\" action=\"/sign-out\">";
        assert!(frame().render().split("</header>").next().is_some_and(|top| top.contains(out)));
        let stranger = Frame { is_signed_in: false, ..frame() };
        assert!(!stranger.render().contains("sign-out"));
    }

    #[test]
    fn a_page_of_no_party_says_nothing_in_its_place() {
        assert_eq!(frame().render().matches("class=\"party\"").count(), 1);
        let bare = Frame::bare("Approvals view", "Refused", Markup::text("body")).render();
        assert!(!bare.contains("(empty)") && !bare.contains("class=\"party\""), "{bare}");
        assert!(bare.contains("<footer><p>Approvals view</p></footer>"), "{bare}");
    }

    #[test]
    fn only_a_live_page_listens() {
        assert!(frame().render().contains("<body data-live=\"/live&#34;"));
        let still = Frame { live: None, ..frame() };
        assert!(still.render().contains("<body>"));
    }
}
