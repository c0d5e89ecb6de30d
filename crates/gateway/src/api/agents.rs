//! What agents ask: the tools of MCP, each at a path of its own, through the same reading and the same second check.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::asked::{Asked, invalid};
use super::{Api, internal};
use crate::bands::Table;
use crate::desk::{Caller, Progress};
use crate::errors::{Code, Complaint};
use crate::tools::ToolName;
use quorate_terms::Malformed;

/// Asks the desk what the tool asks.
pub(super) async fn ask(
    api: &Api,
    caller: Caller,
    tool: ToolName,
    asked: Asked,
) -> Result<Bytes, Complaint> {
    let table = Table::new(caller.band, api.ceiling);
    if table.find(tool.as_str()).is_none() {
        let message = format!("`{tool}` is outside this credential's band; ask the operator");
        let no = Complaint::new(Code::BandTooLow, message);
        return Err(no.needing(tool.band().as_str()));
    }
    let question = tool.read(arguments(tool, asked)?)?;
    let answer = api.door.dispatch(table, caller, question, Progress::silent()).await?;
    serde_json::to_vec(&answer.to_value().map_err(|_| internal())?)
        .map(Bytes::from)
        .map_err(|_| internal())
}

/// Body, path, query and key as the arguments of the tool.
fn arguments(tool: ToolName, asked: Asked) -> Result<Map<String, Value>, Complaint> {
    let described = tool.describe();
    let known = described.input_schema.get("properties").and_then(Value::as_object);
    let Asked { segments, query, mut body, key } = asked;
    let segments = segments.into_iter().map(|(name, text)| (name.to_owned(), text));
    let beside = segments.chain(query);
    let key = key.map(|key| ("idempotencyKey".to_owned(), key.as_str().to_owned()));
    for (name, text) in beside.chain(key) {
        let property = known.and_then(|known| known.get(&name));
        let is = |kind: &str| property.is_some_and(|property| is_of(property, kind));
        if is("array") {
            let list = body.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().into_iter().for_each(|list| list.push(text.clone().into()));
            continue;
        }
        let value = match text.parse::<u64>() {
            Ok(number) if is("integer") => number.into(),
            _ => match text.as_str() {
                "true" | "false" if is("boolean") => (text == "true").into(),
                _ => text.into(),
            },
        };
        if body.insert(name.clone(), value).is_some() {
            let name = crate::errors::bounded(&name);
            return Err(invalid(&Malformed::new(name, "is given twice", "give it once")));
        }
    }
    Ok(body)
}

/// Whether a property may be of this type.
pub(super) fn is_of(property: &Value, kind: &str) -> bool {
    match property.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    }
}
