//! What a cosigner's own ledger may say. It is that cosigner's word alone, so it counts only where it speaks of itself.

use serde_json::Value as Json;

/// Whether the body of an entry in the own ledger of `cosigner` is evidence.
pub fn speaks_of_itself(cosigner: &str, body: &Json) -> bool {
    let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or_default();
    let itself = format!("cosigner:{cosigner}");
    match text("type") {
        "PlacementAttested" | "ShareRestored" => text("holder") == cosigner,
        "ConfigurationCaptured" => text("party") == itself,
        "Deployed" => text("role") == itself,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn row_74_a_cosigner_is_heard_about_itself_alone() {
        for (body, heard) in [
            (json!({ "type": "PlacementAttested", "holder": "east" }), true),
            (json!({ "type": "PlacementAttested", "holder": "west" }), false),
            (json!({ "type": "ShareRestored", "holder": "east" }), true),
            (json!({ "type": "ConfigurationCaptured", "party": "cosigner:east" }), true),
            (json!({ "type": "ConfigurationCaptured", "party": "desk" }), false),
            (json!({ "type": "Deployed", "role": "cosigner:east" }), true),
            (json!({ "type": "Deployed", "role": "east" }), false),
            (json!({ "type": "KeyGenerated", "holder": "east" }), false),
            (json!({ "holder": "east" }), false),
            (json!("east"), false),
        ] {
            assert_eq!(speaks_of_itself("east", &body), heard, "{body}");
        }
    }
}
