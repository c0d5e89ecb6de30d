//! The one way in which anything is filed: the console keeps what was composed, shows it, and a browser answers the question
//! whether to file exactly that. The key of the filing comes from the question, so a form that is sent twice is one case.

use axum::Router;
use axum::extract::Form;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::post;
use quorate_pages::{Markup, Press};
use quorate_terms::commitment::Opening;
use quorate_terms::digest::tag;
use quorate_terms::intent::Action;
use quorate_terms::{Digest, IdempotencyKey};
use serde::Deserialize;

use super::Here;
use super::visit::{Answered, Ask, Visit, asked};
use crate::office::{FileRequest, Reply};

/// Something that can be filed.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) action: Action,
    pub(crate) openings: Vec<Opening>,
}

/// The answer to a question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Yes {
    pub(crate) ask: String,
}

/// Adds the route of filing.
pub(crate) fn routes(router: Router<Here>) -> Router<Here> {
    router.route("/file", post(file))
}

impl Visit {
    /// A button that files this act; nothing for whoever only looks.
    pub(crate) fn offer(&self, action: Action, button: (&str, Press)) -> Reply<Markup> {
        self.offer_with(Wish { action, openings: Vec::new() }, button)
    }

    /// The same with what opens the act's commitments.
    pub(crate) fn offer_with(&self, wish: Wish, button: (&str, Press)) -> Reply<Markup> {
        self.question(Ask::File(Box::new(wish)), ("/file", Markup::default()), button)
    }
}

async fn file(visit: Visit, Form(yes): Form<Yes>) -> Answered {
    visit.operator()?;
    let Ask::File(wish) = visit.answered(&yes.ask)? else { return Err(asked().into()) };
    // The question's name is a secret of this session: the ledger gets a digest of it.
    let key = format!("console-{}", Digest::of(tag::TOKEN, yes.ask.as_bytes()));
    let filed = FileRequest {
        person: visit.caller.owner.clone(),
        key: IdempotencyKey::new(key)?,
        action: wish.action,
        openings: wish.openings,
    };
    let case = visit.console.office.file(filed).await?.case;
    Ok(Redirect::to(&format!("/cases/{case}")).into_response())
}
