//! The product's transport stack in front of the MCP conformance suite's own diagnostic tools, prompts and resources.
//!
//! Usage: `conformance_fixture <port>`. A wallet must not ship these tools, so they live here.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test program"
)]
#![expect(deprecated, reason = "the older revision's logging and sampling are part of the suite")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "conformance/lists.rs"]
mod lists;
#[path = "conformance/rounds.rs"]
mod rounds;
#[path = "conformance/stack.rs"]
mod stack;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use quorate_gateway::desk::Desk;
use quorate_gateway::door::VERSIONS;
use quorate_gateway::http::mount;
use rmcp::model::*;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Context = RequestContext<RoleServer>;

/// A model type from the JSON that the suite documents.
pub(crate) fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A complete result. The library takes the mark out again for the older revision.
fn result<T: DeserializeOwned>(mut value: Value) -> T {
    value["resultType"] = json!("complete");
    of(value)
}

fn text(said: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(said.into())])
}

#[derive(Clone)]
struct Fixture {
    rounds: Arc<rounds::Rounds>,
}

impl Fixture {
    async fn plain(&self, name: &str, context: &Context) -> Option<CallToolResult> {
        if let Some(content) = lists::content(name) {
            return Some(result(
                json!({ "content": content, "isError": name == "test_error_handling" }),
            ));
        }
        match name {
            "test_tool_with_logging" => {
                for said in
                    ["Tool execution started", "Tool processing data", "Tool execution completed"]
                {
                    let level = LoggingLevel::Info;
                    let note = LoggingMessageNotificationParam::new(level, json!(said));
                    let _ = context.peer.notify_logging_message(note).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Some(text("logged"))
            }
            "test_tool_with_progress" => {
                for done in [0.0, 50.0, 100.0] {
                    if let Some(token) = context.meta.get_progress_token() {
                        let step = ProgressNotificationParam::new(token, done).with_total(100.0);
                        let _ = context.peer.notify_progress(step).await;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Some(text("done"))
            }
            "test_reconnection" => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some(text("done"))
            }
            _ => None,
        }
    }

    /// Tools of the older revision that ask the client back.
    async fn asking(&self, name: &str, context: &Context) -> Option<CallToolResult> {
        if name == "test_sampling" {
            let message =
                json!({ "role": "user", "content": { "type": "text", "text": "Say something" } });
            let params = of(json!({ "messages": [message], "maxTokens": 100 }));
            let said = context.peer.create_message(params).await;
            return Some(text(format!("LLM response: {said:?}")));
        }
        let schema = lists::elicitation(name)?;
        let params =
            json!({ "mode": "form", "message": "Please answer", "requestedSchema": schema });
        let said = context.peer.create_elicitation(of(params)).await;
        Some(text(format!("User response: {said:?}")))
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_completions()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("fixture", "1"))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        lists::tools().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(lists::tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.to_string();
        if name == "test_missing_capability" {
            let sampling = context.client_capabilities().is_some_and(|c| c.sampling.is_some());
            let needed = ClientCapabilities::builder().enable_sampling().build();
            return if sampling {
                Ok(text("sampling is declared").into())
            } else {
                Err(ErrorData::missing_required_client_capability(needed))
            };
        }
        if let Some(result) = self.plain(&name, &context).await {
            return Ok(result.into());
        }
        if let Some(result) = self.asking(&name, &context).await {
            return Ok(result.into());
        }
        let responses = request.input_responses.unwrap_or_default();
        let declared = context.client_capabilities().unwrap_or_default();
        self.rounds.play(&name, &responses, request.request_state.as_deref(), &declared)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(result(json!({ "resources": [
            { "uri": "test://static-text", "name": "text", "mimeType": "text/plain" },
            { "uri": "test://static-binary", "name": "binary", "mimeType": "image/png" },
        ] })))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(result(json!({ "resourceTemplates": [
            { "uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json" },
        ] })))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
        let contents = match (uri, id) {
            ("test://static-text", _) => {
                json!({ "uri": uri, "mimeType": "text/plain", "text": "static text" })
            }
            ("test://static-binary", _) => {
                json!({ "uri": uri, "mimeType": "image/png", "blob": lists::IMAGE })
            }
            (_, Some(id)) => {
                let said =
                    json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                json!({ "uri": uri, "mimeType": "application/json", "text": said.to_string() })
            }
            _ => {
                return Err(ErrorData::resource_not_found(
                    "no such resource",
                    Some(json!({ "uri": uri })),
                ));
            }
        };
        Ok(result::<ReadResourceResult>(json!({ "contents": [contents] })).into())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        Ok(result(
            json!({ "completion": { "values": ["paris", "park"], "total": 2, "hasMore": false } }),
        ))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(result(json!({ "prompts": lists::prompts() })))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.clone().unwrap_or_default();
        let said =
            |key: &str| arguments.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let message = |content: Value| json!({ "role": "user", "content": content });
        let words = |words: &str| message(json!({ "type": "text", "text": words }));
        let messages = match request.name.as_str() {
            "test_simple_prompt" => json!([words("This is a simple prompt for testing.")]),
            "test_prompt_with_arguments" => {
                let line = format!(
                    "Prompt with arguments: arg1='{}', arg2='{}'",
                    said("arg1"),
                    said("arg2")
                );
                json!([words(&line)])
            }
            "test_prompt_with_embedded_resource" => {
                let uri = said("resourceUri");
                let resource = json!({ "uri": uri, "mimeType": "text/plain", "text": "embedded" });
                json!([
                    message(json!({ "type": "resource", "resource": resource })),
                    words("Please look at it.")
                ])
            }
            "test_prompt_with_image" => {
                let image =
                    json!({ "type": "image", "data": lists::IMAGE, "mimeType": "image/png" });
                json!([message(image), words("Please look at it.")])
            }
            "test_input_required_result_prompt" => {
                if request.input_responses.is_none_or(|given| !given.contains_key("user_context")) {
                    let asked =
                        rounds::elicit("What context should the prompt use?", "context", "string");
                    return Ok(rounds::required(json!({ "user_context": asked }), None).into());
                }
                json!([words("With your context.")])
            }
            _ => return Err(ErrorData::invalid_params("no such prompt", None)),
        };
        Ok(result::<GetPromptResult>(json!({ "messages": messages })).into())
    }
}

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|p| p.parse().ok()).unwrap_or(8001);
    let desk: Arc<dyn Desk> = Arc::new(common::FakeDesk::default());
    let fixture = Fixture { rounds: Arc::new(rounds::Rounds::new()) };
    let router = mount(desk, fixture, stack::setup(port)).unwrap();
    eprintln!("fixture on 127.0.0.1:{port}");
    stack::run(router, port).await;
}
