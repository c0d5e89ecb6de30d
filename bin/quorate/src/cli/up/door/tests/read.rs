//! What stands on the summary is what is founded: every seat, key and address, and nothing that came after it was read.

use quorate_terms::charter::SourceSeat;
use quorate_terms::fact::FactKind;
use quorate_terms::passkey::{Blob, Passkey, PasskeyKey, ViewSeat};

use super::*;
use crate::cli::source::SourceEnrolment;

fn view(name: &str, operator: &str) -> String {
    let seat = ViewSeat {
        view: name.parse().unwrap(),
        origin: format!("https://{name}.example"),
        rp_id: format!("{name}.example"),
        operator: operator.to_owned(),
        link: key(),
    };
    serde_json::to_string(&seat).unwrap()
}

fn source(name: &str) -> String {
    let kinds = [FactKind::Finality].into();
    let seat = SourceSeat { source: name.parse().unwrap(), key: key(), kinds };
    serde_json::to_string(&SourceEnrolment { seat, identity: key() }).unwrap()
}

/// An approver's enrolment with a passkey of a view.
fn with_passkey(name: &str, view: &str) -> String {
    let mut seat: ApproverSeat = serde_json::from_str(&approver(name)).unwrap();
    seat.passkeys.push(Passkey {
        credential: format!("{name}-touch").parse().unwrap(),
        view: view.parse().unwrap(),
        handle: Blob::new(vec![7; 16]).unwrap(),
        key: PasskeyKey::from_bytes([4; 65]).unwrap(),
    });
    serde_json::to_string(&seat).unwrap()
}

/// Answers everything there is, with a view, a passkey and a source.
async fn answer_all(room: &Room) {
    answer(room).await;
    room.keeps("/people", &[("act", "view"), ("view", &view("front", "front ltd"))]).await;
    let dee = with_passkey("dee", "front");
    room.keeps("/people", &[("act", "approver"), ("seat", &dee)]).await;
    let at = [("act", "source"), ("seat", &source("finality-1")), ("from", "127.0.0.1:7450")];
    room.keeps("/sources", &at).await;
}

#[tokio::test]
async fn every_seat_key_and_address_of_the_charter_stands_on_the_summary() {
    let room = Room::entered().await;
    answer_all(&room).await;
    let page = room.get("/summary").await.text;
    let answers = room.founder.kept(|kept| kept.resolved());
    let plan = crate::cli::found::plan::Plan::of(&answers).unwrap();
    let charter = plan.draft();
    let mut parts: Vec<String> = Vec::new();
    parts.extend(charter.approvers.iter().map(|seat| seat.key.to_string()));
    parts.extend(charter.cosigners.iter().map(|seat| seat.identity.to_string()));
    parts.extend(charter.views.iter().map(|seat| seat.link.to_string()));
    parts.extend(charter.sources.iter().map(|seat| seat.key.to_string()));
    parts.extend(plan.chains.keys().map(ToString::to_string));
    parts.push(charter.approvers[3].passkeys[0].key.to_string());
    let others = [
        "front ltd",
        "https://front.example",
        "dee-touch",
        "finality-1",
        "127.0.0.1:7450",
        "Others follow the book at",
        plan.console_listen.as_deref().unwrap(),
        "waits 1 day",
        "One company runs every view",
    ];
    parts.extend(others.map(str::to_owned));
    for part in &parts {
        assert!(page.contains(part.as_str()), "{part} in {page}");
    }
    assert!(parts.len() > 12 && !page.contains("No view is seated"), "{page}");
    room.keeps("/people", &[("act", "view"), ("view", &view("back", "back ltd"))]).await;
    let page = room.get("/summary").await.text;
    assert!(page.contains("back ltd") && !page.contains("One company runs every view"), "{page}");
}

/// What is typed into a form.
type Form<'a> = Vec<(&'a str, &'a str)>;

#[tokio::test]
async fn whoever_is_seated_again_with_other_keys_was_not_read() {
    let room = Room::entered().await;
    answer_all(&room).await;
    let (cy, west) = (approver("cy"), cosigner("west"));
    let (front, finality) = (view("front", "front ltd"), source("finality-1"));
    room.refuses("/people", &[("act", "view"), ("view", &front)], &["is seated"]).await;
    let dee = with_passkey("dee", "front");
    let seats: [(&str, &str, &str, Form<'_>); 5] = [
        (
            "/cosigners",
            "unseat",
            "west",
            vec![("act", "cosigner"), ("seat", &west), ("address", "127.0.0.1:7402")],
        ),
        (
            "/sources",
            "unseat",
            "finality-1",
            vec![("act", "source"), ("seat", &finality), ("from", "127.0.0.1:7450")],
        ),
        ("/people", "unview", "front", vec![("act", "view"), ("view", &front)]),
        ("/people", "unseat", "dee", vec![("act", "approver"), ("seat", &dee)]),
        ("/people", "unseat", "cy", vec![("act", "approver"), ("seat", &cy)]),
    ];
    for (path, out, name, again) in seats {
        let shown = shown_in(&room.get("/summary").await.text);
        room.keeps(path, &[("act", out), ("name", name)]).await;
        room.keeps(path, &again).await;
        room.keeps("/people", &[("act", "governance"), ("governance", "2")]).await;
        let said = room.post("/found", &[("shown", &shown)]).await;
        assert_eq!(said.status, 422, "{name}: {}", said.text);
        assert!(said.text.contains("read the summary again"), "{name}: {}", said.text);
    }
    assert!(!room.home.join("keys").exists(), "nothing was written");
    let shown = shown_in(&room.get("/summary").await.text);
    assert_eq!(room.post("/found", &[("shown", &shown)]).await.location, "/next");
    let next = room.get("/next").await.text;
    for part in [
        "quorate-cosigner run",
        "quorate source run",
        "quorate-approvals view accept --charter charter.json",
        "quorate-approvals view serve --listen 0.0.0.0:443 --certificate",
    ] {
        assert!(next.contains(part), "{part} in {next}");
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_together_lead_to_the_step_that_mends_them() {
    let room = Room::entered().await;
    answer(&room).await;
    room.keeps("/cosigners", &[("act", "threshold"), ("threshold", "2")]).await;
    for (name, at) in [("north", "127.0.0.1:7403"), ("south", "127.0.0.1:7404")] {
        let seat = cosigner(name);
        room.keeps("/cosigners", &[("act", "cosigner"), ("seat", &seat), ("address", at)]).await;
    }
    assert!(room.get("/summary").await.text.contains("Any 3 of 4 cosigners"));
    let out = [("act", "remove"), ("name", "eip155:31337")];
    room.refuses("/networks", &out, &["holds `ETH`", "take the asset out"]).await;
    // A passkey whose view was taken out, with every step done.
    let dee = with_passkey("dee", "front");
    room.keeps("/people", &[("act", "approver"), ("seat", &dee)]).await;
    let page = room.get("/summary").await.text;
    assert!(page.contains("belongs to no view") && page.contains("Go to: People"), "{page}");
    room.keeps("/people", &[("act", "unseat"), ("name", "dee")]).await;
    room.keeps("/people", &[("act", "governance"), ("governance", "2")]).await;
    room.keeps("/rules", &[("act", "remove"), ("name", "eip155:31337/slip44:60")]).await;
    room.keeps("/networks", &out).await;
    let page = room.get("/summary").await.text;
    assert!(page.contains("Go to: Networks"), "{page}");
    room.refuses("/networks", &out, &["not in the list"]).await;
}
