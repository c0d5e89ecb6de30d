//! One JSON-RPC node over HTTP, asked by a server of ours. The node is not trusted: how long it takes and how much it says is
//! bounded by whoever asks, it sends nobody elsewhere, and its words are outside text.
//!
//! Written on `reqwest` alone: the usual transport writes the node's whole URL, key and all, into its trace spans, and reads
//! answers of any size. A node's URL often holds its key, so it stands in no log and in no message.

use std::time::Duration;

use quorate_terms::Malformed;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a node is waited for, and how much of it is read.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the question to the end of the answer.
    pub call: Duration,
    /// To the connection.
    pub connect: Duration,
    /// The largest answer, in bytes.
    pub bytes: usize,
}

/// Why a question has no result.
#[derive(Debug)]
pub enum NoResult {
    /// It cannot be reached, is too busy, or broke off; says which, after "the node". It may be asked again.
    Away(&'static str),
    /// It says more than the asker reads.
    TooMuch,
    /// It refuses our key.
    Locked,
    /// It answered nonsense.
    Nonsense,
    /// It answered with an error. Its words are outside text: looked at, never passed on.
    Said {
        /// The code.
        code: i64,
        /// Its words.
        message: String,
        /// What came with them.
        data: Value,
    },
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

/// A node.
pub struct Node {
    client: Client,
    url: Url,
    bytes: usize,
}

impl Node {
    /// The node at a URL: `https`, or plain `http` that never leaves this machine. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Malformed`] that repeats neither the URL nor the parser's words about it: both can hold a key.
    pub fn at(rpc: &str, patience: Patience) -> Result<Self, Malformed> {
        let bad =
            |why: &str| Malformed::new("node", why, "give an `https` URL, or `http` on 127.0.0.1");
        let url = Url::parse(rpc).map_err(|_| bad("its URL cannot be read"))?;
        if !is_private(&url) {
            return Err(bad("its URL is neither https nor on loopback"));
        }
        // Once per process; a provider that is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .timeout(patience.call)
            .connect_timeout(patience.connect)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|e| bad(&e.without_url().to_string()))?;
        Ok(Self { client, url, bytes: patience.bytes })
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`NoResult`]
    pub async fn ask(&self, method: &str, params: &Value) -> Result<Value, NoResult> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = match self.client.post(self.url.clone()).json(&body).send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => {
                return Err(NoResult::Away("did not answer in time"));
            }
            Err(_) => return Err(NoResult::Away("cannot be reached")),
        };
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(NoResult::Away("is too busy"));
        }
        let bytes = match within(response, self.bytes).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(NoResult::TooMuch),
            Err(error) if error.is_timeout() => {
                return Err(NoResult::Away("did not answer in time"));
            }
            Err(_) => return Err(NoResult::Away("broke off its answer")),
        };
        match serde_json::from_slice::<Answer>(&bytes) {
            Ok(Answer { error: Some(Error { code, message, data }), .. }) => {
                Err(NoResult::Said { code, message, data })
            }
            Ok(Answer { result, .. }) if status.is_success() => Ok(result),
            _ if matches!(status.as_u16(), 401 | 403) => Err(NoResult::Locked),
            _ => Err(NoResult::Nonsense),
        }
    }
}

/// The whole body, unless it is larger than `most` bytes.
///
/// # Errors
/// What went wrong, without the URL.
pub async fn bounded(answer: Response, most: usize) -> Result<Vec<u8>, String> {
    // The error of the client repeats the URL, which may hold a key.
    let bytes = within(answer, most).await.map_err(|e| e.without_url().to_string())?;
    bytes.ok_or_else(|| format!("the answer is larger than {most} bytes"))
}

/// None for a body that is too large. It is read piece by piece, because the length that a server names, or leaves out, binds it
/// to nothing.
async fn within(mut answer: Response, most: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len().saturating_add(chunk.len()) > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// TLS, or plain HTTP that never leaves this machine.
fn is_private(url: &Url) -> bool {
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}
