//! What stands around the pages of every server: which Host and Origin are answered, the headers of every answer, the files
//! that pages use, and what is said at a path where there is no page.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use quorate_pages::{ASSET_CACHE, REPORTS, asset, headers, headers_under_tls};

use crate::guard::Allowed;
use crate::reports;
use crate::sessions::set_cookie;

/// For a year, browsers open the host and what is below its name under TLS only (OWASP ASVS 5.0, V3.4.1).
const STRICTLY: &str = "max-age=31536000; includeSubDomains";

/// Why there is no page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stray {
    /// The request is for another address, or a change comes from another site's page.
    Elsewhere,
    /// There is nothing at this path.
    Nothing,
    /// This path takes what a form sends, and somebody looks at it: they typed it, or load it again.
    Form,
}

/// One server's pages.
#[derive(Clone, Debug)]
pub struct Site {
    /// The Host and Origin values that are answered.
    pub allowed: Allowed,
    /// The largest form, in bytes.
    pub form_bytes: usize,
    /// The page that says why there is none.
    pub stray: fn(Stray) -> Response,
}

impl Site {
    /// Puts everything around the routes of a server.
    pub fn around<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        let Self { allowed, form_bytes, stray } = self;
        let nothing = move || async move { stray(Stray::Nothing) };
        let files = move |request: Request| async move {
            file(request.uri().path()).unwrap_or_else(|| stray(Stray::Nothing))
        };
        routes
            .route("/assets/{name}", get(files))
            .route(REPORTS, reports::route())
            .fallback(nothing)
            .layer(DefaultBodyLimit::max(form_bytes))
            .layer(from_fn_with_state((allowed, stray), guarded))
    }
}

/// Whether somebody looks, and changes nothing.
fn is_look(request: &Request) -> bool {
    matches!(request.method().as_str(), "GET" | "HEAD")
}

/// Whether a request may be looked at: it is for this host, and a change names this origin, which no other site's page can. What
/// browsers report by themselves changes nothing, and has its own rule.
fn is_ours(allowed: &Allowed, request: &Request) -> bool {
    if request.method() == Method::POST && request.uri().path() == REPORTS {
        return reports::are_ours(allowed, request.headers());
    }
    let names_origin = request.headers().contains_key(header::ORIGIN);
    allowed.admit(request.headers()).is_ok() && (is_look(request) || names_origin)
}

type Guard = (Allowed, fn(Stray) -> Response);

async fn guarded(State((allowed, stray)): State<Guard>, request: Request, next: Next) -> Response {
    let is_look = is_look(&request);
    let mut response = match is_ours(&allowed, &request) {
        true => next.run(request).await,
        false => stray(Stray::Elsewhere),
    };
    if is_look && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = in_words(response, stray);
    }
    let secure = allowed.is_secure();
    let around = if secure { headers_under_tls() } else { headers() };
    for (name, value) in around {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if secure {
        let (name, value) = (header::STRICT_TRANSPORT_SECURITY, STRICTLY);
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page in place of an empty answer. It is put here and not at the routes, so that whoever turns strangers away in front of
/// a route has turned them away before; what rides on the answer, such as who asked, stays on it.
fn in_words(mut empty: Response, stray: fn(Stray) -> Response) -> Response {
    let mut page = stray(Stray::Form);
    if let Some(methods) = empty.headers_mut().remove(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, methods);
    }
    page.extensions_mut().extend(std::mem::take(empty.extensions_mut()));
    page
}

/// A file of the look that every screen shares.
fn file(path: &str) -> Option<Response> {
    let found = asset(path)?;
    let kind = [(header::CONTENT_TYPE, found.mime), (header::CACHE_CONTROL, ASSET_CACHE)];
    Some((kind, found.bytes).into_response())
}

/// What a browser forgets of the site when somebody signs out (OWASP ASVS 5.0, V14.3.1). The cookie is not named here: this
/// header would take every cookie of the registrable domain, which other servers share, and ours is taken back by its own
/// name. What stays is the log key that a person pinned in this browser: it is no secret, and to forget it would be to
/// trust the server anew.
const FORGET: HeaderValue = HeaderValue::from_static("\"cache\"");

/// Elsewhere on the same site, with this session's cookie, or with none from now on and nothing kept.
pub fn to_with(path: &str, cookie: &str, value: Option<&str>) -> Response {
    with_cookie(Redirect::to(path).into_response(), cookie, value)
}

/// An answer with this session's cookie, or with none from now on and nothing kept.
pub fn with_cookie(mut response: Response, cookie: &str, value: Option<&str>) -> Response {
    if value.is_none() {
        response.headers_mut().insert("clear-site-data", FORGET);
    }
    if let Some(line) = set_cookie(cookie, value) {
        response.headers_mut().insert(header::SET_COOKIE, line);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use tower::ServiceExt as _;

    fn stray(why: Stray) -> Response {
        let status = match why {
            Stray::Elsewhere => StatusCode::FORBIDDEN,
            Stray::Nothing => StatusCode::NOT_FOUND,
            Stray::Form => StatusCode::METHOD_NOT_ALLOWED,
        };
        (status, format!("{why:?}")).into_response()
    }

    /// As a server answers strangers before it says anything of a path.
    async fn turned_away(_: Request, _: Next) -> Response {
        StatusCode::UNAUTHORIZED.into_response()
    }

    async fn answer(origin: &str, method: &str, path: &str, lines: &[(&str, &str)]) -> Response {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        let site = Site { allowed: Allowed::new([host], [origin]), form_bytes: 8, stray };
        let read = |body: String| async move { body };
        let pages = Router::new().route("/", get(|| async { "page" }).post(read));
        let shut = Router::new().route("/shut", post(read)).layer(from_fn(turned_away));
        let router = site.around(pages.route("/form", post(read)).merge(shut));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        router.oneshot(request.body(Body::from("123456789")).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_change_comes_from_a_page_of_the_site_or_is_not_looked_at() {
        let (ours, here) = ("https://desk.example:7420", ("host", "desk.example:7420"));
        for (method, lines, expected) in [
            ("GET", vec![here], 200),
            ("GET", vec![("host", "evil.example")], 403),
            ("GET", vec![here, ("origin", "https://evil.example")], 403),
            ("GET", vec![], 403),
            ("POST", vec![here], 403),
            ("POST", vec![here, ("origin", "null")], 403),
            ("POST", vec![here, ("origin", ours), ("origin", ours)], 403),
            // It is looked at, and its form is longer than eight bytes.
            ("POST", vec![here, ("origin", ours)], 413),
        ] {
            let answered = answer(ours, method, "/", &lines).await;
            assert_eq!(answered.status(), expected, "{method} {lines:?}");
            let has = |name: &str| answered.headers().contains_key(name);
            assert!(has("content-security-policy") && has("strict-transport-security"));
            assert!(has("reporting-endpoints"));
        }
    }

    #[tokio::test]
    async fn whoever_looks_at_what_takes_a_form_is_told_so_and_a_stranger_no_more_than_before() {
        let (ours, host) = ("https://desk.example", ("host", "desk.example"));
        let lines = [host, ("origin", ours)];
        for (method, path, status, said) in [
            ("GET", "/form", 405, "Form"),
            ("HEAD", "/form", 405, ""),
            ("GET", "/csp-reports", 405, "Form"),
            // No browser asks this by itself.
            ("PUT", "/form", 405, ""),
            ("GET", "/shut", 401, ""),
        ] {
            let answered = answer(ours, method, path, &lines).await;
            assert_eq!(answered.status(), status, "{method} {path}");
            assert!(status != 405 || answered.headers()["allow"] == "POST", "{method} {path}");
            assert!(answered.headers().contains_key("content-security-policy"));
            let body = axum::body::to_bytes(answered.into_body(), 1_000).await.unwrap();
            assert_eq!(body, said.as_bytes(), "{method} {path}");
        }
        let elsewhere = answer(ours, "GET", "/form", &[("host", "evil.example")]).await;
        assert_eq!(elsewhere.status(), 403, "another address is told nothing of the path");
    }

    #[tokio::test]
    async fn tls_is_promised_only_where_every_origin_has_it() {
        let answered = answer("http://localhost:1", "GET", "/", &[("host", "localhost:1")]).await;
        assert_eq!(answered.status(), 200);
        assert!(!answered.headers().contains_key("strict-transport-security"));
        assert!(!answered.headers().contains_key("reporting-endpoints"), "it would be unread");
    }

    #[test]
    fn whoever_signs_out_leaves_nothing_of_this_server_and_all_of_its_neighbours() {
        let (within, out) = (to_with("/", "__Host-a", Some("x")), to_with("/", "__Host-a", None));
        let said = |response: &Response, name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        assert!(said(&within, "set-cookie").unwrap().starts_with("__Host-a=x; Path=/; Secure; "));
        assert_eq!(said(&within, "clear-site-data"), None);
        assert!(said(&out, "set-cookie").unwrap().contains("Max-Age=0"));
        assert!(said(&out, "set-cookie").unwrap().starts_with("__Host-a=; "));
        assert_eq!(said(&out, "clear-site-data").unwrap(), "\"cache\"");
    }

    #[tokio::test]
    async fn a_file_is_served_under_its_digest_and_nothing_else_is() {
        let host = [("host", "localhost:1")];
        let style = &quorate_pages::assets()[0];
        let found = answer("http://localhost:1", "GET", &style.path, &host).await;
        assert_eq!(found.headers()["cache-control"], ASSET_CACHE);
        assert_eq!(found.headers()["content-type"], style.mime);
        for path in ["/assets/style.css", "/nowhere", "/assets/"] {
            let missing = answer("http://localhost:1", "GET", path, &host).await;
            assert_eq!(missing.status(), 404, "{path}");
            assert_eq!(missing.headers()["cache-control"], "no-store");
        }
    }
}
