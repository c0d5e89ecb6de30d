//! Where the desk listens, tried at once.

use futures_util::future::BoxFuture;
use quorate_pages::{Field, Markup, form, text_field};
use tokio::net::TcpListener;

use super::super::kept::Kept;
use super::super::paper::say;
use super::super::visit::{Typed, said};
use super::{Step, shown};
use crate::cli::found::plan;
use crate::cli::read;
use crate::cli::trouble::{Tried, Trouble};

pub(super) const STEP: Step = Step {
    path: "/doors",
    label: "Doors",
    title: "Where the desk listens",
    owns: &["book-listen", "console-listen"],
    is_done: |answers| answers.book_listen.is_some(),
    body,
    take,
    ask: Some(ask),
    leads_on: true,
};

fn body(kept: &Kept, typed: &Typed) -> Markup {
    let answers = kept.answers();
    let book = text_field(Field {
        name: "book_listen",
        label: "Where approvers and cosigners follow the book",
        hint: "HOST:PORT of this machine as the others reach it, over mutual TLS.",
        value: shown(
            typed,
            "book_listen",
            answers.book_listen.as_deref().unwrap_or("127.0.0.1:7400"),
        ),
        optional: false,
    });
    let console = text_field(Field {
        name: "console_listen",
        label: "Where the console listens",
        hint: "A loopback address: the console is for people at this machine. From elsewhere it is reached through a tunnel.",
        value: shown(
            typed,
            "console_listen",
            answers.console_listen.as_deref().unwrap_or("127.0.0.1:7420"),
        ),
        optional: false,
    });
    let words = "Both addresses are tried now, so that the desk does not fail on them later.";
    Markup::all([say(words), form("/doors", Markup::all([book, console]), "Try both and go on")])
}

fn ask(typed: Typed) -> BoxFuture<'static, Tried<()>> {
    Box::pin(async move {
        let book = said(&typed, "book_listen");
        read::address("book_listen", book)?;
        let console = said(&typed, "console_listen");
        let address = plan::loopback("console_listen", console)?;
        if address.port() == 0 {
            let mend = "give one such as 127.0.0.1:7420";
            return Err(Trouble::new("console_listen", "has no port that people could open", mend));
        }
        let first = free("book_listen", book).await?;
        let second = free("console_listen", console).await?;
        drop((first, second));
        Ok(())
    })
}

/// Holds an address for a moment: two doors cannot have the same one.
async fn free(field: &str, address: &str) -> Tried<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| {
        let why = format!("`{address}` cannot be listened at ({e})");
        Trouble::new(field, why, "free the port, or give another address of this machine")
    })
}

fn take(kept: &mut Kept, typed: &Typed) -> Tried<()> {
    let text = |name: &str| Some(said(typed, name).to_owned());
    kept.change(|answers| {
        answers.book_listen = text("book_listen");
        answers.console_listen = text("console_listen");
        Ok(())
    })
}
