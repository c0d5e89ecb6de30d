//! The public page of a register: one static file without script or outside origin; every word from outside is escaped.

use quorate_terms::Timestamp;

use super::badge::escape;
use super::claim::Claim;
use super::register::Place;
use super::status::Standing;

/// One mark as the page shows it.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// Its place in the register.
    pub place: &'a Place,
    /// What it claims.
    pub claim: &'a Claim,
    /// The file beside the page; none while no witnessed proof was bound to it.
    pub file: Option<String>,
}

/// How a mark stands at a moment, in one word or two.
pub fn standing(shown: &Shown<'_>, now: Timestamp) -> &'static str {
    match &shown.place.withdrawn {
        Some(gone) if gone.standing == Standing::Revoked => "revoked",
        Some(_) => "suspended",
        None if now > shown.claim.valid_until => "expired",
        None if now < shown.claim.valid_from => "not valid yet",
        None => "stands",
    }
}

const STYLE: &str = ":root{color-scheme:light dark;--ink:#16202b;--paper:#fbfaf7;--faint:#5b6672;--line:#d5d2c8;\
--good:#1c6b3a;--bad:#a3261c;--wait:#8a5a00}\
@media(prefers-color-scheme:dark){:root{--ink:#e7e5df;--paper:#14181d;--faint:#9aa4af;--line:#333b45;--good:#7bd39a;\
--bad:#ff9d92;--wait:#e9bd6a}}\
body{margin:0 auto;max-width:62rem;padding:2rem 1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\
h1{font-size:1.5rem}article{border:1px solid var(--line);border-radius:8px;padding:1rem 1.25rem;margin:1rem 0}\
h2{font-size:1.1rem;margin:0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.75rem 0 0}\
dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}code,pre{font:13px/1.5 ui-monospace,monospace}\
pre{overflow-x:auto;border:1px solid var(--line);border-radius:8px;padding:.75rem}\
.stands{color:var(--good)}.revoked,.expired{color:var(--bad)}.suspended,.not{color:var(--wait)}";

/// Writes the page. `date` says how a moment is written.
pub fn page(
    issuer: &str,
    list: &str,
    marks: &[Shown<'_>],
    now: Timestamp,
    date: impl Fn(Timestamp) -> String,
) -> String {
    let title = format!("Trust Marks issued by {}", escape(issuer));
    let mut cards = String::new();
    for shown in marks {
        card(shown, now, &date, &mut cards);
    }
    if marks.is_empty() {
        cards.push_str("<p>No mark was issued yet.</p>\n");
    }
    let csp = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{csp}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <p>Status list <code>{list}</code>, page written {written}. A mark says that a system was assessed on a day. It does \
         not say that anything is secure, and this page proves nothing: verify the file.</p>\n{cards}\
         <h2>How to verify</h2>\n\
         <p>Get <code>quorate-verify</code> and this issuer's policy from somebody you trust, take the mark and a fresh \
         <a href=\"status.json\">status list</a> from here, and run, offline:</p>\n\
         <pre>quorate-verify mark MARK.json --policy POLICY.json --status status.json --entity NAME --system NAME</pre>\n\
         <p>The same as data: <a href=\"register.json\">register.json</a>.</p>\n</main>\n</body>\n</html>\n",
        list = escape(list),
        written = escape(&date(now)),
    )
}

fn card(shown: &Shown<'_>, now: Timestamp, date: &impl Fn(Timestamp) -> String, out: &mut String) {
    let claim = shown.claim;
    let word = standing(shown, now);
    let class = word.split(' ').next().unwrap_or_default();
    out.push_str(&format!(
        "<article id=\"{id}\">\n<h2>{system}, {entity}: <span class=\"{class}\">{word}</span></h2>\n<dl>\n",
        id = escape(&claim.mark),
        system = escape(&claim.scope.system),
        entity = escape(&claim.scope.entity),
    ));
    let mut row = |label: &str, value: String| {
        out.push_str(&format!("<dt>{label}</dt><dd>{}</dd>\n", escape(&value)));
    };
    row("mark", claim.mark.clone());
    let kind = if claim.standard.official { "" } else { " (unofficial working draft)" };
    row("standard", format!("{} {}{kind}", claim.standard.id, claim.standard.version));
    row("level", claim.level.clone());
    row("assessed on", date(claim.assessed_on));
    row("assessed by", claim.assessor.name.clone());
    row("may be shown", format!("{} to {}", date(claim.valid_from), date(claim.valid_until)));
    row("covers", claim.scope.description.clone());
    let excluded = claim.exclusions.join("; ");
    row("leaves out", if excluded.is_empty() { "nothing".to_owned() } else { excluded });
    match &claim.certificate {
        Some(digest) => row("registrar's certificate", format!("on file, sha256 {digest}")),
        None => row("registrar's certificate", "none on file".to_owned()),
    }
    if let Some(gone) = &shown.place.withdrawn {
        row(
            gone.standing.word(),
            format!("{}: {} (entry {})", date(gone.at), gone.reason, gone.entry),
        );
    }
    match &shown.file {
        Some(file) => {
            let file = escape(file);
            out.push_str(&format!("<dt>file</dt><dd><a href=\"{file}\">{file}</a></dd>\n"));
        }
        None => out.push_str("<dt>file</dt><dd>no witnessed proof yet</dd>\n"),
    }
    out.push_str("</dl>\n</article>\n");
}
