//! The desk's node of a chain: asked again while it is away, and spoken of in words that say what to do next.

use std::time::Duration;

use quorate_host::fault::Fault;
use quorate_terms::ChainId;
use quorate_web::{NoResult, Patience};
use serde_json::Value;

use super::Upset;
use super::wire::nonsense;

const PATIENCE: Patience = Patience {
    call: Duration::from_secs(10),
    connect: Duration::from_secs(3),
    // A full block of a busy chain is below this.
    bytes: 16 << 20,
};
/// Waits before the second and third try.
const BACKOFF: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// Why a call gave no result.
pub(super) enum Failure {
    /// The node could not be reached, or answered nonsense.
    Upset(Upset),
    /// The node answered with an error. Its words are outside text: looked at, never passed on.
    Said { code: i64, message: String, data: Value },
}

pub(super) struct Node {
    node: quorate_web::Node,
    chain: ChainId,
}

impl Node {
    pub(super) fn at(chain: &ChainId, rpc: &str) -> Result<Self, Fault> {
        let mend = "give an `https` URL, or `http` on 127.0.0.1, in desk.toml";
        let node = quorate_web::Node::at(rpc, PATIENCE)
            .map_err(|bad| Fault::new(format!("the node of {chain}"), bad.why(), mend))?;
        Ok(Self { node, chain: chain.clone() })
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
        let mut why = "";
        for wait in [None, Some(BACKOFF[0]), Some(BACKOFF[1])] {
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            match self.node.ask(method, &params).await {
                Ok(result) => return Ok(result),
                Err(NoResult::Away(because)) => why = because,
                // Asked again it would be as large.
                Err(NoResult::TooMuch) => {
                    let why =
                        "gives an answer that is too large; check it, or name another in desk.toml";
                    return Err(Failure::Upset(self.upset(why).loudly()));
                }
                Err(NoResult::Said { code, message, data }) => {
                    return Err(Failure::Said { code, message, data });
                }
                Err(NoResult::Locked) => {
                    let upset = self.upset("refuses our key; check its URL in desk.toml");
                    return Err(Failure::Upset(upset));
                }
                Err(NoResult::Nonsense) => return Err(Failure::Upset(nonsense("not JSON-RPC"))),
            }
        }
        Err(Failure::Upset(self.upset(&format!("{why}; check it, or name another in desk.toml"))))
    }

    fn upset(&self, why: &str) -> Upset {
        Upset::new(format!("the node of {} {why}", self.chain))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let asked = node.node.ask("eth_chainId", &json!([])).await;
        assert!(matches!(asked, Err(NoResult::Away("cannot be reached"))), "it was asked");
        assert!(!heard.await.unwrap(), "no request was sent to it");
    }
}
