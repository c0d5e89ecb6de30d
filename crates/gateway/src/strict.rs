//! Strict JSON, before anything else reads it: UTF-8, one object, no key twice, bounded depth, numbers that are numbers,
//! and the outline of a JSON-RPC message.
//!
//! Parsers differ on what a repeated key or a lone surrogate means, and a difference between two readers of one message
//! is a way around a check. So such a message is refused, not interpreted.

use quorate_terms::strict::{self as json, Limits};
use serde_json::{Map, Value};

use crate::errors::{Code, Complaint, bounded};

/// The deepest nesting that a door reads.
pub const DEPTH_MAX: usize = 32;
/// The largest message that a door reads unless told otherwise, in bytes.
pub const MESSAGE_BYTES_DEFAULT: usize = 256 * 1024;

/// JSON-RPC: the bytes are not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: the JSON is not a message.
pub const INVALID_REQUEST: i32 = -32600;
/// MCP 2026-07-28: a header and the body disagree.
pub const HEADER_MISMATCH: i32 = -32020;
/// MCP 2026-07-28: the protocol version is not one of ours.
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// Why a message was refused, and the id to answer under where one could be read.
#[derive(Clone, PartialEq, Debug)]
pub struct Refused {
    /// The JSON-RPC error code.
    pub rpc: i32,
    /// The message's id, if it has a usable one.
    pub id: Option<Value>,
    /// The complaint.
    pub complaint: Box<Complaint>,
}

impl Refused {
    fn new(rpc: i32, id: Option<Value>, why: &str) -> Self {
        let message = format!("{}; send one strict JSON-RPC 2.0 message", bounded(why));
        Self { rpc, id, complaint: Box::new(Complaint::new(Code::MalformedMessage, message)) }
    }

    /// A refusal with a complaint of its own.
    pub fn with(rpc: i32, id: Option<Value>, complaint: Complaint) -> Self {
        Self { rpc, id, complaint: Box::new(complaint) }
    }

    /// The JSON-RPC error. Without a readable id there is none, rather than null.
    pub fn to_json(&self, request_id: &str) -> Value {
        let complaint = Complaint::clone(&self.complaint).under(request_id);
        let message = complaint.message.clone();
        let data = serde_json::to_value(complaint).unwrap_or(Value::Null);
        let mut said = serde_json::json!({
            "jsonrpc": "2.0",
            "error": { "code": self.rpc, "message": message, "data": data },
        });
        if let (Some(id), Some(object)) = (&self.id, said.as_object_mut()) {
            object.insert("id".to_owned(), id.clone());
        }
        said
    }
}

/// A message whose outline is sound.
#[derive(Clone, PartialEq, Debug)]
pub struct Message(Map<String, Value>);

impl Message {
    /// The id: a string or an integer; none for a notification.
    pub fn id(&self) -> Option<&Value> {
        self.0.get("id")
    }

    /// The method; none for a response.
    pub fn method(&self) -> Option<&str> {
        self.0.get("method").and_then(Value::as_str)
    }

    /// The parameters.
    pub fn params(&self) -> Option<&Value> {
        self.0.get("params")
    }

    /// The protocol version that the request's own `_meta` names (MCP 2026-07-28).
    pub fn meta_version(&self) -> Option<&str> {
        self.params()?.get("_meta")?.get("io.modelcontextprotocol/protocolVersion")?.as_str()
    }

    /// The whole message.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Reads one message of at most `longest` bytes.
///
/// # Errors
/// [`Refused`], with a bounded message.
pub fn read(bytes: &[u8], longest: usize) -> Result<Message, Refused> {
    let limits = Limits { bytes: longest, depth: DEPTH_MAX };
    let value = json::read(bytes, limits).map_err(|refused| match refused {
        json::Refused::TooLarge => {
            let message = format!("the message is larger than {longest} bytes; send a smaller one");
            let complaint = Complaint::new(Code::MessageTooLarge, message);
            Refused::with(INVALID_REQUEST, None, complaint)
        }
        json::Refused::Unreadable(why) => Refused::new(PARSE_ERROR, None, &why),
    })?;
    outline(value)
}

fn outline(value: Value) -> Result<Message, Refused> {
    let Value::Object(object) = value else {
        return Err(Refused::new(INVALID_REQUEST, None, "the message is not an object"));
    };
    let id = match object.get("id") {
        None => None,
        Some(id @ Value::String(text)) if text.len() <= 256 => Some(id.clone()),
        Some(id @ Value::Number(n)) if n.is_i64() || n.is_u64() => Some(id.clone()),
        Some(_) => {
            let why = "the id is not a short string or an integer";
            return Err(Refused::new(INVALID_REQUEST, None, why));
        }
    };
    let refused = |why| Err(Refused::new(INVALID_REQUEST, id.clone(), why));
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return refused("`jsonrpc` is not 2.0");
    }
    if let Some(key) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return refused(&format!("the message has a field `{}`", bounded(key)));
    }
    match (object.get("method"), object.get("result"), object.get("error")) {
        (Some(Value::String(_)), None, None) => {}
        (None, Some(_), None) | (None, None, Some(_)) if id.is_some() => {}
        _ => return refused("the message is neither a request, a notification nor a response"),
    }
    match object.get("params") {
        None | Some(Value::Object(_)) => Ok(Message(object)),
        Some(_) => refused("`params` is not an object"),
    }
}

/// The fields that a JSON-RPC message may have.
const FIELDS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str =
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[1,-2,1.5,"é",null,true]}}"#;

    fn check(body: &str, rpc: Option<i32>) {
        let got = read(body.as_bytes(), MESSAGE_BYTES_DEFAULT);
        assert_eq!(got.as_ref().err().map(|r| r.rpc), rpc, "{body}: {got:?}");
    }

    #[test]
    fn row_54_one_strict_object_is_read() {
        check(GOOD, None);
        check(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, None);
        check(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#, None);
        check(r#" {"jsonrpc":"2.0","id":"\ud83d\ude00","method":"ping"} "#, None);
    }

    #[test]
    fn row_54_duplicate_keys_nan_lone_surrogates_and_depth_are_refused() {
        for inside in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":1e999}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00x"}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            r#"{'a':1}"#,
            r#"{"a":"\x01"}"#,
        ] {
            check(
                &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{inside}}}"#),
                Some(PARSE_ERROR),
            );
        }
        for depth in [DEPTH_MAX, 1000, 100_000] {
            let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            check(
                &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":{nest}}}}}"#),
                Some(PARSE_ERROR),
            );
        }
        let invalid_utf8 =
            [b"{\"jsonrpc\":\"2.0\",\"method\":\"".as_slice(), &[0xff], b"\"}"].concat();
        assert!(read(&invalid_utf8, 1000).is_err());
        check(&format!("{GOOD}{GOOD}"), Some(PARSE_ERROR));
    }

    #[test]
    fn row_54_an_oversize_message_is_refused_with_a_bounded_error() {
        let refused = read(&vec![b'['; 5000], 4999).unwrap_err();
        assert_eq!(refused.complaint.code, Code::MessageTooLarge);
        let key = "k".repeat(100_000);
        let body = format!(r#"{{"{key}":1,"{key}":2}}"#);
        let refused = read(body.as_bytes(), MESSAGE_BYTES_DEFAULT).unwrap_err();
        assert!(refused.to_json("r").to_string().len() < 1500);
    }

    #[test]
    fn an_id_is_a_string_or_an_integer_never_null() {
        for bad in ["null", "1.5", "true", "{}", "[]", "1e2"] {
            check(
                &format!(r#"{{"jsonrpc":"2.0","id":{bad},"method":"ping"}}"#),
                Some(INVALID_REQUEST),
            );
        }
    }

    #[test]
    fn what_is_not_a_json_rpc_message_is_refused() {
        for bad in [
            "[]",
            "1",
            r#""x""#,
            "{}",
            r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":2}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","extra":1}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#,
        ] {
            check(bad, Some(INVALID_REQUEST));
        }
    }

    proptest! {
        #[test]
        fn reading_arbitrary_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = read(&bytes, 400);
        }

        #[test]
        fn reading_mutated_messages_never_panics(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes, MESSAGE_BYTES_DEFAULT);
        }

        #[test]
        fn what_is_read_is_what_serde_reads(key in "[a-z]{1,4}", n in any::<i64>()) {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"m","params":{{"{key}":"{n}"}}}}"#);
            let ours = read(body.as_bytes(), 1000).unwrap().into_value();
            prop_assert_eq!(ours, serde_json::from_str::<Value>(&body).unwrap());
        }
    }
}
