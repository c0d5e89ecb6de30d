//! The product's router with a fake desk and a fake office, for the generic scenarios of the MCP conformance suite.
//!
//! Usage: `conformance_product <port>`. The suite knows no bearer tokens, so the outermost layer adds one; everything
//! behind it is the product.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test program")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/api/office.rs"]
mod office;
#[path = "conformance/stack.rs"]
mod stack;

use std::sync::Arc;

use quorate_gateway::desk::Desk;
use quorate_gateway::http::router;
use quorate_terms::credential::Band;

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|p| p.parse().ok()).unwrap_or(8002);
    let desk: Arc<dyn Desk> = Arc::new(common::FakeDesk::default());
    let office = Arc::new(office::FakeOffice::default());
    let router = router(desk, office, Band::Broadcast, stack::setup(port)).unwrap();
    eprintln!("product on 127.0.0.1:{port}");
    stack::run(router, port).await;
}
