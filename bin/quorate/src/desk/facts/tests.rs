//! Sources of facts that mean ill.

use quorate_host::random::Random;

use super::*;
use crate::bounded::hostile::{ENDLESS, elsewhere, endless, heard, unvouched};

/// What a desk starts that has no chain, and no other client yet.
fn facts(url: &str) -> Arc<Facts> {
    let identity = Identity::generate(Random::start().unwrap()).unwrap();
    let sources = BTreeMap::from([("s".to_owned(), SourceConfig::Http { url: url.to_owned() })]);
    Facts::start(&sources, None, Path::to_owned, &identity).unwrap()
}

#[tokio::test]
async fn row_55_a_source_sends_nobody_elsewhere() {
    let (url, sink) = elsewhere().await;
    let facts = facts(&url);
    let why = ask::fetch(&facts.http, &facts.urls[0]).await.unwrap_err();
    assert!(why.contains("307"), "{why}");
    assert!(facts.told().await.is_empty() && !heard(&sink), "it was not followed");
}

#[tokio::test]
async fn row_54_an_answer_without_a_length_is_left_at_the_bound() {
    let (url, said) = endless().await;
    let facts = facts(&url);
    let why = ask::fetch(&facts.http, &facts.urls[0]).await.unwrap_err();
    assert!(why.contains("larger than"), "{why}");
    let said = said.await.unwrap();
    assert!(said < ENDLESS, "{said} bytes were read of a source that may say {SOURCE_BYTES_MAX}");
}

#[tokio::test]
async fn row_61_a_source_that_nobody_vouches_for_is_asked_nothing() {
    let (url, heard) = unvouched().await;
    let facts = facts(&url);
    ask::fetch(&facts.http, &facts.urls[0]).await.unwrap_err();
    assert!(!heard.await.unwrap(), "no request was sent to it");
}
