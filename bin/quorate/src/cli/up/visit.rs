//! One request of whoever was let in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use quorate_pages::Markup;
use quorate_terms::Digest;
use quorate_web::Known;

use super::door::Here;
use super::paper;
use crate::cli::trouble::Trouble;

/// What somebody typed, by field.
pub(super) type Typed = BTreeMap<String, String>;

/// Somebody at the founding.
pub(super) struct Visit {
    pub(super) founder: Here,
    pub(super) path: String,
    /// The session, by which it is known whether it is over.
    pub(super) session: Digest,
}

/// What a page gives.
pub(super) type Answered = Result<Response, Refused>;

/// A refusal as a page.
pub(super) enum Refused {
    /// Nobody was let in.
    Nobody,
    /// The founding is finished: nobody is let in any more.
    Closed,
    /// Something else.
    Trouble(Trouble),
}

impl<T: Into<Trouble>> From<T> for Refused {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, page) = match self {
            Self::Nobody => (StatusCode::UNAUTHORIZED, paper::nobody(None)),
            Self::Closed => (StatusCode::GONE, paper::closed(None)),
            Self::Trouble(trouble) => (StatusCode::CONFLICT, paper::refused(&trouble)),
        };
        (status, Html(page)).into_response()
    }
}

impl FromRequestParts<Here> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, founder: &Here) -> Result<Self, Refused> {
        if founder.is_closed() {
            return Err(Refused::Closed);
        }
        let session = founder.session(&parts.headers).ok_or(Refused::Nobody)?;
        Ok(Self { founder: Arc::clone(founder), path: parts.uri.path().to_owned(), session })
    }
}

impl Visit {
    /// A whole page; with a complaint about what was typed it is no success.
    pub(super) fn page(&self, title: &str, body: Markup, complaint: Option<&Trouble>) -> Answered {
        self.page_live(title, body, complaint, None)
    }

    /// The same, kept up to date by events from a path.
    pub(super) fn page_live(
        &self,
        title: &str,
        body: Markup,
        complaint: Option<&Trouble>,
        live: Option<&str>,
    ) -> Answered {
        let frame = self.founder.kept(|kept| paper::frame(kept, &self.path, title, body));
        let page = paper::with(frame, complaint, live);
        let status =
            if complaint.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let mut response = (status, Html(page)).into_response();
        response.extensions_mut().insert(Known);
        Ok(response)
    }

    /// To another page of the founding.
    pub(super) fn go(path: &str) -> Answered {
        Ok(Redirect::to(path).into_response())
    }
}

/// What was typed into a field, trimmed; empty if nothing was.
pub(super) fn said<'a>(typed: &'a Typed, name: &str) -> &'a str {
    typed.get(name).map_or("", |text| text.trim())
}

/// The same, or none.
pub(super) fn given(typed: &Typed, name: &str) -> Option<String> {
    Some(said(typed, name)).filter(|text| !text.is_empty()).map(str::to_owned)
}
