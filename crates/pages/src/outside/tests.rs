use proptest::prelude::*;

use super::*;

const BIDI: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// What stands between the outermost tags.
fn inner(text: &str) -> String {
    let all = outside(text).as_str().to_owned();
    let rest = all.strip_prefix("<bdi class=\"outside\">").unwrap();
    rest.strip_suffix("</bdi>").unwrap().to_owned()
}

/// The text without the tags that `outside` writes.
fn without_tags(html: &str) -> String {
    let mut pieces = html.split("<span class=\"hidden-char\" title=\"");
    let mut rest = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (title, after) = piece.split_once("\">").unwrap();
        assert!(title.chars().all(|c| c.is_ascii_lowercase() || c == ' '), "{title}");
        rest.push_str(after);
    }
    for tag in ["<span class=\"badge warn\">", "<span class=\"soft\">", "</span>"] {
        rest = rest.replace(tag, "");
    }
    rest
}

#[test]
fn hostile_text_is_shown_as_what_it_is() {
    for (text, shown) in [
        ("rent for May", "rent for May"),
        (
            "Zürich, Łódź, Ελλάδα, Москва, 東京タワー, 서울",
            "Zürich, Łódź, Ελλάδα, Москва, 東京タワー, 서울",
        ),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onfocus='x' a=\"", "&quot; onfocus=&#39;x&#39; a=&quot;"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("</bdi></main>", "&lt;/bdi&gt;&lt;/main&gt;"),
        (
            "pay \u{202e}001",
            "pay <span class=\"hidden-char\" title=\"changes the direction of text\">⟨U+202E⟩</span>001",
        ),
        (
            "a\u{200b}b",
            "a<span class=\"hidden-char\" title=\"space without width\">⟨U+200B⟩</span>b",
        ),
        ("a\u{0}b", "a<span class=\"hidden-char\" title=\"control character\">⟨U+0000⟩</span>b"),
        ("two\nlines", "two<span class=\"hidden-char\" title=\"line feed\">⟨U+000A⟩</span>lines"),
        (
            "a\u{3164}",
            "a<span class=\"hidden-char\" title=\"character that cannot be seen\">⟨U+3164⟩</span>",
        ),
        ("\u{e0041}", "<span class=\"hidden-char\" title=\"invisible tag\">⟨U+E0041⟩</span>"),
        (
            "\u{1d5a4}",
            "<span class=\"hidden-char\" title=\"letter or digit in disguise\">⟨U+1D5A4⟩</span>",
        ),
        ("", "<span class=\"soft\">(empty)</span>"),
    ] {
        assert_eq!(inner(text), shown, "{text:?}");
    }
}

#[test]
fn a_word_that_mixes_scripts_is_named() {
    for (text, warning) in [
        ("p\u{430}yroll", Some("mixes scripts: Cyrillic, Latin")),
        ("US\u{10414}C", Some("mixes scripts: Deseret, Latin")),
        ("\u{3bf}range", Some("mixes scripts: Greek, Latin")),
        ("USDC оплата", None),
        ("日本のカタカナ", None),
        ("2×3=6", None),
        ("\u{415}\u{422}\u{41d}", Some("looks Latin, is Cyrillic")),
        ("\u{3bf}\u{3bd}\u{3b1}!", Some("looks Latin, is Greek")),
        ("да нет", None),
        ("ETH", None),
    ] {
        let shown = inner(text);
        assert_eq!(shown.contains("badge warn"), warning.is_some(), "{shown}");
        assert!(shown.contains(warning.unwrap_or_default()), "{shown}");
    }
}

#[test]
fn marks_do_not_pile_up() {
    assert_eq!(inner("e\u{301}\u{323}"), "e\u{301}\u{323}");
    assert_eq!(inner("e\u{301}\u{323}\u{302}\u{302}").matches("hidden-char").count(), 2);
    assert!(
        inner("\u{301}").contains("U+0301"),
        "a mark on nothing would stand on what is before it"
    );
}

#[test]
fn long_text_is_never_cut() {
    let long = "x".repeat(100_000);
    assert!(inner(&long).contains(&long));
}

fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(BIDI.to_vec()).prop_map(String::from),
        prop::sample::select(vec![
            "<", ">", "&", "\"", "'", "</bdi>", "<span ", "U+202E", "⟨", "я", "a", " "
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_of_the_text_is_markup_and_nothing_turns_it_around(text in nasty()) {
        let rest = without_tags(&inner(&text));
        prop_assert!(!rest.contains(['<', '>', '"', '\'']), "{}", rest);
        let plain = visible(&text);
        for shown in [&rest, &plain] {
            prop_assert!(!shown.contains(BIDI));
            prop_assert!(!shown.chars().any(is_hidden));
        }
    }

    #[test]
    fn every_letter_that_can_be_seen_is_there(text in "[a-zA-Z0-9 .,<&]{1,80}") {
        let rest = without_tags(&inner(&text)).replace("&lt;", "<").replace("&amp;", "&");
        prop_assert_eq!(rest, text);
    }
}
