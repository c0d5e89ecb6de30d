//! The pages of a real office, asked as a browser asks them.

mod api;
mod api_audits;
mod api_files;
mod api_marks;
mod engaged;
mod guided;
mod inherited;
mod logged;
mod papers;
mod people;
mod uploads;
mod walk;
mod world;

use super::paper::{path, value};
use serde_json::json;

#[test]
fn a_path_holds_text_of_others_as_one_part() {
    assert_eq!(path("/controls", "ccss 9.0 1.01.1.1"), "/controls/ccss%209.0%201.01.1.1");
    assert_eq!(path("/marks", "../a?b#c/d"), "/marks/..%2Fa%3Fb%23c%2Fd");
}

#[test]
fn a_value_of_any_shape_is_shown_and_escaped() {
    let hostile = json!({ "a_b": ["<b>", "\u{202e}"], "c": null, "d": [{ "e": true }], "f": 7 });
    let shown = value(&hostile);
    for piece in ["a b", "none", "yes", "7"] {
        assert!(shown.as_str().contains(piece), "{piece}: {shown}");
    }
    assert!(!shown.as_str().contains("<b>") && !shown.as_str().contains('\u{202e}'), "{shown}");
}
