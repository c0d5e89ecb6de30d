//! Multi-round requests of the 2026-07-28 revision: what is asked back, and state that the client cannot change.

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock, InputRequiredResult,
    InputResponses, RequestStateCodec,
};
use serde_json::{Value, json};

use crate::of;

/// The tools that ask back, with a codec that seals their state.
pub(crate) struct Rounds {
    codec: RequestStateCodec,
}

/// An elicitation of one field.
pub(crate) fn elicit(message: &str, field: &str, kind: &str) -> Value {
    let schema =
        json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    json!({ "method": "elicitation/create", "params": params })
}

fn sample(words: &str, most: u32) -> Value {
    let message = json!({ "role": "user", "content": { "type": "text", "text": words } });
    json!({ "method": "sampling/createMessage", "params": { "messages": [message], "maxTokens": most } })
}

/// A result that asks for these inputs.
pub(crate) fn required(inputs: Value, state: Option<String>) -> InputRequiredResult {
    InputRequiredResult::new(Some(of(inputs)), state)
}

fn done(said: impl Into<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(CallToolResult::success(vec![ContentBlock::text(said.into())]).into())
}

impl Rounds {
    pub(crate) fn new() -> Self {
        Self { codec: RequestStateCodec::new(vec![7; 32]) }
    }

    fn seal(&self, state: &str) -> Option<String> {
        Some(self.codec.seal(state.as_bytes()))
    }

    /// The state that came back, if it is ours.
    fn open(&self, state: Option<&str>) -> Result<Option<String>, ErrorData> {
        let Some(sealed) = state else { return Ok(None) };
        let refused = |_| ErrorData::invalid_params("requestState fails its integrity check", None);
        let bytes = self.codec.open(sealed).map_err(refused)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// One round of a tool.
    pub(crate) fn play(
        &self,
        name: &str,
        given: &InputResponses,
        state: Option<&str>,
        declared: &ClientCapabilities,
    ) -> Result<CallToolResponse, ErrorData> {
        let ask = |inputs: Value, state: Option<String>| Ok(required(inputs, state).into());
        let state = self.open(state)?;
        let name_of = || elicit("What is your name?", "name", "string");
        match name {
            "test_input_required_result_elicitation" => match given.get("user_name") {
                Some(answer) if answer["content"]["name"].is_string() => done(format!(
                    "Hello, {}!",
                    answer["content"]["name"].as_str().unwrap_or_default()
                )),
                _ => ask(json!({ "user_name": name_of() }), None),
            },
            "test_streaming_elicitation" => ask(json!({ "user_name": name_of() }), None),
            "test_input_required_result_sampling" => match given.get("capital_question") {
                Some(answer) => done(answer["content"]["text"].as_str().unwrap_or("no text")),
                None => ask(
                    json!({ "capital_question": sample("What is the capital of France?", 100) }),
                    None,
                ),
            },
            "test_input_required_result_list_roots" => match given.get("client_roots") {
                Some(answer) => done(format!("roots: {}", answer["roots"])),
                None => {
                    ask(json!({ "client_roots": { "method": "roots/list", "params": {} } }), None)
                }
            },
            "test_input_required_result_request_state"
            | "test_input_required_result_tampered_state" => {
                if given.contains_key("confirm") && state.as_deref() == Some("confirm") {
                    return done("state-ok");
                }
                let asked = elicit("Please confirm", "ok", "boolean");
                ask(json!({ "confirm": asked }), self.seal("confirm"))
            }
            "test_input_required_result_multiple_inputs" => {
                let all = ["user_name", "greeting", "client_roots"];
                if state.is_some() && all.iter().all(|key| given.contains_key(*key)) {
                    return done("all inputs received");
                }
                let roots = json!({ "method": "roots/list", "params": {} });
                let greeting = sample("Generate a greeting", 50);
                let asked =
                    json!({ "user_name": name_of(), "greeting": greeting, "client_roots": roots });
                ask(asked, self.seal("many"))
            }
            "test_input_required_result_multi_round" => match state.as_deref() {
                Some("two") if given.contains_key("step2") => done("all steps done"),
                Some("one") if given.contains_key("step1") => {
                    let asked = elicit("Step 2: What is your favorite color?", "color", "string");
                    ask(json!({ "step2": asked }), self.seal("two"))
                }
                _ => {
                    let asked = elicit("Step 1: What is your name?", "name", "string");
                    ask(json!({ "step1": asked }), self.seal("one"))
                }
            },
            "test_input_required_result_capabilities" => by_capabilities(declared),
            _ => Err(ErrorData::invalid_params("tool not found", None)),
        }
    }
}

/// Asks only for what the client declared that it can give.
fn by_capabilities(declared: &ClientCapabilities) -> Result<CallToolResponse, ErrorData> {
    let mut asked = serde_json::Map::new();
    if declared.sampling.is_some() {
        asked.insert("question".into(), sample("Anything?", 10));
    }
    if declared.elicitation.is_some() {
        asked.insert("user_name".into(), elicit("What is your name?", "name", "string"));
    }
    if asked.is_empty() {
        return done("nothing can be asked");
    }
    Ok(required(Value::Object(asked), None).into())
}
