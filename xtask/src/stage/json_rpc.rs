//! JSON-RPC over plain HTTP/1.1, small enough to need no library: loopback and demonstrations only.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Done;

const PATIENCE: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// An HTTP answer.
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// The status line and the headers.
    pub(crate) head: String,
    pub(crate) text: String,
}

/// Calls a method and gives its result.
pub(crate) fn call(url: &str, method: &str, params: &Value) -> Done<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let text = post(url, &[], &body).map_err(|e| format!("{method} at {url}: {e}"))?.text;
    let answer: Value =
        serde_json::from_str(&text).map_err(|e| format!("{method} at {url}: no JSON ({e})"))?;
    match (answer.get("result"), answer.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (_, error) => Err(format!("{method} at {url}: {}", error.unwrap_or(&Value::Null))),
    }
}

/// Posts JSON with some headers.
pub(super) fn post(url: &str, headers: &[(&str, &str)], body: &str) -> Done<Answered> {
    let json = [&[("Content-Type", "application/json")], headers].concat();
    send("POST", url, &json, body)
}

/// Sends a request with exactly these headers, beside those that say where it goes and how long it is.
pub(crate) fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Done<Answered> {
    let (host, path) = host_and_path(url)?;
    let wrap = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect(host).map_err(wrap)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(wrap)?;
    let length = body.len();
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).map_err(wrap)?;
    stream.write_all(body.as_bytes()).map_err(wrap)?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).map_err(wrap)?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or("the answer is not HTTP")?;
    let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_owned();
    Ok(Answered { status, head, text: content(&answer)? })
}

fn host_and_path(url: &str) -> Done<(&str, String)> {
    let rest = url.strip_prefix("http://").ok_or("only http:// is spoken here")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    Ok((host, format!("/{path}")))
}

/// The body of an HTTP answer, plain or chunked.
fn content(answer: &str) -> Done<String> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        unchunked(body)
    } else {
        Ok(body.to_owned())
    }
}

fn unchunked(mut body: &str) -> Done<String> {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").ok_or("a chunk has no size")?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| "a chunk has no size")?;
        if size == 0 {
            return Ok(whole);
        }
        whole.push_str(rest.get(..size).ok_or("a chunk is cut")?);
        body = rest.get(size..).unwrap_or_default().trim_start_matches("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_chunked_answers_are_read() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        assert_eq!(content(plain).unwrap(), "{}");
        assert_eq!(content(chunked).unwrap(), "{}");
        for bad in ["", "HTTP/1.1 200 OK", &chunked.replace("1\r\n}\r\n0", "f\r\n}")] {
            assert!(content(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_cut_into_host_and_path() {
        assert_eq!(host_and_path("http://h:1").unwrap(), ("h:1", "/".to_owned()));
        assert_eq!(host_and_path("http://h:1/a/b").unwrap(), ("h:1", "/a/b".to_owned()));
        assert!(host_and_path("https://h").is_err());
    }
}
