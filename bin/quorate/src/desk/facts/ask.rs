//! How sources are asked, and how their answers are read.

use quorate_host::fault::Fault;
use quorate_terms::fact::SignedFact;
use quorate_terms::{AccountId, ChainId};
use serde::{Deserialize, Serialize};

use super::SOURCE_BYTES_MAX;
use crate::bounded::bounded;

/// The method under which a finality source answers [`FinalityAsk`] with a signed fact, or `null` while nothing is final.
pub const FINALITY: &str = "source.finality";

/// What became of a nonce?
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalityAsk {
    /// The chain.
    pub chain: ChainId,
    /// The account.
    pub account: AccountId,
    /// Its nonce.
    pub nonce: u64,
    /// What was signed with that nonce.
    pub ours: Vec<Ours>,
}

/// One signed transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ours {
    /// Its id.
    pub txid: String,
    /// Whether it carries out the intent, rather than giving it up.
    pub moves: bool,
}

/// One JSON object a line; lines that are none are left out, for one bad line must not silence a source.
pub(super) fn lines(text: &str) -> Vec<SignedFact> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Plain HTTP only on loopback.
pub(super) fn check_url(name: &str, url: &str) -> Result<(), Fault> {
    let bad = |why: &str| {
        Err(Fault::new(
            format!("desk.toml `sources.{name}.url`"),
            why,
            "use https, or http on loopback",
        ))
    };
    let Ok(parsed) = reqwest::Url::parse(url) else { return bad("is not a URL") };
    let local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if local => Ok(()),
        _ => bad("is neither https nor on loopback"),
    }
}

pub(super) async fn fetch(http: &reqwest::Client, url: &str) -> Result<Vec<SignedFact>, String> {
    // The error of the client repeats the URL, which may hold a key: say only what kind of failure it was.
    let answer = http.get(url).send().await.map_err(|e| e.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the source answers with status {}", answer.status().as_u16()));
    }
    let bytes = bounded(answer, SOURCE_BYTES_MAX).await?;
    serde_json::from_slice(&bytes)
        .map_err(|e| format!("the answer is no list of signed facts ({e})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_55_plain_http_is_for_loopback_only() {
        for good in [
            "https://prices.example/x",
            "http://127.0.0.1:9/x",
            "http://localhost/x",
            "http://[::1]:1/",
        ] {
            assert!(check_url("p", good).is_ok(), "{good}");
        }
        for bad in [
            "http://prices.example/x",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "x",
            "http://10.0.0.1/",
        ] {
            assert!(check_url("p", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_line_does_not_silence_a_source() {
        assert_eq!(lines("nonsense\n\n{}\n").len(), 0);
    }
}
