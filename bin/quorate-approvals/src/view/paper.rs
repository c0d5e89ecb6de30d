//! How the view looks. Every word on a case is the screen's own, so that what is signed to have been seen is what was seen.

use std::path::Path;

use quorate_pages::{
    Alert, CreatePasskey, Frame, GetPasskey, Link, Markup, Press, Tone, badge, details, digest,
    empty, facts, form_as, hidden, outside, paragraph, qr, recompute, section, table, when,
};
use quorate_terms::approval::{ApprovalBody, Verdict};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::digest::tag;
use quorate_terms::passkey::{Passkey, ViewSeat};
use quorate_terms::{CaseId, CredentialId, Digest, Term as _};
use quorate_web::sessions::SIGN_IN_AGAIN;

use crate::list;
use crate::screen::Screen;
use crate::show::View;
use crate::trouble::{Done, Trouble};

use super::office::Shown;
use super::sessions::Session;

/// How long a browser waits for a finger, in milliseconds.
const TIMEOUT_MS: u32 = 120_000;

/// The size of the book, and why the desk cannot be followed, if it cannot.
type Told = (u64, Option<String>);

/// What a page has seen of the book and of the desk, as one digest.
pub(super) fn seen((size, trouble): &Told) -> Digest {
    Digest::sha256(format!("{size} {}", trouble.as_deref().unwrap_or_default()).as_bytes())
}

/// What stands on the page of a case, beside whose page it is.
pub(super) struct Case<'a> {
    /// The words that are signed to have been seen, and what they are about.
    pub(super) shown: &'a Shown,
    /// What a node adds, where the view asks one.
    pub(super) simulated: Option<&'a Screen>,
    /// The person's words, as they would be signed.
    pub(super) asks: &'a [(String, ApprovalBody)],
}

fn frame(party: &str, title: &str, body: Markup) -> Frame {
    Frame { party: party.to_owned(), ..Frame::bare("Approvals view", title, body) }
}

fn of(seat: &ViewSeat, title: &str, body: Markup) -> Frame {
    frame(&format!("{}, run by {}", seat.view, seat.operator), title, body)
}

fn alert(tone: Tone, text: impl Into<String>) -> Alert {
    Alert { tone, text: text.into() }
}

/// The frame of somebody who is signed in.
fn signed_in(seat: &ViewSeat, session: &Session, title: &str, parts: (Markup, &Told)) -> Frame {
    let (body, told) = parts;
    let (_, trouble) = told;
    let mut frame = of(seat, title, body);
    frame.is_signed_in = true;
    frame.nav = ways(format!("Cases for {}", session.who.approver), title);
    frame.live = Some(format!("/events?seen={}", seen(told)));
    let lost = trouble.iter().map(|why| alert(Tone::Bad, format!("the desk: {why}")));
    frame.alerts.extend(lost);
    frame
}

/// The ways of somebody who is signed in. `cases` is what the first page is called.
fn ways(cases: String, title: &str) -> Vec<Link> {
    let link = |href: &str, label: String, page: &str| Link {
        href: href.to_owned(),
        label,
        is_here: title == page,
    };
    vec![link("/", cases, HOME), link("/sessions", "Signed in".to_owned(), SESSIONS)]
}

const HOME: &str = "What waits for you";
const SESSIONS: &str = "Where you are signed in";

/// The first page before anybody is signed in.
pub(super) fn sign_in(
    seat: &ViewSeat,
    passkeys: &[(ApproverSeat, Passkey)],
    (name, challenge): (&str, &Digest),
) -> String {
    if passkeys.is_empty() {
        let next = "found the vault with passkeys of this view, or change its charter";
        return of(seat, "Sign in", empty("The charter seats no passkey of this view.", next))
            .render();
    }
    let allow: Vec<Vec<u8>> =
        passkeys.iter().map(|(_, passkey)| passkey.handle.as_bytes().to_vec()).collect();
    let form = GetPasskey {
        action: "/sign-in",
        challenge: challenge.as_bytes(),
        rp_id: &seat.rp_id,
        allow: &allow,
        timeout_ms: TIMEOUT_MS,
        needs_recompute: false,
        fields: hidden(&[("ask", name)]),
        button: "Sign in with your passkey",
    };
    let said = Markup::text("Signing in shows you what is asked. It moves nothing.");
    of(seat, "Sign in", Markup::all([said, form.render()])).render()
}

/// What waits for a person, and everything else that is open.
pub(super) fn home(seat: &ViewSeat, session: &Session, view: &View<'_>, told: &Told) -> String {
    let (mine, all) = (list::list(view, false), list::list(view, true));
    let waiting = cases(&mine, "Cases that wait for your word");
    let body = match waiting {
        Some(table) => table,
        None => {
            empty("Nothing waits for your word.", "this page changes by itself when something does")
        }
    };
    let open = cases(&all, "All open cases").map(|table| details("All open cases", table));
    let stands: Vec<_> = mine.rows().map(|(label, text)| (label, outside(text))).collect();
    let stands = (!stands.is_empty()).then(|| facts(stands));
    let body = Markup::all(stands.into_iter().chain([body]).chain(open));
    let mut frame = signed_in(seat, session, HOME, (body, told));
    frame.alerts.extend(mine.warnings().iter().map(|text| alert(Tone::Warn, text)));
    frame.render()
}

fn cases(screen: &Screen, caption: &str) -> Option<Markup> {
    let rows = screen.json.get("cases")?.as_array().filter(|rows| !rows.is_empty())?;
    let cell = |row: &serde_json::Value, name: &str| match row
        .get(name)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
    {
        "" => Markup::text("none"),
        words => outside(words),
    };
    let names = ["what", "much", "to", "by", "agreed", "left"];
    let line = |row: &serde_json::Value| {
        let case = row.get("case").and_then(serde_json::Value::as_str).unwrap_or_default();
        let link = quorate_pages::link(&format!("/cases/{case}"), "Read");
        names.iter().map(|name| cell(row, name)).chain([link]).collect()
    };
    let headings = ["What", "How much", "To", "Asked by", "Agreed", "Expires in", "Case"];
    Some(table(caption, &headings, rows.iter().map(line).collect()))
}

/// A case, whole, with the person's own yes and no.
pub(super) fn case(
    seat: &ViewSeat,
    (session, id): (&Session, &CaseId),
    &Case { shown, simulated, asks }: &Case<'_>,
    (mine, told): (Option<(ApproverSeat, Passkey)>, &Told),
) -> Done<String> {
    let rows = shown.screen.rows();
    let rows = rows.map(|(label, text)| (label, outside(text))).collect();
    let intent = recompute(tag::INTENT, &id.to_string(), &shown.intent);
    let words = digest(&shown.screen.digest().to_string());
    let seen = details("Digest of the words above, which is signed too", words);
    let mut body = vec![facts(rows), intent, seen];
    body.extend(simulated.map(simulation));
    let handle = mine.map(|(_, passkey)| passkey.handle.as_bytes().to_vec());
    for (name, said) in asks {
        body.push(say(seat, id, (name, said), handle.as_slice())?);
    }
    if asks.is_empty() {
        body.push(empty("Your word is not wanted here now.", "nothing needs doing"));
    }
    body.extend(hand_over(seat, id));
    let title = format!("Case {}", id.intent().short());
    let mut frame = signed_in(seat, session, &title, (Markup::all(body), told));
    let warnings = [Some(&shown.screen), simulated].into_iter().flatten();
    let warnings = warnings.flat_map(|screen| screen.warnings());
    frame.alerts.extend(warnings.map(|text| alert(Tone::Bad, text)));
    Ok(frame.render())
}

/// What a node adds. It stands apart from the words whose digest is signed.
fn simulation(screen: &Screen) -> Markup {
    let rows = screen.rows().map(|(label, text)| (label, outside(text))).collect();
    section("What a simulation shows", facts(rows))
}

/// The way from a laptop to a phone, where a phone can reach the view at all.
fn hand_over(seat: &ViewSeat, id: &CaseId) -> Option<Markup> {
    let said = "Open this case on your phone. The phone asks you to sign in there.";
    let address = format!("{}/cases/{id}", seat.origin);
    seat.origin.starts_with("https://").then(|| qr(said, &address))
}

/// Every session of a person, each with a button that ends it; of others only for who signed in a moment ago.
pub(super) fn sessions(
    seat: &ViewSeat,
    (session, is_fresh): (&Session, bool),
    (open, told): (&[Session], &Told),
) -> String {
    let line = |one: &Session| {
        let name = one.name.to_string();
        let fields = hidden(&[("session", name.as_str())]);
        let (badge, words) = match one.name == session.name {
            true => (badge(Tone::Good, "this one"), "End this one"),
            false => (badge(Tone::Note, "another"), "End it"),
        };
        let end = match one.name == session.name || is_fresh {
            true => form_as(Press::No, "/sessions/end", fields, words),
            false => Markup::text("sign in again first"),
        };
        vec![badge, outside(one.who.credential.as_str()), when(one.begun), when(one.seen), end]
    };
    let headings = ["Session", "Passkey", "Since", "Last seen", "End"];
    let rows = open.iter().map(line).collect();
    let body = table("Sessions of yours at this view", &headings, rows);
    let said = Markup::text(
        "A session ends by itself after 15 minutes without a request, and after 8 hours in all.",
    );
    let others = match (open.len() > 1, is_fresh) {
        (false, _) => Markup::default(),
        (true, true) => {
            let none = Markup::default();
            form_as(Press::No, "/sessions/end-others", none, "End all but this one")
        }
        (true, false) => paragraph(Markup::text(SIGN_IN_AGAIN)),
    };
    signed_in(seat, session, SESSIONS, (Markup::all([body, others, said]), told)).render()
}

fn say(
    seat: &ViewSeat,
    id: &CaseId,
    (name, said): (&str, &ApprovalBody),
    allow: &[Vec<u8>],
) -> Done<Markup> {
    let challenge = said.digest()?;
    let button = match said.verdict {
        Verdict::Approve => "Approve with your passkey",
        Verdict::Reject => "Reject with your passkey",
    };
    let press = match said.verdict {
        Verdict::Approve => Press::Yes,
        Verdict::Reject => Press::No,
    };
    let form = GetPasskey {
        action: &format!("/cases/{id}/word"),
        challenge: challenge.as_bytes(),
        rp_id: &seat.rp_id,
        allow,
        timeout_ms: TIMEOUT_MS,
        needs_recompute: true,
        fields: hidden(&[("ask", name)]),
        button,
    };
    Ok(form.render_as(press))
}

/// Asks for the code that the view printed.
pub(super) fn ask_code(seat: &ViewSeat) -> String {
    of(seat, "A new passkey", quorate_pages::code_form("/passkeys/new")).render()
}

/// Makes a passkey.
pub(super) fn create(
    seat: &ViewSeat,
    credential: &CredentialId,
    (name, challenge): (&str, &Digest),
) -> String {
    let form = CreatePasskey {
        action: "/passkeys/made",
        challenge: challenge.as_bytes(),
        rp_id: &seat.rp_id,
        rp_name: "Quorate approvals",
        user_id: challenge.as_bytes(),
        user_name: credential.as_str(),
        exclude: &[],
        timeout_ms: TIMEOUT_MS,
        fields: hidden(&[("ask", name), ("credential", credential.as_str())]),
        button: "Make the passkey",
    };
    of(seat, "A new passkey", form.render()).render()
}

/// Uses a new passkey once: what cannot sign is not kept.
pub(super) fn first_use(
    seat: &ViewSeat,
    passkey: &Passkey,
    (name, challenge): (&str, &Digest),
) -> String {
    let form = GetPasskey {
        action: "/passkeys/used",
        challenge: challenge.as_bytes(),
        rp_id: &seat.rp_id,
        allow: &[passkey.handle.as_bytes().to_vec()],
        timeout_ms: TIMEOUT_MS,
        needs_recompute: false,
        fields: hidden(&[("ask", name)]),
        button: "Use it once",
    };
    of(seat, "Use the new passkey once", form.render()).render()
}

/// Says where a new passkey lies.
pub(super) fn kept(seat: &ViewSeat, passkey: &Passkey, path: &Path) -> String {
    let body = facts(vec![
        ("Passkey", outside(passkey.credential.as_str())),
        ("Key", outside(&passkey.key.to_string())),
        ("File at the view", outside(&path.display().to_string())),
        (
            "Next",
            Markup::running("take the file into your enrolment: `quorate-approvals passkey FILE`"),
        ),
    ]);
    of(seat, "The passkey is made", body).render()
}

/// A refusal: what, and what to do next. Whoever is signed in keeps the ways to other pages.
pub(super) fn refused(trouble: &Trouble, is_signed_in: bool) -> String {
    let body = facts(vec![
        ("What happened", outside(&trouble.message)),
        ("What to do next", outside(&trouble.next)),
        ("Code", outside(&trouble.code)),
        ("First page", quorate_pages::link("/", "What waits for you")),
    ]);
    let mut frame = frame("", "Refused", body);
    if is_signed_in {
        frame.is_signed_in = true;
        frame.nav = ways("Cases".to_owned(), &frame.title);
    }
    frame.alerts.push(alert(Tone::Bad, trouble.message.clone()));
    frame.render()
}
