//! The product's transport stack, as both conformance programs run it.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use quorate_gateway::http::{Allowed, Connections, Limits, Setup, serve};
use quorate_gateway::limit::Rate;

/// A setup for this port on loopback, with sessions for the older revision.
pub(crate) fn setup(port: u16) -> Setup {
    let start = Instant::now();
    let rate = Rate { per_minute: 100_000, burst: 10_000, in_flight: 64, streams: 64 };
    Setup {
        allowed: Allowed::loopback(port),
        public_url: format!("http://127.0.0.1:{port}"),
        stateful: true,
        tokens: None,
        limits: Limits { rate, sessions_each: 1000, ..Limits::default() },
        clock: Arc::new(move || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)),
        ready: Arc::new(|| true),
        metrics: Arc::new(String::new),
    }
}

/// Serves the router, adding the token that the suite cannot send.
pub(crate) async fn run(router: Router, port: u16) {
    let router = router.layer(from_fn(async |mut request: Request, next: Next| {
        let token = HeaderValue::from_static("Bearer token-broadcast");
        request.headers_mut().insert(header::AUTHORIZATION, token);
        next.run(request).await
    }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    serve(
        listener,
        async |socket| Ok(socket),
        router,
        Connections::default(),
        std::future::pending(),
    )
    .await;
}
