//! One JSON-RPC node over HTTP. Written on `reqwest` alone: the usual transport writes the node's whole URL, key and all, into
//! its trace spans, and reads answers of any size.

use std::time::Duration;

use quorate_host::fault::Fault;
use quorate_terms::ChainId;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Upset;
use super::wire::nonsense;
use crate::bounded::bounded;

/// How long one try may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest answer that is read: a full block of a busy chain is below this.
const ANSWER_MAX: usize = 16 << 20;
/// Waits before the second and third try.
const BACKOFF: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// Why a call gave no result.
pub(super) enum Failure {
    /// The node could not be reached, or answered nonsense.
    Upset(Upset),
    /// The node answered with an error. Its words are outside text: looked at, never passed on.
    Said { code: i64, message: String, data: Value },
}

/// What one try came to.
enum Try {
    Done(Result<Value, Failure>),
    Again(&'static str),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Said>,
}

#[derive(Deserialize)]
struct Said {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

pub(super) struct Node {
    client: Client,
    url: Url,
    chain: ChainId,
}

impl Node {
    pub(super) fn at(chain: &ChainId, rpc: &str) -> Result<Self, Fault> {
        let what = format!("the node of {chain}");
        let mend = "give an `https` URL, or `http` on 127.0.0.1, in desk.toml";
        // Neither the URL nor the parser's words about it are repeated: both can hold the key.
        let url = Url::parse(rpc).map_err(|_| Fault::new(&what, "its URL cannot be read", mend))?;
        if !is_private(&url) {
            return Err(Fault::new(&what, "its URL is neither https nor on loopback", mend));
        }
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .timeout(CALL_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|e| Fault::new(&what, e.without_url().to_string(), mend))?;
        Ok(Self { client, url, chain: chain.clone() })
    }

    /// Asks; whatever the node refuses is an upset.
    pub(super) async fn ask(&self, method: &str, params: Value) -> Result<Value, Upset> {
        self.call(method, params).await.map_err(|failure| match failure {
            Failure::Upset(upset) => upset,
            Failure::Said { code, .. } => self.refuses(method, code),
        })
    }

    /// The node does not answer such a question, or not now.
    pub(super) fn refuses(&self, method: &str, code: i64) -> Upset {
        self.upset(&format!("refuses `{method}` (code {code}); check its plan and its logs"))
    }

    /// Asks, up to three times while the node cannot be reached. Every method here may be repeated.
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut why = "";
        for wait in [None, Some(BACKOFF[0]), Some(BACKOFF[1])] {
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            match self.attempt(&body).await {
                Try::Done(done) => return done,
                Try::Again(because) => why = because,
            }
        }
        Err(Failure::Upset(self.upset(&format!("{why}; check it, or name another in desk.toml"))))
    }

    async fn attempt(&self, body: &Value) -> Try {
        let response = match self.client.post(self.url.clone()).json(body).send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Try::Again("did not answer in time"),
            Err(_) => return Try::Again("cannot be reached"),
        };
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Try::Again("is too busy");
        }
        let Ok(bytes) = bounded(response, ANSWER_MAX).await else {
            return Try::Again("broke off its answer, or it was too large");
        };
        Try::Done(match serde_json::from_slice::<Answer>(&bytes) {
            Ok(Answer { error: Some(Said { code, message, data }), .. }) => {
                Err(Failure::Said { code, message, data })
            }
            Ok(Answer { result, .. }) if status.is_success() => Ok(result),
            _ => Err(Failure::Upset(match status.as_u16() {
                401 | 403 => self.upset("refuses our key; check its URL in desk.toml"),
                _ => nonsense("not JSON-RPC"),
            })),
        })
    }

    fn upset(&self, why: &str) -> Upset {
        Upset::new(format!("the node of {} {why}", self.chain))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let chain: ChainId = "eip155:1".parse().unwrap();
        for good in [
            "http://127.0.0.1:8545",
            "http://[::1]:8545",
            "http://localhost:1",
            "https://rpc.example.invalid/key",
        ] {
            assert!(Node::at(&chain, good).is_ok(), "{good}");
        }
        for bad in [
            "http://rpc.example.invalid",
            "http://10.0.0.1:8545",
            "ftp://127.0.0.1",
            "file:///x",
            "",
            "127.0.0.1",
        ] {
            assert!(Node::at(&chain, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_in_a_url_stands_in_no_complaint() {
        let chain: ChainId = "eip155:1".parse().unwrap();
        for url in ["http://rpc.example.invalid/s3cret", "http://s3cret:[", "gopher://s3cret"] {
            let fault = Node::at(&chain, url).err().unwrap();
            assert!(!fault.to_string().contains("s3cret"), "{fault}");
        }
    }

    #[tokio::test]
    async fn a_node_that_is_down_is_an_upset_without_its_url() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let chain: ChainId = "eip155:31337".parse().unwrap();
        let node = Node::at(&chain, &format!("http://127.0.0.1:{port}/s3cret")).unwrap();
        let upset = node.ask("eth_chainId", json!([])).await.unwrap_err().to_string();
        assert!(upset.contains("cannot be reached") && !upset.contains("s3cret"), "{upset}");
    }

    #[tokio::test]
    async fn row_61_a_node_that_nobody_vouches_for_is_asked_nothing() {
        let (url, heard) = crate::bounded::hostile::unvouched().await;
        let node = Node::at(&"eip155:31337".parse().unwrap(), &url).unwrap();
        let Try::Again(why) = node.attempt(&json!({})).await else { panic!("it was asked") };
        assert_eq!(why, "cannot be reached");
        assert!(!heard.await.unwrap(), "no request was sent to it");
    }
}
