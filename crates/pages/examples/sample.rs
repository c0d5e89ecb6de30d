//! Prints a small site as JSON: every component, with text from outside that means harm, a page to sign on, one whose digest is
//! wrong, and one that changes. `cargo xtask test --step browser` serves it and looks at it in a browser.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use quorate_pages::{
    Alert, CreatePasskey, Frame, GetPasskey, Link, Markup, Press, Tone, address, amount, assets,
    badge, details, digest, empty, facts, form_as, gauge, headers, outside, progress, qr,
    recompute, table, when,
};
use quorate_terms::{Amount, Digest, Timestamp};
use serde_json::{Value, json};

const HOSTILE: &str = "<script>alert('memo')</script> invoice \u{202e}gpj.exe\u{202c} for p\u{430}yroll\u{200b}, see //evil.example";
const ACCOUNT: &str = "eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb";
const TAG: &str = "quorate/sample/v1";

fn main() {
    let kept: serde_json::Map<String, Value> = assets()
        .iter()
        .map(|each| {
            let text = String::from_utf8_lossy(each.bytes);
            (each.path.clone(), json!({ "mime": each.mime, "text": text }))
        })
        .collect();
    let exact = format!("{{\"amount\":\"1500000\",\"memo\":\"{}\"}}", HOSTILE.replace('"', ""));
    let right = Digest::of(TAG, exact.as_bytes()).to_string();
    let site = json!({
        "headers": headers(),
        "assets": kept,
        "pages": {
            "/": overview(&right),
            "/sign": sign("Send 1.5 USDC", &exact, &right),
            "/wrong": sign("A digest that is wrong", &exact, &"0".repeat(64)),
            "/live": live(),
        },
    });
    println!("{site}");
}

fn frame(here: &str, title: &str, body: Markup) -> Frame {
    let link = |href: &str, label: &str| Link {
        href: href.to_owned(),
        label: label.to_owned(),
        is_here: href == here,
    };
    Frame {
        title: title.to_owned(),
        product: "Approvals view".to_owned(),
        party: "vault treasury · seat ann".to_owned(),
        nav: vec![
            link("/", "Waiting"),
            link("/sign", "One intent"),
            link("/live", "Budgets"),
            link("/wrong", "Book"),
        ],
        alerts: Vec::new(),
        body,
        is_signed_in: false,
        live: None,
    }
}

fn heading(words: &str) -> Markup {
    #[derive(askama::Template)]
    #[template(source = "<h2>{{ words }}</h2>", ext = "html")]
    struct Heading<'a> {
        words: &'a str,
    }
    Markup::of(&Heading { words })
}

fn overview(hex: &str) -> String {
    let body = Markup::all([
        heading("What is wanted"),
        intent(hex),
        heading("Who has agreed"),
        progress(1, 2, "Approval quorum treasury"),
        progress(2, 2, "Approval quorum security"),
        heading("Budgets"),
        budgets(),
        heading("Waiting for you"),
        waiting(),
        heading("Signs and empty places"),
        signs(),
        presses(),
        qr("Open this case on your phone.", "https://view.example/cases/0123456789abcdef"),
        empty("Nothing waits for you.", "When an intent asks for your approval, it stands here."),
        details("What the policy said", outside(HOSTILE)),
    ]);
    let mut frame = frame("/", "Intents that wait for you", body);
    let alert = |tone, text: &str| Alert { tone, text: text.to_owned() };
    frame.alerts = vec![
        alert(
            Tone::Warn,
            "This is a demonstration: everything runs on one machine, and one person holds all of it.",
        ),
        alert(
            Tone::Bad,
            "The vault is frozen. Nothing is signed until a quorum lifts the freeze; see the book.",
        ),
    ];
    frame.render()
}

fn presses() -> Markup {
    let one = |press, words| form_as(press, "/", Markup::default(), words);
    Markup::all([
        one(Press::Main, "What the page is for"),
        one(Press::Yes, "Approve with your passkey"),
        one(Press::No, "Reject with your passkey"),
        one(Press::Aside, "Sign out"),
    ])
}

fn intent(hex: &str) -> Markup {
    facts(vec![
        ("Amount", amount("1500000", 6, "USDC")),
        ("Fee at most", amount("21000000000000", 18, "ETH")),
        ("To", address(ACCOUNT, Some("Office supplies, Berlin"))),
        ("Largest amount", amount(&"9".repeat(78), 18, "WEI\u{202e}X")),
        ("Memo", outside(HOSTILE)),
        ("A long word", outside(&"verylongwordwithoutaspace".repeat(8))),
        ("Filed", when(Timestamp::from_millis(1_795_286_569_524))),
        ("Digest of the intent", digest(hex)),
        ("State", badge(Tone::Note, "waits for approvals")),
    ])
}

fn budgets() -> Markup {
    let units = Amount::from_u128;
    Markup::all([
        gauge("10 000 USDC a day", units(4_200), units(1_500), units(10_000)),
        gauge("Transfers a week", units(0), units(0), units(20)),
        gauge("Spare budget, gone over", units(130), units(0), units(100)),
    ])
}

fn waiting() -> Markup {
    let row = |what: &str, base: &str, tone, state: &str| {
        vec![
            outside(what),
            amount(base, 6, "USDC"),
            when(Timestamp::from_millis(1_795_286_569_524)),
            badge(tone, state),
        ]
    };
    table(
        "Intents by time of filing",
        &["What", "Amount", "Filed", "State"],
        vec![
            row("Office supplies", "1500000", Tone::Note, "waits for one more approval"),
            row(HOSTILE, "123456789012345", Tone::Warn, "waits; recipient is new"),
            row("Rent", "990000000", Tone::Good, "settled"),
            row("Top-up", "1", Tone::Bad, "refused: over the budget"),
        ],
    )
}

fn signs() -> Markup {
    let space = || Markup::text(" ");
    Markup::all([
        badge(Tone::Good, "verified"),
        space(),
        badge(Tone::Note, "to know"),
        space(),
        badge(Tone::Warn, "look first"),
        space(),
        badge(Tone::Bad, "refused"),
    ])
}

fn sign(title: &str, exact: &str, hex: &str) -> String {
    let get = GetPasskey {
        action: "/get",
        challenge: &[7; 32],
        rp_id: "localhost",
        allow: &[],
        timeout_ms: 3_000,
        needs_recompute: true,
        fields: Markup::default(),
        button: "Approve with your passkey",
    };
    let create = CreatePasskey {
        action: "/create",
        challenge: &[9; 32],
        rp_id: "localhost",
        rp_name: "Quorate sample",
        user_id: &[1, 2, 3, 4],
        user_name: "ann",
        exclude: &[],
        timeout_ms: 3_000,
        fields: Markup::default(),
        button: "Enrol this device",
    };
    let body = Markup::all([
        facts(vec![
            ("Amount", amount("1500000", 6, "USDC")),
            ("To", address(ACCOUNT, Some("Office supplies, Berlin"))),
            ("Memo", outside(HOSTILE)),
        ]),
        heading("The exact text that you sign"),
        recompute(TAG, hex, exact),
        heading("Your answer"),
        get.render(),
        heading("A new passkey"),
        create.render(),
    ]);
    frame("/sign", title, body).render()
}

fn live() -> String {
    let body = Markup::all([
        facts(vec![("Changes so far", Markup::text("COUNT"))]),
        details("A part that opens", Markup::text("It stays open when the page changes.")),
        field(),
    ]);
    let mut frame = frame("/live", "A page that keeps up", body);
    frame.live = Some("/events".to_owned());
    frame.render()
}

fn field() -> Markup {
    #[derive(askama::Template)]
    #[template(
        source = "<form method=\"get\" action=\"/live\"><label>A note \
                  <input name=\"note\"></label></form>",
        ext = "html"
    )]
    struct Field;
    Markup::of(&Field)
}
