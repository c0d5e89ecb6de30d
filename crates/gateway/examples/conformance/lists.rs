//! The names, schemas and constant contents that the conformance suite looks for.

use rmcp::model::Tool;
use serde_json::{Value, json};

use crate::of;

/// A PNG of one pixel, Base64.
pub(crate) const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// A WAV of no samples, Base64.
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

/// Tools without arguments.
const BARE: [&str; 24] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_error_handling",
    "test_tool_with_progress",
    "test_reconnection",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
    "test_sampling",
    "test_elicitation",
];

/// Every tool.
pub(crate) fn tools() -> Vec<Tool> {
    let tool = |name: &str, schema: Value| {
        of::<Tool>(
            json!({ "name": name, "description": "A diagnostic tool.", "inputSchema": schema }),
        )
    };
    let mut tools: Vec<_> =
        BARE.iter().map(|name| tool(name, json!({ "type": "object", "properties": {} }))).collect();
    tools.push(tool("json_schema_2020_12_tool", vocabulary()));
    let region = json!({ "type": "string", "x-mcp-header": "Region" });
    tools.push(tool(
        "test_x_mcp_header",
        json!({ "type": "object", "properties": { "region": region } }),
    ));
    tools
}

fn vocabulary() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": { "$anchor": "addressDef", "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } } } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

/// The content of tools that always say the same.
pub(crate) fn content(name: &str) -> Option<Value> {
    let text = |words: &str| json!({ "type": "text", "text": words });
    let image = || json!({ "type": "image", "data": IMAGE, "mimeType": "image/png" });
    let resource = |uri: &str, kind: &str, words: &str| json!({ "type": "resource", "resource": { "uri": uri, "mimeType": kind, "text": words } });
    Some(match name {
        "test_simple_text" => json!([text("This is a simple text response for testing.")]),
        "json_schema_2020_12_tool" | "test_x_mcp_header" | "test_logging_tool" => {
            json!([text("done")])
        }
        "test_error_handling" => {
            json!([text("This tool intentionally returns an error for testing")])
        }
        "test_image_content" => json!([image()]),
        "test_audio_content" => {
            json!([{ "type": "audio", "data": SOUND, "mimeType": "audio/wav" }])
        }
        "test_embedded_resource" => {
            json!([resource(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content."
            )])
        }
        "test_multiple_content_types" => json!([
            text("Multiple content types test:"),
            image(),
            resource(
                "test://mixed-content-resource",
                "application/json",
                "{\"test\":\"data\",\"value\":123}"
            ),
        ]),
        _ => return None,
    })
}

/// The schema that a tool of the older revision asks the client to fill.
pub(crate) fn elicitation(name: &str) -> Option<Value> {
    let options = json!(["option1", "option2", "option3"]);
    let titled = json!([{ "const": "value1", "title": "First" }, { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" }]);
    let properties = match name {
        "test_elicitation" => {
            json!({ "username": { "type": "string" }, "email": { "type": "string" } })
        }
        "test_elicitation_sep1034_defaults" => json!({
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
            "verified": { "type": "boolean", "default": true },
        }),
        "test_elicitation_sep1330_enums" => json!({
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": { "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"] },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } },
        }),
        _ => return None,
    };
    Some(json!({ "type": "object", "properties": properties }))
}

/// Every prompt.
pub(crate) fn prompts() -> Value {
    let argument =
        |name: &str| json!({ "name": name, "description": "a test argument", "required": true });
    json!([
        { "name": "test_simple_prompt", "description": "simple" },
        { "name": "test_prompt_with_arguments", "description": "with arguments",
            "arguments": [argument("arg1"), argument("arg2")] },
        { "name": "test_prompt_with_embedded_resource", "description": "with a resource",
            "arguments": [argument("resourceUri")] },
        { "name": "test_prompt_with_image", "description": "with an image" },
        { "name": "test_input_required_result_prompt", "description": "asks back" },
    ])
}
