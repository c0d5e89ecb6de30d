//! What a charter's views give up. A view is worth as much as the machine and the people that run it: who takes them over can
//! show one thing and ask passkeys for another.

use std::collections::BTreeSet;
use std::time::Duration;

use quorate_host::findings::{Findings, Grade};
use quorate_host::telemetry::safe;
use quorate_host::{Clock as _, Fault, SystemClock, https};
use quorate_terms::Timestamp;
use quorate_terms::charter::CharterText;
use quorate_terms::passkey::ViewSeat;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::quorum::Quorum;

const PROPOSE: &str =
    "by `quorate charter propose`, seat a view on a machine that another party runs";

/// How long a view may take to show its certificate.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is given up where one machine is enough.
const GIVEN_UP: &str = "can show one thing and have another signed";

/// Looks at the views of a charter and at the quorums under it. `own` is the desk's operator, where `desk.toml` names it.
pub(super) fn look(
    text: &CharterText,
    policy: &PolicyDocument,
    own: Option<&str>,
    found: &mut Findings,
) {
    let operators: BTreeSet<&str> = text.views.iter().map(|view| view.operator.as_str()).collect();
    for view in &text.views {
        one(view, own, found);
    }
    match operators.len() {
        0 => {
            let why = "the charter seats none, so all approve with keys in files: whoever takes over the machine \
                       with the file can show one thing and have another signed";
            found.add(Grade::Warn, "views", why, PROPOSE);
        }
        1 => {
            let why = format!(
                "`{}` runs every one: whoever takes over its machine {GIVEN_UP}",
                operators.iter().map(|name| safe(name)).collect::<String>()
            );
            found.add(Grade::Warn, "views", why, PROPOSE);
        }
        many => demanded(text, policy, many, found),
    }
}

/// Whether some quorum makes use of it that several parties run views.
fn demanded(text: &CharterText, policy: &PolicyDocument, many: usize, found: &mut Findings) {
    let asks = |quorum: &&Quorum| quorum.parties.is_some_and(|parties| parties > 1);
    let quorums = policy.quorums.iter().chain([&text.governance]);
    let names: Vec<_> = quorums.filter(asks).map(|quorum| format!("`{}`", quorum.name)).collect();
    if names.is_empty() {
        let why = format!("{many} parties run them, and no quorum asks for more than one of these");
        let mend =
            "by `quorate policy propose`, give the quorums for large values `\"parties\": 2`";
        return found.add(Grade::Warn, "views", why, mend);
    }
    let names = names.join(", ");
    found.ok("views", format!("{many} parties run them; several are asked for by {names}"));
    let machines = machines(text);
    let quorums = policy.quorums.iter().chain([&text.governance]);
    for quorum in quorums.filter(|quorum| quorum.parties.is_some_and(|asked| asked > machines)) {
        let why = format!(
            "it asks for views of several parties, and origins on the own machine may be one machine: whoever takes that over \
             {GIVEN_UP}"
        );
        found.add(Grade::Warn, format!("quorum {}", quorum.name), why, PROPOSE);
    }
}

/// On how many machines of different parties views surely stand. Those whose origin is their own machine count as one.
fn machines(text: &CharterText) -> u32 {
    let of = |local: bool| {
        let views = text.views.iter().filter(move |view| view.is_local() == local);
        views.map(|view| view.operator.as_str()).collect::<BTreeSet<_>>()
    };
    let (elsewhere, local) = (of(false), of(true));
    let one_more = local.difference(&elsewhere).next().is_some();
    u32::try_from(elsewhere.len()).unwrap_or(u32::MAX).saturating_add(one_more.into())
}

fn one(view: &ViewSeat, own: Option<&str>, found: &mut Findings) {
    let what = format!("view {}", view.view);
    let operator = safe(&view.operator);
    if view.is_local() {
        let why = format!(
            "its origin is its own machine; if that is the desk's, whoever takes it over {GIVEN_UP}"
        );
        return found.add(
            Grade::Warn,
            what,
            why,
            format!("for a demonstration nothing; else {PROPOSE}"),
        );
    }
    if own == Some(view.operator.as_str()) {
        let why = format!(
            "the desk's own operator, `{operator}`, runs it: whoever takes both over {GIVEN_UP}"
        );
        return found.add(Grade::Warn, what, why, PROPOSE);
    }
    found.ok(
        what,
        match own {
            Some(_) => format!("run by `{operator}`, which does not run the desk"),
            None => format!("run by `{operator}`; `operator` in desk.toml tells who runs the desk"),
        },
    );
}

/// Looks at the certificate that each view under TLS shows, as the browsers of those who approve will see it.
pub(super) async fn certificates(text: &CharterText, found: &mut Findings) {
    for view in text.views.iter().filter(|view| view.origin.starts_with("https://")) {
        let now = SystemClock::new().now();
        let shown = https::shown(&view.origin, now, PATIENCE).await;
        certificate(view, shown, now, found);
    }
}

/// Who must do what: the desk's people cannot renew another party's certificate, and tell who can.
fn certificate(
    view: &ViewSeat,
    shown: Result<Timestamp, Fault>,
    now: Timestamp,
    found: &mut Findings,
) {
    let what = format!("certificate of view {}", view.view);
    let operator = safe(&view.operator);
    match shown {
        Ok(until) if until < now.plus_s(https::RENEW_S) => {
            let why = format!("runs out at {}; after that nobody approves there", until.utc());
            let mend = format!(
                "tell `{operator}`: renew it and put it in place; the view takes it up without a restart"
            );
            found.add(Grade::Warn, what, why, mend);
        }
        Ok(until) => found.ok(what, format!("for its name, valid until {}", until.utc())),
        Err(fault) => {
            let mend = format!("tell `{operator}`, who runs it: {}", fault.mend());
            found.add(Grade::Bad, what, fault.why().to_owned(), mend);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::engine::house;

    fn check(views: &[(&str, &str)], parties: Option<u32>, own: Option<&str>, expected: &[&str]) {
        let seats = views.iter().enumerate().map(|(at, (origin, operator))| ViewSeat {
            view: house::id(&format!("v{at}")),
            origin: (*origin).to_owned(),
            rp_id: "example".to_owned(),
            operator: (*operator).to_owned(),
            link: house::public(&format!("v{at}")),
        });
        let mut text = CharterText { views: seats.collect(), ..house::charter() };
        text.policy.quorums[0].parties = parties;
        let mut found = Findings::default();
        look(&text, &text.policy, own, &mut found);
        assert!(found.is_healthy(), "a choice of the operators', and theirs to know");
        let json = found.json();
        let said: Vec<String> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| {
                format!(
                    "{} {}: {}",
                    f["grade"].as_str().unwrap(),
                    f["what"].as_str().unwrap(),
                    f["found"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said} and not {expected}");
        }
    }

    const HOME: (&str, &str) = ("https://approve.acme.example", "Acme AG");
    const HOST: (&str, &str) = ("https://approve.host.example", "Host Ltd");

    #[test]
    fn the_doctor_says_what_no_view_and_a_single_operator_give_up() {
        check(&[], None, None, &["warn views: the charter seats none"]);
        let second = ("https://approve2.acme.example", "Acme AG");
        check(
            &[HOME, second],
            None,
            None,
            &["ok view v0", "ok view v1", "warn views: `Acme AG` runs every one"],
        );
    }

    #[test]
    fn the_doctor_says_which_view_stands_on_the_desk_s_machine_or_with_its_operator() {
        let local = ("http://localhost:7800", "Acme AG");
        let warned = "warn view v0: its origin is its own machine";
        check(&[local], None, None, &[warned, "warn views"]);
        let own = "warn view v1: the desk's own operator, `Host Ltd`, runs it";
        check(
            &[HOME, HOST],
            Some(2),
            Some("Host Ltd"),
            &["ok view v0", own, "ok views: 2 parties"],
        );
    }

    #[test]
    fn the_doctor_says_when_views_of_several_parties_may_stand_on_one_machine() {
        let local = |party: &'static str| ("http://localhost:7800", party);
        let warned = ["warn view v0: its origin", "warn view v1: its origin"];
        let one = "warn quorum";
        check(
            &[local("Acme AG"), local("Host Ltd")],
            Some(2),
            None,
            &[warned[0], warned[1], "ok views: 2 parties", one],
        );
        check(
            &[local("Acme AG"), HOST],
            Some(2),
            None,
            &[warned[0], "ok view v1", "ok views: 2 parties"],
        );
        let twice = [local("Host Ltd"), HOST, local("Acme AG")];
        let said = [warned[0], "ok view v1", "warn view v2: its origin", "ok views: 2 parties"];
        check(&twice, Some(2), None, &said);
    }

    #[test]
    fn the_doctor_says_when_no_quorum_asks_for_the_second_party() {
        let idle = "warn views: 2 parties run them, and no quorum asks";
        check(&[HOME, HOST], None, None, &["ok view v0", "ok view v1", idle]);
        check(&[HOME, HOST], Some(1), None, &["ok view v0", "ok view v1", idle]);
    }

    #[test]
    fn the_doctor_says_which_view_s_certificate_ends_and_who_must_see_to_it() {
        let view = ViewSeat {
            view: house::id("v0"),
            origin: HOST.0.to_owned(),
            rp_id: "example".to_owned(),
            operator: HOST.1.to_owned(),
            link: house::public("v0"),
        };
        let now = Timestamp::from_millis(1_795_000_000_000);
        let day = 86_400;
        for (shown, grade, words) in [
            (Ok(now.plus_s(90 * day)), "ok", "valid until"),
            (Ok(now.plus_s(13 * day)), "warn", "runs out at"),
            (Err(Fault::new(HOST.0, "ran out at noon", "renew it")), "bad", "ran out at noon"),
            (Err(Fault::new(HOST.0, "is not for `x`", "have one issued")), "bad", "not for"),
        ] {
            let mut found = Findings::default();
            certificate(&view, shown, now, &mut found);
            let said = found.json()["findings"][0].clone();
            assert_eq!(said["grade"], grade, "{said}");
            assert_eq!(said["what"], "certificate of view v0");
            assert!(said["found"].as_str().unwrap().contains(words), "{said}");
            let mend = said["mend"].as_str().unwrap_or_default();
            assert_eq!(mend.contains("tell `Host Ltd`"), grade != "ok", "{said}");
        }
    }
}
